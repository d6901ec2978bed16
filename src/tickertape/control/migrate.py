"""Brings the control database's tables up to date when it is opened."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from tickertape.control.database import Database
from tickertape.errors import TickertapeError

HEAD = "0001"
"""The newest migration; a test holds it against the folder."""

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number that no other program on the same PostgreSQL uses as an advisory lock.
_LOCKS = {"postgresql": "SELECT pg_advisory_xact_lock(7305808871)"}


def current_revision(connection: Connection) -> str | None:
    """The revision that the tables are at, or None in an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def upgrade(database: Database) -> None:
    """Runs the missing migrations, in one transaction; safe when several processes start at once.

    Raises TickertapeError where the database was written by a newer release.
    """
    with database.reading() as session:
        if current_revision(session.connection()) == HEAD:
            # The usual case; it also spares the command line the time to import Alembic.
            return
    with database.migrating() as connection:
        if lock := _LOCKS.get(connection.dialect.name):
            connection.execute(text(lock))
        if current_revision(connection) != HEAD:
            _run(connection)


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise TickertapeError(
            "The control database was written by a newer release of tickertape.",
            hint="Install that release, or restore a backup.",
        ) from error
