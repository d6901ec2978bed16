"""Every route of the real application on the real store: shapes, scopes, bad input, hostile text, trouble."""

import csv
import gzip
import io
import itertools
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pyarrow.parquet as pq
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tickertape.api import ingest as ingest_routes
from tickertape.bodies import Limits
from tickertape.cli.client import Response
from tickertape.connectors.twilio import sign
from tickertape.store import StoreError, log, rejects
from workspace import Workspace, workspace

try:
    from compression import zstd
except ImportError:
    from backports import zstd

Event = dict[str, Any]
DAY = {"from": "2026-03-02", "to": "2026-03-03"}
TOKEN = "twilio-auth-token"  # noqa: S105
_numbers = itertools.count()


@pytest.fixture(scope="module")
def tape() -> Iterator[Workspace]:
    with workspace() as opened:
        yield opened


def name(prefix: str = "t") -> str:
    """Unlike any other in this workspace, so that tests share it without seeing one another."""
    return f"{prefix}{next(_numbers)}"


def at(minutes: float = 0) -> str:
    return (datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def sent(campaign: str, number: int = 0, **more: Any) -> Event:
    message = f"{campaign}-m{number}"
    return {
        "type": "message.sent", "id": f"{message}-sent", "at": at(number), "message_id": message, "channel": "sms",
        "contact_id": f"{campaign}-c{number}", "campaign_id": campaign, **more,
    }  # fmt: skip


def send(tape: Workspace, method: str, target: str, body: bytes = b"", **headers: str) -> Response:
    return tape.client.request(method, target, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})


