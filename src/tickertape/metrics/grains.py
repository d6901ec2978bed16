"""What metrics count: each grain is a relation of facts, its moments, and the words its metrics are written in.

The expressions see the columns of the fact table and these parameters, all of them query parameters:
`known` and `now` (the end of what is known, and the clock), `edges`, `ends` and `points` (per bucket: its start, its
end and the moment at which a state in it is looked at), `every_author` (agents and bots count as outreach too).
"""

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from tickertape.metrics.money import MICROS, NO_MINOR_UNIT, THREE_DECIMALS

KNOWN = "fromUnixTimestamp64Milli({known:Int64}, 'UTC')"
NEVER = "toDateTime64('2299-12-31 00:00:00', 3, 'UTC')"

HOME_IN_RANGE = ("home >= toDateTime({home_from:UInt32}, 'UTC')", "home < toDateTime({home_to:UInt32}, 'UTC')")
HOME_BEFORE_END = (HOME_IN_RANGE[1],)


class Grain(Struct, frozen=True, kw_only=True):
    """`start`, `end`: expressions of the moments a row may be dated by; `anchor` is the default one of the two.

    `bounds` prune by the table's order. `spread`: expression of the places (from 0) of the buckets a row belongs to,
    for states and spells that are not dated by one moment. `currency`, `rate_at`: of the amount a row carries.
    `once_per`: with any-touch attribution one thing has several rows; per group only one of them counts.
    """

    table: str
    dimensions: Mapping[str, str]
    anchor: str = "end"
    start: str = ""
    end: str = ""
    bounds: tuple[str, ...] = HOME_BEFORE_END
    joins: tuple[str, ...] = ()
    definitions: tuple[tuple[str, str], ...] = ()
    where: tuple[str, ...] = ()
    spread: str | None = None
    currency: str | None = None
    rate_at: str | None = None
    once_per: str | None = None
    credited: str | None = None
    """Condition that holds for rows which a filter by a message's dimension may let through."""


def _place(at_ms: str) -> str:
    """The place of the bucket of a moment; moments before the first bucket fall into it, later ones into the last."""
    return f"transform(roundDown({at_ms}, {{edges:Array(Int64)}}), {{edges:Array(Int64)}}, range(length({{edges:Array(Int64)}})), 0)"  # noqa: E501


def _ms(moment: str) -> str:
    return f"toUnixTimestamp64Milli({moment})"


_MESSAGE_DIMENSIONS = {
    "channel": "channel",
    "campaign": "campaign",
    "template": "template",
    "variant": "variant",
    "purpose": "purpose",
    "author": "author",
    "agent": "agent",
    "team": "team",
    "carrier": "carrier",
    "country": "country",
    "source": "source",
    "engagement_tier": (
        f"multiIf(engaged_before >= {NEVER}, 'none', cohort_at - INTERVAL 30 DAY <= engaged_before, 'hot',"
        " cohort_at - INTERVAL 90 DAY <= engaged_before, 'warm', 'cold')"
    ),
    "conversation": "conversation",
    "contact": "contact",
    "attrs": "attrs",
}

_MESSAGE_STATES = (
    ("receipt", f"delivered_at <= {KNOWN}"),
    ("bounced", f"bounced_at <= {KNOWN}"),
    ("confirmed", "receipt AND NOT bounced"),
    ("delivered", f"confirmed OR proven_at <= {KNOWN}"),
    ("failed", f"(failed_at <= {KNOWN} OR bounced) AND NOT delivered"),
    ("clicked", f"delivered AND clicked_at <= {KNOWN}"),
    # A person who clicks in an e-mail has opened it, whatever the pixel said.
    ("opened", f"delivered AND least(opened_at, if(channel = 'email', clicked_at, opened_at)) <= {KNOWN}"),
    ("reports_reading", "channel NOT IN ('sms', 'mms')"),
    ("replied", f"delivered AND replied_at <= {KNOWN}"),
    ("reacted", f"delivered AND reacted_at <= {KNOWN}"),
    ("converted", f"delivered AND converted_at <= {KNOWN}"),
    ("opted_out", f"opted_out_at <= {KNOWN}"),
    ("complained", f"complained_at <= {KNOWN}"),
    ("outreach", "{every_author:Bool} OR author NOT IN ('agent', 'bot')"),
    ("cohort_ms", _ms("cohort_at")),
    ("origin_ms", "if(receipt, toUnixTimestamp64Milli(delivered_at), cohort_ms)"),
    ("delivery_ms", "greatest(0, toUnixTimestamp64Milli(delivered_at) - cohort_ms)"),
    ("click_ms", "greatest(0, toUnixTimestamp64Milli(clicked_at) - origin_ms)"),
    ("reply_ms", "greatest(0, toUnixTimestamp64Milli(replied_at) - origin_ms)"),
)
_HUMAN_CLICK = f"click.2 != 'machine' AND click.3 <= {KNOWN}"
# (link, first human click on it) per link.
_FIRST_CLICKS = (
    "arrayMap(link -> (link, arrayMin(click -> if(click.1 = link, click.3, "
    f"{NEVER}), arrayFilter(click -> {_HUMAN_CLICK}, arrayZip(clicks.link, clicks.actor, clicks.at)))),"
    f" arrayDistinct(arrayMap(click -> click.1, arrayFilter(click -> {_HUMAN_CLICK},"
    " arrayZip(clicks.link, clicks.actor, clicks.at)))))"
)
_OUTBOUND = ("outbound", "NOT test", f"cohort_at <= {KNOWN}")

