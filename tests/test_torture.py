"""What was answered with 200 is never lost, however often the server is killed.

The real server on a real folder, real webhooks and events under load, `kill -9` at a random moment, and again.
TORTURE_ROUNDS says how often.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from test_cli import environment, free_port
from tickertape.cli import running
from tickertape.connectors.twilio import sign
from workspace import workspace

ROUNDS = int(os.environ.get("TORTURE_ROUNDS", "20"))
PUBLIC = "https://tape.example.com"
TOKEN = "twilio-auth-token"  # noqa: S105
TICKERTAPE = [sys.executable, "-c", "from tickertape.cli import main; main()"]
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
SENDERS = 4
MOST_ANSWERS = 60
"""A round ends at a random moment after at most so many answers."""

# A process of its own, as the embedded engine holds one folder for as long as a process lives.
DUMP = """
import json, sys
from tickertape.store import Store
for source, id, type, body in Store(sys.argv[1]).rows("SELECT source, id, type, body FROM events"):
    print(json.dumps([source, id, type, body if isinstance(body, str) else body.decode()]))
"""

Event = dict[str, Any]


class Server:
    """`tickertape serve`, ready when made."""

    def __init__(self, data: Path) -> None:
        self.data = data
        port = str(free_port())
        command = [*TICKERTAPE, "--data", str(data), "serve", "--port", port, "--public-url", PUBLIC]
        with (data.parent / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment())
        assert self.process.stdout is not None
        assert "ready" in self.process.stdout.readline(), (data.parent / "server.log").read_text()[-3000:]
        found = running.read(data)
        assert found is not None
        self.url, self.headers = found.url, {"authorization": f"Bearer {found.token}"}

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=60)

    def get(self, target: str, **params: str) -> Any:
        answer = httpx.get(self.url + target, params=params, headers=self.headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def settle(self) -> None:
        """Waits until the figures have followed the log."""
        deadline = time.monotonic() + 60
        while (
            b"tickertape_derive_backlog_events 0.0"
            not in httpx.get(self.url + "/metrics", headers=self.headers).content
        ):
            assert time.monotonic() < deadline
            time.sleep(0.02)


class Sender:
    """Posts stories until the server dies. `tried` and `acknowledged`: event ids by (source, id)."""

    def __init__(self, number: int, chance: random.Random) -> None:
        self.number, self.chance = number, chance
        self.stories = 0
        self.answers = 0
        self.tried: set[tuple[str, str]] = set()
        self.acknowledged: set[tuple[str, str]] = set()
        self.again: list[list[Event]] = []
        """Batches without an answer, to be sent once more after the next start, as a sender would."""

    def story(self) -> list[Event]:
        """A campaign's message, its receipt, the customer's answer and an agent's reply."""
        self.stories += 1
        name = f"s{self.number}-{self.stories}"
        at = START + timedelta(seconds=self.stories * 10)
        who = {"contact_id": name, "channel": "sms"}
        rows = (
            ("message.sent", 0, {"message_id": f"{name}-a", "campaign_id": f"campaign{self.stories % 7}", **who}),
            ("message.delivered", 2, {"message_id": f"{name}-a"}),
            ("message.received", 60, {"message_id": f"{name}-b", "conversation_id": name, "text": "hello", **who}),
            ("message.sent", 90, {"message_id": f"{name}-c", "conversation_id": name, "agent_id": "ann", **who}),
        )
        return [
            {"id": f"{name}-{i}", "type": kind, "at": (at + timedelta(seconds=after)).isoformat(), **fields}
            for i, (kind, after, fields) in enumerate(rows)
        ]

    async def run(self, client: httpx.AsyncClient) -> None:
        while self.again:
            await self.post(client, self.again.pop())
        while True:
            events = self.story()
            match self.chance.randrange(4):
                case 0:
                    for event in events:
                        await self.post(client, [event])
                case 1:
                    await self.post(client, [e for _ in range(20) for e in self.story()] + events)
                case 2:
                    await self.hook(client)
                case _:
                    await self.post(client, events)

    async def post(self, client: httpx.AsyncClient, events: list[Event]) -> None:
        ids = {("api", e["id"]) for e in events}
        self.tried |= ids
        self.again.append(events)
        answer = await client.post("/v1/events", json=events)
        assert answer.status_code == 200, answer.text
        self.again.remove(events)
        self.acknowledged |= ids
        self.answers += 1

    async def hook(self, client: httpx.AsyncClient) -> None:
        self.stories += 1
        sid = f"SM{self.number}-{self.stories}"
        target = f"/hooks/tw?campaign_id=hooks{self.number}"
        fields = {"MessageSid": sid, "MessageStatus": "sent", "From": "+14155550199", "To": "+14155550123"}
        signature = {"x-twilio-signature": sign(PUBLIC + target, fields, TOKEN)}
        self.tried.add(("tw", f"{sid}:sent"))
        answer = await client.post(target, data=fields, headers=signature)
        assert answer.status_code == 204, answer.text
        self.acknowledged.add(("tw", f"{sid}:sent"))
        self.answers += 1


