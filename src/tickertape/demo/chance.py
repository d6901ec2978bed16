"""Repeatable chance: every story draws from a generator that its own name seeds, so none disturbs another."""

import math
from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar


class Weighted(Protocol):
    @property
    def weight(self) -> float: ...


Row = TypeVar("Row", bound=Weighted)
Value = TypeVar("Value")


def generator(seed: int, *name: object) -> Random:
    """The generator of the thing with this name. The same seed and name give the same draws on any machine."""
    return Random(":".join(map(str, (seed, *name))))


def pick(rng: Random, rows: Sequence[Row]) -> Row:
    """One of the rows, by their `weight`."""
    return rng.choices(rows, [row.weight for row in rows])[0]


def pick_pair(rng: Random, pairs: Sequence[tuple[Value, float]]) -> Value:
    """The first half of one of the pairs, by the second half as its weight."""
    return rng.choices([value for value, _ in pairs], [weight for _, weight in pairs])[0]


def delay(rng: Random, median_s: float, spread: float = 0.8) -> int:
    """A log-normal delay in milliseconds: most near the median, some much longer, never under 50 ms."""
    return max(50, int(1000 * median_s * math.exp(rng.gauss(0, spread))))


def poisson(rng: Random, mean: float) -> int:
    """How many of many rare things happen (Knuth's method below 30, the normal limit above)."""
    if mean > 30:
        return max(0, round(rng.gauss(mean, math.sqrt(mean))))
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count
