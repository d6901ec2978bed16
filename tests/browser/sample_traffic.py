"""Invented events, enough for each tile of the Overview to show a figure."""

from datetime import datetime, timedelta
from typing import Any

# What a customer, a campaign or a provider could send in the hope that a page runs it.
HOSTILE = "<img src=x onerror=\"document.title='owned'\"></script><script>document.title='owned'</script>"


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def traffic(now: datetime) -> list[dict[str, Any]]:
    """Enough of everything for each tile to show a figure: 400 sends, 60 conversations, over the last three days."""
    events: list[dict[str, Any]] = []
    for i in range(400):
        sent = now - timedelta(minutes=60 + i * 10)
        message = {"message_id": f"m{i}", "channel": "email" if i % 4 == 0 else "sms", "address": _address(i)}
        events.append(
            message
            | {
                "type": "message.sent",
                "id": f"s{i}",
                "at": iso(sent),
                "campaign_id": HOSTILE if i % 5 == 0 else "autumn",
                "text": "Hello",
            }
        )
        if i % 20 == 0:
            failure = {"type": "message.failed", "id": f"f{i}", "error_code": HOSTILE if i % 40 == 0 else "30007"}
            events.append({**message, **failure, "at": iso(sent + timedelta(seconds=5))})
            continue
        events.append({**message, "type": "message.delivered", "id": f"d{i}", "at": iso(sent + timedelta(seconds=4))})
        if i % 3 == 0:
            events.append({**message, "type": "message.read", "id": f"r{i}", "at": iso(sent + timedelta(minutes=2))})
        if i % 7 == 0:
            click = {"type": "message.clicked", "id": f"c{i}", "url": "https://example.com/", "actor": "human"}
            events.append({**message, **click, "at": iso(sent + timedelta(minutes=5))})
    for i in range(60):
        opened = now - timedelta(minutes=90 + i * 60)
        thread = {"conversation_id": f"t{i}", "channel": "whatsapp", "contact_id": f"customer-{i}"}
        events += [
            thread
            | {"type": "message.received", "id": f"q{i}", "message_id": f"q{i}", "at": iso(opened), "text": "Hi?"},
            thread
            | {
                "type": "message.sent",
                "id": f"a{i}",
                "message_id": f"a{i}",
                "author": "agent",
                "agent_id": "mara",
                "team_id": HOSTILE,
                "at": iso(opened + timedelta(seconds=90 + 10 * i)),
                "text": "Hello!",
            },
            {
                "type": "conversation.resolved",
                "id": f"e{i}",
                "conversation_id": f"t{i}",
                "by": "agent",
                "agent_id": "mara",
                "at": iso(opened + timedelta(hours=1)),
            },
        ]
    return events


def _address(i: int) -> str:
    return f"person{i}@example.com" if i % 4 == 0 else f"+1202555{i:04d}"


def waiting(name: str, at: datetime) -> dict[str, Any]:
    """A customer's message that nobody has answered: one more open wait."""
    return {
        "type": "message.received",
        "id": f"w-{name}",
        "message_id": f"w-{name}",
        "conversation_id": f"w-{name}",
        "channel": "whatsapp",
        "contact_id": f"waiting-{name}",
        "at": iso(at),
        "text": "Is anybody there?",
    }
