"""What goes into the fold of a conversation and what comes out of it. Times are milliseconds since the epoch (UTC)."""

from msgspec import Struct, field


class Entry(Struct, kw_only=True):
    """One point of a conversation's timeline: a message (already one, however many events told of it) or an event.

    `kind` is the event type: "message.received", "message.sent", "conversation.…", "survey.sent", "survey.answered".
    """

    at: int
    id: str
    kind: str
    message_id: str | None = None
    author: str | None = None
    agent: str | None = None
    team: str | None = None
    channel: str | None = None
    contact: str | None = None
    auto_reply: bool = False
    by: str | None = None
    topic: str | None = None
    text: str | None = None
    sentiment: float | None = None
    wants_human: bool = False
    not_understood: bool = False
    survey_id: str | None = None
    survey_kind: str | None = None
    score: float | None = None
    scale_max: float | None = None


class Duration(Struct, kw_only=True, gc=False):
    """One measured interval. `ended_at` None: still running (an open wait).

    `kind`: first_response, first_response_from_start, first_any_response, response, bot_response, unanswered, open,
    queue, first_resolution, resolution, human_resolution. The waits of an episode are its durations of the kinds
    response, bot_response, unanswered and open.
    """

    kind: str
    started_at: int
    ended_at: int | None
    business_ms: int | None = None
    agent: str | None = None
    team: str | None = None
    estimated: bool = False


class Check(Struct, kw_only=True, gc=False):
    """One check of a target. Met when it ended at or before `due_at`; breached at `due_at` once the clock is past."""

    kind: str  # first_response, response, resolution
    started_at: int
    due_at: int
    ended_at: int | None
    agent: str | None = None
    team: str | None = None


class Spell(Struct, kw_only=True, gc=False):
    """A time during which an episode was assigned to an agent (and, for waiting spells, had an open wait)."""

    agent: str
    started_at: int
    ended_at: int | None


class Span(Struct, kw_only=True, gc=False):
    """A time during which an episode was open. `ended_at` None: it still is."""

    started_at: int
    ended_at: int | None


class Survey(Struct, kw_only=True):
    """One survey as sent and answered; `score` is the last answer inside the edit window of the first."""

    survey_id: str
    kind: str
    sent_at: int
    answered_at: int | None = None
    score: float | None = None
    scale_max: float | None = None
    agent: str | None = None
    team: str | None = None
    channel: str | None = None
    contact: str | None = None
    episode_opened_at: int | None = None


class Quality(Struct, kw_only=True):
    score: float | None
    coverage: float
    parts: dict[str, float]
    """Points of each part that exists (S, R, W, E, V); they add up to the score."""
    formula_version: int = 1


class Episode(Struct, kw_only=True):
    """One customer need inside a conversation, as known at a clock."""

    opened_at: int
    contact: str | None
    channel: str | None
    team: str | None = None
    topics: list[str] = field(default_factory=list)
    agent_initiated: bool = False
    outcome: str = "open"  # open, resolved, no_reply, expired, merged
    ended_at: int | None = None
    """When the episode ended: the counted resolve's own time, or the expiry."""
    resolved_at: int | None = None
    """The effective end of a resolved episode; of outcome no_reply the resolve's own time."""
    resolve_event_at: int | None = None
    """The counted resolve's own time: the repeat and FCR windows run from it."""
    resolved_by: str | None = None
    resolver: str | None = None
    """The agent who resolved, from the resolve event."""
    human_replies: int = 0
    bot_replies: int = 0
    reopens: int = 0
    reopens_substantive: int = 0
    transfers: int = 0
    one_touch: bool | None = None
    fcr: str | None = None
    fcr_matures_at: int | None = None
    is_repeat: bool = False
    failed_by_repeat_at: int | None = None
    frustrated_at: int | None = None
    agents: list[str] = field(default_factory=list)
    last_agent: str | None = None
    durations: list[Duration] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    assigned: list[Spell] = field(default_factory=list)
    waiting: list[Spell] = field(default_factory=list)
    customer_messages: int = 0
    sentiments: list[float] = field(default_factory=list)
    """Scores of the customer's messages, in order, where scored."""
    effort_points: float = 1.0
    """Part E of the quality score, 0..1."""
    courtesy_waits: list[int] = field(default_factory=list)
    """Starts of the waits of courtesy reopens: in no check and not in quality."""
    surveys: list[Survey] = field(default_factory=list)
    open_spans: list[Span] = field(default_factory=list)
    """When the episode was open: one span, and one more per reopen. Parallel contact is judged by them."""
    revivals: list[Span] = field(default_factory=list)
    """When it counted as expired, until a late reply or resolve took it up again; it was open then after all."""
    resolves: list[int] = field(default_factory=list)
    """The own times of the counted resolves (courtesy ones left out), in order. Repeats are judged by them."""
    quality: Quality | None = None
    last_at: int = 0
    """The latest time of anything that this version of the episode rests on: it holds from then on."""
    own_last_at: int | None = None
    """`last_at` by its own conversation alone; noted when the contact's episodes are linked."""
    valid_until: int | None = None
    """The clock after which this version no longer holds by the passage of time alone (expiry, or ten minutes after an
    unanswered request for a person); None: never."""
