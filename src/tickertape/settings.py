"""The workspace's settings: their defaults, their merge rule and their validation.

A setting is stored as the partial JSON object a user sent; `resolve` lays it over the defaults.
"""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

Seconds = Annotated[float, Meta(gt=0)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
LocalTime = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$")]
Interval = tuple[LocalTime, LocalTime]


class ChannelTargets(Struct, kw_only=True, forbid_unknown_fields=True):
    """A target of null is not checked; UNSET falls back to the workspace's."""

    first_response_seconds: Seconds | None | msgspec.UnsetType = msgspec.UNSET
    response_seconds: Seconds | None | msgspec.UnsetType = msgspec.UNSET
    resolution_seconds: Seconds | None | msgspec.UnsetType = msgspec.UNSET
    clock: Literal["calendar", "business"] | msgspec.UnsetType = msgspec.UNSET


class Targets(Struct, kw_only=True, forbid_unknown_fields=True):
    first_response_seconds: Seconds | None = 300
    response_seconds: Seconds | None = 300
    resolution_seconds: Seconds | None = None
    clock: Literal["calendar", "business"] = "calendar"
    channels: dict[str, ChannelTargets] = {}


class ScheduleException(Struct, kw_only=True, forbid_unknown_fields=True):
    date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    intervals: list[Interval] = []


class Schedule(Struct, kw_only=True, forbid_unknown_fields=True):
    """Business hours: intervals per local weekday, with dated exceptions that replace the weekday."""

    name: str
    timezone: str
    weekly: dict[Weekday, list[Interval]] = {}
    exceptions: list[ScheduleException] = []
    teams: list[str] = []
    channels: list[str] = []


class Attribution(Struct, kw_only=True, forbid_unknown_fields=True):
    click_days: Annotated[float, Meta(ge=0)] = 5
    push_click_hours: Annotated[float, Meta(ge=0)] = 24
    reply_hours: Annotated[float, Meta(ge=0)] = 24
    view_hours: Annotated[float, Meta(ge=0)] = 0
    model: Literal["last_touch", "any_touch", "linear", "first_touch"] = "last_touch"
    agent_days: Annotated[float, Meta(ge=0)] = 5


class ExchangeRate(Struct, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """1 `from` = `rate` `to`, from this date on."""

    date: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    from_: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    to: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    rate: Annotated[Decimal, Meta()]


class QualityWeights(Struct, kw_only=True, forbid_unknown_fields=True):
    S: Annotated[float, Meta(ge=0)] = 0.35
    R: Annotated[float, Meta(ge=0)] = 0.30
    W: Annotated[float, Meta(ge=0)] = 0.15
    E: Annotated[float, Meta(ge=0)] = 0.10
    V: Annotated[float, Meta(ge=0)] = 0.10


class Settings(Struct, kw_only=True, forbid_unknown_fields=True):
    timezone: str = "UTC"
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "USD"
    reopen_window_hours: Annotated[float, Meta(ge=0)] = 24
    idle_after_hours: Annotated[float, Meta(gt=0)] = 168
    fcr_window_days: Annotated[float, Meta(ge=0)] = 7
    targets: Targets = msgspec.field(default_factory=Targets)
    schedules: list[Schedule] = []
    presence_timeout_seconds: Seconds | None = None
    survey_edit_hours: Annotated[float, Meta(ge=0)] = 24
    quality_weights: QualityWeights = msgspec.field(default_factory=QualityWeights)
    attribution: Attribution = msgspec.field(default_factory=Attribution)
    exchange_rates: list[ExchangeRate] = []
    consent_scope: Literal["all", "channel", "sender"] = "all"
    opt_out_grace_seconds: Annotated[float, Meta(ge=0)] = 300
    opt_out_credit_hours: Annotated[float, Meta(ge=0)] = 72
    require_opt_in: bool = False
    reply_link_days: Annotated[float, Meta(ge=0)] = 7
    experiment_window_days: Annotated[float, Meta(gt=0)] = 14