def error(tape: Workspace, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    answer = send(tape, method, target, raw, content_type="application/json", **headers)
    problem = json.loads(answer.body)["error"]
    assert set(problem) == {"code", "field", "message"}
    return answer.status, problem


def counted(tape: Workspace, campaign: str) -> int:
    value: int = tape.query(metrics="sent", campaign=campaign, **DAY)[0]["sent"]["value"]
    return value


def conversation(tape: Workspace, target: str, **params: str) -> Any:
    tape.settle()
    return tape.get(f"/v1/conversations/{quote(target, safe='')}", **params)


# --- events in ---


def test_events_are_counted_once_also_after_a_restart() -> None:
    with workspace() as tape:
        events = [sent("once", i) for i in range(3)]
        assert tape.post(*events) == {"accepted": 3, "duplicates": 0, "rejected": []}
        assert tape.post(*events, sent("once", 3), sent("once", 3)) == {"accepted": 1, "duplicates": 4, "rejected": []}
        tape.restart()
        assert tape.post(*events) == {"accepted": 0, "duplicates": 3, "rejected": []}
        assert counted(tape, "once") == 4


@pytest.mark.parametrize(
    ("encode", "headers"),
    [
        (lambda e: json.dumps(e).encode(), {}),
        (lambda e: gzip.compress(json.dumps(e).encode()), {"content_encoding": "gzip"}),
        (lambda e: zstd.compress(json.dumps(e).encode()), {"content_encoding": "zstd"}),
        (lambda e: b"\n".join(json.dumps(x).encode() for x in e), {"content_type": "application/x-ndjson"}),
        (
            lambda e: gzip.compress(b"\n".join(json.dumps(x).encode() for x in e)),
            {"content_type": "application/x-ndjson", "content_encoding": "gzip"},
        ),
    ],
    ids=["array", "gzip", "zstd", "lines", "gzipped lines"],
)
def test_bodies(tape: Workspace, encode: Any, headers: dict[str, str]) -> None:
    campaign = name("body")
    answer = send(tape, "POST", "/v1/events", encode([sent(campaign, i) for i in range(3)]), **headers)
    assert (answer.status, json.loads(answer.body)["accepted"]) == (200, 3)
    assert counted(tape, campaign) == 3


def test_a_single_object_is_an_event(tape: Workspace) -> None:
    campaign = name("single")
    status, answer = tape.call("POST", "/v1/events", sent(campaign))
    assert (status, answer["accepted"]) == (200, 1)
    assert counted(tape, campaign) == 1


def test_the_good_events_of_a_mixed_batch_are_stored(tape: Workspace) -> None:
    campaign = name("mixed")
    bad = sent(campaign, 1) | {"chanel": "sms"}
    status, answer = tape.call("POST", "/v1/events", [sent(campaign, 0), bad, sent(campaign, 2)])
    assert (status, answer["accepted"], answer["duplicates"]) == (207, 2, 0)
    [rejected] = answer["rejected"]
    assert (rejected["index"], rejected["id"], rejected["error"]["field"]) == (1, bad["id"], "chanel")
    assert "'channel'" in rejected["error"]["message"]
    assert counted(tape, campaign) == 2
    kept = tape.get("/v1/rejects", source="api", limit="1000")["rejects"]
    [found] = [r for r in kept if r["event_id"] == bad["id"]]
    assert json.loads(found["body"]) == bad
    assert found["error"]["field"] == "chanel"


def test_a_refused_body_sent_again_is_kept_once(tape: Workspace) -> None:
    bad = sent(name("again")) | {"channel": "pigeon"}
    for _ in range(2):
        status, answer = tape.call("POST", "/v1/events", [bad])
        assert (status, answer["accepted"]) == (422, 0)
    kept = tape.get("/v1/rejects", limit="1000")["rejects"]
    assert len([r for r in kept if r["event_id"] == bad["id"]]) == 1


TOO_LATE = (datetime.now(UTC) + timedelta(days=1, hours=1)).isoformat()
BAD_EVENTS: list[tuple[str, Event | Any, str | None, str, str]] = [
    ("no type", {"at": at()}, "type", "required", "message.sent"),
    ("unknown type", {"type": "message.sendt", "at": at()}, "type", "unknown_type", "message.sent"),
    ("no time", {"type": "message.sent", "message_id": "m", "channel": "sms"}, "at", "required", "at"),
    ("no zone", sent("x") | {"at": "2026-03-02T10:00:00"}, "at", "", "offset"),
    ("no date", sent("x") | {"at": "yesterday"}, "at", "", "RFC 3339"),
    ("number as time", sent("x") | {"at": 1772445600}, "at", "wrong_type", "at"),
    ("future", sent("x") | {"at": TOO_LATE}, "at", "future_time", "clock"),
    ("long ago", sent("x") | {"at": "1970-01-01T00:00:00Z"}, "at", "invalid_time", "1980"),
    ("unknown field", sent("x") | {"campain_id": "a"}, "campain_id", "unknown_field", "campaign_id"),
    ("wrong type", sent("x") | {"message_id": 7}, "message_id", "wrong_type", "string"),
    ("empty id", sent("x") | {"message_id": ""}, "message_id", "", "message_id"),
    ("long id", sent("x") | {"message_id": "m" * 201}, "message_id", "too_long", "200"),
    ("long text", sent("x") | {"text": "m" * 65_537}, "text", "too_long", "65,536"),
    ("unknown channel", sent("x") | {"channel": "pigeon"}, "channel", "", "sms"),
    ("nested attrs", sent("x") | {"attrs": {"a": {"b": 1}}}, "attrs.a", "", "attrs.a"),
    ("NUL in an id", sent("x") | {"message_id": "a\0b"}, "message_id", "", "NUL"),
    ("negative cost", sent("x") | {"cost": -1}, "cost", "invalid_value", "negative"),
    ("no contact", {"type": "contact.opted_out", "at": at()}, "contact_id", "required", "address"),
    ("score off its scale", {"type": "survey.answered", "at": at(), "survey_id": "s", "kind": "csat", "score": 9},
     "score", "invalid_value", "scale_max"),
    ("no phone number", sent("x") | {"address": "12", "address_kind": "e164"}, "address", "", "address"),
    ("not an object", [7], None, "wrong_type", "object"),
]  # fmt: skip


@pytest.mark.parametrize("row", BAD_EVENTS, ids=lambda row: row[0])
def test_bad_events_are_refused_with_their_reason(tape: Workspace, row: tuple[str, Any, str | None, str, str]) -> None:
    _, event, field, code, says = row
    if isinstance(event, dict):
        event = event | ({"id": name("bad")} if "id" in event else {})
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    answer = send(tape, "POST", "/v1/events", body, content_type="application/json")
    assert answer.status == 422, answer.body
    [rejected] = json.loads(answer.body)["rejected"]
    problem = rejected["error"]
    assert field is None or problem["field"] == field, problem
    assert not code or problem["code"] == code, problem
    assert says in problem["message"], problem


BAD_BODIES: list[tuple[str, bytes, dict[str, str], int, str, str]] = [
    ("empty", b"", {}, 400, "empty_body", "empty"),
    ("blank", b" \n ", {}, 400, "empty_body", "empty"),
    ("no JSON", b"hello", {}, 400, "invalid_json", "line 1, column 1"),
    ("cut off", b'[{"type":', {}, 400, "invalid_json", "too early"),
    ("a number", b"7", {}, 400, "wrong_type", "object"),
    ("unnamed gzip", gzip.compress(b"[]"), {}, 400, "invalid_json", "Content-Encoding: gzip"),
    ("not gzip", b"[]", {"content_encoding": "gzip"}, 400, "invalid_encoding", "gzip"),
    ("cut off zstd", zstd.compress(b" " * 999)[:-3], {"content_encoding": "zstd"}, 400, "invalid_encoding", "early"),
    ("unknown encoding", b"[]", {"content_encoding": "br"}, 415, "unsupported_encoding", "gzip or zstd"),
    ("too large", b" " * 5_000_001, {}, 413, "too_large", "5 MB"),
    ("gzip bomb", gzip.compress(b" " * 50_000_001), {"content_encoding": "gzip"}, 413, "too_large", "decompression"),
    ("zstd bomb", zstd.compress(b" " * 50_000_001), {"content_encoding": "zstd"}, 413, "too_large", "decompression"),
]  # fmt: skip


@pytest.mark.parametrize("row", BAD_BODIES, ids=lambda row: row[0])
def test_bad_bodies(tape: Workspace, row: tuple[str, bytes, dict[str, str], int, str, str]) -> None:
    _, body, headers, status, code, says = row
    got, problem = error(tape, "POST", "/v1/events", body, **headers)
    assert (got, problem["code"]) == (status, code), problem
    assert says in problem["message"]


# --- who may what ---

ROUTES: list[tuple[str, str, str]] = [
    ("POST", "/v1/events", "ingest"),
    ("GET", "/v1/metrics", "read"),
    ("GET", "/v1/query?metrics=sent&last=1h", "read"),
    ("POST", "/v1/query", "read"),
    ("GET", "/v1/live?metrics=sent&last=1h", "read"),
    ("GET", "/v1/export/query.csv?metrics=sent&last=1h", "read"),
    ("GET", "/v1/conversations", "read"),
    ("GET", "/v1/conversations/none", "read"),
    ("GET", "/v1/messages/none", "read"),
    ("GET", "/v1/settings", "read"),
    ("PUT", "/v1/settings", "admin"),
    ("GET", "/v1/connectors", "read"),
    ("GET", "/v1/sources", "read"),
    ("POST", "/v1/sources", "admin"),
    ("GET", "/v1/rejects", "admin"),
    ("POST", "/v1/rebuild", "admin"),
    ("GET", "/v1/jobs", "read"),
    ("GET", "/v1/jobs/none", "read"),
    ("GET", "/metrics", "read"),
    ("GET", "/v1/workspace", "read"),
    ("POST", "/v1/login-links", "admin"),
]


@pytest.fixture(scope="module")
def keys(tape: Workspace) -> dict[str, str]:
    control = tape.service.control
    return {scope: control.create_key(scope, scope) for scope in ("ingest", "read", "admin")}


@pytest.mark.parametrize(
    ("method", "target", "scope"), ROUTES, ids=[f"{m} {t.partition('?')[0]}" for m, t, _ in ROUTES]
)
def test_scopes(tape: Workspace, keys: dict[str, str], method: str, target: str, scope: str) -> None:
    for authorization in ("", "Bearer tt_admin_wrong", f"Basic {keys['admin']}", "Bearer " + "x" * 10_000):
        status, problem = error(tape, method, target, authorization=authorization)
        assert (status, problem["code"]) == (401, "unauthorised")
        assert "tickertape keys create" in problem["message"]
    for other in {"ingest", "read"} - {scope}:
        status, problem = error(tape, method, target, authorization=f"Bearer {keys[other]}")
        assert (status, problem["code"]) == (403, "forbidden")
        assert f"--scope {scope}" in problem["message"]
    if target.startswith("/v1/live"):
        return  # never ends; test_live opens it
    answer = send(tape, method, target, authorization=f"Bearer {keys[scope]}")
    assert answer.status not in (401, 403)


def test_every_route_of_the_document_is_guarded_or_open_on_purpose(tape: Workspace) -> None:
    document = json.loads(send(tape, "GET", "/schema/openapi.json").body)
    assert document["openapi"].startswith("3.")
    found = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    listed = {(method, target.partition("?")[0].replace("/none", "/{}")) for method, target, _ in ROUTES}
    listed.add(("POST", "/hooks/{}"))
    unguarded = {("GET", "/healthz"), ("GET", "/readyz")}
    plain = {(m, "/".join("{}" if "{" in part else part for part in p.split("/"))) for m, p in found}
    listed = {(m, p.replace("query.csv", "{}")) for m, p in listed}
    assert plain == listed | unguarded
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["summary"]
            assert operation["responses"]


def test_a_revoked_key_opens_nothing(tape: Workspace) -> None:
    secret = tape.service.control.create_key("short-lived", "read")
    assert send(tape, "GET", "/v1/metrics", authorization=f"Bearer {secret}").status == 200
    tape.service.control.revoke_key("short-lived")
    assert send(tape, "GET", "/v1/metrics", authorization=f"Bearer {secret}").status == 401


def test_health_needs_no_key(tape: Workspace) -> None:
    for target in ("/healthz", "/readyz"):
        assert send(tape, "GET", target, authorization="").status == 200


@pytest.mark.parametrize("target", ["/nothing", "/v1/nothing", "/hooks", "/v1/query/x"])
def test_unknown_addresses(tape: Workspace, target: str) -> None:
    status, problem = error(tape, "GET", target)
    assert (status, problem["code"]) == (404, "http_404")


def test_a_method_that_is_not_taken(tape: Workspace) -> None:
    assert error(tape, "DELETE", "/v1/query")[0] == 405
    assert error(tape, "GET", "/v1/events")[0] == 405


# --- sessions of browsers ---


def login_link(tape: Workspace) -> str:
    status, answer = tape.call("POST", "/v1/login-links")
    assert status == 201
    url: str = answer["url"]
    assert url.startswith("https://tape.example.com/?ticket=")
    return url.removeprefix("https://tape.example.com")


def cookie_of(answer: Response) -> str:
    return answer.headers["set-cookie"].partition(";")[0]


def test_a_login_link_opens_one_session(tape: Workspace) -> None:
    link = login_link(tape)
    answer = send(tape, "GET", link, authorization="")
    assert (answer.status, answer.headers["location"]) == (303, "/")
    flags = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= flags
    assert send(tape, "GET", link, authorization="").status == 401
    cookie = cookie_of(answer)
    assert send(tape, "GET", "/v1/metrics", authorization="", cookie=cookie).status == 200
    page = send(tape, "GET", "/", authorization="", cookie=cookie)
    assert page.status == 200
    assert "script-src" in page.headers["content-security-policy"]


def test_a_login_link_expires(tape: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from tickertape.api import access

    link = login_link(tape)
    later = access.time.monotonic() + access.LINK_SECONDS + 1
    monkeypatch.setattr(access.time, "monotonic", lambda: later)
    assert send(tape, "GET", link, authorization="").status == 401


def test_a_session_reads_and_never_writes_for_another_site(tape: Workspace) -> None:
    cookie = cookie_of(send(tape, "GET", login_link(tape), authorization=""))
    body = json.dumps({"metrics": "sent", "last": "1h"}).encode()

    def post(**headers: str) -> int:
        return send(tape, "POST", "/v1/query", body, authorization="", cookie=cookie, **headers).status

    assert post(sec_fetch_site="same-origin") == 200
    assert post(origin="http://localhost") == 200
    assert post(sec_fetch_site="cross-site") == 401
    assert post(sec_fetch_site="same-site") == 401
    assert post(origin="https://evil.example") == 401
    assert post() == 401
    own = {"authorization": "", "cookie": cookie, "sec_fetch_site": "same-origin"}
    assert send(tape, "PUT", "/v1/settings", b"{}", **own).status == 403, "a link opens no more than reading"
    assert send(tape, "POST", "/v1/events", b"[]", **own).status == 401, "events come with keys only"


@pytest.mark.parametrize("cookie", ["tickertape_session=", "tickertape_session=x", "tickertape_session=" + "A" * 5000])
def test_a_forged_session_opens_nothing(tape: Workspace, cookie: str) -> None:
    assert send(tape, "GET", "/v1/metrics", authorization="", cookie=cookie).status == 401


def test_signing_in_and_out(tape: Workspace, keys: dict[str, str]) -> None:
    def sign_in(secret: str) -> Response:
        form = urlencode({"key": secret}).encode()
        return send(tape, "POST", "/session", form, authorization="", content_type="application/x-www-form-urlencoded")

    for wrong in ("", "tt_read_wrong", keys["ingest"]):
        assert sign_in(wrong).status == 401
    answer = sign_in(keys["read"])
    assert answer.status == 303
    assert send(tape, "GET", "/v1/metrics", authorization="", cookie=cookie_of(answer)).status == 200
    out = send(tape, "POST", "/session/end", authorization="", cookie=cookie_of(answer))
    assert out.status == 303
    assert cookie_of(out) in ('tickertape_session=""', "tickertape_session=")
    page = send(tape, "GET", "/", authorization="")
    assert page.status == 401
    assert b"<form" in page.body


# --- questions ---

BAD_QUESTIONS: list[tuple[str, str, str | None, str]] = [
    ("no metrics", "last=1h", "metrics", "metrics"),
    ("unknown metric", "metrics=delivery_rat&last=1h", "metrics", "delivery_rate"),
    ("unknown parameter", "metrics=sent&lst=1h", "lst", "last"),
    ("unknown dimension", "metrics=sent&last=1h&by=campain", "by", "campaign"),
    ("dimension the metric lacks", "metrics=open_waits&last=1h&by=campaign", "by", "channel"),
    ("twice", "metrics=sent&last=1h&channel=sms&channel=email", "channel", "commas"),
    ("no such time", "metrics=sent&from=yesterday", "from", "RFC 3339"),
    ("from after to", "metrics=sent&from=2026-03-03&to=2026-03-02", None, "from"),
    ("from is to", "metrics=sent&from=2026-03-03&to=2026-03-03", None, "from"),
    ("bad now", "metrics=sent&last=1h&now=noon", "now", "now"),
    ("bad last", "metrics=sent&last=much", "last", "last"),
    ("bad zone", "metrics=sent&last=1h&timezone=Mars/Base", "timezone", "Mars"),
    ("bad interval", "metrics=sent&last=1h&interval=fortnight", "interval", "day"),
    ("bad compare", "metrics=sent&last=1h&compare=last", "compare", "previous"),
    ("bad anchor", "metrics=sent&last=1h&anchor=middle", "anchor", "start"),
    ("bad order", "metrics=sent&last=1h&order=delivered", "order", "sent"),
    ("bad limit", "metrics=sent&last=1h&limit=-1", "limit", "whole number"),
    ("NUL", "metrics=sent&last=1h&campaign=%00", None, ""),
]


@pytest.mark.parametrize("row", BAD_QUESTIONS, ids=lambda row: row[0])
def test_bad_questions(tape: Workspace, row: tuple[str, str, str | None, str]) -> None:
    what, query, field, says = row
    if what == "NUL":
        assert send(tape, "GET", f"/v1/query?{query}").status in (200, 400)
        return
    for target in ("/v1/query", "/v1/export/query.csv", "/v1/live"):
        status, problem = error(tape, "GET", f"{target}?{query}")
        assert status == 400, problem
        assert field is None or problem["field"] == field, problem
        assert says in problem["message"], problem


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b'{"metrics": 7}', b'{"metrics": {"a": 1}}', b"\xff"])
def test_bad_questions_as_json(tape: Workspace, body: bytes) -> None:
    assert error(tape, "POST", "/v1/query", body)[0] == 400


