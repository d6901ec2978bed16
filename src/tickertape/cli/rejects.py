"""`tickertape rejects`."""

from typing import Any

import msgspec
from rich.console import RenderableType

from tickertape.cli.client import connect
from tickertape.cli.options import Given
from tickertape.cli.output import safe, show, table

_SHOWN = 120


def list_rejects(*, source: str | None = None, limit: int = 50, options: Given) -> None:
    """Show what was taken in but could not be understood, newest first.

    Parameters
    ----------
    source
        Of this source only.
    limit
        How many.
    """
    with connect(options) as client:
        answer = client.call("GET", "/v1/rejects", {"source": source, "limit": limit})
    show(options, answer, _drawn)


def _drawn(answer: Any) -> RenderableType:
    rejects = answer.get("rejects", []) if isinstance(answer, dict) else answer
    if not rejects:
        return "Nothing was rejected."
    drawn = table("received", "source", "why", "what")
    for reject in rejects:
        error = reject.get("error") or {}
        why = error.get("message") or error.get("code") or reject.get("reason") or ""
        drawn.add_row(
            safe(reject.get("received_at") or reject.get("at") or ""),
            safe(reject.get("source") or ""),
            safe(why),
            safe(_short(reject.get("body", reject.get("raw", "")))),
        )
    return drawn


def _short(body: Any) -> str:
    text = body if isinstance(body, str) else msgspec.json.encode(body).decode()
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
