"""The control plane's database: how it is opened, and its read and write transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from tickertape.errors import InvalidInput, Overloaded

_BUSY_TIMEOUT_MS = 10_000
_WRITING = "tickertape_writing"


def open_engine(url: str) -> Engine:
    """An engine for any SQLAlchemy URL. Raises InvalidInput where the URL or its driver cannot be used."""
    try:
        engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    except (ArgumentError, NoSuchModuleError) as error:
        raise InvalidInput(
            "The control database's address is not understood.",
            hint="Give a SQLAlchemy URL such as postgresql+psycopg://user:password@host/database.",
        ) from error
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"The control database needs the Python package {error.name!r}, which is not installed.",
            hint="Install it (for PostgreSQL: pip install 'psycopg[binary]') and try again.",
        ) from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling leaves DDL and the first SELECT outside; SQLAlchemy's BEGIN replaces it.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        # A transaction that reads first and writes later is refused at once, without waiting, when another process
        # wrote in between; taking the write lock at the start makes it wait instead.
        immediate = connection.get_execution_options().get(_WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


class Database:
    """Read and write transactions on one engine; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writes = engine.execution_options(**{_WRITING: True})

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with _plain_errors(), Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with _plain_errors(), Session(self._writes, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        with _plain_errors(), self._writes.begin() as connection:
            yield connection

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        raise Overloaded(
            f"The control database cannot be used ({error.orig}).",
            hint="Check that it can be reached and written, then try again.",
        ) from error
