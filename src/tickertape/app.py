"""Wiring only: opens the parts of one workspace and puts the routes before them."""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog
from litestar import Litestar, Request, Response
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from msgspec import Struct

from tickertape import __version__
from tickertape.api.access import Sessions, encode
from tickertape.api.describe_ingest import INGEST_ROUTES
from tickertape.api.ingest import Asgi, IngestRoutes
from tickertape.api.pages import page_routes
from tickertape.api.routes import ROUTES
from tickertape.api.service import Service
from tickertape.control import open_control
from tickertape.control.secretbox import load_key
from tickertape.errors import Overloaded, TickertapeError
from tickertape.store import Store
from tickertape.store.client import warm_up
from tickertape.store.migrate import migrate

logger = structlog.get_logger(__name__)


class Config(Struct, kw_only=True, frozen=True):
    """Where a workspace lives and how it is reached.

    `store`: a `clickhouse://` DSN; None: embedded, in `data`. `control`: an SQLAlchemy URL; None: SQLite in `data`.
    """

    data: Path
    store: str | None = None
    control: str | None = None
    host: str = "127.0.0.1"
    port: int = 8723
    public_url: str | None = None

    @property
    def url(self) -> str:
        everywhere = ("", "0.0.0.0")  # noqa: S104
        host = "127.0.0.1" if self.host in everywhere else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")


def open_service(config: Config) -> Service:
    """Opens the store, brings its schema up to date and derives what a crash left underived."""
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    control = open_control(config.data, config.control)
    store = Store(config.store or f"chdb:///{(config.data / 'store').resolve()}")
    migrate(store)
    warm_up()
    return Service(store, control, config.data)


def create_app(config: Config) -> Asgi:
    """The ASGI application of one workspace. It opens its store in its lifespan, not before."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        service = open_service(config)
        service.start()
        # Facts in the making are many small objects without cycles: looking through all of them for cycles at every
        # few hundred new ones took half of the derivation's time.
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
        # An append hands the interpreter back and forth a dozen times; beside a busy thread each cost it up to 5 ms.
        sys.setswitchinterval(0.001)
        app.state.service = service
        app.state.sessions = Sessions(load_key(config.data))
        app.state.public_url = config.url
        try:
            yield
        finally:
            service.stop()
            service.store.close()

    app = Litestar(
        route_handlers=[*ROUTES, *page_routes(), *INGEST_ROUTES],
        lifespan=[lifespan],
        state=State({}),
        exception_handlers={TickertapeError: _expected, HTTPException: _by_framework, Exception: _unexpected},
        compression_config=CompressionConfig(backend="gzip", minimum_size=1000, exclude=["/v1/live"]),
        openapi_config=OpenAPIConfig(
            title="tickertape",
            version=__version__,
            path="/schema",
            render_plugins=[JsonRenderPlugin(path="/openapi.json"), YamlRenderPlugin(path="/openapi.yaml")],
            components=Components(security_schemes={"key": SecurityScheme(type="http", scheme="bearer")}),
            security=[{"key": []}],
        ),
        logging_config=None,
        request_max_body_size=6_000_000,
    )
    return IngestRoutes(app, lambda: app.state.service, lambda: str(app.state.public_url))


def _expected(_: Request, error: TickertapeError) -> Response[bytes]:  # type: ignore[type-arg]
    headers = {"retry-after": str(round(error.retry_after))} if isinstance(error, Overloaded) else {}
    return Response(encode(error.as_json()), media_type="application/json", status_code=error.status, headers=headers)


_PLAIN = {404: "There is nothing at this address.", 405: "This address does not take that method."}


def _by_framework(_: Request, error: HTTPException) -> Response[bytes]:  # type: ignore[type-arg]
    message = _PLAIN.get(error.status_code, error.detail)
    body = {"error": {"code": f"http_{error.status_code}", "field": None, "message": message}}
    return Response(encode(body), media_type="application/json", status_code=error.status_code, headers=error.headers)


def _unexpected(request: Request, error: Exception) -> Response[bytes]:  # type: ignore[type-arg]
    logger.error("a request failed", path=request.url.path[:200], exc_info=error)
    body = {"error": {"code": "internal", "field": None, "message": "Something went wrong here; the log says what."}}
    return Response(encode(body), media_type="application/json", status_code=500)
