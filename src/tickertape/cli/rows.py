"""Rows of files as lines of NDJSON: one reader per format.

A row that cannot be an event is passed on as it is: the server refuses it, keeps it with the reason and counts it.
"""

import csv
import gzip
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import msgspec

from tickertape.cli.errors import CliError
from tickertape.cli.options import STDIN
from tickertape.errors import InvalidEvent, nearest
from tickertape.events import EVENT_BYTES, EVENT_TYPES, from_fields

_PIECE = 1 << 20
_DELIMITERS = ",;\t|"
_PARQUET_ROWS = 5_000

_FIELDS = frozenset(name for event in EVENT_TYPES.values() for name in event.__struct_encode_fields__) | {"type"}
_REQUIRED = ("type", "at")
_ATTRS = "attrs."

Lines = Iterator[bytes]
"""One line for each row, without line ends; blank lines are not rows."""


class Input:
    """An opened file. `position` is how many of its `size` bytes (None: unknown) have been read."""

    def __init__(self, path: str, format_: str | None) -> None:
        self._raw: BinaryIO = sys.stdin.buffer if path == STDIN else Path(path).open("rb")  # noqa: SIM115
        self.size = None if path == STDIN else Path(path).stat().st_size
        self._path = path
        self._format, self._compression = (format_ or "jsonl", "") if path == STDIN else _recognise(path, format_)

    @property
    def position(self) -> int:
        return 0 if self.size is None or self._raw.closed else self._raw.tell()

    def lines(self) -> Lines:
        if self._format == "parquet":
            return _parquet(self._raw, self._path)
        return _READERS[self._format](_OPENERS[self._compression](self._raw), self._path)

    def close(self) -> None:
        if self.size is not None:
            self._raw.close()


def _recognise(path: str, format_: str | None) -> tuple[str, str]:
    """The format and the compression, by the file's name."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    compression = suffixes.pop() if suffixes and suffixes[-1] in _OPENERS else ""
    found = format_ or (_BY_SUFFIX.get(suffixes[-1]) if suffixes else None)
    if found is None:
        raise CliError(f"The name of {path} does not say what is in it.", "Say so with --format jsonl, csv or parquet.")
    return found, compression


def _open_zstd(raw: BinaryIO) -> IO[bytes]:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return cast(IO[bytes], zstd.open(raw, "rb"))


_OPENERS: dict[str, Callable[[BinaryIO], IO[bytes]]] = {
    "": lambda raw: raw,
    ".gz": lambda raw: cast(IO[bytes], gzip.GzipFile(fileobj=raw)),
    ".zst": _open_zstd,
}
_BY_SUFFIX = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def _jsonl(file: IO[bytes], _: str) -> Lines:
    while line := file.readline(EVENT_BYTES + 2):
        if not line.endswith(b"\n"):
            # Longer than any event may be: its beginning shows the reader of the rejects what it was.
            while (rest := file.readline(_PIECE)) and not rest.endswith(b"\n"):
                pass
        if stripped := line.strip():
            # A bare carriage return would end the line for some readers; in JSON it can only stand between tokens.
            yield stripped.replace(b"\r", b" ")


def _csv(file: IO[bytes], path: str) -> Lines:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    csv.field_size_limit(EVENT_BYTES)
    try:
        first = text.readline()
        delimiter = max(_DELIMITERS, key=first.count)
        header = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
        _check_columns(header, path)
        for row in csv.reader(text, delimiter=delimiter):
            if row:
                fields: dict[str, Any] = {name: value for name, value in zip(header, row, strict=False) if value != ""}
                if len(row) > len(header):
                    fields["(cells without a column)"] = row[len(header) :]
                yield _line(fields)
    except UnicodeDecodeError as error:
        raise CliError(
            f"{path} is not in UTF-8.",
            "Save it as 'CSV UTF-8', or convert it: iconv -f WINDOWS-1252 -t UTF-8. What came before it is imported.",
        ) from error
    except csv.Error as error:
        raise CliError(f"{path} cannot be read as CSV: {error}.", "Check its quotes near there.") from error


def _parquet(file: BinaryIO, path: str) -> Lines:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(file)
        _check_columns([name for name in parquet.schema_arrow.names if name != "attrs"], path)
        _check_times(parquet.schema_arrow, path)
        for batch in parquet.iter_batches(_PARQUET_ROWS):
            for row in batch.to_pylist():
                yield _line({name: value for name, value in row.items() if value is not None})
    except pa.ArrowException as error:
        raise CliError(f"{path} cannot be read as Parquet: {error}", "Check that the file is whole.") from error


def _check_times(schema: Any, path: str) -> None:
    import pyarrow as pa

    kind = schema.field("at").type
    if pa.types.is_timestamp(kind) and kind.tz is None:
        raise CliError(
            f"The column 'at' of {path} has no time zone, so its moments cannot be known.",
            "Write it as a timestamp with a zone (UTC), or as text with an offset.",
        )


_READERS: dict[str, Callable[[IO[bytes], str], Lines]] = {"jsonl": _jsonl, "csv": _csv}


def _check_columns(names: list[str], path: str) -> None:
    for required in _REQUIRED:
        if required not in names:
            raise CliError(f"{path} has no column {required!r}.", f"It has: {', '.join(names) or 'nothing'}.")
    for name in names:
        if name not in _FIELDS and not name.startswith(_ATTRS):
            meant = nearest(name, _FIELDS)
            raise CliError(
                f"{path} has a column {name!r}, which no event has.",
                (f"Did you mean {meant!r}? " if meant else "") + f"To keep it as it is, call it {_ATTRS}{name}.",
            )


def _line(fields: Mapping[str, Any]) -> bytes:
    plain = {name: _plain(value) for name, value in fields.items()}
    try:
        return msgspec.json.encode(from_fields(plain))
    except InvalidEvent:
        return msgspec.json.encode(plain)


def _plain(value: Any) -> Any:
    """What a typed file holds where JSON would hold text, a number or an object."""
    return _PLAIN.get(type(value), _same)(value)


def _same(value: Any) -> Any:
    return value


_PLAIN: dict[type, Callable[[Any], Any]] = {
    Decimal: str,
    date: date.isoformat,
    bytes: lambda value: value.decode("utf-8", "replace"),
    datetime: datetime.isoformat,
    # Arrow's maps arrive as pairs.
    list: lambda value: dict(value) if value and all(isinstance(item, tuple) for item in value) else value,
    dict: lambda value: {name: inner for name, inner in value.items() if inner is not None},
}
