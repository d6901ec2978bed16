"""Works out agents' days from their statuses and the spells of the episodes they held."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tickertape.derive.facts import AgentDay
from tickertape.derive.presence import Status, segments
from tickertape.derive.rules import DAY_MS, HOUR_MS
from tickertape.derive.timeline import Spell
from tickertape.settings import Settings
from tickertape.store import NEVER_MS, Store

HOLDS_MS = DAY_MS // 2
"""A status holds at most twelve hours."""
RECENT_MS = 300_000
"""A message makes its author active for five minutes."""


def work_out(
    store: Store, suffix: str, days: Iterable[tuple[str, int]], settings: Settings, through: int
) -> list[AgentDay]:
    """The given (agent, day) pairs, from what the log and the facts written so far say of them."""
    return [fact for run in _runs(days) for fact in _one_run(store, suffix, run, settings, through)]


def _runs(days: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    """The pairs in stretches of neighbouring days: each is read with a few queries."""
    run: list[tuple[str, int]] = []
    for agent, day in sorted(days, key=lambda pair: pair[1]):
        if run and day > run[-1][1] + 1:
            yield run
            run = []
        run.append((agent, day))
    if run:
        yield run


def _one_run(
    store: Store, suffix: str, run: list[tuple[str, int]], settings: Settings, through: int
) -> Iterator[AgentDay]:
    start, end = run[0][1] * DAY_MS, (run[-1][1] + 1) * DAY_MS
    agents = sorted({agent for agent, _ in run})
    statuses: dict[str, list[Status]] = defaultdict(list)
    teams: dict[str, str] = {}
    for agent, at, status, device, team, event_id in _statuses(store, agents, start - HOLDS_MS, end, through):
        statuses[agent].append(Status(at=at, id=event_id, status=status, device=device))
        teams[agent] = team or teams.get(agent, "")
    assigned = _spells(store, suffix, "assigned", agents, start, end)
    waiting = _spells(store, suffix, "waiting", agents, start, end)
    written = _message_times(store, suffix, agents, start - RECENT_MS, end)
    for agent, day in run:
        first, last = day * DAY_MS, (day + 1) * DAY_MS
        yield AgentDay(
            day=day,
            agent=agent,
            team=teams.get(agent, ""),
            segments=segments(
                [s for s in statuses[agent] if first - HOLDS_MS <= s.at < last],
                [s for s in waiting[agent] if s.started_at < last and (s.ended_at is None or s.ended_at > first)],
                [s for s in assigned[agent] if s.started_at < last and (s.ended_at is None or s.ended_at > first)],
                [at for at in written[agent] if first - RECENT_MS <= at < last],
                settings,
                first,
                last,
                NEVER_MS,
            ),
        )


def _message_times(store: Store, suffix: str, agents: list[str], start: int, end: int) -> dict[str, list[int]]:
    rows = store.rows(
        f"SELECT agent, toUnixTimestamp64Milli(cohort_at) FROM messages{suffix} FINAL"  # noqa: S608
        " WHERE home >= fromUnixTimestamp({start:Int64}) AND home < fromUnixTimestamp({end:Int64})"
        " AND author = 'agent' AND agent IN {agents:Array(String)} AND NOT test",
        {"start": (start - HOUR_MS) // 1000, "end": end // 1000, "agents": agents},
    )
    written: dict[str, list[int]] = defaultdict(list)
    for agent, at in rows:
        written[agent].append(at)
    return written


def _statuses(store: Store, agents: list[str], start: int, end: int, through: int) -> Iterable[Sequence[Any]]:
    """The earliest of every event id, in order of time."""
    return store.rows(
        "SELECT argMin(JSONExtractString(body, 'agent_id'), at) AS agent, toUnixTimestamp64Milli(min(at)) AS at_ms,"
        " argMin(JSONExtractString(body, 'status'), at), argMin(JSONExtractString(body, 'device'), at),"
        " argMin(JSONExtractString(body, 'team_id'), at), any(id)"
        " FROM events WHERE type = 'agent.status' AND seq <= {through:UInt64}"
        " AND at >= fromUnixTimestamp64Milli({start:Int64}) AND at < fromUnixTimestamp64Milli({end:Int64})"
        " GROUP BY id_hash HAVING agent IN {agents:Array(String)} ORDER BY at_ms, any(id)",
        {"agents": agents, "start": start, "end": end, "through": through},
    )


def _spells(store: Store, suffix: str, kind: str, agents: list[str], start: int, end: int) -> dict[str, list[Spell]]:
    rows = store.rows(
        "SELECT s.1 AS agent, toUnixTimestamp64Milli(s.2), toUnixTimestamp64Milli(s.3)"  # noqa: S608
        f" FROM episodes{suffix} FINAL"
        f" ARRAY JOIN arrayZip({kind}.agent, {kind}.started_at, {kind}.ended_at) AS s"
        " WHERE opened_at < fromUnixTimestamp64Milli({end:Int64}) AND hasAny("
        + f"{kind}.agent"
        + ", {agents:Array(String)})"
        " AND s.2 < fromUnixTimestamp64Milli({end:Int64}) AND s.3 > fromUnixTimestamp64Milli({start:Int64})"
        " AND agent IN {agents:Array(String)}",
        {"agents": agents, "start": start, "end": end},
    )
    spells: dict[str, list[Spell]] = defaultdict(list)
    for agent, started_at, ended_at in rows:
        spells[agent].append(
            Spell(agent=agent, started_at=started_at, ended_at=None if ended_at >= NEVER_MS else ended_at)
        )
    return spells
