"""Facts written by hand for the metric tests: a row says what matters, the rest is a plain default."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

import pyarrow as pa

from engine import shared_store
from tickertape.metrics import answer, parse
from tickertape.settings import Settings
from tickertape.store import NEVER_MS

MS, SECOND = pa.timestamp("ms", tz="UTC"), pa.timestamp("s", tz="UTC")
TEXT, FLAG, MONEY, MAP = pa.string(), pa.bool_(), pa.decimal128(18, 6), pa.map_(pa.string(), pa.string())
HOUR = 3_600_000
DAY = 24 * HOUR


def at(text: str) -> int:
    """`2026-03-02 10:00` in UTC, in milliseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOON = at("2026-03-02 12:00")
LATER = "2026-06-01T00:00:00Z"
"""A clock at which everything has long happened."""

_NEVERS = [
    "delivered_at",
    "failed_at",
    "bounced_at",
    "proven_at",
    "opened_at",
    "clicked_at",
    "replied_at",
    "reacted_at",
    "opted_out_at",
    "complained_at",
    "converted_at",
    "engaged_before",
]
_TEXTS = [
    "source",
    "id",
    "channel",
    "author",
    "purpose",
    "contact",
    "campaign",
    "template",
    "variant",
    "agent",
    "team",
    "carrier",
    "country",
    "error_code",
    "conversation",
]

TABLES: Mapping[str, dict[str, tuple[pa.DataType, Any]]] = {
    "messages": {
        **dict.fromkeys(_TEXTS, (TEXT, "")),
        "outbound": (FLAG, True),
        "tracked": (FLAG, True),
        "test": (FLAG, False),
        "auto_reply": (FLAG, False),
        "sent_known": (FLAG, True),
        "attrs": (MAP, []),
        "cohort_at": (MS, NOON),
        **dict.fromkeys(_NEVERS, (MS, NEVER_MS)),
        "clicks.at": (pa.list_(MS), []),
        "clicks.actor": (pa.list_(TEXT), []),
        "clicks.link": (pa.list_(TEXT), []),
        "clicks.reason": (pa.list_(TEXT), []),
        "costs.at": (pa.list_(MS), []),
        "costs.amount": (pa.list_(MONEY), []),
        "costs.currency": (pa.list_(TEXT), []),
        "sentiment": (pa.float32(), None),
    },
    "episodes": {
        **dict.fromkeys(
            ["source", "conversation", "contact", "channel", "team", "resolver", "last_agent", "fcr"], (TEXT, "")
        ),
        "outcome": (TEXT, "open"),
        "attrs": (MAP, []),
        "topics": (pa.list_(TEXT), []),
        "opened_at": (MS, NOON),
        **dict.fromkeys(["ended_at", "resolved_at", "fcr_matures_at", "frustrated_at"], (MS, NEVER_MS)),
        **{name: (pa.uint32(), 0) for name in ["human_replies", "bot_replies", "reopens_substantive", "transfers"]},
        "is_repeat": (FLAG, False),
        "quality": (pa.float64(), None),
        **{f"durations.{name}": (pa.list_(TEXT), []) for name in ("kind", "agent", "team")},
        **{f"durations.{name}": (pa.list_(MS), []) for name in ("started_at", "ended_at")},
        "durations.business_ms": (pa.list_(pa.int64()), []),
        **{f"checks.{name}": (pa.list_(TEXT), []) for name in ("kind", "agent", "team")},
        **{f"checks.{name}": (pa.list_(MS), []) for name in ("started_at", "due_at", "ended_at")},
    },
    "surveys": {
        **dict.fromkeys(["source", "id", "agent", "team", "channel", "contact", "conversation"], (TEXT, "")),
        "kind": (TEXT, "csat"),
        "sent_at": (MS, NOON),
        "answered_at": (MS, NEVER_MS),
        "score": (pa.float64(), None),
        "scale_max": (pa.float64(), None),
        "topics": (pa.list_(TEXT), []),
    },
    "agent_days": {
        "day": (pa.date32(), date(2026, 3, 2)),
        "agent": (TEXT, ""),
        "team": (TEXT, ""),
        **{f"segments.{name}": (pa.list_(MS), []) for name in ("started_at", "ended_at")},
        "segments.active": (pa.list_(FLAG), []),
        "segments.open_episodes": (pa.list_(pa.uint32()), []),
    },
    "conversions": {
        **dict.fromkeys(["source", "id", "kind", "contact"], (TEXT, "")),
        "at": (MS, NOON),
        "value": (MONEY, Decimal(0)),
        "currency": (TEXT, "USD"),
        "attrs": (MAP, []),
        "refunds.at": (pa.list_(MS), []),
        "refunds.amount": (pa.list_(MONEY), []),
        **{
            f"credits.{name}": (pa.list_(TEXT), [])
            for name in [
                "campaign",
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
                "touch",
            ]
        },
        "credits.message_at": (pa.list_(MS), []),
        "credits.share": (pa.list_(pa.float64()), []),
    },
}
_HOME = {"messages": "cohort_at", "episodes": "opened_at", "surveys": "sent_at", "conversions": "at"}
_HASH = {"messages": "hash", "episodes": "conversation_hash", "surveys": "hash", "conversions": "hash"}


