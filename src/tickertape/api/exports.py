"""The answer to a question as a file, with the same figures."""

import csv
import io
from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from tickertape.errors import NotFound

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(answer: Mapping[str, Any], kind: str) -> tuple[bytes, str]:
    """(the file, its media type): one line per row, one column per value of a cell (`sent.value`). Raises NotFound."""
    if kind not in MEDIA_TYPES:
        raise NotFound(f"There is no export as {kind[:20]!r}.", field="name", hint=f"Use {', '.join(MEDIA_TYPES)}.")
    rows = [_flat(row) for row in answer["rows"]]
    if kind == "jsonl":
        return b"".join(msgspec.json.encode(row) + b"\n" for row in answer["rows"]), MEDIA_TYPES[kind]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    if kind == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([_defused(c) for c in columns])
        writer.writerows([[_defused(row.get(c)) for c in columns] for row in rows])
        return text.getvalue().encode(), MEDIA_TYPES[kind]
    table = pa.table({c: pa.array([row.get(c) for row in rows]) for c in columns})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue(), MEDIA_TYPES[kind]


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            flat |= _flat(inner, f"{prefix}{name}.")
        else:
            flat[prefix + name] = msgspec.json.encode(inner).decode() if isinstance(inner, list) else inner
    return flat


def _defused(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula is quoted with an apostrophe."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
