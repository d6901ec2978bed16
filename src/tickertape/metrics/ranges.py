"""From dates, zones and intervals to exact edges in milliseconds (UTC).

Buckets tile the range without gap or overlap. They begin where the local clock shows a whole minute, quarter, hour,
day, week (Monday) or month, in any zone and across any change of clocks; the first and last are cut at the range.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct

from tickertape.errors import InvalidInput, nearest

INTERVALS = ("minute", "15m", "hour", "day", "week", "month")
MAX_BUCKETS = 3000
EARLIEST_MS = 0
# The store's "never" is 2299-12-31: no range and no clock reaches it.
LATEST_MS = int(datetime(2299, 12, 30, tzinfo=UTC).timestamp() * 1000)

_CLOCK_MS = {"minute": 60_000, "15m": 900_000, "hour": 3_600_000}
_LAST_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}
_LAST = re.compile(r"([0-9]{1,6})([mhdw])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DEFAULT_LAST = "30d"
_NOT_ZONES = {"Factory", "localtime", "posixrules"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Range(Struct, frozen=True):
    """`[start, end)` in ms. `edges` are the starts of its buckets; without an interval, `start` alone."""

    start: int
    end: int
    zone: ZoneInfo
    interval: str | None
    edges: tuple[int, ...]

    @property
    def ends(self) -> tuple[int, ...]:
        return (*self.edges[1:], self.end)


def make_range(start: int, end: int, zone: ZoneInfo, interval: str | None) -> Range:
    edges = tuple(buckets(start, end, zone, interval)) if interval else (start,)
    return Range(start, end, zone, interval, edges)


def previous(span: Range) -> Range:
    """The range just before, of the same length: as many local days where it consists of whole ones."""
    first, last = to_local(span.start, span.zone), to_local(span.end, span.zone)
    whole_days = _midnight(first, span.start, span.zone) and _midnight(last, span.end, span.zone)
    if whole_days and first.date() - timedelta(days=(last.date() - first.date()).days) > date(1970, 1, 2):
        before = first.date() - (last.date() - first.date())
        start = local_to_ms(datetime(before.year, before.month, before.day), span.zone)
    else:
        start = span.start - (span.end - span.start)
    start = max(EARLIEST_MS, start)
    if start >= span.start:
        raise InvalidInput("There is no time before this range to compare with.", field="compare")
    return make_range(start, span.start, span.zone, span.interval)


def parse_range(
    since: str | None, until: str | None, last: str | None, zone: ZoneInfo, interval: str | None, now: int
) -> Range:
    """`since`, `until`: RFC 3339 or a date (midnight in the zone). Nothing given: the last 30 days."""
    if interval is not None and interval not in INTERVALS:
        raise InvalidInput(
            f"`interval` {interval[:40]!r} is not known.",
            field="interval",
            hint=f"Use one of {', '.join(INTERVALS)}, or leave it out.",
        )
    if last is not None and (since is not None or until is not None):
        raise InvalidInput("`last` and `from`/`to` exclude each other.", field="last", hint="Give one of the two.")
    if since is None and until is not None:
        raise InvalidInput("`to` is given without `from`.", field="from", hint="Add `from`, or use `last=7d`.")
    if since is None:
        end = now
        start = end - parse_last(last or _DEFAULT_LAST)
    else:
        start = parse_moment(since, zone, "from")
        end = parse_moment(until, zone, "to") if until is not None else now
    if not EARLIEST_MS <= start <= LATEST_MS:
        raise InvalidInput("The range begins before 1970 or after 2299.", field="from", hint="Choose a later `from`.")
    end = min(end, LATEST_MS)
    if start >= end:
        raise InvalidInput(
            "`from` is not before `to`.", field="from", hint="`to` is where the range ends, itself not included."
        )
    return make_range(start, end, zone, interval)


def parse_last(text: str) -> int:
    """`24h`, `7d` and the like in ms."""
    match = _LAST.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise InvalidInput(
            f"`last` {text[:40]!r} is not a length of time.", field="last", hint="Write it like 30m, 24h, 7d or 4w."
        )
    length = int(match[1]) * _LAST_MS[match[2]]
    return min(length, LATEST_MS)


def parse_moment(text: str, zone: ZoneInfo, field: str) -> int:
    """RFC 3339 with offset, or a date: midnight in the zone. Milliseconds, at most those the store can hold."""
    try:
        if _DATE.fullmatch(text):
            return _clamp(local_to_ms(datetime.fromisoformat(text), zone))
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None and len(text) >= 16:
            return _clamp((moment - _EPOCH) // timedelta(milliseconds=1))
    except (ValueError, OverflowError):
        pass
    raise InvalidInput(
        f"`{field}` {text[:40]!r} is not a time.",
        field=field,
        hint="Write a date (2026-03-01) or RFC 3339 with an offset (2026-03-01T09:30:00Z; in a URL + is %2B).",
    )


def parse_zone(name: str, field: str = "timezone") -> ZoneInfo:
    """Raises InvalidInput for a name that is not in the IANA database."""
    if name not in _zones():
        near = nearest(name, _zones())
        raise InvalidInput(
            f"`{field}` {name[:60]!r} is not a time zone.",
            field=field,
            hint=f"Did you mean {near}?" if near else "Use an IANA name such as Europe/Berlin or UTC.",
        )
    return ZoneInfo(name)


def iso(at_ms: int, zone: ZoneInfo) -> str:
    """RFC 3339 with the zone's offset at that moment; milliseconds only where there are any."""
    local = to_local(at_ms, zone)
    return local.isoformat(timespec="milliseconds" if at_ms % 1000 else "seconds")


