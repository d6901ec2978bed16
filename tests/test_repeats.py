"""Repeat contacts: (the contact's conversations, per episode in order of opening: is_repeat, fcr)."""

import copy
import itertools

import pytest

from tickertape.derive.episodes import fold
from tickertape.derive.repeats import link
from timelines import DAY, LATER, T0, agent, bot, customer, minutes, resolved, settings

H = 60
D = 24 * H
WINDOW = 7 * D


def contact(conversations, now=LATER, **given):
    """The linked episodes of a contact, in order of opening."""
    chosen = settings(**given)
    episodes = {name: fold(entries, chosen, now).episodes for name, entries in conversations.items()}
    link(episodes, chosen, now)
    return sorted((e for name in sorted(episodes) for e in episodes[name]), key=lambda e: e.opened_at)


def solved(at):
    return [customer(at), agent(at + 1), resolved(at + 5)]


ALONE = (False, "confirmed")
REPEAT = (True, "confirmed")
FAILED = (False, "failed")
CASES = {
    "alone": ({"a": solved(0)}, [ALONE]),
    "in the same conversation": ({"a": solved(0) + solved(2 * D)}, [FAILED, REPEAT]),
    "on another channel": ({"a": solved(0), "b": solved(2 * D)}, [FAILED, REPEAT]),
    "exactly at the end of the window": ({"a": solved(0), "b": solved(5 + WINDOW)}, [FAILED, REPEAT]),
    "a millisecond later": ({"a": solved(0), "b": solved(5 + WINDOW + 1 / 60000)}, [ALONE, ALONE]),
    "a chain fails link by link": (
        {"a": solved(0), "b": solved(2 * D), "c": solved(4 * D)},
        [FAILED, (True, "failed"), REPEAT],
    ),
    "while another is open": (
        {"a": [customer(0), agent(1), resolved(2 * D)], "b": solved(D)},
        [ALONE, ALONE],
    ),
    "a third while the second is open": (
        {"a": solved(0), "b": [customer(D), agent(D + 1), resolved(3 * D)], "c": solved(2 * D)},
        [FAILED, REPEAT, ALONE],
    ),
    "the moment another is resolved it is still open": ({"a": solved(0), "b": solved(5)}, [ALONE, ALONE]),
    "two at one moment: the first is the repeat, the second parallel": (
        {"a": solved(0), "b": solved(D), "c": solved(D)},
        [FAILED, REPEAT, ALONE],
    ),
    "after one that nobody answered": (
        {"a": [customer(0), resolved(5)], "b": solved(D)},
        [(False, None), REPEAT],
    ),
    "after one that expired": ({"a": [customer(0), agent(1)], "b": solved(8 * D)}, [(False, None), ALONE]),
    "while a courtesy reopen is open it is parallel": (
        {"a": [*solved(0), customer(10), resolved(2 * D)], "b": solved(D)},
        [ALONE, ALONE],
    ),
    "the window runs from the counted resolve, not from a courtesy one": (
        {"a": [*solved(0), customer(10), resolved(D)], "b": solved(6 + WINDOW)},
        [ALONE, ALONE],
    ),
    "an inactivity timer's window runs from its own time": (
        {"a": [customer(0), agent(1), resolved(3 * D, by="auto")], "b": solved(9 * D)},
        [FAILED, REPEAT],
    ),
    "a bot that resolved alone can fail too": (
        {"a": [customer(0), bot(1), resolved(5, by="bot")], "b": solved(D)},
        [FAILED, REPEAT],
    ),
    "the repeat stays one when the previous is reopened later": (
        {"a": [*solved(0), customer(23 * H), agent(23 * H + 1), resolved(24 * H)], "b": solved(10 * H)},
        [FAILED, REPEAT],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_repeats(name):
    conversations, expected = CASES[name]
    for order in itertools.permutations(conversations):
        episodes = contact({conversation: conversations[conversation] for conversation in order})
        assert [(e.is_repeat, e.fcr) for e in episodes] == expected


def test_an_expiry_in_between_hides_no_resolve_once_it_is_over():
    conversations = {"a": [customer(-6 * D), agent(-6 * D)], "b": solved(0), "c": solved(D + H + 1)}
    # a expires at day 1: c is a repeat of b although a ended later.
    assert [(e.is_repeat, e.fcr) for e in contact(conversations)] == [(False, None), FAILED, REPEAT]


def test_the_window_is_a_setting():
    conversations = {"a": solved(0), "b": solved(2 * D)}
    assert [e.is_repeat for e in contact(conversations, fcr_window_days=1)] == [False, False]


def test_fcr_ripens():
    matures_at = T0 + (5 + WINDOW) * 60_000
    (provisional,) = contact({"a": solved(0)}, matures_at)
    (confirmed,) = contact({"a": solved(0)}, matures_at + 1)
    assert (provisional.fcr, provisional.fcr_matures_at) == ("provisional", matures_at)
    assert confirmed.fcr == "confirmed"
    (still_open,) = contact({"a": [customer(0), agent(1)]}, T0 + DAY)
    assert (still_open.fcr, still_open.fcr_matures_at) == (None, None)


def test_the_failed_episode_rests_on_the_repeat():
    first, second = contact({"a": solved(0), "b": solved(2 * D)})
    assert minutes(first.failed_by_repeat_at) == minutes(first.last_at) == 2 * D
    assert minutes(second.last_at) == 2 * D + 5


def test_a_late_reply_to_another_makes_it_parallel_after_all():
    conversations = {
        "a": solved(0),
        "b": [customer(-6.5 * D), agent(3 * D)],
        "c": solved(2 * D),
    }
    before = contact(conversations, T0 + 2 * DAY + 60 * 60_000)
    assert [e.is_repeat for e in before] == [False, False, True]
    after = contact(conversations, T0 + 4 * DAY)
    assert [e.is_repeat for e in after] == [False, False, False]
    assert [minutes(e.last_at) for e in after] == [3 * D, 3 * D, 3 * D]


def test_linking_again_starts_afresh():
    chosen = settings()
    a, b = (fold(entries, chosen, LATER).episodes for entries in (solved(0), solved(2 * D)))
    alone = copy.deepcopy(a)
    link({"a": alone}, chosen, LATER)
    link({"a": a, "b": b}, chosen, LATER)
    once = copy.deepcopy((a, b))
    link({"a": a, "b": b}, chosen, LATER)
    assert (a, b) == once
    link({"a": a}, chosen, LATER)
    assert a == alone
