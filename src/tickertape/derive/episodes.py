"""The fold: a conversation's timeline → its episodes and surveys (metrics/service.md sections 1, 2, 5 and 9).

A conversation is walked in order with one handler per kind of entry. Silence is judged when the next entry comes:
only then is it known whether an episode that has been silent too long expired, or was taken up again.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct, field

from tickertape.derive import entries as order
from tickertape.derive import measures
from tickertape.derive.draft import Draft
from tickertape.derive.rules import Rules, rules_for
from tickertape.derive.surveys import fold_surveys
from tickertape.derive.timeline import Entry, Episode, Survey
from tickertape.settings import Settings


class Folded(Struct, kw_only=True):
    """One conversation as known at a clock: episodes in order of `opened_at`, surveys in order of `sent_at`.

    A survey that belongs to an episode is in that episode's `surveys` too.
    """

    episodes: list[Episode]
    surveys: list[Survey]


def fold(entries: Sequence[Entry], settings: Settings, now: int) -> Folded:
    """Folds the entries of one conversation, merged ones included, as known at `now` (ms).

    Entries may come in any order and more than once; those later than `now` are ignored. What depends on the
    contact's other conversations (repeats, FCR, quality) is left to `repeats.link`.
    """
    known = order.ordered(entries, now)
    rules = rules_for(settings)
    conversation = _Conversation(rules=rules, contact=next((entry.contact for entry in known if entry.contact), None))
    for entry in known:
        handler = HANDLERS.get(entry.kind)
        if handler is not None:
            conversation.take(entry, handler)
    episodes = [measures.episode(draft, rules, now) for draft in conversation.finish(now)]
    surveys = fold_surveys(conversation.surveys, episodes, rules.survey_edit)
    return Folded(episodes=episodes, surveys=surveys)


def merged(entries: Sequence[Entry], now: int) -> list[Episode]:
    """What a conversation that was merged into another one still shows: one episode, in no count.

    `entries` are its own, from before they moved. Answers an empty list where none is known at `now`.
    """
    known = order.ordered(entries, now)
    if not known:
        return []
    opening = next((entry for entry in known if entry.kind == order.RECEIVED), known[0])
    left_at = next((entry.at for entry in known if entry.kind == "conversation.merged"), None)
    episode = Episode(
        opened_at=opening.at,
        contact=opening.contact or next((entry.contact for entry in known if entry.contact), None),
        channel=opening.channel or next((entry.channel for entry in known if entry.channel), None),
        outcome="merged",
        ended_at=left_at,
        last_at=known[-1].at if left_at is None else left_at,
    )
    return [episode]


class _Conversation(Struct, kw_only=True):
    """The state of a conversation between two entries. The last draft is its current or latest episode."""

    rules: Rules
    contact: str | None
    drafts: list[Draft] = field(default_factory=list)
    surveys: list[tuple[Entry, str | None]] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)

    team: str | None = None
    agent: str | None = None
    queued: bool = False
    """Queued while no episode is open."""
    previous_team: str | None = None
    previous_agent: str | None = None
    """Whom the next routing is compared with, to tell a transfer."""
    transferred_by_queue: bool = False
    outreach_at: int | None = None
    """When an agent wrote last while no episode was open."""
    held_back: list[Entry] = field(default_factory=list)
    """Entries after the current episode's silence ran out: they belong to it only if it is taken up again."""

    @property
    def current(self) -> Draft | None:
        """The open episode."""
        return self.drafts[-1] if self.drafts and self.drafts[-1].is_open else None

    def take(self, entry: Entry, handler: "Handler") -> None:
        draft = self.current
        if draft is not None and entry.at > draft.expires_at and entry.kind not in TIMELESS:
            self._take_after_silence(draft, entry, handler)
            return
        handler(self, entry)
        draft = draft or self.current
        if draft is not None and draft.last_at < entry.at:
            draft.last_at = entry.at

    def _take_after_silence(self, draft: Draft, entry: Entry, handler: "Handler") -> None:
        if entry.kind == order.RECEIVED:
            if not entry.auto_reply:
                draft.expire()
                self._catch_up(entry, handler)
        elif _takes_up(draft, entry):
            draft.revive(entry.at)
            self._catch_up(entry, handler)
        else:
            self.held_back.append(entry)

    def _catch_up(self, entry: Entry, handler: "Handler") -> None:
        for held in self.held_back:
            HANDLERS[held.kind](self, held)
        self.held_back = []
        handler(self, entry)
        self.drafts[-1].last_at = entry.at

    def finish(self, now: int) -> list[Draft]:
        draft = self.current
        if draft is not None and now > draft.expires_at:
            draft.expire()
        return self.drafts


def _takes_up(draft: Draft, entry: Entry) -> bool:
    """Whether an entry undoes the expiry of a silent episode."""
    if entry.kind == "conversation.resolved":
        return True
    return entry.kind == order.SENT and _writer(entry) in ("agent", "bot") and draft.wait_started is not None


def _writer(entry: Entry) -> str:
    return entry.author or ("agent" if entry.agent else "system")


# --- handlers, one per kind of entry


def _received(conversation: _Conversation, entry: Entry) -> None:
    if entry.auto_reply:
        return
    draft = conversation.drafts[-1] if conversation.drafts else None
    if draft is None or not (draft.is_open or _reopen(conversation, draft, entry)):
        draft = _open(conversation, entry)
    draft.customer_wrote(entry)


