"""The workspace's settings: their defaults, their merge rule and their validation.

A setting is stored as the partial JSON object that users sent (`merge`); `resolve` lays it over the defaults.

What null means: it removes what was stored and so restores the default, at the depth where it stands. The one exception
are the three targets in seconds, where null is a value, "not checked": a target can be switched off no other way. To
put the default of a target back, send it, or null for the object around it (`{"targets": null}`).
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta, Struct

from tickertape.errors import InvalidSettings, nearest
from tickertape.events import CHANNELS
from tickertape.explain import (
    CURRENCY_PATTERN,
    DATE_PATTERN,
    LOCAL_TIME_PATTERN,
    Fault,
    first_fault,
    json_type,
    listed,
    shown,
    shown_name,
    unknown_name,
)

# Ten years: a longer span is a slip of the unit, and sums of milliseconds must not overflow.
_TEN_YEARS_IN_DAYS = 3653
_TEN_YEARS_IN_HOURS = 24 * _TEN_YEARS_IN_DAYS
_TEN_YEARS_IN_SECONDS = 3600 * _TEN_YEARS_IN_HOURS

Seconds = Annotated[float, Meta(gt=0, le=_TEN_YEARS_IN_SECONDS)]
NonNegativeSeconds = Annotated[float, Meta(ge=0, le=_TEN_YEARS_IN_SECONDS)]
Hours = Annotated[float, Meta(ge=0, le=_TEN_YEARS_IN_HOURS)]
Days = Annotated[float, Meta(ge=0, le=_TEN_YEARS_IN_DAYS)]
Weight = Annotated[float, Meta(ge=0, le=1000)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Currency = Annotated[str, Meta(min_length=3, max_length=3, pattern=CURRENCY_PATTERN)]
LocalDate = Annotated[str, Meta(min_length=10, max_length=10, pattern=DATE_PATTERN)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
LocalTime = Annotated[str, Meta(min_length=5, max_length=5, pattern=LOCAL_TIME_PATTERN)]
Interval = tuple[LocalTime, LocalTime]
Intervals = Annotated[list[Interval], Meta(max_length=50)]


class ChannelTargets(Struct, kw_only=True, forbid_unknown_fields=True):
    """A target of null is not checked; UNSET falls back to the workspace's."""

    first_response_seconds: Seconds | msgspec.UnsetType | None = msgspec.UNSET
    response_seconds: Seconds | msgspec.UnsetType | None = msgspec.UNSET
    resolution_seconds: Seconds | msgspec.UnsetType | None = msgspec.UNSET
    clock: Literal["calendar", "business"] | msgspec.UnsetType = msgspec.UNSET


class Targets(Struct, kw_only=True, forbid_unknown_fields=True):
    """A target of null is not checked."""

    first_response_seconds: Seconds | None = 300
    response_seconds: Seconds | None = 300
    resolution_seconds: Seconds | None = None
    clock: Literal["calendar", "business"] = "calendar"
    channels: dict[str, ChannelTargets] = {}


class ScheduleException(Struct, kw_only=True, forbid_unknown_fields=True):
    date: LocalDate
    intervals: Intervals = []


class Schedule(Struct, kw_only=True, forbid_unknown_fields=True):
    """Business hours: intervals per local weekday, with dated exceptions that replace the weekday."""

    name: Name
    timezone: str
    weekly: dict[Weekday, Intervals] = {}
    exceptions: Annotated[list[ScheduleException], Meta(max_length=2000)] = []
    teams: Annotated[list[Name], Meta(max_length=1000)] = []
    channels: list[str] = []


class Attribution(Struct, kw_only=True, forbid_unknown_fields=True):
    click_days: Days = 5
    push_click_hours: Hours = 24
    reply_hours: Hours = 24
    view_hours: Hours = 0
    model: Literal["last_touch", "any_touch", "linear", "first_touch"] = "last_touch"
    agent_days: Days = 5


