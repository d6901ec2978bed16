"""Twilio's own traps. What one request gives is in samples/twilio; this is what samples cannot show."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
import pytest

from tickertape.connectors import CannotUnderstand, HookRequest, InvalidSignature, Source, Unknown, by_name
from tickertape.connectors.twilio import FAILURES, LABELS, SIGNATURE, WORDS, sign
from tickertape.events import Event

TWILIO = by_name("twilio")
TOKEN = "sample-auth-token"  # noqa: S105
SOURCE = Source(name="twilio", secrets=[TOKEN])
URL = "https://hooks.example.com/hooks/twilio"
NOW = 1_768_469_400_123
SHARED = Path(__file__).parents[2] / "shared" / "fixtures"
STATUS = {"MessageSid": "SM1", "MessageStatus": "sent", "From": "+14155550001", "To": "+14155550002"}
INBOUND = {"MessageSid": "SM2", "SmsStatus": "received", "From": "+14155550002", "To": "+14155550001", "Body": "hi"}


def post(form: dict[str, Any], url: str = URL, signature: str | None = None, at: int = NOW) -> HookRequest:
    headers = {SIGNATURE: sign(url, form, TOKEN) if signature is None else signature}
    body = urlencode(form, doseq=True).encode()
    return HookRequest(method="POST", url=url, headers=headers, body=body, received_at=at)


def events(form: dict[str, Any], url: str = URL, at: int = NOW) -> list[dict[str, Any]]:
    found = TWILIO.events(post(form, url, at=at), SOURCE)
    assert all(isinstance(one, Event) for one in found)
    return [msgspec.to_builtins(one) for one in found]


# The signature


@pytest.mark.parametrize(
    ("signed_by_twilio", "configured"),
    [
        ("https://h.example/x?a=1", "https://h.example/x?a=1"),
        ("https://h.example:443/x?a=1", "https://h.example/x?a=1"),
        ("https://h.example/x?a=1", "https://h.example:443/x?a=1"),
        ("https://h.example/x?a=1", "https://h.example:8443/x?a=1"),
        ("https://h.example:8443/x", "https://h.example:8443/x"),
        ("http://h.example:80/x", "http://h.example/x"),
        ("http://h.example:8080/x", "http://h.example:8080/x"),
        ("https://h.example:443", "https://h.example"),
        ("https://h.example:443?a=:1", "https://h.example?a=:1"),
        ("https://[2001:db8::1]:443/x", "https://[2001:db8::1]/x"),
        ("https://user:pass@h.example/x", "https://user:pass@h.example:443/x"),
    ],
)
def test_the_port_may_be_signed_or_not(signed_by_twilio: str, configured: str) -> None:
    TWILIO.verify(post(STATUS, configured, sign(signed_by_twilio, STATUS, TOKEN)), SOURCE)


@pytest.mark.parametrize(
    ("signed", "configured"),
    [
        ("https://h.example:8443/x", "https://h.example/x"),
        ("https://h.example:80/x", "https://h.example/x"),
        ("http://h.example/x", "https://h.example/x"),
        ("https://h.example/x/", "https://h.example/x"),
        ("https://h.example/x?a=1&b=2", "https://h.example/x?b=2&a=1"),
        ("https://h.example/x?a=%20", "https://h.example/x?a=+"),
    ],
)
def test_no_other_spelling_of_the_url_will_do(signed: str, configured: str) -> None:
    with pytest.raises(InvalidSignature):
        TWILIO.verify(post(STATUS, configured, sign(signed, STATUS, TOKEN)), SOURCE)


def test_repeated_and_blank_fields_are_signed() -> None:
    form = {"MediaUrl": ["b", "a", "b"], "FromCity": "", "Body": "a+b & c=d é"}
    assert sign(URL, form, TOKEN) == sign(f"{URL}Bodya+b & c=d éFromCityMediaUrlaMediaUrlb", {}, TOKEN)
    TWILIO.verify(post(STATUS | form), SOURCE)
    without_blank = {name: value for name, value in (STATUS | form).items() if value}
    with pytest.raises(InvalidSignature):
        TWILIO.verify(post(STATUS | form, signature=sign(URL, without_blank, TOKEN)), SOURCE)


def test_a_signed_address_does_not_vouch_for_a_body() -> None:
    """The signature of a GET covers the URL alone; it must not let a POST with any form through."""
    url_only = sign(URL, {}, TOKEN)
    with pytest.raises(InvalidSignature):
        TWILIO.verify(post(STATUS, signature=url_only), SOURCE)


def test_fields_in_the_address_do_not_stand_in_for_the_body() -> None:
    request = post({"To": "+14155550002"}, f"{URL}?MessageSid=SM9&MessageStatus=delivered")
    TWILIO.verify(request, SOURCE)
    with pytest.raises(CannotUnderstand):
        TWILIO.events(request, SOURCE)


vectors = pytest.mark.skipif(not SHARED.exists(), reason="the shared fixtures are not here")


def shared(path: str) -> Any:
    return json.loads((SHARED / path).read_text("utf-8"))


def pairs(params: Any) -> list[tuple[str, str]]:
    return [(name, value) for name, value in (params.items() if isinstance(params, dict) else params)]


@vectors
def test_the_vectors_of_twilios_own_library() -> None:
    vectors = shared("_signatures/twilio/request_validator.json")
    source = Source(name="twilio", secrets=[vectors["auth_token"]])
    seen = set()
    for case in vectors["cases"]:
        body = case["body"] if "body" in case else urlencode(pairs(case["params"]))
        headers = {SIGNATURE: case["signature"]}
        request = HookRequest(method="POST", url=case["url"], headers=headers, body=body.encode(), received_at=NOW)
        try:
            TWILIO.verify(request, source)
            valid = True
        except InvalidSignature:
            valid = False
        assert valid == case["valid"], case["name"]
        seen.add(valid)
    assert seen == {True, False}


@vectors
def test_a_real_callback() -> None:
    vector = shared("_signatures/twilio/computed_status_delivered.json")
    body = (SHARED / vector["body_file"]).read_bytes().strip()
    headers = {SIGNATURE: vector["signature"]}
    request = HookRequest(method="POST", url=vector["url"], headers=headers, body=body, received_at=NOW)
    source = Source(name="twilio", secrets=[vector["auth_token"]])
    TWILIO.verify(request, source)
    form = parse_qs(body.decode())
    assert sign(vector["url"], form, vector["auth_token"]) == vector["signature"]
    [event] = TWILIO.events(request, source)
    assert isinstance(event, Event)
    assert (event.__struct_config__.tag, event.message_id) == ("message.delivered", form["MessageSid"][0])
    assert event.address == form["To"][0]


# Status callbacks


def test_words_of_one_meaning_are_one_event_and_words_of_two_are_two() -> None:
    ids = {word: events(STATUS | {"MessageStatus": word})[0]["id"] for word in WORDS if word != "received"}
    assert ids["sending"] == ids["sent"]
    assert len({ids["queued"], ids["sent"], ids["delivered"], ids["failed"], ids["read"]}) == 5


def test_the_time_is_when_it_arrived() -> None:
    assert events(STATUS)[0]["at"] == "2026-01-15T09:30:00.123000Z"


def test_old_field_names_and_capitals_are_read() -> None:
    [event] = events({"SmsSid": "SM1", "SmsStatus": "Delivered", "To": "+14155550002"})
    assert (event["type"], event["message_id"]) == ("message.delivered", "SM1")


def test_every_label_of_the_address_is_on_every_event() -> None:
    labels = {label: f"my {label} & more" for label in LABELS}
    for word in WORDS.keys() - {"received"}:
        event = events(STATUS | {"MessageStatus": word}, f"{URL}?{urlencode(labels)}")[0]
        assert {label: event[label] for label in LABELS} == labels


def test_a_label_that_is_too_long_is_named() -> None:
    with pytest.raises(CannotUnderstand) as caught:
        events(STATUS, f"{URL}?campaign_id={'x' * 201}")
    assert caught.value.field == "campaign_id"
    assert "200" in str(caught.value)


def test_every_failure_is_told_with_its_code() -> None:
    for code, failure in FAILURES.items():
        found = events(STATUS | {"MessageStatus": "failed", "ErrorCode": code})
        assert found[0]["reason"] == failure.reason
        assert found[0].get("permanent", False) == failure.permanent
        assert found[0]["error_code"] == code
        assert [one["type"] for one in found[1:]] == ["contact.opted_out"] * (code == "21610")


def test_a_failure_without_a_code_is_unknown() -> None:
    [event] = events(STATUS | {"MessageStatus": "undelivered", "ErrorCode": ""})
    assert event["reason"] == "unknown"
    assert "error_code" not in event


def test_only_addresses_that_never_were_are_permanent() -> None:
    assert {failure.reason for failure in FAILURES.values() if failure.permanent} == {"invalid_address"}


# Inbound


def test_an_inbound_webhook_without_a_status_is_still_a_message() -> None:
    form = {name: value for name, value in INBOUND.items() if name != "SmsStatus"}
    assert events(form | {"Body": ""})[0]["type"] == "message.received"


def test_a_reply_that_talks_about_statuses_is_a_reply() -> None:
    request = post(INBOUND | {"Body": "MessageStatus=delivered&SmsStatus=received"})
    [event] = TWILIO.events(request, SOURCE)
    assert msgspec.to_builtins(event)["text"] == "MessageStatus=delivered&SmsStatus=received"
    status = post(STATUS | {"To": "SmsStatus=received"})
    assert TWILIO.reply(status).status == 204


@pytest.mark.parametrize("word", ["STOP", "stop", "START", "HELP", "PAUSE"])
def test_the_providers_opt_out_word_decides_and_not_the_text(word: str) -> None:
    found = TWILIO.events(post(INBOUND | {"OptOutType": word, "Body": "STOP"}), SOURCE)
    message = msgspec.to_builtins(found[0])
    assert message.get("opt_out", False) == (word.upper() == "STOP")
    opted_in = [one for one in found if isinstance(one, Event) and one.__struct_config__.tag == "contact.opted_in"]
    assert len(opted_in) == (word == "START")
    assert [one.word for one in found if isinstance(one, Unknown)] == (["OptOutType=PAUSE"] if word == "PAUSE" else [])


@pytest.mark.parametrize("count", ["-1", "1e3", "²", "9" * 5000, "many"])
def test_a_count_that_is_none_is_kept_as_text(count: str) -> None:
    assert events(INBOUND | {"NumSegments": count})[0]["attrs"]["segments"] == count[:1024]


@pytest.mark.parametrize(
    ("address", "channel", "expected"),
    [
        ("+14155550002", "sms", "+14155550002"),
        ("12345", "sms", "12345"),
        ("whatsapp:+14155550002", "whatsapp", "+14155550002"),
        ("whatsapp:US.ENT.1234", "whatsapp", "US.ENT.1234"),
        ("messenger:2400000000000042", "messenger", "2400000000000042"),
        ("rcs:+14155550002", "rcs", "+14155550002"),
        ("carrierpigeon:coop-7", "other", "coop-7"),
    ],
)
def test_the_prefix_of_an_address_is_its_channel(address: str, channel: str, expected: str) -> None:
    [event] = events(INBOUND | {"From": address})
    assert (event["channel"], event["address"]) == (channel, expected)


def test_a_phone_number_and_a_user_id_are_linked_once() -> None:
    form = {"From": "whatsapp:+14155550002", "ExternalUserId": "whatsapp:US.1234"}
    first, second = (events(INBOUND | form | {"MessageSid": sid})[1] for sid in ("SM3", "SM4"))
    assert first == second
    assert first["addresses"] == ["+14155550002", "US.1234"]
    assert len(events(INBOUND | form | {"From": "whatsapp:US.1234"})) == 1
