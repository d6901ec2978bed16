"""The one form in which an event is stored, and its one spelling as JSON."""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec

from tickertape.addresses import Address, AddressKind, recognise
from tickertape.errors import InvalidEvent, InvalidInput
from tickertape.events.rules import PRICE_STEP
from tickertape.events.types import (
    AnyEvent,
    AttrValue,
    ContactUpdated,
    ConversionRecorded,
    ConversionRefunded,
    MessageBilled,
    MessageDelivered,
    MessageSent,
)

FUTURE_TOLERANCE_MS = 86_400_000
"""How far the provider's clock may run ahead of ours."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def at_ms(event: AnyEvent) -> int:
    """`at` in milliseconds since the epoch, UTC; finer digits are cut off."""
    since = event.at - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def normalise(event: AnyEvent, received_at_ms: int, default_region: str | None = None) -> AnyEvent:
    """Brings a decoded event into the one form in which it is stored. Changes `event` in place and returns it.

    Fills `id`, `author` and `purpose` where left out, and recognises addresses (`default_region`: where a phone number
    without a country code belongs). Twice is the same as once.

    Raises InvalidEvent: code future_time where `at` is more than a day after `received_at_ms`; invalid_address where
    an address is not of the kind it says it is.
    """
    if at_ms(event) > received_at_ms + FUTURE_TOLERANCE_MS:
        raise InvalidEvent(
            f"at lies more than a day in the future: {event.at.isoformat()}.",
            code="future_time",
            field="at",
            hint="Check the clock of its source, and the offset.",
        )
    for name, value in _canonical_changes(event).items():
        setattr(event, name, value)
    if event.id is None:
        event.id = "h_" + blake2b(_ENCODER.encode(event), digest_size=16).hexdigest()
    if event.address is not None:
        found = _recognised("address", event.address, event.address_kind, event.channel, default_region)
        event.address_kind, event.address = found
    if isinstance(event, ContactUpdated):
        if event.addresses:
            named = {f"addresses[{i}]": address for i, address in enumerate(event.addresses)}
            values = (_recognised(field, a, None, None, default_region).value for field, a in named.items())
            event.addresses = list(dict.fromkeys(values))
    elif isinstance(event, MessageSent):
        if event.author is None:
            event.author = "campaign" if event.campaign_id else "agent" if event.agent_id else "system"
        if event.purpose is None:
            event.purpose = "marketing" if event.campaign_id or event.author == "campaign" else "service"
    return event


def canonical_json(event: AnyEvent) -> bytes:
    """The event as JSON, always the same bytes for the same event.

    Fields in the order of the struct, attrs by name, defaults left out, `at` in UTC and cut to the millisecond, prices
    to six places. `decode` gives an equal event back.
    """
    changes = _canonical_changes(event)
    return _ENCODER.encode(msgspec.structs.replace(event, **changes) if changes else event)


def content_hash(event: AnyEvent) -> bytes:
    """16 bytes that stand for the content of the event, id included: which of two contents of one id is the smaller."""
    return blake2b(canonical_json(event), digest_size=16).digest()


def _canonical_changes(event: Any) -> dict[str, object]:
    """The fields whose spelling is not the canonical one yet, with that spelling."""
    changes: dict[str, object] = {}
    if event.at.tzinfo is not UTC or event.at.microsecond % 1000:
        changes["at"] = _EPOCH + timedelta(milliseconds=at_ms(event))
    attrs = event.attrs
    if attrs is not None:
        if not attrs:
            changes["attrs"] = None
        elif any(type(value) is float and value.is_integer() for value in attrs.values()):
            changes["attrs"] = {name: _shortest(value) for name, value in attrs.items()}
    for name in _PRICES.get(type(event), ()):
        amount = getattr(event, name)
        if amount is not None and not amount.same_quantum(PRICE_STEP):
            changes[name] = amount.quantize(PRICE_STEP)
    return changes


_PRICES: dict[type, tuple[str, ...]] = {
    MessageSent: ("cost",),
    MessageDelivered: ("cost",),
    MessageBilled: ("cost",),
    ConversionRecorded: ("value",),
    ConversionRefunded: ("value",),
}


def _shortest(value: AttrValue) -> AttrValue:
    """1.0 as 1, so that a number has one spelling whatever JSON library wrote it."""
    return int(value) if type(value) is float and value.is_integer() and abs(value) < 2**53 else value


def _recognised(field: str, address: str, kind: AddressKind | None, channel: str | None, region: str | None) -> Address:
    try:
        return recognise(address, kind, channel, region)
    except InvalidInput as error:
        raise InvalidEvent(error.message, code=error.code, field=field, hint=error.hint) from None
