"""What every handler works with: the opened store, its ingest and deriver, and the control plane."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from tickertape.control import ControlPlane
from tickertape.derive.asof import AsOf
from tickertape.derive.deriver import Deriver, Progress, settings_stamp
from tickertape.ingest import Ingest
from tickertape.jobs import Jobs
from tickertape.live import Hub
from tickertape.metrics import Query, answer, parse
from tickertape.settings import Settings, resolve
from tickertape.store import Store

T = TypeVar("T")
QUERY_THREADS = 4


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Service:
    """One workspace, opened. Blocking work runs in a few threads, each with its own handle on the engine."""

    def __init__(self, store: Store, control: ControlPlane, data: Path, clock: Callable[[], int] = now_ms) -> None:
        self.store = store
        self.control = control
        self.data = data
        self.clock = clock
        self.settings: Settings = resolve(control.settings().stored)
        self.deriver = Deriver(store, self.settings, clock)
        self.asof = AsOf(store, self.deriver)
        self.ingest = Ingest(store, self.deriver, clock)
        self.jobs = Jobs()
        self.hub = Hub(self.answer)
        self._threads = ThreadPoolExecutor(QUERY_THREADS, "query")

    def start(self) -> None:
        self.deriver.changed = self.hub.notify
        self.deriver.start()
        self.ingest.start()

    def stop(self) -> None:
        self.ingest.stop()
        self.deriver.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)

    @property
    def settled(self) -> bool:
        """Whether the facts show every event that was answered with 200."""
        return self.deriver.shown_seq >= self.ingest.last_seq

    @property
    def sample(self) -> bool:
        """Whether this is the sample workspace of `tickertape demo`."""
        return (self.data / "sample.json").exists()

    async def blocking(self, work: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)

    def parse(self, params: Mapping[str, Any]) -> Query:
        return parse(params, self.settings, self.clock())

    def answer(self, query: Query) -> dict[str, Any]:
        """The one way a question about figures is answered, whoever asks."""
        relations = {}
        if query.explicit_now and "episodes" in query.tables:
            relations["episodes"] = self.asof.episodes(query.now)
        return answer(self.store, query, self.settings, relations)

    def change_settings(self, patch: Mapping[str, Any], by: str) -> Progress | None:
        """Stores the change; where facts depend on it they are derived again, and the old ones stand until then."""
        stored = self.control.put_settings(patch, by).stored
        before, self.settings = self.settings, resolve(stored)
        if settings_stamp(before) == settings_stamp(self.settings):
            return None
        progress = self.deriver.rebuild(self.settings)
        self.jobs.add("restate", progress)
        return progress
