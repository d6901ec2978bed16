"""A tickertape server of its own process on a throw-away folder, and requests to it."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx


class Server:
    def __init__(self, data: Path) -> None:
        self.data = data
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        command = [str(Path(sys.executable).with_name("tickertape")), "--data", str(data)]
        made = subprocess.run(
            [*command, "keys", "create", "bench", "--scope", "admin"], capture_output=True, text=True, check=True
        )
        self.headers = {"authorization": f"Bearer {made.stdout.split()[-1]}"}
        began = time.monotonic()
        self.process = subprocess.Popen([*command, "serve", "--port", str(self.port), "--log-level", "warning"])
        while True:
            try:
                if httpx.get(self.url + "/readyz").status_code == 200:
                    break
            except httpx.HTTPError:
                time.sleep(0.05)
        self.started_in = time.monotonic() - began

    def get(self, path: str, **params: str) -> httpx.Response:
        answer = httpx.get(self.url + path, params=params, headers=self.headers, timeout=300)
        answer.raise_for_status()
        return answer

    def figure(self, name: str) -> float:
        """One of the server's own Prometheus figures, summed over its labels."""
        lines = [line for line in self.get("/metrics").text.splitlines() if line.startswith(name)]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def memory_mb(self) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def bytes_on_disk(self) -> float:
        return self.figure("tickertape_table_bytes")

    def wait_until_derived(self) -> None:
        while self.figure("tickertape_derive_backlog_events") > 0:
            time.sleep(0.1)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


@contextmanager
def server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="tickertape-bench-", dir=os.environ.get("BENCH_DIR")))
    running = Server(folder)
    try:
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)
