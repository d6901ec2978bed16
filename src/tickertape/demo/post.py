"""The demo's traffic on its way into the server: batches for /v1/events, single calls for the Twilio hook."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import msgspec

from tickertape.cli.client import Client, expect
from tickertape.cli.http_transport import HttpTransport, Unreachable
from tickertape.cli.upload import Outcome, post_events
from tickertape.demo.folder import DemoError
from tickertape.demo.twilio_traffic import Request
from tickertape.demo.world import Event

BATCH = 1_500
IN_FLIGHT = 2
_BUSY = (429, 503)
_HOOK_ATTEMPTS = 5

Posted = tuple[Event, int]
"""The last event of a batch, and how many events of it were new."""


def post_history(url: str, key: str, events: Iterable[Event]) -> Iterator[Posted]:
    """Posts the events in batches, two at a time; yields each batch in order once it and all before it are on disk.

    Raises DemoError where the server rejects an event, CliError where it refuses a batch or is gone.
    """
    own = threading.local()

    def post(batch: list[Event]) -> Posted:
        if not hasattr(own, "client"):
            own.client = connection(url, key)
        return batch[-1], post_batch(own.client, batch)

    remaining = iter(events)
    waiting: deque[Future[Posted]] = deque()
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        try:
            while batch := list(islice(remaining, BATCH)):
                waiting.append(pool.submit(post, batch))
                if len(waiting) > IN_FLIGHT:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def post_batch(client: Client, batch: list[Event], said: Callable[[str], None] = lambda _: None) -> int:
    """Posts one batch, waiting out a busy server (`said` is told why); returns how many of the events were new."""
    outcome: Outcome = post_events(client, [msgspec.json.encode(each) for each in batch], said)
    if outcome.rejects:
        index, field, message = outcome.rejects[0]
        raise DemoError(
            f"The server rejected a simulated {batch[index]['type']}: {field} {message}",
            hint="The demo and the server are of different versions, or the demo has a fault: please report it.",
        )
    return outcome.accepted


def post_hook(client: Client, request: Request) -> bool:
    """Posts one webhook, as patiently as a provider would; False where it was given up."""
    for attempt in range(_HOOK_ATTEMPTS):
        try:
            answer = client.request("POST", request.target, body=request.body, headers=request.headers)
        except Unreachable:
            pass
        else:
            if answer.status not in _BUSY:
                expect(answer)
                return True
        time.sleep(min(0.25 * 2**attempt, 2.0))
    return False


def connection(url: str, key: str) -> Client:
    """A client with this key; one per thread."""
    return Client(HttpTransport(url), key)
