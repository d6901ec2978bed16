"""Money: credit, cohorts, refunds, currencies and exact splits from conversion facts."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from metric_facts import DAY, HOUR, LATER, NOON, Facts
from test_metrics_delivery import RATIO, of, share
from tickertape.settings import Settings

ANY_TOUCH = msgspec.convert({"attribution": {"model": "any_touch"}}, Settings)


@pytest.fixture
def facts() -> Facts:
    return Facts()


def credit(campaign: str = "", parts: int = 1, **more: Any) -> dict[str, Any]:
    return {"campaign": campaign, "message_at": NOON, "share": 1 / parts, "touch": "click", "channel": "sms", **more}


def sale(value: str, *credits: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"value": Decimal(value), "at": NOON + HOUR, "credits": list(credits), **more}


def values(rows: list[dict[str, Any]], key: str, metric: str) -> dict[str | None, float | None]:
    return {row[key]: row[metric]["value"] for row in rows}


def test_rows_add_up_to_the_stores_revenue(facts: Facts) -> None:
    facts.add("conversions", sale("100.10", credit("A")), sale("50.05", credit("")), sale("25.01"))
    facts.add("messages", {"campaign": "A"}, {})
    rows = facts.rows("revenue,sent", by="campaign", now=LATER)
    assert values(rows, "campaign", "revenue") == {"A": 100.1, None: 50.05, "(unattributed)": 25.01}
    assert values(rows, "campaign", "sent") == {"A": 1, None: 1, "(unattributed)": 0}
    (total,) = facts.rows("revenue,conversions", now=LATER)
    assert (total["revenue"]["value"], total["revenue"]["n"], total["conversions"]["value"]) == (175.16, 3, 3)


@pytest.mark.parametrize(
    ("filters", "revenue"),
    [
        ({"campaign": "A"}, 100.0),
        ({"campaign": ""}, 50.0),
        ({"campaign": "(unattributed)"}, 25.0),
        ({"campaign": "A,(unattributed)"}, 125.0),
        ({"campaign!": "A"}, 50.0),
        ({"channel": "sms"}, 150.0),
        ({"channel!": "email"}, 150.0),
        ({"contact": "kim"}, 25.0),
        ({"attrs.shop": "uk"}, 100.0),
        ({"hour_of_day": "13"}, 25.0),
    ],
)
def test_under_a_filter_of_messages_only_what_they_earned(
    facts: Facts, filters: dict[str, str], revenue: float
) -> None:
    facts.add(
        "conversions",
        sale("100", credit("A"), attrs=[("shop", "uk")]),
        sale("50", credit("")),
        sale("25", contact="kim"),
    )
    assert facts.cell("revenue", now=LATER, **filters)["value"] == revenue


def test_a_conversion_belongs_to_the_send_of_its_message(facts: Facts) -> None:
    facts.add("conversions", sale("100", credit("A"), at=NOON + 3 * DAY), sale("10", at=NOON + 3 * DAY))
    days = {"from_": "2026-03-02", "to": "2026-03-07", "interval": "day", "now": LATER}
    got = [r["conversions"]["value"] for r in facts.rows("conversions", **days)]
    assert got == [1, 0, 0, 1, 0]
    got = [r["conversions"]["value"] for r in facts.rows("conversions", anchor="end", **days)]
    assert got == [0, 0, 0, 2, 0]


def test_refunds_follow_their_conversion_or_fall_on_their_own_day(facts: Facts) -> None:
    refund = {"at": NOON + 2 * DAY, "amount": Decimal(40)}
    facts.add("conversions", sale("100", credit("A"), refunds=[refund, {**refund, "at": NOON + 90 * DAY}]))
    names = "gross_revenue,refunds,revenue,conversions,average_order_value"
    (row,) = facts.rows(names, now="2026-03-20T00:00:00Z")
    assert [row[name]["value"] for name in names.split(",")] == [100, 40, 60, 1, 60]
    (row,) = facts.rows(names, now="2026-03-20T00:00:00Z", anchor="end", from_="2026-03-04", to="2026-03-05")
    assert [row[name]["value"] for name in names.split(",")] == [0, 40, -40, 0, None]
    assert facts.cell("revenue", now="2026-03-02T12:59:00Z")["value"] == 0


SPLITS = [
    ("100.00", "USD", [33.34, 33.33, 33.33]),
    ("100.01", "USD", [33.34, 33.34, 33.33]),
    ("0.01", "USD", [0.01, 0.0, 0.0]),
    ("100", "JPY", [34, 33, 33]),
    ("1", "KWD", [0.334, 0.333, 0.333]),
    ("10.005", "USD", [3.345, 3.33, 3.33]),
    ("999999999999.99", "USD", [333333333333.33] * 3),
]


@pytest.mark.parametrize(("value", "currency", "parts"), SPLITS)
def test_splits_are_exact_with_spare_units_to_the_earliest(
    facts: Facts, value: str, currency: str, parts: list[float]
) -> None:
    facts.add("conversions", sale(value, *(credit(name, 3) for name in "ABC"), currency=currency))
    settings = Settings(currency=currency)
    rows = facts.rows("revenue", settings, by="campaign", order="campaign", now=LATER)
    assert [row["revenue"]["value"] for row in rows] == parts
    assert facts.cell("revenue", settings, now=LATER)["value"] == float(value)
    assert facts.cell("revenue", settings, now=LATER)["n"] == 1


def test_any_touch_gives_each_message_all_and_counts_once(facts: Facts) -> None:
    refund = {"at": NOON + DAY, "amount": Decimal(10)}
    touches = [credit("A"), credit("A"), credit("B")]
    facts.add("conversions", sale("100", *touches, refunds=[refund, refund]), sale("100", credit("A")))
    rows = facts.rows("revenue,conversions", ANY_TOUCH, by="campaign", order="campaign", now=LATER)
    assert values(rows, "campaign", "revenue") == {"A": 180.0, "B": 80.0}
    assert values(rows, "campaign", "conversions") == {"A": 2, "B": 1}
    assert facts.cell("revenue", ANY_TOUCH, now=LATER)["value"] == 180.0


def test_currencies_without_a_rate_are_listed(facts: Facts) -> None:
    settings = msgspec.convert(
        {
            "exchange_rates": [
                {"date": "2026-03-02", "from": "EUR", "to": "USD", "rate": "1.1"},
                {"date": "2026-03-04", "from": "EUR", "to": "USD", "rate": "1.3"},
                {"date": "2026-03-01", "from": "USD", "to": "GBP", "rate": "0.8"},
            ]
        },
        Settings,
        strict=False,
    )
    refund = {"at": NOON + 5 * DAY, "amount": Decimal(50)}
    facts.add(
        "conversions",
        sale("100", credit()),
        sale("100", credit(), currency="EUR", refunds=[refund]),
        sale("8", credit(), currency="GBP"),
        sale("1000", credit(), currency="JPY", refunds=[refund]),
    )
    (row,) = facts.rows("revenue,average_order_value,conversions", settings, now=LATER)
    assert row["revenue"] == {
        "value": 165.0, "currency": "USD", "n": 3, "unconverted": [{"currency": "JPY", "value": 950.0, "n": 1}],
    }  # fmt: skip
    assert (row["average_order_value"]["value"], row["conversions"]["value"]) == (55.0, 4)


def test_money_per_unit(facts: Facts) -> None:
    price = {"at": NOON, "amount": Decimal("0.05"), "currency": "USD"}
    sent = {"campaign": "A", "costs": [price]}
    facts.add(
        "messages",
        {**sent, "delivered_at": NOON, "clicked_at": NOON, "converted_at": NOON + HOUR},
        {**sent, "failed_at": NOON},
    )
    facts.add("conversions", sale("20", credit("A")), sale("5", credit("A", touch="reply")), sale("100"))
    names = "revenue_per_message,revenue_per_click,cost_per_conversion,return_on_spend"
    (row,) = facts.rows(f"{names},conversion_rate", campaign="A", now=LATER)
    assert [row[name]["value"] for name in names.split(",")] == [25.0, 20.0, 0.05, 250.0]
    assert of(row["conversion_rate"], *RATIO) == share(1, 1)
    (row,) = facts.rows(names, campaign="nowhere", now=LATER)
    assert [row[name]["value"] for name in names.split(",")] == [None] * 4


def test_money_of_an_empty_bucket_is_null(facts: Facts) -> None:
    facts.add("conversions", sale("20", credit("A")))
    rows = facts.rows("revenue,conversions", from_="2026-03-01", to="2026-03-03", interval="day", now=LATER)
    assert [(r["revenue"]["value"], r["conversions"]["value"]) for r in rows] == [(None, 0), (20.0, 1)]
