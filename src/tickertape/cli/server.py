"""Runs the application on Granian, in this very process.

Granian's usual server forks or spawns a worker, which outlives its parent when that is killed and then holds the data
folder; its embedded one has no second process to be left behind, and is as fast (docs/decisions.md).
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from tickertape.cli import running
from tickertape.cli.asgi import AsgiApp, Lifespan
from tickertape.cli.errors import CliError
from tickertape.cli.running import Running
from tickertape.control import PROCESS_TOKEN

_BACKLOG = 1024
_GRACE_SECONDS = 3
"""How long open requests (a live stream never ends by itself) may hold up a stop."""
_STOPS = (signal.SIGTERM, signal.SIGINT)


def run_server(
    make_app: Callable[[], AsgiApp],
    *,
    data: Path,
    host: str,
    port: int,
    on_ready: Callable[[str], None] = lambda _: None,
) -> NoReturn:
    """Serves until SIGTERM or SIGINT, then ends the process: what must be undone is the application's lifespan's work.

    `on_ready` is called with the address once the server answers.

    While it runs, DATA/run.json tells the command line where it is. Raises CliError where the address or the folder
    is taken, and whatever the application raises where it cannot start.
    """
    if found := running.find(data):
        raise CliError(
            f"A server has this data folder open already: {found.url} (process {found.pid}).",
            "Use that one, stop it, or choose another folder with --data.",
        )
    _check_free(host, port)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    asyncio.run(_serve(make_app, data, host, port, on_ready))
    sys.stdout.flush()
    sys.stderr.flush()
    # All is shut down. Granian's own threads may live a little longer, and one that meets an interpreter which is being
    # taken down aborts the process (seen in one stop of seven), so the interpreter is not taken down.
    os._exit(0)


async def _serve(
    make_app: Callable[[], AsgiApp], data: Path, host: str, port: int, on_ready: Callable[[str], None]
) -> None:
    stopping = asyncio.Event()
    for number in _STOPS:
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    app = make_app()
    lifespan = Lifespan(app)
    if not await _unless(stopping, lifespan.startup()):
        return
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        websockets=False,
        backlog=_BACKLOG,
        log_level=LogLevels.error,
    )
    # The embedded server has no argument for it, but honours it.
    server.workers_kill_timeout = _GRACE_SECONDS
    serving = asyncio.create_task(server.serve())
    url = local_url(host, port)
    try:
        if await _unless(stopping, _answered(url, host, port, serving)):
            running.write(data, Running(pid=os.getpid(), url=url, token=PROCESS_TOKEN))
            on_ready(url)
            await _unless(stopping, asyncio.shield(serving))
        if not stopping.is_set():
            raise CliError("The web server ended by itself.", "Its last lines above say why.")
    finally:
        running.remove(data, os.getpid())
        server.stop()  # type: ignore[no-untyped-call]
        # Granian gives up on requests that outlast the grace with a TimeoutError.
        with suppress(TimeoutError):
            await serving
        await lifespan.shutdown()


async def _unless(stopping: asyncio.Event, work: Awaitable[None]) -> bool:
    """Does the work; False where it was called off by a stop."""
    task = asyncio.ensure_future(work)
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
            return True
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return False
    finally:
        stop.cancel()


async def _answered(url: str, host: str, port: int, serving: "asyncio.Task[None]") -> None:
    """Returns once connections are accepted."""
    while not serving.done():
        with suppress(OSError):
            _, writer = await asyncio.open_connection(_local_host(host), port)
            writer.close()
            return
        await asyncio.sleep(0.01)
    await serving
    raise CliError(f"The web server could not listen at {url}.")


def local_url(host: str, port: int) -> str:
    """The address of the server as this machine reaches it."""
    local = _local_host(host)
    return f"http://[{local}]:{port}" if ":" in local else f"http://{local}:{port}"


def _local_host(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError as error:
            raise CliError(
                f"Port {port} needs administrator's rights.", "Choose one above 1023 with --port."
            ) from error
        except OSError as error:
            raise CliError(
                f"The server cannot listen at {host}:{port} ({error.strerror}).",
                "Another program may have that port: choose one with --port, or another address with --host.",
            ) from error