async def load(server: Server, senders: list[Sender], answers: int, seconds: float) -> None:
    """All senders at work; after some answers and some time the server is killed under them."""
    begun = sum(s.answers for s in senders)
    async with httpx.AsyncClient(base_url=server.url, headers=server.headers, timeout=60) as client:

        async def work(sender: Sender) -> None:
            with suppress(httpx.TransportError):
                await sender.run(client)

        tasks = [asyncio.create_task(work(s)) for s in senders]
        while sum(s.answers for s in senders) - begun < answers and not any(t.done() for t in tasks):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await asyncio.sleep(seconds)
        server.process.kill()
        await asyncio.gather(*tasks)
    server.kill()


def sent_by_campaign(ids: set[tuple[str, str]]) -> dict[str, int]:
    """How many messages each campaign has if exactly these events are in the log."""
    counts: dict[str, int] = {}
    for source, name in ids:
        if source == "tw":
            campaign = f"hooks{name[2:].partition('-')[0]}"
        elif name.endswith("-0"):
            campaign = f"campaign{int(name.split('-')[1]) % 7}"
        else:
            continue
        counts[campaign] = counts.get(campaign, 0) + 1
    return counts


def questions(now: str) -> Iterator[dict[str, str]]:
    span = {"from": "2026-01-01", "to": "2199-01-01", "now": now}
    yield {"metrics": "sent,delivered,delivery_rate,response_rate,customer_response_time", "by": "campaign", **span}
    yield {"metrics": "episodes_opened,response_time,unanswered_rate,open_waits", **span}
    yield {"metrics": "first_response_time,sla_attainment", "by": "agent", **span}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_nothing_acknowledged_is_lost(data: Path) -> None:
    chance = random.Random(7)
    senders = [Sender(i, random.Random(i)) for i in range(SENDERS)]
    server = Server(data)
    source = {"name": "tw", "connector": "twilio", "secrets": {"auth_token": TOKEN}}
    assert httpx.post(server.url + "/v1/sources", json=source, headers=server.headers).status_code == 201
    for number in range(ROUNDS):
        asyncio.run(load(server, senders, chance.randrange(MOST_ANSWERS), chance.uniform(0, 0.05)))
        server = Server(data)
        server.settle()
        acknowledged = sent_by_campaign(set().union(*(s.acknowledged for s in senders)))
        tried = sent_by_campaign(set().union(*(s.tried for s in senders)))
        rows = server.get("/v1/query", metrics="sent", by="campaign", **{"from": "2026-01-01", "to": "2199-01-01"})[
            "rows"
        ]
        got = {row["campaign"]: row["sent"]["value"] for row in rows if row["campaign"]}
        for campaign in tried:
            least, most = acknowledged.get(campaign, 0), tried[campaign]
            assert least <= got.get(campaign, 0) <= most, f"round {number}: {campaign}"
    now = (datetime.now(UTC) + timedelta(minutes=5)).isoformat()
    answers = [server.get("/v1/query", **asked)["rows"] for asked in questions(now)]
    server.stop()

    dumped = subprocess.run(
        [sys.executable, "-c", DUMP, f"chdb:///{data / 'store'}"], capture_output=True, text=True, check=True
    )
    logged = [json.loads(line) for line in dumped.stdout.splitlines()]
    ids = [(source, name) for source, name, _, _ in logged]
    assert len(ids) == len(set(ids)), "an event is in the log twice"
    assert set().union(*(s.acknowledged for s in senders)) <= set(ids), "an acknowledged event is lost"
    assert set(ids) <= set().union(*(s.tried for s in senders))
    assert len(ids) > ROUNDS, "hardly anything was sent"
    with workspace() as fresh:
        events = [json.loads(body) for *_, body in logged]
        for start in range(0, len(events), 5000):
            fresh.post(*events[start : start + 5000])
        fresh.settle()
        for asked, answer in zip(questions(now), answers, strict=True):
            assert fresh.get("/v1/query", **asked)["rows"] == answer
