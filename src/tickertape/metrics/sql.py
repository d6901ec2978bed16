"""The only writer of metric SELECTs: terms of one grain become one SELECT.

Identifiers and expressions come from the rows of grains.py, dimensions.py and the catalogue alone; whatever a user
wrote travels as a parameter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from tickertape.metrics.dimensions import ATTRS, DIMENSIONS
from tickertape.metrics.filters import Filter, asks_for_credit
from tickertape.metrics.grains import Grain
from tickertape.metrics.kinds import Term
from tickertape.metrics.money import Rates
from tickertape.metrics.ranges import Range

MAX_ROWS = 100_000
# `home` is a DateTime: 32 bits of seconds.
_LAST_HOME = 2**32 - 1


class Aggregate(Struct, frozen=True):
    sql: str
    nothing: Any
    """Its value over no rows."""


AGGREGATES: Mapping[str, Aggregate] = {
    "count": Aggregate("countIf({condition})", 0),
    "distinct": Aggregate("uniqExactIf({argument}, {condition})", 0),
    "sum": Aggregate("sumIf({argument}, {condition})", 0),
    "latest": Aggregate("maxIf({argument}, {condition})", 0),
    "spread": Aggregate(
        "(countIf({condition}), quantilesExactInclusiveIf(0.5, 0.9, 0.95)({argument}, {condition}),"
        " avgIf({argument}, {condition}), maxIf({argument}, {condition}))",
        (0, [], 0, 0),
    ),
    "mean": Aggregate(
        "(countIf({condition}), avgIf({argument}, {condition}), stddevSampIf({argument}, {condition}))", (0, 0.0, 0.0)
    ),
}
_SUM_ONCE = "arraySum(arrayMap(x -> x.2, groupUniqArrayIf(({once_per}, {argument}), {condition})))"


class Select(Struct, frozen=True):
    """Columns: one per dimension of `by`, then the start in ms (with an interval), then currency and start of the
    rate's validity (where the grain has a currency), then one per term."""

    sql: str
    params: dict[str, Any]


def select(
    terms: Sequence[Term],
    *,
    grain: Grain,
    relation: str,
    span: Range,
    by: Sequence[str],
    filters: Sequence[Filter],
    anchor: str | None,
    now: int,
    known: int,
    rates: Rates,
    repeated_credit: bool,
) -> Select:
    """One SELECT for terms that are counted in one grain. `repeated_credit`: several messages may each have earned
    the whole of one conversion."""
    moment = grain.start if (anchor or grain.anchor) == "start" else grain.end
    names: dict[str, Any] = {}
    groups = [_split(grain, name, moment, names) for name in by]
    if span.interval:
        groups.append(_bucket(grain, moment))
    if grain.currency:
        groups += [grain.currency, f"roundDown(toUnixTimestamp64Milli({grain.rate_at}), {{rate_edges:Array(Int64)}})"]
    keys = [f"g{i}" for i in range(len(groups))]
    columns = [f"{group} AS {key}" for group, key in zip(groups, keys, strict=True)]
    columns += [f"{_aggregate(term, grain, repeated_credit)} AS t{i}" for i, term in enumerate(terms)]
    conditions = [*grain.bounds, *grain.where, *_dated(grain, moment)]
    conditions += [_condition(grain, row, moment, names) for row in filters]
    if grain.credited and any(asks_for_credit(row) for row in filters):
        conditions.append(grain.credited)
    joins = [*grain.joins, *(["ARRAY JOIN " + grain.spread + " AS place"] if grain.spread else [])]
    lines = [
        "WITH " + ", ".join(f"({sql}) AS {name}" for name, sql in grain.definitions) if grain.definitions else "",
        "SELECT " + ", ".join(columns),
        f"FROM {relation}",
        *joins,
        "WHERE " + " AND ".join(f"({condition})" for condition in conditions) if conditions else "",
        f"GROUP BY {', '.join(keys)} LIMIT {MAX_ROWS + 1}" if keys else "",
    ]
    sql = "\n".join(line for line in lines if line)
    params = {**_clock(span, now, known, rates), "every_author": _chosen_authors(filters), **names}
    return Select(sql, {name: value for name, value in params.items() if f"{{{name}:" in sql})


def _clock(span: Range, now: int, known: int, rates: Rates) -> dict[str, Any]:
    started = [(edge, end) for edge, end in zip(span.edges, span.ends, strict=True)]
    return {
        "known": known,
        "now": now,
        "from": span.start,
        "to": span.end,
        "home_from": min(_LAST_HOME, span.start // 3_600_000 * 3600),
        "home_to": min(_LAST_HOME, -(-span.end // 1000)),
        "zone": span.zone.key,
        "edges": list(span.edges),
        "ends": list(span.ends),
        # A state in a bucket that has not begun is not known: no moment lies before the epoch.
        "points": [min(now, end) if edge < now or not span.interval else -1 for edge, end in started],
        "rate_edges": list(rates.edges),
    }


def _chosen_authors(filters: Sequence[Filter]) -> bool:
    return any(row.dimension in ("author", "campaign") for row in filters)


def _aggregate(term: Term, grain: Grain, repeated_credit: bool) -> str:
    template = _SUM_ONCE if term.aggregate == "sum" and grain.once_per and repeated_credit else None
    return (template or AGGREGATES[term.aggregate].sql).format(
        argument=term.argument, condition=term.condition, once_per=f"({grain.once_per})"
    )


def _bucket(grain: Grain, moment: str) -> str:
    if grain.spread:
        return "{edges:Array(Int64)}[place + 1]"
    return f"roundDown(toUnixTimestamp64Milli({moment}), {{edges:Array(Int64)}})"


def _dated(grain: Grain, moment: str) -> list[str]:
    if grain.spread:
        return []
    return [
        f"{moment} >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC')",
        f"{moment} < fromUnixTimestamp64Milli({{to:Int64}}, 'UTC')",
    ]


def _expression(grain: Grain, name: str, moment: str, names: dict[str, Any]) -> str:
    if name.startswith(ATTRS):
        parameter = f"a{len(names)}"
        names[parameter] = name.removeprefix(ATTRS)
        return f"attrs[{{{parameter}:String}}]"
    clock = DIMENSIONS[name].clock
    return clock.replace("{moment}", moment) if clock else grain.dimensions[name]


def _split(grain: Grain, name: str, moment: str, names: dict[str, Any]) -> str:
    expression = _expression(grain, name, moment, names)
    if name == "topic":
        return f"arrayJoin(if(empty({expression}), [''], arrayDistinct({expression})))"
    return expression


def _condition(grain: Grain, row: Filter, moment: str, names: dict[str, Any]) -> str:
    expression = _expression(grain, row.dimension, moment, names)
    parameter = f"f{len(names)}"
    names[parameter] = list(row.values)
    values = f"{{{parameter}:Array(String)}}"
    if row.dimension == "topic":
        found = f"hasAny(if(empty({expression}), [''], {expression}), {values})"
    else:
        found = f"{expression} IN {values}"
    return f"NOT ({found})" if row.negated else found
