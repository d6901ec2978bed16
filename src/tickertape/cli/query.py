"""`tickertape query`."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Group, RenderableType

from tickertape.cli import figures
from tickertape.cli.client import connect
from tickertape.cli.errors import CliError
from tickertape.cli.options import Given
from tickertape.cli.output import safe, show, table

Moment = Annotated[str | None, Parameter(negative=())]
Filters = Annotated[list[str] | None, Parameter(name=["--filter", "-f"], negative=())]
From = Annotated[str | None, Parameter(name="--from")]
Interval = Literal["minute", "15m", "hour", "day", "week", "month"]


def query(
    metrics: list[str],
    /,
    *,
    from_: From = None,
    to: str | None = None,
    last: str | None = None,
    by: str | None = None,
    interval: Interval | None = None,
    timezone: str | None = None,
    compare: Literal["previous", "benchmark"] | None = None,
    filter_: Filters = None,
    order: str | None = None,
    limit: int | None = None,
    options: Given,
) -> None:
    """Ask for figures.

    Parameters
    ----------
    metrics
        Their names; `tickertape metrics` lists them.
    from_
        The start: a date, or a time such as 2026-03-01T00:00:00Z.
    to
        The end, not included.
    last
        Instead of both: 24h, 7d, 30d.
    by
        A row for each value of these dimensions: channel,campaign
    interval
        A row for each of these.
    timezone
        An IANA name such as Europe/Madrid; default the workspace's.
    compare
        Beside each figure: the range just before, or the benchmark.
    filter_
        Only these: channel=sms,whatsapp or channel!=email; as often as needed.
    order
        What to sort the rows by.
    limit
        How many rows.
    """
    params = question(metrics, from_, to, last, by, interval, timezone, compare, filter_, order, limit)
    with connect(options) as client:
        answer = client.call("GET", "/v1/query", params)
    show(options, answer, _drawn)


def question(
    metrics: Sequence[str],
    from_: str | None,
    to: str | None,
    last: str | None,
    by: str | None,
    interval: str | None,
    timezone: str | None,
    compare: str | None,
    filters: Sequence[str] | None,
    order: str | None,
    limit: int | None,
) -> list[tuple[str, str]]:
    """The parameters of /v1/query. Raises CliError for a filter without a value."""
    named = {
        "metrics": ",".join(metrics),
        "from": from_,
        "to": to,
        "last": last,
        "by": by,
        "interval": interval,
        "timezone": timezone,
        "compare": compare,
        "order": order,
        "limit": None if limit is None else str(limit),
    }
    return [(name, value) for name, value in named.items() if value is not None] + [_filter(f) for f in filters or ()]


def _filter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.rstrip("!"):
        raise CliError(f"The filter {text!r} has no value.", "Write it as -f channel=sms or -f channel!=email.")
    return name, value


def _drawn(answer: dict[str, Any]) -> RenderableType:
    units = {name: about["unit"] for name, about in answer["metrics"].items()}
    rows = answer["rows"]
    labels = [name for name in (rows[0] if rows else {}) if name not in units]
    span = safe(f"{answer['from']} … {answer['to']} ({answer['timezone']}), as of {answer['as_of']}")
    return Group(span, _wide(rows, labels, units) if labels or not rows else _tall(rows[0], units))


def _tall(row: dict[str, Any], units: dict[str, str]) -> RenderableType:
    """One row: a line for each metric."""
    drawn = table("metric", "value", "n", "range", "change", right=("value", "n", "change"))
    for name, unit in units.items():
        cell = row.get(name)
        drawn.add_row(name, *_figures(cell, unit))
    return drawn


def _wide(rows: list[dict[str, Any]], labels: list[str], units: dict[str, str]) -> RenderableType:
    """Many rows: columns for each metric, without those that stay empty."""
    columns = [(label, [safe(NONE if row.get(label) is None else row[label]) for row in rows]) for label in labels]
    for name, unit in units.items():
        cells = [_figures(row.get(name), unit) for row in rows]
        for title, column in zip((name, "n", "range", "change"), zip(*cells, strict=True), strict=True):
            if title == name or any(column):
                columns.append((title, [safe(text) for text in column]))
    drawn = table()
    for number, (title, _) in enumerate(columns):
        drawn.add_column(title, justify="left" if number < len(labels) else "right", overflow="fold")
    for line in zip(*(values for _, values in columns), strict=True):
        drawn.add_row(*line)
    return drawn


NONE = "(none)"


def _figures(cell: dict[str, Any] | None, unit: str) -> tuple[str, str, str, str]:
    return figures.value(cell, unit), figures.sample(cell), figures.bounds(cell, unit), figures.change(cell)
