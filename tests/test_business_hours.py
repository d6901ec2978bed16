from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickertape.derive.business_hours import add_business_ms, business_ms, schedule_for
from tickertape.settings import Schedule, ScheduleException
from timelines import DAY, HOUR, MINUTE

OFFICE = [("09:00", "17:00")]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
EVERY_DAY = (*WEEKDAYS, "sat", "sun")


def schedule(zone="America/New_York", weekly=None, **fields):
    return Schedule(name="s", timezone=zone, weekly=weekly or {}, **fields)


def at(text, zone="America/New_York", fold=0):
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def all_day():
    return every_day(("00:00", "24:00"))


def every_day(*intervals):
    return {day: list(intervals) for day in EVERY_DAY}


NEW_YORK = schedule(weekly=dict.fromkeys(WEEKDAYS, OFFICE))
CASES = [
    ("weekend over the spring change", NEW_YORK, "2026-03-06T16:30", "2026-03-09T09:30", HOUR),
    ("nothing of it open", NEW_YORK, "2026-03-07T10:00", "2026-03-08T20:00", 0),
    ("empty", NEW_YORK, "2026-03-06T10:00", "2026-03-06T10:00", 0),
    ("backwards", NEW_YORK, "2026-03-06T11:00", "2026-03-06T10:00", 0),
    ("a year", NEW_YORK, "2025-01-01T00:00", "2026-01-01T00:00", 261 * 8 * HOUR),
    ("0-24 in spring", schedule(weekly=all_day()), "2026-03-08T00:00", "2026-03-09T00:00", 23 * HOUR),
    ("0-24 in autumn", schedule(weekly=all_day()), "2026-11-01T00:00", "2026-11-02T00:00", 25 * HOUR),
    ("9-17 in spring", schedule(weekly=every_day(*OFFICE)), "2026-03-08T00:00", "2026-03-09T00:00", 8 * HOUR),
    (
        "01-04 in spring",
        schedule(weekly=every_day(("01:00", "04:00"))),
        "2026-03-08T00:00",
        "2026-03-09T00:00",
        2 * HOUR,
    ),
    ("02:30 is the jump", schedule(weekly=every_day(("02:30", "04:00"))), "2026-03-08T00:00", "2026-03-09T00:00", HOUR),
    ("ends in the gap", schedule(weekly=every_day(("01:00", "02:30"))), "2026-03-08T00:00", "2026-03-09T00:00", HOUR),
    ("all in the gap", schedule(weekly=every_day(("02:10", "02:50"))), "2026-03-08T00:00", "2026-03-09T00:00", 0),
    (
        "01-03 in autumn",
        schedule(weekly=every_day(("01:00", "03:00"))),
        "2026-11-01T00:00",
        "2026-11-02T00:00",
        3 * HOUR,
    ),
    (
        "lunch, overlaps and an empty interval",
        schedule(weekly=every_day(("13:30", "18:00"), ("08:00", "12:00"), ("09:00", "11:00"), ("20:00", "20:00"))),
        "2026-04-06T11:50",
        "2026-04-06T13:40",
        20 * MINUTE,
    ),
    (
        "closed on a date",
        schedule(weekly=every_day(*OFFICE), exceptions=[ScheduleException(date="2026-04-06")]),
        "2026-04-05T00:00",
        "2026-04-08T00:00",
        16 * HOUR,
    ),
    (
        "extra hours on a date",
        schedule(
            weekly={"mon": OFFICE}, exceptions=[ScheduleException(date="2026-04-11", intervals=[("10:00", "12:00")])]
        ),
        "2026-04-06T00:00",
        "2026-04-12T00:00",
        10 * HOUR,
    ),
]


