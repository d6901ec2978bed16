"""The dimensions: what figures may be broken down and filtered by, as rows."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct

from tickertape.metrics.grains import GRAINS
from tickertape.metrics.kinds import Term

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Dimension(Struct, frozen=True):
    """`clock`: expression of the dating moment `{moment}` instead of a column of the grain. `filter_only`: too fine
    to break down by. `values`: all there are, in their order."""

    name: str
    description: str
    clock: str | None = None
    filter_only: bool = False
    values: tuple[str, ...] = ()


ROWS = (
    Dimension("channel", "The channel of the message, or of the episode's first message."),
    Dimension(
        "campaign",
        "The campaign of the message. null: messages without one; `(unattributed)`: conversions no message earned.",
    ),
    Dimension("template", "The template of the message."),
    Dimension("variant", "The variant of the message."),
    Dimension("purpose", "marketing, service or authentication."),
    Dimension("author", "Who wrote the message: agent, bot, auto, campaign or system."),
    Dimension(
        "agent",
        "The author of the reply, the actor of the resolve, the author of the last human reply for surveys, quality and"
        " episodes by opening. Never the assignee now.",
    ),
    Dimension("team", "The team of the reply, else the one last queued or assigned."),
    Dimension("carrier", "The carrier, as reported."),
    Dimension("country", "The recipient's country, as reported."),
    Dimension("error_code", "The provider's code of a failed message. null: not failed, or failed without a code."),
    Dimension("topic", "The topics an episode was tagged with; one with several counts in the row of each."),
    Dimension("source", "The connected source that reported it."),
    Dimension("link", "The link that was clicked."),
    Dimension("hour_of_day", "0 to 23 in the question's time zone.", "toString(toHour({moment}, {zone:String}))"),
    Dimension(
        "day_of_week",
        "mon to sun in the question's time zone.",
        f"arrayElement({list(WEEKDAYS)!r}, toDayOfWeek({{moment}}, 0, {{zone:String}}))",
        values=WEEKDAYS,
    ),
    Dimension(
        "engagement_tier",
        "The contact as of the send: hot (engaged in the 30 days before), warm (90 days), cold (longer ago), none.",
        values=("hot", "warm", "cold", "none"),
    ),
    Dimension("conversation", "The conversation's id at its provider.", filter_only=True),
    Dimension("contact", "The contact's id.", filter_only=True),
)
DIMENSIONS: Mapping[str, Dimension] = MappingProxyType({row.name: row for row in ROWS})
CLICKED_LINK = "clicked link"
ATTRS = "attrs."
"""`attrs.NAME`: the free dimension NAME."""
LONGEST_NAME = 100
"""Of a free dimension, as in the events."""


def is_dimension(name: str) -> bool:
    return name in DIMENSIONS or (name.startswith(ATTRS) and 0 < len(name) - len(ATTRS) <= LONGEST_NAME)


def grain_of(term: Term, asked: Iterable[str]) -> str:
    """The name of the grain that a term is counted in when these dimensions split or filter it."""
    return CLICKED_LINK if term.per_link and "link" in asked else term.grain


def has_dimension(term: Term, name: str) -> bool:
    """Whether a term can be broken down and filtered by a dimension, or stands beside it unchanged."""
    if name in term.ignores:
        return True
    grain = GRAINS[grain_of(term, (name,))]
    if name.startswith(ATTRS):
        return "attrs" in grain.dimensions
    if DIMENSIONS[name].clock is not None:
        return grain.spread is None
    return name in grain.dimensions


def dimensions_of(terms: Iterable[Term]) -> list[str]:
    """The dimensions that all of the terms have, in the documented order."""
    terms = list(terms)
    return [name for name in (*DIMENSIONS, "attrs.NAME") if all(has_dimension(term, name) for term in terms)]
