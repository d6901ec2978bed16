"""The append-only log of events: how an event becomes a row of it and a row an event again."""

from collections.abc import Iterable, Sequence
from typing import cast

import msgspec
import pyarrow as pa
from msgspec import Struct

from tickertape.events import (
    AnyEvent,
    ConversationMerged,
    ConversionRecorded,
    ConversionRefunded,
    Event,
    MessageReceived,
    MessageSent,
    SurveyAnswered,
    SurveySent,
    at_ms,
    canonical_json,
    content_hash,
)
from tickertape.keys import key
from tickertape.store.client import Store


class Logged(Struct, kw_only=True, gc=False):
    """One event as the log holds it; the hashes are 0 where the event names no such thing."""

    seq: int = 0
    source: str
    event: Event
    id: str
    at: int
    received_at: int
    id_hash: int
    message_hash: int
    conversation_hash: int
    contact_hash: int
    address_hash: int
    link_hash: int
    body: bytes

    @property
    def order(self) -> tuple[int, str]:
        """Of several events that tell one fact, the smallest tells it."""
        return (self.at, self.id)


def log_entry(event: AnyEvent, source: str, received_at: int) -> Logged:
    """Stamps a normalised event (its id and times are set) with the keys it is looked up by."""
    return Logged(
        source=source,
        event=event,
        id=event.id or "",
        at=at_ms(event),
        received_at=received_at,
        id_hash=key("event", source, event.id or ""),
        message_hash=message_key(source, event.message_id) if event.message_id else 0,
        conversation_hash=conversation_key(source, event.conversation_id) if event.conversation_id else 0,
        contact_hash=key("contact", event.contact_id) if event.contact_id else 0,
        address_hash=key("address", event.address) if event.address else 0,
        link_hash=_link_key(source, event),
        body=canonical_json(event),
    )


def _link_key(source: str, event: AnyEvent) -> int:
    """The other thing an event is about: the message it retries or answers, the conversation merged into, the order."""
    match event:
        case MessageSent(retry_of=str(other)) | MessageReceived(reply_to=str(other)):
            return message_key(source, other)
        case ConversationMerged(into=other):
            return conversation_key(source, other)
        case ConversionRecorded(conversion_id=other) | ConversionRefunded(conversion_id=other):
            return conversion_key(source, other)
        case SurveySent(survey_id=other) | SurveyAnswered(survey_id=other):
            return key("survey", source, other)
    return 0


def conversion_key(source: str, conversion_id: str) -> int:
    return key("conversion", source, conversion_id)


def message_key(source: str, message_id: str) -> int:
    return key("message", source, message_id)


def conversation_key(source: str, conversation_id: str) -> int:
    return key("conversation", source, conversation_id)


def stands(a: Logged, b: Logged) -> Logged:
    """Of two events with one id and different content, the one that counts: the earlier, then the smaller hash."""
    return min(a, b, key=lambda e: (e.at, content_hash(cast(AnyEvent, e.event))))


_U64 = pa.uint64()
_MS = pa.timestamp("ms", tz="UTC")


def append(store: Store, events: Sequence[Logged]) -> None:
    """On disk when it returns."""
    store.insert(
        "events",
        pa.table(
            {
                "seq": pa.array([e.seq for e in events], _U64),
                "source": pa.array([e.source for e in events], pa.string()),
                "id": pa.array([e.id for e in events], pa.string()),
                "type": pa.array([e.event.__struct_config__.tag for e in events], pa.string()),
                "at": pa.array([e.at for e in events], _MS),
                "received_at": pa.array([e.received_at for e in events], _MS),
                "id_hash": pa.array([e.id_hash for e in events], _U64),
                "message_hash": pa.array([e.message_hash for e in events], _U64),
                "conversation_hash": pa.array([e.conversation_hash for e in events], _U64),
                "contact_hash": pa.array([e.contact_hash for e in events], _U64),
                "address_hash": pa.array([e.address_hash for e in events], _U64),
                "link_hash": pa.array([e.link_hash for e in events], _U64),
                "body": pa.array([e.body for e in events], pa.binary()),
            }
        ),
    )


_COLUMNS = (
    "seq, source, id, toUnixTimestamp64Milli(at) AS at_ms, toUnixTimestamp64Milli(received_at) AS received_ms, id_hash,"
    " message_hash, conversation_hash, contact_hash, address_hash, link_hash, body"
)
_DECODER = msgspec.json.Decoder(AnyEvent)


def _read(store: Store, sql: str, params: dict[str, object]) -> list[Logged]:
    columns = store.table(sql, params).to_pydict()
    return [
        Logged(
            seq=seq, source=source, event=_DECODER.decode(body), id=id_, at=at, received_at=received_at,
            id_hash=id_hash, message_hash=message_hash, conversation_hash=conversation_hash,
            contact_hash=contact_hash, address_hash=address_hash, link_hash=link_hash,
            body=body.encode() if isinstance(body, str) else body,
        )
        for seq, source, id_, at, received_at, id_hash, message_hash, conversation_hash, contact_hash, address_hash,
            link_hash, body in zip(*columns.values(), strict=True)
    ]  # fmt: skip


_LOOKUPS = ("id_hash", "message_hash", "conversation_hash", "contact_hash", "address_hash", "link_hash")


def find(store: Store, column: str, keys: Iterable[int], *, through: int, types: Sequence[str] = ()) -> list[Logged]:
    """The events whose `column` (one of the hashes) is among `keys`, up to and with the sequence number `through`."""
    wanted = list(keys)
    if not wanted:
        return []
    assert column in _LOOKUPS
    kinds = " AND type IN {types:Array(String)}" if types else ""
    return _read(
        store,
        f"SELECT {_COLUMNS} FROM events WHERE {column} IN {{keys:Array(UInt64)}} AND seq <= {{through:UInt64}}{kinds}",  # noqa: S608
        {"keys": wanted, "through": through, **({"types": list(types)} if types else {})},
    )


def of_types(store: Store, types: Sequence[str], *, through: int, linked: bool = False) -> list[Logged]:
    """All events of some types (rare ones: merges, consents), or only those that link to another entity."""
    return _read(
        store,
        f"SELECT {_COLUMNS} FROM events WHERE type IN {{types:Array(String)}} AND seq <= {{through:UInt64}}"  # noqa: S608
        + (" AND link_hash != 0" if linked else ""),
        {"types": list(types), "through": through},
    )


def after(store: Store, seq: int, limit: int) -> list[Logged]:
    """The next events in order of arrival: what recovery and rebuild replay."""
    return _read(
        store,
        f"SELECT {_COLUMNS} FROM events WHERE seq > {{seq:UInt64}} ORDER BY seq LIMIT {{limit:UInt64}}",  # noqa: S608
        {"seq": seq, "limit": limit},
    )


def last_seq(store: Store) -> int:
    return int(store.rows("SELECT max(seq) FROM events")[0][0])
