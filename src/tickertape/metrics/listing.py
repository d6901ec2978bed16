"""The conversations behind the service figures, as a list: the same facts, filters and clock."""

from collections.abc import Mapping
from typing import Any

from tickertape.errors import InvalidInput, nearest
from tickertape.metrics.filters import Filter
from tickertape.metrics.grains import KNOWN, NEVER
from tickertape.metrics.ranges import LATEST_MS, parse_moment, parse_zone
from tickertape.metrics.request import CLOCK_SKEW_MS
from tickertape.settings import Settings
from tickertape.store import Store

_FILTERS: Mapping[str, str] = {
    "channel": "channel IN {values:Array(String)}",
    "team": "team IN {values:Array(String)}",
    "agent": "hasAny(agents, {values:Array(String)})",
    "topic": "hasAny(topics, {values:Array(String)})",
    "source": "source IN {values:Array(String)}",
    "contact": "contact IN {values:Array(String)}",
    "conversation": "conversation IN {values:Array(String)}",
}
_STATES: Mapping[str, str] = {
    "open": "outcome = 'open'",
    "waiting": f"outcome = 'open' AND waiting_since < {NEVER}",
    "resolved": "outcome IN ('resolved', 'no_reply', 'expired')",
}
_OPTED_OUT = "SELECT conversation_hash FROM messages FINAL WHERE NOT outbound AND opt_out NOT IN ('', 'opt_in')"
_FLAGS: Mapping[str, str] = {
    "frustrated": f"frustrated_at <= {KNOWN}",
    "opt_out": f"conversation_hash IN ({_OPTED_OUT} AND cohort_at <= {KNOWN})",
}
_ORDERS: Mapping[str, str] = {
    "latest": "opened_at DESC",
    "oldest": "opened_at",
    "waiting": "waiting_since, opened_at",
    "quality": "quality IS NULL, quality, opened_at",
}
_PARAMETERS = ("from", "to", "timezone", "now", "state", "flag", "order", "limit", "offset")
MAX_LIMIT = 500


def conversations(
    store: Store, params: Mapping[str, str], settings: Settings, real_now: int, relation: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The latest episode of each conversation that fits. Raises InvalidInput naming the parameter."""
    for name in params:
        if name not in _PARAMETERS and name.removesuffix("!") not in _FILTERS:
            near = nearest(name, [*_PARAMETERS, *_FILTERS])
            hint = f"Did you mean {near}?" if near else f"Use one of {', '.join([*_PARAMETERS, *_FILTERS])}."
            raise InvalidInput(f"`{name[:60]}` is not a parameter of the list.", field=name[:60], hint=hint)
    zone = parse_zone(params.get("timezone") or settings.timezone)
    moments = {name: parse_moment(params[name], zone, name) for name in ("from", "to", "now") if params.get(name)}
    known = moments.get("now", min(real_now + CLOCK_SKEW_MS, LATEST_MS))
    where = ["outcome != 'merged'", f"opened_at <= {KNOWN}"]
    values: dict[str, Any] = {"known": known}
    for name, sign in (("from", ">="), ("to", "<")):
        if name in moments:
            where.append(f"opened_at {sign} fromUnixTimestamp64Milli({{{name}:Int64}}, 'UTC')")
            values[name] = moments[name]
    for row in _filters(params):
        parameter = f"f{len(values)}"
        condition = _FILTERS[row.dimension].replace("{values:", f"{{{parameter}:")
        where.append(f"NOT ({condition})" if row.negated else condition)
        values[parameter] = list(row.values)
    outer = [_one_of(params, "state", _STATES), _one_of(params, "flag", _FLAGS)]
    order = _one_of(params, "order", _ORDERS) or _ORDERS["latest"]
    values |= {"limit": _number(params, "limit", 50, MAX_LIMIT), "offset": _number(params, "offset", 0, 1_000_000)}
    # Only rows of the tables above and parameters go into the statement.
    rows = store.rows(
        "SELECT source, conversation, contact, channel, team, topics, agents, last_agent, outcome,"  # noqa: S608
        " toUnixTimestamp64Milli(opened_at), toUnixTimestamp64Milli(ended_at), toUnixTimestamp64Milli(waiting_since),"
        " toUnixTimestamp64Milli(frustrated_at), quality"
        f" FROM (SELECT * FROM {relation.get('episodes', 'episodes FINAL')} WHERE {' AND '.join(where)}"
        " ORDER BY opened_at DESC LIMIT 1 BY conversation_hash)"
        f" WHERE {' AND '.join(c for c in outer if c) or '1'}"
        f" ORDER BY {order}, conversation_hash LIMIT {{limit:UInt32}} OFFSET {{offset:UInt32}}",
        values,
    )
    names = (
        "source", "conversation_id", "contact", "channel", "team", "topics", "agents", "last_agent", "outcome",
        "opened_at", "ended_at", "waiting_since", "frustrated_at", "quality",
    )  # fmt: skip
    return [dict(zip(names, row, strict=True)) for row in rows]


def _filters(params: Mapping[str, str]) -> list[Filter]:
    return [
        Filter(name.removesuffix("!"), tuple(value.split(",")), negated=name.endswith("!"))
        for name, value in params.items()
        if name.removesuffix("!") in _FILTERS
    ]


def _one_of(params: Mapping[str, str], name: str, known: Mapping[str, str]) -> str | None:
    value = params.get(name)
    if not value:
        return None
    if value not in known:
        raise InvalidInput(f"`{name}` {value[:60]!r} is not known.", field=name, hint=f"Use one of {', '.join(known)}.")
    return known[value]


def _number(params: Mapping[str, str], name: str, default: int, largest: int) -> int:
    text = params.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) > largest:
        raise InvalidInput(f"`{name}` is not a whole number up to {largest}.", field=name)
    return int(text)
