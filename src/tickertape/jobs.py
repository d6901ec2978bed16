"""Long work that people may watch: rebuilds and restatements, with how far they are."""

import secrets
from collections import OrderedDict
from typing import Any

from tickertape.derive.deriver import Progress
from tickertape.errors import NotFound

KEPT = 100


class Jobs:
    def __init__(self) -> None:
        self._jobs: OrderedDict[str, tuple[str, Progress]] = OrderedDict()

    def add(self, kind: str, progress: Progress) -> str:
        name = secrets.token_hex(8)
        self._jobs[name] = (kind, progress)
        while len(self._jobs) > KEPT:
            self._jobs.popitem(last=False)
        return name

    def list(self) -> list[dict[str, Any]]:
        return [self.get(name) for name in reversed(self._jobs)]

    def get(self, name: str) -> dict[str, Any]:
        """Raises NotFound."""
        if name not in self._jobs:
            raise NotFound("There is no such job, or it ended long ago.", field="job")
        kind, progress = self._jobs[name]
        state = "failed" if progress.error else "done" if progress.finished else "running"
        return {
            "id": name,
            "kind": kind,
            "state": state,
            "done": progress.done,
            "total": progress.total,
            "error": progress.error or None,
        }
