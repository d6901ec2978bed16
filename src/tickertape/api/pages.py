"""The browser's side of access and the dashboard's files."""

from typing import Any
from urllib.parse import parse_qs

import structlog
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect
from litestar.static_files import create_static_files_router

from tickertape import dashboard
from tickertape.api.access import COOKIE, SESSION_SECONDS, Sessions, encode, identify, key_of, needs
from tickertape.api.service import Service
from tickertape.errors import TickertapeError
from tickertape.metrics import describe

logger = structlog.get_logger(__name__)

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


def _page(built: tuple[bytes, str], status: int = 200) -> Response[bytes]:
    body, policy = built
    return Response(
        body,
        media_type="text/html; charset=utf-8",
        status_code=status,
        headers=_HEADERS | {"content-security-policy": policy},
    )


def _session(request: Request, api_key: str) -> Redirect:  # type: ignore[type-arg]
    sessions: Sessions = request.app.state.sessions
    cookie = Cookie(
        key=COOKIE,
        value=sessions.seal(api_key),
        path="/",
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.app.state.public_url.startswith("https://"),
    )
    return Redirect("/", status_code=303, cookies=[cookie])


@get("/", include_in_schema=False)
async def overview(request: Request) -> Response[Any]:  # type: ignore[type-arg]
    """The dashboard; with `?ticket=` a one-time link's session first; without a session the sign-in page."""
    service: Service = request.app.state.service
    sessions: Sessions = request.app.state.sessions
    ticket = request.query_params.get("ticket")
    if ticket:
        try:
            return _session(request, sessions.redeem(ticket))
        except TickertapeError:
            return _page(dashboard.signin_html(failed=True), 401)
    key = identify(service, sessions, request)
    if key is None or not key.may("read"):
        return _page(dashboard.signin_html(failed=False), 401)
    return _page(dashboard.index_html(await _snapshot(service)))


async def _snapshot(service: Service) -> dict[str, Any] | None:
    """The first paint's figures, unless they take long to come."""
    catalogue = describe()
    question = dashboard.first_question(m["name"] for m in catalogue["metrics"])
    try:
        answer = await service.blocking(service.answer, service.parse(question))
    except Exception:
        logger.exception("the first figures of a page could not be worked out")
        return None
    return {"question": question, "answer": answer, "catalogue": catalogue, "sample": service.sample}


@post("/session", include_in_schema=False)
async def sign_in(request: Request) -> Response[Any]:  # type: ignore[type-arg]
    service: Service = request.app.state.service
    form = parse_qs((await request.body()).decode("utf-8", "replace")[:4096])
    secret = form.get("key", [""])[0].strip()
    key = service.control.authenticate(secret) if secret else None
    if key is None or not key.may("read"):
        return _page(dashboard.signin_html(failed=True), 401)
    return _session(request, secret)


@post("/session/end", include_in_schema=False)
async def sign_out() -> Redirect:
    return Redirect("/", status_code=303, cookies=[Cookie(key=COOKIE, value="", path="/", max_age=0, httponly=True)])


@post("/v1/login-links", guards=[needs("admin")], summary="A link that signs a browser in once, within ten minutes")
async def new_login_link(request: Request) -> Response[bytes]:  # type: ignore[type-arg]
    service: Service = request.app.state.service
    sessions: Sessions = request.app.state.sessions
    secret = service.control.create_key(f"browser link by {key_of(request).name}"[:100], "read")
    url = f"{request.app.state.public_url.rstrip('/')}/?ticket={sessions.new_link(secret)}"
    return Response(encode({"url": url}), media_type="application/json", status_code=201)


@get("/v1/workspace", guards=[needs("read")], summary="What this workspace is")
async def workspace(request: Request) -> Response[bytes]:  # type: ignore[type-arg]
    service: Service = request.app.state.service
    empty = not await service.blocking(service.store.rows, "SELECT 1 FROM events LIMIT 1")
    settings = service.settings
    about = {"sample": service.sample, "empty": empty, "timezone": settings.timezone, "currency": settings.currency}
    return Response(encode(about), media_type="application/json")


def page_routes() -> list[Any]:
    routes: list[Any] = [overview, sign_in, sign_out, new_login_link, workspace]
    if (dashboard.STATIC / "assets").is_dir():
        routes.append(
            create_static_files_router(
                path="/assets",
                directories=[dashboard.STATIC / "assets"],
                include_in_schema=False,
                cache_control=None,
                after_request=_cached,
            )
        )
    return routes


async def _cached(response: Response[Any]) -> Response[Any]:
    """The name of a built file holds its content's hash, so it never changes."""
    response.headers["cache-control"] = "public, max-age=31536000, immutable"
    response.headers["x-content-type-options"] = "nosniff"
    return response
