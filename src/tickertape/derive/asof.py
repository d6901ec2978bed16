"""The facts as they stood at a clock: what is asked about the past is folded again without what came later.

Messages need no folding again: each of their instants is compared with the clock. Episodes rest on one another's
order, so those that went on after the clock, or that time has changed since, are derived anew into a side table.
"""

import threading
from collections import OrderedDict

from msgspec import Struct

from tickertape.derive import facts
from tickertape.derive.contacts import Conversion
from tickertape.derive.derivation import ConversationState, Derivation, MessageState, Touched
from tickertape.derive.deriver import Deriver
from tickertape.derive.episodes import merged
from tickertape.derive.timeline import Episode
from tickertape.keys import key
from tickertape.store import Store
from tickertape.store.log import Logged, conversation_key, message_key

KEPT_SNAPSHOTS = 8


class Thread(Struct):
    """One conversation as known at a clock."""

    source: str
    id: str
    hash: int
    episodes: list[Episode]
    messages: list[MessageState]
    events: ConversationState


class Telling(Struct):
    """One message as known at a clock: its state, the events that told of it, and what it earned."""

    source: str
    state: MessageState
    told: list[Logged]
    earned: list[Conversion]


class AsOf:
    """Answers about the past from a deriver's log and facts."""

    def __init__(self, store: Store, deriver: Deriver) -> None:
        self._store = store
        self._deriver = deriver
        self._snapshots: OrderedDict[tuple[int, int], str] = OrderedDict()
        self._lock = threading.Lock()
        store.command("DROP TABLE IF EXISTS episodes_asof SYNC")
        store.command(
            "CREATE TABLE episodes_asof ENGINE = MergeTree PARTITION BY snapshot ORDER BY conversation_hash"
            " AS SELECT toUInt64(0) AS snapshot, * FROM episodes LIMIT 0"
        )

    def episodes(self, now: int) -> str:
        """The relation to read episodes from for the clock `now`."""
        version = self._deriver.version
        with self._lock:
            found = self._snapshots.get((now, version))
            if found is None:
                found = self._snapshot(now, version)
                self._snapshots[now, version] = found
                while len(self._snapshots) > KEPT_SNAPSHOTS:
                    (at, of), _ = self._snapshots.popitem(last=False)
                    self._store.command(f"ALTER TABLE episodes_asof DROP PARTITION {_name(at, of)}")
            return found

    def _snapshot(self, now: int, version: int) -> str:
        known = f"opened_at <= fromUnixTimestamp64Milli({now:d})"
        stale = f"(valid_from > fromUnixTimestamp64Milli({now:d}) OR valid_until < fromUnixTimestamp64Milli({now:d}))"
        rows = self._store.rows(f"SELECT DISTINCT conversation_hash FROM episodes FINAL WHERE {known} AND {stale}")  # noqa: S608
        changed = {row[0] for row in rows}
        if not changed:
            return f"(SELECT * FROM episodes FINAL WHERE {known})"  # noqa: S608
        name = _name(now, version)
        derivation = self._derivation(now)
        touched = Touched(conversations={m for c in changed for m in derivation.members(c)})
        changes = derivation.apply([], touched, now)
        redone = set(derivation.roots(touched.conversations)) | changed
        # A conversation that has no episode yet at that clock must be left out all the same.
        episodes = [r for r in changes.episodes if r.conversation_hash in redone]
        if episodes:
            table = facts.table(facts.EPISODES, episodes, version)
            self._store.insert("episodes_asof", table.append_column("snapshot", facts.numbers(name, len(episodes))))
        left_out = ", ".join(str(c) for c in sorted(redone))
        return (
            f"(SELECT * FROM episodes FINAL WHERE {known} AND conversation_hash NOT IN ({left_out})"  # noqa: S608
            f" UNION ALL SELECT * EXCEPT (snapshot) FROM episodes_asof WHERE snapshot = {name})"
        )

    def _derivation(self, horizon: int) -> Derivation:
        live = self._deriver.facts
        derivation = Derivation(
            self._store,
            live.settings,
            live.derivation.identities,
            suffix=live.suffix,
            horizon=horizon,
            through=live.seq,
        )
        derivation.active = live.derivation.active
        return derivation

    def message(self, message_id: str, source: str | None, now: int, horizon: int) -> "Telling | None":
        """One message by the provider's id (in `source`, else in the one that told of it last)."""
        derivation = self._derivation(horizon)
        best: Telling | None = None
        for name in [source] if source else self._sources():
            root = derivation.identities.root(message_key(name, message_id))
            changes = derivation.apply([], Touched(messages={root}), now)
            state = derivation.message(root)
            if not state.events:
                continue
            told = sorted(state.events.values(), key=lambda e: e.order)
            earned = [c for c in changes.conversions if any(x.message and x.message.hash == root for x in c.credits)]
            found = Telling(name, state, told, earned)
            if best is None or found.told[-1].order > best.told[-1].order:
                best = found
        return best

    def _sources(self) -> list[str]:
        return [row[0] for row in self._store.rows("SELECT DISTINCT source FROM events")]

    def thread(self, conversation_id: str, source: str | None, now: int, horizon: int) -> Thread | None:
        """One conversation by the provider's id (in `source`, else in the one that touched it last)."""
        candidates = [source] if source else self._sources()
        derivation = self._derivation(horizon)
        best: tuple[int, Thread] | None = None
        for name in candidates:
            found = self._thread(derivation, name, conversation_id, now)
            if found is not None and (best is None or found[0] > best[0]):
                best = found
        return best[1] if best is not None else None

    def _thread(self, derivation: Derivation, source: str, conversation_id: str, now: int) -> tuple[int, Thread] | None:
        hash_ = conversation_key(source, conversation_id)
        derivation.apply([], Touched(conversations={hash_}), now)
        state, messages = derivation.conversation(hash_)
        if not messages and not state.events:
            return None
        last = max([m.message.cohort_at for m in messages if m.message] + [e.at for e in state.events.values()])
        episodes = state.episodes
        merged_at = derivation.merged_at(hash_)
        if merged_at is not None:
            own = [m for m in messages if m.links is not None and m.links.conversation_hash == hash_]
            episodes = merged([m.entry for m in own if m.entry is not None], merged_at)
        return last, Thread(source, conversation_id, hash_, episodes, messages, state)


def _name(now: int, version: int) -> int:
    return key("snapshot", str(now), str(version))
