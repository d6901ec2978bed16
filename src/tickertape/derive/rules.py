"""The settings that the fold works with, in milliseconds."""

from typing import NamedTuple

import msgspec

from tickertape.derive.memo import ByIdentity
from tickertape.settings import ChannelTargets, Schedule, Settings, Targets

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def hour_of(at: int) -> int:
    """The start of the UTC hour that a moment lies in: where the row of a fact is."""
    return at - at % HOUR_MS


LONGEST_MS = 36_500 * DAY_MS
"""A hundred years: longer settings mean "never" and must not overflow a date."""
# kind of duration -> the setting that is its target
TARGETS = {
    "first_response": "first_response_seconds",
    "response": "response_seconds",
    "human_resolution": "resolution_seconds",
}


class ChannelRules(NamedTuple):
    """The targets that hold on one channel, in ms. None: not checked."""

    response: int | None
    by_kind: dict[str, int | None]
    """The target of each kind of duration that has one."""
    by_business_time: bool


class Rules:
    """One workspace's rules. Worked out once per settings object by `rules_for`."""

    __slots__ = ("_channels", "_targets", "fcr_window", "idle_after", "reopen_window", "schedules", "survey_edit")

    def __init__(self, settings: Settings) -> None:
        self.reopen_window = _ms(settings.reopen_window_hours * HOUR_MS)
        self.idle_after = _ms(settings.idle_after_hours * HOUR_MS)
        self.fcr_window = _ms(settings.fcr_window_days * DAY_MS)
        self.survey_edit = _ms(settings.survey_edit_hours * HOUR_MS)
        self.schedules: list[Schedule] = settings.schedules
        self._targets = settings.targets
        self._channels: dict[str | None, ChannelRules] = {}

    def on(self, channel: str | None) -> ChannelRules:
        """The targets of a channel: its own where it has some, else the workspace's."""
        rules = self._channels.get(channel)
        if rules is None:
            rules = self._channels[channel] = _channel_rules(self._targets, channel)
        return rules


def _channel_rules(targets: Targets, channel: str | None) -> ChannelRules:
    own = targets.channels.get(channel or "", ChannelTargets())

    def seconds(field: str) -> int | None:
        value = getattr(own, field)
        if value is msgspec.UNSET:
            value = getattr(targets, field)
        return None if value is None else max(1, _ms(value * 1000))

    by_kind = {kind: seconds(field) for kind, field in TARGETS.items()}
    return ChannelRules(
        by_kind["response"],
        by_kind,
        (targets.clock if own.clock is msgspec.UNSET else own.clock) == "business",
    )


def _ms(amount: float) -> int:
    return round(min(amount, LONGEST_MS))


rules_for = ByIdentity(Rules)
