"""Short ways to write timelines, and the golden cases as timelines."""

import json
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from tickertape.derive import merges
from tickertape.derive.episode_document import document
from tickertape.derive.episodes import fold, merged
from tickertape.derive.repeats import link
from tickertape.derive.timeline import Duration, Entry, Episode
from tickertape.settings import Settings

CASES = Path(__file__).parent / "cases"
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
T0 = 1_767_952_800_000
"""Friday 2026-01-09 10:00 UTC."""
LATER = T0 + 1000 * DAY
FIELDS_OF_ENTRY = {
    "agent_id": "agent",
    "team_id": "team",
    "contact_id": "contact",
    "kind": "survey_kind",
    **{
        name: name
        for name in (
            "message_id",
            "author",
            "channel",
            "auto_reply",
            "by",
            "topic",
            "text",
            "survey_id",
            "score",
            "scale_max",
        )
    },
}


def settings(**given: Any) -> Settings:
    return msgspec.convert(given, Settings)


def entry(at: float, kind: str, **fields: Any) -> Entry:
    """An entry `at` minutes after T0; messages are on web chat with contact k."""
    if kind.startswith("message."):
        fields = {"channel": "webchat", "contact": "k"} | fields
    fields.setdefault("id", f"{kind}@{at}" + str(fields.get("author") or "") + str(fields.get("survey_id") or ""))
    return Entry(at=T0 + round(at * MINUTE), kind=kind, **fields)


def customer(at: float, **fields: Any) -> Entry:
    return entry(at, "message.received", **fields)


def agent(at: float, who: str | None = "A", **fields: Any) -> Entry:
    return entry(at, "message.sent", author="agent", agent=who, **fields)


def bot(at: float, **fields: Any) -> Entry:
    return entry(at, "message.sent", author="bot", **fields)


def event(at: float, word: str, **fields: Any) -> Entry:
    return entry(at, f"conversation.{word}", **fields)


def resolved(at: float, by: str | None = "agent", who: str | None = "A") -> Entry:
    return event(at, "resolved", by=by, agent=who if by == "agent" else None)


def survey(at: float, word: str, survey_id: str = "s", **fields: Any) -> Entry:
    return entry(at, f"survey.{word}", survey_id=survey_id, **fields)


def linked(entries: list[Entry], now: int = LATER, **given: Any) -> list[Episode]:
    """The episodes of the only conversation of a contact."""
    chosen = settings(**given)
    episodes = fold(entries, chosen, now).episodes
    link({"c": episodes}, chosen, now)
    return episodes


def only(entries: list[Entry], now: int = LATER, **given: Any) -> Episode:
    (episode,) = linked(entries, now, **given)
    return episode


def lengths(episode: Episode, kind: str) -> list[float]:
    """The lengths in minutes of the finished durations of one kind."""
    return [
        (duration.ended_at - duration.started_at) / MINUTE
        for duration in episode.durations
        if duration.kind == kind and duration.ended_at is not None
    ]


def running(episode: Episode) -> list[Duration]:
    return [duration for duration in episode.durations if duration.ended_at is None]


def minutes(at: int | None) -> float | None:
    return None if at is None else (at - T0) / MINUTE


def verdicts(episode: Episode, now: int = LATER) -> list[tuple[str, str]]:
    """Each check as (kind, met | breached | pending)."""

    def verdict(due_at: int, ended_at: int | None) -> str:
        if ended_at is None:
            return "breached" if now > due_at else "pending"
        return "met" if ended_at <= due_at else "breached"

    return [(check.kind, verdict(check.due_at, check.ended_at)) for check in episode.checks]


# --- golden cases


def instant(text: str) -> int:
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC).timestamp() * 1000)


def golden() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Every expectation about episodes as (name, case, expectation)."""
    return [
        (f"{case['name']}-{number}", case, expectation)
        for path in sorted(CASES.glob("*.json"))
        for case in json.loads(path.read_text())
        for number, expectation in enumerate(case["expect"])
        if "episodes" in expectation
    ]


def asked(expectation: dict[str, Any]) -> tuple[str, int]:
    """The conversation and the clock of an expectation."""
    url = urlsplit(expectation["get"])
    return url.path.rsplit("/", 1)[1], instant(parse_qs(url.query)["now"][0])


def case_entries(events: list[dict[str, Any]]) -> dict[str, list[Entry]]:
    """The timelines of a case's events by conversation, before merges."""
    timelines: dict[str, list[Entry]] = defaultdict(list)
    for told in events:
        if "conversation_id" in told:
            timelines[told["conversation_id"]].append(_entry(told))
    return timelines


def _entry(told: dict[str, Any]) -> Entry:
    fields = {FIELDS_OF_ENTRY[name]: value for name, value in told.items() if name in FIELDS_OF_ENTRY}
    if told["type"] == "message.sent" and "author" not in told:
        fields["author"] = "campaign" if "campaign_id" in told else "agent" if "agent_id" in told else "system"
    return Entry(at=instant(told["at"]), id=told["id"], kind=told["type"], **fields)


def case_episodes(events: list[dict[str, Any]], chosen: Settings, now: int) -> dict[str, list[dict[str, Any]]]:
    """The documents of all conversations of a case."""
    timelines = case_entries(events)
    into = merges.resolve(
        (instant(told["at"]), told["id"], told["conversation_id"], told["into"])
        for told in events
        if told["type"] == "conversation.merged" and instant(told["at"]) <= now
    )
    joined: dict[str, list[Entry]] = defaultdict(list)
    for conversation, entries in timelines.items():
        joined[into.get(conversation, conversation)] += entries
    episodes = {conversation: fold(entries, chosen, now).episodes for conversation, entries in joined.items()}
    for contact in {episode.contact for found in episodes.values() for episode in found}:
        link({name: [e for e in found if e.contact == contact] for name, found in episodes.items()}, chosen, now)
    episodes |= {conversation: merged(timelines[conversation], now) for conversation in into}
    return {conversation: [document(episode) for episode in found] for conversation, found in episodes.items()}


def near(got: Any, expected: Any) -> bool:
    """As a golden case compares: listed keys only, lists whole, numbers within 1e-3, times as instants."""
    if isinstance(expected, dict):
        return isinstance(got, dict) and all(key in got and near(got[key], value) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(got, list) and len(got) == len(expected) and all(map(near, got, expected))
    if isinstance(expected, bool) or expected is None:
        return got is expected
    if isinstance(expected, int | float):
        return isinstance(got, int | float) and abs(got - expected) <= max(1e-9, 1e-3 * abs(expected))
    if isinstance(got, str) and "T" in expected and expected[:1].isdigit():
        return instant(got) == instant(expected)
    return bool(got == expected)
