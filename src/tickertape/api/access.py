"""Who asks, and whether they may: API keys in the Authorization header, or a browser's sealed session cookie."""

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from cryptography.fernet import Fernet, InvalidToken
from litestar.connection import ASGIConnection, Request
from litestar.handlers import BaseRouteHandler

from tickertape.api.service import Service
from tickertape.control import Key, Scope
from tickertape.errors import Forbidden, NotFound, Unauthorised

COOKIE = "tickertape_session"
SESSION_SECONDS = 30 * 86_400
LINK_SECONDS = 600
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Guard = Callable[[ASGIConnection, BaseRouteHandler], Awaitable[None]]  # type: ignore[type-arg]


class Sessions:
    """Sealed cookies (nothing is stored on the server) and one-time links that open a session."""

    def __init__(self, secret_key: bytes) -> None:
        self._box = Fernet(secret_key)
        self._links: dict[str, tuple[float, str]] = {}

    def seal(self, api_key: str) -> str:
        return self._box.encrypt(api_key.encode()).decode()

    def open(self, cookie: str) -> str | None:
        try:
            return self._box.decrypt(cookie.encode(), ttl=SESSION_SECONDS).decode()
        except (InvalidToken, UnicodeError):
            return None

    def new_link(self, api_key: str) -> str:
        """A ticket that opens one session with this key, once, within ten minutes."""
        now = time.monotonic()
        self._links = {t: (until, k) for t, (until, k) in self._links.items() if until > now}
        ticket = secrets.token_urlsafe(24)
        self._links[ticket] = (now + LINK_SECONDS, api_key)
        return ticket

    def redeem(self, ticket: str) -> str:
        """The key behind a ticket. Raises NotFound where it was used, expired or never was."""
        until, api_key = self._links.pop(ticket, (0.0, ""))
        if until < time.monotonic():
            raise NotFound("This link was used already or has expired.", hint="Ask for a new one, or enter an API key.")
        return api_key


def bearer(authorization: str | None) -> str | None:
    scheme, _, secret = (authorization or "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.strip() else None


def identify(service: Service, sessions: Sessions, connection: ASGIConnection) -> Key | None:  # type: ignore[type-arg]
    """The key behind a request, or None. A cookie alone changes nothing from another site's page."""
    secret = bearer(connection.headers.get("authorization"))
    if secret is None:
        cookie = connection.cookies.get(COOKIE)
        if not cookie or (connection.scope.get("method") not in _SAFE and not _same_origin(connection.headers)):
            return None
        secret = sessions.open(cookie)
    return service.control.authenticate(secret) if secret else None


def _same_origin(headers: Mapping[str, str]) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin", "")
    return origin.partition("://")[2] == headers.get("host")


def needs(action: Scope) -> Guard:
    """A route's guard: 401 without a known key, 403 for one whose scope is too small."""

    async def guard(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
        key = identify(connection.app.state.service, connection.app.state.sessions, connection)
        connection.scope["state"]["key"] = allow(key, action)

    return guard


def allow(key: Key | None, action: Scope) -> Key:
    """Raises Unauthorised without a key, Forbidden for one that may not do this."""
    if key is None:
        raise Unauthorised(
            "This needs an API key.",
            hint="Send it as `Authorization: Bearer tt_…`; make one with `tickertape keys create NAME --scope read`.",
        )
    if not key.may(action):
        raise Forbidden(
            f"The key {key.name!r} has the scope {key.scope}, which does not include {action}.",
            hint=f"Make one that does: `tickertape keys create NAME --scope {action}`.",
        )
    return key


def key_of(request: Request) -> Key:  # type: ignore[type-arg]
    key: Key = request.scope["state"]["key"]
    return key


def encode(value: object) -> bytes:
    return msgspec.json.encode(value)
