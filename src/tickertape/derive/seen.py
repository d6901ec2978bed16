"""Remembers keys in a few bits each: "surely new" is certain, "may exist" is right but for one in ten thousand."""

from collections.abc import Sequence

from rbloom import Bloom

FALSE_POSITIVES = 1e-4
SMALLEST = 200_000


class Seen:
    """A Bloom filter that grows by adding a larger one when the last is full."""

    def __init__(self, expected: int = 0) -> None:
        self._room = max(SMALLEST, 2 * expected)
        self._filters = [Bloom(self._room, FALSE_POSITIVES)]
        self._filled = 0

    def add(self, key: int) -> None:
        if key in self:
            return
        self._make_room()
        self._filters[-1].add(key)
        self._filled += 1

    def _make_room(self) -> None:
        if self._filled >= self._room:
            self._room *= 2
            self._filters.append(Bloom(self._room, FALSE_POSITIVES))
            self._filled = 0

    def update(self, keys: Sequence[int]) -> None:
        self._make_room()
        self._filters[-1].update(keys)
        self._filled += len(keys)

    def __contains__(self, key: int) -> bool:
        if key in self._filters[-1]:
            return True
        return len(self._filters) > 1 and any(key in f for f in self._filters[:-1])