def _open(conversation: _Conversation, entry: Entry) -> Draft:
    outreach_at, idle_ms = conversation.outreach_at, conversation.rules.idle_after
    draft = Draft(
        opened_at=entry.at,
        contact=entry.contact or conversation.contact,
        channel=entry.channel,
        team=conversation.team or entry.team,
        agent_initiated=outreach_at is not None and entry.at - outreach_at <= idle_ms,
        idle_ms=idle_ms,
        last_at=entry.at,
        topics=conversation.topics,
    )
    conversation.topics = []
    conversation.drafts.append(draft)
    draft.begin(entry.at, conversation.agent, conversation.queued)
    conversation.queued = False
    conversation.outreach_at = None
    return draft


def _reopen(conversation: _Conversation, draft: Draft, entry: Entry) -> bool:
    if draft.closed_at is None or entry.at - draft.closed_at > conversation.rules.reopen_window:
        return False
    draft.team = conversation.team or draft.team
    draft.reopen(entry.at, conversation.agent, conversation.queued)
    conversation.queued = False
    conversation.outreach_at = None
    return True


def _sent(conversation: _Conversation, entry: Entry) -> None:
    writer = _writer(entry)
    draft = conversation.current
    if draft is None:
        if writer == "agent":
            conversation.outreach_at = entry.at
    elif writer == "agent":
        draft.human_replied(entry, entry.team or conversation.team)
    elif writer == "bot":
        draft.bot_replied(entry, entry.team or conversation.team)


def _handed_off(conversation: _Conversation, entry: Entry) -> None:
    # What a bot hands over is routed afresh: the next team and agent are no transfer.
    conversation.previous_team = conversation.previous_agent = None
    conversation.transferred_by_queue = False
    draft = conversation.current
    if draft is None:
        conversation.queued = True
    else:
        draft.hand_off(entry.at, entry.team)


def _queued(conversation: _Conversation, entry: Entry) -> None:
    draft = conversation.current
    if entry.team is not None:
        if conversation.previous_team not in (None, entry.team):
            conversation.transferred_by_queue = True
            if draft is not None:
                draft.transfers += 1
        conversation.previous_team = entry.team
    _route(conversation, draft, entry, None)
    if draft is None:
        conversation.queued = True
    else:
        draft.enter_queue(entry.at)


def _assigned(conversation: _Conversation, entry: Entry) -> None:
    draft = conversation.current
    if entry.team is not None:
        conversation.previous_team = entry.team
    if entry.agent is not None:
        moved = conversation.previous_agent not in (None, entry.agent)
        if moved and not conversation.transferred_by_queue and draft is not None:
            draft.transfers += 1
        conversation.previous_agent = entry.agent
        conversation.transferred_by_queue = False
        conversation.queued = False
    _route(conversation, draft, entry, entry.agent)
    if draft is not None and entry.agent is not None:
        draft.leave_queue(entry.at, entry.agent, conversation.team)


def _route(conversation: _Conversation, draft: Draft | None, entry: Entry, agent: str | None) -> None:
    conversation.team = entry.team or conversation.team
    conversation.agent = agent
    if draft is not None:
        draft.team = conversation.team or draft.team
        draft.assign(entry.at, agent)


def _resolved(conversation: _Conversation, entry: Entry) -> None:
    draft = conversation.current
    if draft is not None:
        draft.resolve(entry, conversation.team)
        conversation.queued = False
        conversation.outreach_at = None


def _reopened(conversation: _Conversation, entry: Entry) -> None:
    if conversation.drafts and not conversation.drafts[-1].is_open:
        _reopen(conversation, conversation.drafts[-1], entry)


def _snoozed(conversation: _Conversation, entry: Entry) -> None:
    if conversation.current is not None:
        conversation.current.snooze()


def _unsnoozed(conversation: _Conversation, entry: Entry) -> None:
    if conversation.current is not None:
        conversation.current.unsnooze(entry.at)


def _tagged(conversation: _Conversation, entry: Entry) -> None:
    draft = conversation.drafts[-1] if conversation.drafts else None
    topics = conversation.topics if draft is None else draft.topics
    if entry.topic is not None and entry.topic not in topics:
        topics.append(entry.topic)
        if draft is not None:
            draft.last_at = max(draft.last_at, entry.at)


def _surveyed(conversation: _Conversation, entry: Entry) -> None:
    conversation.surveys.append((entry, conversation.team))


Handler = Callable[[_Conversation, Entry], None]
HANDLERS: dict[str, Handler] = {
    order.RECEIVED: _received,
    order.SENT: _sent,
    "conversation.handed_off": _handed_off,
    "conversation.queued": _queued,
    "conversation.assigned": _assigned,
    "conversation.resolved": _resolved,
    "conversation.reopened": _reopened,
    "conversation.snoozed": _snoozed,
    "conversation.unsnoozed": _unsnoozed,
    "conversation.tagged": _tagged,
    "survey.sent": _surveyed,
    "survey.answered": _surveyed,
}
TIMELESS = ("conversation.tagged", "survey.sent", "survey.answered")
"""Kinds that mean the same whether or not the episode has expired."""
