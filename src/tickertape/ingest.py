"""From a request's bytes to events on disk: verify, read, normalise, stamp, deduplicate, append, hand on.

An answer of 200 is given only after the append; what comes in while one append is written is the next one.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog
from msgspec import Struct, field

from tickertape.bodies import Accepted, read_events
from tickertape.connectors import CannotUnderstand, Connector, HookRequest, Reply, Source, Unknown
from tickertape.derive.deriver import Deriver
from tickertape.derive.seen import Seen
from tickertape.errors import InvalidEvent, Overloaded
from tickertape.events import AnyEvent, canonical_json, normalise
from tickertape.store import Store, log, rejects
from tickertape.store.log import Logged, log_entry, stands
from tickertape.store.rejects import Reject

API_SOURCE = "api"
COMMIT_EVENTS = 20_000
"""At most so many events in one append."""
WAITING_EVENTS = 100_000
BACKLOG_EVENTS = 400_000
"""Beyond these, senders are asked to come again: memory stays bounded and nothing is lost."""
INLINE_BYTES = 32_768
"""Larger bodies are read in a worker thread, so that they hold up nobody else."""

logger = structlog.get_logger(__name__)


class Outcome(Struct):
    """What became of one request's events. `rejected`: (index, event id, the error)."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[tuple[int, str | None, InvalidEvent]] = field(default_factory=list)

    @property
    def status(self) -> int:
        if not self.rejected:
            return 200
        return 207 if self.accepted or self.duplicates else 422

    def document(self) -> dict[str, Any]:
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": [{"index": i, "id": id_, "error": error.problem()} for i, id_, error in self.rejected],
        }


class Counts(Struct):
    """Since the start, per source."""

    events: int = 0
    duplicates: int = 0
    rejected: int = 0
    refused: int = 0
    unknown: dict[str, int] = field(default_factory=dict)
    last_received_at: int = 0


class _Waiting(Struct):
    events: list[Logged]
    rejects: list[Reject]
    done: Callable[[int | BaseException], None]


