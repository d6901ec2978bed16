"""The kinds of metric: what a row of the catalogue is made of, and how its cell is worked out of SQL aggregates.

A metric names terms; a term is one aggregate over the rows of one grain. Ratios and quotients divide last, so a total
is never an average of averages.
"""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from msgspec import Struct

from tickertape.metrics.money import MICROS, Rates
from tickertape.settings import Settings

Cell = dict[str, Any]
_DAY_MS = 86_400_000


class Term(Struct, frozen=True):
    """One aggregate over the rows of a grain (see grains.py) that meet the condition.

    `aggregate` is a name of sql.AGGREGATES; `argument` and `condition` are expressions over the grain's definitions.
    Dimensions in `ignores` neither split nor filter it: its value is that of the row's other dimensions. `per_link`:
    asked by link, a message counts once for each link that a person clicked in it.
    """

    grain: str
    aggregate: str = "count"
    argument: str = ""
    condition: str = "1"
    ignores: tuple[str, ...] = ()
    per_link: bool = False


class Context(Struct, frozen=True):
    """What a cell depends on besides its aggregates. `now` is the clock in ms; `bucketed`: the row is of a series."""

    now: int
    bucketed: bool
    settings: Settings
    rates: Rates


Read = Callable[[Term], Any]
"""The value of a term for the row at hand; the aggregate's value over no rows where the row has none."""


class Metric(Struct, frozen=True, kw_only=True):
    """What every row of the catalogue carries. `formula` and `advice` are read by people, in API and dashboard."""

    unit: ClassVar[str]

    name: str
    title: str
    description: str
    formula: str
    good: str  # up, down, neutral
    advice: str
    source: str = "Own definition."
    filtered_by: str | None = None
    """A dimension without whose filter the question cannot be answered."""

    def terms(self) -> tuple[Term, ...]:
        raise NotImplementedError

    def cell(self, read: Read, context: Context) -> Cell:
        raise NotImplementedError

    def has_data(self, cell: Cell) -> bool:
        """Whether a row of a break-down is worth listing for this cell."""
        return bool(cell.get("n") or cell.get("denominator") or (cell.get("n") is None and cell["value"]))


class Count(Metric, frozen=True, kw_only=True):
    unit: ClassVar[str] = "count"
    count: Term
    per: int = 1
    """Of the term's unit that make one of the metric's."""

    def terms(self) -> tuple[Term, ...]:
        return (self.count,)

    def cell(self, read: Read, context: Context) -> Cell:
        value = _total(read(self.count))
        return {"value": value if self.per == 1 else round(value / self.per, 6)}


class Ratio(Metric, frozen=True, kw_only=True):
    """A share. `window` is how long (ms) a member of the denominator may still become one of the numerator;
    `youngest` is the aggregate that finds the latest start of such a window, `unsettled` counts provisional members."""

    unit: ClassVar[str] = "ratio"
    numerator: Term
    denominator: Term
    window: Callable[[Settings], int] | None = None
    youngest: Term | None = None
    unsettled: Term | None = None
    sampled: bool = True
    """False where the terms are no counts of independent cases, so that no interval can be given."""

    def terms(self) -> tuple[Term, ...]:
        return tuple(t for t in (self.numerator, self.denominator, self.youngest, self.unsettled) if t is not None)

    def cell(self, read: Read, context: Context) -> Cell:
        numerator, denominator = _total(read(self.numerator)), _total(read(self.denominator))
        low, high = wilson(numerator, denominator) if self.sampled else (None, None)
        return {
            "value": numerator / denominator if denominator else None,
            "numerator": numerator,
            "denominator": denominator,
            "low": low,
            "high": high,
            "maturing": bool(denominator) and self._maturing(read, context),
        }

    def _maturing(self, read: Read, context: Context) -> bool:
        if self.unsettled is not None and read(self.unsettled):
            return True
        if self.youngest is None or self.window is None:
            return False
        return bool(read(self.youngest) > context.now - self.window(context.settings))

    def has_data(self, cell: Cell) -> bool:
        # A denominator that ignores a dimension is there for every value of it.
        return bool(cell["numerator"] if self.denominator.ignores else cell["denominator"])


class Seconds(Metric, frozen=True, kw_only=True):
    """A duration; the term's aggregate is over milliseconds. `business`: the same by business hours."""

    unit: ClassVar[str] = "seconds"
    duration: Term
    business: Term | None = None
    headline: str = "p50"

    def terms(self) -> tuple[Term, ...]:
        return tuple(t for t in (self.duration, self.business) if t is not None)

    def cell(self, read: Read, context: Context) -> Cell:
        business = spread(read(self.business), self.headline) if self.business else None
        cell = spread(read(self.duration), self.headline)
        cell["business"] = business if business and business["n"] else None
        return cell

    def has_data(self, cell: Cell) -> bool:
        return bool(cell["n"])


