"""`tickertape import`."""

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from msgspec import Struct
from rich.console import Console, Group, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from tickertape.cli.checkpoints import Checkpoint, Checkpoints
from tickertape.cli.client import Client, connect
from tickertape.cli.errors import CliError
from tickertape.cli.options import STDIN, Given
from tickertape.cli.output import safe, show, table
from tickertape.cli.rows import Input
from tickertape.cli.upload import post_events

_BATCH_ROWS = 2_000
_BATCH_BYTES = 4 << 20
_SHOWN_REJECTS = 5


class Reject(Struct, kw_only=True):
    """A row that the server refused; rows count from 1, without a header and blank lines."""

    row: int
    field: str
    message: str


class Summary(Struct, kw_only=True):
    """What became of one file; the counts include what an earlier, killed import of it did."""

    file: str
    rows: int
    accepted: int
    duplicates: int
    rejected: int
    resumed_at: int
    seconds: float
    rejects: list[Reject]


def import_files(
    files: list[str],
    /,
    *,
    format_: Annotated[Literal["jsonl", "csv", "parquet"] | None, Parameter(name="--format")] = None,
    options: Given,
) -> None:
    """Take in events from files. A killed import goes on where it was; repeats are never counted twice.

    Parameters
    ----------
    files
        JSONL (.gz and .zst too), CSV or Parquet of canonical events; - is JSONL on stdin. CSV and Parquet columns are
        fields' names and attrs.NAME; an empty cell is a field left out.
    format_
        What is in them, where their names do not say so.
    """
    for file in files:
        if file != STDIN and not Path(file).is_file():
            raise CliError(f"There is no file {file}.", "Check the path.")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(),
        TextColumn("[yellow]{task.fields[waiting]}"),
    )
    console = Console(stderr=True)
    with (
        connect(options) as client,
        Progress(*columns, console=console, disable=options.json or not console.is_terminal) as progress,
    ):
        checkpoints = Checkpoints(options.data, options.store)
        summaries = [_import(client, file, format_, checkpoints, progress) for file in files]
    show(options, summaries, _drawn)


def _import(client: Client, file: str, format_: str | None, checkpoints: Checkpoints, progress: Progress) -> Summary:
    # Standard input cannot be read again from the middle.
    path = checkpoints.path(file) if file != STDIN else None
    done = checkpoints.load(path, file) if path else Checkpoint(file=file)
    resumed_at = done.rows
    began = time.monotonic()
    rejects: list[Reject] = []
    opened = Input(file, format_)
    task = progress.add_task(Path(file).name, total=opened.size, rows=done.rows, rate=0.0, waiting="")
    try:
        lines = islice(opened.lines(), done.rows, None)
        for batch in _batches(lines):
            outcome = post_events(client, batch, lambda why: progress.update(task, waiting=why))
            for index, field, message in outcome.rejects[: _SHOWN_REJECTS - len(rejects)]:
                rejects.append(Reject(row=done.rows + index + 1, field=field, message=message))
            done.accepted += outcome.accepted
            done.duplicates += outcome.duplicates
            done.rejected += len(outcome.rejects)
            done.rows += len(batch)
            if path:
                checkpoints.save(path, done)
            _advance(progress, task, opened, done.rows, (done.rows - resumed_at) / (time.monotonic() - began))
    finally:
        opened.close()
    if path:
        # Finished: the next import of this file begins at its start, and finds duplicates.
        path.unlink(missing_ok=True)
    return Summary(
        file=file,
        rows=done.rows,
        accepted=done.accepted,
        duplicates=done.duplicates,
        rejected=done.rejected,
        resumed_at=resumed_at,
        seconds=round(time.monotonic() - began, 3),
        rejects=rejects,
    )


def _advance(progress: Progress, task: TaskID, opened: Input, rows: int, rate: float) -> None:
    progress.update(task, completed=opened.position, rows=rows, rate=rate)


def _batches(lines: Iterator[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == _BATCH_ROWS or size + len(line) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line) + 1
    if batch:
        yield batch


def _drawn(summaries: list[Summary]) -> RenderableType:
    drawn = table(
        "file", "rows", "accepted", "duplicates", "rejected", right=("rows", "accepted", "duplicates", "rejected")
    )
    remarks = []
    for summary in summaries:
        counts = (summary.rows, summary.accepted, summary.duplicates, summary.rejected)
        drawn.add_row(safe(summary.file), *(f"{count:,}" for count in counts))
        if summary.resumed_at:
            remarks.append(safe(f"{summary.file}: went on after row {summary.resumed_at:,}."))
        for reject in summary.rejects:
            where = f" {reject.field}:" if reject.field and reject.field not in reject.message else ""
            remarks.append(safe(f"{summary.file} row {reject.row:,}:{where} {reject.message}"))
    if any(summary.rejected for summary in summaries):
        remarks.append(safe("What was rejected is kept with its reason: `tickertape rejects list`."))
    return Group(drawn, *remarks)
