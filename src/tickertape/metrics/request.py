"""From the parameters of a request (a URL's or a JSON object's) to a checked question."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from tickertape.errors import InvalidInput, nearest
from tickertape.metrics.catalogue import find
from tickertape.metrics.dimensions import DIMENSIONS, dimensions_of, has_dimension, is_dimension
from tickertape.metrics.filters import Filter
from tickertape.metrics.grains import GRAINS
from tickertape.metrics.kinds import Metric
from tickertape.metrics.ranges import LATEST_MS, Range, parse_moment, parse_range, parse_zone
from tickertape.metrics.sql import MAX_ROWS
from tickertape.settings import Settings

CLOCK_SKEW_MS = 300_000
"""Providers' clocks run ahead of ours: what they date up to this far in the future is known all the same."""

PARAMETERS = (
    "metrics", "from", "to", "last", "by", "interval", "timezone", "compare", "anchor", "now", "order", "limit",
)  # fmt: skip
COMPARISONS = ("previous", "benchmark")
ANCHORS = ("start", "end")
MAX_BY = 4
MAX_FILTERS = 20
MAX_VALUES = 1000
MAX_TEXT = 512

_COMMA = re.compile(r"(?<!\\),")


class Query(Struct, frozen=True, kw_only=True):
    """A question. Times in ms; `known` is the end of what is known. `anchor` None: each metric's own."""

    metrics: tuple[Metric, ...]
    span: Range
    by: tuple[str, ...]
    filters: tuple[Filter, ...]
    compare: tuple[str, ...]
    anchor: str | None
    now: int
    explicit_now: bool
    known: int
    order: tuple[tuple[str, bool], ...]
    """(a metric, a dimension or `start`; descending)"""
    limit: int | None

    @property
    def tables(self) -> frozenset[str]:
        """The fact tables that hold the answer."""
        return frozenset(GRAINS[term.grain].table for metric in self.metrics for term in metric.terms())


def parse(params: Mapping[str, Any], settings: Settings, real_now_ms: int) -> Query:
    """Checks a question. Lists come as text with commas (`\\,` for one inside a value) or as lists; the `!=` form of a
    filter comes as a name that ends in `!`. Raises InvalidInput that names the parameter."""
    asked = {name: value for name, value in params.items() if value is not None or _filtered(name)}
    _reject_unknown(asked)
    zone = parse_zone(_text(asked, "timezone") or settings.timezone)
    given_now = _text(asked, "now")
    now = parse_moment(given_now, zone, "now") if given_now is not None else min(real_now_ms, LATEST_MS)
    interval = _text(asked, "interval")
    metrics = _metrics(asked)
    by = _by(asked)
    filters = _filters(asked)
    for metric in metrics:
        _check_dimensions(metric, by, filters)
    return Query(
        metrics=metrics,
        span=parse_range(
            _text(asked, "from"),
            _text(asked, "to"),
            _text(asked, "last"),
            zone,
            None if interval == "none" else interval,
            now,
        ),
        by=by,
        filters=filters,
        compare=tuple(_one_of("compare", item, COMPARISONS) for item in _list(asked, "compare")),
        anchor=_one_of("anchor", anchor, ANCHORS) if (anchor := _text(asked, "anchor")) else None,
        now=now,
        explicit_now=given_now is not None,
        known=now if given_now is not None else min(now + CLOCK_SKEW_MS, LATEST_MS),
        order=tuple(_order(item, metrics, by, interval) for item in _list(asked, "order")),
        limit=_limit(asked.get("limit")),
    )


def _metrics(asked: Mapping[str, Any]) -> tuple[Metric, ...]:
    names = dict.fromkeys(_list(asked, "metrics"))
    if not names:
        raise InvalidInput(
            "`metrics` is missing.",
            field="metrics",
            hint="Name at least one, such as metrics=sent,delivery_rate; GET /v1/metrics lists them all.",
        )
    return tuple(find(name) for name in names)


def _by(asked: Mapping[str, Any]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(_list(asked, "by")))
    if len(names) > MAX_BY:
        raise InvalidInput(f"`by` takes at most {MAX_BY} dimensions.", field="by", hint="Ask two questions instead.")
    for name in names:
        if not is_dimension(name):
            raise InvalidInput(
                f"`by` {name[:60]!r} is not a dimension.", field="by", hint=_suggest(name, [*DIMENSIONS, "attrs.NAME"])
            )
        if name in DIMENSIONS and DIMENSIONS[name].filter_only:
            raise InvalidInput(
                f"`{name}` can filter, but not break down.", field="by", hint=f"Use {name}=… as a filter."
            )
    return names


def _filters(asked: Mapping[str, Any]) -> tuple[Filter, ...]:
    named = {name: value for name, value in asked.items() if _filtered(name)}
    if len(named) > MAX_FILTERS:
        raise InvalidInput(f"A question takes at most {MAX_FILTERS} filters.", hint="Leave some of them out.")
    return tuple(_filter(name, value) for name, value in named.items())


