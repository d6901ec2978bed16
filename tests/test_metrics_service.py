"""Service and sentiment figures from episode, survey and agent facts."""

from datetime import date
from typing import Any

import pytest

from metric_facts import DAY, HOUR, LATER, NOON, Facts

MINUTE = 60_000


@pytest.fixture
def facts() -> Facts:
    return Facts()


def duration(kind: str, start: int, seconds: float | None, **more: Any) -> dict[str, Any]:
    ended = {} if seconds is None else {"ended_at": start + round(seconds * 1000)}
    return {"kind": kind, "started_at": start, "business_ms": -1, **ended, **more}


def resolved(**more: Any) -> dict[str, Any]:
    ended = more.pop("ended", NOON + HOUR)
    return {
        "outcome": "resolved",
        "ended_at": ended,
        "resolved_at": ended,
        "human_replies": 1,
        "fcr": "confirmed",
        **more,
    }


KINDS = {
    "first_response_time": "first_response",
    "first_response_time_from_start": "first_response_from_start",
    "first_any_response_time": "first_any_response",
    "response_time": "response",
    "bot_response_time": "bot_response",
    "queue_time": "queue",
    "resolution_time": "resolution",
    "first_resolution_time": "first_resolution",
}


@pytest.mark.parametrize(("metric", "kind"), KINDS.items())
def test_durations(facts: Facts, metric: str, kind: str) -> None:
    other = [duration(k, NOON, 7) for k in KINDS.values() if k != kind]
    values = [duration(kind, NOON, s) for s in (10, 20, 30, 40)]
    facts.add("episodes", resolved(durations=[*other, *values]), resolved(outcome="merged", durations=values))
    assert facts.cell(metric, now=LATER) == {
        "value": 25.0, "n": 4, "p50": 25.0, "p90": 37.0, "p95": 38.5, "mean": 25.0, "max": 40.0, "business": None,
    }  # fmt: skip


def test_business_hours_stand_beside_the_calendar(facts: Facts) -> None:
    waits = [duration("response", NOON, 100, business_ms=0), duration("response", NOON, 300, business_ms=4000)]
    facts.add("episodes", {"durations": [*waits, duration("response", NOON, 500)]})
    cell = facts.cell("response_time", now=LATER)
    assert (cell["value"], cell["n"]) == (300.0, 3)
    assert cell["business"] == {
        "value": 2.0, "n": 2, "p50": 2.0, "p90": 3.6, "p95": 3.8, "mean": 2.0, "max": 4.0,
    }  # fmt: skip


def test_the_anchor_dates_a_duration(facts: Facts) -> None:
    midnight = NOON + 12 * HOUR
    facts.add("episodes", {"durations": [duration("response", midnight - 60_000, 120)]})
    days = {"from_": "2026-03-02", "to": "2026-03-04", "interval": "day", "now": LATER}
    assert [r["response_time"]["n"] for r in facts.rows("response_time", **days)] == [0, 1]
    assert [r["response_time"]["n"] for r in facts.rows("response_time", anchor="start", **days)] == [1, 0]
    assert [r["start"] for r in facts.rows("response_time", **days)] == [
        "2026-03-02T00:00:00+00:00",
        "2026-03-03T00:00:00+00:00",
    ]


def test_resolved_episodes(facts: Facts) -> None:
    facts.add(
        "episodes",
        resolved(resolver="ann"),
        resolved(resolver="ann", human_replies=2, reopens_substantive=1, fcr="failed", transfers=1),
        resolved(resolver="bob", human_replies=0, bot_replies=1, is_repeat=True),
        resolved(ended=NOON + DAY),
        resolved(outcome="merged"),
        {"outcome": "no_reply", "ended_at": NOON + HOUR},
        {"outcome": "expired", "ended_at": NOON + HOUR, "bot_replies": 1},
        {},
    )
    metrics = "first_contact_resolution,one_touch_rate,reopen_rate,transfer_rate,repeat_contact_rate,unanswered_rate"
    (row,) = facts.rows(f"episodes_opened,episodes_resolved,{metrics}", now=LATER)
    assert (row["episodes_opened"]["value"], row["episodes_resolved"]["value"]) == (7, 3)
    counts = {name: (row[name]["numerator"], row[name]["denominator"]) for name in metrics.split(",")}
    assert counts == {
        "first_contact_resolution": (2, 3),
        "one_touch_rate": (1, 3),
        "reopen_rate": (1, 3),
        "transfer_rate": (1, 3),
        "repeat_contact_rate": (1, 7),
        "unanswered_rate": (1, 5),
    }
    by_agent = facts.rows("episodes_resolved", by="agent", now=LATER)
    assert [(r["agent"], r["episodes_resolved"]["value"]) for r in by_agent] == [("ann", 2), ("bob", 1)]
    assert facts.cell("episodes_resolved", now=LATER, anchor="start")["value"] == 4
    assert facts.cell("episodes_resolved", now="2026-03-02T12:59:59Z")["value"] == 0


