"""Service: how fast and how well customers who wrote were helped."""

from tickertape.metrics.kinds import Count, Mean, Metric, Quotient, Ratio, Seconds, Term


def _interval(*kinds: str, and_: str = "1") -> tuple[Term, Term]:
    """A duration by the calendar, and the same by business hours where the episode has a schedule."""
    condition = f"d_kind IN ({', '.join(repr(kind) for kind in kinds)}) AND {and_}"
    return (
        Term("duration", "spread", "duration_ms", condition),
        Term("duration", "spread", "d_business_ms", f"{condition} AND d_business_ms >= 0"),
    )


_FIRST_RESPONSE = _interval("first_response")
_FROM_START = _interval("first_response_from_start")
_FIRST_ANY = _interval("first_any_response")
_RESPONSE = _interval("response")
_BOT_RESPONSE = _interval("bot_response")
_QUEUE = _interval("queue")
_RESOLUTION = _interval("resolution", and_="outcome = 'resolved'")
_FIRST_RESOLUTION = _interval("first_resolution")

_OPENED = Term("opened episode")
_RESOLVED = Term("resolved episode")
_ENDED = Term("ended episode")
_ONLINE_MS = Term("agent time", "sum", "online_ms")

EPISODES_RESOLVED = Count(
    name="episodes_resolved",
    title="Episodes resolved",
    description="Customer needs that were resolved with at least one human or bot reply.",
    formula="episodes with outcome resolved, by the time of their last substantive resolve",
    good="up",
    advice="Compare with episodes opened: a growing gap is a growing backlog.",
    count=_RESOLVED,
)
AGENT_HOURS = Count(
    name="agent_hours",
    title="Agent hours",
    description="Hours in which agents were online or away, the union over their devices.",
    formula="sum of online time / 3600, cut at the edges of the range and of its buckets",
    good="neutral",
    advice="Set it against the contacts expected per interval before changing a roster.",
    count=_ONLINE_MS,
    per=3_600_000,
)

