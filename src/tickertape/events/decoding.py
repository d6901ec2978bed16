"""From JSON, or from plain Python, to a valid event; or to an error that says where and what is wrong."""

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from math import isfinite
from typing import Any, cast

import msgspec

from tickertape.errors import InvalidEvent, nearest
from tickertape.events.rules import obey_rules
from tickertape.events.text import remove_nul
from tickertape.events.types import EVENT_TYPES, AnyEvent
from tickertape.explain import Fault, first_fault, json_type, listed, shown, shown_name, unknown_name

EVENT_BYTES = 2_000_000
"""The longest JSON of one event: more than every field at its limit, escaped, can take."""

# What people call a field that has another name here.
_SYNONYMS: Mapping[str, str] = {
    "timestamp": "at",
    "time": "at",
    "date": "at",
    "created_at": "at",
    "occurred_at": "at",
    "event": "type",
    "event_type": "type",
    "event_id": "id",
    "user_id": "contact_id",
    "customer_id": "contact_id",
    "userid": "contact_id",
    "phone": "address",
    "email": "address",
    "to": "address",
    "recipient": "address",
    "from": "sender",
    "body": "text",
    "message": "text",
    "content": "text",
    "price": "cost",
    "amount": "value",
    "revenue": "value",
    "thread_id": "conversation_id",
    "order_id": "conversion_id",
    "rating": "score",
    "properties": "attrs",
    "metadata": "attrs",
    "tags": "attrs",
}
_DECODER: msgspec.json.Decoder[AnyEvent] = msgspec.json.Decoder(AnyEvent)
# JSON can carry a NUL only as this escape, so that one search spares looking at every field. Looking for the number
# of a byte first is many times faster than for a string of bytes.
_NUL_ESCAPE = b"\\u0000"
_BACKSLASH = ord("\\")
# Everything that decoding hostile bytes can raise; RecursionError from deep nesting, ArithmeticError from huge numbers.
_UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, ArithmeticError, RecursionError)


def decode(raw: bytes | bytearray | memoryview) -> AnyEvent:
    """The event in `raw`, one JSON object. Raises InvalidEvent with the position of the first fault."""
    if type(raw) is not bytes:
        raw = bytes(raw)
    if len(raw) > EVENT_BYTES:
        message = f"The event is {len(raw):,} bytes long; at most {EVENT_BYTES:,} are allowed."
        raise InvalidEvent(message, code="too_long", hint="Shorten its text or attrs.")
    try:
        event = _DECODER.decode(raw)
    except _UNREADABLE as error:
        raise _explain_json(raw, error) from None
    obey_rules(event)
    if _BACKSLASH in raw and _NUL_ESCAPE in raw:
        remove_nul(event)
    return event


def from_fields(fields: Mapping[str, object]) -> AnyEvent:
    """The event in `fields`, plain Python as from a connector or a row of a CSV or Parquet file.

    As strict as `decode`, with four allowances for sources that know only text: None and "" count as left out; numbers
    and booleans may be strings (`"2.5"`, `"true"`, `"0"`); `at` may be a datetime with an offset; a key `attrs.plan`
    stands for the `plan` of `attrs`. Raises InvalidEvent as `decode` does.
    """
    plain = _plain_fields(fields)
    kind = plain.get("type")
    try:
        # One struct, not the union: msgspec keeps what it knows of a struct and works a union out anew each time.
        event: AnyEvent = msgspec.convert(plain, cast(Any, EVENT_TYPES[kind if isinstance(kind, str) else ""]))
    except (*_UNREADABLE, KeyError) as error:
        raise _explain_fields(plain, error) from None
    obey_rules(event)
    try:
        encoded = msgspec.json.encode(event)
    except UnicodeEncodeError as error:
        raise _explain_fields(plain, error) from None
    if _BACKSLASH in encoded and _NUL_ESCAPE in encoded:
        remove_nul(event)
    return event


_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _as_number(value: object) -> object:
    if (isinstance(value, str) and _NUMBER.fullmatch(value.strip())) or isinstance(value, Decimal):
        value = float(value)
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _as_price(value: object) -> object:
    return Decimal(value.strip()) if isinstance(value, str) and _NUMBER.fullmatch(value.strip()) else value


def _as_boolean(value: object) -> object:
    return _BOOLEANS.get(value.strip().lower(), value) if isinstance(value, str) else value


