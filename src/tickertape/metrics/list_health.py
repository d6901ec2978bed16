"""List: whether people still want the messages."""

from tickertape.metrics.delivery import DELIVERED
from tickertape.metrics.kinds import Count, Metric, Ratio, Term, days
from tickertape.settings import Settings


def _credit_window(settings: Settings) -> int:
    return days(settings.opt_out_credit_hours / 24)


_YOUNGEST = Term("message", "latest", "origin_ms", "delivered")

ROWS: tuple[Metric, ...] = (
    Count(
        name="opt_outs",
        title="Opt-outs",
        description="Messages of a campaign that were answered with an opt-out.",
        formula="messages credited with an opt-out, by their send time",
        good="down",
        advice="Compare with the campaigns before: frequency and a mismatched audience are the usual reasons.",
        count=Term("opted-out message"),
        filtered_by="campaign",
    ),
    Ratio(
        name="opt_out_rate",
        title="Opt-out rate",
        description="Share of delivered messages after which the person opted out.",
        formula="delivered messages credited with an opt-out / delivered",
        good="down",
        advice="Send less often to the cold tier, and say why the person gets the message.",
        numerator=Term("message", condition="delivered AND opted_out"),
        denominator=DELIVERED,
        window=_credit_window,
        youngest=_YOUNGEST,
    ),
    Ratio(
        name="complaint_rate",
        title="Complaint rate",
        description="Share of delivered messages that were reported as spam.",
        formula="delivered messages credited with a complaint / delivered",
        good="down",
        advice="Stop sending to those who never engaged, make opting out one click, and check that every address asked"
        " for the messages.",
        source="Gmail's sender guidelines: stay under 0.1 %, never reach 0.3 %.",
        numerator=Term("message", condition="delivered AND complained"),
        denominator=DELIVERED,
        window=_credit_window,
        youngest=_YOUNGEST,
    ),
)
