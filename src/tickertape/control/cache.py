"""A small cache whose entries live for seconds."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class TtlCache(Generic[K, V]):
    """Keeps what `load` returned, misses too, for `ttl` seconds; holds at most `size` entries. Thread safe."""

    def __init__(self, ttl: float, size: int = 4096) -> None:
        self._ttl = ttl
        self._size = size
        self._entries: dict[K, tuple[float, V]] = {}
        self._generation = 0
        self._lock = threading.Lock()

    def get(self, key: K, load: Callable[[], V]) -> V:
        entry = self._entries.get(key)
        if entry is not None and entry[0] > time.monotonic():
            return entry[1]
        generation = self._generation
        value = load()
        with self._lock:
            # What was read before an invalidation must not be remembered after it.
            if generation == self._generation:
                if len(self._entries) >= self._size:
                    # Only somebody who guesses keys fills it; starting again bounds the memory at no bookkeeping.
                    self._entries.clear()
                self._entries[key] = (time.monotonic() + self._ttl, value)
        return value

    def clear(self) -> None:
        with self._lock:
            self._generation += 1
            self._entries.clear()