class Money(Metric, frozen=True, kw_only=True):
    """Amounts added up in the workspace's currency, less the amounts of `minus`; `members` counts what they are of."""

    unit: ClassVar[str] = "money"
    plus: Term
    members: Term
    minus: Term | None = None

    def terms(self) -> tuple[Term, ...]:
        return tuple(t for t in (self.plus, self.members, self.minus) if t is not None)

    def cell(self, read: Read, context: Context) -> Cell:
        rates = context.rates
        sums: dict[tuple[str, int], Decimal] = {}
        for sign, term in ((1, self.plus), (-1, self.minus)):
            for key, micros in (read(term) if term else {}).items():
                sums[key] = sums.get(key, Decimal(0)) + Decimal(sign * int(micros)) / MICROS
        members = {key: n for key, n in read(self.members).items() if n}
        value, n = Decimal(0), 0
        unconverted: dict[str, tuple[Decimal, int]] = {}
        for key in sorted(sums.keys() | members.keys()):
            amount, count = sums.get(key, Decimal(0)), members.get(key, 0)
            if not amount and not count:
                continue
            rate = rates.rate(*key)
            if rate is None:
                before = unconverted.get(key[0], (Decimal(0), 0))
                unconverted[key[0]] = (before[0] + amount, before[1] + count)
            else:
                value, n = value + amount * rate, n + count
        empty = not (n or value or unconverted)
        return {
            "value": None if empty and context.bucketed else number(value),
            "currency": rates.currency,
            "n": n,
            "unconverted": [{"currency": c, "value": number(v), "n": k} for c, (v, k) in unconverted.items()],
        }

    def has_data(self, cell: Cell) -> bool:
        return bool(cell["n"] or cell["value"] or cell["unconverted"])


class MoneyPer(Metric, frozen=True, kw_only=True):
    """Money per unit; null where there is no unit. `per` None: per member of the money that has a rate."""

    unit: ClassVar[str] = "money"
    money: Money
    per: Term | None = None

    def terms(self) -> tuple[Term, ...]:
        return (*self.money.terms(), *((self.per,) if self.per else ()))

    def cell(self, read: Read, context: Context) -> Cell:
        cell = self.money.cell(read, context)
        units = cell["n"] if self.per is None else _total(read(self.per))
        return {**cell, "value": number(Decimal(str(cell["value"] or 0)) / units) if units else None, "n": units}

    def has_data(self, cell: Cell) -> bool:
        return bool(cell["n"] or cell["unconverted"])


class Mean(Metric, frozen=True, kw_only=True):
    """The mean of a score, with the bounds of the normal approximation of its 95 % interval."""

    unit: ClassVar[str] = "score"
    mean: Term

    def terms(self) -> tuple[Term, ...]:
        return (self.mean,)

    def cell(self, read: Read, context: Context) -> Cell:
        n, mean, deviation = read(self.mean)
        if not n:
            return {"value": None, "n": 0, "low": None, "high": None}
        if n == 1:
            return {"value": mean, "n": n, "low": None, "high": None}
        reach = _Z * deviation / math.sqrt(n)
        return {"value": mean, "n": n, "low": mean - reach, "high": mean + reach}


class Quotient(Metric, frozen=True, kw_only=True):
    """One metric's value by another's; null where the divisor is 0. n is what was divided."""

    unit: ClassVar[str] = "score"
    dividend: Metric
    divisor: Metric

    def terms(self) -> tuple[Term, ...]:
        return self.dividend.terms() + self.divisor.terms()

    def cell(self, read: Read, context: Context) -> Cell:
        top, bottom = self.dividend.cell(read, context), self.divisor.cell(read, context)
        value = (top["value"] or 0) / bottom["value"] if bottom["value"] else None
        return {"value": value, "n": top.get("n", top["value"]), "low": None, "high": None}

    def has_data(self, cell: Cell) -> bool:
        return cell["value"] is not None or bool(cell["n"])


_Z = 1.959963984540054


def wilson(numerator: float, denominator: float) -> tuple[float | None, float | None]:
    """The 95 % Wilson score bounds of a proportion; (None, None) for a denominator of 0."""
    if not denominator:
        return None, None
    p, z2n = numerator / denominator, _Z * _Z / denominator
    centre, reach = p + z2n / 2, _Z * math.sqrt(p * (1 - p) / denominator + z2n / denominator / 4)
    # At 0 and 1 the bound is exact; rounding must not move it.
    low = 0.0 if numerator == 0 else max(0.0, (centre - reach) / (1 + z2n))
    high = 1.0 if numerator == denominator else min(1.0, (centre + reach) / (1 + z2n))
    return low, high


def spread(aggregate: tuple[int, list[float], float, float], headline: str = "p50") -> Cell:
    """The cell of (n, [p50, p90, p95], mean, max) in milliseconds, in seconds."""
    n, percentiles, mean, largest = aggregate
    if not n:
        return {"value": None, "n": 0, "p50": None, "p90": None, "p95": None, "mean": None, "max": None}
    p50, p90, p95, mean, largest = (round(float(x) / 1000, 6) for x in (*percentiles, mean, largest))
    cell = {"value": p50, "n": n, "p50": p50, "p90": p90, "p95": p95, "mean": mean, "max": largest}
    cell["value"] = cell[headline]
    return cell


def number(value: Decimal) -> float:
    """Money for JSON. Not rounded to the minor unit: the price of one message may be a fraction of a cent."""
    return round(float(value), 6)


def days(count: float) -> int:
    """In milliseconds."""
    return round(count * _DAY_MS)


def _total(value: Any) -> Any:
    """Terms of a grain with currencies come per currency; counts of them add up."""
    return sum(value.values()) if isinstance(value, dict) else value
