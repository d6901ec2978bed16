"""What was verified but could not be understood: kept with its reason, to be looked at and replayed."""

import uuid
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from msgspec import Struct

from tickertape.store.client import Store


class Reject(Struct, kw_only=True):
    received_at: int
    source: str
    code: str
    field: str
    message: str
    event_id: str
    body: bytes


def keep(store: Store, rejects: Sequence[Reject]) -> None:
    """On disk when it returns. The same refused body, sent again, is kept once."""
    ids = [uuid.uuid5(uuid.NAMESPACE_OID, f"{r.source}\x1f{r.code}\x1f{r.body.hex()}") for r in rejects]
    rows = store.rows("SELECT DISTINCT id FROM rejects WHERE id IN {ids:Array(UUID)}", {"ids": [str(i) for i in ids]})
    known = {row[0] for row in rows}
    fresh = {i: r for i, r in zip(ids, rejects, strict=True) if i not in known}
    if not fresh:
        return
    store.insert(
        "rejects",
        pa.table(
            {
                "id": pa.array([str(i) for i in fresh], pa.string()),
                "received_at": pa.array([r.received_at for r in fresh.values()], pa.timestamp("ms", tz="UTC")),
                **{
                    name: pa.array([getattr(r, name) for r in fresh.values()], pa.string())
                    for name in ("source", "code", "field", "message", "event_id")
                },
                "body": pa.array([r.body for r in fresh.values()], pa.binary()),
                "version": pa.array([r.received_at for r in fresh.values()], pa.uint64()),
            }
        ),
    )


_COLUMNS = ("id", "received_at", "source", "code", "field", "message", "event_id", "body")


def latest(store: Store, limit: int, source: str | None = None) -> list[dict[str, Any]]:
    rows = store.rows(
        "SELECT toString(id), toUnixTimestamp64Milli(received_at), source, code, field, message, event_id,"
        " substringUTF8(body, 1, 4000) FROM rejects FINAL"
        " WHERE replayed_at > now64(3) AND ({source:String} = '' OR source = {source:String})"
        " ORDER BY received_at DESC, id LIMIT {limit:UInt32}",
        {"limit": limit, "source": source or ""},
    )
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def counts(store: Store) -> list[tuple[str, str, int]]:
    """(source, code, how many) of what waits to be replayed, the most first."""
    rows = store.rows(
        "SELECT source, code, count() AS n FROM rejects FINAL WHERE replayed_at > now64(3)"
        " GROUP BY source, code ORDER BY n DESC"
    )
    return [(source, code, int(n)) for source, code, n in rows]
