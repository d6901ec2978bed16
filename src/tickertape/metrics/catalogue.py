"""All metrics there are: the rows of every family, in the order in which they are shown."""

from collections.abc import Mapping
from types import MappingProxyType

from tickertape.errors import InvalidInput, nearest
from tickertape.metrics import delivery, engagement, list_health, revenue, sentiment, service
from tickertape.metrics.kinds import Metric

FAMILIES: tuple[tuple[str, tuple[Metric, ...]], ...] = (
    ("service", service.ROWS),
    ("delivery", delivery.ROWS),
    ("engagement", engagement.ROWS),
    ("revenue", revenue.ROWS),
    ("list", list_health.ROWS),
    ("sentiment", sentiment.ROWS),
)
METRICS: Mapping[str, Metric] = MappingProxyType({row.name: row for _, rows in FAMILIES for row in rows})


def find(name: str) -> Metric:
    """Raises InvalidInput with the nearest name for one that is not in the catalogue."""
    if name not in METRICS:
        near = nearest(name, METRICS)
        raise InvalidInput(
            f"There is no metric {name[:60]!r}.",
            code="unknown_metric",
            field="metrics",
            hint=f"Did you mean {near}?" if near else "GET /v1/metrics lists them all.",
        )
    return METRICS[name]
