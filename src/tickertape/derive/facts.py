"""The rows that the folds leave in the store: each fact table's columns, with their types and their origin."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
from msgspec import Struct

from tickertape.derive.contacts import Links
from tickertape.derive.messages import Message
from tickertape.derive.presence import Segment
from tickertape.derive.rules import hour_of
from tickertape.derive.timeline import Episode, Survey
from tickertape.keys import contact_key
from tickertape.store import NEVER_MS

_TEXT, _FLAG, _U8, _U32, _U64, _I64, _REAL = (
    pa.string(), pa.bool_(), pa.uint8(), pa.uint32(), pa.uint64(), pa.int64(), pa.float64(),
)  # fmt: skip
_MS, _S, _DAY = pa.timestamp("ms", tz="UTC"), pa.timestamp("s", tz="UTC"), pa.date32()
_MONEY = pa.decimal128(18, 6)
_MAP = pa.map_(_TEXT, _TEXT)
_MICRO = Decimal("0.000001")

Columns = Sequence[tuple[str, pa.DataType, Callable[[Any], Any]]]


class MessageRow(Struct, gc=False):
    message: Message
    links: Links


class EpisodeRow(Struct, gc=False):
    source: str
    conversation: str
    conversation_hash: int
    episode: Episode
    valid_from: int
    attrs: dict[str, str]


class SurveyRow(Struct, gc=False):
    source: str
    conversation: str
    conversation_hash: int
    hash: int
    survey: Survey
    topics: list[str]
    valid_from: int


class AgentDay(Struct, gc=False):
    day: int
    """Days since the epoch, UTC."""
    agent: str
    team: str
    segments: list[Segment]


def _or_never(at: int | None) -> int:
    return NEVER_MS if at is None else at


def _hour_s(at: int) -> int:
    return hour_of(at) // 1000


def _own(*names: str) -> tuple[tuple[str, pa.DataType, Callable[[Any], Any]], ...]:
    def getter(name: str) -> Callable[[MessageRow], Any]:
        return lambda r: getattr(r.message, name)

    return tuple((name, _TEXT, getter(name)) for name in names)


def _instants(part: str, *names: str) -> tuple[tuple[str, pa.DataType, Callable[[Any], Any]], ...]:
    def getter(name: str) -> Callable[[MessageRow], Any]:
        return lambda r: getattr(getattr(r, part), name)

    return tuple((name, _MS, getter(name)) for name in names)


MESSAGES: Columns = (
    ("home", _S, lambda r: r.message.home // 1000),
    ("hash", _U64, lambda r: r.message.hash),
    *_own(
        "source", "id", "channel", "author", "purpose", "sender", "campaign", "template", "variant", "agent", "team",
        "carrier", "country", "error_code", "reason",
    ),
    ("outbound", _FLAG, lambda r: r.message.outbound),
    ("contact", _TEXT, lambda r: r.links.contact),
    ("contact_hash", _U64, lambda r: contact_key(r.links.contact) if r.links.contact else 0),
    ("conversation", _TEXT, lambda r: r.links.conversation),
    ("conversation_hash", _U64, lambda r: r.links.conversation_hash),
    ("attrs", _MAP, lambda r: list(r.message.attrs.items())),
    ("tracked", _FLAG, lambda r: r.message.tracked),
    ("test", _FLAG, lambda r: r.message.test),
    ("auto_reply", _FLAG, lambda r: r.message.auto_reply),
    ("opt_out", _TEXT, lambda r: r.links.opts_out),
    ("sent_known", _FLAG, lambda r: r.message.sent_known),
    *_instants(
        "message", "cohort_at", "delivered_at", "failed_at", "bounced_at", "opened_at", "clicked_at", "reacted_at"
    ),
    *_instants(
        "links", "proven_at", "replied_at", "opted_out_at", "complained_at", "converted_at", "engaged_before"
    ),
    ("clicks.at", pa.list_(_MS), lambda r: [c.at for c in r.message.clicks]),
    ("clicks.actor", pa.list_(_TEXT), lambda r: [c.actor for c in r.message.clicks]),
    ("clicks.reason", pa.list_(_TEXT), lambda r: [c.reason for c in r.message.clicks]),
    ("clicks.link", pa.list_(_TEXT), lambda r: [c.link for c in r.message.clicks]),
    ("costs.at", pa.list_(_MS), lambda r: [c.at for c in r.message.costs]),
    ("costs.amount", pa.list_(_MONEY), lambda r: [c.amount.quantize(_MICRO) for c in r.message.costs]),
    ("costs.currency", pa.list_(_TEXT), lambda r: [c.currency for c in r.message.costs]),
    ("text_hash", _U64, lambda r: r.message.text_hash),
    ("not_understood", _FLAG, lambda r: r.message.not_understood),
)  # fmt: skip


def _episode_text(name: str) -> tuple[str, pa.DataType, Callable[[Any], Any]]:
    return (name, _TEXT, lambda r: getattr(r.episode, name) or "")


def _episode_instant(name: str) -> tuple[str, pa.DataType, Callable[[Any], Any]]:
    return (name, _MS, lambda r: _or_never(getattr(r.episode, name)))


def _episode_count(name: str) -> tuple[str, pa.DataType, Callable[[Any], Any]]:
    return (name, _U32, lambda r: getattr(r.episode, name))


def _nested(prefix: str, fields: Sequence[tuple[str, pa.DataType, Callable[[Any], Any]]]) -> Columns:
    def column(take: Callable[[Any], Any]) -> Callable[[EpisodeRow], Any]:
        return lambda r: [take(x) for x in getattr(r.episode, prefix)]

    return tuple((f"{prefix}.{name}", pa.list_(kind), column(take)) for name, kind, take in fields)


_SPELL: Columns = (
    ("agent", _TEXT, lambda s: s.agent),
    ("started_at", _MS, lambda s: s.started_at),
    ("ended_at", _MS, lambda s: _or_never(s.ended_at)),
)

EPISODES: Columns = (
    ("home", _S, lambda r: _hour_s(r.episode.opened_at)),
    ("conversation_hash", _U64, lambda r: r.conversation_hash),
    ("source", _TEXT, lambda r: r.source),
    ("conversation", _TEXT, lambda r: r.conversation),
    ("opened_at", _MS, lambda r: r.episode.opened_at),
    ("contact_hash", _U64, lambda r: contact_key(r.episode.contact) if r.episode.contact else 0),
    *(
        _episode_text(n)
        for n in ("contact", "channel", "team", "outcome", "resolved_by", "resolver", "last_agent", "fcr")
    ),
    ("topics", pa.list_(_TEXT), lambda r: r.episode.topics),
    ("attrs", _MAP, lambda r: list(r.attrs.items())),
    ("agents", pa.list_(_TEXT), lambda r: r.episode.agents),
    ("agent_initiated", _FLAG, lambda r: r.episode.agent_initiated),
    ("one_touch", _FLAG, lambda r: bool(r.episode.one_touch)),
    ("is_repeat", _FLAG, lambda r: r.episode.is_repeat),
    *(_episode_instant(n) for n in ("ended_at", "resolved_at", "resolve_event_at", "fcr_matures_at", "frustrated_at")),
    *(
        _episode_count(n)
        for n in ("human_replies", "bot_replies", "customer_messages", "reopens", "reopens_substantive", "transfers")
    ),
    ("quality", _REAL, lambda r: r.episode.quality.score if r.episode.quality else None),
    (
        "waiting_since",
        _MS,
        lambda r: min((d.started_at for d in r.episode.durations if d.kind == "open"), default=NEVER_MS),
    ),
    *_nested(
        "durations",
        (
            ("kind", _TEXT, lambda d: d.kind),
            ("started_at", _MS, lambda d: d.started_at),
            ("ended_at", _MS, lambda d: _or_never(d.ended_at)),
            ("business_ms", _I64, lambda d: -1 if d.business_ms is None else d.business_ms),
            ("agent", _TEXT, lambda d: d.agent or ""),
            ("team", _TEXT, lambda d: d.team or ""),
        ),
    ),
    *_nested(
        "checks",
        (
            ("kind", _TEXT, lambda c: c.kind),
            ("started_at", _MS, lambda c: c.started_at),
            ("due_at", _MS, lambda c: c.due_at),
            ("ended_at", _MS, lambda c: _or_never(c.ended_at)),
            ("agent", _TEXT, lambda c: c.agent or ""),
            ("team", _TEXT, lambda c: c.team or ""),
        ),
    ),
    *_nested("assigned", _SPELL),
    *_nested("waiting", _SPELL),
    ("valid_from", _MS, lambda r: r.valid_from),
    ("valid_until", _MS, lambda r: _or_never(r.episode.valid_until)),
)

SURVEYS: Columns = (
    ("home", _S, lambda r: _hour_s(r.survey.sent_at)),
    ("hash", _U64, lambda r: r.hash),
    ("source", _TEXT, lambda r: r.source),
    ("id", _TEXT, lambda r: r.survey.survey_id),
    ("kind", _TEXT, lambda r: r.survey.kind),
    ("sent_at", _MS, lambda r: r.survey.sent_at),
    ("answered_at", _MS, lambda r: _or_never(r.survey.answered_at)),
    ("score", _REAL, lambda r: r.survey.score),
    ("scale_max", _REAL, lambda r: r.survey.scale_max),
    ("agent", _TEXT, lambda r: r.survey.agent or ""),
    ("team", _TEXT, lambda r: r.survey.team or ""),
    ("channel", _TEXT, lambda r: r.survey.channel or ""),
    ("contact", _TEXT, lambda r: r.survey.contact or ""),
    ("conversation", _TEXT, lambda r: r.conversation),
    ("conversation_hash", _U64, lambda r: r.conversation_hash),
    ("topics", pa.list_(_TEXT), lambda r: r.topics),
    ("valid_from", _MS, lambda r: r.valid_from),
    ("valid_until", _MS, lambda r: NEVER_MS),
)

AGENT_DAYS: Columns = (
    ("day", _DAY, lambda r: r.day),
    ("agent", _TEXT, lambda r: r.agent),
    ("team", _TEXT, lambda r: r.team),
    ("segments.started_at", pa.list_(_MS), lambda r: [s.started_at for s in r.segments]),
    ("segments.ended_at", pa.list_(_MS), lambda r: [s.ended_at for s in r.segments]),
    ("segments.active", pa.list_(_FLAG), lambda r: [s.active for s in r.segments]),
    ("segments.open_episodes", pa.list_(_U32), lambda r: [s.open_episodes for s in r.segments]),
)


def _credit_text(name: str) -> tuple[str, pa.DataType, Callable[[Any], Any]]:
    return (
        f"credits.{name}",
        pa.list_(_TEXT),
        lambda c: [getattr(x.message, name) if x.message is not None else "" for x in c.credits],
    )


CONVERSIONS: Columns = (
    ("home", _S, lambda c: _hour_s(c.at)),
    ("hash", _U64, lambda c: c.hash),
    ("source", _TEXT, lambda c: c.source),
    ("id", _TEXT, lambda c: c.id),
    ("at", _MS, lambda c: c.at),
    ("kind", _TEXT, lambda c: c.kind),
    ("contact", _TEXT, lambda c: c.contact),
    ("contact_hash", _U64, lambda c: contact_key(c.contact) if c.contact else 0),
    ("attrs", _MAP, lambda c: list(c.attrs.items())),
    ("value", _MONEY, lambda c: c.value.quantize(_MICRO)),
    ("currency", _TEXT, lambda c: c.currency),
    ("refunds.at", pa.list_(_MS), lambda c: [at for at, _ in c.refunds]),
    ("refunds.amount", pa.list_(_MONEY), lambda c: [amount.quantize(_MICRO) for _, amount in c.refunds]),
    ("credits.message_hash", pa.list_(_U64), lambda c: [x.message.hash if x.message else 0 for x in c.credits]),
    ("credits.message_at", pa.list_(_MS), lambda c: [x.at for x in c.credits]),
    ("credits.message_home", pa.list_(_S), lambda c: [_hour_s(x.at) for x in c.credits]),
    ("credits.campaign", pa.list_(_TEXT), lambda c: [x.campaign for x in c.credits]),
    ("credits.touch", pa.list_(_TEXT), lambda c: [x.touch for x in c.credits]),
    ("credits.share", pa.list_(_REAL), lambda c: [x.share for x in c.credits]),
    *(
        _credit_text(n)
        for n in (
            "template",
            "variant",
            "channel",
            "purpose",
            "author",
            "source",
            "carrier",
            "country",
            "agent",
            "team",
        )
    ),
)


def table(columns: Columns, rows: Sequence[Any], version: int) -> pa.Table:
    """The rows as an Arrow table, all of one version."""
    arrays = {name: pa.array([take(r) for r in rows], kind) for name, kind, take in columns}
    arrays["version"] = pa.array([version] * len(rows), _U64)
    return pa.table(arrays)


def tombstones(keys: Iterable[Sequence[Any]], columns: Sequence[tuple[str, pa.DataType]], version: int) -> pa.Table:
    """Rows that remove older ones with the same sorting key."""
    values = list(zip(*keys, strict=True))
    arrays = {name: pa.array(column, kind) for (name, kind), column in zip(columns, values, strict=True)}
    rows = len(values[0])
    return pa.table(arrays | {"version": pa.array([version] * rows, _U64), "deleted": pa.array([1] * rows, _U8)})


MESSAGE_KEY = (("home", _S), ("hash", _U64))
EPISODE_KEY = (("home", _S), ("conversation_hash", _U64), ("opened_at", _MS))
SURVEY_KEY = (("home", _S), ("hash", _U64))
CONVERSION_KEY = (("home", _S), ("hash", _U64))


def link_table(links: Sequence[tuple[int, int, str, str]], version: int) -> pa.Table:
    addresses, moments, event_ids, contacts = zip(*links, strict=True)
    return pa.table(
        {
            "address_hash": pa.array(addresses, _U64),
            "at": pa.array(moments, _MS),
            "event_id": pa.array(event_ids, _TEXT),
            "contact_id": pa.array(contacts, _TEXT),
            "version": pa.array([version] * len(links), _U64),
        }
    )


def watermark(name: str, seq: int, as_of: int, settings_version: int, version: int) -> pa.Table:
    return pa.table(
        {
            "name": pa.array([name], _TEXT),
            "seq": pa.array([seq], _U64),
            "as_of": pa.array([as_of], _MS),
            "settings_version": pa.array([settings_version], _U64),
            "version": pa.array([version], _U64),
        }
    )


def numbers(value: int, rows: int) -> pa.Array:
    return pa.array([value] * rows, _U64)