def _filter(name: str, value: Any) -> Filter:
    dimension = name.removesuffix("!")
    # A list's items are taken as they are: only a URL needs the comma to separate.
    values = tuple(_value(name, item) for item in (value if isinstance(value, list) else _split(_value(name, value))))
    if not values or len(values) > MAX_VALUES:
        raise InvalidInput(f"`{name}` takes 1 to {MAX_VALUES} values.", field=name)
    for item in values:
        if len(item) > MAX_TEXT:
            raise InvalidInput(f"`{name}` has a value of more than {MAX_TEXT} characters.", field=name)
    if dimension == "hour_of_day":
        values = tuple(_hour(item, name) for item in values)
    elif dimension in DIMENSIONS and (known := DIMENSIONS[dimension].values):
        values = tuple(_one_of(name, item, known) for item in values)
    return Filter(dimension, values, negated=name.endswith("!"))


def _check_dimensions(metric: Metric, by: Iterable[str], filters: Iterable[Filter]) -> None:
    filtered = [row.dimension for row in filters]
    for field, name in [("by", name) for name in by] + [(name, name) for name in filtered]:
        if all(has_dimension(term, name) for term in metric.terms()):
            continue
        verb = "broken down" if field == "by" else "filtered"
        raise InvalidInput(
            f"`{metric.name}` cannot be {verb} by `{name}`.",
            field=field,
            hint=f"It has {', '.join(dimensions_of(metric.terms()))}.",
        )
    needed = metric.filtered_by
    if needed is not None and not any(row.dimension == needed and not row.negated for row in filters):
        raise InvalidInput(
            f"`{metric.name}` can so far be asked under a `{needed}` filter only.",
            field="metrics",
            hint=f"Add {needed}=….",
        )


def _order(item: str, metrics: Iterable[Metric], by: Iterable[str], interval: str | None) -> tuple[str, bool]:
    known = [*(metric.name for metric in metrics), *by, *(["start"] if interval else [])]
    spellings = {
        spelling: (name, descending)
        for name in known
        for spelling, descending in ((name, False), (f"-{name}", True), (f"{name} asc", False), (f"{name} desc", True))
    }
    if item not in spellings:
        raise InvalidInput(
            f"`order` {item[:60]!r} is not something the rows have.",
            field="order",
            hint=f"Use one of {', '.join(known)}, with - before it or desc after it for the largest first.",
        )
    return spellings[item]


def _limit(value: Any) -> int | None:
    if value is None or value == "":
        return None
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MAX_ROWS:
        raise InvalidInput(f"`limit` is not a whole number from 1 to {MAX_ROWS}.", field="limit")
    return int(text)


def _reject_unknown(asked: Iterable[str]) -> None:
    for name in asked:
        if name not in PARAMETERS and not _filtered(name):
            raise InvalidInput(
                f"`{name[:60]}` is not a parameter of a query.",
                field=name[:60],
                hint=_suggest(name.removesuffix("!"), [*PARAMETERS, *DIMENSIONS]),
            )


def _filtered(name: str) -> bool:
    return is_dimension(name.removesuffix("!"))


def _suggest(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = nearest(name, known)
    return f"Did you mean {near}?" if near else f"Use one of {', '.join(known)}."


def _one_of(field: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise InvalidInput(f"`{field}` {value[:40]!r} is not known.", field=field, hint=f"Use {', '.join(known)}.")
    return value


def _hour(value: str, field: str) -> str:
    if not re.fullmatch(r"[0-9]{1,2}", value) or int(value) > 23:
        raise InvalidInput(f"`{field}` {value[:40]!r} is not an hour.", field=field, hint="Use 0 to 23.")
    return str(int(value))


def _text(asked: Mapping[str, Any], name: str) -> str | None:
    value = asked.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise InvalidInput(f"`{name}` is not text.", field=name, hint="Give it once, as text.")
    return _value(name, value)


def _list(asked: Mapping[str, Any], name: str) -> list[str]:
    value = asked.get(name)
    items = value if isinstance(value, list) else [value]
    parts = [part.strip() for item in items if item is not None for part in _split(_value(name, item))]
    return [part for part in parts if part]


def _split(text: str) -> list[str]:
    return [part.replace("\\,", ",") for part in _COMMA.split(text)]


_TEXT_OF: Mapping[type, Callable[[Any], str]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: lambda value: str(int(value)) if value.is_integer() else repr(value),
    type(None): lambda value: "",
}


def _value(name: str, value: Any) -> str:
    to_text = _TEXT_OF.get(type(value))
    if to_text is None:
        raise InvalidInput(f"`{name}` is neither text nor a list of texts.", field=name)
    text = to_text(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"`{name}` is not valid text.", field=name) from error
    return text