def test_a_question_in_json_has_the_same_answer(tape: Workspace) -> None:
    campaign = name("json,comma ")
    tape.post(*(sent(campaign, i) for i in range(2)))
    tape.settle()
    asked = {"metrics": "sent", **DAY, "campaign": campaign.replace(",", "\\,"), "now": at(60)}
    listed = asked | {"metrics": ["sent"], "campaign": [campaign]}
    assert tape.get("/v1/query", **asked) == tape.call("POST", "/v1/query", listed)[1]
    assert tape.get("/v1/query", **asked)["rows"] == [{"sent": {"value": 2}}]


def test_the_shape_of_an_answer(tape: Workspace) -> None:
    answer = tape.get("/v1/query", metrics="sent,delivery_rate,time_to_deliver,cost", campaign="never", **DAY)
    assert set(answer) == {"from", "to", "timezone", "rows", "metrics", "as_of"}
    [row] = answer["rows"]
    assert set(row["delivery_rate"]) == {"value", "numerator", "denominator", "low", "high", "maturing"}
    assert {"value", "n", "p50", "p90", "p95", "mean", "max"} <= set(row["time_to_deliver"])
    assert set(row["cost"]) == {"value", "currency", "n", "unconverted"}
    assert row["delivery_rate"]["value"] is None


