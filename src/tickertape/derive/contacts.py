"""The fold of one contact: which message a reply answers, an opt-out is owed to, an order was earned by.

Pure functions over everything known of the contact: its messages, its consent events and its conversions.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct, field

from tickertape.derive import optout
from tickertape.derive.messages import Message
from tickertape.derive.rules import DAY_MS, HOUR_MS
from tickertape.events import (
    ContactComplained,
    ContactOptedIn,
    ContactOptedOut,
    ContactPrompted,
    ConversionRecorded,
    ConversionRefunded,
)
from tickertape.settings import Settings
from tickertape.store import NEVER_MS
from tickertape.store.log import Logged, conversation_key

_ONE_CHANNEL = {"mms": "sms", "rcs": "sms"}
"""For consent, SMS, MMS and RCS are one channel."""


class Links(Struct, kw_only=True, gc=False):
    """What a message's contact adds to it. Two equal Links mean an unchanged fact."""

    contact: str = ""
    conversation: str = ""
    conversation_hash: int = 0
    replied_at: int = NEVER_MS
    proven_at: int = NEVER_MS
    opted_out_at: int = NEVER_MS
    complained_at: int = NEVER_MS
    converted_at: int = NEVER_MS
    engaged_before: int = NEVER_MS
    """The contact's last human engagement before the send; NEVER_MS where there was none."""
    opts_out: str = ""
    """Inbound: how it opts out ("opt_in": it opts in), in the light of the contact's history."""


class Credit(Struct, kw_only=True, gc=False):
    """A share of a conversion. Without a message (hash 0) the campaign itself is credited."""

    message: Message | None
    campaign: str
    at: int
    touch: str  # explicit, click, reply, view
    share: float


class Conversion(Struct, kw_only=True, gc=False):
    hash: int
    source: str
    id: str
    at: int
    kind: str
    contact: str
    value: Decimal
    currency: str
    """Empty: the workspace's own."""
    attrs: dict[str, str]
    named_message: int = 0
    named_campaign: str = ""
    refunds: list[tuple[int, Decimal]] = field(default_factory=list)
    credits: list[Credit] = field(default_factory=list)


class ContactFacts(Struct, kw_only=True, gc=False):
    links: dict[int, Links]
    conversions: list[Conversion]


def own_links(message: Message, contact: str) -> Links:
    """The links of a message whose contact has done nothing yet: what a send needs, without reading any history."""
    conversation, hash_ = conversation_of(message, contact, message.sender)
    return Links(
        contact=contact,
        conversation=conversation,
        conversation_hash=hash_,
        proven_at=min(message.opened_at, message.clicked_at),
        opts_out=message.opt_out,
    )


def conversation_of(message: Message, contact: str, sender: str) -> tuple[str, int]:
    """A message that names no conversation belongs to that of its source, channel, contact and sender."""
    name = message.conversation or ":".join(filter(None, (message.channel, contact or message.id, sender)))
    return name, conversation_key(message.source, name)


def fold_contact(
    contact: str, messages: Iterable[Message], happenings: Iterable[Logged], settings: Settings
) -> ContactFacts:
    """Everything that depends on a contact's history; `happenings` are its consent and conversion events."""
    known = sorted(messages, key=lambda m: (m.cohort_at, m.hash))
    happened = sorted(happenings, key=lambda e: e.order)
    by_hash = {m.hash: m for m in known}
    links = {m.hash: own_links(m, contact) for m in known}
    outbound = [m for m in known if m.outbound]
    inbound = [m for m in known if not m.outbound]
    _settle_opt_words(inbound, happened, links)
    replies = _link_replies(inbound, outbound, by_hash, links, settings)
    _settle_conversations(inbound, outbound, contact, links)
    _credit_opt_outs(inbound, outbound, happened, by_hash, links, settings)
    conversions = _conversions(contact, happened)
    _attribute(conversions, known, replies, links, settings)
    _note_engagement(known, replies, conversions, links)
    return ContactFacts(links=links, conversions=conversions)


