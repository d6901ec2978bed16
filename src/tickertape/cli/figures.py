"""How a metric's cell reads on a terminal."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Cell = Mapping[str, Any]
NOTHING = "–"


def value(cell: Cell | None, unit: str) -> str:
    """The figure of a cell, in its unit; a dash where there is none."""
    if cell is None or cell.get("value") is None:
        return NOTHING
    write = _VALUES.get(unit)
    return write(cell["value"], cell) if write else str(cell["value"])


def sample(cell: Cell | None) -> str:
    """How many things a figure rests on; empty where the figure is itself a count."""
    if cell is None:
        return ""
    n = cell.get("n", cell.get("denominator"))
    return "" if n is None else f"{n:,}"


def bounds(cell: Cell | None, unit: str) -> str:
    """The 95 % bounds of a ratio or a score; the middle and slow ends of a duration."""
    if cell is None:
        return ""
    if cell.get("low") is not None and cell.get("high") is not None:
        return f"{value({**cell, 'value': cell['low']}, unit)} … {value({**cell, 'value': cell['high']}, unit)}"
    if unit == "seconds" and cell.get("p90") is not None:
        return f"p90 {duration(cell['p90'])}"
    return ""


def change(cell: Cell | None) -> str:
    """What `compare` adds: the change since the previous range, or the standing against the benchmark."""
    if cell is None:
        return ""
    if isinstance(benchmark := cell.get("benchmark"), Mapping):
        return str(benchmark.get("status") or "").replace("_", " ")
    moved = cell.get("change")
    return "" if moved is None else f"{moved:+.1%}"


def duration(seconds: float) -> str:
    """Two units at most: `42 s`, `3 m 12 s`, `5 h 7 m`, `2 d 4 h`."""
    if seconds < 60:
        return f"{seconds:.3g} s"
    for size, unit, smaller_size, smaller in _UNITS:
        if seconds >= size:
            whole = int(seconds)
            return f"{whole // size} {unit} {whole % size // smaller_size} {smaller}"
    raise AssertionError(seconds)


_UNITS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s"))


def _money(amount: Any, cell: Cell) -> str:
    return f"{Decimal(str(amount)):,.2f} {cell.get('currency') or ''}".rstrip()


_VALUES: dict[str, Callable[[Any, Cell], str]] = {
    "ratio": lambda v, _: f"{v:.1%}",
    "seconds": lambda v, _: duration(v),
    "count": lambda v, _: f"{v:,}",
    "money": _money,
    "score": lambda v, _: f"{v:.2f}",
}
