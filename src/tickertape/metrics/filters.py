"""Filters: a dimension, and the values that it must or must not have."""

from msgspec import Struct


class Filter(Struct, frozen=True):
    """An empty value stands for none: `campaign=` finds messages without a campaign."""

    dimension: str
    values: tuple[str, ...]
    negated: bool = False


UNATTRIBUTED = "(unattributed)"
_OF_THE_CONVERSION = ("contact", "hour_of_day", "day_of_week")


def asks_for_credit(row: Filter) -> bool:
    """Whether the filter is about messages, so that conversions which no message earned do not pass it."""
    if (
        row.dimension == "contact"
        or row.dimension.startswith("attrs.")
        or row.dimension.endswith(("_of_day", "_of_week"))
    ):
        return False
    return row.negated or not (row.dimension == "campaign" and UNATTRIBUTED in row.values)
