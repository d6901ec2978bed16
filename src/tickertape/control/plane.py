"""The control plane: keys, settings and sources in one database."""

from pathlib import Path
from typing import Self

from sqlalchemy import Engine

from tickertape.control.database import open_engine
from tickertape.control.history import SettingsHistory
from tickertape.control.keys import Keys, key_cache
from tickertape.control.migrate import upgrade
from tickertape.control.secretbox import SecretBox, load_key
from tickertape.control.sources import Sources, source_cache

FILE = "control.db"


class ControlPlane(Keys, SettingsHistory, Sources):
    """Keys, settings and sources. Thread safe; any number of processes may have the same database open."""

    def __init__(self, engine: Engine, box: SecretBox) -> None:
        super().__init__(engine)
        self._box = box
        self._keys = key_cache()
        self._sources = source_cache()

    @classmethod
    def open(cls, url: str, key: bytes) -> Self:
        """Opens a SQLAlchemy URL and brings its tables up to date. `key` (Fernet) seals the sources' secrets.

        Raises TickertapeError where the database cannot be used.
        """
        plane = cls(open_engine(url), SecretBox(key))
        upgrade(plane)
        return plane


def open_control(data: Path, url: str | None = None) -> ControlPlane:
    """The control plane of a data folder: DATA/control.db unless a URL names another database.

    Makes the folder (0700) and the key file at the first start.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return ControlPlane.open(url or f"sqlite:///{(data / FILE).resolve()}", load_key(data))