_EPISODE_DIMENSIONS = {
    "channel": "channel",
    "team": "team",
    "topic": "topics",
    "source": "source",
    "conversation": "conversation",
    "contact": "contact",
    "attrs": "attrs",
}
_BY_RESOLVER = {**_EPISODE_DIMENSIONS, "agent": "resolver"}
_BY_LAST_AGENT = {**_EPISODE_DIMENSIONS, "agent": "last_agent"}
_COUNTED = ("outcome != 'merged'", f"opened_at <= {KNOWN}")


def _per_interval(prefix: str) -> dict[str, str]:
    return {**_EPISODE_DIMENSIONS, "agent": f"{prefix}_agent", "team": f"{prefix}_team"}


_SURVEY_DIMENSIONS = {**_EPISODE_DIMENSIONS, "agent": "agent"}
_SCALE = "coalesce(scale_max, multiIf(kind = 'nps', 10, kind = 'ces', 7, 5))"

# One row per movement of money (the sale, each refund) and credit; a conversion that no message earned has one without.
_MOVEMENTS = (
    "arrayConcat([(at, value, true)],"
    " arrayMap((refunded, amount) -> (refunded, amount, false), refunds.at, refunds.amount))"
)
_CREDIT_COLUMNS = (
    "message_at", "campaign", "template", "variant", "channel", "purpose", "author", "source", "carrier", "country",
    "agent", "team", "touch", "share",
)  # fmt: skip
_UNIT = (
    f"multiIf(currency IN {NO_MINOR_UNIT!r}, {MICROS},"
    f" currency IN {THREE_DECIMALS!r}, {MICROS // 1000}, {MICROS // 100})"
)

