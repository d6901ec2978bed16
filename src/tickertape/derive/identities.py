"""Which names mean the same thing: attempts of one message, conversations merged into others, addresses of a contact.

Each is the answer of the earliest event that says so, so none depends on the order of arrival.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from tickertape.derive import merges
from tickertape.derive.messages import Message
from tickertape.events import ContactUpdated, ConversationMerged, Event, MessageSent, SurveyEvent
from tickertape.keys import key
from tickertape.store import Store, log
from tickertape.store.log import Logged

Claim = tuple[int, str]
"""Time and id of the event that says so; the smallest claim stands."""


class Identities:
    """Kept in memory, and complete: loaded from the store at start, then told of every event."""

    def __init__(self) -> None:
        self._parents: dict[int, tuple[Claim, int]] = {}
        self._children: dict[int, set[int]] = defaultdict(set)
        self._merges: dict[int, tuple[Claim, int]] = {}
        self._surveys: dict[int, tuple[Claim, int]] = {}
        self._surveys_of: dict[int, set[int]] = defaultdict(set)
        self._contacts: dict[int, tuple[Claim, str]] = {}
        self._addresses: dict[str, set[int]] = defaultdict(set)
        self._unclaimed: set[int] = set()

    @classmethod
    def load(cls, store: Store, suffix: str, through: int) -> "Identities":
        known = cls()
        for e in log.of_types(store, ["message.sent"], through=through, linked=True):
            known.note_retry(e)
        for e in log.of_types(store, ["conversation.merged"], through=through):
            known.note_merge(e)
        for e in log.of_types(store, ["survey.sent", "survey.answered"], through=through, linked=True):
            known.note_survey(e)
        rows = store.rows(
            "SELECT address_hash, contact_id, toUnixTimestamp64Milli(at), event_id "  # noqa: S608
            f"FROM contact_links{suffix} FINAL"
        )
        for address, contact_id, at, event_id in rows:
            known._claim(address, (at, event_id), contact_id)
        unclaimed = store.rows(
            "SELECT DISTINCT address_hash FROM events"
            " WHERE address_hash != 0 AND contact_hash = 0 AND seq <= {through:UInt64}",
            {"through": through},
        )
        known._unclaimed = {row[0] for row in unclaimed}
        return known

    # Attempts of one message

    def note_retry(self, e: Logged) -> bool:
        """True where this changes which message an attempt belongs to."""
        if not isinstance(e.event, MessageSent) or not e.link_hash:
            return False
        known = self._parents.get(e.message_hash)
        if known is not None and known[0] <= e.order:
            return False
        if known is not None:
            self._children[known[1]].discard(e.message_hash)
        self._parents[e.message_hash] = (e.order, e.link_hash)
        self._children[e.link_hash].add(e.message_hash)
        return True

    def root(self, message_hash: int) -> int:
        """The first attempt's key; attempts that name each other in a ring are one message, by the smallest key."""
        seen = [message_hash]
        while (parent := self._parents.get(seen[-1])) is not None:
            if parent[1] in seen:
                return min(seen[seen.index(parent[1]) :])
            seen.append(parent[1])
        return seen[-1]

    def attempts(self, root: int) -> set[int]:
        found, new = {root}, {root}
        while new:
            new = {child for parent in new for child in self._children.get(parent, ())} - found
            found |= new
        return found

    # Merged conversations

    def note_merge(self, e: Logged) -> bool:
        """True where this changes where a conversation's messages are."""
        if not isinstance(e.event, ConversationMerged) or e.conversation_hash == e.link_hash:
            return False
        known = self._merges.get(e.conversation_hash)
        if known is not None and known[0] <= e.order:
            return False
        self._merges[e.conversation_hash] = (e.order, e.link_hash)
        return True

    def merged(self, horizon: int) -> "Merged":
        """Where each merged conversation's messages are, by the merges known at a clock."""
        rows = [
            (at, event_id, str(conversation), str(into))
            for conversation, ((at, event_id), into) in list(self._merges.items())
            if at <= horizon
        ]
        resolved = {int(a): int(b) for a, b in merges.resolve(rows).items()}
        return Merged(resolved, {c: claim[0] for c, (claim, _) in list(self._merges.items())})

    # Surveys, whose answers often name no conversation

    def note_survey(self, e: Logged) -> bool:
        """True where this changes which conversation a survey belongs to."""
        if not isinstance(e.event, SurveyEvent) or not e.conversation_hash:
            return False
        known = self._surveys.get(e.link_hash)
        if known is not None and known[0] <= e.order:
            return False
        if known is not None:
            self._surveys_of[known[1]].discard(e.link_hash)
        self._surveys[e.link_hash] = (e.order, e.conversation_hash)
        self._surveys_of[e.conversation_hash].add(e.link_hash)
        return known is None or known[1] != e.conversation_hash

    def place(self, e: Logged) -> int:
        """The conversation that an event of a conversation or a survey belongs to; a survey without one is its own."""
        if not isinstance(e.event, SurveyEvent):
            return e.conversation_hash
        known = self._surveys.get(e.link_hash)
        return known[1] if known is not None else e.link_hash

    def surveys_of(self, conversation_hash: int) -> set[int]:
        return self._surveys_of.get(conversation_hash, set())

    # Contacts and their addresses

    def note_contact(self, e: Logged) -> Iterator[tuple[int, str, str]]:
        """Yields (address key, event id, contact id) for each address that this event links, moves or antedates."""
        event = e.event
        for address_hash in _addresses(event, e):
            if event.contact_id is None:
                self._unclaimed.add(address_hash)
            elif self._claim(address_hash, e.order, event.contact_id):
                yield address_hash, e.id, event.contact_id

    def _claim(self, address_hash: int, claim: Claim, contact_id: str) -> bool:
        known = self._contacts.get(address_hash)
        if known is not None and known[0] <= claim:
            return False
        self._contacts[address_hash] = (claim, contact_id)
        if known is not None:
            self._addresses[known[1]].discard(address_hash)
        self._addresses[contact_id].add(address_hash)
        # An earlier claim for the same contact is told too: what is read after a restart must compare as this does.
        return True

    def was_used_alone(self, address_hash: int) -> bool:
        """Whether some event named this address without its contact: a new link then moves what was derived."""
        return address_hash in self._unclaimed

    def contact(self, contact_id: str | None, address: str | None) -> str:
        """Who: the business's own id, else the contact the address is linked to, else the address itself."""
        if contact_id:
            return contact_id
        if not address:
            return ""
        known = self._contacts.get(key("address", address))
        return known[1] if known is not None else address

    def contact_of(self, message: Message) -> str:
        return self.contact(message.contact_id, message.address)

    def address_keys(self, contact: str) -> set[int]:
        """The addresses of a contact, as keys of the log."""
        own = self._addresses.get(contact)
        return own if own is not None else {key("address", contact)}


class Merged:
    """A resolved set of merges."""

    def __init__(self, target: dict[int, int], moments: dict[int, int]) -> None:
        self._target = target
        self._moments = moments
        self._members: dict[int, set[int]] = defaultdict(set)
        for source, into in target.items():
            self._members[into].add(source)

    def root(self, conversation_hash: int) -> int:
        return self._target.get(conversation_hash, conversation_hash)

    def members(self, root: int) -> set[int]:
        return {root, *self._members.get(root, ())}

    def last_merge(self, root: int) -> int:
        """When the last conversation was merged into this one; 0 where none was."""
        return max((self._moments[m] for m in self._members.get(root, ())), default=0)

    def when(self, conversation_hash: int) -> int:
        return self._moments[conversation_hash]


def _addresses(event: Event, e: Logged) -> Iterable[int]:
    if e.address_hash:
        yield e.address_hash
    if isinstance(event, ContactUpdated):
        for address in event.addresses or ():
            yield key("address", address)
