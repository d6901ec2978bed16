"""Follows the log: derives facts batch by batch behind a watermark, and rebuilds them all when asked."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import msgspec
import structlog
from msgspec import Struct

from tickertape.derive import agent_days, facts
from tickertape.derive.derivation import Changes, Derivation, Touched
from tickertape.derive.identities import Identities
from tickertape.derive.rules import hour_of
from tickertape.derive.seen import Seen
from tickertape.keys import contact_key, key
from tickertape.settings import RESTATES, Settings
from tickertape.store import NEVER_MS, Store, StoreError, log
from tickertape.store.log import Logged

TABLES = ("messages", "episodes", "surveys", "agent_days", "conversions", "contact_links")
BATCH = 20_000
SWEEP_SECONDS = 1.0
SAVE_SECONDS = 1.0
"""The watermark and the agents' days follow the other facts at most so far behind."""
LINGER_SECONDS = 0.1
"""How long the first event of a batch waits for company: a batch of one costs as much as one of a hundred."""
LINGER_EVENTS = 1_000
RETRY_SECONDS = 0.5

logger = structlog.get_logger(__name__)


def settings_stamp(settings: Settings) -> int:
    """Tells whether facts were derived under settings that mean the same for them."""
    stored = msgspec.to_builtins(settings)
    return key(msgspec.json.encode({name: stored[name] for name in sorted(RESTATES)}).decode())


class Progress(Struct):
    """How far a rebuild is: events replayed of those the log holds."""

    done: int = 0
    total: int = 0
    finished: bool = False
    error: str = ""


class Facts:
    """One set of fact tables, the derivation that fills it and how far it has come."""

    def __init__(self, store: Store, settings: Settings, suffix: str, seq: int, identities: Identities) -> None:
        self.settings = settings
        self.suffix = suffix
        self.seq = seq
        self.saved_seq = seq
        """As the watermark in the store has it; after a crash the events behind it are derived once more."""
        self.dirty_days: set[tuple[str, int]] = set()
        self.derivation = Derivation(store, settings, identities, suffix=suffix, through=seq)
        self.seen = Seen(2 * store.rows("SELECT uniq(message_hash) FROM events")[0][0])

    def load(self, store: Store) -> None:
        """What a derivation must know before its first batch when the tables already hold facts."""
        derivation = self.derivation
        through = {"seq": self.seq}
        for column in ("message_hash", "conversation_hash", "contact_hash", "address_hash", "link_hash"):
            named = f"SELECT DISTINCT {column} FROM events WHERE {column} != 0 AND seq <= {{seq:UInt64}}"  # noqa: S608
            for keys in store.column(named, through):
                self.seen.update(keys)
        for column in ("contact_hash", "conversation_hash"):
            derived = f"SELECT DISTINCT {column} FROM messages{self.suffix} WHERE {column} != 0"  # noqa: S608
            for keys in store.column(derived):
                self.seen.update(keys)
        derivation.may_exist = self.seen.__contains__
        never = {"never": NEVER_MS}
        active = store.rows(
            "SELECT DISTINCT if(contact_hash = 0, hash, contact_hash)"  # noqa: S608
            f" FROM messages{self.suffix} FINAL WHERE NOT outbound"
            " OR least(clicked_at, reacted_at) < fromUnixTimestamp64Milli({never:Int64})"
            f" UNION DISTINCT SELECT if(contact_hash = 0, hash, contact_hash) FROM conversions{self.suffix} FINAL",
            never,
        )
        derivation.active = {row[0] for row in active}
        for e in log.of_types(
            store, ["contact.prompted", "contact.opted_in", "contact.opted_out", "contact.complained"], through=self.seq
        ):
            name = derivation.identities.contact(e.event.contact_id, e.event.address)
            if name:
                derivation.active.add(key("contact", name))
        agents = store.rows(
            "SELECT DISTINCT JSONExtractString(body, 'agent_id') FROM events WHERE type = 'agent.status'"
        )
        derivation.agents = {row[0] for row in agents}

    def note(self, batch: Sequence[Logged], changes: Changes) -> None:
        """Remembers the keys of a batch that was just derived."""
        for e in batch:
            for hash_ in (e.message_hash, e.conversation_hash, e.contact_hash, e.address_hash, e.link_hash):
                if hash_:
                    self.seen.add(hash_)
        for row in changes.messages:
            if row.links.contact:
                self.seen.add(contact_key(row.links.contact))
            self.seen.add(row.links.conversation_hash)


