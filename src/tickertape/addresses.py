"""What an address is (phone, e-mail, handle, user id or device token) and its one canonical spelling.

The canonical spelling matters because it is how one person is recognised across providers: a phone number is E.164,
an e-mail address and a handle are lower case, everything else stays as the provider wrote it.
"""

import re
from functools import lru_cache
from typing import Literal, NamedTuple

import phonenumbers

from tickertape.errors import InvalidInput

AddressKind = Literal["e164", "email", "handle", "user_id", "token"]


class Address(NamedTuple):
    kind: AddressKind
    value: str


# Prefixes that providers put before an address, and the kind that they prove (None: look at what follows).
_PREFIXES: dict[str, AddressKind | None] = {
    "whatsapp": None,
    "sms": None,
    "rcs": None,
    "tel": None,
    "mailto": "email",
    "messenger": "user_id",
    "instagram": "user_id",
}

# Of the other kinds a canonical value may begin like a prefix, and must stay as it is when it comes again.
_PREFIXED = frozenset({None, "e164", "email"})

# What an address is that looks like neither a phone number nor an e-mail address.
_OTHERWISE: dict[str | None, AddressKind] = {
    "sms": "handle",
    "mms": "handle",
    "rcs": "handle",
    "whatsapp": "user_id",
    "email": "handle",
    "webchat": "user_id",
    "push": "token",
    "in_app": "user_id",
    "messenger": "user_id",
    "instagram": "handle",
    "telegram": "handle",
    "other": "handle",
    None: "handle",
}
# Where digits without a plus are a phone number, if they can be one; elsewhere they are somebody's user id.
_DIGITS_ARE_PHONES: frozenset[str | None] = frozenset({"sms", "mms", "rcs", "whatsapp", "email", "other", None})
_SHORT_CODE_DIGITS = 6
_LONGEST = 512

