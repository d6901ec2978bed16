"""`tickertape export`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO, Literal

from cyclopts import Parameter

from tickertape.cli.client import Response, connect, expect
from tickertape.cli.errors import CliError
from tickertape.cli.options import Given
from tickertape.cli.query import Filters, From, Interval, question


def export_query(
    metrics: list[str],
    /,
    *,
    format_: Annotated[Literal["csv", "jsonl", "parquet"] | None, Parameter(name="--format")] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    from_: From = None,
    to: str | None = None,
    last: str | None = None,
    by: str | None = None,
    interval: Interval | None = None,
    timezone: str | None = None,
    filter_: Filters = None,
    order: str | None = None,
    limit: int | None = None,
    options: Given,
) -> None:
    """Stream figures out, on stdout or into a file; the same as `query` shows.

    Parameters
    ----------
    metrics
        Their names; `tickertape metrics` lists them.
    format_
        csv, jsonl or parquet; default: csv, or jsonl with --json.
    output
        The file to write.
    from_
        The start: a date, or a time such as 2026-03-01T00:00:00Z.
    to
        The end, not included.
    last
        Instead of both: 24h, 7d, 30d.
    by
        A row for each value of these dimensions: channel,campaign
    interval
        A row for each of these.
    timezone
        An IANA name such as Europe/Madrid; default the workspace's.
    filter_
        Only these: channel=sms,whatsapp or channel!=email; as often as needed.
    order
        What to sort the rows by.
    limit
        How many rows.
    """
    chosen = format_ or ("jsonl" if options.json else "csv")
    if chosen == "parquet" and output is None and sys.stdout.isatty():
        raise CliError("Parquet is not text, and stdout is a terminal.", "Name a file with --output.")
    params = question(metrics, from_, to, last, by, interval, timezone, None, filter_, order, limit)
    with (
        connect(options) as client,
        client.stream("GET", f"/v1/export/query.{chosen}", params, headers={"accept": "*/*"}) as answer,
    ):
        if answer.status >= 400:
            expect(Response(answer.status, answer.headers, b"".join(answer.pieces)))
        if output is None:
            _write(sys.stdout.buffer, answer.pieces)
        else:
            # Under another name until it is whole: a broken export is not mistaken for a finished one.
            partial = output.with_name(output.name + ".partial")
            with partial.open("wb") as file:
                _write(file, answer.pieces)
            partial.replace(output)


def _write(file: BinaryIO, pieces: Iterator[bytes]) -> None:
    for piece in pieces:
        file.write(piece)
    file.flush()
