"""Makes the Episode, with all its figures, of an episode's draft."""

from tickertape.derive.business_hours import business_ms, schedule_for
from tickertape.derive.checks import checks
from tickertape.derive.draft import NEVER, PERSON_WITHIN_MS, Draft, Resolve
from tickertape.derive.rules import Rules
from tickertape.derive.timeline import Duration, Episode

FREE_WAITS = 6
TRANSFER_EFFORT = 0.15
NOT_UNDERSTOOD_EFFORT = 0.15
BOT_LOOP_EFFORT = 0.20
WAIT_EFFORT = 0.05
UPSET_MESSAGES = 2


def episode(draft: Draft, rules: Rules, now: int) -> Episode:
    """The episode as known at `now`, without what needs other episodes or surveys (see repeats and surveys)."""
    outcome = _outcome(draft)
    closing = draft.resolves[-1] if outcome in ("resolved", "no_reply") else None
    durations = _durations(draft, closing if outcome == "resolved" else None)
    for duration in durations:
        duration.business_ms = _business(duration, draft, rules)
    human_resolution = next((duration for duration in durations if duration.kind == "human_resolution"), None)
    frustrated_at, undecided_until = _frustration(draft, now)
    return Episode(
        opened_at=draft.opened_at,
        contact=draft.contact,
        channel=draft.channel,
        team=(closing.team if closing else None) or draft.team or draft.last_reply_team,
        topics=draft.topics,
        agent_initiated=draft.agent_initiated,
        outcome=outcome,
        ended_at=closing.at if closing else draft.expired_at,
        resolved_at=closing.effective_at if closing else None,
        resolve_event_at=closing.at if closing else None,
        resolved_by=closing.by if closing else None,
        resolver=closing.agent if closing else None,
        human_replies=draft.human_replies,
        bot_replies=draft.bot_replies,
        reopens=draft.reopens,
        reopens_substantive=draft.reopens_substantive,
        transfers=draft.transfers,
        one_touch=None if outcome == "open" else outcome == "resolved" and draft.human_replies == 1,
        frustrated_at=frustrated_at,
        agents=list(draft.agents),
        last_agent=draft.last_agent,
        durations=durations,
        checks=checks(draft, rules, human_resolution),
        assigned=draft.assigned,
        waiting=draft.waiting,
        customer_messages=draft.customer_messages,
        sentiments=draft.sentiments,
        effort_points=_effort(draft),
        courtesy_waits=[wait.started_at for wait in draft.waits if wait.courtesy],
        open_spans=draft.open_spans,
        revivals=draft.revivals,
        resolves=[resolve.at for resolve in draft.resolves],
        last_at=_last_at(draft, now),
        valid_until=_valid_until(draft, undecided_until),
    )


def _outcome(draft: Draft) -> str:
    if draft.is_open:
        return "open"
    if draft.expired_at is not None and not _expired_courteously(draft):
        return "expired"
    return "resolved" if draft.resolves[-1].answered else "no_reply"


def _expired_courteously(draft: Draft) -> bool:
    return draft.reopens > 0 and not draft.replied_since_opening


# --- durations


def _durations(draft: Draft, resolution: Resolve | None) -> list[Duration]:
    return [*_first_responses(draft), *_waits(draft), *_queue(draft), *_resolutions(draft, resolution)]


def _first_responses(draft: Draft) -> list[Duration]:
    if draft.agent_initiated:
        return []
    made = []
    first = draft.first_human
    if first is not None:
        for kind, start in (("first_response", first.clock_start), ("first_response_from_start", draft.opened_at)):
            made.append(_duration(kind, start, first.ended_at, first.agent, first.team))
    if draft.first_any_reply is not None:
        made.append(_duration("first_any_response", draft.opened_at, *draft.first_any_reply))
    return made


def _waits(draft: Draft) -> list[Duration]:
    made = [_duration(wait.kind, wait.started_at, wait.ended_at, wait.agent, wait.team) for wait in draft.waits]
    if draft.wait_started is not None:
        made.append(_duration("open", draft.wait_started, None, None, draft.waiting_team()))
    return made


def _queue(draft: Draft) -> list[Duration]:
    spells = draft.queue_spells if draft.was_assigned else draft.estimated_spells
    made = [_duration("queue", spell.started_at, spell.ended_at, spell.agent, spell.team) for spell in spells]
    for duration in made:
        duration.estimated = not draft.was_assigned
    return made


def _resolutions(draft: Draft, last: Resolve | None) -> list[Duration]:
    made = []
    first = next((resolve for resolve in draft.resolves if resolve.answered), None)
    if first is not None:
        made.append(_duration("first_resolution", draft.opened_at, first.effective_at, first.agent, first.team))
    if last is not None:
        made.append(_duration("resolution", draft.opened_at, last.effective_at, last.agent, last.team))
        if draft.first_human is not None:
            start = draft.first_human.clock_start if draft.first_handoff is None else draft.first_handoff
            # A timer's effective end may lie before a handoff that nobody took up.
            made.append(
                _duration("human_resolution", min(start, last.effective_at), last.effective_at, last.agent, last.team)
            )
    return made


def _duration(kind: str, started_at: int, ended_at: int | None, agent: str | None, team: str | None) -> Duration:
    return Duration(kind=kind, started_at=started_at, ended_at=ended_at, agent=agent, team=team)


def _business(duration: Duration, draft: Draft, rules: Rules) -> int | None:
    if duration.ended_at is None or not rules.schedules:
        return None
    schedule = schedule_for(rules.schedules, duration.team, draft.channel)
    return None if schedule is None else business_ms(schedule, duration.started_at, duration.ended_at)


# --- effort, frustration and validity


def _effort(draft: Draft) -> float:
    customer_waits = sum(1 for wait in draft.waits if wait.from_customer)
    customer_waits += draft.wait_started is not None and draft.wait_from_customer
    spent = (
        TRANSFER_EFFORT * draft.transfers
        + NOT_UNDERSTOOD_EFFORT * draft.not_understood
        + BOT_LOOP_EFFORT * draft.bot_loops
        + WAIT_EFFORT * max(0, customer_waits - FREE_WAITS)
    )
    return max(0.0, 1.0 - spent)


def _frustration(draft: Draft, now: int) -> tuple[int | None, int | None]:
    """When the first frustrated message was written, and until when a request for a person is undecided."""
    moments = []
    if draft.upset_messages >= UPSET_MESSAGES:
        moments.append(draft.upset_at)
    if draft.repeated_at is not None:
        moments.append(draft.repeated_at)
    if draft.person_refused_at is not None:
        moments.append(draft.person_refused_at)
    undecided_until = None
    if draft.person_asked_at is not None:
        if now > draft.person_asked_at + PERSON_WITHIN_MS:
            moments.append(draft.person_asked_at)
        else:
            undecided_until = draft.person_asked_at + PERSON_WITHIN_MS
    return min((moment for moment in moments if moment is not None), default=None), undecided_until


def _last_at(draft: Draft, now: int) -> int:
    # What time alone has brought about holds from the millisecond after its deadline on.
    passed = [draft.last_at]
    if draft.expired_at is not None:
        passed.append(draft.expired_at + 1)
    if draft.person_asked_at is not None and now > draft.person_asked_at + PERSON_WITHIN_MS:
        passed.append(draft.person_asked_at + PERSON_WITHIN_MS + 1)
    return max(passed)


def _valid_until(draft: Draft, undecided_until: int | None) -> int | None:
    deadlines = [] if undecided_until is None else [undecided_until]
    if draft.is_open and draft.expires_at != NEVER:
        deadlines.append(draft.expires_at)
    return min(deadlines, default=None)
