"""Sources: the configured connections, with their secrets sealed at rest."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tickertape.control.cache import TtlCache
from tickertape.control.clock import now_ms
from tickertape.control.database import Database
from tickertape.control.models import SourceRow
from tickertape.control.secretbox import SecretBox
from tickertape.errors import Conflict, InvalidInput, NotFound
from tickertape.explain import shown

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_CACHE_SECONDS = 2.0


class Source(Struct, kw_only=True, frozen=True):
    """One configured connection. `secrets` holds every set that is valid now: the current one, then, after a
    rotation, the one before. Times in ms UTC."""

    name: str
    connector: str
    options: dict[str, Any]
    secrets: tuple[dict[str, str], ...]
    enabled: bool
    created_at: int
    updated_at: int

    def __repr__(self) -> str:
        return f"Source(name={self.name!r}, connector={self.connector!r}, enabled={self.enabled})"


class Sources(Database):
    """The sources of one control database."""

    _box: SecretBox
    _sources: TtlCache[str, Source | None]

    def add_source(
        self,
        name: str,
        connector: str,
        options: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        *,
        check_connector: Callable[[str], object] | None = None,
    ) -> Source:
        """Adds a source. `check_connector` is called with the connector's name and raises where there is none such.

        Raises InvalidInput for a bad name, Conflict for one that is taken.
        """
        if not _SLUG.fullmatch(name):
            raise InvalidInput(
                f"{shown(name)} cannot be a source's name, which is part of a URL.",
                field="name",
                hint="Use 1 to 63 of a-z, 0-9, '-' and '_', with a letter or digit at both ends.",
            )
        if check_connector is not None:
            check_connector(connector)
        now = now_ms()
        row = SourceRow(
            name=name,
            connector=connector,
            options=dict(options or {}),
            secrets=self._box.seal(dict(secrets or {})),
            enabled=True,
            created_at=now,
            updated_at=now,
        )
        try:
            with self.writing() as session:
                session.add(row)
        except IntegrityError as error:
            raise Conflict(f"There is a source {name!r} already.", field="name", hint="Choose another.") from error
        self._sources.clear()
        return self._source(row)

    def list_sources(self) -> Sequence[Source]:
        """All sources, by name."""
        with self.reading() as session:
            return [self._source(row) for row in session.scalars(select(SourceRow).order_by(SourceRow.name))]

    def get_source(self, name: str) -> Source:
        """The source of this name, from memory for two seconds. Raises NotFound."""
        source = self._sources.get(name, lambda: self._load_source(name))
        if source is None:
            raise _no_source(name)
        return source

    def _load_source(self, name: str) -> Source | None:
        with self.reading() as session:
            row = _find(session, name)
            return self._source(row) if row is not None else None

    def rotate_secrets(self, name: str, secrets: Mapping[str, str]) -> Source:
        """Sets new secrets; those in use now stay valid beside them until `retire_secrets`."""
        return self._change(name, lambda row: _rotate(row, self._box.seal(dict(secrets))))

    def retire_secrets(self, name: str) -> Source:
        """Ends a rotation: only the current secrets are valid."""
        return self._change(name, lambda row: setattr(row, "previous_secrets", None))

    def enable_source(self, name: str, enabled: bool) -> Source:
        """Switches a source on or off; nothing is taken in from one that is off."""
        return self._change(name, lambda row: setattr(row, "enabled", enabled))

    def _change(self, name: str, change: Callable[[SourceRow], object]) -> Source:
        with self.writing() as session:
            row = _find(session, name)
            if row is None:
                raise _no_source(name)
            change(row)
            row.updated_at = now_ms()
        self._sources.clear()
        return self._source(row)

    def _source(self, row: SourceRow) -> Source:
        sealed = [row.secrets, *([row.previous_secrets] if row.previous_secrets else [])]
        return Source(
            name=row.name,
            connector=row.connector,
            options=row.options,
            secrets=tuple(self._box.open(token, row.name) for token in sealed),
            enabled=row.enabled,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


def _find(session: Session, name: str) -> SourceRow | None:
    return session.scalars(select(SourceRow).where(SourceRow.name == name)).first()


def _rotate(row: SourceRow, sealed: str) -> None:
    row.previous_secrets = row.secrets
    row.secrets = sealed


def _no_source(name: str) -> NotFound:
    return NotFound(f"There is no source {shown(name)}.", field="name", hint="`tickertape sources list` shows them.")


def source_cache() -> TtlCache[str, Source | None]:
    return TtlCache(_CACHE_SECONDS)
