import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickertape.errors import InvalidSettings
from tickertape.settings import RESTATES, Settings, merge, resolve, validate


def schedule(**more: Any) -> dict[str, Any]:
    return {"schedules": [{"name": "office", "timezone": "UTC", **more}]}


def rate(**more: Any) -> dict[str, Any]:
    return {"exchange_rates": [{"date": "2026-01-01", "from": "EUR", "to": "USD", "rate": 1.1, **more}]}


def test_nothing_stored_gives_the_defaults() -> None:
    settings = resolve({})
    assert settings == Settings()
    assert (settings.reopen_window_hours, settings.targets.response_seconds, settings.attribution.click_days) == (
        24,
        300,
        5,
    )


def test_objects_merge_and_arrays_are_replaced() -> None:
    stored = {"attribution": {"click_days": 3, "model": "linear"}, **schedule()}
    patch = {"attribution": {"click_days": 9}, "schedules": []}
    assert merge(stored, patch) == {"attribution": {"click_days": 9, "model": "linear"}, "schedules": []}
    assert stored["attribution"] == {"click_days": 3, "model": "linear"}


def test_null_restores_a_default_at_its_depth() -> None:
    stored = {"timezone": "Asia/Tokyo", "attribution": {"click_days": 3, "model": "linear"}}
    assert merge(stored, {"timezone": None, "attribution": {"model": None}}) == {"attribution": {"click_days": 3}}
    assert merge(stored, {"attribution": None}) == {"timezone": "Asia/Tokyo"}


def test_null_as_a_target_means_not_checked() -> None:
    stored = merge({}, {"targets": {"response_seconds": None, "channels": {"email": {"first_response_seconds": None}}}})
    settings = resolve(stored)
    assert settings.targets.response_seconds is None
    assert settings.targets.first_response_seconds == 300
    assert settings.targets.channels["email"].first_response_seconds is None
    assert resolve(merge(stored, {"targets": None})) == Settings()
    assert resolve(merge(stored, {"targets": {"channels": {"email": None}}})).targets.channels == {}
    assert resolve(merge({"targets": {"clock": "business"}}, {"targets": {"clock": None}})).targets.clock == "calendar"


@pytest.mark.parametrize(
    ("patch", "field", "says"),
    [
        (5, None, "JSON object"),
        ({"timzone": "UTC"}, "timzone", "'timezone'"),
        ({"timzone": None}, "timzone", "'timezone'"),
        ({"targets": {"respnse_seconds": None}}, "targets.respnse_seconds", "'response_seconds'"),
        ({"timezone": "Europe/Berln"}, "timezone", "Europe/Berlin"),
        ({"timezone": "../../etc/passwd"}, "timezone", "no time zone"),
        ({"targets": {"first_response_seconds": 0}}, "targets.first_response_seconds", "more than 0"),
        ({"targets": {"first_response_seconds": "5"}}, "targets.first_response_seconds", "must be a number"),
        ({"targets": {"clock": "busines"}}, "targets.clock", "'business'"),
        ({"targets": {"channels": {"emial": {}}}}, "targets.channels.emial", "'email'"),
        ({"reopen_window_hours": -1}, "reopen_window_hours", "at least 0"),
        ({"reopen_window_hours": 1e300}, "reopen_window_hours", "at most"),
        ({"reopen_window_hours": float("nan")}, "reopen_window_hours", "finite"),
        ({"currency": "usd"}, "currency", "capital"),
        ({"currency": "USD\n"}, "currency", "3"),
        (schedule(timezone="Mars/Base"), "schedules[0].timezone", "no time zone"),
        (schedule(weekly={"mon": [["17:00", "09:00"]]}), "schedules[0].weekly.mon[0]", "end after"),
        (schedule(weekly={"mon": [["09:00", "09:00"]]}), "schedules[0].weekly.mon[0]", "end after"),
        (schedule(weekly={"mon": [["13:00", "15:00"], ["09:00", "13:01"]]}), "schedules[0].weekly.mon[0]", "overlaps"),
        (schedule(weekly={"monday": []}), "schedules[0].weekly.monday", "'mon'"),
        (schedule(weekly={"mon": [["9:00", "12:00"]]}), "schedules[0].weekly.mon[0][0]", "09:00"),
        (schedule(weekly={"mon": [["24:00", "24:00"]]}), "schedules[0].weekly.mon[0]", "end after"),
        (schedule(exceptions=[{"date": "2026-02-30"}]), "schedules[0].exceptions[0].date", "no date"),
        (schedule(exceptions=[{"date": "2026-02-03"}] * 2), "schedules[0].exceptions[1].date", "already"),
        (schedule(channels=["fax"]), "schedules[0].channels[0]", "no channel"),
        ({"schedules": schedule()["schedules"] * 2}, "schedules[1].name", "Two schedules"),
        (rate(rate=0), "exchange_rates[0].rate", "more than 0"),
        (rate(rate=-1.5), "exchange_rates[0].rate", "more than 0"),
        (rate(rate="NaN"), "exchange_rates[0].rate", "more than 0"),
        (rate(date="2026-13-01"), "exchange_rates[0].date", "no date"),
        (rate(to="EUR"), "exchange_rates[0].to", "two currencies"),
        ({"exchange_rates": rate()["exchange_rates"] * 2}, "exchange_rates[1]", "already"),
        ({"quality_weights": dict.fromkeys("SRWEV", 0)}, "quality_weights", "all 0"),
    ],
)
def test_refused_with_the_position(patch: object, field: str | None, says: str) -> None:
    with pytest.raises(InvalidSettings) as error:
        validate(patch)
    assert error.value.field == field
    assert says in str(error.value)


def test_accepted() -> None:
    validate(schedule(weekly={"mon": [["13:00", "24:00"], ["09:00", "13:00"]]}, exceptions=[{"date": "2028-02-29"}]))
    assert resolve(rate()).exchange_rates[0].rate == Decimal("1.1")


def test_deep_nesting_is_refused_not_followed() -> None:
    patch: dict[str, Any] = {}
    for _ in range(5000):
        patch = {"timezone": patch}
    with pytest.raises(InvalidSettings):
        validate(patch)


def test_what_restates_facts_is_a_setting() -> None:
    assert set(Settings.__struct_fields__) > RESTATES
    assert not RESTATES & {"timezone", "currency", "exchange_rates"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(Settings.__struct_fields__) | st.text(max_size=5), json_values, max_size=4))
def test_anything_is_accepted_or_refused(patch: dict[str, Any]) -> None:
    try:
        validate(patch)
    except InvalidSettings:
        return
    assert isinstance(resolve(merge({}, patch)), Settings)


def test_the_golden_cases_settings_are_valid() -> None:
    folder = Path(__file__).parents[2] / "shared" / "cases"
    if not folder.exists():
        pytest.skip("no shared cases here")
    found = [case.get("settings") for file in folder.glob("*.json") for case in json.loads(file.read_text())]
    for settings in filter(None, found):
        validate(settings)
