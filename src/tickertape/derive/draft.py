"""One episode while its conversation's timeline is walked: what has happened in it so far."""

from msgspec import Struct, field

from tickertape.derive.timeline import Entry, Span, Spell

NEVER = 2**62
UPSET_SCORE = -0.5
PERSON_WITHIN_MS = 600_000


class Wait(Struct, gc=False):
    """A finished wait. `kind`: response (by a human), bot_response or unanswered."""

    kind: str
    started_at: int
    ended_at: int
    agent: str | None
    team: str | None
    from_customer: bool
    courtesy: bool = False


class Resolve(Struct, gc=False):
    """A counted resolve: one that ends no courtesy reopen. `effective_at` is earlier for an inactivity timer."""

    at: int
    effective_at: int
    by: str | None
    agent: str | None
    team: str | None
    answered: bool
    """Whether a human or bot reply came before it in the episode."""


class FirstResponse(Struct, gc=False):
    """What the first-response check compares: the human reply, or the end of the first unanswered wait.

    Waits from `later_waits` on are later than the one it covers.
    """

    clock_start: int
    ended_at: int
    agent: str | None
    team: str | None
    later_waits: int


class QueueSpell(Struct, gc=False):
    started_at: int
    ended_at: int
    agent: str | None
    team: str | None


