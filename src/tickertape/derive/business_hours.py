"""Business time: the overlap of an interval with a schedule's hours, exact across clock changes."""

import bisect
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tickertape.derive.memo import ByIdentity
from tickertape.settings import Interval, Schedule, Weekday

DAY_MS = 86_400_000
EPOCH_DAY = date(1970, 1, 1).toordinal()
LAST_DAY = date.max.toordinal() - 1
HORIZON_DAYS = 3_660
"""How far `add_business_ms` looks ahead: ten years."""
CACHED_DAYS = 20_000
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def schedule_for(schedules: Sequence[Schedule], team: str | None, channel: str | None) -> Schedule | None:
    """The first schedule whose `teams` holds the team, else whose `channels` holds the channel, else with neither."""
    for schedule in schedules:
        if team is not None and team in schedule.teams:
            return schedule
    for schedule in schedules:
        if channel is not None and channel in schedule.channels:
            return schedule
    for schedule in schedules:
        if not schedule.teams and not schedule.channels:
            return schedule
    return None


def business_ms(schedule: Schedule, start: int, end: int) -> int:
    """Milliseconds of [start, end) inside the schedule's hours; 0 where `end` is not after `start`."""
    return _hours(schedule).between(start, end) if end > start else 0


def add_business_ms(schedule: Schedule, start: int, amount: int) -> int | None:
    """The last instant by which no more than `amount` ms of business time have passed since `start`.

    One millisecond of business later the amount is exceeded; an amount used up at closing time therefore lasts
    until the next opening. None: it is never exceeded, or not within ten years.
    """
    return _hours(schedule).after(start, amount)


class _Day:
    """The open hours of one local day, as instants."""

    __slots__ = ("spans", "total")

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        self.spans = spans
        self.total = sum(end - start for start, end in spans)


class _Hours:
    """A schedule made ready for questions; its days are worked out once each."""

    def __init__(self, schedule: Schedule) -> None:
        self._zone = ZoneInfo(schedule.timezone)
        self._weekly = [_minutes(schedule.weekly.get(day, [])) for day in WEEKDAYS]
        exceptions: dict[int, list[Interval]] = {}
        for exception in schedule.exceptions:
            exceptions.setdefault(date.fromisoformat(exception.date).toordinal(), []).extend(exception.intervals)
        self._exceptions = {ordinal: _minutes(intervals) for ordinal, intervals in exceptions.items()}
        self._extra_days = sorted(ordinal for ordinal, minutes in self._exceptions.items() if minutes)
        self._days: dict[int, _Day] = {}

    def between(self, start: int, end: int) -> int:
        # A local day lies within a day of the UTC day of the same date, so the days beyond the second from either
        # edge are wholly inside and only their totals are needed.
        first, last = _utc_day(start) - 1, _utc_day(end) + 1
        total = 0
        for ordinal in range(first, last + 1):
            day = self._days.get(ordinal) or self._day(ordinal)
            if first + 2 < ordinal < last - 2:
                total += day.total
            else:
                for opening, closing in day.spans:
                    if opening < end and closing > start:
                        total += min(closing, end) - max(opening, start)
        return total

    def after(self, start: int, amount: int) -> int | None:
        first = _utc_day(start) - 1
        for ordinal in self._days_from(first):
            for opening, closing in (self._days.get(ordinal) or self._day(ordinal)).spans:
                opening = max(opening, start)
                if closing <= opening:
                    continue
                if amount < closing - opening:
                    return opening + amount
                amount -= closing - opening
        return None

    def _days_from(self, first: int) -> Sequence[int]:
        last = min(first + HORIZON_DAYS, LAST_DAY)
        if any(self._weekly):
            return range(first, last + 1)
        return self._extra_days[
            bisect.bisect_left(self._extra_days, first) : bisect.bisect_right(self._extra_days, last)
        ]

    def _day(self, ordinal: int) -> _Day:
        if len(self._days) >= CACHED_DAYS:
            self._days.clear()
        minutes = self._exceptions.get(ordinal)
        if minutes is None:
            minutes = self._weekly[(ordinal - 1) % 7]
        spans: list[tuple[int, int]] = []
        if 1 < ordinal <= LAST_DAY:
            spans = [(self._instant(ordinal, opening), self._instant(ordinal, closing)) for opening, closing in minutes]
        day = self._days[ordinal] = _Day([span for span in spans if span[0] < span[1]])
        return day

    def _instant(self, ordinal: int, minute: int) -> int:
        """The instant of a local time: the first one where clocks go back, the jump where it does not exist."""
        days, minute = divmod(minute, 1440)
        local = datetime.fromordinal(ordinal + days).replace(hour=minute // 60, minute=minute % 60)
        before = local.replace(tzinfo=self._zone, fold=0).utcoffset() or timedelta(0)
        after = local.replace(tzinfo=self._zone, fold=1).utcoffset() or timedelta(0)
        if after <= before:
            return _ms(local - before)
        # In a gap: the jump lies between the two readings, at the first instant with the later offset.
        low, high = _ms(local - after) // 1000, _ms(local - before) // 1000
        while low < high:
            middle = (low + high) // 2
            if datetime.fromtimestamp(middle, self._zone).utcoffset() == before:
                low = middle + 1
            else:
                high = middle
        return low * 1000


def _minutes(intervals: Sequence[Interval]) -> list[tuple[int, int]]:
    """Intervals as minutes of the day: sorted, overlaps joined, empty ones dropped."""
    joined: list[tuple[int, int]] = []
    for opening, closing in sorted((_minute(opening), _minute(closing)) for opening, closing in intervals):
        if closing <= opening:
            continue
        if joined and opening <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closing))
        else:
            joined.append((opening, closing))
    return joined


def _minute(local_time: str) -> int:
    hours, minutes = local_time.split(":")
    return int(hours) * 60 + int(minutes)


def _utc_day(instant: int) -> int:
    return instant // DAY_MS + EPOCH_DAY


def _ms(naive_utc: datetime) -> int:
    return int(naive_utc.replace(tzinfo=UTC).timestamp()) * 1000


_hours = ByIdentity(_Hours)