class Ingest:
    """The only writer of the log."""

    def __init__(self, store: Store, deriver: Deriver, clock: Callable[[], int]) -> None:
        self._store = store
        self._deriver = deriver
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._waiting_events = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._seq = self._written = log.last_seq(store)
        self._ids = Seen(int(store.rows("SELECT count() FROM events")[0][0]))
        for keys in store.column("SELECT id_hash FROM events"):
            self._ids.update(keys)
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)
        self.counts: dict[str, Counts] = {}
        self.trouble: str | None = None
        """Why the last append failed; None while appends succeed."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Writes what is waiting, then ends."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    @property
    def last_seq(self) -> int:
        """Of the newest event in the log."""
        return self._written

    @property
    def failed(self) -> bool:
        return not self._thread.is_alive() and not self._stopping

    # Requests

    async def take_events(self, body: bytes, content_type: str | None, encoding: str | None) -> Outcome:
        """The events of a request to the API. Raises InvalidBody, TooLarge, UnsupportedEncoding, Overloaded."""
        self._refuse_overload()
        if len(body) <= INLINE_BYTES and not encoding:
            outcome, events, refused = self._read(body, content_type, encoding)
        else:
            outcome, events, refused = await asyncio.to_thread(self._read, body, content_type, encoding)
        outcome.duplicates = await self._commit(API_SOURCE, events, refused)
        outcome.accepted -= outcome.duplicates
        return outcome

    async def take_hook(self, connector: Connector, source: Source, request: HookRequest) -> Reply:
        """A provider's webhook. Raises InvalidSignature (nothing is kept) and Overloaded."""
        self._refuse_overload()
        if (greeting := connector.handshake(request, source)) is not None:
            return greeting
        connector.verify(request, source)
        events, refused = self._understand(connector, source, request)
        await self._commit(source.name, events, refused)
        return connector.reply(request)

    def refused(self, source: str) -> None:
        """Counts a request that failed verification."""
        self.counts.setdefault(source, Counts()).refused += 1

    # Steps

    def _refuse_overload(self) -> None:
        if self._waiting_events > WAITING_EVENTS or self._deriver.backlog > BACKLOG_EVENTS:
            raise Overloaded(
                "More events are coming in than can be written right now.",
                hint="Send this request again.",
                retry_after=2,
            )

    def _read(
        self, body: bytes, content_type: str | None, encoding: str | None
    ) -> tuple[Outcome, list[Logged], list[Reject]]:
        received_at = self._clock()
        outcome = Outcome()
        events: list[Logged] = []
        refused: list[Reject] = []
        for item in read_events(body, content_type, encoding):
            if isinstance(item, Accepted):
                try:
                    events.append(_stamp(item.event, API_SOURCE, received_at))
                    continue
                except InvalidEvent as problem:
                    error, id_ = problem, item.event.id
                    raw = canonical_json(item.event)
            else:
                error, id_, raw = item.error, item.id, item.raw
            outcome.rejected.append((item.index, id_, error))
            refused.append(_reject(error, API_SOURCE, received_at, id_, raw))
        outcome.accepted = len(events)
        return outcome, events, refused

    def _understand(
        self, connector: Connector, source: Source, request: HookRequest
    ) -> tuple[list[Logged], list[Reject]]:
        try:
            found = connector.events(request, source)
        except CannotUnderstand as error:
            return [], [_reject(error, source.name, request.received_at, None, request.body)]
        events: list[Logged] = []
        refused: list[Reject] = []
        counts = self.counts.setdefault(source.name, Counts())
        for item in found:
            if isinstance(item, Unknown):
                if len(counts.unknown) < 1000 or item.word in counts.unknown:
                    counts.unknown[item.word] = counts.unknown.get(item.word, 0) + 1
                message = item.reason or f"The provider's word {item.word[:100]!r} has no event of ours."
                problem = InvalidEvent(message, code="unknown_event")
                refused.append(_reject(problem, source.name, request.received_at, None, item.raw))
                continue
            try:
                events.append(_stamp(item, source.name, request.received_at))
            except InvalidEvent as error:
                refused.append(_reject(error, source.name, request.received_at, item.id, request.body))
        return events, refused

    async def _commit(self, source: str, events: list[Logged], refused: list[Reject]) -> int:
        """Waits until everything is on disk; returns how many of the events were there before."""
        if not events and not refused:
            return 0
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()

        def done(result: int | BaseException) -> None:
            loop.call_soon_threadsafe(_settle, future, result)

        with self._wake:
            if self._stopping:
                raise Overloaded("The server is stopping.", hint="Send this request again.", retry_after=5)
            self._waiting.append(_Waiting(events, refused, done))
            self._waiting_events += len(events) + len(refused)
            self._wake.notify()
        duplicates = await future
        counts = self.counts.setdefault(source, Counts())
        counts.events += len(events) - duplicates
        counts.duplicates += duplicates
        counts.rejected += len(refused)
        counts.last_received_at = self._clock()
        return duplicates

    # The thread that writes

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._stopping:
                    self._wake.wait()
                if not self._waiting:
                    return
                group: list[_Waiting] = []
                size = 0
                while self._waiting and size < COMMIT_EVENTS:
                    group.append(self._waiting.popleft())
                    size += len(group[-1].events)
                self._waiting_events -= sum(len(w.events) + len(w.rejects) for w in group)
            self._write(group)

    def _write(self, group: Sequence[_Waiting]) -> None:
        try:
            fresh, duplicates = self._deduplicate(group)
            if fresh:
                self._append(fresh)
            refused = [r for w in group for r in w.rejects]
            if refused:
                rejects.keep(self._store, refused)
        except Exception as reason:
            # Whether the store is full, unreachable or broken: the sender keeps the events and comes again.
            logger.exception("events could not be written")
            self.trouble = type(reason).__name__
            error = Overloaded(
                "The events could not be written to disk.",
                hint="Nothing was lost; send this request again.",
                retry_after=5,
            )
            for waiting in group:
                waiting.done(error)
            return
        self.trouble = None
        for waiting, count in zip(group, duplicates, strict=True):
            waiting.done(count)

    def _append(self, fresh: list[Logged]) -> None:
        for e in fresh:
            self._seq += 1
            e.seq = self._seq
        try:
            log.append(self._store, fresh)
        except Exception:
            # Part of it may be on disk all the same, and would then count as there before when it is sent again.
            self._deriver.resync()
            raise
        self._written = self._seq
        for e in fresh:
            e.body = b""
        self._deriver.feed(fresh)

    def _deduplicate(self, group: Sequence[_Waiting]) -> tuple[list[Logged], list[int]]:
        """The events that are new (or stand before the one known by their id), and each request's number of others."""
        suspects = [e for w in group for e in w.events if e.id_hash in self._ids]
        known = self._known(suspects)
        fresh: dict[int, Logged] = {}
        duplicates = []
        for waiting in group:
            repeated = 0
            for e in waiting.events:
                other = fresh.get(e.id_hash) or known.get(e.id_hash)
                if other is None:
                    fresh[e.id_hash] = e
                    continue
                repeated += 1
                if other.body != e.body and stands(other, e) is e:
                    fresh[e.id_hash] = e
            duplicates.append(repeated)
        for id_hash in fresh:
            if id_hash not in known:
                self._ids.add(id_hash)
        return list(fresh.values()), duplicates

    def _known(self, suspects: Iterable[Logged]) -> dict[int, Logged]:
        known: dict[int, Logged] = {}
        for e in log.find(self._store, "id_hash", {s.id_hash for s in suspects}, through=self._seq):
            known[e.id_hash] = stands(known[e.id_hash], e) if e.id_hash in known else e
        return known


def _settle(future: "asyncio.Future[int]", result: int | BaseException) -> None:
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)


def _stamp(event: AnyEvent, source: str, received_at: int) -> Logged:
    return log_entry(normalise(event, received_at), source, received_at)


def _reject(
    error: InvalidEvent | CannotUnderstand, source: str, received_at: int, id_: str | None, raw: bytes
) -> Reject:
    return Reject(
        received_at=received_at,
        source=source,
        code=error.code,
        field=error.field or "",
        message=str(error),
        event_id=id_ or "",
        body=raw,
    )