ROWS: tuple[Metric, ...] = (
    Seconds(
        name="first_response_time",
        title="First response time",
        description="How long customers waited for the first human reply, from the moment a human was needed.",
        formula="median of first human reply − (last handoff before it, else first customer message after the bot's"
        " last one, else first customer message)",
        good="down",
        advice="Look at the hours of the day with the longest waits and at open waits there; add people or a bot's"
        " first answer in those hours.",
        source="Clock as in Chatwoot's and Front's reports; a handoff restarts it.",
        duration=_FIRST_RESPONSE[0],
        business=_FIRST_RESPONSE[1],
    ),
    Seconds(
        name="first_response_time_from_start",
        title="First response time from start",
        description="How long customers waited for the first human reply since their first message, bots included.",
        formula="median of first human reply − first customer message",
        good="down",
        advice="Where this is far above the first response time, customers are held up by the bot: hand off earlier.",
        duration=_FROM_START[0],
        business=_FROM_START[1],
    ),
    Seconds(
        name="first_any_response_time",
        title="First response time of human or bot",
        description="How long customers waited for the first reply by anyone.",
        formula="median of first human or bot reply − first customer message",
        good="down",
        advice="Let a bot acknowledge at once and say when a person will answer.",
        duration=_FIRST_ANY[0],
        business=_FIRST_ANY[1],
    ),
    Seconds(
        name="response_time",
        title="Response time",
        description="How long customers waited for a human reply, over every wait and not only the first.",
        formula="median of human reply − first unanswered customer message before it",
        good="down",
        advice="Show open waits beside it: it knows only those who were answered. Answer the oldest wait first.",
        duration=_RESPONSE[0],
        business=_RESPONSE[1],
    ),
    Seconds(
        name="bot_response_time",
        title="Bot response time",
        description="How long customers waited where a bot replied.",
        formula="median of bot reply − first unanswered customer message before it",
        good="down",
        advice="More than a few seconds points at the bot's host or at a provider's webhook that comes late.",
        duration=_BOT_RESPONSE[0],
        business=_BOT_RESPONSE[1],
    ),
    Seconds(
        name="queue_time",
        title="Queue time",
        description="How long conversations waited in a queue until an agent had them.",
        formula="median of assigned (else first human reply) − queued (else handed off); abandoned spells left out",
        good="down",
        advice="Assign automatically, or let idle teams take over from the longest queue.",
        duration=_QUEUE[0],
        business=_QUEUE[1],
    ),
    Seconds(
        name="resolution_time",
        title="Resolution time",
        description="How long it took from a customer's first message until the need was resolved.",
        formula="median of last substantive resolve − first customer message, over resolved episodes",
        good="down",
        advice="Break it down by topic and by transfers: hand-overs are usually where the time goes.",
        duration=_RESOLUTION[0],
        business=_RESOLUTION[1],
    ),
    Seconds(
        name="first_resolution_time",
        title="First resolution time",
        description="How long it took until a customer's need was first called resolved, reopened later or not.",
        formula="median of first resolve with a reply before it − first customer message",
        good="down",
        advice="Where this is far below the resolution time, conversations are closed too early.",
        duration=_FIRST_RESOLUTION[0],
        business=_FIRST_RESOLUTION[1],
    ),
    Ratio(
        name="first_contact_resolution",
        title="First contact resolution",
        description="Share of resolved needs for which the customer did not have to come back.",
        formula="resolved episodes without substantive reopen or repeat contact in the window / resolved episodes",
        good="up",
        advice="Read the reopened conversations of the worst topic; give agents the answer or the right to settle it.",
        numerator=Term("resolved episode", condition="fcr != 'failed'"),
        denominator=_RESOLVED,
        unsettled=Term(
            "resolved episode",
            condition="fcr != 'failed' AND fcr_matures_at >= fromUnixTimestamp64Milli({now:Int64}, 'UTC')",
        ),
    ),
    Ratio(
        name="one_touch_rate",
        title="One-touch rate",
        description="Share of resolved needs that took exactly one human reply.",
        formula="resolved episodes with exactly one human reply / resolved episodes",
        good="up",
        advice="Turn the questions that are answered in one reply into saved replies or a bot's answer.",
        numerator=Term("resolved episode", condition="human_replies = 1"),
        denominator=_RESOLVED,
    ),
    Ratio(
        name="repeat_contact_rate",
        title="Repeat contact rate",
        description="Share of new needs that come from a customer who was helped or closed just before.",
        formula="new episodes opened within the FCR window after the contact's previous one ended / new episodes",
        good="down",
        advice="Ask at the end whether anything is left open; look for closings without a reply.",
        numerator=Term("opened episode", condition="is_repeat"),
        denominator=_OPENED,
    ),
    Ratio(
        name="reopen_rate",
        title="Reopen rate",
        description="Share of resolved needs that had to be taken up again. A mere thank-you does not count.",
        formula="resolved episodes with at least one substantive reopen / resolved episodes",
        good="down",
        advice="Read the reopened conversations: most are closed before the customer confirmed.",
        numerator=Term("resolved episode", condition="reopens_substantive > 0"),
        denominator=_RESOLVED,
    ),
    Ratio(
        name="transfer_rate",
        title="Transfer rate",
        description="Share of resolved needs that moved to another team or agent on the way.",
        formula="resolved episodes with at least one transfer / resolved episodes",
        good="down",
        advice="Route by topic before the first assignment; let bots ask the one question that decides the team.",
        numerator=Term("resolved episode", condition="transfers > 0"),
        denominator=_RESOLVED,
    ),
    Ratio(
        name="sla_attainment",
        title="Target attainment",
        description="Share of checks of the response and resolution targets that were met; open ones over it count.",
        formula="met checks / (met + breached checks)",
        good="up",
        advice="Work on the waits closest to their target first; a target that is never met teaches nobody anything.",
        numerator=Term("check", condition="met"),
        denominator=Term("check"),
    ),
    Ratio(
        name="unanswered_rate",
        title="Unanswered rate",
        description="Share of ended needs that neither a human nor a bot ever answered.",
        formula="ended episodes without any human or bot reply / ended episodes",
        good="down",
        advice="See which channel nobody watches, and whether conversations are closed to clear a queue.",
        numerator=Term("ended episode", condition="human_replies = 0 AND bot_replies = 0"),
        denominator=_ENDED,
    ),
    Count(
        name="episodes_opened",
        title="Episodes opened",
        description="Customer needs that began.",
        formula="episodes by the time of their first customer message",
        good="neutral",
        advice="Plan people by hour of day and day of week from this, not from conversations.",
        count=_OPENED,
    ),
    EPISODES_RESOLVED,
    Count(
        name="open_waits",
        title="Open waits",
        description="Customers who wait for a reply at this moment (or did at the end of the bucket).",
        formula="waits begun and not ended at the earlier of the clock and the end of the range",
        good="down",
        advice="Answer the oldest first.",
        count=Term("open wait"),
    ),
    Seconds(
        name="oldest_wait",
        title="Oldest wait",
        description="How long the customer who waits longest has been waiting.",
        formula="the longest age of the open waits",
        good="down",
        advice="Open it and answer; then find out why no one was assigned.",
        duration=Term("open wait", "spread", "age_ms"),
        headline="max",
    ),
    AGENT_HOURS,
    Quotient(
        name="resolved_per_agent_hour",
        title="Resolved per agent hour",
        description="Needs resolved for each hour that agents were online.",
        formula="episodes resolved / agent hours",
        good="up",
        advice="Judge teams over weeks by it, never a person over a day: topics differ.",
        dividend=EPISODES_RESOLVED,
        divisor=AGENT_HOURS,
    ),
    Ratio(
        name="occupancy",
        title="Occupancy",
        description="Share of online time in which an agent had an open wait or had just written.",
        formula="active seconds / online seconds",
        good="neutral",
        advice="Above 85 % for long, waits explode and people burn out; under 60 % there is room for other work.",
        numerator=Term("agent time", "sum", "online_ms / 1000", "s_active"),
        denominator=Term("agent time", "sum", "online_ms / 1000"),
        sampled=False,
    ),
    Quotient(
        name="concurrency",
        title="Concurrency",
        description="How many open needs an agent had at once while online, on average over the time.",
        formula="sum of open assigned episodes × online time / online time",
        good="neutral",
        advice="Use it in the staffing calculation; beyond three at once answers get slower in most teams.",
        dividend=Count(
            name="episode_time",
            title="",
            description="",
            formula="",
            good="neutral",
            advice="",
            count=Term("agent time", "sum", "online_ms * s_open_episodes"),
            per=3_600_000,
        ),
        divisor=AGENT_HOURS,
    ),
    Ratio(
        name="csat",
        title="Customer satisfaction",
        description="Share of answered satisfaction surveys in the top two of five.",
        formula="answers with (score − 1)/(scale − 1) >= 0.75 / answered CSAT surveys",
        good="up",
        advice="Read the low answers of the worst topic together with their conversations.",
        numerator=Term("answered survey", condition="kind = 'csat' AND share_of_scale >= 0.75"),
        denominator=Term("answered survey", condition="kind = 'csat'"),
    ),
    Ratio(
        name="csat_response_rate",
        title="Survey response rate",
        description="Share of the satisfaction surveys sent that were answered.",
        formula="CSAT surveys sent that were answered / CSAT surveys sent",
        good="up",
        advice="Ask in the channel itself, within the hour, with one tap.",
        numerator=Term(
            "sent survey", condition="kind = 'csat' AND answered_at <= fromUnixTimestamp64Milli({known:Int64}, 'UTC')"
        ),
        denominator=Term("sent survey", condition="kind = 'csat'"),
    ),
    Mean(
        name="nps",
        title="Net promoter score",
        description="Promoters less detractors, from −100 to 100.",
        formula="100 × (share of scores 9–10 − share of scores 0–6)",
        good="up",
        advice="Its sampling error is wide: compare quarters, not weeks, and call detractors back.",
        mean=Term("answered survey", "mean", "multiIf(nps_score >= 9, 100, nps_score <= 6, -100, 0)", "kind = 'nps'"),
    ),
    Mean(
        name="ces",
        title="Customer effort score",
        description="How easy customers found it, on a scale of 1 to 7.",
        formula="mean of the scores, other scales stretched to 1–7",
        good="up",
        advice="Remove repeated questions and transfers first.",
        mean=Term("answered survey", "mean", "1 + 6 * share_of_scale", "kind = 'ces'"),
    ),
)
