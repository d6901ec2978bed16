"""Every route but those that bring events: read the question, ask, show."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from litestar import MediaType, Request, Response, get, post, put
from litestar.params import Parameter
from litestar.response import ServerSentEvent, ServerSentEventMessage
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_503_SERVICE_UNAVAILABLE
from prometheus_client import CONTENT_TYPE_LATEST

from tickertape.api import documents, exports
from tickertape.api.access import encode, key_of, needs
from tickertape.api.observe import metrics_text
from tickertape.api.service import Service
from tickertape.connectors import CONNECTORS, by_name
from tickertape.derive.deriver import Progress
from tickertape.errors import InvalidInput, NotFound
from tickertape.metrics import describe
from tickertape.metrics.listing import conversations
from tickertape.metrics.money import rates_of
from tickertape.metrics.ranges import LATEST_MS, parse_moment, parse_zone
from tickertape.metrics.request import CLOCK_SKEW_MS
from tickertape.store import rejects

Json = Response[bytes]
READ, ADMIN = [needs("read")], [needs("admin")]
RESTATE_SECONDS = 5.0
"""How long a change of settings waits for the figures to follow before it answers "on the way"."""


def _json(value: Any, status: int = HTTP_200_OK) -> Json:
    return Response(encode(value), media_type=MediaType.JSON, status_code=status)


def service_of(request: Request) -> Service:  # type: ignore[type-arg]
    service: Service = request.app.state.service
    return service


def parameters(request: Request) -> dict[str, str]:  # type: ignore[type-arg]
    """The query string's parameters. A name given twice is refused: which one counts would be a guess."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in found:
            raise InvalidInput(f"`{name[:60]}` is given twice.", field=name[:60], hint="Separate values with commas.")
        found[name] = value
    return found


def _clock(service: Service, params: dict[str, str]) -> tuple[int, int]:
    """(the clock, the end of what is known) of a request about one thing."""
    text = params.get("now")
    if not text:
        return service.clock(), min(service.clock() + CLOCK_SKEW_MS, LATEST_MS)
    now = parse_moment(text, parse_zone(service.settings.timezone), "now")
    return now, now


# --- figures ---


@get("/v1/metrics", guards=READ, summary="The catalogue of metrics")
async def get_metrics() -> Json:
    return _json(describe())


@get("/v1/query", guards=READ, summary="Figures, by any dimension, filter and interval")
async def get_query(request: Request) -> Json:  # type: ignore[type-arg]
    service = service_of(request)
    query = service.parse(parameters(request))
    return _json(await service.blocking(service.answer, query))


@post("/v1/query", guards=READ, status_code=HTTP_200_OK, summary="The same with the parameters as JSON")
async def post_query(request: Request) -> Json:  # type: ignore[type-arg]
    service = service_of(request)
    asked = await _object(request)
    return _json(await service.blocking(service.answer, service.parse(asked)))


async def _object(request: Request) -> dict[str, Any]:  # type: ignore[type-arg]
    try:
        value = msgspec.json.decode(await request.body())
    except msgspec.DecodeError as error:
        raise InvalidInput(
            f"The body is not JSON: {error}.", code="invalid_json", hint="Send one JSON object."
        ) from error
    if not isinstance(value, dict):
        raise InvalidInput("The body is not a JSON object.", code="invalid_json", hint='Send {"name": value, …}.')
    return value


@get("/v1/live", guards=READ, summary="The same as /v1/query, pushed when it changes (server-sent events)")
async def get_live(request: Request) -> ServerSentEvent:  # type: ignore[type-arg]
    service = service_of(request)
    params = parameters(request)
    service.parse(params)
    name = "&".join(f"{k}={v}" for k, v in sorted(params.items()))

    async def events() -> AsyncIterator[ServerSentEventMessage]:
        async for message in service.hub.watch(name, lambda: service.parse(params), service.blocking):
            yield ServerSentEventMessage(
                event=message.get("event"),
                id=message.get("id"),
                data=message.get("data", ""),
                comment=message.get("comment"),
            )

    return ServerSentEvent(events(), headers={"cache-control": "no-store", "x-accel-buffering": "no"})


@get("/v1/export/{name:str}", guards=READ, summary="The figures of a question as CSV, JSON lines, Parquet or XLSX")
async def get_export(request: Request, name: str) -> Response[bytes]:  # type: ignore[type-arg]
    service = service_of(request)
    what, _, kind = name.partition(".")
    if what != "query":
        raise NotFound(f"{what[:40]!r} cannot be exported yet.", field="name", hint="Export query.csv.")
    answer = await service.blocking(service.answer, service.parse(parameters(request)))
    body, media_type = await service.blocking(exports.write, answer, kind)
    headers = {"content-disposition": f'attachment; filename="query.{kind}"', "x-content-type-options": "nosniff"}
    return Response(body, media_type=media_type, headers=headers)