class Draft(Struct, kw_only=True):
    """The running state of one episode. Methods take what happened; `measures.episode` makes the Episode of it."""

    opened_at: int
    contact: str | None
    channel: str | None
    team: str | None
    agent_initiated: bool
    idle_ms: int
    last_at: int
    topics: list[str] = field(default_factory=list)

    is_open: bool = True
    snoozed: bool = False
    expires_at: int = NEVER
    """When silence ends the episode: it does so at any later moment."""
    expired_at: int | None = None
    closed_at: int | None = None
    """The own time of the resolve that closed it last; the reopen gap runs from it."""
    open_spans: list[Span] = field(default_factory=list)
    revivals: list[Span] = field(default_factory=list)

    resolves: list[Resolve] = field(default_factory=list)
    reopens: int = 0
    reopens_substantive: int = 0
    replied_since_opening: bool = False
    """Whether anyone replied since the episode opened or was reopened last."""

    customer_messages: int = 0
    last_customer_at: int = 0
    human_replies: int = 0
    bot_replies: int = 0
    agents: dict[str, None] = field(default_factory=dict)
    last_agent: str | None = None
    last_reply_at: int | None = None
    last_reply_team: str | None = None
    first_any_reply: tuple[int, str | None, str | None] | None = None

    first_handoff: int | None = None
    last_handoff: int | None = None
    customer_since_bot: int | None = None
    """The first customer message that no bot message has followed."""
    first_human: FirstResponse | None = None
    lapsed: FirstResponse | None = None
    """The first unanswered wait, as the first-response check sees it while no human has replied."""

    wait_started: int | None = None
    wait_team: str | None = None
    wait_from_customer: bool = True
    waits: list[Wait] = field(default_factory=list)

    was_assigned: bool = False
    """Whether an `assigned` event named an agent in this episode: queue spells end there, else at human replies."""
    queued_since: int | None = None
    queue_spells: list[QueueSpell] = field(default_factory=list)
    unassigned_since: int | None = None
    estimated_spells: list[QueueSpell] = field(default_factory=list)
    transfers: int = 0
    assigned: list[Spell] = field(default_factory=list)
    waiting: list[Spell] = field(default_factory=list)

    sentiments: list[float] = field(default_factory=list)
    upset_at: int | None = None
    upset_messages: int = 0
    texts: dict[str, int] = field(default_factory=dict)
    repeated_at: int | None = None
    person_asked_at: int | None = None
    person_refused_at: int | None = None
    not_understood: int = 0
    bot_text: str | None = None
    bot_loops: int = 0

    # --- opening and closing

    def begin(self, at: int, agent: str | None, queued: bool) -> None:
        """The episode opens or opens again, with the state that holds at that moment."""
        self.is_open = True
        self.snoozed = False
        self.expires_at = at + self.idle_ms
        self.open_spans.append(Span(started_at=at, ended_at=None))
        self.assign(at, agent)
        if queued:
            self.enter_queue(at)

    def reopen(self, at: int, agent: str | None, queued: bool) -> None:
        self.reopens += 1
        self.replied_since_opening = False
        self.begin(at, agent, queued)

    def resolve(self, entry: Entry, team: str | None) -> None:
        self.team = entry.team or team
        by = entry.by or ("agent" if entry.agent else None)
        agent = entry.agent if by == "agent" else None
        self._close(entry.at, agent, self.team)
        self.closed_at = entry.at
        if self._is_courtesy():
            return
        answered = self.last_reply_at is not None
        effective_at = self.last_reply_at if by == "auto" and self.last_reply_at is not None else entry.at
        self.resolves.append(Resolve(entry.at, effective_at, by, agent, self.team, answered))

    def expire(self) -> None:
        """Silence has ended the episode; a courtesy reopen that ends so leaves it at its earlier resolve."""
        self.expired_at = self.expires_at
        self._close(self.expires_at, None, self.team)
        self.closed_at = None

    def revive(self, at: int) -> None:
        """The episode is taken up again after silence had ended it."""
        self.revivals.append(Span(started_at=self.expires_at, ended_at=at))
        self.expires_at = NEVER

    def _close(self, at: int, agent: str | None, team: str | None) -> None:
        self._end_wait("unanswered", at, agent, team)
        self.is_open = False
        self.expires_at = NEVER
        self.queued_since = self.unassigned_since = None
        self.open_spans[-1].ended_at = at
        self.assign(at, None)

    def _is_courtesy(self) -> bool:
        return self.reopens > 0 and not self.replied_since_opening

    # --- messages

    def customer_wrote(self, entry: Entry) -> None:
        at = entry.at
        self.customer_messages += 1
        self.last_customer_at = at
        if self.customer_since_bot is None:
            self.customer_since_bot = at
        if self.wait_started is None:
            self._start_wait(at, entry.team, from_customer=True)
        self._break_silence(at)
        self._note_mood(entry)

    def human_replied(self, entry: Entry, team: str | None) -> None:
        at = entry.at
        self.human_replies += 1
        if entry.agent is not None:
            self.agents[entry.agent] = None
        self.last_agent = entry.agent
        clock_start = self.clock_start()
        self._reply(entry, "response", team)
        if self.first_human is None:
            self.first_human = FirstResponse(clock_start, at, entry.agent, team, len(self.waits))
        if self.unassigned_since is not None:
            self.estimated_spells.append(QueueSpell(self.unassigned_since, at, entry.agent, team))
            self.unassigned_since = None
        if self.person_asked_at is not None:
            if self.person_refused_at is None and at > self.person_asked_at + PERSON_WITHIN_MS:
                self.person_refused_at = self.person_asked_at
            self.person_asked_at = None
        self.bot_text = None

    def bot_replied(self, entry: Entry, team: str | None) -> None:
        self.bot_replies += 1
        self.customer_since_bot = None
        self.not_understood += entry.not_understood
        text = _normal(entry.text)
        self.bot_loops += text is not None and text == self.bot_text
        self.bot_text = text
        self._reply(entry, "bot_response", team)

    def _reply(self, entry: Entry, kind: str, team: str | None) -> None:
        if self.reopens and not self.replied_since_opening:
            self.reopens_substantive += 1
        self.replied_since_opening = True
        self.last_reply_at = entry.at
        self.last_reply_team = team
        if self.first_any_reply is None:
            self.first_any_reply = (entry.at, entry.agent, team)
        self._end_wait(kind, entry.at, entry.agent, team)
        self._break_silence(entry.at)

    def _break_silence(self, at: int) -> None:
        if not self.snoozed:
            self.expires_at = at + self.idle_ms

    def _note_mood(self, entry: Entry) -> None:
        if entry.sentiment is not None:
            self.sentiments.append(entry.sentiment)
            if entry.sentiment <= UPSET_SCORE:
                self.upset_messages += 1
                self.upset_at = entry.at if self.upset_at is None else self.upset_at
        if entry.wants_human and self.person_asked_at is None:
            self.person_asked_at = entry.at
        text = _normal(entry.text)
        if text is None:
            return
        if text not in self.texts:
            self.texts[text] = entry.at
        elif self.repeated_at is None or self.texts[text] < self.repeated_at:
            self.repeated_at = self.texts[text]

    # --- waits

    def waiting_team(self) -> str | None:
        """The team that the open wait is for."""
        return self.wait_team or self.team

    def clock_start(self) -> int:
        """Where the first-response clock starts for a reply at this moment: where a human was needed."""
        if self.last_handoff is not None:
            return self.last_handoff
        return self.last_customer_at if self.customer_since_bot is None else self.customer_since_bot

    def _start_wait(self, at: int, team: str | None, *, from_customer: bool) -> None:
        self.wait_started = at
        self.wait_team = team
        self.wait_from_customer = from_customer
        if self.assigned and self.assigned[-1].ended_at is None:
            self.waiting.append(Spell(agent=self.assigned[-1].agent, started_at=at, ended_at=None))

    def _end_wait(self, kind: str, at: int, agent: str | None, team: str | None) -> None:
        if self.wait_started is None:
            return
        wait = Wait(kind, self.wait_started, at, agent, team, self.wait_from_customer)
        wait.courtesy = kind == "unanswered" and self._is_courtesy()
        self.waits.append(wait)
        if kind == "unanswered" and not wait.courtesy and self.lapsed is None:
            self.lapsed = FirstResponse(self.clock_start(), at, agent, team, len(self.waits))
        self.wait_started = None
        _end(self.waiting, at)

    # --- routing

    def hand_off(self, at: int, team: str | None) -> None:
        self.first_handoff = at if self.first_handoff is None else self.first_handoff
        self.last_handoff = at
        self.enter_queue(at)
        if self.wait_started is None:
            self._start_wait(at, team, from_customer=False)

    def enter_queue(self, at: int) -> None:
        self.queued_since = at if self.queued_since is None else self.queued_since
        self.unassigned_since = at if self.unassigned_since is None else self.unassigned_since

    def leave_queue(self, at: int, agent: str, team: str | None) -> None:
        self.was_assigned = True
        if self.queued_since is not None:
            self.queue_spells.append(QueueSpell(self.queued_since, at, agent, team))
            self.queued_since = None

    def assign(self, at: int, agent: str | None) -> None:
        """From now on the episode is assigned to this agent, or to nobody."""
        if self.assigned and self.assigned[-1].ended_at is None:
            if self.assigned[-1].agent == agent:
                return
            _end(self.assigned, at)
            _end(self.waiting, at)
        if agent is not None:
            self.assigned.append(Spell(agent=agent, started_at=at, ended_at=None))
            if self.wait_started is not None:
                self.waiting.append(Spell(agent=agent, started_at=at, ended_at=None))

    # --- snooze

    def snooze(self) -> None:
        self.snoozed = True
        self.expires_at = NEVER

    def unsnooze(self, at: int) -> None:
        if self.snoozed:
            self.snoozed = False
            self.expires_at = at + self.idle_ms


def _end(spells: list[Spell], at: int) -> None:
    if spells and spells[-1].ended_at is None:
        if spells[-1].started_at == at:
            spells.pop()
        else:
            spells[-1].ended_at = at


def _normal(text: str | None) -> str | None:
    return " ".join(text.split()).casefold() or None if text else None
