"""The routes that bring events, for the OpenAPI document: `api.ingest` answers them before the framework does."""

from litestar import Response, post

from tickertape.errors import NotFound


@post("/v1/events", status_code=200, summary="Take events in: a JSON object, an array or NDJSON; gzip or zstd")
async def post_events() -> Response[bytes]:
    """200 `{"accepted", "duplicates", "rejected"}` once on disk; 207 where some were rejected, 422 where all were."""
    raise NotFound("This address is answered elsewhere.")


@post("/hooks/{source:str}", status_code=200, security=[], summary="A provider's webhook, verified by its signature")
async def post_hook(source: str) -> Response[bytes]:
    """The provider's own format; what verifies and is not understood is kept as a reject."""
    raise NotFound("This address is answered elsewhere.", field=source)


INGEST_ROUTES = [post_events, post_hook]
