"""Synthetic traffic by seed: realistic shapes, cheap to make."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

CHANNELS = ("sms", "sms", "sms", "email", "email", "whatsapp", "push")
CARRIERS = ("Norvia Mobile", "Telco One", "Airwave", "Bluecell")
DAY_MS = 86_400_000


def _at(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def events(seed: int, messages: int, end_ms: int, days: int = 30) -> Iterator[bytes]:
    """About 2.3 events a message, in order of send time: sends, receipts, failures, clicks, replies, conversations."""
    rng = random.Random(seed)
    step = days * DAY_MS / messages
    for n in range(messages):
        sent = int(end_ms - days * DAY_MS + n * step)
        channel = rng.choice(CHANNELS)
        contact, message, campaign = (
            f"c{rng.randrange(messages // 4 + 1)}",
            f"b{seed}-{n}",
            f"camp-{n * 60 // messages}",
        )
        base = {"channel": channel, "message_id": message, "contact_id": contact}
        if n % 25 == 0:
            yield from _conversation(rng, n, seed, contact, channel, sent)
            continue
        send = base | {"id": f"{message}s", "type": "message.sent", "at": _at(sent), "campaign_id": campaign}
        where = {
            "carrier": rng.choice(CARRIERS),
            "country": rng.choice(("US", "DE", "BR")),
            "variant": rng.choice("AB"),
        }
        yield _line(send | where | {"cost": "0.0079", "currency": "USD"})
        if rng.random() < 0.03:
            yield _line(
                base | {"id": f"{message}f", "type": "message.failed", "at": _at(sent + 2000), "error_code": "30007"}
            )
            continue
        delivered = sent + int(rng.lognormvariate(8, 0.8))
        yield _line(base | {"id": f"{message}d", "type": "message.delivered", "at": _at(delivered)})
        if rng.random() < 0.09:
            clicked = delivered + int(rng.lognormvariate(12.5, 1.6))
            yield _line(
                base
                | {"id": f"{message}c", "type": "message.clicked", "at": _at(clicked), "url": "https://shop.example/a"}
            )


def _conversation(rng: random.Random, n: int, seed: int, contact: str, channel: str, at: int) -> Iterator[bytes]:
    name, agent = f"v{seed}-{n}", f"agent-{n % 40}"
    base = {"channel": channel, "conversation_id": name, "contact_id": contact}
    reply = at + int(rng.lognormvariate(12.3, 0.9))
    end = reply + int(rng.lognormvariate(13.5, 1.0))
    asked = {
        "id": f"{name}1",
        "type": "message.received",
        "at": _at(at),
        "message_id": f"{name}q",
        "text": "Where is it?",
    }
    answered = {"id": f"{name}2", "type": "message.sent", "at": _at(reply), "message_id": f"{name}a"}
    resolved = {"id": f"{name}3", "type": "conversation.resolved", "at": _at(end), "by": "agent"}
    yield _line(base | asked)
    yield _line(base | answered | {"author": "agent", "agent_id": agent})
    yield _line(resolved | {"conversation_id": name, "agent_id": agent})


def _line(event: dict[str, object]) -> bytes:
    return msgspec.json.encode(event)
