"""Questions: how parameters are read, what is refused, and how the answer is arranged."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from metric_facts import DAY, HOUR, LATER, NOON, Facts
from tickertape.errors import InvalidInput
from tickertape.metrics import describe, parse
from tickertape.metrics import query as query_module
from tickertape.metrics.filters import Filter
from tickertape.metrics.ranges import MAX_BUCKETS
from tickertape.settings import Settings

HOSTILE = ("x' OR 1=1 --", "'); DROP TABLE messages; --", "\\'", "{from:Int64}", "a\nb", "\0", "`", "%s", "{}", "ü🙂")


@pytest.fixture
def facts() -> Facts:
    return Facts()


def ask(params: dict[str, Any], settings: Settings | None = None) -> Any:
    return parse(params, settings or Settings(), NOON)


def test_a_url_and_a_json_object_ask_the_same() -> None:
    url = {
        "metrics": "sent, delivered,sent",
        "last": "24h",
        "by": "channel,attrs.plan",
        "campaign": r"a,b\,c",
        "channel!": "email",
        "attrs.vip": "true",
        "order": "-sent,channel",
        "limit": "5",
        "compare": "previous,benchmark",
    }
    body = {
        "metrics": ["sent", "delivered"],
        "last": "24h",
        "by": ["channel", "attrs.plan"],
        "campaign": ["a", "b,c"],
        "channel!": ["email"],
        "attrs.vip": True,
        "order": ["-sent", "channel"],
        "limit": 5,
        "compare": ["previous", "benchmark"],
    }
    asked = ask(url)
    assert asked == ask(body)
    assert asked.filters == (
        Filter("campaign", ("a", "b,c")),
        Filter("channel", ("email",), negated=True),
        Filter("attrs.vip", ("true",)),
    )
    assert asked.order == (("sent", True), ("channel", False))
    assert asked.tables == {"messages"}
    assert (asked.now, asked.explicit_now, asked.known) == (NOON, False, NOON + 300_000)
    assert ask({**url, "now": "2026-03-02T12:00:00Z"}).known == NOON
    assert ask({"metrics": "revenue,sent,open_waits,csat,agent_hours"}).tables == {
        "messages", "episodes", "surveys", "agent_days", "conversions",
    }  # fmt: skip


REFUSED: list[tuple[dict[str, Any], str | None, str]] = [
    ({}, "metrics", "missing"),
    ({"metrics": ""}, "metrics", "missing"),
    ({"metrics": "delivery_rat"}, "metrics", "delivery_rate"),
    ({"metrics": "subscribers"}, "metrics", "no metric"),
    ({"metrics": "sent", "by": "chanel"}, "by", "channel"),
    ({"metrics": "sent", "by": "topic"}, "by", "broken down by `topic`"),
    ({"metrics": "sent", "by": "contact"}, "by", "filter"),
    ({"metrics": "sent", "by": "link"}, "by", "link"),
    ({"metrics": "agent_hours", "channel": "sms"}, "channel", "filtered by `channel`"),
    ({"metrics": "resolved_per_agent_hour", "by": "channel"}, "by", "broken down"),
    ({"metrics": "sent", "by": "channel,team,agent,author,purpose"}, "by", "at most"),
    ({"metrics": "sent", "by": "attrs."}, "by", "not a dimension"),
    ({"metrics": "sent", "metric": "x"}, "metric", "metrics"),
    ({"metrics": "sent", "cannel": "sms"}, "cannel", "channel"),
    ({"metrics": "sent", "to!": "sms"}, "to!", "not a parameter"),
    ({"metrics": "sent", "timezone": "Europe/Berln"}, "timezone", "Europe/Berlin"),
    ({"metrics": "sent", "interval": "houre"}, "interval", "hour"),
    ({"metrics": "sent", "compare": "last_year"}, "compare", "previous"),
    ({"metrics": "sent", "anchor": "middle"}, "anchor", "start, end"),
    ({"metrics": "sent", "now": "soon"}, "now", "RFC 3339"),
    ({"metrics": "sent", "from": 5}, "from", "text"),
    ({"metrics": "sent", "order": "delivered"}, "order", "sent"),
    ({"metrics": "sent", "order": "sent sideways"}, "order", "desc"),
    ({"metrics": "sent", "order": "start"}, "order", "sent"),
    ({"metrics": "sent", "limit": "0"}, "limit", "whole number"),
    ({"metrics": "sent", "limit": "-1"}, "limit", "whole number"),
    ({"metrics": "sent", "limit": True}, "limit", "whole number"),
    ({"metrics": "sent", "limit": "1e3"}, "limit", "whole number"),
    ({"metrics": "sent", "hour_of_day": "24"}, "hour_of_day", "0 to 23"),
    ({"metrics": "sent", "day_of_week": "monday"}, "day_of_week", "mon"),
    ({"metrics": "sent", "engagement_tier": "lukewarm"}, "engagement_tier", "hot"),
    ({"metrics": "sent", "channel": []}, "channel", "values"),
    ({"metrics": "sent", "channel": [["sms"]]}, "channel", "text"),
    ({"metrics": "sent", "channel": {"is": "sms"}}, "channel", "text"),
    ({"metrics": "sent", "channel": "x" * 600}, "channel", "512"),
    ({"metrics": "sent", "channel": "\ud800"}, "channel", "valid text"),
    ({"metrics": "sent", **{f"attrs.{i}": "x" for i in range(21)}}, None, "at most 20 filters"),
    ({"metrics": "sent", "attrs." + "x" * 101: "1"}, ("attrs." + "x" * 101)[:60], "not a parameter"),
    ({"metrics": {"a": 1}}, "metrics", "text"),
    ({"metrics": "opt_outs"}, "metrics", "campaign"),
    ({"metrics": "opt_outs", "campaign!": "x"}, "metrics", "campaign"),
]


@pytest.mark.parametrize(("params", "field", "says"), REFUSED, ids=[json.dumps(r[0])[:60] for r in REFUSED])
def test_what_is_wrong_is_named_with_a_way_out(params: dict[str, Any], field: str | None, says: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        ask(params)
    assert raised.value.field == field
    assert says in str(raised.value)
    assert raised.value.status == 400


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_ever_a_value(facts: Facts, text: str) -> None:
    facts.add("messages", {"campaign": text, "attrs": [(text, text)]}, {"campaign": "other"})
    for params in ({"campaign": [text]}, {f"attrs.{text}": [text]}, {"campaign!": ["other"]}):
        assert facts.cell("sent", now=LATER, **params) == {"value": 1}
    (row, _) = facts.rows("sent", now=LATER, by=f"attrs.{text}".replace(",", r"\,"), order=["attrs." + text])
    assert row[f"attrs.{text}"] == text


@pytest.mark.parametrize(
    "name",
    ["metrics", "from", "to", "last", "by", "interval", "timezone", "compare", "anchor", "now", "order", "limit"],
)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_elsewhere_is_refused(name: str, text: str) -> None:
    with pytest.raises(InvalidInput):
        ask({"metrics": "sent", name: text})


def test_without_by_and_interval_there_is_one_row(facts: Facts) -> None:
    everything = ",".join(d["name"] for d in describe()["metrics"] if d["name"] != "opt_outs")
    answer = facts.ask({"metrics": everything, "now": LATER})
    (row,) = answer["rows"]
    for name, metric in answer["metrics"].items():
        value = row[name]["value"]
        assert value == (
            0 if metric["unit"] == "count" or name in ("cost", "revenue", "gross_revenue", "refunds") else None
        )
    json.dumps(answer, allow_nan=False)


def test_the_answer_says_what_it_is_about(facts: Facts) -> None:
    answer = facts.ask({"metrics": "sent,open_rate", "timezone": "Asia/Kathmandu", "now": "2026-03-05T00:00:00Z"})
    assert {name: answer[name] for name in ("from", "to", "timezone", "metrics", "as_of")} == {
        "from": "2026-03-02T00:00:00+05:45",
        "to": "2026-03-03T00:00:00+05:45",
        "timezone": "Asia/Kathmandu",
        "metrics": {"sent": {"unit": "count", "good": "neutral"}, "open_rate": {"unit": "ratio", "good": "up"}},
        "as_of": "2026-03-05T05:45:00+05:45",
    }


def test_every_bucket_has_a_row_for_every_value_found(facts: Facts) -> None:
    facts.add("messages", {"channel": "sms"}, {"channel": "email", "cohort_at": NOON + DAY, "delivered_at": NOON + DAY})
    rows = facts.rows("sent,delivery_rate", by="channel", interval="day", to="2026-03-04", now=LATER)
    assert [(r["start"][:10], r["channel"], r["sent"]["value"], r["delivery_rate"]["value"]) for r in rows] == [
        ("2026-03-02", "email", 0, None),
        ("2026-03-02", "sms", 1, 0.0),
        ("2026-03-03", "email", 1, 1.0),
        ("2026-03-03", "sms", 0, None),
    ]


def test_buckets_meet_the_range_exactly(facts: Facts) -> None:
    start = NOON - 12 * HOUR
    facts.add("messages", *({"cohort_at": start + ms} for ms in (-1, 0, HOUR - 1, HOUR, 24 * HOUR - 1, 24 * HOUR)))
    rows = facts.rows("sent", interval="hour", now=LATER)
    assert [r["sent"]["value"] for r in rows] == [2, 1, *[0] * 21, 1]
    assert facts.cell("sent", now=LATER)["value"] == 4


def test_the_longest_series(facts: Facts) -> None:
    facts.add("messages", {"cohort_at": NOON + 60_000}, {"cohort_at": NOON - DAY})
    facts.add("episodes", {"durations": [{"kind": "open", "started_at": NOON}]})
    facts.add(
        "agent_days", {"agent": "ann", "segments": [{"started_at": NOON, "ended_at": NOON + HOUR, "active": True}]}
    )
    rows = facts.rows(
        "sent,open_waits,agent_hours,revenue",
        from_="2026-03-01T00:00:00Z",
        to="2026-03-03T02:00:00Z",
        interval="minute",
        now=LATER,
    )
    assert len(rows) == MAX_BUCKETS
    noon = 36 * 60
    assert [place for place, row in enumerate(rows) if row["sent"]["value"]] == [noon - 24 * 60, noon + 1]
    assert [row["open_waits"]["value"] for row in rows] == [0] * (noon - 1) + [1] * (MAX_BUCKETS - noon + 1)
    assert sum(row["agent_hours"]["value"] for row in rows) == pytest.approx(1, abs=1e-4)


def test_clock_dimensions_follow_the_questions_zone(facts: Facts) -> None:
    facts.add("messages", {"cohort_at": NOON}, {"cohort_at": NOON + 6 * HOUR + 20 * 60_000})
    zone = {"timezone": "Asia/Kathmandu", "to": "2026-03-04", "now": LATER}
    rows = facts.rows("sent", by="day_of_week,hour_of_day", **zone)
    assert [(r["day_of_week"], r["hour_of_day"]) for r in rows] == [("mon", 17), ("tue", 0)]
    assert facts.cell("sent", hour_of_day="0,5", **zone)["value"] == 1
    assert facts.cell("sent", **{"day_of_week!": "tue"}, **zone)["value"] == 1


def test_order_and_limit(facts: Facts) -> None:
    for channel, sent, delivered in (("sms", 3, 0), ("email", 2, 2), ("push", 1, 1), ("", 2, 0)):
        facts.add(
            "messages",
            *({"channel": channel, "delivered_at": NOON} for _ in range(delivered)),
            *({"channel": channel} for _ in range(sent - delivered)),
        )

    def order(**params: Any) -> list[str | None]:
        return [r["channel"] for r in facts.rows("sent,time_to_deliver", by="channel", now=LATER, **params)]

    assert order() == ["sms", "email", None, "push"]
    assert order(order="sent") == ["push", "email", None, "sms"]
    assert order(order="sent desc", limit="2") == ["sms", "email"]
    assert order(order="-channel") == ["sms", "push", "email", None]
    assert order(order="time_to_deliver,-sent,channel") == ["email", "push", "sms", None]


def test_compare_previous(facts: Facts) -> None:
    yesterday = {"cohort_at": NOON - DAY}
    facts.add(
        "messages",
        {"channel": "sms", "delivered_at": NOON},
        {"channel": "push"},
        *({**yesterday, "channel": "sms", "delivered_at": NOON} for _ in range(2)),
        {**yesterday, "channel": "sms"},
        {**yesterday, "channel": "email"},
    )
    sms, push = facts.rows("sent,delivery_rate", by="channel", order="-channel", compare="previous", now=LATER)
    assert sms["sent"] == {"value": 1, "previous": {"value": 3}, "change": -2}
    assert sms["delivery_rate"]["previous"]["numerator"] == 2
    assert sms["delivery_rate"]["change"] == pytest.approx(1 / 3)
    assert push["sent"] == {"value": 1, "previous": {"value": 0}, "change": 1}
    assert (push["delivery_rate"]["previous"]["value"], push["delivery_rate"]["change"]) == (None, None)
    hours = facts.rows("sent", compare="previous", interval="hour", now=LATER)
    assert hours[12]["sent"] == {"value": 2, "previous": {"value": 4}, "change": -2}


def test_compare_with_a_benchmark_of_the_rows_channel(facts: Facts) -> None:
    facts.add("messages", {"channel": "email", "delivered_at": NOON}, {"channel": "sms"})
    email, sms = facts.rows("delivery_rate", by="channel", order="channel", compare="benchmark,previous", now=LATER)
    assert email["delivery_rate"]["benchmark"] == {"target": 0.98, "status": "good", "advice": None}
    assert (sms["delivery_rate"]["benchmark"]["target"], sms["delivery_rate"]["benchmark"]["status"]) == (0.95, "below")
    assert "previous" in email["delivery_rate"]
    assert facts.cell("delivery_rate", compare="benchmark", channel="email", now=LATER)["benchmark"]["target"] == 0.98


@pytest.mark.parametrize("now", ["1970-01-01T00:00:00Z", "0001-01-01", "2026-03-01", "9999-12-31T23:59:59Z"])
def test_clocks_far_away(facts: Facts, now: str) -> None:
    facts.add("messages", {"costs": [{"at": NOON, "amount": 1, "currency": "USD"}]})
    facts.add("episodes", {"durations": [{"kind": "open", "started_at": NOON}]})
    (row,) = facts.rows("sent,cost,open_waits,sla_attainment,revenue", now=now)
    assert (row["sent"]["value"], row["open_waits"]["value"]) == ((1, 1) if now.startswith("9") else (0, 0))


def test_relations_say_what_is_read(facts: Facts) -> None:
    facts.add("messages", {"channel": "sms"}, {"channel": "email"})
    facts.relations["messages"] = "(SELECT * FROM metric_messages FINAL WHERE channel = 'sms')"
    assert facts.cell("sent", now=LATER) == {"value": 1}
    assert facts.cell("machine_click_share", now=LATER)["denominator"] == 0
    facts.relations["messages"] = (
        "(SELECT * FROM metric_messages FINAL WHERE channel = 'sms' UNION ALL SELECT * FROM metric_messages FINAL)"
    )
    assert facts.cell("sent", now=LATER) == {"value": 3}


def test_too_many_rows_are_refused(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    facts.add("messages", *({"campaign": f"c{i}"} for i in range(5)))
    monkeypatch.setattr(query_module, "MAX_ROWS", 4)
    with pytest.raises(InvalidInput, match="fewer dimensions"):
        facts.rows("sent", by="campaign", now=LATER)
    monkeypatch.setattr(query_module, "MAX_ROWS", 100)
    with pytest.raises(InvalidInput, match="longer interval"):
        facts.rows("sent", by="campaign", interval="hour", now=LATER)


def test_the_range_of_a_question_uses_the_workspaces_zone() -> None:
    asked = ask({"metrics": "sent", "from": "2026-03-01", "to": "2026-03-02"}, Settings(timezone="Asia/Kathmandu"))
    assert asked.span.zone == ZoneInfo("Asia/Kathmandu")
    assert asked.span.end - asked.span.start == DAY
    assert asked.span.start % DAY == 18 * HOUR + 15 * 60_000
