"""From a question to its answer: plan, read, lay out, fill, arrange."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from tickertape.errors import InvalidInput
from tickertape.metrics.benchmarks import compared
from tickertape.metrics.dimensions import DIMENSIONS, grain_of
from tickertape.metrics.filters import Filter
from tickertape.metrics.grains import GRAINS, Grain
from tickertape.metrics.kinds import Cell, Context, Read, Term
from tickertape.metrics.money import rates_of
from tickertape.metrics.ranges import Range, iso, previous
from tickertape.metrics.request import Query
from tickertape.metrics.sql import AGGREGATES, MAX_ROWS, select
from tickertape.settings import Settings
from tickertape.store import Store

Key = tuple[str, ...]
"""A row's values of the dimensions of `by`; an empty string stands for none."""
Relations = Mapping[str, str]
"""The SQL to read a fact table from, where it is not `TABLE FINAL`."""


class Batch(Struct, frozen=True):
    """Terms that one SELECT answers: of one grain, by the same dimensions, under the same filters."""

    grain: Grain
    terms: tuple[Term, ...]
    by: tuple[str, ...]
    filters: tuple[Filter, ...]


Figures = dict[Term, dict[tuple[Key, int | None], Any]]
"""Per term: its value by (values of the dimensions of its batch, start of the bucket)."""


class Row(Struct):
    key: Key
    place: int | None
    """Of the bucket in the range; None without an interval."""
    cells: dict[str, Cell]


def answer(store: Store, query: Query, settings: Settings, relations: Relations) -> dict[str, Any]:
    """The figures, shaped as `/v1/query` gives them. Raises InvalidInput where there would be too many rows."""
    context = Context(
        now=query.now, bucketed=query.span.interval is not None, settings=settings, rates=rates_of(settings)
    )
    batches = plan(query)
    figures = read(store, query, query.span, batches, context, relations)
    rows = lay_out(query, batches, figures)
    fill(rows, query, query.span, batches, figures, context)
    rows = [row for row in rows if row.cells] if query.by else rows
    if "previous" in query.compare:
        before = previous(query.span)
        _compare_previous(
            rows, query, before, batches, read(store, query, before, batches, context, relations), context
        )
    if "benchmark" in query.compare:
        _compare_benchmark(rows, query, settings)
    return document(query, arrange(rows, query))


def plan(query: Query) -> list[Batch]:
    batches: dict[tuple[str, tuple[str, ...], tuple[Filter, ...]], dict[Term, None]] = {}
    for term in dict.fromkeys(term for metric in query.metrics for term in metric.terms()):
        by = tuple(name for name in query.by if name not in term.ignores)
        filters = tuple(row for row in query.filters if row.dimension not in term.ignores)
        grain = grain_of(term, (*by, *(row.dimension for row in filters)))
        batches.setdefault((grain, by, filters), {})[term] = None
    return [Batch(GRAINS[grain], tuple(terms), by, filters) for (grain, by, filters), terms in batches.items()]


def read(
    store: Store, query: Query, span: Range, batches: Sequence[Batch], context: Context, relations: Relations
) -> Figures:
    figures: Figures = {}
    for batch in batches:
        grain = batch.grain
        statement = select(
            batch.terms,
            grain=grain,
            relation=relations.get(grain.table, f"{grain.table} FINAL"),
            span=span,
            by=batch.by,
            filters=batch.filters,
            anchor=query.anchor,
            now=query.now,
            known=query.known,
            rates=context.rates,
            repeated_credit=context.settings.attribution.model == "any_touch",
        )
        result = store.rows(statement.sql, statement.params)
        if len(result) > MAX_ROWS:
            raise _too_many_rows()
        dims, interval = len(batch.by), int(span.interval is not None)
        for row in result:
            at = (tuple(row[:dims]), row[dims] if interval else None)
            values = row[dims + interval :]
            if grain.currency:
                currency, values = (values[0], values[1]), values[2:]
            for term, value in zip(batch.terms, values, strict=True):
                by_key = figures.setdefault(term, {})
                if grain.currency:
                    by_key.setdefault(at, {})[currency] = value
                else:
                    by_key[at] = value
    return figures


def lay_out(query: Query, batches: Sequence[Batch], figures: Figures) -> list[Row]:
    """The rows there are: every combination of dimensions that was found, in every bucket of the range."""
    keys: dict[Key, None] = {}
    for batch in batches:
        if batch.by == query.by:
            keys.update((key, None) for key, _ in figures.get(batch.terms[0], ()))
    if not query.by:
        keys = {(): None}
    places: Sequence[int | None] = range(len(query.span.edges)) if query.span.interval else (None,)
    if len(keys) * len(places) > MAX_ROWS:
        raise _too_many_rows()
    return [Row(key, place, {}) for key in keys for place in places]


