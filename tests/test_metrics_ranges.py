"""Ranges and buckets: exact in every zone and across every change of clocks."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metric_facts import DAY, HOUR, at
from tickertape.errors import InvalidInput
from tickertape.metrics.ranges import (
    INTERVALS,
    LATEST_MS,
    MAX_BUCKETS,
    iso,
    local_to_ms,
    make_range,
    parse_last,
    parse_moment,
    parse_range,
    parse_zone,
    previous,
    to_local,
)

MINUTE = 60_000
NOW = at("2026-03-10 12:00")
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Chatham",
    "Asia/Kolkata",
    "America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut", "America/Havana", "Pacific/Apia", "America/St_Johns",
)  # fmt: skip
UTC_ZONE = ZoneInfo("UTC")


def starts(since: str, until: str, zone: str, interval: str) -> list[str]:
    tz = ZoneInfo(zone)
    span = make_range(parse_moment(since, tz, "from"), parse_moment(until, tz, "to"), tz, interval)
    return [iso(edge, tz) for edge in span.edges]


STARTS = [
    ("days over the spring change", "2026-03-28", "2026-03-31", "Europe/Berlin", "day",
     ["2026-03-28T00:00:00+01:00", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"]),
    ("the hour that is skipped", "2026-03-29T01:00:00+01:00", "2026-03-29T04:00:00+02:00", "Europe/Berlin", "hour",
     ["2026-03-29T01:00:00+01:00", "2026-03-29T03:00:00+02:00"]),
    ("the hour that comes twice", "2026-10-25T01:00:00+02:00", "2026-10-25T03:00:00+01:00", "Europe/Berlin", "hour",
     ["2026-10-25T01:00:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"]),
    ("half an hour twice", "2026-04-05T01:00:00+11:00", "2026-04-05T03:00:00+10:30", "Australia/Lord_Howe", "hour",
     ["2026-04-05T01:00:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T02:00:00+10:30"]),
    ("half an hour is skipped", "2026-10-04T01:00:00+10:30", "2026-10-04T04:00:00+11:00", "Australia/Lord_Howe", "hour",
     ["2026-10-04T01:00:00+10:30", "2026-10-04T02:30:00+11:00", "2026-10-04T03:00:00+11:00"]),
    ("hours at :45", "2026-03-02T00:20:00+05:45", "2026-03-02T02:10:00+05:45", "Asia/Kathmandu", "hour",
     ["2026-03-02T00:20:00+05:45", "2026-03-02T01:00:00+05:45", "2026-03-02T02:00:00+05:45"]),
    ("quarters at :45", "2026-03-02T00:00:00+13:45", "2026-03-02T00:40:00+13:45", "Pacific/Chatham", "15m",
     ["2026-03-02T00:00:00+13:45", "2026-03-02T00:15:00+13:45", "2026-03-02T00:30:00+13:45"]),
    ("weeks begin on Monday", "2026-02-25", "2026-03-10", "UTC", "week",
     ["2026-02-25T00:00:00+00:00", "2026-03-02T00:00:00+00:00", "2026-03-09T00:00:00+00:00"]),
    ("months", "2026-01-31", "2026-03-02", "America/New_York", "month",
     ["2026-01-31T00:00:00-05:00", "2026-02-01T00:00:00-05:00", "2026-03-01T00:00:00-05:00"]),
    ("midnight is skipped", "2018-11-03", "2018-11-06", "America/Sao_Paulo", "day",
     ["2018-11-03T00:00:00-03:00", "2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"]),
    ("midnight comes twice", "2025-11-01", "2025-11-04", "America/Havana", "day",
     ["2025-11-01T00:00:00-04:00", "2025-11-02T00:00:00-04:00", "2025-11-03T00:00:00-05:00"]),
    ("a day that never was", "2011-12-29", "2012-01-01", "Pacific/Apia", "day",
     ["2011-12-29T00:00:00-10:00", "2011-12-31T00:00:00+14:00"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("since", "until", "zone", "interval", "expected"), [s[1:] for s in STARTS], ids=[s[0] for s in STARTS]
)
def test_buckets(since: str, until: str, zone: str, interval: str, expected: list[str]) -> None:
    assert starts(since, until, zone, interval) == expected


LENGTHS = {"minute": MINUTE, "15m": 15 * MINUTE, "hour": HOUR, "day": 26 * HOUR, "week": 8 * DAY, "month": 32 * DAY}


@given(
    start=st.integers(at("1990-01-01"), at("2037-12-31")),
    length=st.integers(1, 60 * DAY),
    zone=st.sampled_from(ZONES),
    interval=st.sampled_from(INTERVALS),
)
def test_buckets_tile_the_range(start: int, length: int, zone: str, interval: str) -> None:
    length = min(length, 200 * LENGTHS[interval])
    tz = ZoneInfo(zone)
    span = make_range(start, start + length, tz, interval)
    assert span.edges[0] == start
    assert span.ends[-1] == start + length
    for edge, end in zip(span.edges, span.ends, strict=True):
        assert 0 < end - edge <= LENGTHS[interval]
    for edge in span.edges[1:]:
        local = to_local(edge, tz)
        before = to_local(edge - 1, tz)
        changed = local.utcoffset() != before.utcoffset()
        on_the_clock = {
            "minute": local.second == 0,
            "15m": local.minute % 15 == 0 and local.second == 0,
            "hour": local.minute == 0 and local.second == 0,
            "day": local.date() > before.date(),
            "week": local.date() > before.date() and (local.weekday() == 0 or changed),
            "month": local.date() > before.date() and (local.day == 1 or changed),
        }[interval]
        assert on_the_clock or changed


@given(at_ms=st.integers(0, LATEST_MS), zone=st.sampled_from(ZONES))
def test_a_moment_survives_being_written(at_ms: int, zone: str) -> None:
    tz = ZoneInfo(zone)
    if (to_local(at_ms, tz).utcoffset() or timedelta()) % timedelta(minutes=1) == timedelta():
        assert parse_moment(iso(at_ms, tz), tz, "from") == at_ms


@given(moment=st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31)), zone=st.sampled_from(ZONES))
def test_local_times_become_their_first_moment(moment: datetime, zone: str) -> None:
    moment = moment.replace(microsecond=0, fold=0)
    tz = ZoneInfo(zone)
    at_ms = local_to_ms(moment, tz)
    shown = to_local(at_ms, tz)
    if shown.replace(tzinfo=None, fold=0) == moment:
        assert shown.fold == 0
    else:
        # Skipped: the moment of the jump, so that the clock showed less just before and shows more now.
        assert to_local(at_ms - 1, tz).replace(tzinfo=None) < moment < shown.replace(tzinfo=None)


RANGES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({}, ("2026-02-08 12:00", "2026-03-10 12:00")),
    ({"last": "24h"}, ("2026-03-09 12:00", "2026-03-10 12:00")),
    ({"last": "7d"}, ("2026-03-03 12:00", "2026-03-10 12:00")),
    ({"since": "2026-03-01"}, ("2026-03-01", "2026-03-10 12:00")),
    ({"since": "2026-03-01", "until": "2026-03-02T03:04:05.678+02:00"}, ("2026-03-01", "2026-03-02 01:04:05.678")),
    ({"since": "2026-03-01", "until": "2026-03-02", "zone": "Asia/Tokyo"}, ("2026-02-28 15:00", "2026-03-01 15:00")),
    ({"since": "2026-03-01", "until": "9999-12-31"}, ("2026-03-01", "2299-12-30")),
]  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), RANGES)
def test_ranges(given: dict[str, Any], expected: tuple[str, str]) -> None:
    zone = ZoneInfo(given.get("zone", "UTC"))
    span = parse_range(given.get("since"), given.get("until"), given.get("last"), zone, None, NOW)
    assert (span.start, span.end) == (at(expected[0]), at(expected[1]))


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"since": "2026-03-02", "until": "2026-03-02"}, "from", "before"),
    ({"since": "2026-03-02", "until": "2026-03-01"}, "from", "before"),
    ({"since": "2027-03-02"}, "from", "before"),
    ({"until": "2026-03-02"}, "from", "without"),
    ({"last": "7d", "since": "2026-03-02"}, "last", "exclude"),
    ({"last": "7 days"}, "last", "24h"),
    ({"last": "0d"}, "last", "24h"),
    ({"since": "yesterday"}, "from", "RFC 3339"),
    ({"since": "2026-13-01"}, "from", "RFC 3339"),
    ({"since": "2026-03-01T00:00:00"}, "from", "offset"),
    ({"since": "2026-03-01T00:00:00 02:00"}, "from", "%2B"),
    ({"since": "0001-01-01"}, "from", "1970"),
    ({"since": "0001-01-01T00:00:00+23:59"}, "from", "1970"),
    ({"since": "2026-03-01", "interval": "fortnight"}, "interval", "week"),
    ({"since": "2026-03-01", "interval": "minute"}, "interval", "longer"),
    ({"last": "999999w"}, "from", "1970"),
]


@pytest.mark.parametrize(("given", "field", "says"), WRONG)
def test_wrong_ranges_say_what_to_do(given: dict[str, Any], field: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says) as raised:
        parse_range(given.get("since"), given.get("until"), given.get("last"), UTC_ZONE, given.get("interval"), NOW)
    assert raised.value.field == field


def test_the_number_of_buckets_is_bounded() -> None:
    assert len(make_range(0, MAX_BUCKETS * MINUTE, UTC_ZONE, "minute").edges) == MAX_BUCKETS
    with pytest.raises(InvalidInput, match="shorter range"):
        make_range(0, MAX_BUCKETS * MINUTE + 1, UTC_ZONE, "minute")
    with pytest.raises(InvalidInput):
        make_range(0, LATEST_MS, UTC_ZONE, "15m")


@pytest.mark.parametrize(
    "name", ["Europe/Berln", "../../etc/passwd", "", "localtime", "/etc/passwd", "UTC\0", "x" * 5000]
)
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        parse_zone(name)


def test_the_nearest_zone_is_suggested() -> None:
    with pytest.raises(InvalidInput, match="Europe/Berlin"):
        parse_zone("Europe/Berln")


PREVIOUS = [
    ("whole days over the spring change", "2026-03-29", "2026-04-05", "Europe/Berlin",
     ("2026-03-22T00:00:00+01:00", "2026-03-29T00:00:00+01:00")),
    ("hours", "2026-03-02T10:00:00Z", "2026-03-02T13:30:00Z", "UTC",
     ("2026-03-02T06:30:00+00:00", "2026-03-02T10:00:00+00:00")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("since", "until", "zone", "expected"), [p[1:] for p in PREVIOUS], ids=[p[0] for p in PREVIOUS]
)
def test_previous(since: str, until: str, zone: str, expected: tuple[str, str]) -> None:
    tz = ZoneInfo(zone)
    before = previous(make_range(parse_moment(since, tz, "from"), parse_moment(until, tz, "to"), tz, "day"))
    assert (iso(before.start, tz), iso(before.end, tz)) == expected


def test_lengths() -> None:
    assert [parse_last(text) for text in ("30m", "24h", "7d", "2w")] == [30 * MINUTE, DAY, 7 * DAY, 14 * DAY]
    assert UTC_ZONE.utcoffset(datetime(2026, 1, 1, tzinfo=UTC)) == timedelta()
