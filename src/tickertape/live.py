"""One computation per question, shared by all who watch it, pushed when facts changed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

import msgspec

from tickertape.metrics import Query

SHORTEST_MS = 400
"""Between two computations of one question."""
KEEP_ALIVE_SECONDS = 15.0
TICK_SECONDS = 10.0
"""Ages and windows move without any event."""
MAX_QUESTIONS = 500

Row = dict[str, Any]
Message = dict[str, str]


class Question:
    """A question that somebody watches: its latest answer and the queues of its viewers."""

    def __init__(self, ask: Callable[[], dict[str, Any]]) -> None:
        self.ask = ask
        self.viewers: set[asyncio.Queue[Message]] = set()
        self.answer: dict[str, Any] | None = None
        self.number = 0
        self.task: asyncio.Task[None] | None = None
        self.due = asyncio.Event()


class Hub:
    """Runs on the event loop; only `notify` may be called from other threads."""

    def __init__(self, answer: Callable[[Query], dict[str, Any]]) -> None:
        self._answer = answer
        self._questions: dict[str, Question] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def viewers(self) -> int:
        return sum(len(q.viewers) for q in self._questions.values())

    def notify(self) -> None:
        """Facts changed."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for question in self._questions.values():
            question.due.set()

    async def watch(
        self,
        name: str,
        parse: Callable[[], Query],
        run: Callable[[Callable[[], dict[str, Any]]], Awaitable[dict[str, Any]]],
    ) -> AsyncIterator[Message]:
        """Server-sent events for one viewer: first the whole answer, then what changed. `parse` reads the question anew
        each time, so that `last=24h` moves on."""
        self._loop = asyncio.get_running_loop()
        question = self._questions.get(name)
        if question is None:
            question = self._questions[name] = Question(lambda: self._answer(parse()))
            question.task = asyncio.create_task(self._follow(question, run))
        queue: asyncio.Queue[Message] = asyncio.Queue(maxsize=100)
        if question.answer is not None:
            queue.put_nowait(_message("snapshot", question.number, question.answer))
        question.viewers.add(queue)
        try:
            while True:
                try:
                    yield await asyncio.wait_for(queue.get(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    yield {"comment": "still here"}
        finally:
            question.viewers.discard(queue)
            if not question.viewers and question.task is not None:
                question.task.cancel()
                self._questions.pop(name, None)

    async def _follow(
        self, question: Question, run: Callable[[Callable[[], dict[str, Any]]], Awaitable[dict[str, Any]]]
    ) -> None:
        while True:
            question.due.clear()
            try:
                latest = await run(question.ask)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._send(
                    question, {"event": "trouble", "data": msgspec.json.encode({"message": str(error)}).decode()}
                )
            else:
                self._publish(question, latest)
            await asyncio.sleep(SHORTEST_MS / 1000)
            try:
                await asyncio.wait_for(question.due.wait(), TICK_SECONDS)
            except TimeoutError:
                continue

    def _publish(self, question: Question, latest: dict[str, Any]) -> None:
        before, question.answer = question.answer, latest
        question.number += 1
        if before is None or not _comparable(before, latest):
            self._send(question, _message("snapshot", question.number, latest))
            return
        rows = changed_rows(before["rows"], latest["rows"], latest["metrics"].keys())
        if rows:
            self._send(question, _message("update", question.number, {"as_of": latest["as_of"], "rows": rows}))

    def _send(self, question: Question, message: Message) -> None:
        for queue in question.viewers:
            if not queue.full():
                queue.put_nowait(message)
                continue
            # A viewer that cannot follow gets the whole answer instead of what it missed.
            while not queue.empty():
                queue.get_nowait()
            whole = question.answer
            queue.put_nowait(message if whole is None else _message("snapshot", question.number, whole))


def _message(event: str, number: int, data: Any) -> Message:
    return {"event": event, "id": str(number), "data": msgspec.json.encode(data).decode()}


def _comparable(before: Mapping[str, Any], latest: Mapping[str, Any]) -> bool:
    """Whether the rows are the same ones: a bucket that came or went is a new answer."""
    return before["metrics"].keys() == latest["metrics"].keys() and [_place(r, before) for r in before["rows"]] == [
        _place(r, latest) for r in latest["rows"]
    ]


def _place(row: Row, answer: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((k, v) for k, v in row.items() if k not in answer["metrics"])


def changed_rows(before: list[Row], latest: list[Row], metrics: Any) -> list[Row]:
    """The rows with a difference: what places them, and their changed cells only."""
    changed = []
    for old, new in zip(before, latest, strict=True):
        cells = {m: new[m] for m in metrics if m in new and new[m] != old.get(m)}
        if cells:
            changed.append({k: v for k, v in new.items() if k not in metrics} | cells)
    return changed
