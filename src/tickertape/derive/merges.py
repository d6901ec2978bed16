"""Which conversation each merged conversation ended up in."""

from collections.abc import Iterable


def resolve(merges: Iterable[tuple[int, str, str, str]]) -> dict[str, str]:
    """Follows every merge to its end.

    `merges` holds rows of (at, event_id, conversation, into) in any order, repeats allowed. They are taken by
    (at, event_id): the first merge of a conversation stands, one that would close a ring is ignored.
    Answers merged conversation -> the conversation that now holds its events; unmerged ones are not in it.
    """
    into: dict[str, str] = {}
    for _, _, conversation, target in sorted(set(merges)):
        if conversation not in into and _end(into, target) != conversation:
            into[conversation] = target
    return {conversation: _end(into, conversation) for conversation in into}


def _end(into: dict[str, str], conversation: str) -> str:
    walked = []
    while conversation in into:
        walked.append(conversation)
        conversation = into[conversation]
    # Shortening the path keeps long chains linear; the end of each stays what it was.
    for passed in walked:
        into[passed] = conversation
    return conversation
