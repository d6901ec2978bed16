"""When an agent was online, active, and with how many open episodes (metrics/service.md section 6)."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from tickertape.derive.rules import HOUR_MS
from tickertape.derive.timeline import Spell
from tickertape.settings import Settings

ONLINE = ("online", "away")
LONGEST_STATUS_MS = 12 * HOUR_MS
ACTIVE_AFTER_MESSAGE_MS = 300_000


class Status(Struct, kw_only=True, gc=False):
    """One `agent.status` event. `device` None: the agent's only one."""

    at: int
    id: str
    status: str
    device: str | None = None


class Segment(Struct, kw_only=True, gc=False):
    """A piece of online time [started_at, ended_at) in which nothing changes.

    Agent hours are the sum of the lengths, occupancy that of the active ones over it, concurrency the mean of
    `open_episodes` weighted by length.
    """

    started_at: int
    ended_at: int
    active: bool
    open_episodes: int


def segments(
    statuses: Sequence[Status],
    waiting: Iterable[Spell],
    assigned: Iterable[Spell],
    message_times: Iterable[int],
    settings: Settings,
    start: int,
    end: int,
    now: int,
) -> list[Segment]:
    """One agent's online time within [start, end) as known at `now`, in order and without overlap.

    `statuses` must reach back to 12 h before `start`, `message_times` (messages the agent wrote) to 5 min before.
    `waiting` are the times of open waits assigned to the agent, `assigned` those of open episodes.
    """
    end = min(end, now)
    online = [(spell_start, spell_end, 0) for spell_start, spell_end in _online(statuses, settings, now)]
    active = [(spell.started_at, _until(spell, end), 1) for spell in waiting if spell.started_at <= now]
    active += [(at, at + ACTIVE_AFTER_MESSAGE_MS, 1) for at in message_times if at <= now]
    open_episodes = [(spell.started_at, _until(spell, end), 2) for spell in assigned if spell.started_at <= now]
    return _sweep([*online, *active, *open_episodes], start, end)


def _online(statuses: Sequence[Status], settings: Settings, now: int) -> list[tuple[int, int]]:
    """Online times, one per status; those of several devices may overlap."""
    longest = LONGEST_STATUS_MS
    if settings.presence_timeout_seconds is not None:
        longest = min(longest, round(min(settings.presence_timeout_seconds * 1000, LONGEST_STATUS_MS)))
    devices: dict[str | None, list[Status]] = {}
    for status in sorted(statuses, key=lambda status: (status.at, status.id)):
        if status.at <= now:
            devices.setdefault(status.device, []).append(status)
    times = []
    for told in devices.values():
        following = [status.at for status in told[1:]] + [told[-1].at + longest]
        for status, next_at in zip(told, following, strict=True):
            if status.status in ONLINE:
                times.append((status.at, min(next_at, status.at + longest)))
    return times


def _until(spell: Spell, end: int) -> int:
    return end if spell.ended_at is None else spell.ended_at


def _sweep(times: list[tuple[int, int, int]], start: int, end: int) -> list[Segment]:
    """Cuts [start, end) wherever the number of online, active or episode times over it changes."""
    changes: dict[int, list[int]] = {}
    for opening, closing, layer in times:
        opening, closing = max(opening, start), min(closing, end)
        if opening < closing:
            changes.setdefault(opening, [0, 0, 0])[layer] += 1
            changes.setdefault(closing, [0, 0, 0])[layer] -= 1
    found: list[Segment] = []
    depth = [0, 0, 0]
    previous = start
    for moment in sorted(changes):
        if depth[0]:
            _append(found, previous, moment, depth[1] > 0, depth[2])
        depth = [depth[layer] + changes[moment][layer] for layer in range(3)]
        previous = moment
    return found


def _append(found: list[Segment], started_at: int, ended_at: int, active: bool, open_episodes: int) -> None:
    last = found[-1] if found else None
    if last and last.ended_at == started_at and (last.active, last.open_episodes) == (active, open_episodes):
        last.ended_at = ended_at
    else:
        found.append(Segment(started_at=started_at, ended_at=ended_at, active=active, open_episodes=open_episodes))
