import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tickertape.errors import InvalidEvent
from tickertape.events import (
    EVENT_BYTES,
    EVENT_TYPES,
    ConversionRecorded,
    MessageReceived,
    MessageSent,
    at_ms,
    canonical_json,
    content_hash,
    decode,
    from_fields,
    normalise,
)

SENT: dict[str, Any] = {"type": "message.sent", "at": "2026-03-06T16:30:00Z", "channel": "sms", "message_id": "m1"}
NOW = 1_772_900_000_000
DAY = 86_400_000


def raw(base: dict[str, Any] = SENT, drop: str = "", **more: Any) -> bytes:
    fields = {**base, **more}
    fields.pop(drop, None)
    return json.dumps(fields).encode()


def refused(body: bytes) -> InvalidEvent:
    with pytest.raises(InvalidEvent) as error:
        decode(body)
    return error.value


def test_every_type_of_the_contract_is_known() -> None:
    assert len(EVENT_TYPES) == 34
    assert {name.split(".")[0] for name in EVENT_TYPES} == {
        "message", "conversation", "survey", "agent", "contact", "app", "conversion", "experiment",
    }  # fmt: skip


def test_a_valid_event() -> None:
    event = decode(raw(cost=0.0075, currency="USD", attrs={"plan": "pro", "seats": 3, "trial": False, "score": 0.5}))
    assert isinstance(event, MessageSent)
    assert event.cost == Decimal("0.0075")
    assert event.attrs == {"plan": "pro", "seats": 3, "trial": False, "score": 0.5}
    assert event.at == datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
    assert (event.tracked, event.test, event.author) == (True, False, None)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_is_read(kind: type) -> None:
    assert decode(kind(raw())).message_id == "m1"


@pytest.mark.parametrize(
    ("changes", "code", "field", "says"),
    [
        ({"type": "message.snet"}, "unknown_type", "type", "'message.sent'"),
        ({"type": "zzzz"}, "unknown_type", "type", "The types are message.sent"),
        ({"type": 5}, "wrong_type", "type", "a string"),
        ({"drop": "type"}, "required", "type", "required"),
        ({"drop": "type", "event": "message.sent"}, "required", "type", "did you mean 'type'"),
        ({"drop": "at"}, "required", "at", "required"),
        ({"at": "2026-03-06T16:30:00"}, "invalid_time", "at", "no offset"),
        ({"at": "2026-02-30T16:30:00Z"}, "invalid_time", "at", "no date and time that exists"),
        ({"at": "2026-02-28T24:30:00Z"}, "invalid_time", "at", "no date and time that exists"),
        ({"at": "yesterday"}, "invalid_time", "at", "Write it like"),
        ({"at": "2026-03-06"}, "invalid_time", "at", "Write it like"),
        ({"at": 1772900000}, "wrong_type", "at", "Write it like"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "invalid_time", "at", "year 1"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "invalid_time", "at", "year 9999"),
        ({"channel": "smss"}, "invalid_value", "channel", "Did you mean 'sms'"),
        ({"channel": "fax"}, "invalid_value", "channel", "whatsapp"),
        ({"drop": "channel"}, "required", "channel", "required"),
        ({"drop": "message_id"}, "required", "message_id", "required"),
        ({"message_id": None}, "required", "message_id", "required"),
        ({"message_id": 7}, "wrong_type", "message_id", "must be a string, not a number"),
        ({"message_id": ""}, "empty", "message_id", "must not be empty"),
        ({"message_id": "x" * 201}, "too_long", "message_id", "at most 200"),
        ({"text": "x" * 65537}, "too_long", "text", "at most 65,536"),
        ({"adress": "x"}, "unknown_field", "adress", "'address'"),
        ({"timestamp": 1}, "unknown_field", "timestamp", "'at'"),
        ({"zzz": 1}, "unknown_field", "zzz", "attrs"),
        ({"attrs": []}, "wrong_type", "attrs", "an object"),
        ({"attrs": {"foo": None}}, "wrong_type", "attrs.foo", "not null"),
        ({"attrs": {"foo": {"a": 1}}}, "wrong_type", "attrs.foo", "not an object"),
        ({"attrs": {"foo": "x" * 1025}}, "too_long", "attrs.foo", "1,024"),
        ({"attrs": {"foo": 2**70}}, "invalid_value", "attrs.foo", "at most"),
        ({"attrs": {"foo": float("nan")}}, "invalid_value", "attrs.foo", "finite"),
        ({"attrs": {str(i): i for i in range(65)}}, "too_many", "attrs", "at most 64"),
        ({"attrs": {"": 1}}, "empty", "attrs.", "must not be empty"),
        ({"cost": "1,50"}, "wrong_type", "cost", "a point"),
        ({"cost": True}, "wrong_type", "cost", "not a boolean"),
        ({"cost": -0.01}, "invalid_value", "cost", "negative"),
        ({"cost": "NaN"}, "invalid_value", "cost", "finite"),
        ({"cost": float("inf")}, "invalid_value", "cost", "finite"),
        ({"cost": 1e12}, "invalid_value", "cost", "at most"),
        ({"cost": "1e999999999"}, "invalid_value", "cost", "at most"),
        ({"currency": "usd"}, "invalid_value", "currency", "three capital letters"),
        ({"currency": "USD\n"}, "too_long", "currency", "at most 3"),
        ({"tracked": "yes"}, "wrong_type", "tracked", "true or false"),
        ({"author": "robot"}, "invalid_value", "author", "'bot'"),
        ({"text": "\ud800"}, "invalid_text", "text", "surrogate"),
        ({"attrs": {"a": "\udc00"}}, "invalid_text", "attrs.a", "surrogate"),
        ({"contact_id": "a\0b"}, "invalid_text", "contact_id", "NUL"),
        ({"attrs": {"a": "\0"}}, "invalid_text", "attrs.a", "NUL"),
    ],
)
def test_refused_with_code_position_and_advice(changes: dict[str, Any], code: str, field: str, says: str) -> None:
    error = refused(raw(**changes))
    assert (error.code, error.field) == (code, field)
    assert says in str(error)
    assert error.status == 422


