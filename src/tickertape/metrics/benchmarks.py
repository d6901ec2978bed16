"""Benchmarks: what good looks like per metric and channel, as rows, and how a figure stands against them.

Shipped targets are starting points from the field's common knowledge, not measurements of any one business; a target
in the settings goes before them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from msgspec import Struct

from tickertape.metrics.kinds import Metric
from tickertape.settings import Settings


class Benchmark(Struct, frozen=True):
    """`channel` None: where a row is of no one channel, or its channel has no row. `tolerance`: how far off the
    target, as a share of it, still is near."""

    metric: str
    channel: str | None
    target: float
    tolerance: float
    source: str


_OWN = "Own choice, to be replaced by your own target."
_RULE = "Rule of thumb of the field, unverified."
_GMAIL = "Gmail's sender guidelines."

ROWS = (
    Benchmark("first_response_time", None, 300, 0.5, _OWN),
    Benchmark("first_response_time", "webchat", 60, 0.5, _RULE),
    Benchmark("first_response_time", "email", 14_400, 0.5, _RULE),
    Benchmark("response_time", None, 300, 0.5, _OWN),
    Benchmark("response_time", "webchat", 60, 0.5, _RULE),
    Benchmark("response_time", "email", 14_400, 0.5, _RULE),
    Benchmark("bot_response_time", None, 5, 1.0, _OWN),
    Benchmark("resolution_time", None, 86_400, 0.5, _RULE),
    Benchmark("first_contact_resolution", None, 0.7, 0.1, _RULE),
    Benchmark("reopen_rate", None, 0.1, 0.5, _RULE),
    Benchmark("transfer_rate", None, 0.15, 0.5, _RULE),
    Benchmark("repeat_contact_rate", None, 0.15, 0.5, _RULE),
    Benchmark("sla_attainment", None, 0.9, 0.1, _RULE),
    Benchmark("unanswered_rate", None, 0.02, 1.0, _OWN),
    Benchmark("occupancy", None, 0.85, 0.1, "Common ceiling of staffing tables, unverified."),
    Benchmark("csat", None, 0.85, 0.06, _RULE),
    Benchmark("nps", None, 30, 0.5, _RULE),
    Benchmark("delivery_rate", None, 0.95, 0.03, _RULE),
    Benchmark("delivery_rate", "email", 0.98, 0.02, _RULE),
    Benchmark("failure_rate", None, 0.05, 0.5, _RULE),
    Benchmark("failure_rate", "email", 0.02, 0.5, _RULE),
    Benchmark("open_rate", "email", 0.3, 0.2, _RULE),
    Benchmark("open_rate", "whatsapp", 0.8, 0.15, _RULE),
    Benchmark("click_through_rate", None, 0.03, 0.33, _RULE),
    Benchmark("click_through_rate", "sms", 0.06, 0.33, _RULE),
    Benchmark("click_through_rate", "whatsapp", 0.15, 0.33, _RULE),
    Benchmark("click_through_rate", "email", 0.02, 0.33, _RULE),
    Benchmark("click_through_rate", "push", 0.03, 0.33, _RULE),
    Benchmark("response_rate", None, 0.05, 0.4, _RULE),
    Benchmark("response_rate", "whatsapp", 0.15, 0.4, _RULE),
    Benchmark("conversion_rate", None, 0.01, 0.5, _RULE),
    Benchmark("opt_out_rate", None, 0.005, 1.0, _RULE),
    Benchmark("opt_out_rate", "sms", 0.01, 1.0, _RULE),
    Benchmark("complaint_rate", None, 0.001, 2.0, _GMAIL),
    Benchmark("negative_share", None, 0.15, 0.5, _OWN),
    Benchmark("quality_of_experience", None, 70, 0.15, "The band `good` of the score's definition."),
)
_BY_KEY: Mapping[tuple[str, str | None], Benchmark] = MappingProxyType({(row.metric, row.channel): row for row in ROWS})

_TARGETS: Mapping[str, str] = {
    "first_response_time": "first_response_seconds",
    "response_time": "response_seconds",
    "resolution_time": "resolution_seconds",
}
_OWN_TARGET_TOLERANCE = 0.5


def of_metric(name: str) -> dict[str, Benchmark]:
    """The rows of a metric per channel; `default` for the row of no one channel."""
    return {row.channel or "default": row for row in ROWS if row.metric == name}


def compared(metric: Metric, value: float | None, channel: str | None, settings: Settings) -> dict[str, Any]:
    """`{"target", "status", "advice"}`; `advice` where the figure is short of the target."""
    target, tolerance = _target(metric.name, channel, settings)
    if target is None or value is None or metric.good not in _SHORTFALL:
        return {"target": target, "status": "no_data", "advice": None}
    short = _SHORTFALL[metric.good](value, target)
    if short <= 0:
        return {"target": target, "status": "good", "advice": None}
    status = "near" if short <= tolerance * abs(target) * (1 + 1e-9) else "below"
    return {"target": target, "status": status, "advice": metric.advice}


_SHORTFALL: Mapping[str, Callable[[float, float], float]] = {
    "up": lambda value, target: target - value,
    "down": lambda value, target: value - target,
}


def _target(name: str, channel: str | None, settings: Settings) -> tuple[float | None, float]:
    own = _own_target(name, channel, settings)
    if own is not None:
        return own, _OWN_TARGET_TOLERANCE
    row = _BY_KEY.get((name, channel)) or _BY_KEY.get((name, None))
    return (row.target, row.tolerance) if row else (None, 0.0)


def _own_target(name: str, channel: str | None, settings: Settings) -> float | None:
    key = _TARGETS.get(name)
    if key is None:
        return None
    per_channel = settings.targets.channels.get(channel or "")
    own = getattr(per_channel, key) if per_channel is not None else msgspec.UNSET
    target: float | None = getattr(settings.targets, key) if own is msgspec.UNSET else own
    return target