def _settle_opt_words(inbound: Sequence[Message], happened: Sequence[Logged], links: dict[int, Links]) -> None:
    """YES opts in only within seven days of a prompt, or any time after an opt-out."""
    prompts = [e.at for e in happened if isinstance(e.event, ContactPrompted)]
    outs = [e.at for e in happened if isinstance(e.event, ContactOptedOut)]
    outs += [m.cohort_at for m in inbound if m.opt_out not in ("", "opt_in")]
    for m in inbound:
        if not m.opt_out and optout.plain(m.text) in optout.YES_WORDS:
            prompted = any(0 <= m.cohort_at - at <= 7 * DAY_MS for at in prompts)
            if prompted or any(at < m.cohort_at for at in outs):
                links[m.hash].opts_out = "opt_in"


def _link_replies(
    inbound: Sequence[Message],
    outbound: Sequence[Message],
    by_hash: Mapping[int, Message],
    links: dict[int, Links],
    settings: Settings,
) -> list[tuple[Message, Message]]:
    """Pairs (reply, message it answers), and what the reply proves about that message."""
    reach = round(settings.reply_link_days * DAY_MS)
    replies = []
    for reply in inbound:
        named = by_hash.get(reply.reply_to)
        is_response = not reply.auto_reply and not links[reply.hash].opts_out
        if named is not None and named.outbound:
            answered: Message | None = named
        elif is_response:
            answered = _latest(outbound, reply, reach)
        else:
            continue
        if answered is None:
            continue
        link = links[answered.hash]
        link.proven_at = min(link.proven_at, reply.cohort_at)
        if is_response:
            link.replied_at = min(link.replied_at, reply.cohort_at)
            replies.append((reply, answered))
    return replies


def _latest(outbound: Sequence[Message], reply: Message, reach: int) -> Message | None:
    """The latest message that reached the contact on the reply's channel (and sender, where known) in `reach` ms."""
    best: tuple[int, int] | None = None
    found = None
    for m in outbound:
        if m.cohort_at > reply.cohort_at:
            break
        if m.channel != reply.channel or m.unreachable or m.test:
            continue
        if reply.sender and m.sender and m.sender != reply.sender:
            continue
        base = m.based_at if m.based_at <= reply.cohort_at else m.cohort_at
        if reply.cohort_at - base <= reach and (best is None or (base, m.hash) > best):
            best, found = (base, m.hash), m
    return found


def _settle_conversations(
    inbound: Sequence[Message], outbound: Sequence[Message], contact: str, links: dict[int, Links]
) -> None:
    """An inbound message that names neither conversation nor sender joins that of the last message sent before it."""
    for m in inbound:
        if m.conversation or m.sender:
            continue
        same = [o for o in outbound if o.channel == m.channel and o.source == m.source and not o.conversation]
        before = [o for o in same if o.cohort_at <= m.cohort_at]
        neighbour = before[-1] if before else same[0] if same else None
        link = links[m.hash]
        link.conversation, link.conversation_hash = conversation_of(m, contact, neighbour.sender if neighbour else "")


def _credit_opt_outs(
    inbound: Sequence[Message],
    outbound: Sequence[Message],
    happened: Sequence[Logged],
    by_hash: Mapping[int, Message],
    links: dict[int, Links],
    settings: Settings,
) -> None:
    """Credits each change to opted out, and each complaint, to the message that caused it."""
    reach = round(settings.opt_out_credit_hours * HOUR_MS)
    marketing = [m for m in outbound if m.purpose == "marketing" and not m.test]
    moves: list[tuple[int, str, str, str, int, str]] = []  # at, id, kind, channel, message named, sender
    for m in inbound:
        kind = links[m.hash].opts_out
        if kind:
            moves.append((m.cohort_at, m.id, "in" if kind == "opt_in" else "out", m.channel, m.reply_to, m.sender))
    for e in happened:
        kind = _CONSENT_MOVES.get(type(e.event), "")
        if kind and not (kind == "in" and e.event.confirmed is False):  # type: ignore[attr-defined]
            moves.append(
                (e.at, e.id, kind, e.event.channel or "", e.message_hash, getattr(e.event, "sender", "") or "")
            )
    out: set[str] = set()
    for at, _, kind, channel, named, sender in sorted(moves):
        scope = _scope(settings.consent_scope, channel, sender)
        if kind == "in":
            out.discard(scope)
            continue
        message = by_hash.get(named) or _last_marketing(marketing, at, channel, reach)
        if kind == "complaint":
            if message is not None:
                links[message.hash].complained_at = min(links[message.hash].complained_at, at)
        elif scope not in out and message is not None:
            links[message.hash].opted_out_at = min(links[message.hash].opted_out_at, at)
        out.add(scope)


