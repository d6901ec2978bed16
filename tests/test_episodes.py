"""Every rule of the fold: (entries, what the only episode must show). Times and lengths are minutes after T0."""

import itertools

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tickertape.derive.episode_document import document, timestamp
from tickertape.derive.episodes import fold, merged
from tickertape.derive.timeline import Entry, Span, Spell
from timelines import (
    DAY,
    LATER,
    MINUTE,
    T0,
    agent,
    asked,
    bot,
    case_entries,
    case_episodes,
    customer,
    entry,
    event,
    golden,
    instant,
    lengths,
    linked,
    minutes,
    near,
    only,
    resolved,
    running,
    settings,
    survey,
    verdicts,
)

H = 60
D = 24 * H


@pytest.mark.parametrize(("case", "expectation"), [row[1:] for row in golden()], ids=[row[0] for row in golden()])
@pytest.mark.parametrize("order", ["as posted", "backwards", "twice"])
def test_golden_cases(case, expectation, order):
    events = {"as posted": case["events"], "backwards": case["events"][::-1], "twice": case["events"] * 2}[order]
    conversation, now = asked(expectation)
    got = case_episodes(events, settings(**case.get("settings", {})), now)[conversation]
    assert near(got, expectation["episodes"]), got


# --- what the rules say

FIELDS = (
    "outcome",
    "reopens",
    "reopens_substantive",
    "transfers",
    "one_touch",
    "fcr",
    "agents",
    "resolved_by",
    "human_replies",
    "bot_replies",
    "agent_initiated",
    "team",
    "resolver",
    "last_agent",
    "customer_messages",
    "effort_points",
    "sentiments",
    "topics",
)
MOMENTS = ("opened_at", "resolved_at", "ended_at", "resolve_event_at", "frustrated_at", "valid_until")


def shown(episode, name, now):
    if name in FIELDS:
        return getattr(episode, name)
    if name in MOMENTS:
        return minutes(getattr(episode, name))
    if name == "checks":
        return verdicts(episode, now)
    if name in ("assigned", "waiting"):
        return [(s.agent, minutes(s.started_at), minutes(s.ended_at)) for s in getattr(episode, name)]
    if name == "open":
        return [minutes(duration.started_at) for duration in running(episode)]
    return lengths(episode, name)


