"""Requests to an application that runs in this process, on an event loop of its own thread."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import unquote

from tickertape.cli.asgi import AsgiApp, Lifespan, Message
from tickertape.cli.client import StreamedResponse
from tickertape.cli.errors import CliError

T = TypeVar("T")
_PIECES_AHEAD = 4


class AsgiTransport:
    """Starts the application at once. Raises what it raised where it cannot start."""

    def __init__(self, make_app: Callable[[], AsgiApp]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="in-process application", daemon=True)
        self._thread.start()
        try:
            self._run(self._start(make_app))
        except BaseException:
            self._stop_loop()
            raise

    async def _start(self, make_app: Callable[[], AsgiApp]) -> None:
        self._app = make_app()
        self._lifespan = Lifespan(self._app)
        await self._lifespan.startup()

    @contextmanager
    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Iterator[StreamedResponse]:
        exchange = _Exchange(self._app, _scope(method, target, headers, body), body)
        task = asyncio.run_coroutine_threadsafe(exchange.run(), self._loop)
        try:
            start = self._run(exchange.messages.get())
            if start is None:
                task.result()
                raise CliError("The application ended without an answer.")
            yield StreamedResponse(
                start["status"],
                {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in start.get("headers", [])},
                self._pieces(exchange, task.result),
            )
        finally:
            self._loop.call_soon_threadsafe(exchange.gone.set)
            task.cancel()

    def _pieces(self, exchange: "_Exchange", failed: Callable[[], None]) -> Iterator[bytes]:
        while (message := self._run(exchange.messages.get())) is not None:
            if message["type"] == "http.response.body":
                if piece := message.get("body", b""):
                    yield bytes(piece)
                if not message.get("more_body", False):
                    return
        failed()

    def close(self) -> None:
        try:
            self._run(self._lifespan.shutdown())
        finally:
            self._stop_loop()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Exchange:
    """One request and the messages of its answer; None ends them."""

    def __init__(self, app: AsgiApp, scope: dict[str, Any], body: bytes) -> None:
        self._app = app
        self._scope = scope
        self._body: bytes | None = body
        self.messages: asyncio.Queue[Message | None] = asyncio.Queue(_PIECES_AHEAD)
        self.gone = asyncio.Event()

    async def run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self.messages.put)
        finally:
            await self.messages.put(None)

    async def _receive(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}


def _scope(method: str, target: str, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    path, _, query = target.partition("?")
    sent = {"host": "localhost", "content-length": str(len(body)), **headers}
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()],
        "client": ("127.0.0.1", 0),
        "server": ("localhost", 80),
        "extensions": {},
        "state": {},
    }
