"""Hostile input: whatever comes in, the answer is an event or an InvalidEvent; whatever goes out comes back equal."""

import json
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tickertape.bodies import Accepted, Rejection, read_events
from tickertape.errors import InvalidEvent, TickertapeError
from tickertape.events import EVENT_TYPES, AnyEvent, canonical_json, decode, from_fields, normalise

NOW = 4_000_000_000_000

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
plain_text = texts.filter(bool)


def strings(kind: Any) -> st.SearchStrategy[Any]:
    if kind.pattern:
        return st.sampled_from(["USD", "EUR"])
    return plain_text if kind.min_length else texts


def numbers(kind: Any) -> st.SearchStrategy[Any]:
    low = kind.ge if kind.ge is not None else kind.gt
    high = kind.le if kind.le is not None else kind.lt
    if isinstance(kind, msgspec.inspect.IntType):
        return st.integers(int(low if low is not None else -(10**6)), int(high if high is not None else 10**6))
    return st.floats(
        low,
        high,
        exclude_min=kind.gt is not None,
        exclude_max=kind.lt is not None,
        allow_nan=False,
        allow_infinity=False,
    )


STRATEGIES: dict[type, Callable[[Any], st.SearchStrategy[Any]]] = {
    msgspec.inspect.StrType: strings,
    msgspec.inspect.FloatType: numbers,
    msgspec.inspect.IntType: numbers,
    msgspec.inspect.BoolType: lambda _: st.booleans(),
    msgspec.inspect.NoneType: lambda _: st.none(),
    msgspec.inspect.LiteralType: lambda kind: st.sampled_from(kind.values),
    msgspec.inspect.UnionType: lambda kind: st.one_of([strategy(choice) for choice in kind.types]),
    msgspec.inspect.ListType: lambda kind: st.lists(strategy(kind.item_type), max_size=3),
    msgspec.inspect.DictType: lambda kind: st.dictionaries(
        strategy(kind.key_type), strategy(kind.value_type), max_size=4
    ),
    msgspec.inspect.DecimalType: lambda _: st.decimals(0, 10**11, places=6).map(str),
    msgspec.inspect.DateTimeType: lambda _: st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(
        lambda at: at.isoformat(timespec="milliseconds") + "+05:30"
    ),
}


def strategy(kind: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    return STRATEGIES[type(kind)](kind)


@cache
def fields_of(name: str) -> st.SearchStrategy[dict[str, Any]]:
    struct: Any = msgspec.inspect.type_info(EVENT_TYPES[name])
    required = {f.encode_name: strategy(f.type) for f in struct.fields if f.required}
    optional = {f.encode_name: strategy(f.type) for f in struct.fields if not f.required}
    # A contact and a score on every scale, so that the rules beyond the types hold too.
    required |= {"type": st.just(name), "contact_id": plain_text}
    optional.pop("contact_id", None)
    if "score" in optional:
        optional |= {"score": st.floats(1, 2), "scale_max": st.floats(2, 10)}
    return st.fixed_dictionaries(required, optional=optional)


events = st.sampled_from(sorted(EVENT_TYPES)).flatmap(fields_of)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def outcome(read: Callable[[], AnyEvent]) -> AnyEvent | None:
    try:
        event = normalise(read(), NOW)
    except InvalidEvent as error:
        problem = error.problem()
        assert problem["code"] and problem["message"]
        json.dumps(problem).encode()
        str(problem["message"]).encode()
        return None
    assert decode(canonical_json(event)) == event
    return event


@settings(max_examples=200)
@given(events)
def test_valid_events_come_back_equal(fields: dict[str, Any]) -> None:
    event = decode(json.dumps(fields).encode())
    body = canonical_json(event)
    again = decode(body)
    assert canonical_json(again) == body
    assert from_fields({name: value for name, value in fields.items() if value is not None}) is not None
    if event.attrs != {}:
        assert again == event


@settings(max_examples=200)
@given(events, st.data())
def test_mutated_events_are_events_or_refused(fields: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(fields)) | st.text(max_size=8))
    fields = {**fields, name: data.draw(json_values)}
    outcome(lambda: decode(json.dumps(fields).encode()))
    outcome(lambda: from_fields(fields))


@settings(max_examples=200)
@given(events, st.data())
def test_damaged_bytes_are_events_or_refused(fields: dict[str, Any], data: st.DataObject) -> None:
    raw = bytearray(json.dumps(fields).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(raw) - 1))
        raw[position : position + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
    outcome(lambda: decode(bytes(raw)))


@given(st.binary(max_size=200))
def test_random_bytes(raw: bytes) -> None:
    outcome(lambda: decode(raw))


@given(json_values)
def test_random_json(value: Any) -> None:
    outcome(lambda: decode(json.dumps(value).encode()))


@given(
    st.dictionaries(
        st.text(max_size=8) | st.integers(), json_values | st.decimals() | st.datetimes() | st.binary(), max_size=5
    )
)
def test_random_fields(fields: dict[Any, Any]) -> None:
    outcome(lambda: from_fields(fields))


@settings(max_examples=200)
@given(
    st.binary(max_size=200)
    | st.lists(st.binary(max_size=20), max_size=5)
    | json_values.map(lambda v: json.dumps(v).encode()),
    st.sampled_from(["application/x-ndjson", "application/json", None]),
    st.sampled_from([None, "gzip", "zstd"]),
)
def test_random_bodies(body: Any, content_type: str | None, encoding: str | None) -> None:
    try:
        found = list(read_events(body, content_type, encoding))
    except TickertapeError as error:
        assert error.status in (400, 413)
        return
    assert all(isinstance(one, Accepted | Rejection) for one in found)
    assert [one.index for one in found] == list(range(len(found)))


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_every_type_can_be_generated(name: str) -> None:
    minimal = {"type": name, "at": "2026-03-06T16:30:00Z", "contact_id": "c"}
    with pytest.raises(InvalidEvent) as error:
        decode(json.dumps({**minimal, "nonsense_field": 1}).encode())
    assert error.value.field == "nonsense_field"