# --- one thing ---


def _named(request: Request, before: str) -> str:  # type: ignore[type-arg]
    """The id at the end of the address as it was sent: the framework's own joins slashes, and `a//b` is another id."""
    raw: bytes = request.scope.get("raw_path") or quote(request.scope["path"]).encode()
    return unquote(raw.partition(b"?")[0].decode("latin-1").removeprefix(before))


@get("/v1/conversations", guards=READ, summary="Conversations, by state, flag and any filter")
async def list_conversations(request: Request) -> Json:  # type: ignore[type-arg]
    service = service_of(request)
    params = parameters(request)
    now, _ = _clock(service, params)

    def read() -> list[dict[str, Any]]:
        relations = {"episodes": service.asof.episodes(now)} if params.get("now") else {}
        return conversations(service.store, params, service.settings, service.clock(), relations)

    rows = await service.blocking(read)
    for row in rows:
        waiting = documents.moment(row["waiting_since"]) is not None
        row["state"] = documents.conversation_state(row["outcome"], waiting)
        row["waiting_seconds"] = (now - row["waiting_since"]) / 1000 if waiting else None
        for name in ("opened_at", "ended_at", "waiting_since", "frustrated_at"):
            row[name] = documents.moment(row[name])
        for name in ("contact", "channel", "team", "last_agent"):
            row[name] = row[name] or None
    return _json({"conversations": rows, "as_of": documents.moment(now)})


@get("/v1/conversations/{conversation:path}", guards=READ, summary="One conversation: messages, events, episodes")
async def get_conversation(request: Request, conversation: str) -> Json:  # type: ignore[type-arg]
    service = service_of(request)
    params = parameters(request)
    now, horizon = _clock(service, params)
    name = _named(request, "/v1/conversations/")
    thread = await service.blocking(service.asof.thread, name, params.get("source"), now, horizon)
    if thread is None:
        raise NotFound(f"Nothing is known of the conversation {name[:200]!r}.", field="conversation")
    return _json(documents.conversation_document(thread, now))


@get("/v1/messages/{message:path}", guards=READ, summary="One message: its state, its life and what it earned")
async def get_message(request: Request, message: str) -> Json:  # type: ignore[type-arg]
    service = service_of(request)
    params = parameters(request)
    now, horizon = _clock(service, params)
    name = _named(request, "/v1/messages/")
    telling = await service.blocking(service.asof.message, name, params.get("source"), now, horizon)
    if telling is None:
        raise NotFound(f"Nothing is known of the message {name[:200]!r}.", field="message")
    return _json(documents.message_document(telling, now, rates_of(service.settings)))


# --- the workspace ---


@get("/v1/settings", guards=READ, summary="The settings in force")
async def get_settings(request: Request) -> Json:  # type: ignore[type-arg]
    return _json(service_of(request).settings)


@put("/v1/settings", guards=ADMIN, summary="Change some settings; null restores a default; every figure is restated")
async def put_settings(request: Request) -> Json:  # type: ignore[type-arg]
    service = service_of(request)
    patch = await _object(request)
    progress: Progress | None = await service.blocking(service.change_settings, patch, key_of(request).name)
    deadline = time.monotonic() + RESTATE_SECONDS
    while progress is not None and not progress.finished and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    status = HTTP_200_OK if progress is None or progress.finished else HTTP_202_ACCEPTED
    return _json(service.settings, status)


@get("/v1/connectors", guards=READ, summary="The providers that can be connected, and how")
async def get_connectors() -> Json:
    return _json(
        {
            "connectors": [
                {
                    "name": c.name, "title": c.title, "description": c.description, "documentation": c.documentation,
                    "channels": c.channels, "setup": c.setup,
                    "secret_fields": [{"name": f.name, "title": f.title, "help": f.help} for f in c.secret_fields],
                }
                for c in CONNECTORS
            ]
        }
    )  # fmt: skip


@get("/v1/sources", guards=READ, summary="What is connected, and how it is doing")
async def get_sources(request: Request) -> Json:  # type: ignore[type-arg]
    service = service_of(request)
    waiting = await service.blocking(rejects.counts, service.store)
    found = []
    for source in service.control.list_sources():
        counts = service.ingest.counts.get(source.name)
        found.append(
            {
                "name": source.name,
                "connector": source.connector,
                "enabled": source.enabled,
                "path": f"/hooks/{source.name}",
                "events": counts.events if counts else 0,
                "duplicates": counts.duplicates if counts else 0,
                "refused": counts.refused if counts else 0,
                "unknown": counts.unknown if counts else {},
                "last_received_at": documents.moment(counts.last_received_at or None) if counts else None,
                "rejects": [{"code": code, "count": n} for name, code, n in waiting if name == source.name],
            }
        )
    return _json({"sources": found})


