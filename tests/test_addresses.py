import random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickertape import addresses
from tickertape.addresses import Address, phone_region, phone_timezone, recognise
from tickertape.errors import InvalidInput
from tickertape.events import CHANNELS


@pytest.mark.parametrize(
    ("address", "channel", "kind", "value"),
    [
        ("+14155550123", None, "e164", "+14155550123"),
        ("+1 (415) 555-0123", "sms", "e164", "+14155550123"),
        ("\u202a+1 415 555 0123\u202c", "sms", "e164", "+14155550123"),
        ("0044 20 7946 0958", "sms", "e164", "+442079460958"),
        ("+44 (0)20 7946 0958", None, "e164", "+442079460958"),
        ("whatsapp:+14155550123", "whatsapp", "e164", "+14155550123"),
        ("tel:+442079460958", None, "e164", "+442079460958"),
        ("14155550123", "whatsapp", "e164", "+14155550123"),
        ("491711234567", None, "e164", "+491711234567"),
        ("US.13491208655302741918", "whatsapp", "user_id", "US.13491208655302741918"),
        ("messenger:1234567890123456", None, "user_id", "1234567890123456"),
        ("1234567890123456", "messenger", "user_id", "1234567890123456"),
        ("14155552671", "telegram", "user_id", "14155552671"),
        ("12345", "sms", "handle", "12345"),
        ("+999999", "sms", "handle", "+999999"),
        ("ACME", "sms", "handle", "acme"),
        ("Jo@Example.COM", None, "email", "jo@example.com"),
        (" jo@example.com ", "email", "email", "jo@example.com"),
        ("Jo Doe <Jo@Example.com>", "email", "email", "jo@example.com"),
        ("mailto:jo@example.com", None, "email", "jo@example.com"),
        ("root@localhost", "email", "email", "root@localhost"),
        ("root@localhost", None, "handle", "root@localhost"),
        ("@Jane", "telegram", "handle", "jane"),
        ("Jane.Doe", "instagram", "handle", "jane.doe"),
        ("visitor-9F", "webchat", "user_id", "visitor-9F"),
        ("jo@example.com", "webchat", "email", "jo@example.com"),
        ("dGhpcyBpcy:APA91b-Token", "push", "token", "dGhpcyBpcy:APA91b-Token"),
        ("+14155550123", "push", "token", "+14155550123"),
    ],
)
def test_recognised_by_value_and_channel(address: str, channel: str | None, kind: str, value: str) -> None:
    assert recognise(address, None, channel) == (kind, value)


@pytest.mark.parametrize(
    ("address", "region", "value"),
    [
        ("(415) 555-2671", "US", "+14155552671"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("030 123456", "DE", "+4930123456"),
    ],
)
def test_a_national_number_needs_its_region(address: str, region: str, value: str) -> None:
    assert recognise(address, None, "sms", region) == ("e164", value)
    assert recognise(address, None, "sms").kind == "handle"


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("abc", "e164"),
        ("12", "e164"),
        ("jo", "email"),
        ("a@b@c", "email"),
        ("", None),
        ("  ", "handle"),
        ("x" * 513, None),
    ],
)
def test_refused(address: str, kind: addresses.AddressKind | None) -> None:
    with pytest.raises(InvalidInput) as error:
        recognise(address, kind)
    assert error.value.field == "address"


def test_a_given_kind_is_believed() -> None:
    assert recognise("14155550123", "user_id", "whatsapp") == Address("user_id", "14155550123")


pieces = st.sampled_from(["+1", "0", "415", "555", "@", "tel:", "messenger:", " ", "a", "B.c", "<", ">", "US.", "00"])


@given(
    st.lists(pieces | st.text(max_size=3), max_size=6).map("".join),
    st.sampled_from([*CHANNELS, None, "unheard of"]),
    st.sampled_from([None, "GB"]),
)
def test_recognising_again_changes_nothing(address: str, channel: str | None, region: str | None) -> None:
    try:
        first = recognise(address, None, channel, region)
    except InvalidInput:
        return
    assert recognise(first.value, first.kind, channel, region) == first


def test_the_fast_path_agrees_with_phonenumbers() -> None:
    rng = random.Random(7)
    tried = 0
    while tried < 4000:
        country = rng.choice([1, 20, 27, 31, 33, 34, 39, 44, 48, 49, 52, 55, 57, 61, 62, 81, 91, 234, 971])
        text = f"+{country}{rng.randint(1, 9)}{''.join(rng.choices('0123456789', k=rng.randint(6, 10)))}"
        if addresses._CANONICAL_PHONE.fullmatch(text):
            tried += 1
            number = phonenumbers.parse(text)
            assert phonenumbers.is_possible_number(number), text
            assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == text


def test_region_and_timezone() -> None:
    assert phone_region("+442079460958") == "GB"
    assert phone_region("nonsense") is None
    assert phone_timezone("+442079460958") == "Europe/London"
    assert phone_timezone("+18005550123") is None
    assert phone_timezone("nonsense") is None