_CONSENT_MOVES: dict[type, str] = {ContactOptedIn: "in", ContactOptedOut: "out", ContactComplained: "complaint"}


def _scope(consent_scope: str, channel: str, sender: str) -> str:
    if consent_scope == "all":
        return "all"
    group = _ONE_CHANNEL.get(channel, channel)
    return group if consent_scope == "channel" else f"{group}:{sender}"


def _last_marketing(marketing: Sequence[Message], at: int, channel: str, reach: int) -> Message | None:
    fits = [
        m
        for m in marketing
        if m.cohort_at <= at
        and at - m.cohort_at <= reach + max(0, m.based_at - m.cohort_at)
        and at - min(m.based_at, at) <= reach
        and not m.unreachable
        and (not channel or _ONE_CHANNEL.get(m.channel, m.channel) == _ONE_CHANNEL.get(channel, channel))
    ]
    return max(fits, key=lambda m: (min(m.based_at, at), m.hash), default=None)


def _conversions(contact: str, happened: Sequence[Logged]) -> list[Conversion]:
    """One per conversion id: its time the earliest event's, value and currency the latest's, refunds never above it."""
    recorded: dict[int, list[Logged]] = {}
    refunded: dict[int, list[Logged]] = {}
    for e in happened:
        if isinstance(e.event, ConversionRecorded):
            recorded.setdefault(e.link_hash, []).append(e)
        elif isinstance(e.event, ConversionRefunded):
            refunded.setdefault(e.link_hash, []).append(e)
    return [_conversion(hash_, contact, told, refunded.get(hash_, ())) for hash_, told in recorded.items()]


def _conversion(hash_: int, contact: str, told: Sequence[Logged], refunds: Sequence[Logged]) -> Conversion:
    first, events = told[0], [e.event for e in told if isinstance(e.event, ConversionRecorded)]
    value = next((e.value for e in reversed(events) if e.value is not None), Decimal(0))
    conversion = Conversion(
        hash=hash_,
        source=first.source,
        id=events[0].conversion_id,
        at=first.at,
        kind=next((e.kind for e in events if e.kind), ""),
        contact=contact,
        value=value,
        currency=next((e.currency for e in reversed(events) if e.currency), ""),
        attrs={k: str(v) for e in reversed(events) for k, v in (e.attrs or {}).items()},
    )
    left = value
    counted: set[str] = set()
    for refund in refunds:
        event = refund.event
        assert isinstance(event, ConversionRefunded)
        name = event.refund_id or refund.id
        if name in counted:
            continue
        counted.add(name)
        amount = min(left, event.value if event.value is not None else left)
        conversion.refunds.append((refund.at, amount))
        left -= amount
    conversion.named_message = next((e.message_hash for e in told if e.message_hash), 0)
    conversion.named_campaign = next((e.campaign_id for e in events if e.campaign_id), "")
    return conversion


class _Touch(Struct, frozen=True):
    at: int
    message: Message
    kind: str  # click or reply


def _attribute(
    conversions: Sequence[Conversion],
    messages: Sequence[Message],
    replies: Sequence[tuple[Message, Message]],
    links: dict[int, Links],
    settings: Settings,
) -> None:
    """Explicit, else the last human click, else the last reply, else (if switched on) the last view.

    Windows include both ends.
    """
    eligible = [
        m for m in messages if m.outbound and not m.test and m.purpose == "marketing" and _reached(m, links[m.hash])
    ]
    by_hash = {m.hash: m for m in messages}
    may = {m.hash for m in eligible}
    clicks = [_Touch(c.at, m, "click") for m in eligible for c in m.clicks if c.actor != "machine"]
    answers = [_Touch(reply.cohort_at, m, "reply") for reply, m in replies if m.hash in may]
    for conversion in conversions:
        conversion.credits = _credits(conversion, by_hash, eligible, clicks, answers, settings)
        for credit in conversion.credits:
            if credit.message is not None:
                link = links[credit.message.hash]
                link.converted_at = min(link.converted_at, conversion.at)


