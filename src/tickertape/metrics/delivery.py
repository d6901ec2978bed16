"""Delivery: what became of the messages that were sent."""

from tickertape.metrics.kinds import Count, Metric, Money, Ratio, Seconds, Term, days
from tickertape.settings import Settings

SENT = Term("message")
DELIVERED = Term("message", condition="delivered")
YOUNGEST_SENT = Term("message", "latest", "cohort_ms")

COST = Money(
    name="cost",
    title="Cost",
    description="What the providers charged, for failed attempts too.",
    formula="sum of the prices of all attempts, converted by the rate of the send day",
    good="down",
    advice="Compare carriers and countries; stop sending to numbers that fail.",
    plus=Term("cost", "sum", "amount"),
    members=Term("cost", condition="cost_place = 1"),
)


def _receipts(_: Settings) -> int:
    """How long a final receipt may take before the state is unknown."""
    return days(3)


ROWS: tuple[Metric, ...] = (
    Count(
        name="sent",
        title="Sent",
        description="Messages sent; attempts of one message count once, test messages never.",
        formula="outbound messages by send time",
        good="neutral",
        advice="A sudden fall is most often an expired key or a paused campaign.",
        count=SENT,
    ),
    Count(
        name="delivered",
        title="Delivered",
        description="Messages with a receipt, or with proof: a person's click or open, or a reply.",
        formula="messages with a delivered receipt (no late bounce) or proof of delivery",
        good="up",
        advice="Read it beside the delivery rate.",
        count=DELIVERED,
    ),
    Count(
        name="failed",
        title="Failed",
        description="Messages with a failure and no delivery; a late bounce of an e-mail counts.",
        formula="messages with a failure and without delivery",
        good="down",
        advice="Break down by error code: a few codes explain most failures.",
        count=Term("message", condition="failed"),
    ),
    Ratio(
        name="delivery_rate",
        title="Delivery rate",
        description="Share of the messages sent that were delivered.",
        formula="delivered / sent",
        good="up",
        advice="Look at failures by code and carrier; remove invalid addresses, register senders, slow down where"
        " carriers filter.",
        numerator=DELIVERED,
        denominator=SENT,
        window=_receipts,
        youngest=YOUNGEST_SENT,
    ),
    Ratio(
        name="delivery_rate_confirmed",
        title="Confirmed delivery rate",
        description="Share of the messages sent that have a delivery receipt.",
        formula="messages with a receipt and no late bounce / sent",
        good="up",
        advice="Far below the delivery rate, the route does not send receipts: ask the provider for one that does.",
        numerator=Term("message", condition="confirmed"),
        denominator=SENT,
        window=_receipts,
        youngest=YOUNGEST_SENT,
    ),
    Ratio(
        name="failure_rate",
        title="Failure rate",
        description="Share of the messages sent that failed. By error code: each code's share of all sent.",
        formula="failed / sent",
        good="down",
        advice="Remove invalid addresses, respect opt-outs, and take carrier filtering up with the provider.",
        numerator=Term("message", condition="failed"),
        denominator=Term("message", ignores=("error_code",)),
        window=_receipts,
        youngest=Term("message", "latest", "cohort_ms", ignores=("error_code",)),
    ),
    Seconds(
        name="time_to_deliver",
        title="Time to deliver",
        description="How long messages took from the send to the receipt.",
        formula="median of first receipt − send, at least 0; messages with a receipt and a known send",
        good="down",
        advice="Minutes mean a queue at the provider or a carrier that throttles: spread large sends.",
        duration=Term("message", "spread", "delivery_ms", "receipt AND sent_known"),
    ),
    COST,
)
