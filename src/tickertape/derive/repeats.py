"""Repeat contacts: what the episodes of one contact mean for each other, and what follows for FCR and quality."""

import bisect
from collections.abc import Mapping, Sequence

from tickertape.derive.quality import assess
from tickertape.derive.rules import rules_for
from tickertape.derive.timeline import Episode, Span
from tickertape.settings import Settings


def link(conversations: Mapping[str, Sequence[Episode]], settings: Settings, now: int) -> None:
    """Fills in is_repeat, failed_by_repeat_at, fcr, fcr_matures_at and quality of all episodes of one contact.

    They come by conversation and must all be folded at `now`. `last_at` rises where a later episode of the contact
    changed an earlier one. Linking again, with other episodes or the same, starts afresh.
    """
    window = rules_for(settings).fcr_window
    every = [episode for episodes in conversations.values() for episode in episodes]
    for episode in every:
        _forget(episode)
    _find_repeats(conversations, window)
    for episode in every:
        _judge(episode, window, now)
        episode.quality = assess(episode, settings)


def _forget(episode: Episode) -> None:
    episode.is_repeat = False
    episode.failed_by_repeat_at = None
    if episode.own_last_at is None:
        episode.own_last_at = episode.last_at
    episode.last_at = episode.own_last_at


def _find_repeats(conversations: Mapping[str, Sequence[Episode]], window: int) -> None:
    counted = [
        (conversation, episode)
        for conversation, episodes in conversations.items()
        for episode in episodes
        if episode.outcome != "merged"
    ]
    # Episodes that open in the same millisecond are taken by conversation; the later one is parallel contact.
    counted.sort(key=lambda row: (row[1].opened_at, row[0]))
    starts = sorted((span.started_at, conversation) for conversation, episode in counted for span in episode.open_spans)
    ends = sorted(span.ended_at for _, episode in counted for span in episode.open_spans if span.ended_at is not None)
    resolves = sorted((at, position) for position, (_, episode) in enumerate(counted) for at in episode.resolves)
    revived = [span for _, episode in counted for span in episode.revivals]
    for conversation, episode in counted:
        opened_at = episode.opened_at
        latest = bisect.bisect_left(resolves, (opened_at,)) - 1
        if latest < 0 or opened_at - resolves[latest][0] > window:
            continue
        previous = counted[resolves[latest][1]][1]
        if bisect.bisect_left(starts, (opened_at, conversation)) > bisect.bisect_left(ends, opened_at):
            _rest_on_revivals(revived, opened_at, (episode, previous))
            continue
        episode.is_repeat = True
        if previous.failed_by_repeat_at is None:
            previous.failed_by_repeat_at = opened_at
            previous.last_at = max(previous.last_at, opened_at)


def _rest_on_revivals(revived: list[Span], opened_at: int, episodes: tuple[Episode, ...]) -> None:
    # Until the other episode was taken up again it counted as expired, and this was a repeat.
    for span in revived:
        if span.ended_at is not None and span.started_at < opened_at < span.ended_at:
            for episode in episodes:
                episode.last_at = max(episode.last_at, span.ended_at)


def _judge(episode: Episode, window: int, now: int) -> None:
    episode.fcr = episode.fcr_matures_at = None
    if episode.outcome != "resolved" or episode.resolve_event_at is None:
        return
    if episode.reopens_substantive or episode.failed_by_repeat_at is not None:
        episode.fcr = "failed"
        return
    episode.fcr_matures_at = episode.resolve_event_at + window
    episode.fcr = "confirmed" if now > episode.fcr_matures_at else "provisional"
