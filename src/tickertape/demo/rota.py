"""Who is at work when, and what their devices report of it."""

from datetime import date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from tickertape.demo import company
from tickertape.demo.chance import generator
from tickertape.demo.company import AGENTS, HOUR, MINUTE, Agent
from tickertape.demo.world import Event, World, event

_zone = cache(ZoneInfo)


def local(at: int, timezone: str) -> datetime:
    """The moment on the clocks of this zone."""
    return datetime.fromtimestamp(at / 1000, _zone(timezone))


def at_work(at: int, team: str | None = None) -> list[Agent]:
    """The agents on shift, if a team is given only its own."""
    return [agent for agent in AGENTS if team in (None, agent.team) and _on_shift(agent, at)]


def somebody_at_work(at: int, team: str) -> tuple[int, list[Agent]]:
    """The first moment from now on with people at work, and who they are: the team's own, else anybody."""
    for _ in range(2 * 7 * 24):
        if found := at_work(at, team) or at_work(at):
            return at, found
        at += HOUR // 2
    raise ValueError("The rota of the demo leaves a whole week without anybody at work.")


def status_events(world: World, agent: Agent, day: date) -> list[Event]:
    """What the agent's devices report of the shift that begins on this local day, in order; empty on a day off."""
    if day.weekday() not in agent.weekdays:
        return []
    rng = generator(world.seed, "shift", agent.id, day)
    midnight = datetime(day.year, day.month, day.day, tzinfo=_zone(agent.timezone))
    begins = _after(midnight, agent.starts) + rng.randrange(-6 * MINUTE, 9 * MINUTE)
    ends = _after(midnight, agent.ends) + rng.randrange(-4 * MINUTE, 14 * MINUTE)
    lunch = begins + (ends - begins) // 2 + rng.randrange(-40 * MINUTE, 40 * MINUTE)
    back = lunch + rng.randrange(25 * MINUTE, 50 * MINUTE)
    shift = [
        (begins, "online", "browser"),
        (lunch, "away", "browser"),
        (back, "online", "browser"),
        (ends, "offline", "browser"),
    ]
    if rng.random() < 0.4:
        phone = begins + rng.randrange(HOUR, 3 * HOUR)
        shift += [(phone, "online", "phone"), (phone + rng.randrange(20 * MINUTE, 2 * HOUR), "offline", "phone")]
    return [
        event(at, "agent.status", agent_id=agent.id, team_id=agent.team, status=status, device=device)
        for at, status, device in sorted(shift)
    ]


def busy_factor(at: int, team: str) -> float:
    """Times the usual answer time: short-handed hours and short-handed teams are slow."""
    factor = next(row.busy_factor for row in company.TEAMS if row.id == team)
    return factor * {0: 2.2, 1: 1.7, 2: 1.2}.get(len(at_work(at)), 1.0)


def _on_shift(agent: Agent, at: int) -> bool:
    now = local(at, agent.timezone)
    minute = now.hour * 60 + now.minute
    if agent.starts <= minute < agent.ends:
        return now.weekday() in agent.weekdays
    # The end of a night shift belongs to the day before.
    return minute < agent.ends - 1440 and (now.weekday() - 1) % 7 in agent.weekdays


def _after(midnight: datetime, minutes: int) -> int:
    return int((midnight + timedelta(minutes=minutes)).timestamp() * 1000)