def fill(
    rows: Sequence[Row], query: Query, span: Range, batches: Sequence[Batch], figures: Figures, context: Context
) -> None:
    """Works out the cells. Combinations of dimensions without any data in any bucket are left without cells."""
    shown: set[Key] = set() if query.by else {()}
    reader = _reader(query, span, batches, figures)
    for row in rows:
        value = reader(row)
        row.cells = {metric.name: metric.cell(value, context) for metric in query.metrics}
        if row.key not in shown and any(metric.has_data(row.cells[metric.name]) for metric in query.metrics):
            shown.add(row.key)
    for row in rows:
        if row.key not in shown:
            row.cells = {}


def arrange(rows: list[Row], query: Query) -> list[Row]:
    """In the order asked for, nulls last; else by time and clock dimensions, or the first metric's largest first."""
    rows.sort(key=lambda row: (row.place or 0, *(_rank(query, row, name) for name in query.by)))
    order = query.order
    if not order and query.by and not query.span.interval and not _ordered(query.by[0]):
        order = ((query.metrics[0].name, True),)
    for name, descending in reversed(order):
        # Stable sorts from the last criterion to the first; nulls stay last in either direction.
        rows.sort(key=lambda row, name=name: _rank(query, row, name)[1:], reverse=descending)  # type: ignore[misc]
        rows.sort(key=lambda row, name=name: _rank(query, row, name)[0])  # type: ignore[misc]
    return rows[: query.limit]


def document(query: Query, rows: Sequence[Row]) -> dict[str, Any]:
    span = query.span
    shown = []
    for row in rows:
        shown_row: dict[str, Any] = {name: _shown(name, value) for name, value in zip(query.by, row.key, strict=True)}
        if row.place is not None:
            shown_row["start"] = iso(span.edges[row.place], span.zone)
        shown.append({**shown_row, **row.cells})
    return {
        "from": iso(span.start, span.zone),
        "to": iso(span.end, span.zone),
        "timezone": span.zone.key,
        "rows": shown,
        "metrics": {metric.name: {"unit": metric.unit, "good": metric.good} for metric in query.metrics},
        "as_of": iso(query.now, span.zone),
    }


def _reader(query: Query, span: Range, batches: Sequence[Batch], figures: Figures) -> Callable[[Row], Read]:
    """How a row's terms are looked up: each by the dimensions that its batch was split by."""
    sources = {
        term: (
            figures.get(term, {}),
            tuple(query.by.index(name) for name in batch.by),
            {} if batch.grain.currency else AGGREGATES[term.aggregate].nothing,
        )
        for batch in batches
        for term in batch.terms
    }

    def of_row(row: Row) -> Read:
        start = None if row.place is None else span.edges[row.place]

        def value(term: Term) -> Any:
            found, places, nothing = sources[term]
            return found.get((tuple(row.key[place] for place in places), start), nothing)

        return value

    return of_row


def _compare_previous(
    rows: Sequence[Row], query: Query, before: Range, batches: Sequence[Batch], figures: Figures, context: Context
) -> None:
    """Buckets are compared by their place in the range: the third day with the third day before."""
    reader = _reader(query, before, batches, figures)
    for row in rows:
        value = reader(row) if row.place is None or row.place < len(before.edges) else None
        for metric in query.metrics:
            cell = row.cells[metric.name]
            cell["previous"] = metric.cell(value, context) if value else None
            values = cell["value"], cell["previous"]["value"] if value else None
            cell["change"] = None if None in values else _tidy(values[0] - values[1])


def _compare_benchmark(rows: Sequence[Row], query: Query, settings: Settings) -> None:
    chosen = {row.dimension: row.values[0] for row in query.filters if len(row.values) == 1 and not row.negated}
    for row in rows:
        channel = {**chosen, **dict(zip(query.by, row.key, strict=True))}.get("channel")
        for metric in query.metrics:
            cell = row.cells[metric.name]
            cell["benchmark"] = compared(metric, cell["value"], channel, settings)


def _rank(query: Query, row: Row, name: str) -> tuple[bool, Any]:
    """(is null, what it sorts by)."""
    if name == "start":
        return False, row.place or 0
    if name in query.by:
        value = row.key[query.by.index(name)]
        if name == "hour_of_day":
            return False, int(value)
        known = DIMENSIONS[name].values if name in DIMENSIONS else ()
        return value == "", known.index(value) if value in known else value
    number = row.cells[name]["value"]
    return number is None, number or 0


def _ordered(dimension: str) -> bool:
    return dimension == "hour_of_day" or (dimension in DIMENSIONS and bool(DIMENSIONS[dimension].values))


def _shown(dimension: str, value: str) -> str | int | None:
    if dimension == "hour_of_day":
        return int(value)
    return value or None


def _tidy(change: float) -> float:
    """Without the noise of binary fractions."""
    return change if isinstance(change, int) or not math.isfinite(change) else round(change, 9)


def _too_many_rows() -> InvalidInput:
    return InvalidInput(
        f"The answer would have more than {MAX_ROWS} rows.",
        code="too_many_rows",
        field="by",
        hint="Break down by fewer dimensions, add a filter, or choose a longer interval.",
    )