# Numbers whose E.164 form phonenumbers would not change: no trunk prefix to drop, a length that the plan allows.
# A test holds each row against phonenumbers; it spares most numbers a parse of 30 µs and more.
_CANONICAL_PHONE = re.compile(
    r"\+(?:1[2-9]\d{9}|20[1-9]\d{9}|27[1-8]\d{8}|31[1-9]\d{8}|33[1-9]\d{8}|34[5-9]\d{8}|39[3]\d{9}|44[1-9]\d{9}"
    r"|48[1-9]\d{8}|491\d{9,10}|52[2-9]\d{9}|55[1-8]\d{10}|57[3]\d{9}|61[2-478]\d{8}|62[8]\d{9,10}|81[1-9]\d{9}"
    r"|91[6-9]\d{9}|234[789]\d{9}|971[5]\d{8})"
)
_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
_EMAIL_WITH_DOMAIN = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\".]+(?:\.[^@\s<>,;\".]+)+")
_AT_SIGNS = re.compile(r"^[@\s]+")
_PHONE_LIKE = re.compile(r"\(?\+?[\d\s().\-/\u00a0\u2010-\u2015]{3,40}")
# A WhatsApp user without a phone number: a country and an opaque id (also US.ENT.… for businesses).
_SCOPED_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
# Marks that travel along unseen when a number is copied from an address book.
_INVISIBLE = dict.fromkeys([0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def recognise(
    address: str, kind: AddressKind | None = None, channel: str | None = None, default_region: str | None = None
) -> Address:
    """The kind and canonical spelling of `address`.

    `kind` given is believed, and checked. `default_region` (such as "GB") is where a phone number without a country
    code belongs. Recognising a canonical value again, with its kind, changes nothing.

    Raises InvalidInput (code invalid_address) for an empty address and for one that its kind does not allow.
    """
    if kind is None or kind == "e164":
        if _CANONICAL_PHONE.fullmatch(address) and channel != "push":
            return Address("e164", address)
        if kind is None and channel == "email" and _EMAIL_WITH_DOMAIN.fullmatch(address):
            return Address("email", address.lower())
    return _recognise(address, kind, channel, default_region)


@lru_cache(maxsize=65536)
def _recognise(address: str, kind: AddressKind | None, channel: str | None, region: str | None) -> Address:
    if len(address) > _LONGEST:
        message = f"address has {len(address):,} characters; at most {_LONGEST} are allowed."
        raise InvalidInput(message, code="too_long", field="address")
    text = address.translate(_INVISIBLE).strip()
    if kind in _PREFIXED and channel != "push":
        text, proven = _without_prefix(text)
        kind = kind or proven
    if not text:
        raise InvalidInput("address must not be empty.", code="invalid_address", field="address")
    if kind is None:
        return _recognise_by_value(text, channel, region)
    if kind == "e164":
        phone = _e164(text, region)
        if phone is None:
            raise InvalidInput(
                f"address is no phone number: {text[:60]!r}.",
                code="invalid_address",
                field="address",
                hint="Write it as E.164, such as +14155550123, or leave address_kind out.",
            )
        return Address("e164", phone)
    if kind == "email":
        email = _email(text)
        if email is None:
            raise InvalidInput(
                f"address is no e-mail address: {text[:60]!r}.",
                code="invalid_address",
                field="address",
                hint="Write it like name@example.com, or leave address_kind out.",
            )
        return Address("email", email)
    return Address(kind, _handle(text) if kind == "handle" else text)


def _recognise_by_value(text: str, channel: str | None, region: str | None) -> Address:
    if channel == "push":
        return Address("token", text)
    if email := _email(text, domain_known=channel == "email"):
        return Address("email", email)
    if _SCOPED_USER_ID.fullmatch(text) and channel in ("whatsapp", None):
        return Address("user_id", text)
    if _PHONE_LIKE.fullmatch(text):
        digits_only = text.isdigit()
        if digits_only and channel not in _DIGITS_ARE_PHONES:
            return Address("user_id", text)
        if not (digits_only and len(text) <= _SHORT_CODE_DIGITS):
            phone = _e164(text, region, sure=channel != "whatsapp")
            if phone is not None:
                return Address("e164", phone)
        if digits_only and channel is None and len(text) > _SHORT_CODE_DIGITS:
            return Address("user_id", text)
    otherwise = _OTHERWISE.get(channel, "handle")
    if text.startswith("@"):
        otherwise = "handle"
    return Address(otherwise, _handle(text) if otherwise == "handle" else text)


def _without_prefix(text: str) -> tuple[str, AddressKind | None]:
    prefix, colon, rest = text.partition(":")
    if not colon or prefix.lower() not in _PREFIXES:
        return text, None
    proven = _PREFIXES[prefix.lower()]
    return rest.strip(), proven if proven != "email" or "@" in rest else None


def _handle(text: str) -> str:
    return _AT_SIGNS.sub("", text).lower() or text


def _email(text: str, domain_known: bool = True) -> str | None:
    if "@" not in text:
        return None
    if text.endswith(">") and "<" in text:
        text = text[text.rindex("<") + 1 : -1].strip()
    shape = _EMAIL if domain_known else _EMAIL_WITH_DOMAIN
    return text.lower() if shape.fullmatch(text) else None


def _e164(text: str, region: str | None, sure: bool = False) -> str | None:
    """The E.164 form, or None. Digits without a plus are tried as a number of `region`, then as an international one;
    with `sure` only where the numbering plan holds such a number."""
    if text.startswith("00"):
        text = "+" + text[2:]
    if "+" in text:
        return _parsed(text, None, strict=False)
    if region and (national := _parsed(text, region, strict=True)):
        return national
    return _parsed("+" + text, None, strict=sure)


def _parsed(text: str, region: str | None, strict: bool) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    fits = phonenumbers.is_valid_number(number) if strict else phonenumbers.is_possible_number(number)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if fits else None


@lru_cache(maxsize=65536)
def phone_region(e164: str) -> str | None:
    """The country (ISO 3166, two letters) of a phone number; None where it has none or is not a number."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return None


@lru_cache(maxsize=65536)
def phone_timezone(e164: str) -> str | None:
    """The IANA time zone of a phone number; None where it could be in several, or is not a number."""
    # Imported here because its table takes 50 ms to load and few callers want it.
    from phonenumbers import timezone

    try:
        zones = timezone.time_zones_for_number(phonenumbers.parse(e164))
    except phonenumbers.NumberParseException:
        return None
    return zones[0] if len(zones) == 1 and zones[0] != timezone.UNKNOWN_TIMEZONE else None