def buckets(start: int, end: int, zone: ZoneInfo, interval: str) -> Iterator[int]:
    """The starts of the buckets of `[start, end)`. Raises InvalidInput for more than MAX_BUCKETS of them."""
    edge, count = start, 0
    step_ms = _CLOCK_MS.get(interval)
    while edge < end:
        count += 1
        if count > MAX_BUCKETS:
            raise InvalidInput(
                f"This range has more than {MAX_BUCKETS} buckets of `interval={interval}`.",
                field="interval",
                hint="Choose a longer interval or a shorter range.",
            )
        yield edge
        edge = _next_on_the_clock(edge, step_ms, zone) if step_ms else _next_in_the_calendar(edge, interval, zone)


def _next_on_the_clock(edge: int, step_ms: int, zone: ZoneInfo) -> int:
    offset = _offset_ms(edge, zone)
    following = edge + step_ms - (edge + offset) % step_ms
    if _offset_ms(following, zone) == offset:
        return following
    # The clocks change on the way: a bucket never spans the change, so that its length and name stay true.
    return _change(edge, following, zone)


def _next_in_the_calendar(edge: int, interval: str, zone: ZoneInfo) -> int:
    day = to_local(edge, zone).date()
    following = edge
    # A loop, because a day that a zone skipped altogether has no length.
    while following <= edge:
        day = _NEXT_DAY[interval](day)
        following = local_to_ms(datetime(day.year, day.month, day.day), zone)
    return following


_NEXT_DAY = {
    "day": lambda day: day + timedelta(days=1),
    "week": lambda day: day + timedelta(days=7 - day.weekday()),
    "month": lambda day: (day.replace(day=1) + timedelta(days=32)).replace(day=1),
}


def local_to_ms(local: datetime, zone: ZoneInfo) -> int:
    """The first moment at which the local clock shows this time; for one that it skips, the moment of the jump."""
    before, after = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    first, second = _ms(before), _ms(after)
    if first <= second:
        return first
    # Skipped: the offset before the jump puts it too late, the one after it too early.
    return _change(second, first, zone)


def to_local(at_ms: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone)


def _change(low: int, high: int, zone: ZoneInfo) -> int:
    """The first moment after `low`, at most `high`, at which the offset is no longer that of `low`."""
    offset = _offset_ms(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset_ms(middle, zone) == offset else (low, middle)
    return high


def _offset_ms(at_ms: int, zone: ZoneInfo) -> int:
    offset = to_local(at_ms, zone).utcoffset()
    return 0 if offset is None else offset // timedelta(milliseconds=1)


def _ms(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def _midnight(local: datetime, at_ms: int, zone: ZoneInfo) -> bool:
    return local_to_ms(datetime(local.year, local.month, local.day), zone) == at_ms


def _clamp(at_ms: int) -> int:
    return max(-LATEST_MS, min(LATEST_MS, at_ms))


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NOT_ZONES)
