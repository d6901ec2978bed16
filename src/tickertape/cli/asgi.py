"""The ASGI lifespan protocol, seen from the server's side."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from tickertape.cli.errors import CliError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


class Lifespan:
    """Starts and stops an application. Both are called on one event loop."""

    def __init__(self, app: AsgiApp) -> None:
        self._app = app
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Raises what the application raised where it could not start."""
        self._task = asyncio.create_task(self._run())
        await self._exchange("startup")

    async def shutdown(self) -> None:
        if self._task is not None and not self._task.done():
            await self._exchange("shutdown")
            await self._task

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        await self._app(scope, self._to_app.get, self._from_app.put)

    async def _exchange(self, step: str) -> None:
        assert self._task is not None
        await self._to_app.put({"type": f"lifespan.{step}"})
        answer = asyncio.ensure_future(self._from_app.get())
        try:
            await asyncio.wait({answer, self._task}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done() and answer.result()["type"] == f"lifespan.{step}.complete":
                return
            # An application says that it failed, then raises why.
            await self._task
            said = answer.result().get("message", "") if answer.done() else ""
            raise CliError(f"The application did not complete its {step}. {said}".strip())
        except asyncio.CancelledError:
            self._task.cancel()
            raise
        finally:
            answer.cancel()
