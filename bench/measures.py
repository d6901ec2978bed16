"""What is measured. Each function returns rows (what, figure, unit)."""

import asyncio
import statistics
import time
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlencode

import httpx

from bench.server import Server
from bench.traffic import events
from tickertape.connectors.twilio import SIGNATURE, sign

Row = tuple[str, float, str]
TOKEN = "bench-token"  # noqa: S105
HEADLINE = (
    "first_response_time,resolution_time,sla_attainment,first_contact_resolution,delivery_rate,open_rate,"
    "click_through_rate,response_rate,conversion_rate,opt_out_rate"
)
CAMPAIGN = "sent,delivery_rate,open_rate,click_through_rate,response_rate,conversion_rate,opt_out_rate"
QUESTIONS = {
    "headline metrics, 30 days": {"metrics": HEADLINE, "last": "30d"},
    "headline metrics, 30 days by channel": {"metrics": HEADLINE, "last": "30d", "by": "channel"},
    "campaign metrics, 30 days by campaign": {"metrics": CAMPAIGN, "last": "30d", "by": "campaign"},
    "headline metrics, 7 days by day": {"metrics": HEADLINE, "last": "7d", "interval": "day"},
    "delivery, 30 days": {"metrics": "sent,delivered,failed,delivery_rate,failure_rate", "last": "30d"},
    "delivery, last hour by minute": {"metrics": "sent,delivery_rate", "last": "1h", "interval": "minute"},
    "service, 30 days by agent": {
        "metrics": "first_response_time,response_time,episodes_resolved", "last": "30d", "by": "agent",
    },
    "drill-down: carrier x country, one channel": {
        "metrics": "sent,delivery_rate,click_through_rate", "last": "30d", "by": "carrier,country", "channel": "sms",
    },
}  # fmt: skip


def _batches(lines: Iterator[bytes], size: int) -> Iterator[bytes]:
    while batch := list(islice(lines, size)):
        yield b"\n".join(batch)


def bulk_ingest(server: Server, messages: int, end_ms: int) -> list[Row]:
    """NDJSON, 1,000 events a request, four requests in flight; done when every figure shows every event."""
    posted = asyncio.run(_post_all(server, list(_batches(events(1, messages, end_ms), 1000))))
    count, acknowledged = posted
    began_waiting = time.monotonic()
    server.wait_until_derived()
    waited = time.monotonic() - began_waiting
    stored = server.bytes_on_disk()
    return [
        ("bulk ingest, durable", count / acknowledged, "events/s"),
        ("bulk ingest, durable and derived", count / (acknowledged + waited), "events/s"),
        ("disk after bulk ingest, all tables", stored / count, "bytes/event"),
        ("memory after bulk ingest", server.memory_mb(), "MB"),
    ]


async def _post_all(server: Server, bodies: list[bytes]) -> tuple[int, float]:
    headers = server.headers | {"content-type": "application/x-ndjson"}
    pending = iter(bodies)
    accepted = 0
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=120) as client:

        async def work() -> None:
            nonlocal accepted
            for body in pending:
                while (answer := await client.post("/v1/events", content=body)).status_code == 503:  # noqa: ASYNC110
                    await asyncio.sleep(float(answer.headers["retry-after"]))
                answer.raise_for_status()
                accepted += answer.json()["accepted"]

        began = time.monotonic()
        await asyncio.gather(*(work() for _ in range(4)))
        return accepted, time.monotonic() - began


