"""Load, fold: works out again every fact that a batch of new events touched.

A message is folded from its events, a contact from its messages and consent and conversion events, a conversation
from its messages and events. What was folded is kept in memory while it is warm; what is cold is read from the log.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct, field

from tickertape.derive import repeats
from tickertape.derive.contacts import Conversion, Links, fold_contact, own_links
from tickertape.derive.episodes import fold
from tickertape.derive.facts import EpisodeRow, MessageRow, SurveyRow
from tickertape.derive.identities import Identities, Merged
from tickertape.derive.messages import Message, fold_message
from tickertape.derive.rules import DAY_MS, hour_of
from tickertape.derive.timeline import Entry, Episode, Survey
from tickertape.events import (
    AgentStatus,
    ConsentEvent,
    ConversationEvent,
    ConversationMerged,
    ConversionRecorded,
    ConversionRefunded,
    MessageEvent,
    SurveyEvent,
)
from tickertape.keys import contact_key, key
from tickertape.settings import Settings
from tickertape.store import NEVER_MS, Store, log
from tickertape.store.log import Logged, stands

CACHED_MESSAGES = 100_000
CACHED_CONTACTS = 20_000
CACHED_CONVERSATIONS = 20_000

_HAPPENINGS = (
    "contact.prompted", "contact.opted_in", "contact.opted_out", "contact.complained",
    "conversion.recorded", "conversion.refunded",
)  # fmt: skip
_SURVEY_TYPES = ("survey.sent", "survey.answered")
_CONVERSATION_TYPES = (
    "conversation.opened", "conversation.queued", "conversation.assigned", "conversation.handed_off",
    "conversation.resolved", "conversation.reopened", "conversation.snoozed", "conversation.unsnoozed",
    "conversation.tagged", "conversation.noted", "conversation.merged", "survey.sent", "survey.answered",
)  # fmt: skip


class MessageState(Struct, gc=False):
    events: dict[int, Logged] = field(default_factory=dict)
    message: Message | None = None
    links: Links | None = None
    """As last derived; None where no fact of this message was ever written."""
    home: int = 0
    entry: Entry | None = None


class ContactState(Struct, gc=False):
    messages: set[int] = field(default_factory=set)
    happenings: dict[int, Logged] = field(default_factory=dict)


class ConversationState(Struct, gc=False):
    source: str = ""
    name: str = ""
    messages: set[int] = field(default_factory=set)
    events: dict[int, Logged] = field(default_factory=dict)
    episodes: list[Episode] = field(default_factory=list)
    surveys: list[Survey] = field(default_factory=list)
    written: dict[int, bytes] = field(default_factory=dict)
    """By opened_at, a fingerprint of each episode as last derived (empty where only its key is known)."""
    surveys_written: dict[int, tuple[int, bytes]] = field(default_factory=dict)


class Touched(Struct, gc=False):
    """What to work out again."""

    messages: set[int] = field(default_factory=set)
    contacts: dict[int, str] = field(default_factory=dict)
    conversations: set[int] = field(default_factory=set)


class Changes(Struct, gc=False):
    """The facts to write, and the keys of those that are no more."""

    messages: list[MessageRow] = field(default_factory=list)
    gone_messages: list[tuple[int, int]] = field(default_factory=list)
    episodes: list[EpisodeRow] = field(default_factory=list)
    gone_episodes: list[tuple[int, int, int]] = field(default_factory=list)
    surveys: list[SurveyRow] = field(default_factory=list)
    gone_surveys: list[tuple[int, int]] = field(default_factory=list)
    conversions: list[Conversion] = field(default_factory=list)
    gone_conversions: list[tuple[int, int]] = field(default_factory=list)
    links: list[tuple[int, int, str, str]] = field(default_factory=list)
    """(address key, at, event id, contact id)"""
    agents: set[tuple[str, int]] = field(default_factory=set)

    def __bool__(self) -> bool:
        return any(getattr(self, f) for f in self.__struct_fields__)


State = TypeVar("State")


class Cache(Generic[State]):
    """The warm states of one kind; `trim` lets the coldest go between batches."""

    def __init__(self, capacity: int) -> None:
        self._states: OrderedDict[int, State] = OrderedDict()
        self._capacity = capacity

    def get(self, key: int) -> State | None:
        state = self._states.get(key)
        if state is not None:
            self._states.move_to_end(key)
        return state

    def drop(self, key: int) -> None:
        self._states.pop(key, None)

    def put(self, key: int, state: State) -> None:
        self._states[key] = state

    def trim(self) -> None:
        while len(self._states) > self._capacity:
            self._states.popitem(last=False)


def _same(unknown: int) -> bool:
    return True


class Derivation:
    """The folds over one store's log, up to a sequence number and (for the past) a clock.

    `suffix` names the fact tables that earlier results are found in; `horizon`: later events are not known.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        identities: Identities,
        *,
        suffix: str = "",
        horizon: int = NEVER_MS,
        through: int = 0,
    ) -> None:
        self.store = store
        self.settings = settings
        self.identities = identities
        self.suffix = suffix
        self.horizon = horizon
        self.through = through
        self.active: set[int] = set()
        """Keys of the contacts that ever did something: only their messages depend on one another."""
        self.agents: set[str] = set()
        """The agents whose presence is known."""
        self.may_exist: Callable[[int], bool] = _same
        """False only for the key of a message, contact or conversation of which the log surely holds nothing from
        before this batch."""
        self._messages: Cache[MessageState] = Cache(CACHED_MESSAGES)
        self._contacts: Cache[ContactState] = Cache(CACHED_CONTACTS)
        self._conversations: Cache[ConversationState] = Cache(CACHED_CONVERSATIONS)
        self._merged: Merged = identities.merged(horizon)
        self._fresh: dict[int, set[int]] = defaultdict(set)
        """By conversation, the messages of the batch in hand, which no table holds yet."""
        self._fresh_events: dict[int, list[Logged]] = defaultdict(list)
        self._fresh_happenings: dict[int, list[Logged]] = defaultdict(list)
        self._order_homes: dict[int, int] = {}
        """Where the rows are of the orders that the batch in hand tells of."""

    # One batch

    def apply(self, batch: Sequence[Logged], touched: Touched, now: int) -> Changes:
        """Takes in events (all of them in the log already) and works out every fact they touch, at the clock `now`."""
        changes = Changes()
        self._fresh.clear()
        self._fresh_events.clear()
        self._fresh_happenings.clear()
        self._order_homes.clear()
        self._identify(batch, touched, changes)
        own: dict[int, list[Logged]] = defaultdict(list)
        for e in batch:
            if isinstance(e.event, MessageEvent):
                own[self.identities.root(e.message_hash)].append(e)
        touched.messages.update(own)
        states = self._load_messages(touched.messages)
        for root, events in own.items():
            _take_in(states[root].events, events)
        self._route(batch, touched)
        folded = self._fold_messages(states)
        self._settle_contacts(folded, touched, changes)
        self._fold_conversations(touched, changes, now)
        self._touch_agents(batch, changes)
        self._messages.trim()
        self._contacts.trim()
        self._conversations.trim()
        return changes

    def _identify(self, batch: Sequence[Logged], touched: Touched, changes: Changes) -> None:
        """Notes what names now mean the same, and touches what that moves."""
        moved: list[int] = []
        merges = False
        for e in batch:
            for address, event_id, contact_id in self.identities.note_contact(e):
                changes.links.append((address, e.at, event_id, contact_id))
                if self.identities.was_used_alone(address):
                    moved.append(address)
            if e.link_hash:
                before = self.identities.root(e.message_hash) if e.message_hash else 0
                if self.identities.note_retry(e):
                    after = self.identities.root(e.message_hash)
                    touched.messages.update({before, after, e.message_hash})
                    self._forget_messages({before, after, e.message_hash})
                place = self.identities.place(e)
                if self.identities.note_survey(e):
                    for moved_from_or_to in (place, self.identities.place(e)):
                        touched.conversations.add(moved_from_or_to)
                        self._conversations.drop(self._merged.root(moved_from_or_to))
                if self.identities.note_merge(e):
                    merges = True
                    touched.conversations.update((e.conversation_hash, e.link_hash))
        if merges:
            self._merged = self.identities.merged(self.horizon)
            self._conversations = Cache(CACHED_CONVERSATIONS)
        if moved:
            for e in log.find(self.store, "address_hash", moved, through=self.through):
                if e.contact_hash == 0 and e.at <= self.horizon:
                    if e.message_hash:
                        touched.messages.add(self.identities.root(e.message_hash))
                    name = self.identities.contact(None, e.event.address)
                    touched.contacts[contact_key(name)] = name
            self._contacts = Cache(CACHED_CONTACTS)

    def _forget_messages(self, roots: Iterable[int]) -> None:
        for root in roots:
            self._messages.drop(root)

    def _route(self, batch: Sequence[Logged], touched: Touched) -> None:
        """Hands the events that are no messages' to what they belong to."""
        happened: list[Logged] = []
        for e in batch:
            if e.at > self.horizon:
                continue
            match e.event:
                case ConversationEvent() | SurveyEvent():
                    touched.conversations.add(self.identities.place(e))
                case ConsentEvent() | ConversionRecorded() | ConversionRefunded():
                    happened.append(e)
                case AgentStatus():
                    self.agents.add(e.event.agent_id)
        if happened:
            self._route_happenings(happened, touched)
        for e in batch:
            if isinstance(e.event, ConversationEvent | SurveyEvent):
                conversation = self.identities.place(e)
                self._fresh_events[conversation].append(e)
                state = self._conversations.get(self._merged.root(conversation))
                if state is not None:
                    _take_in(state.events, [e])

    def _route_happenings(self, happened: Sequence[Logged], touched: Touched) -> None:
        """A refund is its order's contact's; an order that names only a message is the message's contact's."""
        orders = {e.link_hash for e in happened if e.link_hash}
        told = log.find(self.store, "link_hash", orders, through=self.through, types=_HAPPENINGS)
        everything = {e.id_hash: e for e in (*told, *happened) if e.at <= self.horizon}
        owner = self._owners(everything.values())
        self._leave_orders(orders, owner, touched)
        for e in everything.values():
            if e.link_hash and e.link_hash not in owner:
                continue  # a refund that came before its order
            name = owner[e.link_hash] if e.link_hash else self.identities.contact(e.event.contact_id, e.event.address)
            hash_ = _contact_hash(name, e.link_hash)
            if hash_:
                touched.contacts[hash_] = name
                self.active.add(hash_)
                self._fresh_happenings[hash_].append(e)

    def _leave_orders(self, orders: set[int], owner: dict[int, str], touched: Touched) -> None:
        """Notes where these orders' rows are, and touches the contacts that they were counted for until now."""
        if not any(map(self.may_exist, orders)):
            return
        rows = self.store.rows(
            f"SELECT hash, toUnixTimestamp(home) * 1000, contact FROM conversions{self.suffix} FINAL"  # noqa: S608
            " WHERE hash IN {keys:Array(UInt64)}",
            {"keys": list(orders)},
        )
        for order, home, before in rows:
            self._order_homes[order] = home
            if before != owner.get(order, before):
                loser = _contact_hash(before, order)
                touched.contacts[loser] = before
                self.active.add(loser)
                self._contacts.drop(loser)

    def _owners(self, happened: Iterable[Logged]) -> dict[int, str]:
        """The contact of each order: the one its earliest event names, itself or by its message; "" where none does."""
        told = sorted((e for e in happened if isinstance(e.event, ConversionRecorded)), key=lambda e: e.order)
        unnamed = {self.identities.root(e.message_hash) for e in told if e.message_hash and not _names_contact(e)}
        states = self._load_messages(unnamed)
        owner: dict[int, str] = {}
        for e in told:
            if not owner.get(e.link_hash):
                owner[e.link_hash] = self._contact_of(e, states)
        return owner

    def _contact_of(self, e: Logged, states: dict[int, MessageState]) -> str:
        if _names_contact(e) or not e.message_hash:
            return self.identities.contact(e.event.contact_id, e.event.address)
        root = self.identities.root(e.message_hash)
        message = states[root].message or (
            fold_message(states[root].events.values(), root) if states[root].events else None
        )
        return self.identities.contact_of(message) if message is not None else ""

    # Messages

    def _load_messages(self, roots: Iterable[int]) -> dict[int, MessageState]:
        states: dict[int, MessageState] = {}
        cold: dict[int, int] = {}  # attempt -> root
        for root in roots:
            state = self._messages.get(root)
            if state is None:
                state = MessageState()
                self._messages.put(root, state)
                for attempt in self.identities.attempts(root):
                    # A former root is asked for beside the message that it now belongs to, which gets its events.
                    if self.may_exist(attempt) and (attempt not in cold or self.identities.root(root) == root):
                        cold[attempt] = root
            states[root] = state
        if cold:
            for e in log.find(self.store, "message_hash", cold, through=self.through):
                if isinstance(e.event, MessageEvent) and e.at <= self.horizon:
                    _take_in(states[cold[e.message_hash]].events, [e])
            for root, home, links in self._written_messages(cold):
                if root in states and states[root].links is None:
                    states[root].home, states[root].links = home, links
        return states

    def _written_messages(self, roots: Iterable[int]) -> Iterable[tuple[int, int, Links]]:
        instants = ("replied_at", "proven_at", "opted_out_at", "complained_at", "converted_at", "engaged_before")
        rows = self.store.rows(
            "SELECT hash, toUnixTimestamp(home) * 1000, contact, conversation, conversation_hash, opt_out,"  # noqa: S608
            + ", ".join(f"toUnixTimestamp64Milli({i})" for i in instants)
            + f" FROM messages{self.suffix} FINAL WHERE hash IN {{keys:Array(UInt64)}}",
            {"keys": list(roots)},
        )
        for hash_, home, contact, conversation, conversation_hash, opt_out, *moments in rows:
            yield (
                hash_,
                home,
                Links(
                    contact=contact,
                    conversation=conversation,
                    conversation_hash=conversation_hash,
                    opts_out=opt_out,
                    **dict(zip(instants, moments, strict=True)),
                ),
            )

    def _fold_messages(self, states: dict[int, MessageState]) -> dict[int, MessageState]:
        for root, state in states.items():
            state.message = None
            if state.events and self.identities.root(root) == root:
                state.message = fold_message(state.events.values(), root)
        return states

    # Contacts

    def _settle_contacts(self, folded: dict[int, MessageState], touched: Touched, changes: Changes) -> None:
        """Gives every folded message its links, and refolds the contacts that have a history."""
        names: dict[int, str] = {}
        for root, state in folded.items():
            message = state.message
            if state.links is not None and (
                message is None or state.links.contact != self.identities.contact_of(message)
            ):
                self._leave(root, state.links.contact, touched)
            if message is None:
                self._remove_message(root, state, touched, changes)
                continue
            names[root] = name = self.identities.contact_of(message)
            if not message.outbound or min(message.clicked_at, message.reacted_at) < NEVER_MS:
                self.active.add(_contact_hash(name, root))
        quiet: list[tuple[int, MessageState, str]] = []
        joining: dict[int, set[int]] = defaultdict(set)
        for root, name in names.items():
            hash_ = _contact_hash(name, root)
            if hash_ in self.active:
                touched.contacts[hash_] = name
                joining[hash_].add(root)
            else:
                quiet.append((root, folded[root], name))
        for root, state, name in quiet:
            self._settle_message(root, state, own_links(_known(state), name), True, touched, changes)
        contacts = self._load_contacts({h: n for h, n in touched.contacts.items() if h in self.active})
        for hash_, roots in joining.items():
            contacts[hash_].messages |= roots
        for hash_, happened in self._fresh_happenings.items():
            if hash_ in contacts:
                _take_in(contacts[hash_].happenings, happened)
        others = self._load_messages({m for c in contacts.values() for m in c.messages} - folded.keys())
        self._fold_messages({r: s for r, s in others.items() if s.message is None})
        for hash_, contact in contacts.items():
            self._fold_contact(hash_, touched.contacts[hash_], contact, folded, touched, changes)

    def _leave(self, root: int, contact: str, touched: Touched) -> None:
        hash_ = _contact_hash(contact, root)
        state = self._contacts.get(hash_)
        if state is not None:
            state.messages.discard(root)
        if hash_ in self.active:
            touched.contacts[hash_] = contact

    def _fold_contact(
        self,
        hash_: int,
        name: str,
        contact: ContactState,
        folded: dict[int, MessageState],
        touched: Touched,
        changes: Changes,
    ) -> None:
        states = {m: s for m in contact.messages if (s := self._messages.get(m)) is not None}
        mine = {
            m: s for m, s in states.items() if s.message is not None and (self.identities.contact_of(s.message) == name)
        }
        contact.messages = set(mine)
        facts = fold_contact(name, (_known(s) for s in mine.values()), contact.happenings.values(), self.settings)
        for root, links in facts.links.items():
            self._settle_message(root, mine[root], links, root in folded, touched, changes)
        changes.conversions += facts.conversions
        for conversion in facts.conversions:
            home = self._order_homes.get(conversion.hash)
            if home is not None and home != hour_of(conversion.at):
                changes.gone_conversions.append((home, conversion.hash))

    def _settle_message(
        self, root: int, state: MessageState, links: Links, folded: bool, touched: Touched, changes: Changes
    ) -> None:
        """Writes the row where its events or its links changed, and touches the conversations that see a difference."""
        message = _known(state)
        before = state.links
        if not folded and before == links:
            return
        if before is not None and state.home != message.home:
            changes.gone_messages.append((state.home, root))
        entry = _entry(message, links)
        if entry != state.entry or before is None or before.conversation_hash != links.conversation_hash:
            for hash_ in {links.conversation_hash, before.conversation_hash if before else links.conversation_hash}:
                if (
                    entry is not None
                    or (state.entry is not None)
                    or (before is not None and hash_ != links.conversation_hash)
                ):
                    self._touch_conversation(hash_, touched)
        if before is not None and before.conversation_hash != links.conversation_hash:
            old = self._conversations.get(self._merged.root(before.conversation_hash))
            if old is not None:
                old.messages.discard(root)
        state.home, state.links, state.entry = message.home, links, entry
        if entry is not None:
            self._fresh[links.conversation_hash].add(root)
            conversation = self._conversations.get(self._merged.root(links.conversation_hash))
            if conversation is not None:
                conversation.messages.add(root)
        changes.messages.append(MessageRow(message, links))

    def _remove_message(self, root: int, state: MessageState, touched: Touched, changes: Changes) -> None:
        if state.links is None:
            return
        changes.gone_messages.append((state.home, root))
        self._touch_conversation(state.links.conversation_hash, touched)
        old = self._conversations.get(self._merged.root(state.links.conversation_hash))
        if old is not None:
            old.messages.discard(root)
        state.links, state.entry = None, None

    def _touch_conversation(self, hash_: int, touched: Touched) -> None:
        if hash_:
            touched.conversations.add(hash_)

    def _load_contacts(self, wanted: dict[int, str]) -> dict[int, ContactState]:
        states: dict[int, ContactState] = {}
        cold: dict[int, str] = {}
        for hash_, name in wanted.items():
            state = self._contacts.get(hash_)
            if state is None:
                state = ContactState()
                self._contacts.put(hash_, state)
                if not name:
                    state.messages.add(hash_)
                if self.may_exist(hash_) or any(
                    map(self.may_exist, self.identities.address_keys(name) if name else ())
                ):
                    cold[hash_] = name
            states[hash_] = state
        if not cold:
            return states
        rows = self.store.rows(
            f"SELECT contact_hash, hash FROM messages{self.suffix} FINAL"  # noqa: S608
            " WHERE contact_hash IN {keys:Array(UInt64)} AND cohort_at <= fromUnixTimestamp64Milli({horizon:Int64})",
            {"keys": list(cold), "horizon": self.horizon},
        )
        for hash_, message in rows:
            states[hash_].messages.add(message)
        owners = {address: h for h, name in cold.items() if name for address in self.identities.address_keys(name)}
        named = [h for h, name in cold.items() if name]
        by_id = log.find(self.store, "contact_hash", named, through=self.through, types=_HAPPENINGS)
        by_address = log.find(self.store, "address_hash", owners, through=self.through, types=_HAPPENINGS)
        found = [(e, e.contact_hash) for e in by_id]
        found += [(e, owners[e.address_hash]) for e in by_address if not e.contact_hash]
        messages = {m: h for h, s in states.items() if h in cold for m in s.messages}
        found += [
            (e, messages[e.message_hash])
            for e in log.find(self.store, "message_hash", messages, through=self.through, types=_HAPPENINGS)
            if not (e.contact_hash or e.address_hash)
        ]
        orders = {e.link_hash: h for e, h in found if e.link_hash} | {h: h for h, n in cold.items() if not n}
        found += [
            (e, orders[e.link_hash])
            for e in log.find(self.store, "link_hash", orders, through=self.through, types=_HAPPENINGS)
        ]
        ordered = [e for e, _ in found if e.link_hash and e.at <= self.horizon]
        owner = self._owners(ordered)
        for e, hash_ in found:
            # An order that names several contacts is the first one's.
            mine = not e.link_hash or _contact_hash(owner.get(e.link_hash, ""), e.link_hash) == hash_
            if mine and e.at <= self.horizon:
                _take_in(states[hash_].happenings, [e])
        return states

    # Conversations

    def _fold_conversations(self, touched: Touched, changes: Changes, now: int) -> None:
        roots = {self._merged.root(c) for c in touched.conversations}
        states = self._load_conversations(roots)
        vanished = touched.conversations - roots
        if vanished:
            changes.gone_episodes += [(hour_of(at), hash_, at) for hash_, at in self._written_episodes(vanished)]
        for root, state in states.items():
            self._fold_conversation(root, state, now)
        self._link_repeats(states, now)
        for root, state in states.items():
            self._settle_episodes(root, state, changes)

    def _fold_conversation(self, root: int, state: ConversationState, now: int) -> None:
        entries = [e for m in state.messages if (s := self._messages.get(m)) is not None and (e := s.entry) is not None]
        entries += [_entry_of_event(e) for e in state.events.values()]
        result = fold(entries, self.settings, min(now, self.horizon))
        state.episodes, state.surveys = result.episodes, result.surveys

    def _link_repeats(self, states: dict[int, ConversationState], now: int) -> None:
        """Repeats are found over all conversations of a contact, so these are read along."""
        contacts = {e.contact for s in states.values() for e in s.episodes if e.contact}
        held = self._load_contacts({contact_key(c): c for c in contacts})
        self._load_and_fold({m for c in held.values() for m in c.messages})
        others = {
            self._merged.root(s.links.conversation_hash)
            for contact in held.values()
            for m in contact.messages
            if (s := self._messages.get(m)) is not None and s.links is not None and s.entry is not None
        }
        more = self._load_conversations(others - states.keys())
        for root, state in more.items():
            if not state.episodes:
                self._fold_conversation(root, state, now)
        states |= more
        held_by: dict[str, set[int]] = defaultdict(set)
        for root, state in states.items():
            for episode in state.episodes:
                if episode.contact in contacts:
                    held_by[episode.contact].add(root)
        for contact, roots in held_by.items():
            repeats.link(
                {str(r): [e for e in states[r].episodes if e.contact == contact] for r in roots},
                self.settings,
                min(now, self.horizon),
            )
        for root, state in states.items():
            alone = [e for e in state.episodes if not e.contact]
            if alone:
                repeats.link({str(root): alone}, self.settings, min(now, self.horizon))

    def _load_and_fold(self, roots: Iterable[int]) -> None:
        states = self._load_messages(roots)
        self._fold_messages({r: s for r, s in states.items() if s.message is None})
        for state in states.values():
            if state.message is not None and state.links is not None and state.entry is None:
                state.entry = _entry(state.message, state.links)

    def _settle_episodes(self, root: int, state: ConversationState, changes: Changes) -> None:
        last_merge = self._merged.last_merge(root)
        counted = [e for e in state.episodes if e.outcome != "merged"]
        for opened_at in state.written.keys() - {e.opened_at for e in counted}:
            changes.gone_episodes.append((hour_of(opened_at), root, opened_at))
            del state.written[opened_at]
        for episode in counted:
            print_ = msgspec.msgpack.encode(episode)
            if state.written.get(episode.opened_at) == print_:
                continue
            state.written[episode.opened_at] = print_
            changes.episodes.append(
                EpisodeRow(
                    state.source,
                    state.name,
                    root,
                    episode,
                    max(episode.last_at, last_merge),
                    self._attrs(state, episode),
                )
            )
        topics = {e.opened_at: e.topics for e in state.episodes}
        kept: set[int] = set()
        for survey in state.surveys:
            hash_ = key("survey", state.source, survey.survey_id)
            kept.add(hash_)
            print_, home = msgspec.msgpack.encode(survey), hour_of(survey.sent_at)
            before = state.surveys_written.get(hash_)
            if before == (home, print_):
                continue
            if before is not None and before[0] != home:
                changes.gone_surveys.append((before[0], hash_))
            state.surveys_written[hash_] = (home, print_)
            last = max(survey.sent_at, survey.answered_at or 0)
            changes.surveys.append(
                SurveyRow(
                    state.source, state.name, root, hash_, survey, topics.get(survey.episode_opened_at or 0, []), last
                )
            )
        for hash_ in state.surveys_written.keys() - kept:
            changes.gone_surveys.append((state.surveys_written.pop(hash_)[0], hash_))

    def _attrs(self, state: ConversationState, episode: Episode) -> dict[str, str]:
        """Those of the message that opened it."""
        for m in state.messages:
            known = self._messages.get(m)
            message = known.message if known is not None else None
            if message is not None and not message.outbound and message.cohort_at == episode.opened_at:
                return message.attrs
        return {}

    def _load_conversations(self, roots: Iterable[int]) -> dict[int, ConversationState]:
        states: dict[int, ConversationState] = {}
        cold: dict[int, int] = {}  # member -> root
        for root in roots:
            state = self._conversations.get(root)
            if state is None:
                state = ConversationState()
                self._conversations.put(root, state)
                for member in self._merged.members(root):
                    state.messages |= self._fresh.get(member, set())
                    _take_in(state.events, self._fresh_events.get(member, ()))
                    if self.may_exist(member):
                        cold[member] = root
            states[root] = state
        if cold:
            self._read_conversations(states, cold)
        self._load_and_fold({m for s in states.values() for m in s.messages})
        for root, state in states.items():
            if not state.name:
                state.source, state.name = self._name(root, state)
        return states

    def _read_conversations(self, states: dict[int, ConversationState], cold: dict[int, int]) -> None:
        members = list(cold)
        rows = self.store.rows(
            f"SELECT conversation_hash, hash FROM messages{self.suffix} FINAL"  # noqa: S608
            " WHERE conversation_hash IN {keys:Array(UInt64)} AND (NOT outbound OR author IN ('agent', 'bot'))"
            " AND cohort_at <= fromUnixTimestamp64Milli({horizon:Int64})",
            {"keys": members, "horizon": self.horizon},
        )
        for hash_, message in rows:
            states[cold[hash_]].messages.add(message)
        events = log.find(self.store, "conversation_hash", cold, through=self.through, types=_CONVERSATION_TYPES)
        surveys = set(cold).union(*(self.identities.surveys_of(member) for member in cold))
        events += log.find(self.store, "link_hash", surveys, through=self.through, types=_SURVEY_TYPES)
        for e in events:
            place = self.identities.place(e)
            if place in cold and e.at <= self.horizon:
                _take_in(states[cold[place]].events, [e])
        for hash_, opened_at in self._written_episodes(set(cold.values())):
            states[hash_].written.setdefault(opened_at, b"")
        answered = self.store.rows(
            f"SELECT conversation_hash, toUnixTimestamp(home) * 1000, hash FROM surveys{self.suffix} FINAL"  # noqa: S608
            " WHERE conversation_hash IN {keys:Array(UInt64)}",
            {"keys": members},
        )
        for hash_, home, survey in answered:
            states[cold[hash_]].surveys_written.setdefault(survey, (home, b""))

    def _written_episodes(self, roots: Iterable[int]) -> list[tuple[int, int]]:
        rows = self.store.rows(
            f"SELECT conversation_hash, toUnixTimestamp64Milli(opened_at) FROM episodes{self.suffix} FINAL"  # noqa: S608
            " WHERE conversation_hash IN {keys:Array(UInt64)}",
            {"keys": list(roots)},
        )
        return [(hash_, at) for hash_, at in rows]

    def _name(self, root: int, state: ConversationState) -> tuple[str, str]:
        for e in state.events.values():
            if e.conversation_hash == root and e.event.conversation_id:
                return e.source, e.event.conversation_id
        for m in state.messages:
            known = self._messages.get(m)
            if (
                known is not None
                and known.links is not None
                and known.links.conversation_hash == root
                and known.message
            ):
                return known.message.source, known.links.conversation
        # Known by nothing but a merge: the name of what was merged into it would depend on the order of arrival.
        into = (e for e in state.events.values() if isinstance(e.event, ConversationMerged) and e.link_hash == root)
        return next(((e.source, e.event.into) for e in into if isinstance(e.event, ConversationMerged)), ("", ""))

    # What a reader of the past asks for

    def members(self, conversation_hash: int) -> set[int]:
        """The conversation and whatever was ever merged with it, before the clock or after."""
        always = self.identities.merged(NEVER_MS)
        return always.members(always.root(conversation_hash))

    def roots(self, conversations: Iterable[int]) -> set[int]:
        return {self._merged.root(c) for c in conversations}

    def merged_at(self, conversation_hash: int) -> int | None:
        """When this conversation was merged into another; None where it was not."""
        if self._merged.root(conversation_hash) == conversation_hash:
            return None
        return self._merged.when(conversation_hash)

    def message(self, root: int) -> MessageState:
        """A message just folded; without events where nothing is known of it."""
        return self._messages.get(root) or MessageState()

    def conversation(self, conversation_hash: int) -> tuple[ConversationState, list[MessageState]]:
        """A conversation just folded, and its messages in order of time (those of campaigns and machines too)."""
        root = self._merged.root(conversation_hash)
        state = self._conversations.get(root) or ConversationState()
        rows = self.store.rows(
            f"SELECT hash FROM messages{self.suffix} FINAL WHERE conversation_hash IN {{keys:Array(UInt64)}}"  # noqa: S608
            " AND cohort_at <= fromUnixTimestamp64Milli({horizon:Int64})",
            {"keys": list(self._merged.members(root)), "horizon": self.horizon},
        )
        wanted = {row[0] for row in rows} | state.messages
        self._load_and_fold(wanted)
        found = [s for m in wanted if (s := self._messages.get(m)) is not None and s.message is not None]
        return state, sorted(found, key=lambda s: (_known(s).cohort_at, _known(s).event_id))

    # Agents

    def _touch_agents(self, batch: Sequence[Logged], changes: Changes) -> None:
        """The days of an agent that a status (holds up to twelve hours), an assignment or a message reaches."""
        for e in batch:
            if isinstance(e.event, AgentStatus):
                self._touch_days(e.event.agent_id, e.at, e.at + DAY_MS // 2, changes)
        for row in changes.episodes:
            for spell in row.episode.assigned:
                self._touch_days(spell.agent, spell.started_at, spell.ended_at or row.valid_from + DAY_MS // 2, changes)
        for message_row in changes.messages:
            message = message_row.message
            if message.author == "agent" and message.agent:
                self._touch_days(message.agent, message.cohort_at, message.cohort_at + 300_000, changes)

    def _touch_days(self, agent: str, start: int, end: int, changes: Changes) -> None:
        if agent in self.agents:
            first, last = start // DAY_MS, min(end, start + 40 * DAY_MS) // DAY_MS
            changes.agents |= {(agent, day) for day in range(first, last + 1)}


def _known(state: MessageState) -> Message:
    assert state.message is not None
    return state.message


def _names_contact(e: Logged) -> bool:
    return bool(e.contact_hash or e.address_hash)


def _contact_hash(name: str, root: int) -> int:
    """A message (or order) of nobody known is its own contact."""
    return contact_key(name) if name else root


def _take_in(held: dict[int, Logged], events: Iterable[Logged]) -> None:
    for e in events:
        known = held.get(e.id_hash)
        held[e.id_hash] = e if known is None else stands(known, e)


def _entry(message: Message, links: Links) -> Entry | None:
    """What the conversation sees of a message; None for those that no service figure looks at."""
    if message.outbound and message.author not in ("agent", "bot"):
        return None
    return Entry(
        at=message.cohort_at,
        id=message.event_id,
        kind="message.sent" if message.outbound else "message.received",
        message_id=f"{message.source}:{message.id}",
        author=message.author,
        agent=message.agent or None,
        team=message.team or None,
        channel=message.channel or None,
        contact=links.contact or None,
        auto_reply=message.auto_reply,
        text=message.text or None,
        not_understood=message.not_understood,
    )


def _entry_of_event(e: Logged) -> Entry:
    event = e.event
    return Entry(
        at=e.at,
        id=e.id,
        kind=str(event.__struct_config__.tag),
        agent=event.agent_id,
        team=event.team_id,
        channel=event.channel,
        contact=event.contact_id,
        by=getattr(event, "by", None),
        topic=getattr(event, "topic", None),
        survey_id=getattr(event, "survey_id", None),
        survey_kind=getattr(event, "kind", None),
        score=getattr(event, "score", None),
        scale_max=getattr(event, "scale_max", None),
    )
