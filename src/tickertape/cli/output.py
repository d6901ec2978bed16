"""How results reach the terminal."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from tickertape.cli.options import Options


def show(options: Options, result: Any, render: Callable[[Any], RenderableType]) -> None:
    """Prints a result on stdout: as JSON with --json, else as `render` draws it."""
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(result), indent=2).decode())
    else:
        Console().print(render(result))


def note(message: str) -> None:
    """A remark on stderr, so that stdout holds the result alone."""
    Console(stderr=True, highlight=False).print(safe(message), soft_wrap=True)


def safe(value: object) -> Text:
    """Text for the terminal: no markup, no control characters (customers' text may hold escape sequences)."""
    return Text("".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in str(value)))


def table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    """An empty table; the columns in `right` are aligned to the right."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def moment(ms: int | None) -> str:
    """Milliseconds since the epoch as UTC, to the second; empty for None."""
    return "" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def interactive() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