def test_the_catalogue(tape: Workspace) -> None:
    metrics = tape.get("/v1/metrics")["metrics"]
    for metric in metrics:
        assert {"name", "family", "title", "description", "formula", "unit", "good", "dimensions"} <= set(metric)
    assert len({m["name"] for m in metrics}) == len(metrics) > 50


# --- exports ---


def test_exports_hold_the_same_figures(tape: Workspace) -> None:
    base = name("export")
    campaigns = [base, f"=HYPERLINK({base})", f"+{base}", f"-{base}", f"@{base}", f"\t{base}", f'"{base}\n,']
    for campaign in campaigns:
        tape.post(*(sent(campaign, i) for i in range(len(campaign) % 4 + 1)))
    tape.settle()
    asked = {
        "metrics": "sent,delivery_rate",
        "by": "campaign",
        "order": "campaign",
        "limit": "1000",
        "now": at(60),
        **DAY,
    }
    rows = tape.get("/v1/query", **asked)["rows"]
    want = {row["campaign"]: row["sent"]["value"] for row in rows}
    assert set(campaigns) <= set(want)

    answer = send(tape, "GET", f"/v1/export/query.jsonl?{urlencode(asked)}")
    assert [json.loads(line) for line in answer.body.splitlines()] == rows
    answer = send(tape, "GET", f"/v1/export/query.csv?{urlencode(asked)}")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="query.csv"'
    read = list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))
    assert {r["campaign"].removeprefix("'"): int(r["sent.value"]) for r in read} == {
        k or "": v for k, v in want.items()
    }
    for r in read:
        assert not r["campaign"].startswith(("=", "+", "-", "@", "\t", "\r"))
    answer = send(tape, "GET", f"/v1/export/query.parquet?{urlencode(asked)}")
    table = pq.read_table(io.BytesIO(answer.body)).to_pylist()
    assert {r["campaign"]: r["sent.value"] for r in table} == want


@pytest.mark.parametrize("file", ["query.exe", "query", "query.", "nothing.csv", "..%2f..%2fetc.csv"])
def test_unknown_exports(tape: Workspace, file: str) -> None:
    status, problem = error(tape, "GET", f"/v1/export/{file}?metrics=sent&last=1h")
    assert status == 404, problem


# --- settings ---


@pytest.fixture
def restored(tape: Workspace) -> Iterator[None]:
    yield
    names = ("reopen_window_hours", "targets", "timezone", "currency")
    assert tape.call("PUT", "/v1/settings", dict.fromkeys(names))[0] == 200


@pytest.mark.usefixtures("restored")
def test_a_changed_window_restates_the_past(tape: Workspace) -> None:
    thread = name("window")
    base = {"conversation_id": thread, "contact_id": thread}
    tape.post(
        {"type": "message.received", "at": at(), "message_id": f"{thread}1", "channel": "sms", **base},
        {"type": "conversation.resolved", "at": at(10), "conversation_id": thread, "by": "agent"},
        {"type": "message.received", "at": at(130), "message_id": f"{thread}2", "channel": "sms", **base},
    )

    def opened() -> tuple[int, int]:
        episodes = conversation(tape, thread)["episodes"]
        figure = tape.query(metrics="episodes_opened", conversation=thread, **DAY)[0]["episodes_opened"]["value"]
        return len(episodes), figure

    assert opened() == (1, 1)
    status, settings = tape.call("PUT", "/v1/settings", {"reopen_window_hours": 1})
    assert (status, settings["reopen_window_hours"]) == (200, 1)
    assert opened() == (2, 2)
    status, settings = tape.call("PUT", "/v1/settings", {"reopen_window_hours": None})
    assert (status, settings["reopen_window_hours"]) == (200, 24)
    assert opened() == (1, 1)


@pytest.mark.usefixtures("restored")
def test_changed_targets_restate_the_attainment(tape: Workspace) -> None:
    thread = name("target")
    base = {"conversation_id": thread, "contact_id": thread, "channel": "sms"}
    tape.post(
        {"type": "message.received", "at": at(), "message_id": f"{thread}1", **base},
        {"type": "message.sent", "at": at(8), "message_id": f"{thread}2", "agent_id": "ann", **base},
    )

    def attained() -> Any:
        return tape.query(metrics="sla_attainment", conversation=thread, now=at(60), **DAY)[0]["sla_attainment"][
            "value"
        ]

    assert attained() == 0
    patch = {"targets": {"first_response_seconds": 600, "response_seconds": 600}}
    assert tape.call("PUT", "/v1/settings", patch)[0] == 200
    assert attained() == 1
    assert tape.call("PUT", "/v1/settings", {"targets": None})[0] == 200
    assert attained() == 0


