"""Everything that tickertape refuses or cannot do, as one small tree.

TickertapeError
├── InvalidInput          400  what was asked or sent makes no sense
│   ├── InvalidBody       400  a request body that cannot be read as events at all
│   ├── InvalidEvent      422  one event; `field` is the exact position, such as `at` or `attrs.plan`
│   └── InvalidSettings   422  one setting; `field` is the exact position, such as `targets.response_seconds`
├── Unauthorised          401  no key, or one that is not known
├── Forbidden             403  a known key or session that may not do this
├── NotFound              404
├── Conflict              409  the name is taken, or the state has moved on
├── TooLarge              413  more than a limit allows; the message names the limit
├── UnsupportedEncoding   415  a body in an encoding that is not read
└── Overloaded            503  nothing is wrong with the request; `retry_after` seconds later it may succeed

Every one has a `code` for programs, a `message` and `hint` in plain English for people, and the one JSON shape
`{"error": {"code", "field", "message"}}`.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class TickertapeError(Exception):
    """What went wrong (`message`), where (`field`, None: nowhere in particular) and what to do about it (`hint`).

    `code` and `status` (HTTP) default to those of the class.
    """

    default_code: ClassVar[str] = "internal"
    default_status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        field: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.status = status or self.default_status
        self.field = field
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message

    def problem(self) -> dict[str, str | None]:
        """The error as it stands in a list of rejected events: `{"code", "field", "message"}`."""
        return {"code": self.code, "field": self.field, "message": str(self)}

    def as_json(self) -> dict[str, dict[str, str | None]]:
        """The error as the whole answer to a request: `{"error": {"code", "field", "message"}}`."""
        return {"error": self.problem()}


class InvalidInput(TickertapeError):
    default_code = "invalid_input"
    default_status = 400


class InvalidBody(InvalidInput):
    default_code = "invalid_body"


class InvalidEvent(InvalidInput):
    default_code = "invalid_event"
    default_status = 422


class InvalidSettings(InvalidInput):
    default_code = "invalid_setting"
    default_status = 422


class Unauthorised(TickertapeError):
    default_code = "unauthorised"
    default_status = 401


class Forbidden(TickertapeError):
    default_code = "forbidden"
    default_status = 403


class NotFound(TickertapeError):
    default_code = "not_found"
    default_status = 404


class Conflict(TickertapeError):
    default_code = "conflict"
    default_status = 409


class TooLarge(TickertapeError):
    default_code = "too_large"
    default_status = 413


class UnsupportedEncoding(TickertapeError):
    default_code = "unsupported_encoding"
    default_status = 415


class Overloaded(TickertapeError):
    default_code = "overloaded"
    default_status = 503

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        field: str | None = None,
        hint: str | None = None,
        retry_after: int = 1,
    ) -> None:
        super().__init__(message, code=code, status=status, field=field, hint=hint)
        self.retry_after = retry_after


# Similarity is quadratic in the length, and the name comes from outside.
_LONGEST_NAME_COMPARED = 64


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant to be, None where none is close."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name[:_LONGEST_NAME_COMPARED].lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None
