"""A real server on a temporary data folder, with invented traffic posted over HTTP, and Chromium in front of it."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sample_traffic import traffic
from visitor import Server, Window

from tickertape import dashboard

playwright_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
READY_SECONDS = 60


@contextlib.contextmanager
def _serving(data: Path) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("tickertape"))]
    environment = os.environ | {"TICKERTAPE_DATA": str(data)}
    log = (data.parent / "server.log").open("wb")
    process = subprocess.Popen(
        [*command, "serve", "--port", str(port)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the server did not start:\n{Path(log.name).read_text()[-3000:]}")
            time.sleep(0.2)
        made = subprocess.run(
            [*command, "keys", "create", "browser-test", "--scope", "admin"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        yield Server(url, made.stdout.strip())
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def _need_pages() -> None:
    if not (dashboard.STATIC / "index.html").exists():
        pytest.skip("the dashboard is not built: run `npm ci && npm run build` in web/")
    if not Path(CHROMIUM).exists():
        pytest.skip(f"Chromium is not installed ({CHROMIUM}); install it or set CHROMIUM to its path")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with traffic in it."""
    _need_pages()
    with _serving(tmp_path_factory.mktemp("full") / "data") as running:
        running.post(traffic(datetime.now(UTC)))
        deadline = time.monotonic() + 30
        while running.ask(metrics="sent", last="7d")["rows"][0]["sent"]["value"] < 400:
            assert time.monotonic() < deadline, "the posted events do not show up in the figures"
            time.sleep(0.2)
        yield running


@pytest.fixture(scope="session")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server in which nothing ever happened."""
    _need_pages()
    with _serving(tmp_path_factory.mktemp("empty") / "data") as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    _need_pages()
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Any, server: Server) -> Iterator[Window]:
    opened = Window(chromium, server)
    yield opened
    opened.context.close()
    assert opened.problems == []