CONTACT: dict[str, Any] = {"at": "2026-03-06T16:30:00Z", "type": "contact.opted_in"}
SURVEY: dict[str, Any] = {"at": "2026-03-06T16:30:00Z", "type": "survey.answered", "survey_id": "s"}
CONVERSION: dict[str, Any] = {"at": "2026-03-06T16:30:00Z", "type": "conversion.recorded", "conversion_id": "o"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (raw(CONTACT), "contact_id"),
        (raw(CONTACT, type="app.uninstalled"), "contact_id"),
        (raw(CONTACT, type="experiment.assigned", experiment_id="e", arm="control"), "contact_id"),
        (raw(CONTACT, contact_id="c", method="phone"), "method"),
        (raw(CONVERSION, value=5), "contact_id"),
        (raw(CONVERSION, contact_id="c", value=-5), "value"),
        (raw(SURVEY, kind="csat", score=7), "score"),
        (raw(SURVEY, kind="csat", score=0), "score"),
        (raw(SURVEY, kind="nps", score=11), "score"),
        (raw(SURVEY, kind="ces", score=8), "score"),
        (raw(SURVEY, scale_max=1), "scale_max"),
        (raw(CONTACT, type="conversation.merged", conversation_id="a"), "into"),
        (raw(CONTACT, type="agent.status", agent_id="a", status="busy"), "status"),
        (raw(CONTACT, type="contact.updated", contact_id="c", addresses=["a", 5]), "addresses[1]"),
        (raw(SENT, type="message.billed", drop="channel", segments=-1), "segments"),
    ],
)
def test_rules_of_single_types(body: bytes, field: str) -> None:
    assert refused(body).field == field


