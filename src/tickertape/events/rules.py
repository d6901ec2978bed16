"""Rules of a valid event that its field types cannot say: one function a rule, and which types it applies to."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tickertape.errors import InvalidEvent
from tickertape.events.types import (
    EVENT_TYPES,
    AppEvent,
    ConsentEvent,
    ConversionRecorded,
    ConversionRefunded,
    Event,
    ExperimentAssigned,
    MessageBilled,
    MessageDelivered,
    MessageSent,
    SurveyEvent,
)
from tickertape.explain import shown

PRICE_STEP = Decimal("0.000001")
HIGHEST_PRICE = Decimal("999999999999.999999")
FIRST_INSTANT = datetime(1980, 1, 1, tzinfo=UTC)
LAST_INSTANT = datetime(2199, 12, 31, tzinfo=UTC)
"""Outside of these `at` is a broken clock, and the store cannot hold every year."""


def obey_rules(event: Event) -> None:
    """Raises InvalidEvent where `event` breaks a rule; brings its price to the step in which prices are kept."""
    if not FIRST_INSTANT <= event.at <= LAST_INSTANT:
        message = f"at lies in the year {event.at.year}; it must lie in {FIRST_INSTANT.year} to {LAST_INSTANT.year}."
        raise InvalidEvent(message, code="invalid_time", field="at", hint="Check the clock or the unit of its source.")
    for rule in _RULES[type(event)]:
        rule(event)


def _contact_needed(event: Event) -> None:
    if event.contact_id is None and event.address is None:
        raise InvalidEvent(
            f"{_type_of(event)} needs a contact.",
            code="required",
            field="contact_id",
            hint="Give contact_id or address.",
        )


def _link_needed(event: Event) -> None:
    if event.contact_id is event.address is event.message_id is event.campaign_id is None:
        raise InvalidEvent(
            f"{_type_of(event)} belongs to nobody and nothing.",
            code="required",
            field="contact_id",
            hint="Give contact_id, address, message_id or campaign_id.",
        )


def _cost_in_order(event: Any) -> None:
    if event.cost is not None:
        event.cost = _price(event.cost, "cost", "A credit is not a cost: leave it out.")


def _value_in_order(event: Any) -> None:
    if event.value is not None:
        event.value = _price(
            event.value, "value", "Report money given back as conversion.refunded, with a positive value."
        )


def _price(amount: Decimal, field: str, hint_if_negative: str) -> Decimal:
    if not amount.is_finite():
        raise InvalidEvent(f"{field} must be a finite number, not {amount}.", code="invalid_value", field=field)
    if amount < 0:
        message = f"{field} must not be negative, and is {shown(amount)}."
        raise InvalidEvent(message, code="invalid_value", field=field, hint=hint_if_negative)
    if amount > HIGHEST_PRICE:
        message = f"{field} must be at most {HIGHEST_PRICE:,}, and is {shown(amount)}."
        raise InvalidEvent(message, code="invalid_value", field=field, hint="Check its unit.")
    # Zero is added because minus zero is another spelling of it.
    return amount.quantize(PRICE_STEP) + 0


# The scale of a survey that names none, and the lowest score on it.
_SCALES: dict[str, tuple[float, float]] = {"csat": (1, 5), "nps": (0, 10), "ces": (1, 7)}


def _score_on_scale(event: Any) -> None:
    if event.score is None or event.kind is None:
        return
    lowest, usual = _SCALES[event.kind]
    highest = event.scale_max if event.scale_max is not None else usual
    if not lowest <= event.score <= highest:
        raise InvalidEvent(
            f"score must lie between {lowest:g} and {highest:g}, and is {event.score:g}.",
            code="invalid_value",
            field="score",
            hint="Give scale_max where the scale is another.",
        )


_Rule = Callable[[Any], None]
_RULE_ROWS: tuple[tuple[tuple[type[Event], ...], _Rule], ...] = (
    ((ConsentEvent, AppEvent, ExperimentAssigned), _contact_needed),
    ((ConversionRecorded,), _link_needed),
    ((MessageSent, MessageDelivered, MessageBilled), _cost_in_order),
    ((ConversionRecorded, ConversionRefunded), _value_in_order),
    ((SurveyEvent,), _score_on_scale),
)
_RULES: dict[type, tuple[_Rule, ...]] = {
    cls: tuple(rule for bases, rule in _RULE_ROWS if issubclass(cls, bases)) for cls in EVENT_TYPES.values()
}


def _type_of(event: Event) -> str:
    return str(event.__struct_config__.tag)