class Deriver:
    """Runs in a thread of its own; the only writer of facts."""

    def __init__(self, store: Store, settings: Settings, clock: Callable[[], int]) -> None:
        self.store = store
        self.clock = clock
        self.changed: Callable[[], None] = lambda: None
        """Called after facts changed; must not block."""
        self._queue: deque[list[Logged]] = deque()
        self._queued = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._stale = False
        self._version = 0
        self._rebuild: tuple[Settings, Progress] | None = None
        self._next: tuple[Facts, Progress] | None = None
        self._thread = threading.Thread(target=self._run, name="deriver", daemon=True)
        self._next_expiry = 0
        self.facts = self._open(settings)

    # Life

    def _open(self, settings: Settings) -> Facts:
        rows = self.store.rows("SELECT seq, settings_version, version FROM watermarks FINAL WHERE name = 'facts'")
        seq, stamp, version = rows[0] if rows else (0, settings_stamp(settings), 0)
        self._version = max(version, self._version)
        found = Facts(self.store, settings, "", seq, Identities.load(self.store, "", seq))
        found.load(self.store)
        if stamp != settings_stamp(settings):
            self._rebuild = (settings, Progress())
        return found

    def start(self) -> None:
        """Derives what the log holds beyond the watermark, then follows on in the background."""
        self._catch_up(self.facts)
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=30)
            with contextlib.suppress(StoreError):
                self._save(self.facts)

    # What others call

    @property
    def backlog(self) -> int:
        """Events appended to the log and not derived yet."""
        return self._queued

    @property
    def shown_seq(self) -> int:
        """Up to here the figures show every event."""
        return 0 if self.facts.dirty_days else self.facts.seq

    @property
    def version(self) -> int:
        """Grows whenever facts change."""
        return self._version

    @property
    def failed(self) -> bool:
        return not self._thread.is_alive() and not self._stopping

    def feed(self, events: list[Logged]) -> None:
        """Takes events that are in the log already, in the order of their sequence numbers."""
        with self._wake:
            self._queue.append(events)
            self._queued += len(events)
            self._wake.notify_all()

    def resync(self) -> None:
        """An append failed half-way: what is on disk is to be read from the log, not believed from the queue."""
        with self._wake:
            self._stale = True
            self._wake.notify_all()

    def rebuild(self, settings: Settings) -> Progress:
        """Derives everything again beside the present facts and then takes their place."""
        progress = Progress()
        with self._wake:
            if self._rebuild is not None:
                self._rebuild[1].finished = True
                self._rebuild[1].error = "replaced by a newer rebuild"
            self._rebuild = (settings, progress)
            self._wake.notify_all()
        return progress

    # The loop

    def _run(self) -> None:
        swept = saved = 0.0
        while True:
            batch = self._take(wait=0.0 if self._next or self._rebuild else self._patience())
            if self._stopping:
                return
            try:
                if self._stale:
                    self._stale = False
                    self._catch_up(self.facts)
                elif batch:
                    self._derive(self.facts, batch)
                if time.monotonic() - saved >= SAVE_SECONDS:
                    self._save(self.facts)
                    saved = time.monotonic()
                if self._rebuild is not None:
                    self._begin_rebuild()
                elif self._next is not None:
                    self._continue_rebuild()
                if time.monotonic() - swept >= SWEEP_SECONDS:
                    self._sweep()
                    swept = time.monotonic()
            except StoreError as error:
                logger.error("derivation waits for the store", reason=str(error))
                self._recover()
            except Exception:
                logger.exception("derivation failed; reading again from the watermark")
                self._recover()

    def _patience(self) -> float:
        return SAVE_SECONDS / 4 if self.facts.dirty_days or self.facts.saved_seq < self.facts.seq else SWEEP_SECONDS

    def _take(self, wait: float) -> list[Logged]:
        batch: list[Logged] = []
        with self._wake:
            if not self._queue and wait and not self._stopping:
                self._wake.wait(wait)
            if 0 < self._queued < LINGER_EVENTS and not self._stopping:
                self._wake.wait_for(lambda: self._stopping or self._queued >= LINGER_EVENTS, LINGER_SECONDS)
            while self._queue and len(batch) < BATCH:
                batch += self._queue.popleft()
            self._queued -= len(batch)
        return [e for e in batch if e.seq > self.facts.seq]

    def _recover(self) -> None:
        """Forgets everything in memory; the log and the watermark say where to go on. Tries until the store answers."""
        while not self._stopping:
            time.sleep(RETRY_SECONDS)
            try:
                self.facts = self._open(self.facts.settings)
                self._catch_up(self.facts)
                return
            except StoreError as error:
                logger.error("the store does not answer; trying again", reason=str(error))

    def _catch_up(self, target: Facts) -> None:
        while not self._stopping:
            batch = log.after(self.store, target.seq, BATCH)
            if not batch:
                self._save(target)
                return
            try:
                self._derive(target, batch)
            except StoreError:
                raise
            except Exception:
                logger.exception("a batch could not be derived; going on one event at a time")
                self._derive_singly(batch)

    def _derive_singly(self, batch: Sequence[Logged]) -> None:
        """Finds the event that no fold can take, sets it aside with its reason and goes on behind it."""
        self.facts = self._open(self.facts.settings)
        for e in batch:
            try:
                self._derive(self.facts, [e])
            except StoreError:
                raise
            except Exception as reason:
                logger.exception(
                    "event set aside", source=e.source, event_id=e.id, seq=e.seq, reason=type(reason).__name__
                )
                days = self.facts.dirty_days
                self.facts = self._open(self.facts.settings)
                self.facts.seq, self.facts.dirty_days = e.seq, days
                self._save(self.facts)

    def _derive(self, target: Facts, batch: Sequence[Logged], touched: Touched | None = None) -> None:
        target.derivation.through = max(target.seq, batch[-1].seq if batch else 0)
        changes = target.derivation.apply(batch, touched or Touched(), self.clock())
        target.note(batch, changes)
        self._write(target, changes)
        if batch:
            target.seq = batch[-1].seq
        if changes and target is self.facts:
            self.changed()

    def _next_version(self) -> int:
        self._version = max(self._version + 1, self.clock())
        return self._version

    def _write(self, target: Facts, changes: Changes) -> None:
        version, suffix = self._next_version(), target.suffix
        for name, columns, rows in (
            ("messages", facts.MESSAGES, changes.messages),
            ("episodes", facts.EPISODES, changes.episodes),
            ("surveys", facts.SURVEYS, changes.surveys),
            ("conversions", facts.CONVERSIONS, changes.conversions),
        ):
            if rows:
                self.store.insert(name + suffix, facts.table(columns, rows, version))
        here: dict[str, set[tuple[int, ...]]] = {
            "messages": {(r.message.home, r.message.hash) for r in changes.messages},
            "episodes": {
                (hour_of(r.episode.opened_at), r.conversation_hash, r.episode.opened_at) for r in changes.episodes
            },
            "surveys": {(hour_of(r.survey.sent_at), r.hash) for r in changes.surveys},
            "conversions": {(hour_of(c.at), c.hash) for c in changes.conversions},
        }
        for name, key_columns, gone in (
            ("messages", facts.MESSAGE_KEY, changes.gone_messages),
            ("episodes", facts.EPISODE_KEY, changes.gone_episodes),
            ("surveys", facts.SURVEY_KEY, changes.gone_surveys),
            ("conversions", facts.CONVERSION_KEY, changes.gone_conversions),
        ):
            keys = {k for k in gone if k not in here[name]}
            if keys:
                rows_ = [(k[0] // 1000, *k[1:]) for k in keys]
                self.store.insert(name + suffix, facts.tombstones(rows_, key_columns, version))
        if changes.links:
            self.store.insert(f"contact_links{suffix}", facts.link_table(changes.links, version))
        target.dirty_days |= changes.agents
        for row in changes.episodes:
            if row.episode.valid_until is not None and target is self.facts:
                self._next_expiry = min(self._next_expiry or NEVER_MS, row.episode.valid_until)

    def _save(self, target: Facts) -> None:
        """Works out the agents' days that the last batches touched, then sets the watermark behind these batches."""
        if target.dirty_days:
            days = agent_days.work_out(
                self.store, target.suffix, target.dirty_days, target.settings, target.derivation.through
            )
            self.store.insert(f"agent_days{target.suffix}", facts.table(facts.AGENT_DAYS, days, self._next_version()))
            target.dirty_days.clear()
            if target is self.facts:
                self.changed()
        if target.seq != target.saved_seq:
            # One sync a second in place of a dozen for every insert; a watermark never points past what is on disk.
            self.store.sync()
            self._write_watermark(target)

    def _write_watermark(self, target: Facts) -> None:
        self.store.insert("watermarks", facts.watermark(
            "facts" + target.suffix, target.seq, self.clock(), settings_stamp(target.settings), self._version
        ))  # fmt: skip
        target.saved_seq = target.seq

    # The passage of time

    def _sweep(self) -> None:
        """Folds again the conversations that time alone has changed: those that expired."""
        now = self.clock()
        if self._next_expiry >= now:
            return
        rows = self.store.rows(
            "SELECT DISTINCT conversation_hash FROM episodes FINAL"
            " WHERE valid_until < fromUnixTimestamp64Milli({now:Int64}) LIMIT 5000",
            {"now": now},
        )
        if rows:
            self._derive(self.facts, [], Touched(conversations={row[0] for row in rows}))
        if len(rows) < 5000:
            soonest = self.store.rows(
                "SELECT toUnixTimestamp64Milli(min(valid_until)) FROM episodes FINAL"
                " WHERE valid_until >= fromUnixTimestamp64Milli({now:Int64})",
                {"now": now},
            )[0][0]
            self._next_expiry = soonest if soonest >= now else NEVER_MS

    # Rebuild

    def _begin_rebuild(self) -> None:
        with self._wake:
            assert self._rebuild is not None
            settings, progress = self._rebuild
            self._rebuild = None
        if self._next is not None:
            self._next[1].finished, self._next[1].error = True, "replaced by a newer rebuild"
        progress.total = int(self.store.rows("SELECT count() FROM events")[0][0])
        if not progress.total:
            self.facts = Facts(self.store, settings, "", self.facts.seq, Identities())
            self.facts.derivation.may_exist = self.facts.seen.__contains__
            self._write_watermark(self.facts)
            progress.finished = True
            return
        for name in TABLES:
            self.store.command(f"DROP TABLE IF EXISTS {name}_next SYNC")
            self.store.command(f"CREATE TABLE {name}_next AS {name}")
        fresh = Facts(self.store, settings, "_next", 0, Identities())
        fresh.derivation.may_exist = fresh.seen.__contains__
        self._next = (fresh, progress)

    def _continue_rebuild(self) -> None:
        assert self._next is not None
        fresh, progress = self._next
        batch = [e for e in log.after(self.store, fresh.seq, BATCH) if e.seq <= self.facts.seq]
        if batch:
            try:
                self._derive(fresh, batch)
            except StoreError:
                raise
            except Exception as reason:
                logger.exception("a rebuild was given up; the figures from before stand")
                progress.finished, progress.error = True, f"an event could not be derived ({type(reason).__name__})"
                self._next = None
                return
            progress.done += len(batch)
            return
        self._save(fresh)
        for name in TABLES:
            self.store.command(f"EXCHANGE TABLES {name} AND {name}_next")
            self.store.command(f"DROP TABLE {name}_next SYNC")
        fresh.suffix = fresh.derivation.suffix = ""
        self.store.sync()
        self.facts, self._next = fresh, None
        self._next_expiry = 0
        self._next_version()
        self._write_watermark(fresh)
        progress.done = progress.total
        progress.finished = True
        self.changed()