@pytest.mark.parametrize(
    "body",
    [
        raw(CONTACT, address="+14155550123"),
        raw(CONVERSION, message_id="m", value=5),
        raw(CONVERSION, campaign_id="k"),
        raw(SURVEY, kind="nps", score=0),
        raw(SURVEY, kind="csat", score=7, scale_max=10),
        raw(SURVEY, score=7),
        raw(CONTACT, type="conversation.assigned", conversation_id="a"),
        raw(SENT, type="message.delivered", drop="channel"),
        raw(cost=1),
        raw(text=None, attrs=None, author=None),
    ],
)
def test_accepted(body: bytes) -> None:
    decode(body)


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"", "invalid_json", "line 1, column 1"),
        (b'{"type": "message.sent",\n "at" 1}', "invalid_json", "line 2, column 7"),
        (b'{"a":1,}', "invalid_json", "column 8"),
        (b'{"a":"\xff"}', "invalid_json", "byte 6"),
        (b"[" * 100_000, "invalid_json", "nested"),
        (b'{"a":' * 100_000, "invalid_json", "nested"),
        (b'{"a":' + b"1" * 10_000 + b"}", "invalid_json", "too long"),
        (b"[1]", "wrong_type", "an array"),
        (b"null", "wrong_type", "null"),
        (raw() + b" x", "invalid_json", "Extra data"),
        (b'{"type":"message.read","type":"message.sent",' + raw(drop="type")[1:], "invalid_event", "given twice"),
        (b" " * (EVENT_BYTES + 1), "too_long", "2,000,000"),
    ],
)
def test_what_is_no_event_at_all(body: bytes, code: str, says: str) -> None:
    error = refused(body)
    assert (error.code, error.field) == (code, None)
    assert says in str(error)


def test_nul_is_taken_out_of_text_only() -> None:
    event = decode(raw(text="a\0b \\u0000"))
    assert isinstance(event, MessageSent)
    assert event.text == "ab \\u0000"


def test_a_price_is_kept_to_six_places() -> None:
    event = decode(raw(cost=0.1 + 0.2))
    assert isinstance(event, MessageSent)
    assert event.cost == Decimal("0.3")
    assert str(decode(raw(cost="-0")).cost) == "0.000000"  # type: ignore[union-attr]


# --- from_fields ---


def test_fields_as_text_are_read() -> None:
    event = from_fields(
        {**SENT, "cost": " 0.50 ", "tracked": "FALSE", "test": "1", "attrs.plan": "pro", "text": "", "author": None}
    )
    assert isinstance(event, MessageSent)
    assert (event.cost, event.tracked, event.test, event.text) == (Decimal("0.5"), False, True, None)
    assert event.attrs == {"plan": "pro"}


def test_fields_as_python_values_are_read() -> None:
    at = datetime(2026, 3, 6, 17, 30, tzinfo=timezone(timedelta(hours=1)))
    fields = {
        **CONVERSION,
        "at": at,
        "value": Decimal("9.99"),
        "contact_id": "c",
        "attrs": {"n": Decimal(2), "x": None},
    }
    event = from_fields(fields)
    assert isinstance(event, ConversionRecorded)
    assert (at_ms(event), event.value, event.attrs) == (1_772_814_600_000, Decimal("9.99"), {"n": 2})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cost": "12 euros"}, "cost"),
        ({"cost": float("nan")}, "cost"),
        ({"cost": 10**5000}, "cost"),
        ({"tracked": "maybe"}, "tracked"),
        ({"at": datetime(2026, 3, 6)}, "at"),
        ({"at": 1772900000000}, "at"),
        ({"message_id": 5}, "message_id"),
        ({"message_id": ""}, "message_id"),
        ({"attrs.": "x"}, "attrs."),
        ({"attrs": {"a": float("inf")}}, "attrs.a"),
        ({"attrs": "x"}, "attrs"),
        ({"text": "\ud800"}, "text"),
        ({"contact_id": "\0"}, "contact_id"),
        ({"type": None}, "type"),
        ({"type": ["message.sent"]}, "type"),
        ({5: "x"}, "5"),
    ],
)
def test_fields_refused(changes: dict[Any, Any], field: str) -> None:
    with pytest.raises(InvalidEvent) as error:
        from_fields({**SENT, **changes})
    assert error.value.field == field


# --- the canonical form ---


def test_defaults_that_depend_on_other_fields() -> None:
    def filled(**more: Any) -> tuple[str | None, str | None]:
        event = normalise(decode(raw(**more)), NOW)
        assert isinstance(event, MessageSent)
        return event.author, event.purpose

    assert filled() == ("system", "service")
    assert filled(agent_id="a") == ("agent", "service")
    assert filled(campaign_id="c") == ("campaign", "marketing")
    assert filled(campaign_id="c", agent_id="a") == ("campaign", "marketing")
    assert filled(author="bot", purpose="authentication", campaign_id="c") == ("bot", "authentication")
    assert filled(author="campaign") == ("campaign", "marketing")