@pytest.mark.parametrize(
    ("hours", "start", "end", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_business_time(hours, start, end, expected):
    assert business_ms(hours, at(start), at(end)) == expected


def test_a_day_that_a_zone_left_out_has_no_hours():
    apia = schedule("Pacific/Apia", weekly=every_day(("00:00", "24:00")))
    start, end = at("2011-12-29T00:00", "Pacific/Apia"), at("2012-01-01T00:00", "Pacific/Apia")
    assert end - start == business_ms(apia, start, end) == 2 * DAY


def test_zones_on_the_quarter_hour():
    nepal = schedule("Asia/Kathmandu", weekly=every_day(*OFFICE))
    midnight = at("2026-01-05T00:00", "UTC")
    assert business_ms(nepal, midnight, midnight + DAY) == 8 * HOUR
    assert add_business_ms(nepal, midnight, 0) == at("2026-01-05T09:00", "Asia/Kathmandu")


ADDED = [
    ("inside a day", "2026-03-06T10:00", HOUR, "2026-03-06T11:00"),
    ("over the weekend", "2026-03-06T16:30", HOUR, "2026-03-09T09:30"),
    ("before opening", "2026-03-06T05:00", HOUR, "2026-03-06T10:00"),
    ("used up at closing time lasts until the next opening", "2026-03-06T16:30", HOUR // 2, "2026-03-09T09:00"),
    ("nothing to add, open", "2026-03-06T10:00", 0, "2026-03-06T10:00"),
    ("nothing to add, closed", "2026-03-06T18:00", 0, "2026-03-09T09:00"),
]


@pytest.mark.parametrize(("start", "amount", "expected"), [row[1:] for row in ADDED], ids=[row[0] for row in ADDED])
def test_adding_business_time(start, amount, expected):
    assert add_business_ms(NEW_YORK, at(start), amount) == at(expected)


def test_a_schedule_that_never_opens_again_has_no_answer():
    assert add_business_ms(schedule(), at("2026-03-06T10:00"), 1) is None
    once = schedule(exceptions=[ScheduleException(date="2026-04-11", intervals=[("10:00", "12:00")])])
    assert add_business_ms(once, at("2026-03-06T10:00"), HOUR) == at("2026-04-11T11:00")
    assert add_business_ms(once, at("2026-03-06T10:00"), 2 * HOUR) is None
    assert add_business_ms(once, at("2026-04-12T10:00"), 0) is None
    assert add_business_ms(NEW_YORK, at("2026-03-06T10:00"), 10**15) is None


def test_which_schedule():
    general, tech, mail, late = (
        schedule(),
        schedule(teams=["tech"]),
        schedule(channels=["email"]),
        schedule(teams=["tech"], channels=["email"]),
    )
    schedules = [general, mail, tech, late, schedule()]
    assert schedule_for(schedules, "tech", "email") is tech
    assert schedule_for(schedules, "sales", "email") is mail
    assert schedule_for(schedules, None, "sms") is general
    assert schedule_for([tech, mail], "sales", "sms") is None
    assert schedule_for([], "tech", "email") is None


ZONES = st.sampled_from(
    ["America/New_York", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"]
)
CLOCK = st.integers(0, 24 * 4).map(lambda quarter: f"{quarter // 4:02d}:{quarter % 4 * 15:02d}")
SCHEDULES = st.builds(
    schedule,
    ZONES,
    st.dictionaries(st.sampled_from(EVERY_DAY), st.lists(st.tuples(CLOCK, CLOCK), max_size=3)),
)
MOMENTS = st.integers(at("2025-01-01T00:00"), at("2027-01-01T00:00"))


@given(SCHEDULES, st.lists(MOMENTS, min_size=3, max_size=3).map(sorted))
def test_parts_add_up(hours, moments):
    a, b, c = moments
    assert business_ms(hours, a, b) + business_ms(hours, b, c) == business_ms(hours, a, c) <= c - a


@given(SCHEDULES, MOMENTS, st.integers(0, 200 * HOUR))
def test_adding_is_the_inverse(hours, start, amount):
    end = add_business_ms(hours, start, amount)
    if end is None:
        assert business_ms(hours, start, start + 3000 * DAY) <= amount
    else:
        assert end >= start
        assert business_ms(hours, start, end) == amount
        assert business_ms(hours, start, end + 1) == amount + 1


@given(SCHEDULES, MOMENTS, st.integers(0, 3 * DAY // MINUTE))
def test_a_moment_is_open_when_the_local_clock_says_so(hours, start, length):
    start -= start % MINUTE
    zone = ZoneInfo(hours.timezone)

    def is_open(moment):
        local = datetime.fromtimestamp(moment / 1000, zone)
        if local.fold or (local.utcoffset() != (local.replace(fold=1)).utcoffset()):
            return None  # twice on the clock: the intervals' ends decide
        clock = f"{local:%H:%M}"
        return any(a <= clock < b for a, b in hours.weekly.get(EVERY_DAY[local.weekday()], []))

    known = [is_open(start + n * MINUTE) for n in range(0, length, 15)]
    for n, expected in zip(range(0, length, 15), known, strict=True):
        moment = start + n * MINUTE
        assert expected is None or business_ms(hours, moment, moment + 1) == expected