def webhooks(server: Server, seconds: float, in_flight: int = 128) -> list[Row]:
    """Signed Twilio status callbacks, one event each, from this process over kept connections."""
    source = {"name": "bench", "connector": "twilio", "secrets": {"auth_token": TOKEN}}
    httpx.post(server.url + "/v1/sources", json=source, headers=server.headers).raise_for_status()
    requests = []
    for n in range(60_000):
        form = {"MessageSid": f"SM{n:032x}", "MessageStatus": "delivered", "To": "+15550100001", "From": "+15550100002"}
        body = urlencode(form).encode()
        signature = sign(f"{server.url}/hooks/bench", form, TOKEN)
        requests.append(
            f"POST /hooks/bench HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"{SIGNATURE}: {signature}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
    times, elapsed = asyncio.run(_hammer(server, requests, seconds, in_flight))
    times.sort()
    server.wait_until_derived()
    what = f"single signed webhooks, one event each, {in_flight} in flight"
    return [
        (what, len(times) / elapsed, "/s"),
        (f"{what}, answer p50", times[len(times) // 2] * 1000, "ms"),
        (f"{what}, answer p99", times[int(len(times) * 0.99)] * 1000, "ms"),
    ]


async def _hammer(server: Server, requests: list[bytes], seconds: float, in_flight: int) -> tuple[list[float], float]:
    """Plain sockets: an HTTP library here would be what is measured."""
    times: list[float] = []
    pending = iter(requests)
    began = time.monotonic()

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for request in pending:
            if time.monotonic() - began > seconds:
                break
            start = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 204"), head
            times.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(work() for _ in range(in_flight)))
    return times, time.monotonic() - began


def freshness(server: Server, rate: int, seconds: float) -> list[Row]:
    """From the 200 to the figure on an open live stream, with other traffic at `rate` events/s beside it."""
    waits = asyncio.run(_freshness(server, rate, seconds))
    waits.sort()
    what = f"event answered to visible on a live stream, {rate:,} events/s"
    return [
        (f"{what}, p50", statistics.median(waits) * 1000, "ms"),
        (f"{what}, p99", waits[int(len(waits) * 0.99)] * 1000, "ms"),
    ]


async def _freshness(server: Server, rate: int, seconds: float) -> list[float]:
    waits: list[float] = []
    seen: dict[int, float] = {}
    changed = asyncio.Event()
    headers = server.headers
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=120) as client:

        async def watch() -> None:
            params = {"metrics": "sent", "last": "1h", "campaign": "fresh"}
            async with client.stream("GET", "/v1/live", params=params) as stream:
                async for line in stream.aiter_lines():
                    if line.startswith("data:") and '"sent"' in line:
                        value = int(line.split('"sent":{"value":', 1)[1].split("}", 1)[0])
                        seen[value] = time.perf_counter()
                        changed.set()

        async def noise() -> None:
            n = 0
            while True:
                began = time.monotonic()
                size = max(1, rate // 10)
                lines = [
                    b'{"id":"n%d","type":"message.sent","channel":"sms","message_id":"n%d","contact_id":"n%d","at":"%s"}'
                    % (i, i, i, _now())
                    for i in range(n, n + size)
                ]
                n += size
                await client.post(
                    "/v1/events", content=b"\n".join(lines), headers={"content-type": "application/x-ndjson"}
                )
                await asyncio.sleep(max(0.0, 0.1 - (time.monotonic() - began)))

        tasks = [asyncio.create_task(watch()), asyncio.create_task(noise())]
        began = time.monotonic()
        expected = 0
        await asyncio.sleep(2)
        while time.monotonic() - began < seconds:
            expected += 1
            name = f"fresh{expected}"
            event = {"id": name, "type": "message.sent", "channel": "sms", "message_id": name, "contact_id": name,
                     "campaign_id": "fresh", "at": _now().decode()}  # fmt: skip
            (await client.post("/v1/events", json=event)).raise_for_status()
            answered = time.perf_counter()
            while max(seen, default=0) < expected:
                changed.clear()
                await asyncio.wait_for(changed.wait(), 30)
            waits.append(seen[max(seen)] - answered)
            await asyncio.sleep(0.15)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return waits


def _now() -> bytes:
    ms = time.time_ns() // 1_000_000
    return (time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z").encode()


def queries(server: Server, label: str, repeats: int = 7) -> list[Row]:
    rows: list[Row] = []
    for name, params in QUESTIONS.items():
        times = []
        for _ in range(repeats):
            began = time.perf_counter()
            server.get("/v1/query", **params)
            times.append((time.perf_counter() - began) * 1000)
        times.sort()
        rows.append((f"{name}, {label}, p50", statistics.median(times), "ms"))
        rows.append((f"{name}, {label}, max of {repeats}", times[-1], "ms"))
    return rows
