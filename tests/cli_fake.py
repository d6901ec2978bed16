"""The command line on a stand-in for the application: the shapes of the API, with no engine behind them.

Run as a script it is `tickertape` with that application; FAKE_LOG names a file for what it was sent.
"""

import asyncio
import json
import os
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tickertape.control import PROCESS_TOKEN

CELLS = {
    "ratio": {"value": 0.25, "numerator": 5, "denominator": 20, "low": 0.11, "high": 0.47, "maturing": False},
    "seconds": {"value": 192.0, "n": 7, "p50": 192.0, "p90": 7620.0, "p95": 9000.0, "mean": 300.0, "max": 9000.0},
}


@dataclass
class Config:
    data: Path
    store: str | None
    control: str | None
    host: str
    port: int
    public_url: str | None


class App:
    def __init__(self, config: Config) -> None:
        self.log = Path(os.environ["FAKE_LOG"]) if "FAKE_LOG" in os.environ else config.data / "fake.log"
        self.busy = int(os.environ.get("FAKE_BUSY", "0"))
        self.polls = 0
        config.data.mkdir(parents=True, exist_ok=True)

    def note(self, what: Any) -> None:
        with self.log.open("a") as file:
            file.write(json.dumps(what) + "\n")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self.lifespan(receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        path, query = scope["path"], scope["query_string"].decode()
        if path == "/stream":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": b"data: x\n\n", "more_body": True})
                await asyncio.sleep(0.1)
        if path != "/healthz":
            if headers.get("authorization") != f"Bearer {PROCESS_TOKEN}":
                await answer(send, 401, {"error": {"code": "unauthorised", "field": None, "message": "No such key."}})
                return
            self.note([scope["method"], path, query, body.decode()])
        status, said, more = self.reply(scope["method"], path, body)
        if isinstance(said, bytes):
            await send({"type": "http.response.start", "status": status, "headers": []})
            for n in range(0, len(said), 1000):
                await send({"type": "http.response.body", "body": said[n : n + 1000], "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        else:
            await answer(send, status, said, more)

    def reply(self, method: str, path: str, body: bytes) -> tuple[int, Any, dict[str, str]]:
        none: dict[str, str] = {}
        if path == "/healthz":
            return 200, {"ok": True}, none
        if (method, path) == ("POST", "/v1/events"):
            if self.busy:
                self.busy -= 1
                return 503, {"error": {"message": "busy"}}, {"retry-after": "0.1"}
            return 200, self.events(body), none
        if path == "/v1/query":
            metrics = {"delivery_rate": {"unit": "ratio", "good": "up"}, "response_time": {"unit": "seconds"}}
            row = {"channel": "sms\x1b[2J", "delivery_rate": CELLS["ratio"], "response_time": CELLS["seconds"]}
            span = {"from": "2026-03-01T00:00:00Z", "to": "2026-03-08T00:00:00Z", "timezone": "UTC"}
            return 200, {**span, "as_of": span["to"], "metrics": metrics, "rows": [row]}, none
        if path.startswith("/v1/export/query."):
            return (200, b"a,b\n" + b"1,2\n" * 5000, none) if path.endswith("csv") else (
                400, {"error": {"code": "invalid_input", "field": "metrics", "message": "There is no metric x."}}, none
            )  # fmt: skip
        if path == "/v1/rejects":
            return (
                200,
                {"rejects": [{"source": "api", "error": {"message": "at is missing"}, "body": "\x1b]0;x"}]},
                none,
            )
        if path == "/v1/rebuild":
            return 202, {"id": "j1"}, none
        if path == "/v1/jobs/j1":
            self.polls += 1
            state = os.environ.get("FAKE_JOB", "done") if self.polls > 1 else "running"
            return 200, {"id": "j1", "state": state, "done": self.polls, "total": 2, "error": "disk full"}, none
        if path == "/v1/settings":
            return 200, {"timezone": "UTC", "targets": {"response_seconds": 300}, **json.loads(body or b"{}")}, none
        return 404, {"error": {"code": "not_found", "field": None, "message": f"There is no {path}."}}, none

    def events(self, body: bytes) -> dict[str, Any]:
        accepted, rejected = 0, []
        lines = body.split(b"\n")
        for index, line in enumerate(lines):
            try:
                event = json.loads(line)
                if not isinstance(event, dict) or "type" not in event:
                    raise ValueError("type is missing")
                accepted += 1
            except ValueError as error:
                problem = {"code": "invalid_event", "field": "type", "message": str(error)}
                rejected.append({"index": index, "id": None, "error": problem})
        if (limit := int(os.environ.get("FAKE_DIE_AFTER", "0"))) and (
            sum("/v1/events" in line for line in self.log.read_text().splitlines()) >= limit
        ):
            os._exit(9)
        return {"accepted": accepted, "duplicates": 0, "rejected": rejected}

    async def lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        if os.environ.get("FAKE_BROKEN"):
            await send({"type": "lifespan.startup.failed", "message": "traceback"})
            raise RuntimeError("the folder is on fire")
        if "FAKE_SLOW" in os.environ:
            self.note("starting")
            await asyncio.sleep(60)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.note("stopped")
        await send({"type": "lifespan.shutdown.complete"})


async def answer(send: Any, status: int, said: Any, more: dict[str, str] | None = None) -> None:
    headers = [(name.encode(), value.encode()) for name, value in (more or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(said).encode()})


def module() -> types.ModuleType:
    """What stands in for tickertape.app."""
    made = types.ModuleType("tickertape.app")
    made.Config = Config  # type: ignore[attr-defined]
    made.create_app = App  # type: ignore[attr-defined]
    return made


if __name__ == "__main__":
    sys.modules["tickertape.app"] = module()
    from tickertape.cli import main

    main()
