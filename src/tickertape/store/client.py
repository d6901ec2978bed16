"""One handle per thread on the engine, and the four things anybody does with it."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from tickertape.errors import TickertapeError

NEVER_MS = int(datetime(2299, 12, 31, tzinfo=UTC).timestamp() * 1000)
"""Stands in facts for an instant that has not come; later than any event may be."""

# Facts are replaced by version: FINAL reads the newest, and partitions (by home) never share a key.
_SETTINGS = {
    "do_not_merge_across_partitions_select_final": 1,
    "max_partitions_per_insert_block": 0,
    "async_insert": 0,
    "join_use_nulls": 1,
}


class StoreError(TickertapeError):
    """The engine refused or did not answer: a full disk, a lost connection, a broken statement."""

    default_code = "store"
    default_status = 503


def warm_up() -> None:
    """Makes the first insert as fast as the second: at its first array pyarrow loads pandas, which takes a second."""
    pa.array([0])


class Store:
    """The engine behind a DSN: `chdb:///folder` or `clickhouse://user:password@host/database`."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._local = threading.local()
        self._clients: list[Client] = []
        self._lock = threading.Lock()

    @property
    def embedded(self) -> bool:
        return self.dsn.startswith("chdb:")

    def _client(self) -> Client:
        client: Client | None = getattr(self._local, "client", None)
        if client is None:
            # Handles are opened one at a time: the first one of a process starts the embedded engine.
            with self._lock:
                # Lists of keys are too long for a URL.
                over_http: dict[str, Any] = (
                    {} if self.embedded else {"form_encode_query_params": True, "autogenerate_session_id": False}
                )
                client = clickhouse_connect.get_client(
                    dsn=self.dsn, settings=dict(_SETTINGS), show_clickhouse_errors=True, **over_http
                )
                self._clients.append(client)
            self._local.client = client
        return client

    @contextmanager
    def _asking(self) -> Iterator[Client]:
        try:
            yield self._client()
        except ClickHouseError as error:
            first_line = str(error).partition("\n")[0][:500]
            raise StoreError(f"The analytics store cannot do this: {first_line}") from error

    def command(self, sql: str, params: Mapping[str, Any] | None = None) -> None:
        with self._asking() as client:
            client.command(sql, parameters=dict(params) if params else None)

    def rows(self, sql: str, params: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        """All rows of a SELECT. Values travel only as `{name:Type}` parameters, never inside the SQL."""
        with self._asking() as client:
            return client.query(sql, parameters=dict(params) if params else None).result_rows

    def table(self, sql: str, params: Mapping[str, Any] | None = None) -> pa.Table:
        """The same as an Arrow table, for results that are read by column."""
        with self._asking() as client:
            return client.query_arrow(sql, parameters=dict(params) if params else None)

    def column(self, sql: str, params: Mapping[str, Any] | None = None) -> Iterator[list[Any]]:
        """The only column of a SELECT in pieces: millions of keys never stand in memory as Python objects at once."""
        for batch in self.table(sql, params).to_batches(max_chunksize=65_536):
            yield batch.column(0).to_pylist()

    def insert(self, name: str, table: pa.Table) -> None:
        """Appends columns. On disk when it returns where the table is set so (the log, rejects, watermarks)."""
        with self._asking() as client:
            client.insert_arrow(name, table)

    def sync(self) -> None:
        """What was inserted so far is on disk when it returns (a server sees to that by itself)."""
        if self.embedded:
            os.sync()

    def close(self) -> None:
        with self._lock:
            for client in self._clients:
                client.close()
            self._clients.clear()
            self._local = threading.local()
