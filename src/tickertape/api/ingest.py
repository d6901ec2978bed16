"""POST /v1/events and POST /hooks/{source}: the path of every event, so it is plain ASGI, beside the framework."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
import structlog

from tickertape.api.access import allow, bearer
from tickertape.api.service import Service
from tickertape.bodies import Limits
from tickertape.connectors import HookRequest, InvalidSignature, Reply, Source, by_name
from tickertape.errors import Forbidden, NotFound, Overloaded, TickertapeError, TooLarge

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Any, Any, Any], Awaitable[None]]

LIMITS = Limits()
IN_FLIGHT_BYTES = 256_000_000
"""All bodies being received and read together; beyond it senders are asked to come again."""
_METHODS_OF_HOOKS = frozenset({"POST", "GET", "HEAD"})

logger = structlog.get_logger(__name__)


class IngestRoutes:
    """Takes the requests that bring events and hands every other one to `app`."""

    def __init__(self, app: Asgi, service: Callable[[], Service], public_url: Callable[[], str]) -> None:
        self._app = app
        self._service = service
        self._public_url = public_url
        self._in_flight = 0

    @property
    def service(self) -> Service:
        return self._service()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path == "/v1/events" and scope["method"] == "POST":
                await self._answer(self._events, scope, receive, send)
                return
            if path.startswith("/hooks/") and scope["method"] in _METHODS_OF_HOOKS:
                await self._answer(self._hook, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answer(
        self,
        handle: Callable[[Scope, dict[str, str], Receive], Awaitable[tuple[int, str, bytes]]],
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        extra: list[tuple[bytes, bytes]] = []
        try:
            status, kind, body = await handle(scope, headers, receive)
        except TickertapeError as error:
            status, kind, body = error.status, "application/json", msgspec.json.encode(error.as_json())
            if isinstance(error, Overloaded):
                extra.append((b"retry-after", str(round(error.retry_after)).encode()))
        except Exception:
            logger.exception("a request failed", path=scope["path"][:200])
            status, kind = 500, "application/json"
            body = b'{"error":{"code":"internal","field":null,"message":"Something went wrong here; send this again."}}'
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", kind.encode("latin-1")),
                    (b"content-length", str(len(body)).encode()),
                    (b"x-content-type-options", b"nosniff"),
                    *extra,
                ],
            }
        )
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _body(self, headers: dict[str, str], receive: Receive) -> bytes:
        """The whole body, refused as soon as it is too large. The caller gives back its bytes with `_release`."""
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > LIMITS.sent:
            raise _too_large()
        if self._in_flight > IN_FLIGHT_BYTES:
            raise Overloaded("Too many requests are being received right now.", hint="Send this again.", retry_after=2)
        pieces: list[bytes] = []
        size = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise TickertapeError("The sender hung up.", code="disconnected", status=400)
                piece: bytes = message.get("body", b"")
                size += len(piece)
                self._in_flight += len(piece)
                if size > LIMITS.sent:
                    raise _too_large()
                pieces.append(piece)
                if not message.get("more_body"):
                    return b"".join(pieces)
        except BaseException:
            self._in_flight -= size
            raise

    async def _events(self, scope: Scope, headers: dict[str, str], receive: Receive) -> tuple[int, str, bytes]:
        service = self._service()
        secret = bearer(headers.get("authorization"))
        allow(service.control.authenticate(secret) if secret else None, "ingest")
        body = await self._body(headers, receive)
        try:
            outcome = await service.ingest.take_events(
                body, headers.get("content-type"), headers.get("content-encoding") or None
            )
        finally:
            self._in_flight -= len(body)
        return outcome.status, "application/json", msgspec.json.encode(outcome.document())

    async def _hook(self, scope: Scope, headers: dict[str, str], receive: Receive) -> tuple[int, str, bytes]:
        service = self._service()
        name = scope["path"].removeprefix("/hooks/").partition("/")[0]
        source = service.control.get_source(name)
        if not source.enabled:
            raise NotFound(f"The source {name!r} is switched off.", field="source")
        connector = by_name(source.connector)
        body = await self._body(headers, receive)
        try:
            request = HookRequest(
                method=scope["method"],
                url=self._url(scope, source.options.get("public_url")),
                headers=headers,
                body=body,
                received_at=service.clock(),
            )
            reply: Reply = await service.ingest.take_hook(connector, _seen_by_connector(source), request)
        except InvalidSignature:
            service.ingest.refused(name)
            raise
        finally:
            self._in_flight -= len(body)
        return reply.status, reply.content_type or "text/plain", reply.body

    def _url(self, scope: Scope, configured: str | None) -> str:
        """The address as the provider knows it: what was configured, with this request's own path and query."""
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope.get("query_string", b"")
        target = raw_path.partition(b"?")[0] + (b"?" + query if query else b"")
        return (configured or self._public_url()).rstrip("/") + target.decode("latin-1")


def _seen_by_connector(source: Any) -> Source:
    """Connectors see the values of the secrets that are valid now, in the order in which their fields are listed."""
    values = [value for secrets in source.secrets for value in secrets.values() if value]
    if not values:
        raise Forbidden(
            f"The source {source.name!r} has no secret, so nothing it sends can be verified.",
            hint="Set the secret that the provider shows.",
        )
    return Source(name=source.name, secrets=values, options={k: str(v) for k, v in source.options.items()})


def _too_large() -> TooLarge:
    return TooLarge(
        f"The body is larger than {LIMITS.sent // 1_000_000} MB.",
        hint="Send fewer events at a time, or compress the body with gzip or zstd.",
    )
