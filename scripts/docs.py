"""Writes docs/reference/ from the code, so that no page there can be out of date: `make docs`.

What the code does not say (what a field or a setting means, in a few words) stands in the tables here; a name that the
code has and they have not, or the other way round, is an error.
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar
from litestar.openapi import OpenAPIConfig

from tickertape.api.describe_ingest import INGEST_ROUTES
from tickertape.api.pages import page_routes
from tickertape.api.routes import ROUTES
from tickertape.cli.app import app
from tickertape.connectors import CONNECTORS, Connector
from tickertape.events import EVENT_TYPES, Event
from tickertape.metrics import describe
from tickertape.metrics.request import PARAMETERS
from tickertape.settings import RESTATES, Settings

FOLDER = Path(__file__).parent.parent / "docs" / "reference"

FIELDS = {
    "id": "unique within the source; the same id again is the same event. Left out: derived from the content",
    "type": "one of the types below",
    "at": "when it happened, by the provider's clock",
    "channel": "elsewhere than on sent and received messages it is taken from what the event belongs to",
    "contact_id": "the customer, by your own id",
    "address": "the customer's phone number, e-mail address, handle, user id or device token; one event with "
    "`contact_id` and `address` links the two",
    "address_kind": "left out: recognised from the value and the channel",
    "message_id": "the message it belongs to, by the provider's id",
    "conversation_id": "the thread, as the provider has it",
    "campaign_id": "the campaign that the message is part of",
    "template_id": "the template that the message was made from",
    "variant": "the arm of a split test",
    "agent_id": "who wrote or acted; on `conversation.assigned`, left out: nobody has it now",
    "team_id": "the agent's team",
    "attrs": "free dimensions: up to 64 names, each with text, a number or a boolean",
    "author": "left out: `campaign` with a `campaign_id`, `agent` with an `agent_id`, else `system`",
    "purpose": "left out: `marketing` for campaigns, else `service`",
    "text": "what was written",
    "sender": "the business's own number, address or account",
    "carrier": "the recipient's network",
    "country": "the recipient's country",
    "cost": "what the provider charges, exact to six decimals",
    "currency": "ISO 4217, in capitals",
    "retry_of": "the `message_id` of the attempt that this one repeats; both are one message",
    "tracked": "whether opens and clicks of it can be seen",
    "test": "a message to yourself, in no figure",
    "error_code": "the provider's code",
    "reason": "what the code means",
    "permanent": "no message to this address will ever arrive",
    "user_agent": "of the request that opened or clicked",
    "ip": "of the request that opened or clicked",
    "actor": "who the provider says it was; left out: worked out",
    "url": "where the link leads",
    "link_id": "the link, where one address stands in the message twice",
    "method": "the request's method on `message.clicked`; on consent, how it was given or withdrawn",
    "reaction": "the emoji",
    "segments": "parts that a text message was sent in",
    "reply_to": "the `message_id` that it answers",
    "auto_reply": "an out-of-office notice or the like",
    "opt_out": "the provider says that this message opts out",
    "by": "who resolved it; left out: `agent` with an `agent_id`",
    "into": "the conversation that now holds its messages",
    "topic": "what it is about",
    "survey_id": "the question that was put, and its answer",
    "kind": "of a survey, or of a conversion: `purchase`, `booking`, `signup` …",
    "score": "the answer",
    "scale_max": "the best possible answer",
    "status": "whether the agent is there",
    "device": "one of several that the agent is signed in on",
    "timezone": "IANA name",
    "addresses": "more addresses of this contact",
    "confirmed": "the contact confirmed the opt-in",
    "scope": "how far it reaches; left out: as the setting `consent_scope` says",
    "feature": "what was used",
    "conversion_id": "the order, booking or goal",
    "value": "what it is worth; of a refund, left out: all of it",
    "refund_id": "the refund",
    "experiment_id": "the experiment",
    "arm": "which arm the contact was put into",
    "planned_control": "the share that was to be held out, 0 to 1",
}

QUESTION = {
    "metrics": "names of [metrics](metrics.md), separated by commas",
    "from": "RFC 3339 time or date; the range is `[from, to)`",
    "to": "the end of the range, not in it",
    "last": "`24h`, `7d`, `30d`, in place of `from` and `to`",
    "by": "up to four [dimensions](metrics.md#dimensions)",
    "interval": "`minute`, `15m`, `hour`, `day`, `week` or `month`: one row for each, empty ones too",
    "timezone": "IANA name; left out: the workspace's",
    "compare": "`previous` (the range just before) or `benchmark`",
    "anchor": "`start` or `end` of what is measured; left out: as the metric's definition says",
    "now": "the clock of the answer: nothing later is known; left out: the real one",
    "order": "a metric, a dimension or `start`; `-` before it: descending",
    "limit": "at most so many rows",
}

SETTINGS = {
    "timezone": "of days, weeks and months where a question names none",
    "currency": "that money is shown in",
    "reopen_window_hours": "a customer who writes again within it reopens the episode; later it is a new one",
    "idle_after_hours": "an episode in which nobody writes for so long has expired",
    "fcr_window_days": "first contact resolution stands once the customer was silent for so long",
    "targets.first_response_seconds": "target of the first reply; null: not checked",
    "targets.response_seconds": "target of every later reply; null: not checked",
    "targets.resolution_seconds": "target of the resolution; null: not checked",
    "targets.clock": "`calendar`, or `business`: only business hours count",
    "targets.channels": 'the same four per channel: `{"email": {"response_seconds": 14400}}`',
    "schedules": "business hours: name, timezone, `weekly` intervals, dated `exceptions`, and the teams and channels "
    "that they are for",
    "presence_timeout_seconds": "an agent who sends no status for so long is offline; 120 suits heartbeats. "
    "null: a status holds for twelve hours",
    "survey_edit_hours": "a survey's answer can be changed for so long",
    "quality_weights.S": "weight of sentiment in the quality score",
    "quality_weights.R": "weight of the resolution",
    "quality_weights.W": "weight of waiting",
    "quality_weights.E": "weight of the customer's effort",
    "quality_weights.V": "weight of the customer's verdict in a survey",
    "attribution.click_days": "a click earns conversions for so long",
    "attribution.push_click_hours": "the same for push messages",
    "attribution.reply_hours": "a reply earns conversions for so long",
    "attribution.view_hours": "an open earns conversions for so long; 0: never",
    "attribution.model": "which touches earn it: `last_touch`, `any_touch`, `linear` or `first_touch`",
    "attribution.agent_days": "an agent's conversation earns conversions for so long",
    "exchange_rates": '`{"date", "from", "to", "rate"}`: 1 `from` is worth `rate` `to` from that date on',
    "consent_scope": "how far an opt-out reaches that does not say: `all`, `channel` or `sender`",
    "opt_out_grace_seconds": "what is sent within it after an opt-out was on its way already",
    "opt_out_credit_hours": "an opt-out or complaint is owed to what was sent so long before",
    "require_opt_in": "whether silence means no",
    "reply_link_days": "a reply answers what was sent at most so long before",
    "experiment_window_days": "how long after the assignment an experiment's conversions count",
}

SCOPES = {"ingest": "send events", "read": "ask for figures", "admin": "both, and change the workspace"}


class OutOfStepError(Exception):
    """The tables here and the code name different things."""


def pages() -> dict[str, str]:
    """File name -> what must stand in it."""
    made: Mapping[str, Callable[[], Iterable[str]]] = {
        "metrics.md": _metrics,
        "connectors.md": _connectors,
        "settings.md": _settings,
        "cli.md": _command_line,
        "api.md": _api,
    }
    return {
        name: "\n".join(["<!-- Written by `make docs` from the code; change it there. -->", *write()]).rstrip() + "\n"
        for name, write in made.items()
    }


def _metrics() -> Iterator[str]:
    catalogue = describe()
    yield "# Metrics\n"
    yield f"All {len(catalogue['metrics'])} of them, as `GET /v1/metrics` and `tickertape metrics` list them.\n"
    family = ""
    for row in catalogue["metrics"]:
        if row["family"] != family:
            family = row["family"]
            yield f"## {family.capitalize()}\n"
        yield f"### {row['name']}\n"
        yield f"**{row['title']}.** {row['description']}\n"
        yield f"- Formula: {row['formula']}"
        yield f"- Unit: {row['unit']}; {_GOOD[row['good']]}"
        if row["benchmarks"]:
            marks = (_benchmark(*mark) for mark in row["benchmarks"].items())
            yield f"- Benchmark: {'; '.join(marks)}"
        yield f"- What to do: {row['advice']}"
        yield f"- Source: {row['source']}"
        yield f"- By: {', '.join(f'`{name}`' for name in row['dimensions'])}\n"
    yield "## Dimensions\n"
    rows = (
        (f"`{d['name']}`", d["description"] + (" Filter only." * d["filter_only"])) for d in catalogue["dimensions"]
    )
    yield from _table(("name", "what it is"), rows)


_GOOD = {"up": "more is better", "down": "less is better", "neutral": "neither more nor less is better"}


def _benchmark(channel: str | None, mark: dict[str, Any]) -> str:
    where = "any channel" if channel in (None, "default") else channel
    return f"{mark['target']:g} ({where}; {mark['source'].rstrip('.')})"


def _connectors() -> Iterator[str]:
    yield "# Connectors\n"
    yield "How to write another one: [ADDING.md](../connectors/ADDING.md).\n"
    for connector in CONNECTORS:
        yield from _connector(connector)


def _connector(connector: Connector) -> Iterator[str]:
    yield f"## {connector.title}\n"
    yield f"{connector.description}\n"
    yield f"Connect it: `tickertape sources add NAME --connector {connector.name}`. It prints these steps, filled in:\n"
    yield from (f"{number}. {step}" for number, step in enumerate(connector.setup, 1))
    yield ""
    yield f"The provider's documentation: <{connector.documentation}>\n"
    fields = [(f"`{f.name}`", f.title, f.help) for f in (*connector.secret_fields, *connector.option_fields)]
    yield from _table(("field", "called", "where to find it"), fields)
    covered = " and the ".join(name for name in ("url", "body", "time") if name in connector.covers)
    yield f"The provider's signature covers the {covered}.\n"
    yield from _table(("its word", "event"), ((f"`{word}`", f"`{event}`") for word, event in connector.words.items()))
    yield "Any other word is kept as a reject, and counted.\n"
    if connector.failures:
        rows = ((f"`{code}`", f"`{f.reason}`", "yes" if f.permanent else "") for code, f in connector.failures.items())
        yield from _table(("error code", "reason", "permanent"), rows)


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield (
        "`GET /v1/settings` shows them; `PUT /v1/settings` with some of them (a JSON object, admin key) changes them, "
        "as does `tickertape settings set`. Objects are merged key by key, arrays replaced, and null puts a default "
        "back, except that of a target: there null means that it is not checked. A change of one marked * restates "
        "every figure: all is derived again beside the figures that stand, which takes a while on much data.\n"
    )
    defaults = dict(_flat(msgspec.to_builtins(Settings()), ""))
    _same_names("settings", defaults, SETTINGS)
    rows = (
        (
            f"`{name}`{' *' if name.partition('.')[0] in RESTATES else ''}",
            f"`{msgspec.json.encode(value).decode()}`",
            SETTINGS[name],
        )
        for name, value in defaults.items()
    )
    yield from _table(("setting", "default", "meaning"), rows)


def _flat(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{path}{name}.")
        else:
            yield path + name, value


def _command_line() -> Iterator[str]:
    common = "**Options of every command**:"
    first, *sections = app.generate_docs().split("\n## tickertape ")
    about, _, contents = first.partition("## Table of Contents")
    yield about.replace("# tickertape", "# Command line", 1).rstrip() + "\n"
    yield "**Commands**" + contents.partition("**Commands**")[2].rstrip() + "\n"
    for section in sections:
        yield "## tickertape " + _without(section, common).rstrip() + "\n"


def _without(section: str, heading: str) -> str:
    """The section without the lists under `heading`, which would repeat on every command."""
    kept, skipping = [], False
    for line in section.splitlines():
        if line.startswith(("#", "**", "```")):
            skipping = line == heading
        if not skipping:
            kept.append(line)
    return "\n".join(kept)


def _api() -> Iterator[str]:
    yield "# HTTP API\n"
    scopes = "; ".join(f"`{name}` ({what})" for name, what in SCOPES.items())
    yield (
        "A request carries a key, `Authorization: Bearer tt_…`, made by `tickertape keys create NAME --scope SCOPE`. "
        f"Scopes: {scopes}. A running server describes itself at `/schema/openapi.json`. An error is "
        '`{"error": {"code", "field", "message"}}`.\n'
    )
    yield from _table(("request", "what it does", "scope"), _routes())
    yield "## Questions\n"
    yield "`GET /v1/query`, or `POST` with the same as JSON:\n"
    _same_names("parameters of a question", PARAMETERS, QUESTION)
    yield from _table(("parameter", "meaning"), ((f"`{name}`", QUESTION[name]) for name in PARAMETERS))
    yield (
        "The name of any dimension is a filter: `channel=sms,whatsapp`, `channel!=email`. Without `by` and `interval` "
        "there is exactly one row. A cell holds `value` and what it rests on: `numerator`, `denominator`, `low` and "
        "`high` (95 %) of a ratio; `n`, `p50`, `p90`, `p95`, `mean` and `max` of a time, whose `value` is the median.\n"
    )
    yield "## Events\n"
    yield (
        "`POST /v1/events` takes an object, an array or NDJSON (`application/x-ndjson`), also with gzip or zstd. 200 "
        "means on disk; 207 that some were rejected, 422 that all were, each with its reason. Neither repeats nor "
        "disorder matter.\n"
    )
    yield from _events()


def _routes() -> Iterator[tuple[str, str, str]]:
    handlers = [*INGEST_ROUTES, *ROUTES, *page_routes()]
    document: Any = Litestar(handlers, openapi_config=OpenAPIConfig(title="", version="")).openapi_schema.to_schema()
    scopes = dict(_scopes(handlers))
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            name = method.upper()
            yield f"`{name} {path}`", operation["summary"], scopes.get((name, path), "")


def _scopes(handlers: Iterable[Any]) -> Iterator[tuple[tuple[str, str], str]]:
    yield ("POST", "/v1/events"), "ingest"
    yield ("POST", "/hooks/{source}"), "signature"
    for handler in handlers:
        for guard in getattr(handler, "guards", None) or ():
            scope = inspect.getclosurevars(guard).nonlocals["action"]
            for path in handler.paths:
                plain = "/".join(
                    part.partition(":")[0] + "}" if part.startswith("{") else part for part in path.split("/")
                )
                yield from (((method, plain), scope) for method in handler.http_methods)


def _events() -> Iterator[str]:
    common = {field.encode_name for field in _fields(Event)}
    shapes: dict[str, dict[str, None]] = {"type": {"text": None}}
    rows = []
    for name, event in EVENT_TYPES.items():
        fields = _fields(event)
        for field in fields:
            shapes.setdefault(field.encode_name, {})[_shape(field.type)] = None
        required = [f"`{f.encode_name}`" for f in fields if f.required and f.encode_name != "at"]
        own = [f"`{f.encode_name}`" for f in fields if not f.required and f.encode_name not in common]
        rows.append((f"`{name}`", ", ".join(required), ", ".join(own)))
    _same_names("fields of events", shapes, FIELDS)
    yield "Every event has `type` and `at`; the fields marked * below may stand on any.\n"
    yield from _table(("type", "also required", "further fields"), rows)
    yield "Consent and app events need `contact_id` or `address`.\n"
    fields_ = ((f"`{f}`{' *' if f in common else ''}", "; ".join(of), FIELDS[f]) for f, of in sorted(shapes.items()))
    yield from _table(("field", "type", "meaning"), fields_)


def _fields(event: type[Event]) -> tuple[msgspec.inspect.Field, ...]:
    described = msgspec.inspect.type_info(event)
    assert isinstance(described, msgspec.inspect.StructType)
    return described.fields


def _shape(kind: Any) -> str:
    """A msgspec type in words."""
    match kind:
        case None:
            return "text"
        case msgspec.inspect.UnionType():
            return " or ".join(
                dict.fromkeys(_shape(t) for t in kind.types if not isinstance(t, msgspec.inspect.NoneType))
            )
        case msgspec.inspect.LiteralType():
            return " ".join(f"`{value}`" for value in kind.values)
        case msgspec.inspect.StrType():
            return f"text, at most {kind.max_length:,}" if kind.max_length else "text"
        case msgspec.inspect.ListType():
            return f"array, at most {kind.max_length:,}" if kind.max_length else "array"
    return _SHAPES[type(kind)]


_SHAPES: dict[type, str] = {
    msgspec.inspect.BoolType: "boolean",
    msgspec.inspect.DateTimeType: "RFC 3339 with offset",
    msgspec.inspect.DecimalType: "number",
    msgspec.inspect.DictType: "object",
    msgspec.inspect.FloatType: "number",
    msgspec.inspect.IntType: "whole number",
}


def _same_names(what: str, code: Iterable[str], table: Iterable[str]) -> None:
    if apart := set(code) ^ set(table):
        raise OutOfStepError(f"{what}: {', '.join(sorted(apart))} must be in the code and in scripts/docs.py.")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    try:
        main()
    except OutOfStepError as error:
        sys.exit(f"{error}")
