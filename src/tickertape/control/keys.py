"""API keys: made, checked, listed, revoked. A key's secret is shown once and never stored."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Literal, get_args

from msgspec import Struct
from sqlalchemy import select

from tickertape.control.cache import TtlCache
from tickertape.control.clock import now_ms
from tickertape.control.database import Database
from tickertape.control.models import ApiKey
from tickertape.errors import InvalidInput, NotFound
from tickertape.explain import listed, shown

Scope = Literal["ingest", "read", "admin"]
SCOPES: tuple[str, ...] = get_args(Scope)
GRANTS: dict[str, frozenset[str]] = {
    "ingest": frozenset({"ingest"}),
    "read": frozenset({"read"}),
    "admin": frozenset({"ingest", "read", "admin"}),
}
"""What a key of each scope may do."""

_PREFIX_RANDOM = 6
_MAX_SECRET = 200
_MAX_NAME = 200
_CACHE_SECONDS = 2.0


class Key(Struct, kw_only=True, frozen=True):
    """A key without its secret; `prefix` is enough of it to recognise one's own. Times in ms UTC."""

    id: int
    name: str
    scope: str
    prefix: str
    created_at: int
    revoked_at: int | None = None

    def may(self, action: Scope) -> bool:
        return action in GRANTS[self.scope]


PROCESS_TOKEN = f"tt_admin_{secrets.token_hex(24)}"
"""Opens this process, and only while it lives: how the command line reaches the server it finds in DATA/run.json,
and the application that it runs itself. Never stored as a key."""
PROCESS_KEY = Key(id=0, name="command line", scope="admin", prefix="tt_admin_", created_at=0)


def digest(secret: str) -> str:
    """SHA-256, hexadecimal. A slow password hash would add nothing: a key has 192 random bits, too many to guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Keys(Database):
    """The keys of one control database."""

    _keys: TtlCache[str, Key | None]

    def create_key(self, name: str, scope: str) -> str:
        """Makes a key and returns its secret: the only time that it can be seen."""
        return self.issue_key(name, scope)[1]

    def issue_key(self, name: str, scope: str) -> tuple[Key, str]:
        """`create_key`, with the key's own row."""
        name = name.strip()
        if not name or len(name) > _MAX_NAME or not name.isprintable():
            raise InvalidInput(f"A key's name is 1 to {_MAX_NAME} printable characters.", field="name")
        if scope not in SCOPES:
            raise InvalidInput(f"{shown(scope)} is not a scope.", field="scope", hint=f"Use {listed(SCOPES)}.")
        secret = f"tt_{scope}_{secrets.token_hex(24)}"
        row = ApiKey(
            name=name,
            scope=scope,
            prefix=secret[: len(f"tt_{scope}_") + _PREFIX_RANDOM],
            digest=digest(secret),
            created_at=now_ms(),
        )
        with self.writing() as session:
            session.add(row)
        return _key(row), secret

    def authenticate(self, secret: str) -> Key | None:
        """The key that a secret belongs to; None where there is none, or it was revoked.

        Answers from memory for two seconds, so that a revocation by another process takes effect within that time
        (one by this process at once) and thousands of requests a second stay off the database.
        """
        if len(secret) > _MAX_SECRET:
            return None
        found = digest(secret)
        if hmac.compare_digest(found, _PROCESS_DIGEST):
            return PROCESS_KEY
        return self._keys.get(found, lambda: self._load(found))

    def _load(self, found: str) -> Key | None:
        with self.reading() as session:
            row = session.scalars(select(ApiKey).where(ApiKey.digest == found, ApiKey.revoked_at.is_(None))).first()
        # The lookup is by hash, so its timing says nothing about a secret; the comparison is constant-time besides.
        return _key(row) if row is not None and hmac.compare_digest(row.digest, found) else None

    def list_keys(self) -> Sequence[Key]:
        """All keys, revoked ones too, oldest first."""
        with self.reading() as session:
            return [_key(row) for row in session.scalars(select(ApiKey).order_by(ApiKey.id))]

    def revoke_key(self, key: int | str) -> Key:
        """Revokes by id, or by a name that one active key has. Revoking twice keeps the first time.

        Raises NotFound where there is none, InvalidInput where several share the name.
        """
        with self.writing() as session:
            if isinstance(key, int):
                row = session.get(ApiKey, key)
            else:
                named = session.scalars(select(ApiKey).where(ApiKey.name == key, ApiKey.revoked_at.is_(None))).all()
                if len(named) > 1:
                    ids = ", ".join(str(row.id) for row in named)
                    raise InvalidInput(f"{len(named)} keys are named {key!r}.", field="key", hint=f"Give an id: {ids}.")
                row = named[0] if named else None
            if row is None:
                raise NotFound(
                    f"There is no active key {key!r}.", field="key", hint="`tickertape keys list` shows them."
                )
            if row.revoked_at is None:
                row.revoked_at = now_ms()
        self._keys.clear()
        return _key(row)


def _key(row: ApiKey) -> Key:
    return Key(
        id=row.id,
        name=row.name,
        scope=row.scope,
        prefix=row.prefix,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )


def key_cache() -> TtlCache[str, Key | None]:
    return TtlCache(_CACHE_SECONDS)


_PROCESS_DIGEST = digest(PROCESS_TOKEN)
