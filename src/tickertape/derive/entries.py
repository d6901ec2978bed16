"""Puts a conversation's entries into the one order in which they are folded."""

from collections.abc import Sequence

import msgspec

from tickertape.derive.timeline import Entry

RECEIVED = "message.received"
SENT = "message.sent"
OTHER = 6
# What happens at the same moment is taken in this order, so that a message is there before the reply that answers it.
ORDER = {
    "conversation.opened": 0,
    RECEIVED: 1,
    "conversation.handed_off": 2,
    "conversation.queued": 3,
    "conversation.assigned": 4,
    SENT: 5,
    "conversation.resolved": 7,
    "conversation.merged": 8,
}


def ordered(entries: Sequence[Entry], now: int) -> list[Entry]:
    """The entries known at `now`, each once, by (at, kind's order, id). Any order and repetition gives the same list.

    Of two entries with one id the earlier stands; messages with one message id become one, each field from the
    earliest that has it.
    """
    known: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        if entry.at > now:
            continue
        key = (entry.kind, entry.id)
        other = known.get(key)
        if other is None or (other is not entry and _content(entry) < _content(other)):
            known[key] = entry
    unique = sorted(known.values(), key=_place)
    messages = {(entry.kind, entry.message_id) for entry in unique if entry.message_id}
    named = sum(1 for entry in unique if entry.message_id)
    return unique if len(messages) == named else _one_per_message(unique)


def _place(entry: Entry) -> tuple[int, int, str, str]:
    return entry.at, ORDER.get(entry.kind, OTHER), entry.id, entry.kind


def _content(entry: Entry) -> tuple[int, bytes]:
    return entry.at, msgspec.json.encode(entry)


def _one_per_message(entries: list[Entry]) -> list[Entry]:
    first: dict[tuple[str, str], Entry] = {}
    kept = []
    for entry in entries:
        if entry.kind not in (RECEIVED, SENT) or entry.message_id is None:
            kept.append(entry)
            continue
        key = (entry.kind, entry.message_id)
        if key in first:
            _fill(first[key], entry)
        else:
            first[key] = msgspec.structs.replace(entry)
            kept.append(first[key])
    return kept


def _fill(entry: Entry, later: Entry) -> None:
    for field in Entry.__struct_fields__:
        value = getattr(entry, field)
        # False is what a flag has that nobody set; a zero is a value.
        if value is None or value is False:
            setattr(entry, field, getattr(later, field))
