"""The workspace's settings, every version kept with who changed it and when."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tickertape import settings
from tickertape.control.clock import now_ms
from tickertape.control.database import Database
from tickertape.control.models import SettingsRow
from tickertape.errors import Conflict

_ATTEMPTS = 5


class SettingsVersion(Struct, kw_only=True, frozen=True):
    """What a workspace has set, at a version. Version 0 is a workspace that never changed a setting. Time in ms UTC."""

    version: int
    stored: dict[str, Any]
    changed_by: str | None = None
    changed_at: int | None = None


class SettingsHistory(Database):
    """The settings' versions in one control database."""

    def settings(self) -> SettingsVersion:
        """The newest version."""
        with self.reading() as session:
            return _version(_newest(session))

    def settings_history(self) -> Sequence[SettingsVersion]:
        """Every version, newest first."""
        with self.reading() as session:
            rows = session.scalars(select(SettingsRow).order_by(SettingsRow.version.desc())).all()
            return [_version(row) for row in rows]

    def put_settings(self, patch: Mapping[str, Any], by: str) -> SettingsVersion:
        """Lays a partial object over what is stored (null restores a default) and keeps the result as a new version.

        Raises InvalidSettings for a value that is refused; nothing is stored then.
        """
        settings.validate(patch)
        for _ in range(_ATTEMPTS):
            try:
                with self.writing() as session:
                    current = _version(_newest(session))
                    stored = settings.merge(current.stored, patch)
                    settings.resolve(stored)
                    row = SettingsRow(
                        version=current.version + 1,
                        stored=stored,
                        patch=dict(patch),
                        changed_by=by,
                        changed_at=now_ms(),
                    )
                    session.add(row)
                return _version(row)
            except IntegrityError:
                # Another process took this version number: merge again on top of its version.
                continue
        raise Conflict("The settings are being changed by others at the same time.", hint="Try again.")


def _newest(session: Session) -> SettingsRow | None:
    return session.scalars(select(SettingsRow).order_by(SettingsRow.version.desc()).limit(1)).first()


def _version(row: SettingsRow | None) -> SettingsVersion:
    if row is None:
        return SettingsVersion(version=0, stored={})
    return SettingsVersion(version=row.version, stored=row.stored, changed_by=row.changed_by, changed_at=row.changed_at)
