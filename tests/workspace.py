"""A whole workspace in the test's process: the real application on the real embedded store, without a network."""

import itertools
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from engine import shared_store
from tickertape.api.service import Service
from tickertape.app import Config, create_app
from tickertape.cli.asgi_transport import AsgiTransport
from tickertape.cli.client import Client
from tickertape.control import PROCESS_TOKEN

_numbers = itertools.count()


class Workspace:
    """One database and one data folder; may be closed and opened again, as after a restart."""

    def __init__(self, folder: Path) -> None:
        engine = shared_store()
        name = f"workspace_{next(_numbers)}"
        engine.command(f"CREATE DATABASE {name}")
        self.config = Config(data=folder, store=f"{engine.dsn}?database={name}", public_url="https://tape.example.com")
        self._drop = lambda: engine.command(f"DROP DATABASE {name} SYNC")
        self.open()

    def open(self) -> None:
        def make() -> Any:
            self._app = create_app(self.config)
            return self._app

        self._transport = AsgiTransport(make)
        self.client = Client(self._transport, PROCESS_TOKEN)

    def close(self) -> None:
        self._transport.close()

    def restart(self) -> None:
        self.close()
        self.open()

    def remove(self) -> None:
        self.close()
        self._drop()

    @property
    def service(self) -> Service:
        service: Service = self._app.service
        return service

    def call(self, method: str, target: str, json: Any = None, **headers: str) -> tuple[int, Any]:
        body = None if json is None else msgspec.json.encode(json)
        extra = {"content-type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        answer = self.client.request(method, target, body=body, headers=extra)
        return answer.status, msgspec.json.decode(answer.body) if answer.body else None

    def get(self, target: str, **params: str) -> Any:
        status, answer = self.call("GET", target + ("?" + urlencode(params) if params else ""))
        assert status == 200, answer
        return answer

    def post(self, *events: dict[str, Any]) -> Any:
        status, answer = self.call("POST", "/v1/events", list(events))
        assert status == 200, answer
        return answer

    def query(self, **params: str) -> list[dict[str, Any]]:
        self.settle()
        rows: list[dict[str, Any]] = self.get("/v1/query", **params)["rows"]
        return rows

    def settle(self, seconds: float = 60.0) -> None:
        """Waits until the facts have followed the log."""
        deadline = time.monotonic() + seconds
        while not self.service.settled:
            assert time.monotonic() < deadline, "the facts do not follow the log"
            time.sleep(0.005)


@contextmanager
def workspace() -> Iterator[Workspace]:
    with tempfile.TemporaryDirectory(prefix="tickertape-workspace-") as folder:
        opened = Workspace(Path(folder))
        try:
            yield opened
        finally:
            opened.remove()