@post("/v1/sources", guards=ADMIN, summary="Connect a provider")
async def post_source(request: Request) -> Json:  # type: ignore[type-arg]
    service = service_of(request)
    asked = await _object(request)
    for name, kind in (("name", str), ("connector", str), ("options", dict), ("secrets", dict)):
        if not isinstance(asked.get(name, {} if kind is dict else None), kind):
            raise InvalidInput(f"`{name}` is missing or not {'an object' if kind is dict else 'text'}.", field=name)
    connector = by_name(asked["connector"])
    known = [f.name for f in connector.secret_fields]
    for field, value in asked.get("secrets", {}).items():
        if field not in known or not isinstance(value, str) or not value:
            raise InvalidInput(
                f"`secrets.{field[:60]}` is not a secret of {connector.title}.",
                field=f"secrets.{field[:60]}",
                hint=f"It has {', '.join(known)}.",
            )
    missing = [n for n in known if n not in asked.get("secrets", {})]
    if missing:
        raise InvalidInput(f"`secrets.{missing[0]}` is missing.", field=f"secrets.{missing[0]}")
    source = service.control.add_source(
        asked["name"], connector.name, asked.get("options"), asked.get("secrets"), check_connector=by_name
    )
    base = source.options.get("public_url") or request.app.state.public_url
    address = f"{str(base).rstrip('/')}/hooks/{source.name}"
    setup = [step.replace("{url}", address) for step in connector.setup]
    return _json({"name": source.name, "connector": connector.name, "url": address, "setup": setup}, 201)


@get("/v1/rejects", guards=ADMIN, summary="What was refused or not understood, kept with its reason")
async def get_rejects(
    request: Request,  # type: ignore[type-arg]
    source: str | None = None,
    limit: int = Parameter(default=50, ge=1, le=1000),
) -> Json:
    service = service_of(request)
    rows = await service.blocking(rejects.latest, service.store, limit, source)
    counts = await service.blocking(rejects.counts, service.store)
    return _json(
        {
            "rejects": [
                {
                    "id": r["id"],
                    "received_at": documents.moment(r["received_at"]),
                    "source": r["source"],
                    "event_id": r["event_id"] or None,
                    "error": {"code": r["code"], "field": r["field"] or None, "message": r["message"]},
                    "body": r["body"] if isinstance(r["body"], str) else r["body"].decode("utf-8", "replace"),
                }
                for r in rows
            ],
            "counts": [{"source": s, "code": c, "count": n} for s, c, n in counts],
        }
    )


@post("/v1/rebuild", guards=ADMIN, status_code=HTTP_202_ACCEPTED, summary="Derive every figure again from the events")
async def post_rebuild(request: Request) -> Json:  # type: ignore[type-arg]
    service = service_of(request)
    job = service.jobs.add("rebuild", service.deriver.rebuild(service.settings))
    return _json(service.jobs.get(job), HTTP_202_ACCEPTED)


@get("/v1/jobs", guards=READ, summary="Long work and how far it is")
async def get_jobs(request: Request) -> Json:  # type: ignore[type-arg]
    return _json({"jobs": service_of(request).jobs.list()})


@get("/v1/jobs/{job:str}", guards=READ, summary="One long work and how far it is")
async def get_job(request: Request, job: str) -> Json:  # type: ignore[type-arg]
    return _json(service_of(request).jobs.get(job))


# --- the server itself ---


@get("/healthz", summary="Whether the process lives")
async def healthz() -> Json:
    return _json({"status": "ok"})


@get("/readyz", summary="Whether it can take events and answer questions")
async def readyz(request: Request) -> Json:  # type: ignore[type-arg]
    service = service_of(request)
    if service.ingest.failed or service.deriver.failed:
        return _json({"status": "broken", "reason": "a background thread ended; restart"}, HTTP_503_SERVICE_UNAVAILABLE)
    if service.ingest.trouble:
        return _json({"status": "not ready", "reason": service.ingest.trouble}, HTTP_503_SERVICE_UNAVAILABLE)
    return _json({"status": "ready"})


@get("/metrics", guards=READ, summary="Prometheus figures of the server itself")
async def prometheus(request: Request) -> Response[bytes]:  # type: ignore[type-arg]
    body = await service_of(request).blocking(metrics_text, service_of(request))
    return Response(body, media_type=CONTENT_TYPE_LATEST)


ROUTES = [
    get_metrics, get_query, post_query, get_live, get_export, list_conversations, get_conversation, get_message,
    get_settings, put_settings, get_connectors, get_sources, post_source, get_rejects, post_rebuild, get_jobs, get_job,
    healthz, readyz, prometheus,
]  # fmt: skip