class ExchangeRate(Struct, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """1 `from` = `rate` `to`, from this date on."""

    date: LocalDate
    from_: Currency
    to: Currency
    rate: Decimal


class QualityWeights(Struct, kw_only=True, forbid_unknown_fields=True):
    S: Weight = 0.35
    R: Weight = 0.30
    W: Weight = 0.15
    E: Weight = 0.10
    V: Weight = 0.10


class Settings(Struct, kw_only=True, forbid_unknown_fields=True):
    timezone: str = "UTC"
    currency: Currency = "USD"
    reopen_window_hours: Hours = 24
    idle_after_hours: Annotated[float, Meta(gt=0, le=_TEN_YEARS_IN_HOURS)] = 168
    fcr_window_days: Days = 7
    targets: Targets = msgspec.field(default_factory=Targets)
    schedules: Annotated[list[Schedule], Meta(max_length=200)] = []
    presence_timeout_seconds: Seconds | None = None
    survey_edit_hours: Hours = 24
    quality_weights: QualityWeights = msgspec.field(default_factory=QualityWeights)
    attribution: Attribution = msgspec.field(default_factory=Attribution)
    exchange_rates: Annotated[list[ExchangeRate], Meta(max_length=100_000)] = []
    consent_scope: Literal["all", "channel", "sender"] = "all"
    opt_out_grace_seconds: NonNegativeSeconds = 300
    opt_out_credit_hours: Hours = 72
    require_opt_in: bool = False
    reply_link_days: Days = 7
    experiment_window_days: Annotated[float, Meta(gt=0, le=_TEN_YEARS_IN_DAYS)] = 14


RESTATES: frozenset[str] = frozenset(
    {
        "attribution",
        "consent_scope",
        "experiment_window_days",
        "fcr_window_days",
        "idle_after_hours",
        "opt_out_credit_hours",
        "opt_out_grace_seconds",
        "presence_timeout_seconds",
        "quality_weights",
        "reopen_window_hours",
        "reply_link_days",
        "require_opt_in",
        "schedules",
        "survey_edit_hours",
        "targets",
    }
)
"""The settings that derived facts rest on: a change derives them again. The others (timezone, currency,
exchange_rates) take effect when a question is asked."""


# --- merging ---

_TARGETS = frozenset({"first_response_seconds", "response_seconds", "resolution_seconds"})


def merge(stored: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """What to store after `patch`: objects key by key at every depth, arrays replaced, null as the module says.

    Neither argument is changed. `validate` the patch first: merging believes it.
    """
    return _merged(stored, patch, ())


def _merged(stored: Mapping[str, Any], patch: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    merged = dict(stored)
    for key, value in patch.items():
        here = (*path, key)
        if value is None and not _null_is_a_value(here):
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            before = merged.get(key)
            merged[key] = _merged(before if isinstance(before, Mapping) else {}, value, here)
        else:
            merged[key] = value
    return merged


def _null_is_a_value(path: tuple[str, ...]) -> bool:
    of_workspace = path[:-1] == ("targets",)
    of_channel = len(path) == 4 and path[:2] == ("targets", "channels")
    return path[-1] in _TARGETS and (of_workspace or of_channel)


# --- validating ---


def validate(patch: object) -> None:
    """Raises InvalidSettings, with the position of the first fault, for what `merge` should not be given."""
    if not isinstance(patch, Mapping):
        raise InvalidSettings(f"Settings are a JSON object, not {json_type(patch)}.", code="wrong_type")
    try:
        if fault := _unknown_name(patch, _settings_type(), ""):
            raise _invalid(fault)
        resolve(merge({}, patch))
    except RecursionError:
        raise InvalidSettings("The settings are nested too deeply.") from None


def resolve(stored: Mapping[str, Any]) -> Settings:
    """The settings in force: `stored` over the defaults. Raises InvalidSettings as `validate` does."""
    try:
        settings = msgspec.convert(stored, Settings)
    except (msgspec.MsgspecError, ValueError, TypeError, ArithmeticError) as error:
        fault = first_fault(dict(stored), _settings_type()) or Fault("", "invalid_setting", f"{error}.")
        raise _invalid(fault) from None
    for rule in _RULES:
        for fault in rule(settings):
            raise _invalid(fault)
    return settings


@cache
def _settings_type() -> msgspec.inspect.Type:
    return msgspec.inspect.type_info(Settings)


def _invalid(fault: Fault) -> InvalidSettings:
    return InvalidSettings(fault.message, code=fault.code, field=fault.field or None, hint=fault.hint)


def _unknown_name(patch: Mapping[str, Any], expected: msgspec.inspect.Type, path: str) -> Fault | None:
    """Looks only at names, as the null of an unknown setting would otherwise pass unseen."""
    if isinstance(expected, msgspec.inspect.StructType):
        types = {f.encode_name: f.type for f in expected.fields}
    elif isinstance(expected, msgspec.inspect.DictType):
        types = dict.fromkeys(patch, expected.value_type)
    else:
        return None
    for name, value in patch.items():
        if name not in types:
            return unknown_name(name, types, f"{path}{shown_name(name)}", {})
        if isinstance(value, Mapping) and (fault := _unknown_name(value, types[name], f"{path}{name}.")):
            return fault
    return None


# --- rules that the types cannot say: each yields what breaks it ---


def _zones_exist(settings: Settings) -> Iterable[Fault]:
    named = {"timezone": settings.timezone}
    named |= {f"schedules[{i}].timezone": schedule.timezone for i, schedule in enumerate(settings.schedules)}
    for field, zone in named.items():
        if zone not in _zones():
            meant = nearest(zone, _zones())
            hint = f"Did you mean {meant!r}?" if meant else 'Give an IANA name, such as "Europe/Berlin".'
            yield Fault(field, "unknown_timezone", f"{field} {shown(zone)} is no time zone.", hint)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _channels_exist(settings: Settings) -> Iterable[Fault]:
    named = {f"targets.channels.{shown_name(channel)}": channel for channel in settings.targets.channels}
    for i, schedule in enumerate(settings.schedules):
        named |= {f"schedules[{i}].channels[{j}]": channel for j, channel in enumerate(schedule.channels)}
    for field, channel in named.items():
        if channel not in CHANNELS:
            meant = nearest(channel, CHANNELS)
            hint = f"Did you mean {meant!r}?" if meant else f"The channels are {listed(CHANNELS)}."
            yield Fault(field, "invalid_value", f"{shown(channel)} is no channel.", hint)


def _schedules_make_sense(settings: Settings) -> Iterable[Fault]:
    names: set[str] = set()
    for i, schedule in enumerate(settings.schedules):
        field = f"schedules[{i}]"
        if schedule.name in names:
            yield Fault(f"{field}.name", "repeated", f"Two schedules are named {shown(schedule.name)}.", "Rename one.")
        names.add(schedule.name)
        for weekday, intervals in schedule.weekly.items():
            yield from _intervals_in_order(intervals, f"{field}.weekly.{weekday}")
        dates: set[str] = set()
        for j, exception in enumerate(schedule.exceptions):
            here = f"{field}.exceptions[{j}]"
            yield from _date_exists(exception.date, f"{here}.date")
            if exception.date in dates:
                message = f"{here}.date {exception.date} has an exception already."
                yield Fault(f"{here}.date", "repeated", message, "Put all intervals of a day into one.")
            dates.add(exception.date)
            yield from _intervals_in_order(exception.intervals, f"{here}.intervals")


def _intervals_in_order(intervals: list[Interval], field: str) -> Iterable[Fault]:
    for i, (start, end) in enumerate(intervals):
        if start >= end:
            message = f"{field}[{i}] starts at {start} and ends at {end}; it must end after it starts."
            hint = "Hours past midnight are two intervals: one up to 24:00, one from 00:00 on the next day."
            yield Fault(f"{field}[{i}]", "invalid_value", message, hint)
    in_order = sorted(range(len(intervals)), key=lambda i: intervals[i])
    for earlier, later in pairwise(in_order):
        if intervals[later][0] < intervals[earlier][1]:
            message = f"{field}[{later}] overlaps {field}[{earlier}]."
            yield Fault(f"{field}[{later}]", "invalid_value", message, "Join the two, or move one.")


def _rates_make_sense(settings: Settings) -> Iterable[Fault]:
    seen: set[tuple[str, str, str]] = set()
    for i, rate in enumerate(settings.exchange_rates):
        field = f"exchange_rates[{i}]"
        yield from _date_exists(rate.date, f"{field}.date")
        if not rate.rate.is_finite() or not 0 < rate.rate < _HIGHEST_RATE:
            message = f"{field}.rate must be more than 0 and less than {_HIGHEST_RATE:,}, and is {shown(rate.rate)}."
            yield Fault(f"{field}.rate", "invalid_value", message)
        if rate.from_ == rate.to:
            message = f"{field} is from {rate.from_} to itself."
            yield Fault(f"{field}.to", "invalid_value", message, "Name two currencies.")
        key = (rate.date, rate.from_, rate.to)
        if key in seen:
            message = f"{field}: there is a rate from {rate.from_} to {rate.to} on {rate.date} already."
            yield Fault(field, "repeated", message, "Give one rate a day.")
        seen.add(key)


_HIGHEST_RATE = 10**9


def _date_exists(text: str, field: str) -> Iterable[Fault]:
    try:
        date.fromisoformat(text)
    except ValueError:
        yield Fault(field, "invalid_value", f"{field} {text} is no date that exists.")


def _weights_add_up(settings: Settings) -> Iterable[Fault]:
    if not any(getattr(settings.quality_weights, part) for part in QualityWeights.__struct_fields__):
        message = "quality_weights are all 0, which leaves nothing to score by."
        yield Fault("quality_weights", "invalid_value", message, "Give one of them more than 0.")


_RULES: tuple[Callable[[Settings], Iterable[Fault]], ...] = (
    _zones_exist,
    _channels_exist,
    _schedules_make_sense,
    _rates_make_sense,
    _weights_add_up,
)
