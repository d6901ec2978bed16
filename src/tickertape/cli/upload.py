"""Sends batches of events and waits out a server that is busy or being restarted."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from tickertape.cli.client import Client, Response, expect
from tickertape.cli.http_transport import Unreachable

_BUSY = (429, 503)
_ANSWERED = (200, 207, 422)
_PATIENCE_SECONDS = 120.0
"""How long a server may be unreachable; one that answers 503 is waited for without end, as it asks for that."""
_LONGEST_WAIT = 60.0
_RECONNECT_SECONDS = 1.0


class Outcome(Struct, kw_only=True):
    """What the server did with a batch. `rejects` holds (index in the batch, field, message)."""

    accepted: int = 0
    duplicates: int = 0
    rejects: list[tuple[int, str, str]] = []


def post_events(client: Client, lines: Sequence[bytes], waiting: Callable[[str], None]) -> Outcome:
    """Posts lines of NDJSON; the events are on disk when it returns.

    `waiting` is told why it waits ("" when it goes on). Raises CliError where the server refuses the whole batch.
    """
    response = _patiently(client, b"\n".join(lines), waiting)
    if response.status == 413 and len(lines) > 1:
        return _halves(client, lines, waiting)
    if response.status not in _ANSWERED:
        expect(response)
    answer = response.json()
    if "accepted" not in answer:
        expect(response)
    return Outcome(
        accepted=answer["accepted"],
        duplicates=answer.get("duplicates", 0),
        rejects=[_reject(reject) for reject in answer.get("rejected", [])],
    )


def _halves(client: Client, lines: Sequence[bytes], waiting: Callable[[str], None]) -> Outcome:
    middle = len(lines) // 2
    first, second = (post_events(client, half, waiting) for half in (lines[:middle], lines[middle:]))
    return Outcome(
        accepted=first.accepted + second.accepted,
        duplicates=first.duplicates + second.duplicates,
        rejects=first.rejects + [(index + middle, field, message) for index, field, message in second.rejects],
    )


def _patiently(client: Client, body: bytes, waiting: Callable[[str], None]) -> Response:
    unreachable_since: float | None = None
    while True:
        try:
            response = client.request("POST", "/v1/events", body=body, headers={"content-type": "application/x-ndjson"})
        except Unreachable:
            now = time.monotonic()
            unreachable_since = unreachable_since or now
            if now - unreachable_since > _PATIENCE_SECONDS:
                raise
            waiting("the server does not answer; trying again")
            time.sleep(_RECONNECT_SECONDS)
            client.reconnect()
            continue
        if response.status == 401 and client.reconnect():
            continue
        unreachable_since = None
        if response.status not in _BUSY:
            waiting("")
            return response
        seconds = _retry_after(response)
        waiting(f"the server is busy; going on in {seconds:.0f} s")
        time.sleep(seconds)


def _retry_after(response: Response) -> float:
    try:
        return min(max(float(response.headers.get("retry-after", "1")), 0.05), _LONGEST_WAIT)
    except ValueError:
        return 1.0


def _reject(reject: dict[str, Any]) -> tuple[int, str, str]:
    error = reject.get("error") or {}
    return reject.get("index", 0), error.get("field") or "", error.get("message") or error.get("code") or ""
