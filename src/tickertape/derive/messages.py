"""The fold of one message: all events of all its attempts in, one fact out, whatever their order and repetition."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct, field

from tickertape.derive import optout
from tickertape.derive.rules import hour_of
from tickertape.derive.traffic import Touch, classify_clicks, classify_open
from tickertape.events import (
    Event,
    MessageBilled,
    MessageClicked,
    MessageDelivered,
    MessageFailed,
    MessageReacted,
    MessageRead,
    MessageReceived,
    MessageSent,
)
from tickertape.keys import key
from tickertape.store import NEVER_MS
from tickertape.store.log import Logged


class Click(Struct, kw_only=True, gc=False):
    at: int
    actor: str
    reason: str
    link: str


class Cost(Struct, kw_only=True, gc=False):
    at: int
    amount: Decimal
    currency: str
    """Empty: the workspace's own."""


class Message(Struct, kw_only=True, gc=False):
    """One logical message as far as its own events tell. Instants are ms, NEVER_MS where not (yet) so."""

    hash: int
    source: str
    id: str
    event_id: str
    """Of the event that tells of it first: the tie-break of the timeline."""
    outbound: bool
    channel: str = ""
    author: str = ""
    purpose: str = ""
    contact_id: str = ""
    address: str = ""
    sender: str = ""
    campaign: str = ""
    template: str = ""
    variant: str = ""
    agent: str = ""
    team: str = ""
    carrier: str = ""
    country: str = ""
    error_code: str = ""
    reason: str = ""
    conversation: str = ""
    attrs: dict[str, str] = field(default_factory=dict)
    tracked: bool = True
    test: bool = False
    auto_reply: bool = False
    opt_out: str = ""
    """Inbound: how it opts out (provider, keyword, phrase), or "opt_in" where it opts in; else empty."""
    reply_to: int = 0
    sent_known: bool = False
    cohort_at: int = 0
    delivered_at: int = NEVER_MS
    failed_at: int = NEVER_MS
    bounced_at: int = NEVER_MS
    opened_at: int = NEVER_MS
    clicked_at: int = NEVER_MS
    reacted_at: int = NEVER_MS
    clicks: list[Click] = field(default_factory=list)
    costs: list[Cost] = field(default_factory=list)
    text: str = ""
    text_hash: int = 0
    not_understood: bool = False

    @property
    def home(self) -> int:
        return hour_of(self.cohort_at)

    @property
    def based_at(self) -> int:
        """Where its windows start: the receipt, else the send."""
        return self.delivered_at if self.delivered_at < NEVER_MS else self.cohort_at

    @property
    def unreachable(self) -> bool:
        """Failed, and nothing but a reply could still prove that it arrived."""
        failed = self.failed_at < NEVER_MS and self.delivered_at == NEVER_MS
        return (failed or self.bounced_at < NEVER_MS) and min(self.opened_at, self.clicked_at) == NEVER_MS


_RANK: dict[type, int] = {MessageSent: 0, MessageReceived: 0, MessageDelivered: 1}
"""Whose word on a field counts first; within a rank the earliest event that has it."""

_PRICED = frozenset({MessageSent, MessageDelivered, MessageBilled})

_FIELDS = (
    ("channel", "channel"),
    ("contact_id", "contact_id"),
    ("address", "address"),
    ("campaign", "campaign_id"),
    ("template", "template_id"),
    ("variant", "variant"),
    ("agent", "agent_id"),
    ("team", "team_id"),
    ("conversation", "conversation_id"),
    ("author", "author"),
    ("purpose", "purpose"),
    ("sender", "sender"),
    ("carrier", "carrier"),
    ("country", "country"),
    ("text", "text"),
)


def fold_message(events: Iterable[Logged], root: int) -> Message | None:
    """The fact of the message whose key is `root`, or None where nothing yet says that it exists.

    A receipt, failure, human read or human click implies a message whose send never came; a machine's does not.
    """
    ordered = sorted(events, key=lambda e: e.order)
    sent = [e for e in ordered if isinstance(e.event, MessageSent)]
    received = [e for e in ordered if isinstance(e.event, MessageReceived)]
    # By far the most common touch is a send and nothing else yet.
    own = sent if len(ordered) == 1 and sent else sorted(ordered, key=lambda e: (_RANK.get(type(e.event), 2), e.order))
    first = next((e for e in (sent or received or ordered) if e.message_hash == root), (sent or received or ordered)[0])
    message = Message(
        hash=root,
        source=first.source,
        id=first.event.message_id or "",
        event_id=(sent or received or ordered)[0].id,
        outbound=bool(sent or not received),
    )
    for name, attribute in _FIELDS:
        for logged in own:
            value = getattr(logged.event, attribute, None)
            if value:
                setattr(message, name, value)
                break
    for logged in own:
        if logged.event.attrs:
            for name, attr in logged.event.attrs.items():
                message.attrs.setdefault(name, _attr_text(attr))
    if message.text:
        message.text_hash = key(message.text.strip().lower())
    message.not_understood = message.attrs.get("not_understood") == "true"
    if message.outbound:
        return _fold_outbound(message, ordered, sent)
    return _fold_inbound(message, received)


