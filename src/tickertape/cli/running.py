"""DATA/run.json: how the command line finds the server that has the data folder open."""

import http.client
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

FILE = "run.json"
_ANSWER_SECONDS = 5.0


class Running(Struct, kw_only=True, frozen=True):
    """A server: its process, its address on this machine and the token that opens it while it runs."""

    pid: int
    url: str
    token: str


def write(data: Path, running: Running) -> None:
    """Writes DATA/run.json (0600) whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=data, prefix=".run-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(running))
    Path(temporary).replace(data / FILE)


def remove(data: Path, pid: int) -> None:
    """Removes DATA/run.json where this process wrote it."""
    if (found := read(data)) is not None and found.pid == pid:
        (data / FILE).unlink(missing_ok=True)


def read(data: Path) -> Running | None:
    """What DATA/run.json says, whether or not that server still lives."""
    try:
        return msgspec.json.decode((data / FILE).read_bytes(), type=Running)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def answers(running: Running) -> bool:
    """Whether that server answers /healthz."""
    address = urlsplit(running.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def find(data: Path) -> Running | None:
    """The server that has this folder open and answers, or None."""
    running = read(data)
    return running if running is not None and answers(running) else None