@pytest.mark.usefixtures("restored")
def test_time_zone_and_currency_need_no_rebuild(tape: Workspace) -> None:
    tape.post(sent(name("zone"), cost=1))
    tape.settle()
    jobs = tape.get("/v1/jobs")["jobs"]
    assert tape.call("PUT", "/v1/settings", {"timezone": "Asia/Tokyo", "currency": "EUR"})[0] == 200
    assert tape.get("/v1/jobs")["jobs"] == jobs
    answer = tape.get("/v1/query", metrics="cost", **DAY)
    assert answer["timezone"] == "Asia/Tokyo"
    assert answer["from"] == "2026-03-02T00:00:00+09:00"
    assert answer["rows"][0]["cost"]["currency"] == "EUR"
    assert tape.get("/v1/workspace")["timezone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("patch", "field", "says"),
    [
        ({"reopen_window_hour": 1}, "reopen_window_hour", "reopen_window_hours"),
        ({"reopen_window_hours": "one"}, "reopen_window_hours", "number"),
        ({"reopen_window_hours": -1}, "reopen_window_hours", "0"),
        ({"timezone": "Europe/Berln"}, "timezone", "Europe/Berlin"),
        ({"targets": {"channels": {"smss": {}}}}, "targets.channels.smss", "sms"),
        ({"currency": "euro"}, "currency", "currency"),
    ],
)
def test_bad_settings_change_nothing(tape: Workspace, patch: Any, field: str, says: str) -> None:
    before = tape.get("/v1/settings")
    status, problem = error(tape, "PUT", "/v1/settings", patch)
    assert (status, problem["field"]) == (422, field), problem
    assert says in problem["message"]
    assert tape.get("/v1/settings") == before
    assert error(tape, "PUT", "/v1/settings", b"[]")[0] == 400


# --- one thing ---


def thread_of(tape: Workspace) -> str:
    thread = name("thread")
    who = {"conversation_id": thread, "contact_id": thread, "channel": "webchat"}
    tape.post(
        {"type": "message.received", "at": at(), "message_id": f"{thread}-1", "text": "Where is my order?", **who},
        {"type": "conversation.assigned", "at": at(1), "conversation_id": thread, "agent_id": "ann", "team_id": "t1"},
        {
            "type": "message.sent",
            "at": at(4),
            "message_id": f"{thread}-2",
            "agent_id": "ann",
            "text": "On its way",
            **who,
        },
        {"type": "conversation.resolved", "at": at(30), "conversation_id": thread, "by": "agent"},
    )
    return thread


def test_a_conversation_now_and_then(tape: Workspace) -> None:
    thread = thread_of(tape)
    document = conversation(tape, thread)
    assert (document["conversation_id"], document["contact"], document["channel"]) == (thread, thread, "webchat")
    assert [(m["author"], m["text"]) for m in document["messages"]] == [
        ("customer", "Where is my order?"), ("agent", "On its way"),
    ]  # fmt: skip
    [episode] = document["episodes"]
    assert (episode["outcome"], episode["resolved_by"], episode["agents"]) == ("resolved", "agent", ["ann"])
    assert episode["response_seconds"] == [240]
    assert document["state"] == "resolved"

    before_reply = conversation(tape, thread, now=at(2))
    assert before_reply["state"] == "waiting"
    assert len(before_reply["messages"]) == 1
    assert before_reply["episodes"][0]["response_seconds"] == []
    assert conversation(tape, thread, now=at(10))["state"] == "open"
    assert error(tape, "GET", f"/v1/conversations/{thread}?now={at(-1)}")[0] == 404


def test_a_conversation_before_it_expired(tape: Workspace) -> None:
    thread = name("silent")
    tape.post(
        {"type": "message.received", "at": at(), "message_id": thread, "conversation_id": thread, "channel": "sms"}
    )
    assert conversation(tape, thread)["episodes"][0]["outcome"] in ("expired", "no_reply")
    within = conversation(tape, thread, now=at(24 * 60))
    assert (within["state"], within["episodes"][0]["outcome"]) == ("waiting", "open")


def test_a_conversation_before_it_was_merged(tape: Workspace) -> None:
    one, other = name("merged"), name("merged")
    tape.post(
        *({"type": "message.received", "at": at(i), "message_id": m, "conversation_id": m, "channel": "sms",
           "contact_id": one}
          for i, m in enumerate((one, other))),
        {"type": "conversation.merged", "at": at(20), "conversation_id": one, "into": other},
    )  # fmt: skip
    assert [e["outcome"] for e in conversation(tape, one)["episodes"]] == ["merged"]
    assert {m["message_id"] for m in conversation(tape, other)["messages"]} == {one, other}
    assert [e["outcome"] for e in conversation(tape, one, now=at(10))["episodes"]] == ["open"]
    assert {m["message_id"] for m in conversation(tape, other, now=at(10))["messages"]} == {other}


def test_a_message_and_its_life(tape: Workspace) -> None:
    campaign = name("life")
    message = f"{campaign}-m0"
    tape.post(
        {"type": "message.queued", "at": at(-1), "message_id": message},
        sent(campaign, 0, cost=0.5, text="Sale!"),
        {"type": "message.delivered", "at": at(1), "message_id": message},
        {"type": "message.clicked", "at": at(5), "message_id": message, "link_id": "top"},
        {
            "type": "conversion.recorded",
            "at": at(9),
            "conversion_id": campaign,
            "contact_id": f"{campaign}-c0",
            "value": 20,
        },
    )
    tape.settle()

    def at_clock(now: str | None = None) -> Any:
        return tape.get(f"/v1/messages/{message}", **({"now": now} if now else {}))

    document = at_clock()
    assert (document["state"], document["sent_at"], document["delivered_at"]) == ("clicked", at(0), at(1))
    assert [(c["actor"], c["link"]) for c in document["clicks"]] == [("human", "top")]
    assert [(c["conversion_id"], c["value"]) for c in document["conversions"]] == [(campaign, 20)]
    assert document["cost"] == {"value": 0.5, "currency": "USD", "unconverted": []}
    assert document["history"][0]["type"] == "message.queued"
    assert at_clock(at(-0.5))["state"] == "queued"
    assert at_clock(at(0.5))["state"] == "sent"
    assert at_clock(at(2))["state"] == "delivered"
    assert at_clock(at(2))["conversions"] == []
    assert error(tape, "GET", f"/v1/messages/{message}?now=noon")[1]["field"] == "now"


