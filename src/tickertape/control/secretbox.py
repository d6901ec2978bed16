"""Encryption at rest of sources' secrets, and the key file that it needs."""

import contextlib
import os
import tempfile
from pathlib import Path

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from tickertape.errors import TickertapeError

ENVIRONMENT = "TICKERTAPE_SECRET_KEY"
FILE = "secret.key"


def load_key(data: Path) -> bytes:
    """The key from TICKERTAPE_SECRET_KEY, else from DATA/secret.key, which is made (0600) where it is missing."""
    if given := os.environ.get(ENVIRONMENT):
        return given.strip().encode()
    path = data / FILE
    try:
        return path.read_bytes().strip()
    except FileNotFoundError:
        return _make(path)


def _make(path: Path) -> bytes:
    # Written whole under another name, then linked: of two processes that start at once one wins, and neither ever
    # reads half a key.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".secret-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
        return path.read_bytes().strip()
    finally:
        Path(temporary).unlink(missing_ok=True)


class SecretBox:
    """Seals and opens sources' secrets: JSON objects of strings."""

    def __init__(self, key: bytes) -> None:
        try:
            self._fernet = Fernet(key)
        except ValueError as error:
            raise TickertapeError(
                f"The secret key ({ENVIRONMENT} or {FILE}) is not a Fernet key: 32 bytes in URL-safe base64.",
                hint="Restore the right one; or make one with: python -c 'from cryptography.fernet import Fernet; "
                "print(Fernet.generate_key().decode())'",
            ) from error

    def seal(self, secrets: dict[str, str]) -> str:
        return self._fernet.encrypt(msgspec.json.encode(secrets)).decode()

    def open(self, sealed: str, source: str) -> dict[str, str]:
        try:
            return msgspec.json.decode(self._fernet.decrypt(sealed.encode()), type=dict[str, str])
        except InvalidToken as error:
            raise TickertapeError(
                f"The secrets of source {source!r} were sealed with another key.",
                hint=f"Restore the {FILE} (or {ENVIRONMENT}) that was in use then.",
            ) from error
