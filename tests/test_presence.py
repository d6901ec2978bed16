"""One agent's online time: statuses as (minute, status, device), pieces as (from, to, active, open episodes)."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickertape.derive.presence import Segment, Status, segments
from tickertape.derive.timeline import Spell
from timelines import HOUR, LATER, MINUTE, T0, settings

H = 60


def told(rows):
    return [
        Status(at=T0 + round(at * MINUTE), id=str(n), status=status, device=device)
        for n, (at, status, device) in enumerate(rows)
    ]


def spells(*rows):
    return [
        Spell(agent="A", started_at=T0 + start * MINUTE, ended_at=None if end is None else T0 + end * MINUTE)
        for start, end in rows
    ]


def pieces(statuses, waiting=(), assigned=(), messages=(), start=-24 * H, end=48 * H, now=LATER, **given):
    found = segments(
        told(statuses),
        spells(*waiting),
        spells(*assigned),
        [T0 + at * MINUTE for at in messages],
        settings(**given),
        T0 + start * MINUTE,
        T0 + end * MINUTE,
        now,
    )
    return [((s.started_at - T0) / MINUTE, (s.ended_at - T0) / MINUTE, s.active, s.open_episodes) for s in found]


def idle(*times):
    return [(start, end, False, 0) for start, end in times]


DAY_SHIFT = [(0, "online", "web"), (4 * H, "offline", "web")]
ONLINE = {
    "one device": (DAY_SHIFT, idle((0, 240))),
    "away is online": ([(0, "online", "web"), (60, "away", "web"), (90, "offline", "web")], idle((0, 90))),
    "two devices": (
        [(0, "online", "web"), (120, "online", "phone"), (180, "offline", "web"), (240, "offline", "phone")],
        idle((0, 240)),
    ),
    "another device's offline ends nothing": (
        [(0, "online", "web"), (5, "offline", "phone"), (60, "offline", "web")],
        idle((0, 60)),
    ),
    "a status holds twelve hours at most": ([(0, "online", None)], idle((0, 720))),
    "told again it holds on": ([(0, "online", None), (700, "online", None), (800, "offline", None)], idle((0, 800))),
    "told again too late leaves a gap": (
        [(0, "online", None), (800, "online", None), (810, "offline", None)],
        idle((0, 720), (800, 810)),
    ),
    "the last status of a moment holds": (
        [(0, "online", None), (5, "online", None), (5, "offline", None)],
        idle((0, 5)),
    ),
    "offline alone": ([(0, "offline", None)], []),
    "nothing known": ([], []),
}


@pytest.mark.parametrize("name", ONLINE)
def test_online(name):
    statuses, expected = ONLINE[name]
    assert pieces(statuses) == expected


def test_heartbeats():
    beats = [(n, "online", "web") for n in range(11)]
    assert pieces(beats, presence_timeout_seconds=120) == idle((0, 12))
    assert pieces([(0, "online", "web"), (5, "online", "web")], presence_timeout_seconds=120) == idle((0, 2), (5, 7))
    assert pieces([(0, "online", "web")], presence_timeout_seconds=1e8) == idle((0, 720))


def test_it_is_cut_at_the_range_and_the_clock():
    assert pieces(DAY_SHIFT, start=60, end=90) == idle((60, 90))
    assert pieces(DAY_SHIFT, now=T0 + 30 * MINUTE) == idle((0, 30))
    assert pieces(DAY_SHIFT, now=T0 + HOUR * 4) == idle((0, 240))
    assert pieces(DAY_SHIFT, start=300, end=400) == []
    assert pieces(DAY_SHIFT, end=-1) == []


ACTIVE = {
    "an open wait": ({"waiting": [(10, 20)]}, [(0, 10, False, 0), (10, 20, True, 0), (20, 240, False, 0)]),
    "a running wait": ({"waiting": [(10, None)]}, [(0, 10, False, 0), (10, 240, True, 0)]),
    "a wait from before and after": (
        {"waiting": [(-10, 20), (230, 300)]},
        [(0, 20, True, 0), (20, 230, False, 0), (230, 240, True, 0)],
    ),
    "five minutes after a message": (
        {"messages": [10, 12, 30]},
        [(0, 10, False, 0), (10, 17, True, 0), (17, 30, False, 0), (30, 35, True, 0), (35, 240, False, 0)],
    ),
    "a message from before": ({"messages": [-3]}, [(0, 2, True, 0), (2, 240, False, 0)]),
    "open episodes": (
        {"assigned": [(-5, 60), (30, None)]},
        [(0, 30, False, 1), (30, 60, False, 2), (60, 240, False, 1)],
    ),
    "offline work is not counted": (
        {"waiting": [(300, 400)], "messages": [500], "assigned": [(241, None)]},
        [(0, 240, False, 0)],
    ),
}


@pytest.mark.parametrize("name", ACTIVE)
def test_active(name):
    given, expected = ACTIVE[name]
    assert pieces(DAY_SHIFT, **given) == expected


def test_what_comes_after_the_clock_is_unknown():
    assert pieces(DAY_SHIFT, waiting=[(60, 70)], messages=[80], assigned=[(50, None)], now=T0 + 40 * MINUTE) == idle(
        (0, 40)
    )


STATUSES = st.lists(
    st.tuples(st.integers(0, 3000), st.sampled_from(["online", "away", "offline"]), st.sampled_from(["a", "b", None])),
    max_size=12,
)
SPELLS = st.lists(
    st.tuples(st.integers(-100, 3000), st.integers(1, 500)).map(lambda s: (s[0], s[0] + s[1])), max_size=5
)


@given(STATUSES, SPELLS, SPELLS, st.lists(st.integers(-100, 3000), max_size=5), st.integers(0, 3000))
def test_parts_of_a_range_add_up_in_any_order(statuses, waiting, assigned, messages, cut):
    def work(start, end, shuffled=False):
        rows = told(statuses)
        if shuffled:
            rows += rows
            random.Random(1).shuffle(rows)
        found = segments(
            rows,
            spells(*waiting),
            spells(*assigned),
            [T0 + m * MINUTE for m in messages],
            settings(),
            T0 + start * MINUTE,
            T0 + end * MINUTE,
            LATER,
        )
        assert all(a.ended_at <= b.started_at for a, b in itertools.pairwise(found))
        return found

    def total(found: list[Segment]):
        lengths = [s.ended_at - s.started_at for s in found]
        return (
            sum(lengths),
            sum(length for length, s in zip(lengths, found, strict=True) if s.active),
            sum(length * s.open_episodes for length, s in zip(lengths, found, strict=True)),
        )

    whole = work(0, 4000)
    assert work(0, 4000, shuffled=True) == whole
    halves = [total(work(0, cut)), total(work(cut, 4000))]
    assert tuple(map(sum, zip(*halves, strict=True))) == total(whole)