def test_a_provisional_first_contact_resolution_is_maturing(facts: Facts) -> None:
    facts.add("episodes", resolved(fcr="provisional", fcr_matures_at=NOON + 7 * DAY))
    for now, maturing in (("2026-03-09T12:00:00Z", True), ("2026-03-09T12:00:00.001Z", False)):
        cell = facts.cell("first_contact_resolution", now=now)
        assert (cell["value"], cell["maturing"]) == (1.0, maturing)


CHECKS = [
    ("met at the target", {"ended_at": NOON + 5 * MINUTE}, "2026-03-02T12:05:00Z", (1, 1)),
    ("missed", {"ended_at": NOON + 5 * MINUTE + 1}, LATER, (0, 1)),
    ("open within target", {}, "2026-03-02T12:05:00Z", (0, 0)),
    ("open over target", {}, "2026-03-02T12:05:00.001Z", (0, 1)),
    ("met later, not known yet", {"ended_at": NOON + 5 * MINUTE}, "2026-03-02T12:04:00Z", (0, 0)),
]


@pytest.mark.parametrize(("check", "now", "counts"), [c[1:] for c in CHECKS], ids=[c[0] for c in CHECKS])
def test_target_checks(facts: Facts, check: dict[str, int], now: str, counts: tuple[int, int]) -> None:
    facts.add(
        "episodes",
        {"checks": [{"kind": "response", "started_at": NOON, "due_at": NOON + 5 * MINUTE, "agent": "ann", **check}]},
    )
    cell = facts.cell("sla_attainment", now=now)
    assert (cell["numerator"], cell["denominator"]) == counts


def test_a_check_is_dated_by_its_end_or_its_breach(facts: Facts) -> None:
    check = {"kind": "response", "started_at": NOON, "due_at": NOON + 90 * MINUTE}
    facts.add(
        "episodes", {"checks": [{**check, "ended_at": NOON + 30 * MINUTE}, {**check, "ended_at": NOON + 5 * HOUR}]}
    )
    hours = {"from_": "2026-03-02T12:00:00Z", "to": "2026-03-02T14:00:00Z", "interval": "hour", "now": LATER}
    got = [
        (r["sla_attainment"]["numerator"], r["sla_attainment"]["denominator"])
        for r in facts.rows("sla_attainment", **hours)
    ]
    assert got == [(1, 1), (0, 1)]
    got = [r["sla_attainment"]["denominator"] for r in facts.rows("sla_attainment", anchor="start", **hours)]
    assert got == [2, 0]


WAITS = [
    duration("response", NOON, 600, agent="ann"),
    duration("open", NOON + 5 * MINUTE, None, agent="bob"),
    duration("first_response", NOON, 600),
    duration("queue", NOON, 600),
]


