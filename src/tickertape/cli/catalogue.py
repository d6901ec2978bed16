"""`tickertape metrics`."""

from typing import Any

from rich.console import RenderableType

from tickertape.cli.client import connect
from tickertape.cli.options import Given
from tickertape.cli.output import safe, show, table


def metrics(*, options: Given) -> None:
    """List every metric: its name, unit and what it means."""
    with connect(options) as client:
        answer = client.call("GET", "/v1/metrics")
    show(options, answer, _drawn)


def _drawn(answer: Any) -> RenderableType:
    listed = answer["metrics"] if isinstance(answer, dict) else answer
    drawn = table("family", "metric", "unit", "what it says")
    family = None
    for row in listed:
        drawn.add_row(
            "" if row["family"] == family else row["family"], row["name"], row["unit"], safe(row["description"])
        )
        family = row["family"]
    return drawn
