"""Fills a stopped workspace's fact tables with N messages of realistic shape, by SQL, to measure the query path alone.

Loading ten million messages through the front door is measured as ingest; here only the questions are.
"""

from pathlib import Path

from tickertape.store import Store
from tickertape.store.migrate import migrate

_NEVER = "toDateTime64('2299-12-31 00:00:00', 3, 'UTC')"


def fill(folder: Path, messages: int, days: int = 30) -> None:
    store = Store(f"chdb://{folder / 'store'}")
    migrate(store)
    r = "rand64(number * 7 + {})".format
    store.command(
        f"""
        INSERT INTO messages (home, hash, source, id, outbound, channel, author, purpose, contact, contact_hash, campaign,
            variant, carrier, country, error_code, tracked, sent_known, cohort_at, delivered_at, failed_at, bounced_at,
            proven_at, opened_at, clicked_at, replied_at, reacted_at, opted_out_at, complained_at, converted_at,
            engaged_before, version)
        WITH number AS n, {messages} AS total, now64(3, 'UTC') - INTERVAL {days} DAY AS start,
            toDateTime64(start + toIntervalMillisecond(intDiv(n * {days} * 86400000, total)), 3, 'UTC') AS sent,
            ['sms', 'sms', 'sms', 'email', 'email', 'whatsapp', 'push'][1 + {r(1)} % 7] AS ch,
            {r(2)} % 1000 < 970 AS ok, {r(3)} % 1000 < 90 AS clicks, {r(4)} % 1000 < 20 AS replies,
            sent + toIntervalMillisecond({r(5)} % 9000) AS receipt
        SELECT toStartOfHour(sent), cityHash64(n), 'api', concat('m', toString(n)), 1, ch, 'campaign', 'marketing',
            concat('c', toString({r(6)} % (total / 4))), cityHash64({r(6)} % (total / 4)),
            concat('camp-', toString(intDiv(n * 60, total))), ['A', 'B'][1 + n % 2],
            ['Norvia Mobile', 'Telco One', 'Airwave', 'Bluecell'][1 + {r(7)} % 4], ['US', 'DE', 'BR'][1 + {r(8)} % 3],
            if(ok, '', '30007'), 1, 1, sent, if(ok, receipt, {_NEVER}), if(ok, {_NEVER}, receipt), {_NEVER},
            if(ok AND clicks, receipt + INTERVAL 600 SECOND, {_NEVER}),
            if(ok AND ch = 'email' AND {r(9)} % 10 < 3, receipt + INTERVAL 900 SECOND, {_NEVER}),
            if(ok AND clicks, receipt + INTERVAL 600 SECOND, {_NEVER}),
            if(ok AND replies, receipt + INTERVAL 1200 SECOND, {_NEVER}), {_NEVER},
            if(ok AND {r(10)} % 1000 < 4, receipt + INTERVAL 60 SECOND, {_NEVER}), {_NEVER},
            if(ok AND clicks AND {r(11)} % 10 = 0, receipt + INTERVAL 3600 SECOND, {_NEVER}), {_NEVER}, 1
        FROM numbers({messages})
        """
    )
    store.command(
        f"""
        INSERT INTO episodes (home, conversation_hash, source, conversation, opened_at, contact, contact_hash, channel,
            outcome, resolved_by, resolver, agents, last_agent, ended_at, resolved_at, resolve_event_at, human_replies,
            customer_messages, one_touch, fcr, fcr_matures_at, frustrated_at, quality, waiting_since, durations.kind,
            durations.started_at, durations.ended_at, durations.business_ms, durations.agent, durations.team, checks.kind,
            checks.started_at, checks.due_at, checks.ended_at, checks.agent, checks.team, valid_from, valid_until, version)
        WITH number AS n, {messages // 25} AS total, now64(3, 'UTC') - INTERVAL {days} DAY AS start,
            toDateTime64(start + toIntervalMillisecond(intDiv(n * {days} * 86400000, total)), 3, 'UTC') AS opened,
            opened + toIntervalMillisecond({r(1)} % 900000) AS replied, replied + toIntervalMillisecond({r(2)} % 9000000) AS ended,
            concat('agent-', toString(n % 40)) AS who
        SELECT toStartOfHour(opened), cityHash64('v', n), 'api', concat('v', toString(n)), opened,
            concat('c', toString(n)), cityHash64(n), ['sms', 'whatsapp', 'webchat', 'email'][1 + n % 4], 'resolved', 'agent', who,
            [who], who, ended, ended, ended, 1, 1, 1, if(n % 4 = 0, 'failed', 'confirmed'), ended + INTERVAL 7 DAY, {_NEVER},
            70 + n % 30, {_NEVER},
            ['response', 'first_response', 'first_response_from_start', 'first_any_response', 'first_resolution', 'resolution'],
            [opened, opened, opened, opened, opened, opened], [replied, replied, replied, replied, ended, ended],
            [-1, -1, -1, -1, -1, -1], [who, who, who, who, who, who], ['', '', '', '', '', ''],
            ['first_response'], [opened], [opened + INTERVAL 300 SECOND], [replied], [who], [''], ended, {_NEVER}, 1
        FROM numbers({messages // 25})
        """
    )
    for table in ("messages", "episodes"):
        store.command(f"OPTIMIZE TABLE {table} FINAL")
    store.close()
