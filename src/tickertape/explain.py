"""Why a value does not fit a msgspec type: the first fault, with its exact position and what to do about it.

msgspec decodes and validates in one fast pass, but says little about what is wrong. This walk is slow and thorough,
and runs only after that pass has failed.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any, NamedTuple

from msgspec import inspect

from tickertape.errors import nearest

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?P<offset>[Zz]|[+-]\d\d:?\d\d)?")
_TIME_EXAMPLE = "Write it like 2026-03-06T16:30:00Z or 2026-03-06T16:30:00+01:00."


class Fault(NamedTuple):
    """`field` is the dotted position (empty: the value itself), `hint` what to do, None where the message says it."""

    field: str
    code: str
    message: str
    hint: str | None = None


def first_fault(
    value: object, expected: inspect.Type, field: str = "", synonyms: Mapping[str, str] | None = None
) -> Fault | None:
    """The first thing in `value` (plain JSON-like Python) that `expected` does not allow; None where all is well.

    `synonyms` are names that people use for fields which are called something else here.
    """
    check = _CHECKS.get(type(expected))
    return check(value, expected, field, synonyms or {}) if check else None


def shown(value: object) -> str:
    """A value as an error message may show it: short, on one line."""
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # Python writes no integer of thousands of digits.
        return "a very long number"
    return text if len(text) <= 60 else text[:57] + "…"


def json_type(value: object) -> str:
    """What JSON calls the type of `value`."""
    return _JSON_TYPES.get(type(value), type(value).__name__)


def listed(names: Iterable[str]) -> str:
    """`a, b or c`."""
    ordered = list(names)
    return ordered[0] if len(ordered) == 1 else ", ".join(ordered[:-1]) + " or " + ordered[-1]


def unknown_name(name: object, known: Iterable[str], field: str, synonyms: Mapping[str, str]) -> Fault:
    """The fault of a name that is none of `known`, with the one it was probably meant to be."""
    known = list(known)
    meant = synonyms.get(str(name).lower()) if synonyms else None
    meant = meant if meant in known else nearest(str(name), known)
    message = f"{shown(name)} is not a known field here."
    return Fault(field, "unknown_field", message, f"Did you mean {meant!r}?" if meant else None)


_JSON_TYPES: dict[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    Decimal: "a number",
    str: "a string",
    list: "an array",
    tuple: "an array",
    dict: "an object",
}


def _inside(field: str, name: object) -> str:
    return f"{field}.{shown_name(name)}" if field else shown_name(name)


def shown_name(name: object) -> str:
    """A key as it stands in a position: cut where it is absurdly long."""
    text = str(name).encode("utf-8", "replace").decode()
    return text if len(text) <= 100 else text[:99] + "…"


def _subject(field: str) -> str:
    return field or "the value"


def _wrong_type(value: object, wanted: str, field: str) -> Fault:
    return Fault(field, "wrong_type", f"{_subject(field)} must be {wanted}, not {json_type(value)}.")


def _string(value: object, expected: Any, field: str, _: Mapping[str, str]) -> Fault | None:
    if not isinstance(value, str):
        return _wrong_type(value, "a string", field)
    if expected.max_length is not None and len(value) > expected.max_length:
        message = f"{_subject(field)} has {len(value):,} characters; at most {expected.max_length:,} are allowed."
        return Fault(field, "too_long", message)
    if expected.min_length and not value:
        return Fault(field, "empty", f"{_subject(field)} must not be empty.")
    if (expected.pattern and not re.search(expected.pattern, value)) or len(value) < (expected.min_length or 0):
        return Fault(
            field, "invalid_value", f"{_subject(field)} cannot be {shown(value)}.", _PATTERNS.get(expected.pattern)
        )
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return Fault(
                field, "invalid_text", f"{_subject(field)} holds half of a surrogate pair, which is no character."
            )
    return None


CURRENCY_PATTERN = "^[A-Z]{3}$"
DATE_PATTERN = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
LOCAL_TIME_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
_PATTERNS: dict[str | None, str] = {
    CURRENCY_PATTERN: 'Give the currency as three capital letters (ISO 4217), such as "USD".',
    DATE_PATTERN: 'Write the date like "2026-12-25".',
    LOCAL_TIME_PATTERN: 'Write the time like "09:00"; "24:00" is the end of the day.',
}


def _boolean(value: object, expected: Any, field: str, _: Mapping[str, str]) -> Fault | None:
    return None if isinstance(value, bool) else _wrong_type(value, "true or false", field)


def _number(value: object, expected: Any, field: str, _: Mapping[str, str]) -> Fault | None:
    whole = isinstance(expected, inspect.IntType)
    wanted = "a whole number" if whole else "a number"
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return _wrong_type(value, wanted, field)
    if not isinstance(value, int):
        if not isfinite(value):
            return Fault(field, "invalid_value", f"{_subject(field)} must be a finite number, not {value}.")
        if whole and value != int(value):
            return Fault(field, "wrong_type", f"{_subject(field)} must be a whole number, not {shown(value)}.")
    for limit, holds, words in _LIMITS:
        bound = getattr(expected, limit)
        if bound is not None and not holds(value, bound):
            message = f"{_subject(field)} must be {words} {bound:g}, not {shown(value)}."
            return Fault(field, "invalid_value", message)
    return None


_LIMITS: tuple[tuple[str, Callable[[Any, Any], bool], str], ...] = (
    ("gt", lambda value, bound: value > bound, "more than"),
    ("ge", lambda value, bound: value >= bound, "at least"),
    ("lt", lambda value, bound: value < bound, "less than"),
    ("le", lambda value, bound: value <= bound, "at most"),
)


def _decimal(value: object, expected: Any, field: str, _: Mapping[str, str]) -> Fault | None:
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except InvalidOperation:
            message = f"{_subject(field)} must be a number, not {shown(value)}."
            return Fault(
                field, "wrong_type", message, "Write 1234.5: a point, no thousands separators, no sign of the currency."
            )
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return _wrong_type(value, "a number", field)
    if not isinstance(value, int) and not isfinite(value):
        return Fault(field, "invalid_value", f"{_subject(field)} must be a finite number, not {value}.")
    return None


def _moment(value: object, expected: Any, field: str, _: Mapping[str, str]) -> Fault | None:
    if isinstance(value, datetime):
        return _no_offset(field) if value.tzinfo is None else None
    if not isinstance(value, str):
        return _wrong_type(value, "an RFC 3339 time as a string", field)._replace(hint=_TIME_EXAMPLE)
    match = _RFC_3339.fullmatch(value)
    if match is None:
        return Fault(field, "invalid_time", f"{_subject(field)} is no RFC 3339 time: {shown(value)}.", _TIME_EXAMPLE)
    if match["offset"] is None:
        return _no_offset(field)
    try:
        datetime.fromisoformat(value.upper())
    except ValueError:
        pass
    else:
        return None
    return Fault(field, "invalid_time", f"{_subject(field)} is no date and time that exists: {shown(value)}.")


def _no_offset(field: str) -> Fault:
    message = f"{_subject(field)} has no offset, so it could be any of 26 hours."
    return Fault(field, "invalid_time", message, "End it with Z for UTC, or with an offset such as +01:00.")


def _literal(value: object, expected: Any, field: str, _: Mapping[str, str]) -> Fault | None:
    allowed = [str(choice) for choice in expected.values]
    if not isinstance(value, str):
        return _wrong_type(value, "a string", field)
    if value in allowed:
        return None
    meant = nearest(value, allowed)
    message = f"{_subject(field)} cannot be {shown(value)}; it is one of {listed(allowed)}."
    return Fault(field, "invalid_value", message, f"Did you mean {meant!r}?" if meant else None)


def _union(value: object, expected: Any, field: str, synonyms: Mapping[str, str]) -> Fault | None:
    if value is None and any(isinstance(choice, inspect.NoneType) for choice in expected.types):
        return None
    choices = [choice for choice in expected.types if not isinstance(choice, inspect.NoneType)]
    if len(choices) > 1:
        matching = [c for c in choices if any(type(value) is t for t in _PYTHON_TYPES.get(type(c), ()))]
        if not matching:
            return _wrong_type(
                value, listed(_SCALAR_NAMES[type(c)] for c in choices if type(c) in _SCALAR_NAMES), field
            )
        choices = matching
    return first_fault(value, choices[0], field, synonyms)


_PYTHON_TYPES: dict[type, tuple[type, ...]] = {
    inspect.StrType: (str,),
    inspect.FloatType: (float,),
    inspect.IntType: (int,),
    inspect.BoolType: (bool,),
}
_SCALAR_NAMES: dict[type, str] = {
    inspect.StrType: "a string",
    inspect.FloatType: "a number",
    inspect.BoolType: "a boolean",
}


def _struct(value: object, expected: Any, field: str, synonyms: Mapping[str, str]) -> Fault | None:
    if not isinstance(value, dict):
        return _wrong_type(value, "an object", field)
    fields = {f.encode_name: f for f in expected.fields}
    known = [*([expected.tag_field] if expected.tag_field else []), *fields]
    for name in value:
        if name not in known:
            return unknown_name(name, known, _inside(field, name), synonyms)
    for name, f in fields.items():
        if name in value:
            if value[name] is None and f.required:
                return _missing(_inside(field, name))
            if fault := first_fault(value[name], f.type, _inside(field, name), synonyms):
                return fault
        elif f.required:
            return _missing(_inside(field, name))
    return None


def _missing(field: str) -> Fault:
    return Fault(field, "required", f"{field} is required.")


def _dict(value: object, expected: Any, field: str, synonyms: Mapping[str, str]) -> Fault | None:
    if not isinstance(value, dict):
        return _wrong_type(value, "an object", field)
    if expected.max_length is not None and len(value) > expected.max_length:
        message = f"{_subject(field)} has {len(value):,} keys; at most {expected.max_length:,} are allowed."
        return Fault(field, "too_many", message)
    for name, inner in value.items():
        here = _inside(field, name)
        if isinstance(expected.key_type, inspect.LiteralType) and name not in expected.key_type.values:
            return unknown_name(name, map(str, expected.key_type.values), here, synonyms)
        if fault := first_fault(name, expected.key_type, here, synonyms):
            return fault._replace(message=f"the name of {fault.message}")
        if fault := first_fault(inner, expected.value_type, here, synonyms):
            return fault
    return None


def _array(value: object, expected: Any, field: str, synonyms: Mapping[str, str]) -> Fault | None:
    if not isinstance(value, list | tuple):
        return _wrong_type(value, "an array", field)
    if expected.max_length is not None and len(value) > expected.max_length:
        message = f"{_subject(field)} has {len(value):,} items; at most {expected.max_length:,} are allowed."
        return Fault(field, "too_many", message)
    return _items(value, [expected.item_type] * len(value), field, synonyms)


def _tuple(value: object, expected: Any, field: str, synonyms: Mapping[str, str]) -> Fault | None:
    if not isinstance(value, list | tuple):
        return _wrong_type(value, "an array", field)
    if len(value) != len(expected.item_types):
        message = f"{_subject(field)} must have {len(expected.item_types)} items, not {len(value)}."
        return Fault(field, "invalid_value", message)
    return _items(value, expected.item_types, field, synonyms)


def _items(
    values: Iterable[object], types: Iterable[inspect.Type], field: str, synonyms: Mapping[str, str]
) -> Fault | None:
    for position, (item, item_type) in enumerate(zip(values, types, strict=True)):
        if fault := first_fault(item, item_type, f"{field}[{position}]", synonyms):
            return fault
    return None


_Check = Callable[[object, Any, str, Mapping[str, str]], Fault | None]
_CHECKS: dict[type, _Check] = {
    inspect.StrType: _string,
    inspect.BoolType: _boolean,
    inspect.IntType: _number,
    inspect.FloatType: _number,
    inspect.DecimalType: _decimal,
    inspect.DateTimeType: _moment,
    inspect.LiteralType: _literal,
    inspect.UnionType: _union,
    inspect.StructType: _struct,
    inspect.DictType: _dict,
    inspect.ListType: _array,
    inspect.TupleType: _tuple,
}
