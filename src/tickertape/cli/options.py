"""The options that every command has, and where the data is by default."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def default_data() -> Path:
    """$XDG_DATA_HOME/tickertape, else ~/.local/share/tickertape."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "tickertape"


@dataclass(frozen=True)
class Options:
    data: Annotated[Path, Parameter(env_var="TICKERTAPE_DATA", show_default=False)] = field(
        default_factory=default_data
    )
    "The data folder; default ~/.local/share/tickertape."

    store: Annotated[str | None, Parameter(env_var="TICKERTAPE_STORE")] = None
    "Analytics on a ClickHouse server: clickhouse://user:password@host/database."

    control: Annotated[str | None, Parameter(env_var="TICKERTAPE_CONTROL")] = None
    "Keys, sources and settings in another database: postgresql+psycopg://user:password@host/database."

    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False
    "Print the result as JSON."

    debug: Annotated[bool, Parameter(negative=(), show_default=False)] = False
    "Show where in the program an error arose."


STDIN = "/dev/stdin"
"""How `-` among the files of `import` reaches it."""

Given = Annotated[Options, Parameter(parse=False)]
"""How a command asks for the options; the launcher passes them in."""