@pytest.mark.parametrize("kind", ["conversations", "messages"])
def test_what_is_not_known_is_not_found(tape: Workspace, kind: str) -> None:
    for target in ("nothing", "a%2Fb", "%F0%9F%8E%88", "x" * 500):
        status, problem = error(tape, "GET", f"/v1/{kind}/{target}")
        assert (status, problem["field"]) == (404, kind[:-1])


def listed(tape: Workspace, **params: str) -> list[str]:
    tape.settle()
    return [c["conversation_id"] for c in tape.get("/v1/conversations", **params)["conversations"]]


def test_the_list_of_conversations() -> None:
    with workspace() as tape:
        for thread, channel, agent, minute in (("a", "sms", "ann", 0), ("b", "email", "bob", 1), ("c", "sms", None, 2)):
            who = {"conversation_id": thread, "contact_id": f"who-{thread}", "channel": channel}
            tape.post(
                {"type": "message.received", "at": at(minute), "message_id": thread, "text": "hello", **who},
                {
                    "type": "conversation.tagged",
                    "at": at(minute + 1),
                    "conversation_id": thread,
                    "topic": f"topic-{thread}",
                },
            )
            if agent:
                tape.post(
                    {"type": "conversation.assigned", "at": at(minute + 1), "conversation_id": thread,
                     "agent_id": agent, "team_id": f"team-{agent}"},
                    {"type": "message.sent", "at": at(minute + 2), "message_id": f"{thread}2", "agent_id": agent,
                     **who},
                )  # fmt: skip
        tape.post(
            {"type": "conversation.resolved", "at": at(10), "conversation_id": "b", "agent_id": "bob"},
            {"type": "message.received", "at": at(11), "message_id": "a3", "conversation_id": "a",
             "contact_id": "who-a", "channel": "sms", "text": "STOP"},
        )  # fmt: skip
        now = at(20)
        assert listed(tape, now=now) == ["c", "b", "a"]
        for params, want in (
            ({"order": "oldest"}, ["a", "b", "c"]),
            ({"order": "latest"}, ["c", "b", "a"]),
            ({"state": "resolved"}, ["b"]),
            ({"state": "open"}, ["c", "a"]),
            ({"state": "waiting", "order": "waiting"}, ["c", "a"]),
            ({"channel": "email"}, ["b"]),
            ({"channel!": "email"}, ["c", "a"]),
            ({"channel": "sms,email"}, ["c", "b", "a"]),
            ({"agent": "ann"}, ["a"]),
            ({"team": "team-bob"}, ["b"]),
            ({"topic": "topic-c"}, ["c"]),
            ({"source": "api"}, ["c", "b", "a"]),
            ({"contact": "who-a"}, ["a"]),
            ({"conversation": "c"}, ["c"]),
            ({"flag": "opt_out"}, ["a"]),
            ({"flag": "frustrated"}, []),
            ({"from": at(1), "to": at(2)}, ["b"]),
            ({"limit": "1", "offset": "1"}, ["b"]),
            ({"now": at(0.5)}, ["a"]),
            ({"now": at(8), "state": "resolved"}, []),
        ):
            assert listed(tape, **{"now": now, **params}) == want, params
        [row] = tape.get("/v1/conversations", conversation="c", now=now)["conversations"]
        assert (row["state"], row["waiting_seconds"], row["contact"]) == ("waiting", 18 * 60, "who-c")
        assert set(listed(tape, order="quality", now=now)) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ("state=opn", "state", "open"),
        ("flag=angry", "flag", "frustrated"),
        ("order=newest", "order", "latest"),
        ("limit=many", "limit", "whole number"),
        ("limit=501", "limit", "500"),
        ("chanel=sms", "chanel", "channel"),
        ("now=noon", "now", "now"),
        ("state=open&state=open", "state", "twice"),
    ],
)
def test_bad_lists(tape: Workspace, query: str, field: str, says: str) -> None:
    status, problem = error(tape, "GET", f"/v1/conversations?{query}")
    assert (status, problem["field"]) == (400, field), problem
    assert says in problem["message"]


# --- hostile text ---

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "quotes": "'\"`\\' OR 1=1 --",
    "sql": "x'); DROP TABLE events; --",
    "parameter": "{metrics:String} {known:Int64} %(x)s $1 {{7*7}}",
    "right to left": "\u202eevil\u202c \u200f",
    "control": "a\tb\x1b[31m\x7f",
    "emoji": "\U0001f388\u0301\ufeff",
    "template": "${jndi:ldap://x}",
    "path": "../../etc/passwd",
    "percent": "100%25_%",
    "newline": "a\r\nset-cookie: x=1",
}  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_data_everywhere(tape: Workspace, text: str) -> None:
    mark = f"{name('h')} {text}"
    event = sent(
        mark, channel="sms", text=text, conversation_id=mark, agent_id=mark, template_id=mark, variant=text,
        sender=text,
        attrs={"plan": text, text: "1"},
    )  # fmt: skip
    reply = {
        "type": "message.received", "at": at(1), "message_id": f"{mark} in", "id": f"{mark} in", "channel": "sms",
        "contact_id": f"{mark}-c0", "conversation_id": mark, "text": text,
    }  # fmt: skip
    tape.post(event, reply)
    tape.settle()
    own = mark.replace(",", "\\,")
    for dimension, value in (("campaign", mark), ("agent", mark), ("template", mark), ("variant", text)):
        rows = tape.query(metrics="sent", by=dimension, campaign=own, **DAY)
        assert [(row[dimension], row["sent"]["value"]) for row in rows] == [(value, 1)]
    rows = tape.query(metrics="sent", by="attrs.plan", campaign=own, **DAY)
    assert rows[0]["attrs.plan"] == text
    assert tape.query(metrics="sent", contact=f"{own}-c0", conversation=own, **DAY)[0]["sent"]["value"] == 1
    assert (
        tape.query(metrics="sent", **{"attrs.plan": text.replace(",", "\\,"), "campaign": own}, **DAY)[0]["sent"][
            "value"
        ]
        == 1
    )
    tape.query(metrics="sent", **{f"attrs.{text}": "1"}, **DAY)
    document = conversation(tape, mark)
    assert {m["text"] for m in document["messages"]} == {text}
    message = tape.get(f"/v1/messages/{quote(mark + '-m0', safe='')}")
    assert message["attrs"] == {"plan": text, text: "1"}
    assert mark in listed(tape, conversation=mark) or "," in mark
    answer = send(tape, "GET", "/v1/query?" + urlencode({"metrics": "sent", "by": "campaign", **DAY}))
    assert answer.headers["content-type"].startswith("application/json")


