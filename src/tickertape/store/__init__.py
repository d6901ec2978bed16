"""The analytics store: ClickHouse, embedded (chDB) or a server; the same SQL for both."""

from tickertape.store.client import NEVER_MS, Store, StoreError

__all__ = ["NEVER_MS", "Store", "StoreError"]
