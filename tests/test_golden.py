"""Every golden case, however its events arrive."""

import json
import random
from collections.abc import Callable, Iterator

import pytest

from golden import Case, by_settings, cases, misses
from workspace import Workspace, workspace

FILES = (
    "service_basic",
    "service_handoff",
    "service_reopen",
    "service_survey_agents",
    "service_time",
    "delivery",
    "replies",
    "clicks",
    "order_and_repeats",
    "attribution",
    "money",
)
GROUPS = by_settings(cases(*FILES))
Batches = Iterator[list[dict[str, object]]]


def plain(case: Case) -> Batches:
    yield case["events"]


def shuffled(case: Case) -> Batches:
    events = list(case["events"])
    random.Random(case["name"]).shuffle(events)
    yield from (events[i::3] for i in range(3) if events[i::3])


def repeated(case: Case) -> Batches:
    yield case["events"]
    yield case["events"][::-1]


def single(case: Case) -> Batches:
    events = list(case["events"])
    random.Random(case["name"] + "single").shuffle(events)
    yield from ([e] for e in events)


def _hold(opened: Workspace, group: list[Case]) -> None:
    opened.settle()
    found = [miss for case in group for miss in misses(case, lambda target: opened.call("GET", target))]
    assert not found, "\n".join(found)


def _start(opened: Workspace, settings: str) -> None:
    if settings != "{}":
        status, answer = opened.call("PUT", "/v1/settings", json.loads(settings))
        assert status == 200, answer


@pytest.mark.parametrize("arrival", [plain, shuffled, repeated, single], ids=lambda f: f.__name__)
@pytest.mark.parametrize("settings", GROUPS, ids=lambda s: GROUPS[s][0]["name"])
def test_cases(settings: str, arrival: Callable[[Case], Batches]) -> None:
    with workspace() as opened:
        _start(opened, settings)
        for case in GROUPS[settings]:
            for batch in arrival(case):
                status, answer = opened.call("POST", "/v1/events", batch)
                assert status == 200, answer
        _hold(opened, GROUPS[settings])


@pytest.mark.parametrize("settings", GROUPS, ids=lambda s: GROUPS[s][0]["name"])
def test_cases_after_restart_and_rebuild(settings: str) -> None:
    """Half the events, a restart, the other half; then everything derived again from the log."""
    with workspace() as opened:
        _start(opened, settings)
        halves: list[list[dict[str, object]]] = [[], []]
        for case in GROUPS[settings]:
            for i, event in enumerate(case["events"]):
                halves[i % 2].append(event)
        opened.post(*halves[0])
        opened.restart()
        opened.post(*halves[1])
        _hold(opened, GROUPS[settings])
        _, job = opened.call("POST", "/v1/rebuild")
        while opened.get(f"/v1/jobs/{job['id']}")["state"] == "running":
            pass
        _hold(opened, GROUPS[settings])
