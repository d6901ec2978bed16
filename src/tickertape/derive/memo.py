"""A small cache for what is worked out from settings, which cannot be hashed."""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

CAPACITY = 256


class ByIdentity(Generic[K, V]):
    """Calls `make` once per object. The object must not be changed afterwards."""

    def __init__(self, make: Callable[[K], V]) -> None:
        self._make = make
        self._known: dict[int, tuple[K, V]] = {}

    def __call__(self, source: K) -> V:
        # The entry holds its source, so that no other object can take over its id while the entry lives.
        entry = self._known.get(id(source))
        if entry is not None:
            return entry[1]
        if len(self._known) >= CAPACITY:
            self._known.clear()
        value = self._make(source)
        self._known[id(source)] = (source, value)
        return value
