"""The catalogue as a collection: complete, unique, documented, and every row can be asked in every way it says."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metric_facts import LATER, Facts
from tickertape.events import CHANNELS
from tickertape.metrics import describe
from tickertape.metrics.benchmarks import ROWS as BENCHMARKS
from tickertape.metrics.benchmarks import compared
from tickertape.metrics.catalogue import FAMILIES, METRICS
from tickertape.metrics.dimensions import ROWS as DIMENSIONS
from tickertape.metrics.dimensions import dimensions_of
from tickertape.metrics.grains import GRAINS
from tickertape.metrics.kinds import Metric, wilson
from tickertape.metrics.request import PARAMETERS
from tickertape.metrics.sql import AGGREGATES
from tickertape.settings import ChannelTargets, Settings, Targets

# The public contract: every name that the product promises, by family.
PROMISED = {
    "service": """first_response_time first_response_time_from_start first_any_response_time response_time
        bot_response_time queue_time resolution_time first_resolution_time first_contact_resolution one_touch_rate
        repeat_contact_rate reopen_rate transfer_rate sla_attainment unanswered_rate episodes_opened episodes_resolved
        open_waits oldest_wait agent_hours resolved_per_agent_hour occupancy concurrency csat csat_response_rate nps
        ces""",
    "delivery": "sent delivered failed delivery_rate delivery_rate_confirmed failure_rate time_to_deliver cost",
    "engagement": """open_rate click_through_rate click_through_rate_5m click_through_rate_1h click_through_rate_1d
        click_to_open_rate time_to_click response_rate response_rate_15m response_rate_1h response_rate_24h
        customer_response_time engagement_rate engagement_duration machine_click_share""",
    "revenue": """conversions conversion_rate revenue gross_revenue refunds average_order_value revenue_per_message
        revenue_per_click cost_per_conversion return_on_spend realised_value revenue_per_active_subscriber
        revenue_per_agent""",
    "list": """subscribers opt_ins opt_outs opt_in_rate opt_out_rate complaint_rate net_growth engaged_share
        silent_disengaged_share sends_after_opt_out uninstalls feature_adoption_rate""",
    "sentiment": "sentiment negative_share frustrated_episodes quality_of_experience",
}
# No fact table holds these yet.
NOT_YET = {
    "engagement_duration",
    "realised_value",
    "revenue_per_active_subscriber",
    "revenue_per_agent",
    "subscribers",
    "opt_ins",
    "opt_in_rate",
    "net_growth",
    "engaged_share",
    "silent_disengaged_share",
    "sends_after_opt_out",
    "uninstalls",
    "feature_adoption_rate",
}
DIMENSIONS_NOT_YET = {"segment", "contact_kind"}
PROMISED_DIMENSIONS = {
    "channel",
    "campaign",
    "template",
    "variant",
    "purpose",
    "agent",
    "team",
    "carrier",
    "country",
    "error_code",
    "topic",
    "author",
    "source",
    "link",
    "hour_of_day",
    "day_of_week",
    "segment",
    "engagement_tier",
    "contact_kind",
    "conversation",
    "contact",
}


def test_every_promised_name_is_there_or_known_to_be_missing() -> None:
    promised = {name: family for family, names in PROMISED.items() for name in names.split()}
    listed = {row.name: family for family, rows in FAMILIES for row in rows}
    assert listed == {name: family for name, family in promised.items() if name not in NOT_YET}
    assert set(promised) >= NOT_YET


def test_names_are_unique_and_plain() -> None:
    names = [row.name for _, rows in FAMILIES for row in rows]
    assert len(names) == len(set(names)) == len(METRICS)
    dimensions = {row.name for row in DIMENSIONS}
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)
    assert not dimensions & set(PARAMETERS)


def test_dimensions_are_those_promised() -> None:
    assert {row.name for row in DIMENSIONS} == PROMISED_DIMENSIONS - DIMENSIONS_NOT_YET
    assert all(row.description.endswith(".") for row in DIMENSIONS)
    known = {row.name for row in DIMENSIONS} | {"attrs"}
    for grain in GRAINS.values():
        assert set(grain.dimensions) <= known


@pytest.mark.parametrize("row", METRICS.values(), ids=list(METRICS))
def test_every_metric_is_documented(row: Metric) -> None:
    (document,) = [d for d in describe()["metrics"] if d["name"] == row.name]
    for field in ("title", "description", "formula", "advice", "source"):
        assert document[field].strip(), field
    assert document["description"].endswith(".")
    assert document["advice"].endswith(".")
    assert document["unit"] in ("ratio", "seconds", "count", "money", "score")
    assert document["good"] in ("up", "down", "neutral")
    assert document["dimensions"]


def test_terms_name_what_exists() -> None:
    for row in METRICS.values():
        for term in row.terms():
            assert term.grain in GRAINS
            assert term.aggregate in AGGREGATES
            assert (term.aggregate == "count") == (term.argument == "")


ASKABLE = {d.name: "x" for d in DIMENSIONS} | {"attrs.plan": "x", "hour_of_day": "1", "day_of_week": "mon"}


@pytest.mark.parametrize("dimension", ASKABLE)
def test_every_metric_answers_by_and_under_each_of_its_dimensions(dimension: str) -> None:
    facts = Facts()
    listed = dimension.replace("attrs.plan", "attrs.NAME")
    having = [row for row in METRICS.values() if listed in dimensions_of(row.terms())]
    assert having
    names = ",".join(row.name for row in having if not row.filtered_by or dimension == row.filtered_by)
    value = "hot" if dimension == "engagement_tier" else ASKABLE[dimension]
    assert len(facts.rows(names, now=LATER, **{dimension: value})) == 1
    if not any(d.filter_only for d in DIMENSIONS if d.name == dimension):
        by = {"by": dimension, "interval": "day", **({"campaign": "x"} if "opt_outs" in names.split(",") else {})}
        assert facts.rows(names, now=LATER, **by) == []


@given(numerator=st.integers(0, 10**6), more=st.integers(0, 10**6))
def test_wilson_bounds_hold_the_share(numerator: int, more: int) -> None:
    n = numerator + more
    low, high = wilson(numerator, n)
    if n == 0:
        assert (low, high) == (None, None)
        return
    assert low is not None
    assert high is not None
    assert 0 <= low <= numerator / n <= high <= 1
    # The defining property: at a bound the score test's statistic is z.
    for bound in (low, high):
        if 0 < bound < 1:
            z = abs(numerator / n - bound) / math.sqrt(bound * (1 - bound) / n)
            assert z == pytest.approx(1.959963984540054, rel=1e-4)


@pytest.mark.parametrize(
    ("numerator", "n", "low", "high"), [(3, 10, 0.107791, 0.603222), (0, 10, 0, 0.277533), (10, 10, 0.722467, 1)]
)
def test_wilson_values(numerator: int, n: int, low: float, high: float) -> None:
    assert wilson(numerator, n) == pytest.approx((low, high), abs=1e-6)


def test_benchmarks_are_of_metrics_and_channels_that_exist() -> None:
    keys = [(row.metric, row.channel) for row in BENCHMARKS]
    assert len(keys) == len(set(keys))
    for row in BENCHMARKS:
        assert METRICS[row.metric].good in ("up", "down") or row.metric == "occupancy"
        assert row.channel is None or row.channel in CHANNELS
        assert row.source.endswith(".")
        assert row.tolerance > 0


OWN = Settings(
    targets=Targets(
        first_response_seconds=100,
        response_seconds=None,
        channels={"email": ChannelTargets(first_response_seconds=7200), "sms": ChannelTargets(response_seconds=50)},
    )
)
STATUS = [
    ("delivery_rate", 0.95, None, 0.95, "good"),
    ("delivery_rate", 0.93, None, 0.95, "near"),
    ("delivery_rate", 0.90, None, 0.95, "below"),
    ("delivery_rate", 0.95, "email", 0.98, "below"),
    ("delivery_rate", None, None, 0.95, "no_data"),
    ("failure_rate", 0.05, None, 0.05, "good"),
    ("failure_rate", 0.075, None, 0.05, "near"),
    ("failure_rate", 0.076, None, 0.05, "below"),
    ("sent", 5, None, None, "no_data"),
    ("first_response_time", 100, None, 100, "good"),
    ("first_response_time", 151, "sms", 100, "below"),
    ("first_response_time", 7200, "email", 7200, "good"),
    ("response_time", 75, "sms", 50, "near"),
    ("response_time", 300, "whatsapp", 300, "good"),
]


@pytest.mark.parametrize(("metric", "value", "channel", "target", "status"), STATUS)
def test_standing_against_a_benchmark(
    metric: str, value: float | None, channel: str | None, target: float | None, status: str
) -> None:
    got = compared(METRICS[metric], value, channel, OWN)
    assert (got["target"], got["status"]) == (target, status)
    assert (got["advice"] is not None) == (status in ("near", "below"))