GRAINS: Mapping[str, Grain] = MappingProxyType(
    {
        "message": Grain(
            table="messages",
            start="cohort_at",
            end="cohort_at",
            anchor="start",
            bounds=HOME_IN_RANGE,
            definitions=_MESSAGE_STATES,
            where=_OUTBOUND,
            dimensions={**_MESSAGE_DIMENSIONS, "error_code": "if(failed, error_code, '')"},
        ),
        "opted-out message": Grain(
            table="messages",
            start="cohort_at",
            end="opted_out_at",
            anchor="start",
            where=(*_OUTBOUND, f"opted_out_at <= {KNOWN}"),
            dimensions=_MESSAGE_DIMENSIONS,
        ),
        "clicked link": Grain(
            table="messages",
            start="cohort_at",
            end="cohort_at",
            anchor="start",
            bounds=HOME_IN_RANGE,
            joins=(f"ARRAY JOIN {_FIRST_CLICKS} AS link_click",),
            definitions=tuple(
                (name, sql.replace("clicked_at", "link_click.2") if name in ("clicked", "click_ms") else sql)
                for name, sql in _MESSAGE_STATES
            ),
            where=_OUTBOUND,
            dimensions={**_MESSAGE_DIMENSIONS, "link": "link_click.1"},
        ),
        "click": Grain(
            table="messages",
            start="cohort_at",
            end="cohort_at",
            anchor="start",
            bounds=HOME_IN_RANGE,
            joins=("ARRAY JOIN clicks.at AS click_at, clicks.actor AS click_actor, clicks.link AS click_link",),
            definitions=_MESSAGE_STATES,
            where=(*_OUTBOUND, f"click_at <= {KNOWN}"),
            dimensions={**_MESSAGE_DIMENSIONS, "link": "click_link"},
        ),
        "cost": Grain(
            table="messages",
            start="cohort_at",
            end="cohort_at",
            anchor="start",
            bounds=HOME_IN_RANGE,
            joins=(
                "ARRAY JOIN costs.at AS cost_at, costs.amount AS cost_amount, costs.currency AS cost_currency,"
                " arrayEnumerate(costs.at) AS cost_place",
            ),
            definitions=(("amount", f"toInt128(toDecimal128(cost_amount, 6) * {MICROS})"),),
            where=(*_OUTBOUND, f"cost_at <= {KNOWN}"),
            dimensions=_MESSAGE_DIMENSIONS,
            currency="cost_currency",
            rate_at="cohort_at",
        ),
        "customer message": Grain(
            table="messages",
            start="cohort_at",
            end="cohort_at",
            anchor="start",
            bounds=HOME_IN_RANGE,
            where=("NOT outbound", "NOT test", "NOT auto_reply", f"cohort_at <= {KNOWN}", "sentiment IS NOT NULL"),
            dimensions={
                name: _MESSAGE_DIMENSIONS[name]
                for name in ("channel", "agent", "team", "country", "source", "conversation", "contact", "attrs")
            },
        ),
        "opened episode": Grain(
            table="episodes",
            start="opened_at",
            end="opened_at",
            bounds=HOME_IN_RANGE,
            where=_COUNTED,
            dimensions=_BY_LAST_AGENT,
        ),
        "resolved episode": Grain(
            table="episodes",
            start="opened_at",
            end="resolved_at",
            where=(*_COUNTED, "outcome = 'resolved'", f"resolved_at <= {KNOWN}"),
            dimensions=_BY_RESOLVER,
        ),
        "ended episode": Grain(
            table="episodes",
            start="opened_at",
            end="ended_at",
            where=(*_COUNTED, "outcome IN ('resolved', 'no_reply', 'expired')", f"ended_at <= {KNOWN}"),
            dimensions=_BY_LAST_AGENT,
        ),
        "frustrated episode": Grain(
            table="episodes",
            start="opened_at",
            end="frustrated_at",
            where=(*_COUNTED, f"frustrated_at <= {KNOWN}"),
            dimensions=_BY_LAST_AGENT,
        ),
        "duration": Grain(
            table="episodes",
            start="d_started_at",
            end="d_ended_at",
            joins=(
                "ARRAY JOIN durations.kind AS d_kind, durations.started_at AS d_started_at,"
                " durations.ended_at AS d_ended_at, durations.business_ms AS d_business_ms,"
                " durations.agent AS d_agent, durations.team AS d_team",
            ),
            definitions=(("duration_ms", "toUnixTimestamp64Milli(d_ended_at) - toUnixTimestamp64Milli(d_started_at)"),),
            where=(*_COUNTED, f"d_ended_at <= {KNOWN}"),
            dimensions=_per_interval("d"),
        ),
        "open wait": Grain(
            table="episodes",
            joins=(
                "ARRAY JOIN durations.kind AS d_kind, durations.started_at AS d_started_at,"
                " durations.ended_at AS d_ended_at, durations.agent AS d_agent, durations.team AS d_team",
            ),
            definitions=(
                ("from_ms", _ms("d_started_at")),
                ("until_ms", _ms("d_ended_at")),
                (
                    "places",
                    "arrayFilter(i -> from_ms <= {points:Array(Int64)}[i + 1]"
                    " AND {points:Array(Int64)}[i + 1] < until_ms,"
                    f" range(toUInt64(greatest(0, toInt64({_place('from_ms')}) - 1)),"
                    f" toUInt64({_place('until_ms')} + 1)))",
                ),
                ("age_ms", "{points:Array(Int64)}[place + 1] - from_ms"),
            ),
            where=(*_COUNTED, "d_kind IN ('response', 'bot_response', 'unanswered', 'open')"),
            spread="places",
            dimensions=_per_interval("d"),
        ),
        "check": Grain(
            table="episodes",
            start="c_started_at",
            end="if(met, c_ended_at, c_due_at)",
            joins=(
                "ARRAY JOIN checks.kind AS c_kind, checks.started_at AS c_started_at, checks.due_at AS c_due_at,"
                " checks.ended_at AS c_ended_at, checks.agent AS c_agent, checks.team AS c_team",
            ),
            definitions=(
                ("met", f"c_ended_at <= c_due_at AND c_ended_at <= {KNOWN}"),
                ("breached", "c_due_at < c_ended_at AND c_due_at < fromUnixTimestamp64Milli({now:Int64}, 'UTC')"),
            ),
            where=(*_COUNTED, "(met OR breached)"),
            dimensions=_per_interval("c"),
        ),
        "answered survey": Grain(
            table="surveys",
            start="sent_at",
            end="answered_at",
            definitions=(
                ("share_of_scale", f"(score - 1) / ({_SCALE} - 1)"),
                ("nps_score", f"score * 10 / {_SCALE}"),
            ),
            where=(f"answered_at <= {KNOWN}", "score IS NOT NULL"),
            dimensions=_SURVEY_DIMENSIONS,
        ),
        "sent survey": Grain(
            table="surveys",
            start="sent_at",
            end="sent_at",
            where=(f"sent_at <= {KNOWN}",),
            dimensions=_SURVEY_DIMENSIONS,
        ),
        "agent time": Grain(
            table="agent_days",
            bounds=(
                "day >= toDate(toDateTime({home_from:UInt32}, 'UTC') - INTERVAL 1 DAY)",
                "day <= toDate(toDateTime({home_to:UInt32}, 'UTC'))",
            ),
            joins=(
                "ARRAY JOIN segments.started_at AS s_started_at, segments.ended_at AS s_ended_at,"
                " segments.active AS s_active, segments.open_episodes AS s_open_episodes",
            ),
            definitions=(
                ("from_ms", f"greatest({_ms('s_started_at')}, {{from:Int64}})"),
                ("until_ms", f"least({_ms('s_ended_at')}, {{to:Int64}}, {{now:Int64}})"),
                ("places", f"range({_place('from_ms')}, {_place('until_ms - 1')} + 1)"),
                (
                    "online_ms",
                    "greatest(0, least(until_ms, {ends:Array(Int64)}[place + 1])"
                    " - greatest(from_ms, {edges:Array(Int64)}[place + 1]))",
                ),
            ),
            where=("from_ms < until_ms",),
            spread="places",
            dimensions={"agent": "agent", "team": "team"},
        ),
        "credit": Grain(
            table="conversions",
            start="if(attributed, c_message_at, at)",
            end="moved_at",
            anchor="start",
            bounds=(),
            joins=(
                f"ARRAY JOIN {_MOVEMENTS} AS movement, arrayEnumerate({_MOVEMENTS}) AS movement_place",
                "LEFT ARRAY JOIN "
                + ", ".join(f"credits.{column} AS c_{column}" for column in _CREDIT_COLUMNS)
                + ", arrayEnumerate(credits.share) AS c_place",
            ),
            definitions=(
                ("attributed", "notEmpty(credits.share)"),
                ("moved_at", "movement.1"),
                ("sale", "movement.3"),
                ("micros", f"toInt128(toDecimal128(movement.2, 6) * {MICROS})"),
                # Shares are whole or equal parts; whole minor units, spare ones to the earliest touches.
                ("parts", "toInt128(if(attributed AND c_share > 0, round(1 / c_share), 1))"),
                ("unit", f"toInt128({_UNIT})"),
                ("even", "intDiv(intDiv(micros, parts), unit) * unit"),
                ("rest", "micros - even * parts"),
                (
                    "amount",
                    "multiIf(parts = 1, micros,"
                    " even + if(c_place <= intDiv(rest, unit), unit, 0) + if(c_place = 1, rest % unit, 0))",
                ),
            ),
            where=(f"at <= {KNOWN}", f"moved_at <= {KNOWN}"),
            dimensions={
                **{name: f"c_{name}" for name in _CREDIT_COLUMNS if name in _MESSAGE_DIMENSIONS and name != "campaign"},
                "campaign": "if(attributed, c_campaign, '(unattributed)')",
                "contact": "contact",
                "attrs": "attrs",
            },
            currency="currency",
            rate_at="at",
            once_per="hash, movement_place",
            credited="attributed",
        ),
    }
)
