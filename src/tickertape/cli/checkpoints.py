"""How far the import of a file has come, kept in DATA/imports/ so that a killed import goes on where it was."""

import hashlib
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct

FOLDER = "imports"
_HEAD = 1 << 16


class Checkpoint(Struct, kw_only=True):
    """The rows of one file that the server has answered for."""

    file: str
    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0


class Checkpoints:
    """The checkpoints of one data folder and store."""

    def __init__(self, data: Path, store: str | None) -> None:
        self._folder = data / FOLDER
        self._store = store or ""

    def path(self, file: str) -> Path:
        """Where a file's checkpoint is. Another content at the same path has another one."""
        resolved = Path(file).resolve()
        about = resolved.stat()
        with resolved.open("rb") as opened:
            head = hashlib.sha256(opened.read(_HEAD)).hexdigest()
        identity = "\0".join([self._store, str(resolved), str(about.st_size), str(about.st_mtime_ns), head])
        return self._folder / f"{hashlib.sha256(identity.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.json"

    def load(self, path: Path, file: str) -> Checkpoint:
        """The checkpoint at a path; an empty one where there is none that can be read."""
        try:
            return msgspec.json.decode(path.read_bytes(), type=Checkpoint)
        except (FileNotFoundError, msgspec.DecodeError):
            return Checkpoint(file=file)

    def save(self, path: Path, checkpoint: Checkpoint) -> None:
        """Written whole or not at all. Not synced: a row that is sent twice is counted once anyway."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
            file.write(msgspec.json.encode(checkpoint))
        Path(file.name).replace(path)
