"""What viewers are sent: the answer, then what changed, from one computation however many they are."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from tickertape import live
from tickertape.live import Hub, Message
from workspace import Workspace, workspace

DAY = {"from": "2026-03-02", "to": "2026-03-03"}
AT = "2026-03-02T10:00:00Z"


class Source:
    """Stands for the store: one count, and how often it was asked for."""

    def __init__(self) -> None:
        self.value = 0
        self.asked = 0
        self.hub = Hub(self.answer)  # type: ignore[arg-type]

    def answer(self, _: object = None) -> dict[str, Any]:
        self.asked += 1
        rows = [{"sent": {"value": self.value}, "failed": {"value": 0}}]
        return {"rows": rows, "metrics": {"sent": {}, "failed": {}}, "as_of": str(self.asked)}

    def watch(self, name: str = "question") -> AsyncIterator[Message]:
        async def run(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
            return ask()

        return self.hub.watch(name, lambda: None, run)  # type: ignore[arg-type, return-value]

    def change(self) -> None:
        self.value += 1
        self.hub.notify()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SHORTEST_MS", 1)


async def close(*streams: AsyncIterator[Message]) -> None:
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]


async def read(stream: AsyncIterator[Message]) -> tuple[str, Any]:
    async with asyncio.timeout(30):
        message = await anext(stream)
    return message["event"], json.loads(message["data"])


@pytest.mark.usefixtures("quick")
def test_viewers_of_one_question_share_its_computation() -> None:
    async def scenario() -> None:
        source = Source()
        one, other, different = source.watch(), source.watch(), source.watch("another")
        for stream in (one, other):
            assert (await read(stream))[0] == "snapshot"
        assert source.asked == 1
        await read(different)
        assert source.asked == 2
        source.change()
        updates = [await read(stream) for stream in (one, other)]
        assert updates[0] == updates[1]
        event, data = updates[0]
        assert (event, data["rows"]) == ("update", [{"sent": {"value": 1}}])
        await read(different)
        assert source.asked == 4
        await close(one, other, different)

    asyncio.run(scenario())


@pytest.mark.usefixtures("quick")
def test_changes_that_come_together_are_one_update() -> None:
    async def scenario() -> None:
        source = Source()
        viewer = source.watch()
        await read(viewer)
        for _ in range(50):
            source.change()
        seen = 0
        while seen < 50:
            event, data = await read(viewer)
            assert event == "update"
            seen = data["rows"][0]["sent"]["value"]
        assert source.asked <= 4
        await close(viewer)

    asyncio.run(scenario())


@pytest.mark.usefixtures("quick")
def test_a_viewer_that_cannot_follow_gets_a_snapshot() -> None:
    async def scenario() -> None:
        source = Source()
        slow, fast = source.watch(), source.watch()
        assert (await read(slow))[0] == "snapshot"
        assert (await read(fast))[0] == "snapshot"
        for _ in range(250):
            source.change()
            event, data = await read(fast)
            assert (event, data["rows"][0]["sent"]["value"]) == ("update", source.value)
        shown: Any = None
        kinds = []
        while shown != source.value:
            event, data = await read(slow)
            kinds.append(event)
            shown = data["rows"][0]["sent"]["value"]
        assert kinds[0] == "snapshot"
        assert len(kinds) <= 100
        await close(slow, fast)

    asyncio.run(scenario())


@pytest.mark.usefixtures("quick")
def test_nobody_watching_means_no_work() -> None:
    async def scenario() -> None:
        source = Source()
        one, other = source.watch(), source.watch()
        await read(one)
        await read(other)
        assert source.hub.viewers == 2
        await close(one)
        source.change()
        assert (await read(other))[0] == "update"
        await close(other)
        assert source.hub.viewers == 0
        asked = source.asked
        source.change()
        await asyncio.sleep(0.05)  # many times the shortest pause between two computations
        assert source.asked == asked
        again = source.watch()
        assert (await read(again))[1]["rows"][0]["sent"]["value"] == 2
        await close(again)

    asyncio.run(scenario())


@pytest.mark.usefixtures("quick")
def test_trouble_is_told_and_passes() -> None:
    async def scenario() -> None:
        source = Source()
        viewer = source.watch()
        await read(viewer)
        good, source.hub._answer = source.hub._answer, lambda _: 1 / 0  # type: ignore[assignment, return-value]
        source.change()
        assert (await read(viewer))[0] == "trouble"
        source.hub._answer = good
        source.change()
        assert (await read(viewer))[1]["rows"] == [{"sent": {"value": 2}}]
        await close(viewer)

    asyncio.run(scenario())


# --- through the application ---


@pytest.fixture(scope="module")
def tape() -> Iterator[Workspace]:
    with workspace() as opened:
        yield opened


def pushed(pieces: Iterator[bytes]) -> Iterator[tuple[str, Any]]:
    """The events of a stream; a sign of life means that nothing came for long."""
    text = ""
    for piece in pieces:
        text += piece.decode().replace("\r\n", "\n")
        while "\n\n" in text:
            block, _, text = text.partition("\n\n")
            fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
            assert "event" in fields, f"nothing came: {block}"
            yield fields["event"], json.loads(fields["data"])


def sent(campaign: str, number: int) -> dict[str, Any]:
    message = f"{campaign}{number}"
    return {
        "type": "message.sent", "at": AT, "id": message, "message_id": message, "channel": "sms", "contact_id": message,
        "campaign_id": campaign,
    }  # fmt: skip


def test_an_event_reaches_the_viewer(tape: Workspace) -> None:
    tape.post(sent("one", 0), sent("two", 0))
    tape.settle()
    params = {"metrics": "sent,failed", "by": "campaign", "campaign": "one,two", "order": "campaign", **DAY}
    with tape.client.stream("GET", "/v1/live", params=params) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = pushed(answer.pieces)
        event, data = next(events)
        assert event == "snapshot"
        assert data["rows"] == tape.get("/v1/query", **params)["rows"]
        began = time.monotonic()
        tape.post(sent("two", 1))
        event, data = next(events)
        assert time.monotonic() - began < 5
        assert (event, data["rows"]) == ("update", [{"campaign": "two", "sent": {"value": 2}}])
        tape.post({"type": "message.failed", "at": AT, "id": "f", "message_id": "one0"})
        assert next(events)[1]["rows"] == [{"campaign": "one", "failed": {"value": 1}}]


def test_a_new_row_is_a_new_snapshot(tape: Workspace) -> None:
    params = {"metrics": "sent", "by": "campaign", "campaign": "three,four", "order": "campaign", **DAY}
    with tape.client.stream("GET", "/v1/live", params=params) as answer:
        events = pushed(answer.pieces)
        assert next(events)[1]["rows"] == []
        tape.post(sent("four", 0))
        assert next(events) == ("snapshot", tape.get("/v1/query", **params) | {"as_of": Anything()})


class Anything:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def test_a_viewer_who_leaves_is_forgotten(tape: Workspace) -> None:
    with tape.client.stream("GET", "/v1/live", params={"metrics": "sent", **DAY}) as answer:
        assert next(pushed(answer.pieces))[0] == "snapshot"
        assert tape.service.hub.viewers >= 1
    deadline = time.monotonic() + 30
    while tape.service.hub.viewers:
        assert time.monotonic() < deadline, "the stream is still computed for nobody"
        time.sleep(0.01)