@pytest.mark.parametrize(
    ("now", "to", "n", "oldest"),
    [
        ("2026-03-02T11:59:59Z", "2026-03-03", 0, None),
        ("2026-03-02T12:00:00Z", "2026-03-03", 1, 0.0),
        ("2026-03-02T12:06:00Z", "2026-03-03", 2, 360.0),
        ("2026-03-02T12:10:00Z", "2026-03-03", 1, 300.0),
        (LATER, "2026-03-02T12:09:59.999Z", 2, 599.999),
        (LATER, "2026-03-05", 1, (2.5 * DAY - 5 * MINUTE) / 1000),
    ],
)
def test_open_waits_at_the_clock_or_the_end(facts: Facts, now: str, to: str, n: int, oldest: float | None) -> None:
    facts.add("episodes", {"durations": WAITS}, {"durations": WAITS, "outcome": "merged"})
    for since in ("2026-03-01", "2026-03-02T12:09:00Z"):
        (row,) = facts.rows("open_waits,oldest_wait", now=now, from_=since, to=to)
        assert row["open_waits"] == {"value": n}
        assert (row["oldest_wait"]["n"], row["oldest_wait"]["value"]) == (n, oldest)
        assert row["oldest_wait"]["max"] == oldest


def test_open_waits_per_bucket_are_those_at_its_end(facts: Facts) -> None:
    facts.add(
        "episodes",
        {
            "durations": [
                duration("response", NOON - DAY, 86400 + 1800),  # before the range until 12:30
                duration("response", NOON + 5 * MINUTE, 300),  # inside a bucket: never seen
                duration("response", NOON + 15 * MINUTE, 1),  # begins on an edge
                duration("response", NOON + 29 * MINUTE, 60),  # ends on an edge: over
                duration("open", NOON + 40 * MINUTE, None),
            ]
        },
    )
    quarters = {"from_": "2026-03-02T12:00:00Z", "to": "2026-03-02T13:15:00Z", "interval": "15m"}
    rows = facts.rows("open_waits", now=LATER, **quarters)
    assert [r["open_waits"]["value"] for r in rows] == [2, 0, 1, 1, 1]
    rows = facts.rows("open_waits,oldest_wait", now="2026-03-02T12:50:00Z", **quarters)
    assert [r["open_waits"]["value"] for r in rows] == [2, 0, 1, 1, 0]
    assert [r["oldest_wait"]["value"] for r in rows] == [86400 + 900.0, None, 300.0, 600.0, None]


def test_waits_by_agent(facts: Facts) -> None:
    facts.add("episodes", {"durations": WAITS})
    rows = facts.rows("open_waits", by="agent", order="agent", now="2026-03-02T12:06:00Z")
    assert [(r["agent"], r["open_waits"]["value"]) for r in rows] == [("ann", 1), ("bob", 1)]
    assert facts.cell("open_waits", agent="bob", now="2026-03-02T12:06:00Z")["value"] == 1


def test_topics_count_in_the_row_of_each(facts: Facts) -> None:
    facts.add("episodes", {"topics": ["refund", "delay", "refund"]}, {"topics": ["delay"]}, {})
    rows = facts.rows("episodes_opened", by="topic", now=LATER)
    assert [(r["topic"], r["episodes_opened"]["value"]) for r in rows] == [("delay", 2), ("refund", 1), (None, 1)]
    assert facts.cell("episodes_opened", topic="refund,delay", now=LATER)["value"] == 2
    assert facts.cell("episodes_opened", now=LATER, **{"topic!": "refund"})["value"] == 2
    assert facts.cell("episodes_opened", topic="", now=LATER)["value"] == 1


def test_surveys(facts: Facts) -> None:
    answer = {"answered_at": NOON + HOUR}
    facts.add(
        "surveys",
        {**answer, "score": 4.0, "agent": "ann"},
        {**answer, "score": 3.0},
        {**answer, "score": 7.75, "scale_max": 10.0},
        {**answer, "score": 7.74, "scale_max": 10.0},
        {"agent": "ann"},
        *({**answer, "kind": "nps", "score": score} for score in (10.0, 9.0, 8.0, 6.0)),
        {**answer, "kind": "nps", "score": 4.5, "scale_max": 5.0},
        *({**answer, "kind": "ces", "score": score, "scale_max": top} for score, top in ((7.0, 7.0), (3.0, 5.0))),
    )
    (row,) = facts.rows("csat,csat_response_rate,nps,ces", now=LATER)
    assert (row["csat"]["numerator"], row["csat"]["denominator"]) == (2, 4)
    assert (row["csat_response_rate"]["numerator"], row["csat_response_rate"]["denominator"]) == (4, 5)
    assert (row["nps"]["value"], row["nps"]["n"]) == (40.0, 5)
    assert row["nps"]["low"] < 40 < row["nps"]["high"]
    assert (row["ces"]["value"], row["ces"]["n"]) == (5.5, 2)
    (row,) = facts.rows("csat,csat_response_rate", agent="ann", now=LATER)
    assert (row["csat"]["denominator"], row["csat_response_rate"]["denominator"]) == (1, 2)
    (row,) = facts.rows("csat,csat_response_rate", now="2026-03-02T12:59:00Z")
    assert (row["csat"]["denominator"], row["csat_response_rate"]["numerator"]) == (0, 0)


