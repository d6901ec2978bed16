"""The embedded engine of a test process. It holds one folder until the process ends, so all tests share it."""

import atexit
import shutil
import tempfile
from functools import cache

from tickertape.store import Store
from tickertape.store.migrate import migrate


@cache
def shared_store() -> Store:
    folder = tempfile.mkdtemp(prefix="tickertape-test-")
    store = Store(f"chdb://{folder}")
    migrate(store)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return store