def test_long_text_is_kept_whole_and_nul_is_taken_out(tape: Workspace) -> None:
    campaign = name("long")
    text = "ä" * 65_535 + "\0"
    tape.post(sent(campaign, text=text))
    tape.settle()
    assert tape.get(f"/v1/messages/{campaign}-m0")["text"] == "ä" * 65_535


@pytest.mark.parametrize("text", [*HOSTILE.values(), "\0", "x" * 70_000], ids=[*HOSTILE, "NUL", "64 KB"])
def test_hostile_parameters_never_break(tape: Workspace, text: str) -> None:
    chance = random.Random(text)
    for target, params in (
        ("/v1/query", {"metrics": text, "last": "1h"}),
        ("/v1/query", {"metrics": "sent", "last": "1h", "campaign": text, "contact!": text}),
        ("/v1/query", {"metrics": "sent", "last": "1h", "by": f"attrs.{text}"}),
        ("/v1/query", {"metrics": "sent", "last": text}),
        ("/v1/query", {"metrics": "sent", "last": "1h", text: text}),
        ("/v1/query", {"metrics": "sent", "last": "1h", "now": text, "timezone": text}),
        ("/v1/conversations", {chance.choice(("contact", "agent", "topic")): text}),
        ("/v1/conversations", {"order": text}),
        ("/v1/rejects", {"source": text}),
        ("/v1/rejects", {"limit": text}),
    ):
        answer = send(tape, "GET", f"{target}?{urlencode(params)}")
        assert answer.status in (200, 400), (target, params, answer.body[:300])
        assert len(answer.body) < 200_000
    for target in ("conversations", "messages", "jobs", "export"):
        answer = send(tape, "GET", f"/v1/{target}/{quote(text, safe='')}?metrics=sent&last=1h" if target == "export"
                      else f"/v1/{target}/{quote(text, safe='')}")  # fmt: skip
        assert answer.status in (400, 404), (target, answer.body[:300])


# --- hooks ---


@pytest.fixture(scope="module")
def hook(tape: Workspace) -> str:
    status, answer = tape.call(
        "POST", "/v1/sources", {"name": "tw", "connector": "twilio", "secrets": {"auth_token": TOKEN}}
    )
    assert status == 201
    assert answer["url"] == "https://tape.example.com/hooks/tw"
    assert any(answer["url"] in step for step in answer["setup"])
    return "/hooks/tw"


def twilio(tape: Workspace, target: str, fields: dict[str, str], signature: str | None = None) -> Response:
    signed = sign(f"https://tape.example.com{target}", fields, TOKEN) if signature is None else signature
    headers = {"content_type": "application/x-www-form-urlencoded", "authorization": ""}
    if signed:
        headers["x_twilio_signature"] = signed
    return send(tape, "POST", target, urlencode(fields).encode(), **headers)


def status_of(sid: str, word: str, **more: str) -> dict[str, str]:
    return {"MessageSid": sid, "MessageStatus": word, "From": "+14155550199", "To": "+14155550123", **more}


def test_twilio_from_webhook_to_figures(tape: Workspace, hook: str) -> None:
    campaign, sid = name("twc"), name("SM")
    target = f"{hook}?campaign_id={campaign}&contact_id={campaign}"
    for word in ("queued", "sent", "delivered", "delivered"):
        assert twilio(tape, target, status_of(sid, word)).status == 204
    inbound = {
        "MessageSid": name("SM"),
        "SmsStatus": "received",
        "Body": "great",
        "From": "+14155550123",
        "To": "+14155550199",
    }
    answer = twilio(tape, hook, inbound)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/xml")
    assert twilio(tape, hook, inbound | {"MessageSid": name("SM"), "Body": "STOP", "OptOutType": "STOP"}).status == 200
    now = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
    [row] = tape.query(metrics="sent,delivered,response_rate,opt_outs", campaign=campaign, last="1h", now=now)
    assert (row["sent"]["value"], row["delivered"]["value"]) == (1, 1)
    assert row["response_rate"]["numerator"] == 1
    assert row["opt_outs"]["value"] == 1
    document = tape.get(f"/v1/messages/{sid}")
    assert (document["state"], document["source"]) == ("replied", "tw")
    [source] = [s for s in tape.get("/v1/sources")["sources"] if s["name"] == "tw"]
    assert (source["connector"], source["enabled"], source["path"]) == ("twilio", True, hook)
    assert source["duplicates"] >= 1
    assert source["last_received_at"]


def test_a_wrong_signature_changes_nothing(tape: Workspace, hook: str) -> None:
    sid = name("SM")

    def refused() -> int:
        return next(int(s["refused"]) for s in tape.get("/v1/sources")["sources"] if s["name"] == "tw")

    before = refused()
    other = sign(f"https://tape.example.com{hook}?x=1", status_of(sid, "sent"), TOKEN)
    for signature in ("", "bm9uc2Vuc2U=", other, "ü"):
        answer = twilio(tape, hook, status_of(sid, "sent"), signature)
        assert answer.status in (401, 403), answer.body
        assert "Signature" in json.loads(answer.body)["error"]["message"]
    assert refused() == before + 4
    tape.settle()
    assert error(tape, "GET", f"/v1/messages/{sid}")[0] == 404


def test_unknown_words_are_kept_and_counted(tape: Workspace, hook: str) -> None:
    raw = status_of(name("SM"), "teleported")
    assert twilio(tape, hook, raw).status == 204
    [source] = [s for s in tape.get("/v1/sources")["sources"] if s["name"] == "tw"]
    assert source["unknown"] == {"teleported": 1}
    assert {"code": "unknown_event", "count": 1} in source["rejects"]
    [kept] = [r for r in tape.get("/v1/rejects", source="tw")["rejects"] if "teleported" in r["body"]]
    assert kept["body"] == urlencode(raw)
    assert "teleported" in kept["error"]["message"]
    assert twilio(tape, hook, {"AccountSid": "AC1"}).status < 500
    codes = {r["error"]["code"] for r in tape.get("/v1/rejects", source="tw")["rejects"]}
    assert len(codes) == 2


def test_unknown_and_disabled_sources(tape: Workspace, hook: str) -> None:
    answer = twilio(tape, "/hooks/nowhere", status_of("SM1", "sent"))
    assert answer.status == 404
    tape.service.control.enable_source("tw", False)
    try:
        answer = twilio(tape, hook, status_of(name("SM"), "sent"))
        assert answer.status == 404
        assert "switched off" in json.loads(answer.body)["error"]["message"]
    finally:
        tape.service.control.enable_source("tw", True)


