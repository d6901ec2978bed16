"""Messages and conversations as the API shows them."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tickertape.derive.asof import Telling, Thread
from tickertape.derive.contacts import Links
from tickertape.derive.derivation import MessageState
from tickertape.derive.episode_document import document as episode_document
from tickertape.derive.episode_document import timestamp
from tickertape.derive.messages import Message
from tickertape.events import MessageDeferred, MessageQueued
from tickertape.metrics.money import Rates
from tickertape.store import NEVER_MS

UNKNOWN_AFTER_MS = 72 * 3_600_000
"""A send without any final receipt for so long has an unknown end: many routes never send one."""


def moment(at: int | None) -> str | None:
    """RFC 3339 in UTC; null for what has not happened."""
    return None if at is None or at >= NEVER_MS else timestamp(at)


def state_of(message: Message | None, links: Links | None, told: Iterable[object], now: int) -> str:
    """failed, unknown, or the furthest that a person (no machine) took it."""
    if message is None:
        return "queued" if any(isinstance(e, MessageQueued | MessageDeferred) for e in told) else "unknown"
    if not message.outbound:
        return "delivered"
    links = links or Links()
    proven = links.proven_at < NEVER_MS
    received = message.delivered_at < NEVER_MS and message.bounced_at == NEVER_MS
    if message.failed_at < NEVER_MS and not received and not proven:
        return "failed"
    for reached, name in (
        (links.replied_at < NEVER_MS, "replied"),
        (message.clicked_at < NEVER_MS, "clicked"),
        (message.opened_at < NEVER_MS, "read"),
        (received or proven, "delivered"),
    ):
        if reached:
            return name
    return "unknown" if now - message.cohort_at > UNKNOWN_AFTER_MS else "sent"


def message_document(telling: Telling, now: int, rates: Rates) -> dict[str, Any]:
    message, links = telling.state.message, telling.state.links or Links()
    events = [e.event for e in telling.told]
    first = next((e.event for e in telling.told), None)
    document: dict[str, Any] = {
        "message_id": message.id if message else first.message_id if first else None,
        "source": telling.source,
        "direction": "outbound" if message is None or message.outbound else "inbound",
        "state": state_of(message, links, events, now),
        "history": [{"type": e.event.__struct_config__.tag, "at": moment(e.at), "id": e.id} for e in telling.told],
    }
    if message is None:
        return document | {"clicks": [], "conversions": []} | dict.fromkeys(
            ("sent_at", "delivered_at", "failed_at", "read_at", "replied_at", "cost")
        )  # fmt: skip
    return document | {
        **{
            name: getattr(message, attribute) or None
            for name, attribute in (
                ("channel", "channel"), ("author", "author"), ("purpose", "purpose"), ("sender", "sender"),
                ("campaign_id", "campaign"), ("template_id", "template"), ("variant", "variant"), ("agent_id", "agent"),
                ("team_id", "team"), ("carrier", "carrier"), ("country", "country"), ("error_code", "error_code"),
                ("reason", "reason"), ("text", "text"),
            )
        },
        "contact": links.contact or None,
        "conversation_id": links.conversation or None,
        "attrs": message.attrs,
        "sent_at": moment(message.cohort_at),
        "delivered_at": moment(message.delivered_at),
        "failed_at": moment(message.failed_at),
        "read_at": moment(message.opened_at),
        "clicks": [
            {"at": moment(c.at), "actor": c.actor, "reason": c.reason or None, "link": c.link or None}
            for c in message.clicks
        ],
        "reacted_at": moment(message.reacted_at),
        "replied_at": moment(links.replied_at),
        "opted_out_at": moment(links.opted_out_at),
        "complained_at": moment(links.complained_at),
        "conversions": [
            {
                "conversion_id": c.id, "at": moment(c.at), "kind": c.kind or None, "value": _number(c.value),
                "currency": c.currency or rates.currency,
                "refunded": _number(sum((amount for _, amount in c.refunds), Decimal(0))),
            }
            for c in telling.earned
        ],
        "cost": _cost(message, rates),
    }  # fmt: skip


def _number(value: Decimal) -> float:
    return float(value)


def _cost(message: Message, rates: Rates) -> dict[str, Any] | None:
    """In the workspace's currency by the send day's rate; what has no rate is listed."""
    if not message.costs:
        return None
    total, unconverted = Decimal(0), dict[str, Decimal]()
    for cost in message.costs:
        rate = rates.rate(cost.currency or rates.currency, message.cohort_at)
        if rate is None:
            unconverted[cost.currency] = unconverted.get(cost.currency, Decimal(0)) + cost.amount
        else:
            total += cost.amount * rate
    return {
        "value": _number(total),
        "currency": rates.currency,
        "unconverted": [{"currency": c, "value": _number(v)} for c, v in sorted(unconverted.items())],
    }


def conversation_document(thread: Thread, now: int) -> dict[str, Any]:
    messages = [_line(s, now) for s in thread.messages if s.message is not None]
    latest = thread.episodes[-1] if thread.episodes else None
    return {
        "conversation_id": thread.id,
        "source": thread.source,
        "channel": next((m["channel"] for m in messages if m["channel"]), None),
        "contact": next((s.links.contact for s in thread.messages if s.links and s.links.contact), None),
        "state": "none"
        if latest is None
        else conversation_state(latest.outcome, any(d.kind == "open" for d in latest.durations)),
        "messages": messages,
        "events": [
            {
                "type": e.event.__struct_config__.tag,
                "at": moment(e.at),
                "agent_id": e.event.agent_id,
                "team_id": e.event.team_id,
            }
            for e in sorted(thread.events.events.values(), key=lambda e: e.order)
        ],
        "episodes": [episode_document(e) for e in thread.episodes],
    }


def conversation_state(outcome: str, waiting: bool) -> str:
    """open, waiting (a customer waits for a reply), resolved."""
    if outcome == "open":
        return "waiting" if waiting else "open"
    return "resolved"


def _line(state: MessageState, now: int) -> dict[str, Any]:
    message = state.message
    assert message is not None
    links = state.links or Links()
    flags = [
        name
        for name, on in (
            ("auto_reply", message.auto_reply),
            ("opt_out", links.opts_out not in ("", "opt_in")),
            ("opt_in", links.opts_out == "opt_in"),
            ("test", message.test),
        )
        if on
    ]
    return {
        "message_id": message.id,
        "at": moment(message.cohort_at),
        "direction": "outbound" if message.outbound else "inbound",
        "author": message.author,
        "agent_id": message.agent or None,
        "channel": message.channel or None,
        "campaign_id": message.campaign or None,
        "text": message.text or None,
        "sentiment": None,
        "flags": flags,
        "delivery": state_of(message, links, (), now) if message.outbound else None,
    }
