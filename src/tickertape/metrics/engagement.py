"""Engagement: what people did with the messages they got. Machine clicks and opens are none."""

from tickertape.metrics.kinds import Metric, Ratio, Seconds, Term, days
from tickertape.settings import Settings

_MINUTE = 60_000
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


def _outreach(condition: str) -> str:
    """Agents and bots write replies, not campaigns: they count only where an author or a campaign is filtered."""
    return f"outreach AND {condition}"


_TRACKED = _outreach("tracked AND delivered")
_READABLE = _outreach("tracked AND delivered AND reports_reading")
_DELIVERED = _outreach("delivered")
_BY_LINK = ("link",)


def _clicks(settings: Settings) -> int:
    return days(settings.attribution.click_days)


def _replies(settings: Settings) -> int:
    return days(settings.reply_link_days)


def _youngest(condition: str) -> Term:
    return Term("message", "latest", "origin_ms", condition, ignores=_BY_LINK)


def _clicked(condition: str) -> Term:
    return Term("message", condition=condition, per_link=True)


def _out_of(condition: str) -> Term:
    """A link's clicks are measured against all messages, not against those that carried the link."""
    return Term("message", condition=condition, ignores=_BY_LINK)


def _click_rate(suffix: str, within: str, window_ms: int) -> Ratio:
    return Ratio(
        name=f"click_through_rate_{suffix}",
        title=f"Click-through rate within {within}",
        description=f"Share of delivered messages that a person clicked within {within} of delivery.",
        formula=f"tracked messages with a human click within {within} / tracked delivered",
        good="up",
        advice="Most clicks come early: what is not clicked by then needs a better first line, not more time.",
        numerator=_clicked(f"{_TRACKED} AND clicked AND click_ms <= {window_ms}"),
        denominator=_out_of(_TRACKED),
        window=lambda _: window_ms,
        youngest=_youngest(_TRACKED),
    )


def _reply_rate(suffix: str, within: str, window_ms: int) -> Ratio:
    return Ratio(
        name=f"response_rate_{suffix}",
        title=f"Response rate within {within}",
        description=f"Share of delivered messages that a person answered within {within} of delivery.",
        formula=f"delivered messages with a human reply within {within} / delivered",
        good="up",
        advice="Send when someone is there to continue the conversation.",
        numerator=Term("message", condition=f"{_DELIVERED} AND replied AND reply_ms <= {window_ms}"),
        denominator=Term("message", condition=_DELIVERED),
        window=lambda _: window_ms,
        youngest=_youngest(_DELIVERED),
    )


ROWS: tuple[Metric, ...] = (
    Ratio(
        name="open_rate",
        title="Open rate",
        description="Share of delivered messages that a person opened or read. A lower bound where people turn read"
        " receipts off; none for SMS and MMS.",
        formula="tracked messages with a human open or read (a click in an e-mail implies one) / tracked delivered",
        good="up",
        advice="Judge by clicks and replies; opens are blurred by mail privacy proxies and read-receipt settings.",
        numerator=Term("message", condition=f"{_READABLE} AND opened"),
        denominator=Term("message", condition=_READABLE),
        window=_clicks,
        youngest=_youngest(_READABLE),
    ),
    Ratio(
        name="click_through_rate",
        title="Click-through rate",
        description="Share of delivered messages that a person clicked.",
        formula="tracked messages with a human click / tracked delivered",
        good="up",
        advice="One link, one offer, the benefit in the first line; send to people who engaged lately.",
        numerator=_clicked(f"{_TRACKED} AND clicked"),
        denominator=_out_of(_TRACKED),
        window=_clicks,
        youngest=_youngest(_TRACKED),
    ),
    _click_rate("5m", "5 minutes", 5 * _MINUTE),
    _click_rate("1h", "1 hour", _HOUR),
    _click_rate("1d", "1 day", _DAY),
    Ratio(
        name="click_to_open_rate",
        title="Click-to-open rate",
        description="Share of the opened messages that a person clicked.",
        formula="human-clicked / opened (opens inferred from clicks included)",
        good="up",
        advice="Low with a good open rate: the subject promises what the message does not keep.",
        numerator=_clicked(f"{_READABLE} AND opened AND clicked"),
        denominator=_out_of(f"{_READABLE} AND opened"),
        window=_clicks,
        youngest=_youngest(f"{_READABLE} AND opened"),
    ),
    Seconds(
        name="time_to_click",
        title="Time to click",
        description="How long people took from delivery to their first click.",
        formula="median of first human click − delivery",
        good="down",
        advice="Long times mean a bad hour: look at the send-time map.",
        duration=Term("message", "spread", "click_ms", f"{_TRACKED} AND clicked", per_link=True),
    ),
    Ratio(
        name="response_rate",
        title="Response rate",
        description="Share of delivered messages that a person answered. Opt-outs and automatic replies do not count.",
        formula="delivered messages with a human reply / delivered",
        good="up",
        advice="Ask one question that can be answered in a word.",
        numerator=Term("message", condition=f"{_DELIVERED} AND replied"),
        denominator=Term("message", condition=_DELIVERED),
        window=_replies,
        youngest=_youngest(_DELIVERED),
    ),
    _reply_rate("15m", "15 minutes", 15 * _MINUTE),
    _reply_rate("1h", "1 hour", _HOUR),
    _reply_rate("24h", "24 hours", _DAY),
    Seconds(
        name="customer_response_time",
        title="Customer response time",
        description="How long people took from delivery to their first reply.",
        formula="median of first human reply − delivery",
        good="down",
        advice="Have people ready in that time after a send.",
        duration=Term("message", "spread", "reply_ms", f"{_DELIVERED} AND replied"),
    ),
    Ratio(
        name="engagement_rate",
        title="Engagement rate",
        description="Share of delivered messages that led to a click, a reply, a reaction or a conversion. Opens do not"
        " count.",
        formula="delivered with a human click, reply, reaction or credited conversion / delivered",
        good="up",
        advice="Leave out people who have not engaged for 90 days: the rate and the deliverability both rise.",
        numerator=Term("message", condition=f"{_DELIVERED} AND (clicked OR replied OR reacted OR converted)"),
        denominator=Term("message", condition=_DELIVERED),
        window=_clicks,
        youngest=_youngest(_DELIVERED),
    ),
    Ratio(
        name="machine_click_share",
        title="Machine click share",
        description="Share of all clicks that scanners, previews and crawlers made.",
        formula="machine clicks / all clicks",
        good="neutral",
        advice="High at one company's mail domain is its security scanner; the other figures leave it out already.",
        numerator=Term("click", condition=_outreach("click_actor = 'machine'")),
        denominator=Term("click", condition=_outreach("1")),
    ),
)