# Fields whose value may come as text, whatever the event type.
_READERS: dict[str, Callable[[object], object]] = {
    "cost": _as_price,
    "value": _as_price,
    "segments": _as_number,
    "score": _as_number,
    "scale_max": _as_number,
    "planned_control": _as_number,
    "permanent": _as_boolean,
    "tracked": _as_boolean,
    "test": _as_boolean,
    "auto_reply": _as_boolean,
    "opt_out": _as_boolean,
    "confirmed": _as_boolean,
}


def _plain_fields(fields: Mapping[str, object]) -> dict[str, object]:
    plain: dict[str, object] = {}
    attrs: dict[str, object] = {}
    for name, value in fields.items():
        if value is None or value == "":
            continue
        if reader := _READERS.get(name):
            plain[name] = _finite(name, reader(value))
        elif not str(name).startswith("attrs"):
            plain[name] = value
        elif name == "attrs" and isinstance(value, Mapping):
            attrs |= value
        elif name.startswith("attrs."):
            attrs[name.removeprefix("attrs.")] = value
        else:
            plain[name] = value
    if attrs:
        plain["attrs"] = {name: _attr(name, value) for name, value in attrs.items() if value is not None}
    return plain


def _attr(name: object, value: object) -> object:
    return _finite(f"attrs.{shown_name(name)}", float(value) if isinstance(value, Decimal) else value)


def _finite(field: str, value: object) -> object:
    if isinstance(value, float) and not isfinite(value):
        raise InvalidEvent(f"{field} must be a finite number, not {value}.", code="invalid_value", field=field)
    return value


def _explain_json(raw: bytes, cause: BaseException) -> InvalidEvent:
    try:
        fields = json.loads(raw.decode())
    except UnicodeDecodeError as error:
        message = f"The event is not UTF-8 text: byte {error.start} cannot be read."
        return InvalidEvent(message, code="invalid_json", hint="Encode the JSON as UTF-8.")
    except json.JSONDecodeError as error:
        message = f"The event is not valid JSON at line {error.lineno}, column {error.colno}: {error.msg}."
        return InvalidEvent(message, code="invalid_json")
    except RecursionError:
        return InvalidEvent(
            "The event is nested too deeply.", code="invalid_json", hint="Only attrs may hold an object."
        )
    except ValueError:
        return InvalidEvent("The event holds a number that is too long to read.", code="invalid_json")
    return _explain_fields(fields, cause)


def _explain_fields(fields: object, cause: BaseException) -> InvalidEvent:
    if not isinstance(fields, dict):
        message = f"An event is a JSON object, not {json_type(fields)}."
        return InvalidEvent(message, code="wrong_type", hint='Send {"type": …, "at": …, …}.')
    name = fields.get("type")
    if name is None:
        misnamed = next((key for key in fields if _SYNONYMS.get(str(key).lower()) == "type"), None)
        hint = f"You sent {shown(misnamed)}: did you mean 'type'?" if misnamed else "Give it, such as message.sent."
        return InvalidEvent("type is required.", code="required", field="type", hint=hint)
    if not isinstance(name, str):
        return InvalidEvent(f"type must be a string, not {json_type(name)}.", code="wrong_type", field="type")
    if name not in EVENT_TYPES:
        meant = nearest(name, EVENT_TYPES)
        hint = f"Did you mean {meant!r}?" if meant else f"The types are {listed(EVENT_TYPES)}."
        return InvalidEvent(f"type {shown(name)} is not known.", code="unknown_type", field="type", hint=hint)
    struct = _type_info(name)
    for key in fields:
        if key not in EVENT_TYPES[name].__struct_fields__ and key != "type":
            fault = unknown_name(key, EVENT_TYPES[name].__struct_fields__, shown_name(key), _SYNONYMS)
            hint = f"{fault.hint or ''} Dimensions of your own go into attrs.".strip()
            return InvalidEvent(f"{shown(key)} is no field of {name}.", code=fault.code, field=fault.field, hint=hint)
    try:
        if found := first_fault(fields, struct, synonyms=_SYNONYMS):
            return _invalid(found)
    except RecursionError:
        pass
    return InvalidEvent(f"The event is not valid: {cause}.", hint="Look for a field that is given twice.")


@cache
def _type_info(name: str) -> msgspec.inspect.Type:
    return msgspec.inspect.type_info(EVENT_TYPES[name])


def _invalid(fault: Fault) -> InvalidEvent:
    return InvalidEvent(fault.message, code=fault.code, field=fault.field or None, hint=fault.hint)