def _reached(message: Message, link: Links) -> bool:
    return (message.delivered_at < NEVER_MS and message.bounced_at == NEVER_MS) or link.proven_at < NEVER_MS


def _credits(
    conversion: Conversion,
    by_hash: Mapping[int, Message],
    eligible: Sequence[Message],
    clicks: Sequence[_Touch],
    answers: Sequence[_Touch],
    settings: Settings,
) -> list[Credit]:
    explicit = _explicit(conversion, by_hash)
    if explicit is not None:
        return explicit
    rules = settings.attribution
    at = conversion.at

    def within(touch: _Touch) -> bool:
        hours = (
            rules.reply_hours
            if touch.kind == "reply"
            else rules.push_click_hours
            if touch.message.channel == "push"
            else rules.click_days * 24
        )
        return 0 <= at - touch.at <= round(hours * HOUR_MS)

    order = [t for t in clicks if within(t)], [t for t in answers if within(t)]
    touches = sorted((*order[0], *order[1]), key=lambda t: (t.at, t.message.id))
    if not touches:
        return _view(conversion, eligible, round(rules.view_hours * HOUR_MS))
    if rules.model == "last_touch":
        chosen = max(order[0] or order[1], key=lambda t: (t.at, t.message.id))
        return [_credit(chosen, 1.0)]
    once: dict[int, _Touch] = {}
    for touch in touches:
        once.setdefault(touch.message.hash, touch)
    if rules.model == "first_touch":
        return [_credit(next(iter(once.values())), 1.0)]
    share = 1.0 if rules.model == "any_touch" else 1.0 / len(once)
    return [_credit(t, share) for t in once.values()]


def _credit(touch: _Touch, share: float) -> Credit:
    message = touch.message
    return Credit(message=message, campaign=message.campaign, at=message.cohort_at, touch=touch.kind, share=share)


def _explicit(conversion: Conversion, by_hash: Mapping[int, Message]) -> list[Credit] | None:
    """What the conversion itself names: a message, else a campaign (the contact's latest message of it before)."""
    if conversion.named_message:
        named = by_hash.get(conversion.named_message)
        return [_explicitly(named)] if named is not None and named.outbound else None
    if not conversion.named_campaign:
        return None
    sends = [
        m
        for m in by_hash.values()
        if m.campaign == conversion.named_campaign and m.outbound and m.cohort_at <= conversion.at
    ]
    if sends:
        return [_explicitly(max(sends, key=lambda m: (m.cohort_at, m.id)))]
    return [Credit(message=None, campaign=conversion.named_campaign, at=conversion.at, touch="explicit", share=1.0)]


def _explicitly(message: Message) -> Credit:
    return Credit(message=message, campaign=message.campaign, at=message.cohort_at, touch="explicit", share=1.0)


def _view(conversion: Conversion, eligible: Sequence[Message], reach: int) -> list[Credit]:
    seen = [m for m in eligible if reach and 0 <= conversion.at - m.based_at <= reach]
    message = max(seen, key=lambda m: (m.based_at, m.id), default=None)
    return [_credit(_Touch(message.based_at, message, "view"), 1.0)] if message is not None else []


def _note_engagement(
    messages: Sequence[Message],
    replies: Sequence[tuple[Message, Message]],
    conversions: Sequence[Conversion],
    links: dict[int, Links],
) -> None:
    """Each send's last human engagement before it: a click, reply or reaction; opens do not count."""
    engaged = [c.at for m in messages for c in m.clicks if c.actor != "machine"]
    engaged += [reply.cohort_at for reply, _ in replies]
    engaged += [m.reacted_at for m in messages if m.reacted_at < NEVER_MS]
    if not engaged:
        return
    engaged.sort()
    for m in messages:
        if m.outbound:
            before = bisect_right(engaged, m.cohort_at - 1)
            links[m.hash].engaged_before = engaged[before - 1] if before else NEVER_MS
