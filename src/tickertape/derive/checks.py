"""The target checks of one episode: by when an answer was due, and when it came (metrics/service.md section 5)."""

from collections.abc import Iterator

from tickertape.derive.business_hours import add_business_ms, schedule_for
from tickertape.derive.draft import Draft, FirstResponse, Wait
from tickertape.derive.rules import Rules
from tickertape.derive.timeline import Check, Duration

CHECKED_WAITS = ("response", "unanswered")


def checks(draft: Draft, rules: Rules, human_resolution: Duration | None) -> list[Check]:
    """Every check of the episode. A check without `ended_at` is still running."""
    clocks = [*_first_response(draft), *_responses(draft)]
    if human_resolution is not None:
        clocks.append(human_resolution)
    made = (_check(clock, draft.channel, rules) for clock in clocks)
    return [check for check in made if check is not None]


def _first_response(draft: Draft) -> Iterator[Duration]:
    if draft.agent_initiated:
        return
    reached = _first_reached(draft)
    if reached is not None:
        yield _clock("first_response", reached.clock_start, reached.ended_at, reached.agent, reached.team)
    elif draft.wait_started is not None:
        yield _clock("first_response", draft.clock_start(), None, None, draft.waiting_team())


def _responses(draft: Draft) -> Iterator[Duration]:
    reached = _first_reached(draft)
    if reached is None and not draft.agent_initiated:
        return
    later = 0 if draft.agent_initiated or reached is None else reached.later_waits
    for wait in draft.waits[later:]:
        if _is_checked(wait):
            yield _clock("response", wait.started_at, wait.ended_at, wait.agent, wait.team)
    if draft.wait_started is not None:
        yield _clock("response", draft.wait_started, None, None, draft.waiting_team())


def _first_reached(draft: Draft) -> FirstResponse | None:
    """What ended the first-response clock. A wait that is open again after a close without reply keeps it running."""
    if draft.first_human is not None or draft.wait_started is not None:
        return draft.first_human
    return draft.lapsed


def _is_checked(wait: Wait) -> bool:
    return wait.kind in CHECKED_WAITS and not wait.courtesy


def _clock(kind: str, started_at: int, ended_at: int | None, agent: str | None, team: str | None) -> Duration:
    return Duration(kind=kind, started_at=started_at, ended_at=ended_at, agent=agent, team=team)


def _check(clock: Duration, channel: str | None, rules: Rules) -> Check | None:
    """The check of a running or stopped clock; None without a target. Where no schedule applies, all time counts."""
    targets = rules.on(channel)
    target = targets.by_kind[clock.kind]
    if target is None:
        return None
    due_at: int | None = clock.started_at + target
    schedule = schedule_for(rules.schedules, clock.team, channel) if targets.by_business_time else None
    if schedule is not None:
        due_at = add_business_ms(schedule, clock.started_at, target)
    if due_at is None:
        # Too little business time is to come: what has ended was in time, what has not is never late.
        due_at = clock.ended_at
    if due_at is None:
        return None
    return Check(
        kind=clock.kind.removeprefix("human_"),
        started_at=clock.started_at,
        due_at=due_at,
        ended_at=clock.ended_at,
        agent=clock.agent,
        team=clock.team,
    )