_written: dict[str, bool] = {}
"""The tables that exist in this process, and whether they hold rows."""


def of_table(table: str) -> str:
    return f"metric_{table}"


class Facts:
    """Empty fact tables of its own, and the questions asked of them."""

    def __init__(self) -> None:
        self.store = shared_store()
        self._hash = count(1)
        self.relations = {table: f"{of_table(table)} FINAL" for table in TABLES}
        for table in TABLES:
            if table not in _written:
                self.store.command(f"CREATE TABLE {of_table(table)} AS {table}")
            elif _written[table]:
                self.store.command(f"TRUNCATE TABLE {of_table(table)}")
            _written[table] = False

    def add(self, table: str, *rows: Mapping[str, Any]) -> None:
        """Writes rows. `clicks`, `durations` and the like are given as lists of objects."""
        _written[table] = True
        columns = TABLES[table]
        whole = [self._flat(columns, row) for row in rows]
        arrays = {
            name: pa.array([row.get(name, default) for row in whole], kind) for name, (kind, default) in columns.items()
        }
        if table in _HOME:
            arrays["home"] = pa.array([row.get(_HOME[table], NOON) // HOUR * 3600 for row in whole], SECOND)
            arrays[_HASH[table]] = pa.array([next(self._hash) for _ in whole], pa.uint64())
        arrays["version"] = pa.array([1] * len(whole), pa.uint64())
        self.store.insert(of_table(table), pa.table(arrays))

    @staticmethod
    def _flat(columns: Mapping[str, tuple[pa.DataType, Any]], row: Mapping[str, Any]) -> dict[str, Any]:
        flat: dict[str, Any] = {}
        for name, value in row.items():
            nested = [column for column in columns if column.startswith(f"{name}.")]
            if nested:
                for column in nested:
                    kind = columns[column][0].value_type
                    nothing = NEVER_MS if kind == MS else 1.0 if kind == pa.float64() else "" if kind == TEXT else 0
                    flat[column] = [item.get(column.split(".")[1], nothing) for item in value]
            else:
                assert name in columns, name
                flat[name] = value
        return flat

    def ask(
        self, params: Mapping[str, Any], settings: Settings | None = None, *, real_now: int = at("2026-06-01 00:00")
    ) -> dict[str, Any]:
        settings = settings or Settings()
        query = parse({"from": "2026-03-02", "to": "2026-03-03", **params}, settings, real_now)
        return answer(self.store, query, settings, self.relations)

    def rows(self, metrics: str, settings: Settings | None = None, **params: Any) -> list[dict[str, Any]]:
        named = {name.removesuffix("_") if name in ("from_",) else name: value for name, value in params.items()}
        rows: list[dict[str, Any]] = self.ask({"metrics": metrics, **named}, settings)["rows"]
        return rows

    def cell(self, metric: str, settings: Settings | None = None, **params: Any) -> dict[str, Any]:
        (row,) = self.rows(metric, settings, **params)
        cell: dict[str, Any] = row[metric]
        return cell
