"""The part of the traffic that comes as Twilio's own webhooks: form-encoded, signed, and without times.

Twilio says nothing about when a message was sent, so only what happens now can go this way.
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from tickertape.connectors.twilio import SIGNATURE, sign
from tickertape.demo import company, simulate
from tickertape.demo.world import Event

STATUSES = {
    "message.sent": "sent",
    "message.delivered": "delivered",
    "message.failed": "undelivered",
    "message.read": "read",
}
"""Our event type -> the MessageStatus that Twilio reports for it. What has no row, Twilio does not report."""

WHATSAPP_CODES = {"131026": "63024", "131049": "63049", "131050": "63032"}
"""WhatsApp's own error codes -> Twilio's for the same."""

LABELS = ("contact_id", "template_id", "agent_id", "team_id", "author", "purpose")
"""What the sender writes into the address that it asks Twilio to call back."""

_REMEMBERED = 20_000


class Callback(NamedTuple):
    """One webhook: the labels in its address, and its form fields."""

    query: dict[str, str]
    form: dict[str, str]


class Request(NamedTuple):
    """A callback ready to be posted; `target` is the path with its query."""

    target: str
    headers: dict[str, str]
    body: bytes


def live(seed: int, start_ms: int, origin_ms: int | None = None) -> Iterator[tuple[int, Callback]]:
    """Endless: Twilio's webhooks from `start_ms` on, each with the time at which it is due (ms)."""
    account = "AC" + _hex("account", str(seed))
    messages: dict[str, Callback] = {}
    for due, told in simulate.live_twilio(seed, start_ms, origin_ms):
        if told["type"] == "message.received":
            yield due, Callback({}, _inbound(account, told))
            continue
        message_id = told["message_id"]
        if told["type"] == "message.sent":
            messages[message_id] = Callback(
                {label: told[label] for label in LABELS if label in told}, _outbound(account, told)
            )
            if len(messages) > _REMEMBERED:
                del messages[next(iter(messages))]
        if message_id in messages and told["type"] in STATUSES:
            message = messages[message_id]
            yield due, Callback(message.query, message.form | _status(told))


def signed(callback: Callback, public_url: str, source: str, token: str) -> Request:
    """The request as Twilio would send it to the hook of this source; `token` is the account's auth token."""
    target = f"/hooks/{source}" + (f"?{urlencode(callback.query)}" if callback.query else "")
    return Request(
        target,
        {
            "content-type": "application/x-www-form-urlencoded; charset=utf-8",
            SIGNATURE: sign(public_url + target, callback.form, token),
        },
        urlencode(callback.form).encode(),
    )


def _outbound(account: str, told: Event) -> dict[str, str]:
    return _message(account, told, to=told["address"], sender=company.SENDERS[told["channel"]])


def _inbound(account: str, told: Event) -> dict[str, str]:
    form = _message(account, told, to=company.SENDERS[told["channel"]], sender=told["address"])
    form |= {"SmsStatus": "received", "Body": told["text"], "NumMedia": "0", "NumSegments": "1"}
    return form | ({"OptOutType": "STOP"} if told.get("opt_out") else {})


def _message(account: str, told: Event, to: str, sender: str) -> dict[str, str]:
    prefix = "whatsapp:" if told["channel"] == "whatsapp" else ""
    sid = "SM" + _hex("message", told["message_id"])
    return {
        "AccountSid": account,
        "ApiVersion": "2010-04-01",
        "MessageSid": sid,
        "SmsSid": sid,
        "To": prefix + to,
        "From": prefix + sender,
    }


def _status(told: Event) -> dict[str, str]:
    status = STATUSES[told["type"]]
    form = {"MessageStatus": status, "SmsStatus": status}
    if "error_code" in told:
        code = str(told["error_code"])
        form["ErrorCode"] = WHATSAPP_CODES.get(code, code)
    return form


def _hex(*parts: str) -> str:
    return hashlib.sha256(":".join(parts).encode()).hexdigest()[:32]