def _attr_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _fold_inbound(message: Message, received: Sequence[Logged]) -> Message:
    message.author = "customer"
    message.purpose = ""
    message.sent_known = True
    message.cohort_at = received[0].at
    told: list[MessageReceived] = [e.event for e in received if isinstance(e.event, MessageReceived)]
    message.auto_reply = any(e.auto_reply for e in told)
    message.opt_out = "provider" if any(e.opt_out for e in told) else optout.recognise(message.text)
    message.reply_to = next((e.link_hash for e in received if e.link_hash), 0)
    return message


def _fold_outbound(message: Message, ordered: Sequence[Logged], sent: Sequence[Logged]) -> Message | None:
    message.sent_known = bool(sent)
    message.author = message.author or ("campaign" if message.campaign else "agent" if message.agent else "system")
    message.purpose = message.purpose or ("marketing" if message.author == "campaign" else "service")
    message.tracked = all(e.event.tracked for e in sent if isinstance(e.event, MessageSent))
    message.test = any(e.event.test for e in sent if isinstance(e.event, MessageSent))
    message.delivered_at = _first(ordered, MessageDelivered)
    failures = [e for e in ordered if isinstance(e.event, MessageFailed)]
    if failures:
        message.failed_at = failures[0].at
        message.error_code = _told(failures, "error_code")
        message.reason = _told(failures, "reason")
        if message.channel == "email" and message.delivered_at < NEVER_MS:
            late = (e.at for e in failures if e.event.permanent and e.at > message.delivered_at)  # type: ignore[attr-defined]
            message.bounced_at = min(late, default=NEVER_MS)
    message.reacted_at = _first(ordered, MessageReacted)
    sent_at = sent[0].at if sent else min(message.delivered_at, message.failed_at)
    _fold_touches(message, ordered, message.delivered_at if message.delivered_at < NEVER_MS else sent_at)
    message.cohort_at = sent[0].at if sent else min(sent_at, message.opened_at, message.clicked_at)
    message.costs = _costs(ordered)
    return message if message.cohort_at < NEVER_MS else None


def _fold_touches(message: Message, ordered: Sequence[Logged], delivered_at: int) -> None:
    reads = [e for e in ordered if isinstance(e.event, MessageRead)]
    for read in reads:
        if classify_open(read.event, read.at, message.channel, delivered_at).actor != "machine":  # type: ignore[arg-type]
            message.opened_at = read.at
            break
    touches = [
        Touch(at=e.at, id=e.id, link=e.event.link_id or e.event.url or "", event=e.event)
        for e in ordered
        if isinstance(e.event, MessageClicked)
    ]
    if not touches:
        return
    verdicts = classify_clicks(touches, message.channel, delivered_at)
    message.clicks = [
        Click(at=t.at, actor=v.actor, reason=v.reason, link=t.link) for t, v in zip(touches, verdicts, strict=True)
    ]
    message.clicked_at = min((c.at for c in message.clicks if c.actor != "machine"), default=NEVER_MS)


def _first(ordered: Sequence[Logged], kind: type[Event]) -> int:
    return next((e.at for e in ordered if isinstance(e.event, kind)), NEVER_MS)


def _told(events: Sequence[Logged], attribute: str) -> str:
    return next((value for e in events if (value := getattr(e.event, attribute, None))), "")


def _costs(ordered: Sequence[Logged]) -> list[Cost]:
    """Once per kind of event and attempt; a price told later takes back what was told before it."""
    told: dict[tuple[int, type], Cost] = {}
    for e in ordered:
        event = e.event
        if type(event) in _PRICED and event.cost is not None:  # type: ignore[attr-defined]
            told.setdefault(
                (e.message_hash, type(event)),
                Cost(at=e.at, amount=event.cost, currency=event.currency or ""),  # type: ignore[attr-defined]
            )
    if not told:
        return []
    costs = list(told.values())
    for (attempt, kind), billed in list(told.items()):
        if kind is MessageBilled:
            costs += [
                Cost(at=max(billed.at, earlier.at), amount=-earlier.amount, currency=earlier.currency)
                for other in (MessageSent, MessageDelivered)
                if (earlier := told.get((attempt, other))) is not None
            ]
    return costs
