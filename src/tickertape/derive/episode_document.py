"""One episode as GET /v1/conversations/{id} shows it."""

from datetime import UTC, datetime
from typing import Any

from tickertape.derive.timeline import Episode, Quality

# field of the document -> kind of duration
SINGLE = {
    "first_response_seconds": "first_response",
    "first_response_from_start_seconds": "first_response_from_start",
    "first_any_response_seconds": "first_any_response",
    "first_resolution_seconds": "first_resolution",
    "resolution_seconds": "resolution",
    "human_resolution_seconds": "human_resolution",
}
LISTS = {
    "response_seconds": "response",
    "bot_response_seconds": "bot_response",
    "unanswered_seconds": "unanswered",
    "queue_seconds": "queue",
}
Lengths = dict[str, list[int | None]]


def document(episode: Episode) -> dict[str, Any]:
    """The episode's JSON: durations in seconds, lists in order, times as RFC 3339 in UTC.

    `business` holds the same durations by business hours; null where no schedule measured any.
    """
    return {
        "opened_at": timestamp(episode.opened_at),
        "resolved_at": timestamp(episode.resolved_at),
        "outcome": episode.outcome,
        "resolved_by": episode.resolved_by,
        **_seconds(_calendar(episode)),
        "reopens": episode.reopens,
        "reopens_substantive": episode.reopens_substantive,
        "transfers": episode.transfers,
        "one_touch": episode.one_touch,
        "fcr": episode.fcr,
        "agents": episode.agents,
        "business": _business(episode),
        "quality": _quality(episode.quality),
    }


def timestamp(at: int | None) -> str | None:
    """RFC 3339 in UTC, with milliseconds only where there are some."""
    if at is None:
        return None
    seconds, milliseconds = divmod(at, 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text.zfill(19)}.{milliseconds:03d}Z" if milliseconds else f"{text.zfill(19)}Z"


def _calendar(episode: Episode) -> Lengths:
    lengths: Lengths = {}
    for duration in episode.durations:
        if duration.ended_at is not None:
            lengths.setdefault(duration.kind, []).append(duration.ended_at - duration.started_at)
    return lengths


def _business(episode: Episode) -> dict[str, Any] | None:
    lengths: Lengths = {}
    for duration in episode.durations:
        if duration.ended_at is not None:
            lengths.setdefault(duration.kind, []).append(duration.business_ms)
    if all(length is None for kind in lengths.values() for length in kind):
        return None
    return _seconds(lengths)


def _seconds(lengths: Lengths) -> dict[str, Any]:
    single = {field: _second(lengths[kind][0]) if kind in lengths else None for field, kind in SINGLE.items()}
    lists = {field: [_second(length) for length in lengths.get(kind, [])] for field, kind in LISTS.items()}
    return single | lists


def _second(milliseconds: int | None) -> float | int | None:
    if milliseconds is None:
        return None
    return milliseconds // 1000 if milliseconds % 1000 == 0 else milliseconds / 1000


def _quality(quality: Quality | None) -> dict[str, Any] | None:
    if quality is None:
        return None
    return {
        "score": quality.score,
        "coverage": quality.coverage,
        "parts": quality.parts,
        "formula_version": quality.formula_version,
    }
