"""Delivery, engagement and list figures from message facts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from metric_facts import DAY, HOUR, LATER, NOON, Facts
from tickertape.metrics.ranges import iso
from tickertape.settings import Settings

MINUTE = 60_000


@pytest.fixture
def facts() -> Facts:
    return Facts()


def share(numerator: int, denominator: int) -> dict[str, Any]:
    return {
        "value": numerator / denominator if denominator else None,
        "numerator": numerator,
        "denominator": denominator,
    }


def of(cell: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: cell[name] for name in names}


RATIO = ("value", "numerator", "denominator")

STATES: list[tuple[str, dict[str, Any], dict[str, int]]] = [
    ("sent only", {}, {"sent": 1, "delivered": 0, "failed": 0}),
    ("receipt", {"delivered_at": NOON + 1}, {"sent": 1, "delivered": 1, "failed": 0}),
    ("failure", {"failed_at": NOON + 1}, {"sent": 1, "delivered": 0, "failed": 1}),
    ("failure and receipt", {"failed_at": NOON + 1, "delivered_at": NOON + 2}, {"delivered": 1, "failed": 0}),
    ("late bounce", {"delivered_at": NOON + 1, "bounced_at": NOON + 2}, {"delivered": 0, "failed": 1}),
    (
        "late bounce, proven",
        {"delivered_at": NOON + 1, "bounced_at": NOON + 2, "proven_at": NOON + 3},
        {"delivered": 1},
    ),
    ("proof without receipt", {"proven_at": NOON + 1}, {"delivered": 1, "failed": 0}),
    ("proof after failure", {"failed_at": NOON, "proven_at": NOON + 1}, {"delivered": 1, "failed": 0}),
    ("test", {"test": True, "delivered_at": NOON}, {"sent": 0, "delivered": 0}),
    ("inbound", {"outbound": False}, {"sent": 0}),
]


@pytest.mark.parametrize(("row", "counts"), [s[1:] for s in STATES], ids=[s[0] for s in STATES])
def test_state(facts: Facts, row: dict[str, Any], counts: dict[str, int]) -> None:
    facts.add("messages", row)
    (got,) = facts.rows(",".join(counts), now=LATER)
    assert got == {name: {"value": value} for name, value in counts.items()}


def test_what_comes_after_the_clock_is_not_known(facts: Facts) -> None:
    facts.add("messages", {"delivered_at": NOON + HOUR, "clicked_at": NOON + 2 * HOUR}, {"cohort_at": NOON + 3 * HOUR})
    expected = {
        "2026-03-02T11:59:59Z": (0, 0, share(0, 0)),
        "2026-03-02T12:00:00Z": (1, 0, share(0, 0)),
        "2026-03-02T13:00:00Z": (1, 1, share(0, 1)),
        "2026-03-02T14:00:00Z": (1, 1, share(1, 1)),
        "2026-03-02T15:00:00Z": (2, 1, share(1, 1)),
    }
    for now, (sent, delivered, clicked) in expected.items():
        (row,) = facts.rows("sent,delivered,click_through_rate", now=now)
        assert (row["sent"]["value"], row["delivered"]["value"]) == (sent, delivered), now
        assert of(row["click_through_rate"], *RATIO) == clicked, now


def test_without_a_clock_providers_may_run_five_minutes_ahead(facts: Facts) -> None:
    facts.add("messages", {"delivered_at": NOON + 5 * MINUTE}, {"delivered_at": NOON + 5 * MINUTE + 1})
    got = facts.ask({"metrics": "sent,delivered"}, real_now=NOON)["rows"]
    assert got == [{"sent": {"value": 2}, "delivered": {"value": 1}}]


def test_rates_carry_their_counts_and_bounds(facts: Facts) -> None:
    facts.add("messages", *({"delivered_at": NOON} for _ in range(3)), *({"failed_at": NOON} for _ in range(7)))
    cell = facts.cell("delivery_rate", now=LATER)
    assert of(cell, *RATIO, "maturing") == {**share(3, 10), "maturing": False}
    assert cell["low"] == pytest.approx(0.10779, abs=1e-5)
    assert cell["high"] == pytest.approx(0.60322, abs=1e-5)


def test_confirmed_needs_a_receipt_that_stands(facts: Facts) -> None:
    facts.add(
        "messages", {"delivered_at": NOON}, {"proven_at": NOON}, {"delivered_at": NOON, "bounced_at": NOON + 1}, {}
    )
    (row,) = facts.rows("delivery_rate,delivery_rate_confirmed,failure_rate", now=LATER)
    assert of(row["delivery_rate"], *RATIO) == share(2, 4)
    assert of(row["delivery_rate_confirmed"], *RATIO) == share(1, 4)
    assert of(row["failure_rate"], *RATIO) == share(1, 4)


def test_time_to_deliver(facts: Facts) -> None:
    facts.add(
        "messages",
        {"delivered_at": NOON - 2000},
        {"delivered_at": NOON + 1000},
        {"delivered_at": NOON + 4500},
        {"delivered_at": NOON + 99_000, "sent_known": False},
        {"proven_at": NOON + 99_000},
    )
    assert facts.cell("time_to_deliver", now=LATER) == {
        "value": 1.0, "n": 3, "p50": 1.0, "p90": 3.8, "p95": 4.15, "mean": 1.833333, "max": 4.5, "business": None,
    }  # fmt: skip


def test_failures_by_code_are_measured_against_all_sent(facts: Facts) -> None:
    facts.add(
        "messages",
        {"failed_at": NOON, "error_code": "30003", "channel": "sms"},
        {"failed_at": NOON, "error_code": "30003", "channel": "sms"},
        {"failed_at": NOON, "error_code": "30007", "channel": "sms"},
        {"delivered_at": NOON, "failed_at": NOON, "error_code": "30003", "channel": "sms"},
        {"failed_at": NOON, "error_code": "5.1.1", "channel": "email"},
    )
    rows = facts.rows("failed,failure_rate", by="channel,error_code", now=LATER)
    assert [(r["channel"], r["error_code"], r["failed"]["value"], of(r["failure_rate"], *RATIO)) for r in rows] == [
        ("sms", "30003", 2, share(2, 4)),
        ("email", "5.1.1", 1, share(1, 1)),
        ("sms", "30007", 1, share(1, 4)),
    ]
    filtered = facts.cell("failure_rate", error_code="30007", now=LATER)
    assert of(filtered, *RATIO) == share(1, 5)


OPENS: list[tuple[str, dict[str, Any], tuple[int, int], tuple[int, int]]] = [
    ("read", {"channel": "whatsapp", "delivered_at": NOON, "opened_at": NOON, "proven_at": NOON}, (1, 1), (0, 1)),
    ("sms has no opens", {"channel": "sms", "delivered_at": NOON, "opened_at": NOON}, (0, 0), (0, 0)),
    ("e-mail click", {"channel": "email", "delivered_at": NOON, "clicked_at": NOON, "proven_at": NOON}, (1, 1), (1, 1)),
    ("push click", {"channel": "push", "delivered_at": NOON, "clicked_at": NOON, "proven_at": NOON}, (0, 1), (0, 0)),
    ("untracked", {"channel": "email", "delivered_at": NOON, "tracked": False}, (0, 0), (0, 0)),
    ("undelivered", {"channel": "email", "failed_at": NOON}, (0, 0), (0, 0)),
    ("agent's reply", {"channel": "email", "delivered_at": NOON, "author": "agent"}, (0, 0), (0, 0)),
]


@pytest.mark.parametrize(("row", "opens", "clicks"), [o[1:] for o in OPENS], ids=[o[0] for o in OPENS])
def test_opens(facts: Facts, row: dict[str, Any], opens: tuple[int, int], clicks: tuple[int, int]) -> None:
    facts.add("messages", row)
    (got,) = facts.rows("open_rate,click_to_open_rate", now=LATER)
    assert of(got["open_rate"], *RATIO) == share(*opens)
    assert of(got["click_to_open_rate"], *RATIO) == share(*clicks)


def test_windows_include_their_end(facts: Facts) -> None:
    sent = {"delivered_at": NOON + HOUR, "proven_at": NOON}
    moments = (-1, 5 * MINUTE, 5 * MINUTE + 1, HOUR, HOUR + 1, DAY, DAY + 1)
    facts.add("messages", *({**sent, "clicked_at": NOON + HOUR + ms, "replied_at": NOON + HOUR + ms} for ms in moments))
    names = "click_through_rate,click_through_rate_5m,click_through_rate_1h,click_through_rate_1d"
    (row,) = facts.rows(names, now=LATER)
    assert [row[name]["numerator"] for name in names.split(",")] == [7, 2, 4, 6]
    names = "response_rate,response_rate_15m,response_rate_1h,response_rate_24h"
    (row,) = facts.rows(names, now=LATER)
    assert [row[name]["numerator"] for name in names.split(",")] == [7, 3, 4, 6]
    assert {row[name]["denominator"] for name in names.split(",")} == {7}
    (row,) = facts.rows("time_to_click,customer_response_time", now=LATER)
    # The click before delivery counts as 0 s.
    for cell in row.values():
        assert (cell["n"], cell["value"], cell["max"]) == (7, 3600.0, 86400.001)


def test_without_a_receipt_windows_run_from_the_send(facts: Facts) -> None:
    facts.add("messages", {"proven_at": NOON, "clicked_at": NOON + MINUTE})
    assert facts.cell("time_to_click", now=LATER)["value"] == 60.0


@pytest.mark.parametrize(
    ("filters", "n"), [({}, 1), ({"author": "agent"}, 1), ({"campaign": "spring"}, 2), ({"author!": "bot"}, 2)]
)
def test_agents_and_bots_are_no_outreach_unless_asked_for(facts: Facts, filters: dict[str, str], n: int) -> None:
    facts.add(
        "messages",
        {"delivered_at": NOON, "author": "campaign", "campaign": "spring"},
        {"delivered_at": NOON, "author": "agent", "campaign": "spring"},
    )
    assert facts.cell("response_rate", now=LATER, **filters)["denominator"] == n


@pytest.mark.parametrize("moment", ["clicked_at", "replied_at", "reacted_at", "converted_at"])
def test_engagement(facts: Facts, moment: str) -> None:
    facts.add(
        "messages", {"delivered_at": NOON, moment: NOON}, {"delivered_at": NOON, "opened_at": NOON}, {moment: NOON}
    )
    assert of(facts.cell("engagement_rate", now=LATER), *RATIO) == share(1, 2)


def test_clicks_by_actor_and_link(facts: Facts) -> None:
    clicks = [
        {"at": NOON + MINUTE, "actor": "machine", "link": "a"},
        {"at": NOON + 2 * MINUTE, "actor": "human", "link": "a"},
        {"at": NOON + 9 * MINUTE, "actor": "suspect", "link": "b"},
        {"at": NOON + 10 * MINUTE, "actor": "human", "link": "b"},
    ]
    first = {"delivered_at": NOON, "proven_at": NOON, "clicked_at": NOON + 2 * MINUTE, "clicks": clicks}
    facts.add("messages", first, {"delivered_at": NOON}, {"clicks": clicks[:1]})
    assert of(facts.cell("machine_click_share", now=LATER), *RATIO) == share(2, 5)
    rows = facts.rows(
        "click_through_rate,click_through_rate_5m,time_to_click,machine_click_share", by="link", order="link", now=LATER
    )
    assert [
        (r["link"], of(r["click_through_rate"], *RATIO), r["click_through_rate_5m"]["numerator"]) for r in rows
    ] == [
        ("a", share(1, 2), 1),
        ("b", share(1, 2), 0),
    ]
    assert [r["time_to_click"]["value"] for r in rows] == [120.0, 540.0]
    assert [of(r["machine_click_share"], *RATIO) for r in rows] == [share(2, 3), share(0, 2)]
    assert of(facts.cell("click_through_rate", link="nowhere", now=LATER), *RATIO) == share(0, 2)


def test_opt_outs_and_complaints(facts: Facts) -> None:
    sent = {"delivered_at": NOON, "campaign": "spring"}
    facts.add("messages", {**sent, "opted_out_at": NOON + DAY}, {**sent, "complained_at": NOON + DAY}, sent)
    (row,) = facts.rows("opt_out_rate,complaint_rate,opt_outs", campaign="spring", now=LATER)
    assert (row["opt_out_rate"]["numerator"], row["complaint_rate"]["numerator"], row["opt_outs"]) == (
        1,
        1,
        {"value": 1},
    )
    dated = facts.rows("opt_outs", campaign="spring", anchor="end", from_="2026-03-03", to="2026-03-04", now=LATER)
    assert dated == [{"opt_outs": {"value": 1}}]


MATURING = [
    ("delivery_rate", 72 * HOUR, 0),
    ("open_rate", 5 * DAY, HOUR),
    ("click_through_rate", 5 * DAY, HOUR),
    ("click_through_rate_5m", 5 * MINUTE, HOUR),
    ("response_rate", 7 * DAY, HOUR),
    ("response_rate_15m", 15 * MINUTE, HOUR),
    ("conversion_rate", 5 * DAY, HOUR),
    ("opt_out_rate", 72 * HOUR, HOUR),
]


@pytest.mark.parametrize(("metric", "window", "begins"), MATURING, ids=[m[0] for m in MATURING])
def test_maturing_until_the_window_of_the_youngest_is_over(facts: Facts, metric: str, window: int, begins: int) -> None:
    facts.add("messages", {"delivered_at": NOON + HOUR}, {"delivered_at": NOON, "cohort_at": NOON - HOUR})
    over = NOON + begins + window
    for now, maturing in ((over - 1, True), (over, False)):
        assert facts.cell(metric, now=iso(now, ZoneInfo("UTC")))["maturing"] is maturing


def test_cost_is_converted_by_the_rate_of_the_send_day(facts: Facts) -> None:
    settings = msgspec.convert(
        {
            "exchange_rates": [
                {"date": "2026-03-02", "from": "EUR", "to": "USD", "rate": "1.1"},
                {"date": "2026-03-03", "from": "EUR", "to": "USD", "rate": "9"},
            ],
            "timezone": "America/New_York",
        },
        Settings,
        strict=False,
    )
    eur = {"at": NOON + 2 * DAY, "amount": Decimal("0.10"), "currency": "EUR"}
    usd = {"at": NOON, "amount": Decimal("0.0075"), "currency": "USD"}
    facts.add(
        "messages",
        {"costs": [eur, usd]},
        {"costs": [usd, usd], "failed_at": NOON},
        {"costs": [{**usd, "currency": "JPY", "amount": Decimal(3)}]},
        # Before midnight in New York on 2 March no rate is known yet.
        {"costs": [eur], "cohort_at": NOON - 8 * HOUR},
    )
    assert facts.cell("cost", settings, timezone="UTC", now=LATER) == {
        "value": 0.1325,
        "currency": "USD",
        "n": 2,
        "unconverted": [{"currency": "EUR", "value": 0.1, "n": 1}, {"currency": "JPY", "value": 3.0, "n": 1}],
    }
    assert facts.cell("cost", settings, timezone="UTC", now="2026-03-03T00:00:00Z")["value"] == 0.0225


def test_tier_is_that_of_the_send(facts: Facts) -> None:
    facts.add(
        "messages",
        {"engaged_before": NOON - 30 * DAY},
        {"engaged_before": NOON - 30 * DAY - 1},
        {"engaged_before": NOON - 90 * DAY},
        {"engaged_before": NOON - 90 * DAY - 1},
        {},
    )
    rows = facts.rows("sent", by="engagement_tier", now=LATER)
    assert [(r["engagement_tier"], r["sent"]["value"]) for r in rows] == [
        ("hot", 1),
        ("warm", 2),
        ("cold", 1),
        ("none", 1),
    ]
    assert facts.cell("sent", now=LATER, engagement_tier="hot,none")["value"] == 2