def test_agent_time_is_cut_at_the_edges(facts: Facts) -> None:
    facts.add(
        "agent_days",
        {
            "agent": "ann",
            "segments": [
                {"started_at": NOON - HOUR, "ended_at": NOON + HOUR, "active": True, "open_episodes": 3},
                {"started_at": NOON + HOUR, "ended_at": NOON + 2 * HOUR, "active": False, "open_episodes": 0},
            ],
        },
        {
            "agent": "ann",
            "day": date(2026, 3, 1),
            "segments": [{"started_at": NOON - DAY, "ended_at": NOON - DAY + HOUR, "active": False}],
        },
        {"agent": "bob", "team": "sales", "segments": [{"started_at": NOON, "ended_at": NOON + HOUR, "active": False}]},
    )
    facts.add("episodes", resolved(resolver="ann"), resolved(resolver="ann"), resolved(resolver="zoe"))
    rows = facts.rows("agent_hours,resolved_per_agent_hour,occupancy,concurrency", by="agent", order="agent", now=LATER)
    assert [(r["agent"], r["agent_hours"]["value"], r["resolved_per_agent_hour"]["value"]) for r in rows] == [
        ("ann", 3.0, 2 / 3),
        ("bob", 1.0, 0.0),
        ("zoe", 0.0, None),
    ]
    assert rows[0]["occupancy"]["value"] == pytest.approx(2 / 3)
    assert rows[0]["concurrency"]["value"] == 2.0
    day = {"from_": "2026-03-02T12:30:00Z", "to": "2026-03-02T14:30:00Z"}
    assert facts.cell("agent_hours", agent="ann", now=LATER, **day)["value"] == 1.5
    hourly = facts.rows("agent_hours", agent="ann", now=LATER, interval="hour", **day)
    assert [(r["start"], r["agent_hours"]["value"]) for r in hourly] == [
        ("2026-03-02T12:30:00+00:00", 0.5),
        ("2026-03-02T13:00:00+00:00", 1.0),
        ("2026-03-02T14:00:00+00:00", 0.0),
    ]
    assert facts.cell("agent_hours", agent="bob", now="2026-03-02T12:15:00Z")["value"] == 0.25


def test_sentiment_of_customers_alone(facts: Facts) -> None:
    customer = {"outbound": False, "author": "customer"}
    facts.add(
        "messages",
        *({**customer, "sentiment": score} for score in (-0.5, -0.25, 0.0, 0.75)),
        {**customer, "sentiment": -1.0, "auto_reply": True},
        {**customer, "sentiment": -1.0, "test": True},
        customer,
        {"sentiment": -1.0},
    )
    (row,) = facts.rows("sentiment,negative_share", now=LATER)
    assert (row["sentiment"]["value"], row["sentiment"]["n"]) == (0.0, 4)
    assert (row["negative_share"]["numerator"], row["negative_share"]["denominator"]) == (2, 4)


def test_frustration_and_quality(facts: Facts) -> None:
    facts.add(
        "episodes",
        resolved(frustrated_at=NOON + MINUTE, quality=80.0, last_agent="ann"),
        resolved(quality=40.0),
        resolved(),
        {"frustrated_at": NOON + 2 * DAY},
    )
    (row,) = facts.rows("frustrated_episodes,quality_of_experience", now=LATER)
    assert row["frustrated_episodes"] == {"value": 1}
    assert (row["quality_of_experience"]["value"], row["quality_of_experience"]["n"]) == (60.0, 2)
    assert facts.cell("quality_of_experience", agent="ann", now=LATER) == {
        "value": 80.0, "n": 1, "low": None, "high": None,
    }  # fmt: skip