def test_addresses_are_recognised() -> None:
    event = normalise(decode(raw(address="whatsapp:+1 415 555 0123")), NOW)
    assert (event.address, event.address_kind) == ("+14155550123", "e164")
    national = normalise(decode(raw(address="020 7946 0958")), NOW, "GB")
    assert national.address == "+442079460958"
    updated = raw(
        CONTACT, type="contact.updated", contact_id="c", addresses=["A@B.example", "a@b.example", "+44 20 7946 0958"]
    )
    assert normalise(decode(updated), NOW).addresses == ["a@b.example", "+442079460958"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (raw(address="hello", address_kind="e164"), "address"),
        (raw(CONTACT, type="contact.updated", contact_id="c", addresses=["a", "  "]), "addresses[1]"),
    ],
)
def test_an_address_that_is_not_of_its_kind(body: bytes, field: str) -> None:
    with pytest.raises(InvalidEvent) as error:
        normalise(decode(body), NOW)
    assert (error.value.code, error.value.field) == ("invalid_address", field)


def test_the_future_is_refused_beyond_a_day() -> None:
    event = decode(raw())
    normalise(event, at_ms(event) - DAY)
    with pytest.raises(InvalidEvent) as error:
        normalise(event, at_ms(event) - DAY - 1)
    assert (error.value.code, error.value.field) == ("future_time", "at")


def test_one_event_has_one_spelling() -> None:
    one = raw(at="2026-03-06T16:30:00.1234567Z", cost=1.10, attrs={"b": 1.0, "a": "x"}, tracked=True, text=None)
    other = raw(attrs={"a": "x", "b": 1}, cost="1.1", at="2026-03-06T17:30:00.123+01:00")
    assert canonical_json(decode(one)) == canonical_json(decode(other))
    assert content_hash(decode(one)) == content_hash(decode(other))
    assert normalise(decode(one), NOW) == normalise(decode(other), NOW)
    assert canonical_json(decode(raw(attrs={}))) == canonical_json(decode(raw()))


def test_the_canonical_json_itself() -> None:
    body = canonical_json(normalise(decode(raw(id="e", cost=2, at="2026-03-06T17:30:00.1239+01:00")), NOW))
    assert json.loads(body) == {
        "type": "message.sent", "id": "e", "at": "2026-03-06T16:30:00.123000Z", "channel": "sms", "message_id": "m1",
        "cost": 2.0, "author": "system", "purpose": "service",
    }  # fmt: skip


def test_a_left_out_id_comes_from_the_content() -> None:
    first = normalise(decode(raw()), NOW)
    assert first.id == normalise(decode(raw(at="2026-03-06T17:30:00+01:00")), NOW + 5).id
    assert first.id != normalise(decode(raw(message_id="m2")), NOW).id
    assert first.id and len(first.id) <= 200
    assert normalise(decode(raw(id="mine")), NOW).id == "mine"


def test_the_derived_id_never_changes() -> None:
    # Another value here means that events sent again after an upgrade would count twice.
    assert normalise(decode(raw(cost=1, attrs={"b": 2.0, "a": "x"})), NOW).id == "h_dba3836a5ba939ec6771d807108f6862"


def test_normalising_again_changes_nothing() -> None:
    once = normalise(decode(raw(address="+44 20 7946 0958", attrs={"n": 2.0}, cost="3.5")), NOW)
    body = canonical_json(once)
    assert canonical_json(normalise(once, NOW)) == body
    assert normalise(decode(body), NOW) == once


def test_milliseconds_are_cut_not_rounded() -> None:
    assert at_ms(decode(raw(at="2026-03-06T16:30:00.999999Z"))) % 1000 == 999


def test_received_messages_need_a_channel() -> None:
    assert refused(raw(SENT, type="message.received", drop="channel")).field == "channel"
    event = decode(raw(SENT, type="message.received", reply_to="m0", opt_out=True))
    assert isinstance(event, MessageReceived)


def test_the_golden_cases_events_are_valid() -> None:
    folder = Path(__file__).parents[2] / "shared" / "cases"
    if not folder.exists():
        pytest.skip("no shared cases here")
    for file in folder.glob("*.json"):
        for case in json.loads(file.read_text()):
            for fields in case["events"]:
                event = normalise(decode(json.dumps(fields).encode()), 2 * NOW)
                assert decode(canonical_json(event)) == event == normalise(from_fields(fields), 2 * NOW)
