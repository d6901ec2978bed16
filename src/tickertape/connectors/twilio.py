"""Twilio: status callbacks of outbound messages and webhooks of inbound ones (SMS, WhatsApp, Messenger, RCS)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from tickertape.connectors.base import (
    CannotUnderstand,
    Connector,
    Failure,
    Field,
    HookRequest,
    InvalidSignature,
    Params,
    Reply,
    Source,
    Unknown,
    build,
    first,
    matches,
    moment,
)
from tickertape.events import AnyEvent, Author, Purpose

SIGNATURE = "x-twilio-signature"

WORDS = {
    "accepted": "message.queued",
    "scheduled": "message.queued",
    "queued": "message.queued",
    # "sending" is a moment before "sent" and often the only one of the two that arrives.
    "sending": "message.sent",
    "sent": "message.sent",
    "delivered": "message.delivered",
    "undelivered": "message.failed",
    "failed": "message.failed",
    "canceled": "message.failed",
    "read": "message.read",
    "received": "message.received",
}

# Twilio says that codes and their causes change. Codes without a row are "unknown", and keep their number.
FAILURES = {
    "canceled": Failure("provider"),  # the status of a scheduled message that was called off; it comes without a code
    "21211": Failure("invalid_address", permanent=True),
    "21610": Failure("opt_out"),  # not permanent: START undoes it
    "21612": Failure("unreachable"),  # no route from this sender to that number; another sender may have one
    "21614": Failure("invalid_address", permanent=True),
    "30001": Failure("rate_limit"),
    "30002": Failure("provider"),
    "30003": Failure("unreachable"),  # off or out of reach, but also said of numbers that no longer exist
    "30004": Failure("carrier_filter"),  # vague: blocked by the carrier, or by the person at the carrier
    "30005": Failure("invalid_address", permanent=True),
    "30006": Failure("unreachable"),  # vague: a landline (for ever) or a carrier that does not answer (for now)
    "30007": Failure("carrier_filter"),
    "30008": Failure("unknown"),  # Twilio's own word for it
    "30010": Failure("policy"),  # dearer than the MaxPrice that the sender set
    "30022": Failure("rate_limit"),
    "30023": Failure("rate_limit"),
    "30032": Failure("carrier_filter"),  # toll-free sender not verified
    "30034": Failure("carrier_filter"),  # sender not registered for A2P 10DLC
    "30036": Failure("provider"),  # waited in the queue longer than its validity period
    "30410": Failure("provider"),
    "30450": Failure("policy"),  # SMS pumping protection, lifted after half an hour
    "30500": Failure("provider"),
    "63001": Failure("provider"),
    "63002": Failure("provider"),
    "63003": Failure("invalid_address", permanent=True),
    "63005": Failure("provider"),
    "63007": Failure("provider"),
    "63008": Failure("provider"),
    "63010": Failure("provider"),
    "63012": Failure("provider"),
    "63013": Failure("policy"),
    "63015": Failure("policy"),  # the sandbox, and a recipient who has not joined it
    "63016": Failure("policy"),  # outside the 24-hour window and without a template
    "63017": Failure("rate_limit"),
    "63018": Failure("rate_limit"),
    "63020": Failure("provider"),
    "63021": Failure("policy"),
    "63024": Failure("unreachable"),  # vague: no WhatsApp account, old terms, or an old app
    "63027": Failure("policy"),
    "63032": Failure("policy"),  # WhatsApp keeps this user out of marketing for an experiment
    "63038": Failure("rate_limit"),
    "63049": Failure("policy"),  # WhatsApp's cap on marketing messages per user
}

# MMS stays "sms": Twilio tells it apart by the media count only, and a picture in the middle of a text thread
# would otherwise open a second conversation. The attribute `media` holds the count.
PREFIXES = {"": "sms", "whatsapp": "whatsapp", "messenger": "messenger", "rcs": "rcs"}

OPT_OUT_WORDS = frozenset({"STOP", "START", "HELP"})

LABELS = ("contact_id", "conversation_id", "campaign_id", "template_id", "variant", "agent_id", "team_id")
SENT_LABELS: dict[str, tuple[str, ...]] = {"author": get_args(Author), "purpose": get_args(Purpose)}

ATTRS = {
    "MessagingServiceSid": "messaging_service",
    "NumSegments": "segments",
    "NumMedia": "media",
    "MediaContentType0": "media_type",
    "MessageType": "message_type",
    "FromCountry": "country",
    "ProfileName": "profile_name",
    "ButtonPayload": "button_payload",
    "ListId": "list_id",
    "Forwarded": "forwarded",
    "OptOutType": "opt_out_type",
    "ReferralSourceId": "referral_source_id",
    "ReferralSourceType": "referral_source_type",
    "ReferralSourceUrl": "referral_source_url",
    "ReferralHeadline": "referral_headline",
    "ReferralCtwaClid": "referral_click_id",
}
_COUNTS = frozenset({"NumSegments", "NumMedia"})
_COUNT = re.compile(r"[0-9]{1,9}")
_ATTR_LENGTH = 1024

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_URL = re.compile(r"(https?)://([^/?#]+?)(:[0-9]+)?([/?#].*)?", re.DOTALL)

_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


class Twilio(Connector):
    name = "twilio"
    title = "Twilio"
    description = (
        "Delivery, read receipts and replies of SMS, WhatsApp, Messenger and RCS messages that go through Twilio's "
        "Programmable Messaging. Twilio gives no times, so an event happened when it arrived here; it gives no text "
        "of outbound messages and no prices. Which campaign a message belongs to is told by query parameters of its "
        f"StatusCallback address: {', '.join((*LABELS, *SENT_LABELS))}."
    )
    documentation = "https://www.twilio.com/docs/messaging/guides/track-outbound-message-status"
    channels = ("sms", "whatsapp", "messenger", "rcs")
    setup = (
        "In the Twilio Console, copy the Auth Token of the account (or subaccount) that sends your messages "
        "and add it to this source.",
        "Replies: under Phone Numbers > Active numbers > your number > Messaging, set 'A message comes in' to Webhook, "
        "{url}, HTTP POST. With a Messaging Service, set it under Integration > 'Send a webhook' instead; "
        "for WhatsApp, under Messaging > Senders > WhatsApp senders > your sender.",
        "Delivery: set {url} as the 'Delivery Status Callback' of the Messaging Service, "
        "or pass it as StatusCallback with every message that you send.",
        "Campaigns: pass StatusCallback={url}?campaign_id=spring-sale&contact_id=42 with each message; "
        "a message's own address replaces the Messaging Service's.",
        "Optional, so that Twilio tries again after an error: append #rc=5&rp=5xx,ct,rt to each of these addresses.",
    )
    secret_fields = (
        Field(
            "auth_token",
            "Auth Token",
            "Twilio Console > Account > API keys & tokens. Add the secondary token too while you rotate it.",
        ),
    )
    signature_headers = (SIGNATURE,)
    covers = frozenset({"url", "body"})
    words = WORDS
    failures = FAILURES

    def verify(self, request: HookRequest, source: Source) -> None:
        given = request.headers.get(SIGNATURE)
        if not given:
            raise InvalidSignature("The request has no X-Twilio-Signature header, so it is not from Twilio.")
        try:
            params = _signed_params(request)
        except CannotUnderstand as error:
            raise InvalidSignature(f"The signature cannot be checked. {error}") from error
        candidates = (sign(url, params, token) for token in source.secrets for url in _spellings(request.url))
        if not any(matches(given, expected) for expected in candidates):
            raise InvalidSignature(
                "The X-Twilio-Signature does not match.",
                hint="Check that the source's auth token is that of the account which sends the messages, and that "
                "its public address is exactly the one that Twilio calls, with https and without a trailing slash.",
            )

    def events(self, request: HookRequest, source: Source) -> list[AnyEvent | Unknown]:
        form = _params(request)
        sid = first(form, "MessageSid") or first(form, "SmsSid")
        word = _word(form)
        if sid is None or word is None:
            raise CannotUnderstand(
                f"This Twilio request has no {'MessageStatus' if sid else 'MessageSid'}, so it is not about a message.",
                field="MessageStatus" if sid else "MessageSid",
                hint="Give this address to Programmable Messaging only, not to Voice, Conversations or Event Streams.",
            )
        kind = WORDS.get(word)
        if kind is None:
            return [Unknown(word=word, raw=request.body)]
        if kind == "message.received":
            return _received(request, form, sid)
        return _status(request, form, sid, word, kind)

    def reply(self, request: HookRequest) -> Reply:
        # An inbound webhook asks what to answer the customer. Empty TwiML says "nothing"; anything that is not TwiML
        # is logged as an error in the operator's Twilio console. Values are percent-encoded, so a customer's text
        # cannot hold the words looked for.
        where = request.url.encode("utf-8", "replace") if request.method == "GET" else request.body
        if b"SmsStatus=received" in where:
            return Reply(status=200, content_type="text/xml", body=_TWIML)
        return Reply(status=204)


def sign(url: str, params: Mapping[str, str | Iterable[str]], token: str) -> str:
    """The X-Twilio-Signature of a request with these form fields to this URL (with its query, without a fragment)."""
    signed = url
    for name in sorted(params):
        value = params[name]
        for each in [value] if isinstance(value, str) else sorted(set(value)):
            signed += name + each
    digest = hmac.digest(token.encode(), signed.encode("utf-8", "surrogatepass"), "sha1")
    return base64.b64encode(digest).decode()


def _signed_params(request: HookRequest) -> Params:
    """What is signed beside the URL. A JSON body is covered by its hash, which is part of the URL."""
    digest = first(request.query(), "bodySHA256")
    if digest is None:
        return {} if request.method == "GET" else request.form()
    if not matches(digest, hashlib.sha256(request.body).hexdigest()):
        raise InvalidSignature("The request's body is not the one that its bodySHA256 was made from.")
    return {}


def _spellings(url: str) -> tuple[str, ...]:
    """The URL without and with its port: Twilio signs a default port at times, and drops others from https."""
    match = _URL.fullmatch(url)
    if match is None:
        return (url,)
    scheme, host, port, rest = match.groups(default="")
    return tuple(f"{scheme}://{host}{end}{rest}" for end in ("", port or _DEFAULT_PORTS[scheme]))


def _params(request: HookRequest) -> Params:
    return request.query() if request.method == "GET" else request.form()


def _word(form: Params) -> str | None:
    word = first(form, "MessageStatus") or first(form, "SmsStatus")
    if word is not None:
        return word.lower()
    return "received" if "Body" in form else None


def _status(request: HookRequest, form: Params, sid: str, word: str, kind: str) -> list[AnyEvent | Unknown]:
    """The events of a status callback. Words with one meaning share an id: "sending" and "sent" are one event."""
    sender = _address(first(form, "From"))[1]
    common = _common(request, form, sid, "To") | {"id": f"{sid}:{kind.removeprefix('message.')}"}
    extra: list[AnyEvent | Unknown] = [*_link(request, form, "To")]
    if kind == "message.sent":
        labels, wrong = _sent_labels(request)
        common |= {"sender": sender} | labels
        extra += wrong
    if kind == "message.failed":
        code = "canceled" if word == "canceled" else first(form, "ErrorCode")
        failure = FAILURES.get(code or "", Failure("unknown"))
        common |= {"error_code": code, "reason": failure.reason, "permanent": failure.permanent}
        if failure.reason == "opt_out":
            extra.append(_consent("contact.opted_out", common, f"{sid}:opted_out", sender, "provider"))
    return [build(kind, **common), *extra]


def _received(request: HookRequest, form: Params, sid: str) -> list[AnyEvent | Unknown]:
    sender = _address(first(form, "To"))[1]
    common = _common(request, form, sid, "From")
    opt_out = (first(form, "OptOutType") or "").upper()
    message = build(
        "message.received",
        **common,
        id=sid,
        sender=sender,
        text=first(form, "Body") or first(form, "ButtonText"),
        reply_to=first(form, "OriginalRepliedMessageSid"),
        opt_out=opt_out == "STOP",
    )
    found: list[AnyEvent | Unknown] = [message, *_link(request, form, "From")]
    if opt_out == "START":
        found.append(_consent("contact.opted_in", common, f"{sid}:opted_in", sender, "keyword"))
    if opt_out and opt_out not in OPT_OUT_WORDS:
        found.append(Unknown(word=f"OptOutType={opt_out}", raw=request.body))
    return found


def _common(request: HookRequest, form: Params, sid: str, party: str) -> dict[str, Any]:
    """The fields of every event about a message; `party` is the form field that holds the customer's address."""
    channel, address = _address(first(form, party))
    query = request.query()
    attrs = {
        name: int(value) if field in _COUNTS and _COUNT.fullmatch(value) else value[:_ATTR_LENGTH]
        for field, name in ATTRS.items()
        if (value := first(form, field)) is not None
    }
    return {
        "at": moment(request.received_at),
        "channel": channel,
        "address": address,
        "message_id": sid,
        "attrs": attrs,
    } | {label: first(query, label) for label in LABELS}


