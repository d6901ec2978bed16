"""The pages of the dashboard, as `web/` built them.

The static files are built, not committed: `npm ci && npm run build` in `web/` writes them here; a wheel carries them.
What lies in `STATIC / "assets"` has its content in its name and is served under `/assets/` with a year of caching.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

STATIC = Path(__file__).parent / "static"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

_SNAPSHOT_PLACE = b'<script type="application/json" id="snapshot">'
_PROBLEM_PLACE = b'role="alert" hidden>'

# Inside <script> HTML ends at "</script" or starts a comment at "<!--", whatever JSON says, so no < may stand there.
# U+2028 and U+2029 end a line in older JavaScript. In JSON all of these can only occur inside strings.
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class DashboardNotBuiltError(RuntimeError):
    """The static files are missing: this is a source checkout in which `web/` was never built."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} of the dashboard is missing; run `npm ci && npm run build` in the folder web/")


def first_question(known: Iterable[str]) -> dict[str, str]:
    """The parameters of `/v1/query` behind the first paint of a page opened without choices.

    `known` names the metrics that this server has; others are left out, as the page leaves them out.
    """
    question: dict[str, str] = msgspec.json.decode(_built("first-question.json"), type=dict[str, str])
    names = set(known)
    return question | {"metrics": ",".join(name for name in question["metrics"].split(",") if name in names)}


def index_html(snapshot: Mapping[str, Any] | None) -> tuple[bytes, str]:
    """The Overview page and its Content-Security-Policy.

    `snapshot`, where given, spares the page its first two requests: `{"question": first_question(…), "answer": what
    /v1/query answers to it, "catalogue": what /v1/metrics answers}`. Raises DashboardNotBuiltError.
    """
    page = _built("index.html")
    if snapshot is not None:
        page = page.replace(_SNAPSHOT_PLACE, _SNAPSHOT_PLACE + script_json(snapshot), 1)
    return page, CONTENT_SECURITY_POLICY


def signin_html(*, failed: bool) -> tuple[bytes, str]:
    """The page that asks for an API key, and its Content-Security-Policy. Raises DashboardNotBuiltError.

    Its form posts the field `key` to `/session`; `failed` says that the last key was refused.
    """
    page = _built("signin.html")
    if failed:
        page = page.replace(_PROBLEM_PLACE, _PROBLEM_PLACE.replace(b" hidden", b""), 1)
    return page, CONTENT_SECURITY_POLICY


def script_json(value: object) -> bytes:
    """`value` as JSON that can stand inside a `<script>` element: no text in it can end the element."""
    text = msgspec.json.encode(value).decode()
    for character, escape in _ESCAPES.items():
        text = text.replace(character, escape)
    return text.encode()


@cache
def _built(name: str) -> bytes:
    path = STATIC / name
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DashboardNotBuiltError(path) from None