FIRST_BY_BOT = [customer(0), bot(1), customer(2), bot(3)]
RULES = {
    # the wait
    "a handoff with no open wait opens one": (
        [customer(0), bot(1), event(5, "handed_off"), agent(9)],
        {"response": [4], "bot_response": [1], "first_response": [4], "first_response_from_start": [9]},
    ),
    "a bot's word after the handoff ends the wait, not the first-response clock": (
        [customer(0), event(2, "handed_off"), bot(2.5), agent(9)],
        {"bot_response": [2.5], "response": [], "first_response": [7]},
    ),
    "the last handoff before the reply starts the clock": (
        [customer(0), event(1, "handed_off"), bot(2), event(5, "handed_off"), agent(9), event(10, "handed_off")],
        {"first_response": [4], "response": [4]},
    ),
    "a handoff after a reply opens a wait too": (
        [customer(0), agent(1), event(5, "handed_off"), agent(8)],
        {"response": [1, 3]},
    ),
    "messages of campaigns, systems and auto responders touch nothing": (
        [
            entry(-1, "message.sent", author="campaign"),
            customer(0),
            entry(1, "message.sent", author="auto"),
            entry(2, "message.sent", author="system"),
            entry(3, "message.sent"),
            customer(4, auto_reply=True),
            event(5, "noted"),
            entry(6, "message.reacted"),
            agent(10),
        ],
        {"response": [10], "customer_messages": 1, "human_replies": 1, "opened_at": 0, "agent_initiated": False},
    ),
    "without an author an agent id tells a human": (
        [customer(0), entry(5, "message.sent", agent="A")],
        {"response": [5], "agents": ["A"]},
    ),
    # at one moment
    "at one moment the question comes before the reply and the reply before the resolve": (
        [customer(0), agent(0), resolved(0)],
        {"response": [0], "resolution": [0], "outcome": "resolved"},
    ),
    "at one moment handed off, queued, assigned, sent": (
        [customer(0), agent(5), event(5, "assigned", agent="A"), event(5, "queued", team="t"), event(5, "handed_off")],
        {"queue": [0], "response": [5], "first_response": [0], "transfers": 0, "assigned": [("A", 5, 7 * D + 5)]},
    ),
    "a customer message at the moment of the resolve is part of what was resolved": (
        [customer(0), agent(1), resolved(5), customer(5)],
        {"reopens": 0, "unanswered": [0], "outcome": "resolved"},
    ),
    # first response
    "the bot spoke last and nobody handed off": (
        [customer(0), bot(1), customer(3), bot(4), agent(10)],
        {"first_response": [7], "response": [], "bot_response": [1, 1], "first_any_response": [1]},
    ),
    "an agent who wrote first leaves waits but no first response": (
        [agent(-60), customer(0), agent(4), customer(10), agent(11), resolved(20)],
        {
            "agent_initiated": True,
            "first_response": [],
            "first_response_from_start": [],
            "first_any_response": [],
            "response": [4, 1],
            "checks": [("response", "met"), ("response", "met")],
            "human_resolution": [20],
            "human_replies": 2,
        },
    ),
    "exactly the idle time before is agent-initiated": ([agent(-7 * D), customer(0)], {"agent_initiated": True}),
    "longer ago is not": ([agent(-7 * D - 1 / 60000), customer(0)], {"agent_initiated": False}),
    "a bot that writes first initiates nothing": ([bot(-5), customer(0)], {"agent_initiated": False}),
    # expiry
    "silent for exactly the idle time is still open": (
        [customer(0)],
        {"outcome": "open", "now": 7 * D, "open": [0], "valid_until": 7 * D, "one_touch": None},
    ),
    "a millisecond more is expired": (
        [customer(0)],
        {
            "outcome": "expired",
            "now": 7 * D + 1 / 60000,
            "unanswered": [7 * D],
            "ended_at": 7 * D,
            "valid_until": None,
            "one_touch": False,
            "resolved_at": None,
            "checks": [("first_response", "breached")],
        },
    ),
    "a reply on day 8 is a wait of 8 days": (
        [customer(0), agent(8 * D), resolved(8 * D + 1)],
        {"response": [8 * D], "unanswered": [], "outcome": "resolved", "agent_initiated": False},
    ),
    "a bot's reply on day 8 too": (
        [customer(0), bot(8 * D)],
        {"bot_response": [8 * D], "outcome": "expired", "ended_at": 15 * D},
    ),
    "a resolve on day 9 undoes the expiry": (
        [customer(0), resolved(9 * D)],
        {"outcome": "no_reply", "unanswered": [9 * D], "resolved_by": "agent"},
    ),
    "and takes in what was written since": (
        [customer(0), agent(1), agent(8 * D), event(8 * D, "assigned", agent="B"), resolved(9 * D)],
        {"outcome": "resolved", "human_replies": 2, "assigned": [("B", 8 * D, 9 * D)], "resolution": [9 * D]},
    ),
    "an agent's word after an answered silence is no part of it": (
        [customer(0), agent(1), agent(8 * D)],
        {"outcome": "expired", "human_replies": 1, "ended_at": 7 * D + 1},
    ),
    "a handoff after the expiry opens nothing": (
        [customer(0), agent(1), event(8 * D, "handed_off"), agent(9 * D)],
        {"outcome": "expired", "human_replies": 1, "response": [1]},
    ),
    "only public messages break the silence": (
        [
            customer(0),
            agent(1),
            event(3 * D, "assigned", agent="A"),
            entry(3 * D, "message.sent", author="auto"),
            event(5 * D, "noted"),
        ],
        {"outcome": "expired", "ended_at": 7 * D + 1},
    ),
    "what is snoozed does not expire": (
        [customer(0), agent(1), event(2, "snoozed")],
        {"outcome": "open", "now": 100 * D, "valid_until": None},
    ),
    "after a snooze the hours run from the unsnooze": (
        [customer(0), agent(1), event(2, "snoozed"), event(20 * D, "unsnoozed")],
        {"outcome": "expired", "ended_at": 27 * D},
    ),
    "an unsnooze without a snooze is nothing": (
        [customer(0), agent(1), event(2 * D, "unsnoozed")],
        {"ended_at": 7 * D + 1},
    ),
    "a resolve ends the snooze": (
        [customer(0), agent(1), event(2, "snoozed"), resolved(3), customer(4), agent(5)],
        {"outcome": "expired", "ended_at": 7 * D + 5, "reopens_substantive": 1},
    ),
    "idle time is a setting": (
        [customer(0)],
        {"outcome": "expired", "ended_at": 60, "settings": {"idle_after_hours": 1}},
    ),
    # resolve and reopen
    "words after the resolve are nothing": (
        [customer(0), agent(1), resolved(5), agent(6), bot(7), event(8, "handed_off")],
        {"human_replies": 1, "bot_replies": 0, "reopens": 0, "outcome": "resolved", "one_touch": True, "open": []},
    ),
    "a courtesy reopen moves nothing": (
        [customer(0), agent(1), resolved(5), customer(10), resolved(600, who="B")],
        {
            "outcome": "resolved",
            "reopens": 1,
            "reopens_substantive": 0,
            "resolution": [5],
            "resolved_at": 5,
            "resolver": "A",
            "unanswered": [590],
            "fcr": "confirmed",
            "one_touch": True,
            "checks": [("first_response", "met")],
        },
    ),
    "a courtesy re-resolve does not change who resolved": (
        [customer(0), agent(1), resolved(5), customer(10), resolved(600, by="auto")],
        {"resolved_by": "agent", "resolved_at": 5},
    ),
    "while a courtesy reopen is open so is the episode": (
        [customer(0), agent(1), resolved(5), customer(10)],
        {
            "now": 60,
            "outcome": "open",
            "resolution": [],
            "first_resolution": [5],
            "resolved_at": None,
            "fcr": None,
            "one_touch": None,
            "open": [10],
            "checks": [("first_response", "met"), ("response", "breached")],
        },
    ),
    "a courtesy reopen that nobody closes": (
        [customer(0), agent(1), resolved(5), customer(10)],
        {
            "outcome": "resolved",
            "resolved_at": 5,
            "ended_at": 5,
            "unanswered": [7 * D],
            "fcr": "confirmed",
            "resolution": [5],
            "checks": [("first_response", "met")],
        },
    ),
    "a reply on day 8 makes that reopen substantive": (
        [customer(0), agent(1), resolved(5), customer(10), agent(10 + 8 * D), resolved(20 + 8 * D)],
        {"response": [1, 8 * D], "reopens_substantive": 1, "fcr": "failed", "resolution": [20 + 8 * D]},
    ),
    "an event reopens": (
        [customer(0), agent(1), resolved(5), event(10, "reopened"), agent(12), resolved(20)],
        {"reopens": 1, "reopens_substantive": 1, "resolution": [20], "response": [1], "fcr": "failed"},
    ),
    "an event after the customer reopened is nothing": (
        [customer(0), agent(1), resolved(5), customer(10), event(10, "reopened"), event(11, "reopened"), resolved(12)],
        {"reopens": 1},
    ),
    "a customer after the event reopened is nothing either": (
        [customer(0), agent(1), resolved(5), event(9, "reopened"), customer(10), agent(12), resolved(13)],
        {"reopens": 1, "response": [1, 2]},
    ),
    "an event out of the window does not reopen": (
        [customer(0), agent(1), resolved(5), event(5 + D + 1, "reopened"), agent(6 + D + 1)],
        {"reopens": 0, "outcome": "resolved", "human_replies": 1},
    ),
    "a reopened episode's hours run from the reopening": (
        [customer(0), agent(1), resolved(6 * D), event(6.9 * D, "reopened"), agent(7.5 * D), resolved(7.6 * D)],
        {"reopens_substantive": 1, "human_replies": 2},
    ),
    "a substantive reopen that is left alone expires": (
        [customer(0), agent(1), resolved(5), customer(10), agent(11), customer(12)],
        {
            "outcome": "expired",
            "first_resolution": [5],
            "resolution": [],
            "resolved_at": None,
            "reopens_substantive": 1,
            "fcr": None,
        },
    ),
    "closed without a word, then answered": (
        [customer(0), resolved(5), customer(10), agent(12), resolved(20)],
        {
            "outcome": "resolved",
            "first_resolution": [20],
            "resolution": [20],
            "first_response": [12],
            "unanswered": [5],
            "response": [2],
            "reopens_substantive": 1,
            "checks": [("first_response", "breached")],
        },
    ),
    "closed without a word twice": (
        [customer(0), resolved(4), customer(10), resolved(30)],
        {
            "outcome": "no_reply",
            "resolved_at": 4,
            "unanswered": [4, 20],
            "checks": [("first_response", "met")],
            "resolution": [],
        },
    ),
    "reopened after a silent close its first response is pending again": (
        [customer(0), resolved(4), customer(10)],
        {"now": 12, "checks": [("first_response", "breached")]},
    ),
    # the inactivity timer
    "an inactivity timer resolves at the last word": (
        [customer(0), agent(5), resolved(3 * D, by="auto")],
        {
            "resolution": [5],
            "first_resolution": [5],
            "human_resolution": [5],
            "resolved_at": 5,
            "resolved_by": "auto",
            "resolver": None,
            "resolve_event_at": 3 * D,
            "ended_at": 3 * D,
        },
    ),
    "its waits end at its own time": (
        [customer(0), agent(5), customer(8), resolved(3 * D, by="auto")],
        {"resolution": [5], "unanswered": [3 * D - 8]},
    ),
    "its reopen gap runs from its own time": (
        [customer(0), agent(5), resolved(3 * D, by="auto"), customer(4 * D)],
        {"reopens": 1},
    ),
    "a bot's last word counts": (
        [customer(0), bot(5), resolved(3 * D, by="auto")],
        {"resolution": [5], "human_resolution": []},
    ),
    "nothing said: its own time": (
        [customer(0), resolved(3 * D, by="auto")],
        {"outcome": "no_reply", "resolved_at": 3 * D, "resolution": []},
    ),
    "a handoff after the last word": (
        [customer(0), agent(5), event(9, "handed_off"), resolved(3 * D, by="auto")],
        {"human_resolution": [0]},
    ),
    # human resolution
    "human resolution runs from the first handoff": (
        [customer(0), bot(1), event(2, "handed_off"), agent(3), event(5, "handed_off"), agent(6), resolved(12)],
        {"human_resolution": [10], "resolution": [12]},
    ),
    "without a handoff from the clock start": (
        [*FIRST_BY_BOT, customer(5), agent(6), resolved(12)],
        {"human_resolution": [7]},
    ),
    "without a human there is none": ([*FIRST_BY_BOT, event(4, "handed_off"), resolved(12)], {"human_resolution": []}),
    # queue and routing
    "queued without an assigned event: to the first human reply": (
        [customer(0), event(1, "queued", team="t"), agent(6), resolved(9)],
        {"queue": [5]},
    ),
    "handed off without being queued": (
        [customer(0), bot(1), event(4, "handed_off"), event(6, "assigned", agent="A")],
        {"queue": [2]},
    ),
    "handed off while queued": (
        [customer(0), event(1, "queued", team="t"), event(4, "handed_off"), event(6, "assigned", agent="A")],
        {"queue": [5]},
    ),
    "an assigned event anywhere in the episode replaces the estimate": (
        [customer(0), event(1, "queued", team="t"), agent(6), event(8, "assigned", agent="A")],
        {"queue": [7]},
    ),
    "a queue that is closed or expires is abandoned": (
        [customer(0), event(1, "queued", team="t"), resolved(6), customer(10), agent(12)],
        {"queue": []},
    ),
    "unassigning ends no queue": (
        [customer(0), event(1, "queued", team="t"), event(3, "assigned"), event(5, "assigned", agent="A")],
        {"queue": [4], "assigned": [("A", 5, 7 * D)]},
    ),
    "queued when the episode opens belongs to it from its opening": (
        [event(-5, "queued", team="t"), customer(0), event(3, "assigned", agent="A")],
        {"queue": [3], "team": "t"},
    ),
    "assigned when it opens too": (
        [event(-5, "assigned", agent="A", team="t"), customer(0), agent(4)],
        {"assigned": [("A", 0, 7 * D + 4)], "waiting": [("A", 0, 4)], "team": "t", "queue": []},
    ),
    "spells follow the assignee": (
        [
            customer(0),
            event(1, "assigned", agent="A"),
            event(3, "assigned", agent="B"),
            agent(5),
            event(6, "assigned"),
            resolved(9),
        ],
        {"assigned": [("A", 1, 3), ("B", 3, 6)], "waiting": [("A", 1, 3), ("B", 3, 5)]},
    ),
    "a reopened episode is assigned as before": (
        [event(-1, "assigned", agent="A"), customer(0), agent(2), resolved(4), customer(10), agent(11), resolved(12)],
        {"assigned": [("A", 0, 4), ("A", 10, 12)], "waiting": [("A", 0, 2), ("A", 10, 11)]},
    ),
    "the first routing is no transfer": (
        [customer(0), event(1, "queued", team="s"), event(2, "assigned", agent="A", team="s")],
        {"transfers": 0},
    ),
    "to another team and its agent is one": (
        [
            customer(0),
            event(1, "queued", team="s"),
            event(2, "assigned", agent="A"),
            event(3, "queued", team="t"),
            event(4, "assigned", agent="B"),
        ],
        {"transfers": 1, "team": "t"},
    ),
    "back into the same queue and to another agent is one": (
        [
            customer(0),
            event(1, "queued", team="s"),
            event(2, "assigned", agent="A"),
            event(3, "queued", team="s"),
            event(4, "assigned", agent="B"),
        ],
        {"transfers": 1},
    ),
    "from agent to agent is one each": (
        [
            customer(0),
            event(2, "assigned", agent="A"),
            event(3, "assigned", agent="B"),
            event(4, "assigned", agent="B"),
            event(5, "assigned", agent="C"),
        ],
        {"transfers": 2},
    ),
    "through nobody to another agent is one, back to the same none": (
        [
            customer(0),
            event(2, "assigned", agent="A"),
            event(3, "assigned"),
            event(4, "assigned", agent="A"),
            event(5, "assigned"),
            event(6, "assigned", agent="B"),
        ],
        {"transfers": 1},
    ),
    "a bot's handoff is none": (
        [
            event(-1, "assigned", agent="bot", team="bots"),
            customer(0),
            bot(1),
            event(2, "handed_off"),
            event(3, "queued", team="s"),
            event(4, "assigned", agent="A"),
        ],
        {"transfers": 0},
    ),
    "agents are those who replied, in order": (
        [customer(0), event(1, "assigned", agent="C"), agent(2, "B"), agent(3, "A"), agent(4, "B"), agent(5, None)],
        {"agents": ["B", "A"], "human_replies": 4, "last_agent": None},
    ),
    "team is the event's, else the last routed": (
        [
            customer(0),
            event(1, "queued", team="s"),
            agent(2),
            entry(9, "conversation.resolved", by="agent", agent="A", team="t"),
        ],
        {"team": "t"},
    ),
    # checks
    "a later wait met by close, and one breached by expiry": (
        [customer(0), agent(1), customer(2), resolved(4), customer(9), agent(10), customer(11)],
        {"checks": [("first_response", "met"), ("response", "met"), ("response", "met"), ("response", "breached")]},
    ),
    "what only a bot answered has no check": ([*FIRST_BY_BOT, resolved(9, by="bot")], {"checks": []}),
    "a bot's answer and an open wait": (
        [*FIRST_BY_BOT, customer(10)],
        {"now": 12, "checks": [("first_response", "pending")]},
    ),
    "a bot's answer and an open wait over target": (
        [*FIRST_BY_BOT, customer(10), customer(14)],
        {"now": 16, "checks": [("first_response", "breached")]},
    ),
    "a bot's answer and a wait left unanswered": (
        [*FIRST_BY_BOT, customer(10), resolved(14)],
        {"checks": [("first_response", "met")]},
    ),
    "a bot's answers are in no check beside the human's": (
        [*FIRST_BY_BOT, customer(10), agent(12), customer(13), bot(14), resolved(15)],
        {"checks": [("first_response", "met")]},
    ),
    "exactly at the target is met, later is not": (
        [customer(0), agent(5), customer(10), agent(15 + 1 / 60000)],
        {"checks": [("first_response", "met"), ("response", "breached")]},
    ),
    "the resolution target": (
        [customer(0), agent(5), resolved(61)],
        {
            "settings": {"targets": {"resolution_seconds": 3600}},
            "checks": [("first_response", "met"), ("resolution", "breached")],
        },
    ),
    "a target of null is not checked": (
        [customer(0), agent(5), customer(6), agent(7)],
        {"settings": {"targets": {"first_response_seconds": None}}, "checks": [("response", "met")]},
    ),
    "a channel has targets of its own": (
        [customer(0, channel="email"), agent(50), customer(60), agent(80)],
        {
            "settings": {"targets": {"channels": {"email": {"first_response_seconds": 3600}}}},
            "checks": [("first_response", "met"), ("response", "breached")],
        },
    ),
    "a channel can do without a target": (
        [customer(0, channel="email"), agent(50)],
        {"settings": {"targets": {"channels": {"email": {"first_response_seconds": None}}}}, "checks": []},
    ),
    # mood, effort, topics
    "two upset messages": (
        [customer(0, sentiment=0.1), customer(1, sentiment=-0.5), customer(2), customer(3, sentiment=-0.9)],
        {"frustrated_at": 1, "sentiments": [0.1, -0.5, -0.9]},
    ),
    "one is not enough": ([customer(0, sentiment=-1.0), customer(1, sentiment=-0.49)], {"frustrated_at": None}),
    "the same question twice": (
        [customer(0, text="Hi"), customer(1, text="Where is it?"), customer(2, text=" where  is it?")],
        {"frustrated_at": 1},
    ),
    "a person asked for and there in ten minutes": (
        [customer(0), customer(2, wants_human=True), agent(12)],
        {"frustrated_at": None},
    ),
    "a person asked for and there too late": (
        [customer(2, wants_human=True), agent(12 + 1 / 60000)],
        {"frustrated_at": 2},
    ),
    "a person asked for and not there yet": (
        [customer(0), customer(2, wants_human=True), bot(3)],
        {"now": 12, "frustrated_at": None, "valid_until": 12},
    ),
    "a person asked for and not there": (
        [customer(0), customer(2, wants_human=True), bot(3)],
        {"now": 12.1, "frustrated_at": 2},
    ),
    "effort": (
        [
            customer(0),
            bot(1, text="Sorry?", not_understood=True),
            customer(2),
            bot(3, text="sorry?"),
            customer(4),
            bot(5, text="Bye"),
        ],
        {"effort_points": pytest.approx(1 - 0.15 - 0.20)},
    ),
    "waits beyond six": (
        [message for n in range(8) for message in (customer(2 * n), agent(2 * n + 1))],
        {"effort_points": pytest.approx(0.9)},
    ),
    "topics": (
        [
            event(-1, "tagged", topic="a"),
            customer(0),
            event(1, "tagged", topic="b"),
            event(2, "tagged", topic="b"),
            resolved(3),
            event(4, "tagged", topic="c"),
        ],
        {"topics": ["a", "b", "c"]},
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_rules(name):
    entries, expected = RULES[name]
    expected = dict(expected)
    now = T0 + round(expected.pop("now") * MINUTE) if "now" in expected else LATER
    episode = only(entries, now, **expected.pop("settings", {}))
    assert {field: shown(episode, field, now) for field in expected} == expected


# --- several episodes


def outcomes(entries, now=LATER, **given):
    return [(minutes(e.opened_at), e.outcome) for e in linked(entries, now, **given)]


def test_a_customer_message_after_an_expiry_is_a_new_episode():
    assert outcomes([customer(0), customer(7 * D)]) == [(0, "expired")]
    assert outcomes([customer(0), customer(7 * D + 1)]) == [(0, "expired"), (7 * D + 1, "expired")]


def test_an_agent_who_wrote_after_an_expiry_initiated_the_next_episode():
    first, second = linked([customer(0), agent(1), agent(8 * D), customer(9 * D), agent(9 * D + 2)])
    assert (first.outcome, first.human_replies) == ("expired", 1)
    assert (second.agent_initiated, lengths(second, "response")) == (True, [2])


def test_an_agent_who_wrote_before_the_end_did_not():
    _, second = linked([customer(0), agent(1), resolved(2), customer(2 * D)])
    assert not second.agent_initiated


def test_an_agent_who_wrote_between_resolve_and_reopen_did_not():
    _, second = linked([customer(0), agent(1), resolved(2), agent(3), customer(4), resolved(5), customer(3 * D)])
    assert not second.agent_initiated


def test_what_was_routed_after_an_expiry_holds_in_the_next_episode():
    first, second = linked(
        [customer(0), event(8 * D, "queued", team="t"), customer(9 * D), event(9 * D + 4, "assigned", agent="A")]
    )
    assert (first.team, lengths(first, "queue")) == (None, [])
    assert (second.team, lengths(second, "queue")) == ("t", [4])


def test_the_assignee_stays_over_the_end_of_an_episode():
    _, second = linked(
        [customer(0), event(1, "assigned", agent="A"), agent(2), resolved(3), customer(2 * D), resolved(2 * D + 5)]
    )
    assert second.assigned == [Spell(agent="A", started_at=T0 + 2 * DAY, ended_at=T0 + 2 * DAY + 5 * MINUTE)]
    assert second.transfers == 0


def test_the_reopen_window_of_a_courtesy_runs_from_its_own_resolve():
    entries = [customer(0), agent(1), resolved(5), customer(20 * H), resolved(21 * H), customer(44 * H)]
    assert outcomes(entries, T0 + 45 * 60 * MINUTE) == [(0, "open")]


def test_open_spans_tell_when_the_episode_was_open():
    episode = only([customer(0), agent(1), resolved(5), customer(10), resolved(12)])
    assert episode.open_spans == [
        Span(started_at=T0, ended_at=T0 + 5 * MINUTE),
        Span(started_at=T0 + 10 * MINUTE, ended_at=T0 + 12 * MINUTE),
    ]
    assert episode.resolves == [T0 + 5 * MINUTE]


def test_nothing_of_a_customer_is_no_episode():
    assert linked([agent(0), bot(1), event(2, "handed_off"), resolved(3), event(4, "reopened")]) == []
    assert linked([]) == []


# --- business time

SCHEDULE = {
    "name": "s",
    "timezone": "UTC",
    "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
}
BUSINESS = {"targets": {"first_response_seconds": 7 * 3600, "clock": "business"}, "schedules": [SCHEDULE]}


def test_a_target_used_up_at_closing_time_is_not_breached_before_opening():
    # T0 is Friday 10:00: seven hours of business end at 17:00, and nothing more passes until Monday 09:00.
    assert verdicts(only([customer(0), agent(2 * D)], **BUSINESS)) == [("first_response", "met")]
    assert verdicts(only([customer(0), agent(2 * D + 23 * H)], **BUSINESS)) == [("first_response", "met")]
    late = only([customer(0), agent(2 * D + 23 * H + 1)], **BUSINESS)
    assert verdicts(late) == [("first_response", "breached")]
    assert minutes(late.checks[0].due_at) == 2 * D + 23 * H


def test_a_schedule_that_never_opens_breaches_nothing():
    never = BUSINESS | {"schedules": [SCHEDULE | {"weekly": {}}]}
    assert verdicts(only([customer(0), agent(5 * D)], **never)) == [("first_response", "met")]
    assert only([customer(0)], T0 + DAY, **never).checks == []


def test_where_no_schedule_applies_the_business_clock_counts_all_time():
    episode = only([customer(0), agent(7 * H)], **BUSINESS | {"schedules": [SCHEDULE | {"teams": ["night"]}]})
    assert verdicts(episode) == [("first_response", "met")]
    assert minutes(episode.checks[0].due_at) == 7 * H


def test_the_schedule_is_that_of_the_team_of_the_wait():
    schedules = [SCHEDULE, SCHEDULE | {"teams": ["night"], "weekly": {"sat": [["00:00", "24:00"]]}}]
    entries = [customer(0), agent(60), event(61, "queued", team="night"), customer(70), agent(70 + D)]
    episode = only(entries, schedules=schedules)
    waits = [duration.business_ms for duration in episode.durations if duration.kind == "response"]
    assert waits == [60 * MINUTE, (11 * H + 10) * MINUTE]


# --- surveys


def surveys(entries, **given):
    return fold(entries, settings(**given), LATER).surveys


RESOLVED = [customer(0), agent(1, "A"), agent(2, "B"), event(3, "assigned", agent="C", team="t"), resolved(5)]


def test_a_survey_belongs_to_the_last_author_and_the_latest_episode():
    (found,) = surveys([*RESOLVED, survey(6, "sent", survey_kind="csat"), survey(9, "answered", score=4.0)])
    assert (found.agent, found.team, found.channel, found.contact) == ("B", "t", "webchat", "k")
    assert (found.kind, found.score, found.scale_max) == ("csat", 4.0, 5.0)
    assert (minutes(found.sent_at), minutes(found.answered_at), found.episode_opened_at) == (6, 9, T0)


def test_the_last_answer_within_a_day_of_the_first_counts():
    answers = [
        survey(9, "answered", score=1.0),
        survey(9 + D, "answered", score=3.0),
        survey(9 + D + 1, "answered", score=5.0),
    ]
    (found,) = surveys([*RESOLVED, *answers])
    assert (found.score, minutes(found.answered_at), minutes(found.sent_at)) == (3.0, 9, 9)
    (found,) = surveys([*RESOLVED, *answers], survey_edit_hours=1)
    assert found.score == 1.0


def test_a_comment_without_a_score_leaves_the_score():
    (found,) = surveys([*RESOLVED, survey(9, "answered", score=2.0), survey(10, "answered", text="bad")])
    assert found.score == 2.0


def test_scales_default_by_kind():
    asked_for = [survey(6, "sent", kind, survey_kind=kind) for kind in ("csat", "nps", "ces")]
    assert {s.kind: s.scale_max for s in surveys([*RESOLVED, *asked_for])} == {"csat": 5, "nps": 10, "ces": 7}


def test_a_survey_goes_by_when_it_was_sent():
    entries = [
        *RESOLVED,
        survey(6, "sent"),
        customer(3 * D),
        agent(3 * D + 1, "Z"),
        survey(3 * D + 2, "answered", score=1.0),
    ]
    folded = fold(entries, settings(), LATER)
    assert [len(episode.surveys) for episode in folded.episodes] == [1, 0]
    assert folded.surveys[0].agent == "B"


def test_a_survey_without_an_episode_stands_alone():
    (found,) = surveys([survey(-5, "answered", score=3.0, channel="sms", contact="k"), customer(0)])
    assert (found.episode_opened_at, found.agent, found.channel, found.contact) == (None, None, "sms", "k")


def test_later_words_of_the_episode_move_the_survey_to_their_author():
    (found,) = surveys([*RESOLVED, survey(6, "sent"), customer(10), agent(11, "Z")])
    assert found.agent == "Z"


# --- one message, merges, documents


def test_two_events_of_one_message_are_one_message_and_lend_each_other_fields():
    told = [customer(0, id="e1", message_id="m"), customer(3, id="e2", message_id="m", text="hello", sentiment=-1.0)]
    episode = only([*told, agent(5, id="e3", message_id="n", who=None), agent(6, id="e4", message_id="n")])
    assert (episode.customer_messages, episode.human_replies, episode.agents) == (1, 1, ["A"])
    assert (lengths(episode, "response"), episode.sentiments) == ([5], [-1.0])


def test_of_two_events_with_one_id_the_earlier_stands():
    assert lengths(only([customer(0), agent(9, id="e"), agent(4, id="e")]), "response") == [4]


MERGING = [
    {
        "id": "1",
        "type": "message.received",
        "at": "2026-01-09T10:00:00Z",
        "channel": "sms",
        "conversation_id": "a",
        "message_id": "m1",
    },
    {
        "id": "2",
        "type": "message.received",
        "at": "2026-01-09T10:04:00Z",
        "channel": "sms",
        "conversation_id": "b",
        "message_id": "m2",
    },
    {"id": "3", "type": "conversation.merged", "at": "2026-01-09T10:05:00Z", "conversation_id": "a", "into": "b"},
    {"id": "4", "type": "conversation.merged", "at": "2026-01-09T10:06:00Z", "conversation_id": "b", "into": "a"},
    {
        "id": "5",
        "type": "message.sent",
        "at": "2026-01-09T10:10:00Z",
        "channel": "sms",
        "conversation_id": "b",
        "message_id": "m3",
        "author": "agent",
    },
]


def test_a_merge_moves_everything_and_a_ring_is_ignored():
    found = case_episodes(MERGING, settings(), LATER)
    assert [(e["outcome"], e["response_seconds"]) for e in found["b"]] == [("expired", [600])]
    assert [(e["outcome"], e["opened_at"], e["response_seconds"]) for e in found["a"]] == [
        ("merged", "2026-01-09T10:00:00Z", [])
    ]
    before = case_episodes(MERGING, settings(), instant("2026-01-09T10:04:30Z"))
    assert [e["outcome"] for e in before["a"] + before["b"]] == ["open", "open"]


def test_a_merged_conversation_without_known_entries_shows_nothing():
    assert merged(case_entries(MERGING)["a"], T0 - 1) == []


def test_the_document_has_every_field_of_the_contract():
    episode = document(only([customer(0), agent(0.5 / 60), resolved(5)], schedules=[SCHEDULE]))
    durations = {
        "first_response_seconds": 0.5,
        "first_response_from_start_seconds": 0.5,
        "first_any_response_seconds": 0.5,
        "response_seconds": [0.5],
        "bot_response_seconds": [],
        "unanswered_seconds": [],
        "first_resolution_seconds": 300,
        "resolution_seconds": 300,
        "human_resolution_seconds": 300,
        "queue_seconds": [],
    }
    assert episode == {
        "opened_at": "2026-01-09T10:00:00Z",
        "resolved_at": "2026-01-09T10:05:00Z",
        "outcome": "resolved",
        "resolved_by": "agent",
        **durations,
        "reopens": 0,
        "reopens_substantive": 0,
        "transfers": 0,
        "one_touch": True,
        "fcr": "confirmed",
        "agents": ["A"],
        "business": durations,
        "quality": {
            "score": 100.0,
            "coverage": 0.55,
            "parts": {"R": 54.5, "W": 27.3, "E": 18.2},
            "formula_version": 1,
        },
    }


def test_timestamps():
    assert timestamp(None) is None
    assert timestamp(T0) == "2026-01-09T10:00:00Z"
    assert timestamp(T0 + 7) == "2026-01-09T10:00:00.007Z"


# --- promises: order, repetition and the clock

KINDS = ["message.received", "message.sent", "survey.sent", "survey.answered"] + [
    f"conversation.{word}"
    for word in (
        "queued",
        "assigned",
        "handed_off",
        "resolved",
        "reopened",
        "snoozed",
        "unsnoozed",
        "merged",
        "tagged",
        "noted",
    )
]
ENTRIES = st.builds(
    Entry,
    at=st.one_of(st.integers(0, 20), st.integers(0, 400).map(lambda hours: hours * 60)).map(
        lambda at: T0 + at * MINUTE
    ),
    id=st.integers(0, 40).map(str),
    kind=st.sampled_from(KINDS),
    message_id=st.sampled_from([None, *"abcdefghij"]),
    author=st.sampled_from(["agent", "agent", "bot", "auto", None]),
    agent=st.sampled_from(["A", "B", None]),
    team=st.sampled_from(["s", "t", None]),
    channel=st.sampled_from(["sms", "email"]),
    contact=st.sampled_from(["k", None]),
    auto_reply=st.sampled_from([False, False, False, True]),
    by=st.sampled_from(["agent", "auto", "bot", None]),
    topic=st.sampled_from(["x", "y"]),
    text=st.sampled_from([None, "one", "two"]),
    sentiment=st.sampled_from([None, 0.0, -0.6, 0.5]),
    wants_human=st.booleans(),
    survey_id=st.sampled_from("pq"),
    score=st.sampled_from([None, 1.0, 5.0]),
)
TIMELINES = st.lists(ENTRIES, max_size=25)
CLOCKS = st.one_of(st.just(LATER), st.integers(0, 500 * 60).map(lambda at: T0 + at * MINUTE))
STRICT = hypothesis_settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)


def everything(entries, now):
    return fold(entries, settings(schedules=[SCHEDULE]), now)


@STRICT
@given(TIMELINES, CLOCKS, st.randoms())
def test_order_and_repetition_change_nothing(entries, now, random):
    expected = everything(entries, now)
    mixed = entries + random.sample(entries, len(entries) // 2)
    random.shuffle(mixed)
    assert everything(mixed, now) == expected


@STRICT
@given(TIMELINES, CLOCKS)
def test_the_clock_cuts_the_entries(entries, now):
    assert everything(entries, now) == everything([entry for entry in entries if entry.at <= now], now)


@STRICT
@given(TIMELINES, CLOCKS, CLOCKS)
def test_a_version_holds_from_last_at_to_valid_until(entries, now, other):
    versions = {episode.opened_at: episode for episode in everything(entries, other).episodes}
    for episode in everything(entries, now).episodes:
        if episode.last_at <= other <= now and (episode.valid_until is None or other <= episode.valid_until):
            assert versions.get(episode.opened_at) == episode


@STRICT
@given(TIMELINES, CLOCKS)
def test_episodes_make_sense(entries, now):
    episodes = linked(entries, now)
    assert [e.opened_at for e in episodes] == sorted({e.opened_at for e in episodes})
    for episode in episodes:
        assert episode.last_at <= now
        assert all(d.ended_at is None or d.started_at <= d.ended_at <= now for d in episode.durations)
        assert all(a.ended_at <= b.started_at for a, b in zip(episode.assigned, episode.assigned[1:], strict=False))
        waits = lengths(episode, "response") + lengths(episode, "bot_response") + lengths(episode, "unanswered")
        assert len(waits) + len(running(episode)) <= episode.customer_messages + sum(
            e.kind.endswith("handed_off") for e in entries
        )
        assert (episode.outcome == "open") == (episode.ended_at is None)
        assert (episode.quality is None) == (episode.outcome == "open")
    for earlier, later in itertools.pairwise(episodes):
        assert earlier.outcome != "open"
        assert earlier.open_spans[-1].ended_at <= later.opened_at