def _consent(event_type: str, common: dict[str, Any], event_id: str, sender: str | None, method: str) -> AnyEvent:
    """Without message and campaign: neither a blocked message nor a START is what a campaign brought about."""
    who = {name: common[name] for name in ("at", "channel", "address", "contact_id")}
    return build(event_type, **who, id=event_id, sender=sender, method=method)


def _sent_labels(request: HookRequest) -> tuple[dict[str, str], list[Unknown]]:
    """Labels with a fixed set of values. A wrong one is a slip in the operator's URL, no reason to lose the message."""
    query = request.query()
    given = {label: value for label in SENT_LABELS if (value := first(query, label)) is not None}
    known = {label: value for label, value in given.items() if value in SENT_LABELS[label]}
    return known, [Unknown(word=f"{label}={given[label]}", raw=request.body) for label in given if label not in known]


def _address(value: str | None) -> tuple[str, str | None]:
    """Channel and address of a Twilio address, such as "+15550001111" or "whatsapp:+15550001111".

    A WhatsApp user without a phone number is "whatsapp:US.1234", whose id holds for this one business.
    """
    prefix, _, address = (value or "").rpartition(":")
    return PREFIXES.get(prefix, "other"), address or None


def _link(request: HookRequest, form: Params, party: str) -> list[AnyEvent]:
    """Says that a WhatsApp user's phone number and user id are one person, when a request names both."""
    external = first(form, "ExternalUserId")
    channel, phone = _address(first(form, party))
    if external is None or phone is None or not phone.startswith("+"):
        return []
    user = _address(external)[1]
    return [
        build(
            "contact.updated",
            at=moment(request.received_at),
            id=f"link:{phone}:{user}",
            channel=channel,
            contact_id=external,
            addresses=[phone, user],
        )
    ]
