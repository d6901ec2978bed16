"""`tickertape serve` as the demo's child: it ends when the demo does, however that ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tickertape.cli import running
from tickertape.cli.running import Running
from tickertape.cli.server import local_url
from tickertape.demo.folder import DemoError

LOG = "server.log"
_START_SECONDS = 600
"""A server that was killed first derives what it had not yet derived."""
_STOP_SECONDS = 30


@contextmanager
def served(folder: Path, host: str, port: int, lock: int) -> Iterator[Running]:
    """A server with this data folder on this port, for as long as the block runs.

    The child holds `lock` too, so that nobody removes the folder under it. Raises DemoError where it does not start.
    """
    command = [sys.executable, "-c", "from tickertape.demo.server import main; main()", "serve"]
    command += ["--data", str(folder), "--host", host, "--port", str(port)]
    command += ["--public-url", local_url(host, port), "--log-level", "warning"]
    with (folder / LOG).open("wb") as log:
        # A session of its own: Ctrl-C is for the demo, which stops the server once it has saved where it is.
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,
            env=_environment(),
        )
    try:
        yield _ready(child, folder)
    finally:
        _stop(child)


def main() -> None:
    """What the child runs: the command line, until its parent is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from tickertape.cli import main as command_line

    command_line()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _environment() -> dict[str, str]:
    """Without the settings of the user's real server: the demo's folder holds all of its own."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TICKERTAPE_")}


def _ready(child: "subprocess.Popen[bytes]", folder: Path) -> Running:
    deadline = time.monotonic() + _START_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        found = running.read(folder)
        if found is not None and found.pid == child.pid and running.answers(found):
            return found
        time.sleep(0.05)
    said = (folder / LOG).read_text("utf-8", "replace").strip()[-2000:]
    if child.poll() is None:
        said = f"It was not ready after {_START_SECONDS} seconds. {said}"
    raise DemoError(f"The demo's server did not start. {said}", hint="Another port may help: --port 8724.")


def _stop(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
