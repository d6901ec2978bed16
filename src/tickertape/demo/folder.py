"""The demo's own data folder: marked as sample data, held by one demo at a time, and removed as a whole."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from tickertape.errors import TickertapeError

NAME = "demo"
"""The folder's name inside the data folder, so that sample data never mixes with real data."""
MARKER = "sample.json"
STATE = "simulation.json"
LOCK = "demo.lock"


class DemoError(TickertapeError):
    """`message` says what is wrong, `hint` what to do next."""

    default_code = "demo_failed"


class State(Struct, kw_only=True):
    """How far the simulation of a folder has come. Times in ms UTC."""

    seed: int
    origin_ms: int
    told_until_ms: int
    """Everything before this has been posted."""
    watched: list[tuple[int, int]]
    """When live traffic was posted; its stories have to go on."""
    hook_token: str
    """The auth token that the Twilio webhooks are signed with."""


def is_sample(folder: Path) -> bool:
    """Whether the folder carries the marker of sample data."""
    try:
        marker = msgspec.json.decode((folder / MARKER).read_bytes())
    except (OSError, msgspec.DecodeError):
        return False
    return isinstance(marker, dict) and marker.get("sample") is True


def prepare(folder: Path) -> None:
    """Makes and marks the folder. Raises DemoError where there is something else in it."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise DemoError(f"{folder} is not a folder of its own.", hint="Choose another place with --data.")
    if folder.is_dir() and any(folder.iterdir()) and not is_sample(folder):
        raise DemoError(
            f"{folder} holds data that is not sample data, so the demo leaves it alone.",
            hint="Choose another place with --data.",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(folder / MARKER, msgspec.json.encode({"sample": True}))


def remove(data: Path) -> Path | None:
    """Deletes the demo of a data folder, all of it; returns what was deleted, None where there was no demo.

    Raises DemoError where the folder does not carry the marker, is a link, or is in use.
    """
    folder = data / NAME
    if folder.is_symlink():
        raise DemoError(
            f"{folder} is a link; the demo removes only a folder of its own.",
            hint="Look where it leads, and delete it.",
        )
    if not folder.exists():
        return None
    if not is_sample(folder):
        raise DemoError(
            f"{folder} is not marked as sample data, so it is not removed.",
            hint=f"The mark is the file {MARKER}. If you are sure, delete the folder yourself.",
        )
    with held(folder):
        # The mark goes last: a removal that was cut short can be run again.
        for entry in folder.iterdir():
            if entry.name in (MARKER, LOCK):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    shutil.rmtree(folder)
    return folder


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Holds the folder against a second demo; gives the lock's file descriptor, for the server to hold it as well.

    Raises DemoError where it is held.
    """
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(
                f"A demo is running in {folder}.", hint="Stop it first: press Ctrl-C where it runs."
            ) from None
        yield descriptor
    finally:
        os.close(descriptor)


def load(folder: Path) -> State | None:
    """How far the simulation has come; None before the first start."""
    try:
        return msgspec.json.decode((folder / STATE).read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise DemoError(
            f"{folder / STATE} cannot be read.",
            hint="Begin anew: run `tickertape demo --remove`, then `tickertape demo`.",
        ) from error


def save(folder: Path, state: State) -> None:
    """Writes the state (0600), whole or not at all."""
    _write(folder / STATE, msgspec.json.encode(state))


def _write(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".demo-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    Path(temporary).replace(path)
