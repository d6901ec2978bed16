"""The catalogue as a document: what `GET /v1/metrics`, the command line and the reference pages show."""

from typing import Any

from tickertape.metrics import benchmarks, dimensions
from tickertape.metrics.catalogue import FAMILIES
from tickertape.metrics.kinds import Metric


def describe() -> dict[str, Any]:
    """`{"metrics": [...], "dimensions": [...]}`, in the order in which they are shown."""
    return {
        "metrics": [_metric(family, row) for family, rows in FAMILIES for row in rows],
        "dimensions": [
            *(
                {"name": row.name, "description": row.description, "filter_only": row.filter_only}
                for row in dimensions.ROWS
            ),
            {
                "name": "attrs.NAME",
                "description": "The free dimension NAME, as the events carry it.",
                "filter_only": False,
            },
        ],
    }


def _metric(family: str, row: Metric) -> dict[str, Any]:
    return {
        "name": row.name,
        "family": family,
        "title": row.title,
        "description": row.description,
        "formula": row.formula,
        "unit": row.unit,
        "good": row.good,
        "dimensions": dimensions.dimensions_of(row.terms()),
        "benchmarks": {
            channel: {"target": mark.target, "tolerance": mark.tolerance, "source": mark.source}
            for channel, mark in benchmarks.of_metric(row.name).items()
        },
        "advice": row.advice,
        "source": row.source,
    }
