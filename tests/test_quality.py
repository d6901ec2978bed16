import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickertape.derive.quality import largest_remainder, sentiment_part, survey_value, weigh
from tickertape.derive.timeline import Survey
from timelines import T0, agent, customer, event, linked, only, resolved, survey

WEIGHTS = {"S": 0.35, "R": 0.30, "W": 0.15, "E": 0.10, "V": 0.10}


def weighed(**values):
    return weigh({name: (WEIGHTS[name], value) for name, value in values.items()})


def test_the_first_worked_example():
    sentiment = sentiment_part([-0.6, -0.2, 0.1, 0.7])
    assert sentiment == pytest.approx(0.5604, abs=5e-5)
    quality = weighed(S=sentiment, R=1, W=(2 / 3 + 1) / 2, E=0.85)
    assert quality.score == pytest.approx(78.5, abs=0.05)
    assert quality.coverage == 0.9
    assert quality.parts == {"S": 21.8, "R": 33.3, "W": 13.9, "E": 9.5}
    assert weighed(S=sentiment, R=1, W=(2 / 3 + 1) / 2, E=0.85, V=1).score == pytest.approx(80.6, abs=0.05)


def test_the_second_worked_example():
    sentiment = sentiment_part([0.2, -0.5, -0.8])
    assert sentiment == pytest.approx(0.2791, abs=5e-5)
    assert weighed(S=sentiment, R=0, W=0.5, E=0.7, V=0).score == pytest.approx(24.3, abs=0.05)


def test_too_little_known_is_not_published():
    quality = weighed(R=0.3, E=1)
    assert (quality.score, quality.coverage, quality.parts) == (None, 0.4, {})
    assert weighed(R=1, E=1, V=1).score == 100


def test_without_text_and_survey():
    assert weighed(R=1, W=(2 / 3 + 1) / 2, E=1).score == pytest.approx(95.45, abs=0.005)


@given(st.dictionaries(st.sampled_from("SRWEV"), st.floats(0, 1), min_size=1))
def test_points_add_up_to_the_rounded_score(values):
    quality = weighed(**values)
    if quality.score is not None:
        assert sum(quality.parts.values()) == pytest.approx(quality.score, abs=0.0501)
        for name, points in quality.parts.items():
            assert points == pytest.approx(100 * WEIGHTS[name] * values[name] / quality.coverage, abs=0.1001)


def test_spare_tenths_go_to_the_largest_remainders():
    assert largest_remainder({"a": 1.04, "b": 1.04, "c": 1.04}) == {"a": 1.1, "b": 1.0, "c": 1.0}
    assert largest_remainder({"a": 0.06, "b": 0.05}) == {"a": 0.1, "b": 0.0}


def surveyed(kind, score, scale_max):
    return survey_value(Survey(survey_id="s", kind=kind, sent_at=T0, score=score, scale_max=scale_max))


def test_scales():
    assert surveyed("csat", 4, 5) == 0.75
    assert surveyed("csat", 1, 5) == 0
    assert surveyed("csat", 2, 2) == 1
    assert surveyed("nps", 7, 10) == 0.7
    assert surveyed("nps", 4, 5) == 0.8
    assert surveyed("ces", 7, 7) == 1
    assert surveyed("csat", 9, 5) == 1
    assert surveyed("csat", None, 5) is None


ASKED = [customer(0), agent(10), customer(20), agent(22)]
"""Waits of 600 and 120 s against 300 s: W = (2/3 + 1) / 2."""


def score(resolution, effort=1.0, waiting=5 / 6):
    weight = 0.40 if waiting is None else 0.55
    return 100 * (0.30 * resolution + 0.15 * (waiting or 0) + 0.10 * effort) / weight


DAY_MINUTES = 24 * 60
EPISODES = {
    "resolved": ([*ASKED, resolved(30)], score(1)),
    "open": (ASKED, None),
    "substantive reopen": (
        [*ASKED, resolved(30), customer(40), agent(45), resolved(50)],
        score(0.6, waiting=(2 / 3 + 2) / 3),
    ),
    "courtesy reopen": ([*ASKED, resolved(30), customer(40), resolved(600)], score(1)),
    "unanswered over target": ([*ASKED, customer(25), resolved(40)], score(1, waiting=(2 / 3 + 1) / 3)),
    "unanswered within target": ([*ASKED, customer(25), resolved(30)], score(1)),
    "no reply, closed by an agent": ([customer(0), resolved(30)], score(0.3, waiting=0)),
    "no reply, closed by a timer": ([customer(0), resolved(30, by="auto")], score(0, waiting=0)),
    "expired after a reply": (ASKED, score(0.3)),
    "expired without one": ([customer(0)], score(0, waiting=0)),
    "transferred": (
        [*ASKED, event(23, "assigned", agent="A"), event(24, "assigned", agent="B"), resolved(30)],
        score(1, effort=0.85),
    ),
    "survey": ([*ASKED, resolved(30), survey(31, "answered", score=1.0)], 100 * (0.30 + 0.125 + 0.10) / 0.65),
    "sentiment": ([customer(0, sentiment=-1.0), agent(5), resolved(6)], 100 * (0.30 + 0.15 + 0.10) / 0.90),
}


@pytest.mark.parametrize("name", EPISODES)
def test_quality_of_an_episode(name):
    entries, expected = EPISODES[name]
    now = T0 + 3 * DAY_MINUTES * 60_000 if expected is None else None
    episode = only(entries) if now is None else only(entries, now)
    assert (episode.quality and episode.quality.score) == (expected and pytest.approx(expected, abs=1e-3))


def test_a_repeat_contact_takes_the_resolution_part():
    first, second = linked([*ASKED, resolved(30), customer(2000), agent(2001), resolved(2002)])
    assert first.quality.score == pytest.approx(score(0), abs=1e-3)
    assert second.quality.score == pytest.approx(score(1, waiting=1), abs=1e-3)


def test_waiting_goes_by_the_clock_of_the_target():
    # From Friday 10:00 to Monday 10:00 are eight business hours: four times the target is 1 - 2/3.
    week = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    schedules = [{"name": "s", "timezone": "UTC", "weekly": week}]
    targets = {"response_seconds": 2 * 3600, "clock": "business"}
    entries = [customer(0), agent(3 * DAY_MINUTES), resolved(3 * DAY_MINUTES + 1)]
    assert only(entries, targets=targets, schedules=schedules).quality.score == pytest.approx(
        score(1, waiting=1 / 3), abs=1e-3
    )
    assert only(entries, targets=targets).quality.score == pytest.approx(score(1, waiting=0), abs=1e-3)


def test_weights_are_a_setting():
    episode = only([*ASKED, resolved(30)], quality_weights={"W": 0, "E": 0.7})
    assert episode.quality.score == 100
    assert episode.quality.coverage == 1