@pytest.mark.parametrize(
    ("body", "field", "status"),
    [
        ({"connector": "twilio"}, "name", 400),
        ({"name": "x"}, "connector", 400),
        ({"name": 7, "connector": "twilio"}, "name", 400),
        ({"name": "x", "connector": "twillio", "secrets": {}}, "connector", 404),
        ({"name": "x", "connector": "twilio", "secrets": {}}, "secrets.auth_token", 400),
        ({"name": "x", "connector": "twilio", "secrets": {"token": "a"}}, "secrets.token", 400),
        ({"name": "x", "connector": "twilio", "secrets": {"auth_token": ""}}, "secrets.auth_token", 400),
        ({"name": "../x", "connector": "twilio", "secrets": {"auth_token": "a"}}, "name", 400),
    ],
)
def test_bad_sources(tape: Workspace, body: Any, field: str, status: int) -> None:
    got, problem = error(tape, "POST", "/v1/sources", body)
    assert (got, problem["field"]) == (status, field), problem
    assert error(tape, "POST", "/v1/sources", b"[]")[0] == 400


def test_a_source_of_the_same_name_is_refused_and_secrets_are_never_shown(tape: Workspace, hook: str) -> None:
    body = {"name": "tw", "connector": "twilio", "secrets": {"auth_token": TOKEN}}
    assert error(tape, "POST", "/v1/sources", body)[0] == 409
    assert TOKEN not in json.dumps(tape.get("/v1/sources"))


def test_connectors_say_how_they_are_set_up(tape: Workspace) -> None:
    [connector] = [c for c in tape.get("/v1/connectors")["connectors"] if c["name"] == "twilio"]
    assert [f["name"] for f in connector["secret_fields"]] == ["auth_token"]
    assert any("{url}" in step for step in connector["setup"])


# --- the server itself ---


def test_prometheus_figures_parse(tape: Workspace) -> None:
    campaign = name("prom")
    tape.post(sent(campaign))
    tape.settle()
    families = {f.name: f for f in text_string_to_metric_families(send(tape, "GET", "/metrics").body.decode())}
    assert families["tickertape_derive_backlog_events"].samples[0].value == 0
    accepted = {
        s.labels["source"]: s.value for s in families["tickertape_events"].samples if s.labels["outcome"] == "accepted"
    }
    assert accepted["api"] >= 1
    tables = {s.labels["table"]: s.value for s in families["tickertape_table_rows"].samples}
    assert tables["events"] >= 1


def test_rebuild_is_a_job_and_changes_nothing(tape: Workspace) -> None:
    campaign = name("rebuild")
    tape.post(*(sent(campaign, i) for i in range(5)))
    assert counted(tape, campaign) == 5
    status, job = tape.call("POST", "/v1/rebuild")
    assert (status, job["kind"]) == (202, "rebuild")
    while (found := tape.get(f"/v1/jobs/{job['id']}"))["state"] == "running":
        pass
    assert (found["state"], found["done"], found["error"]) == ("done", found["total"], None)
    assert job["id"] in {j["id"] for j in tape.get("/v1/jobs")["jobs"]}
    assert counted(tape, campaign) == 5
    assert error(tape, "GET", "/v1/jobs/none")[0] == 404


def test_workspace(tape: Workspace) -> None:
    assert set(tape.get("/v1/workspace")) == {"sample", "empty", "timezone", "currency"}
    with workspace() as fresh:
        assert fresh.get("/v1/workspace")["empty"] is True
        assert fresh.query(metrics="sent", last="1h") == [{"sent": {"value": 0}}]
        assert fresh.get("/v1/conversations")["conversations"] == []


# --- trouble ---


def test_nothing_is_lost_while_the_store_refuses_writes(tape: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = name("full")
    tape.post(sent(campaign, 0))
    with monkeypatch.context() as broken:

        def refuse(*_: object) -> None:
            raise StoreError("No space left on device.")

        broken.setattr(log, "append", refuse)
        for number in (1, 2):
            answer = send(tape, "POST", "/v1/events", json.dumps([sent(campaign, number)]).encode())
            assert answer.status == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert "again" in json.loads(answer.body)["error"]["message"]
        assert send(tape, "GET", "/readyz").status == 503
        assert counted(tape, campaign) == 1, "questions are answered all the same"
    assert tape.post(sent(campaign, 1), sent(campaign, 2), sent(campaign, 0)) == {
        "accepted": 2, "duplicates": 1, "rejected": [],
    }  # fmt: skip
    assert send(tape, "GET", "/readyz").status == 200
    assert counted(tape, campaign) == 3


def test_what_reached_the_log_before_a_failure_is_counted(tape: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = name("half")
    batch = [sent(campaign, 0), {"type": "nonsense", "id": campaign}]
    with monkeypatch.context() as broken:

        def refuse(*_: object) -> None:
            raise StoreError("No space left on device.")

        broken.setattr(rejects, "keep", refuse)
        assert tape.call("POST", "/v1/events", batch)[0] == 503
    status, answer = tape.call("POST", "/v1/events", batch)
    assert (status, answer["duplicates"]) == (207, 1)
    assert counted(tape, campaign) == 1


def test_facts_catch_up_after_the_store_refused_them(tape: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = name("facts")
    store = tape.service.store
    insert = type(store).insert

    def refuse(self: Any, table: str, rows: Any) -> None:
        if table != "events":
            raise StoreError("No space left on device.")
        insert(self, table, rows)

    with monkeypatch.context() as broken:
        broken.setattr(type(store), "insert", refuse)
        assert tape.post(*(sent(campaign, i) for i in range(3)))["accepted"] == 3
    assert counted(tape, campaign) == 3
    tape.post(sent(campaign, 3))
    assert counted(tape, campaign) == 4


def test_back_pressure(tape: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from tickertape import ingest

    campaign = name("pressure")
    for module, limit in ((ingest, "WAITING_EVENTS"), (ingest, "BACKLOG_EVENTS"), (ingest_routes, "IN_FLIGHT_BYTES")):
        with monkeypatch.context() as small:
            small.setattr(module, limit, -1)
            answer = send(tape, "POST", "/v1/events", json.dumps([sent(campaign)]).encode())
            assert (answer.status, answer.headers["retry-after"]) == (503, "2"), limit
    with monkeypatch.context() as small:
        small.setattr(ingest_routes, "LIMITS", Limits(sent=100))
        assert error(tape, "POST", "/v1/events", b" " * 101)[0] == 413
    assert tape.post(sent(campaign))["accepted"] == 1
    assert counted(tape, campaign) == 1
