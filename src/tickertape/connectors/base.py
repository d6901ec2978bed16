"""What a connector is: the request it reads, the source it reads it for, and what it gives back.

A connector turns one provider's webhook into events. It does no I/O and keeps nothing between requests, so the same
request always gives the same events: ingest may call it again for a retry, and again when a reject is replayed.
"""

import hmac
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from tickertape.errors import Forbidden, InvalidEvent, InvalidInput
from tickertape.events import AnyEvent, Channel, FailureReason, from_fields

Params = dict[str, list[str]]
"""Form fields or query parameters: every value of a repeated name, in order; blank values are kept."""

Covered = Literal["url", "body", "time"]
"""What a signature can protect. Without "time", a captured request can be sent again (its event ids are the same)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_FIELDS = 1000


class InvalidSignature(Forbidden):
    """The request does not prove that the provider sent it: refused, and nothing of it is kept.

    `status` is 403 unless the connector knows better: some providers stop sending, or ask for a password, on another.
    """

    default_code = "invalid_signature"


class CannotUnderstand(InvalidInput):
    """A verified request that cannot be read: kept whole as a reject, so that it can be replayed after a fix."""

    default_code = "cannot_understand"
    default_status = 422


class HookRequest(Struct, kw_only=True, frozen=True):
    """One webhook call.

    `url` is the public one, as configured for the source, with the path and query as they came: providers sign the URL
    that they called, and a proxy in front of us sees another. Header names are in lower case. `received_at` is in
    milliseconds since the epoch (UTC).
    """

    method: str
    url: str
    headers: dict[str, str]
    body: bytes
    received_at: int

    def query(self) -> Params:
        return _params(self.url.partition("?")[2])

    def form(self) -> Params:
        return _params(self.body.decode("utf-8", "replace"))

    def json(self) -> Any:
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise CannotUnderstand(f"The request's body is not JSON: {error}.") from error


class Source(Struct, kw_only=True, frozen=True):
    """What a connector may know of the source it works for.

    `secrets` are all that are valid now: while a secret is being rotated, the old and the new one.
    """

    name: str
    secrets: Sequence[str]
    options: dict[str, str] = {}

    def __post_init__(self) -> None:
        # An HMAC under an empty key is one that anybody can compute.
        if not all(self.secrets):
            raise ValueError(f"Source {self.name!r} has a blank secret; give it the one that the provider shows.")


class Unknown(Struct, kw_only=True, frozen=True):
    """Something that the provider reports and we have no event for: kept raw and counted, never an error.

    In a batch, also an item that cannot be read (`reason` says why), so that it does not take the others with it.
    """

    word: str
    raw: bytes
    reason: str | None = None


class Reply(Struct, kw_only=True, frozen=True):
    """What the provider gets as its answer."""

    status: int
    content_type: str | None = None
    body: bytes = b""


class Field(Struct, frozen=True):
    """One thing that the operator has to supply; `help` says where the provider shows it."""

    name: str
    title: str
    help: str


class Failure(Struct, frozen=True):
    """What a provider's error code means. `permanent`: no message to this address will ever arrive."""

    reason: FailureReason
    permanent: bool = False


class Connector(ABC):
    """One provider. The class attributes are its reference page, its setup dialog and the table of what it reads."""

    name: ClassVar[str]
    """As in `sources add NAME --connector X` and samples/X."""
    title: ClassVar[str]
    description: ClassVar[str]
    """What it covers and what the provider does not tell, for the reference page."""
    documentation: ClassVar[str]
    """Where the provider documents its webhooks."""
    channels: ClassVar[tuple[Channel, ...]]
    setup: ClassVar[tuple[str, ...]]
    """What to do at the provider, in order; {url} stands for the source's public address."""
    secret_fields: ClassVar[tuple[Field, ...]]
    option_fields: ClassVar[tuple[Field, ...]] = ()
    signature_headers: ClassVar[tuple[str, ...]]
    """In lower case; empty where the provider puts its proof elsewhere or signs nothing."""
    covers: ClassVar[frozenset[Covered]]
    words: ClassVar[Mapping[str, str]]
    """The provider's word -> our event type."""
    failures: ClassVar[Mapping[str, Failure]] = {}
    """The provider's error code -> our reason."""

    def handshake(self, request: HookRequest, source: Source) -> Reply | None:
        """The answer to a provider that first asks whether we own the address; None for every other request.

        Asked before `verify`, so it proves what it answers itself. Raises InvalidSignature.
        """
        return None

    @abstractmethod
    def verify(self, request: HookRequest, source: Source) -> None:
        """Return only if the provider sent this request for this source. Raises InvalidSignature."""

    @abstractmethod
    def events(self, request: HookRequest, source: Source) -> list[AnyEvent | Unknown]:
        """All that a verified request reports; an empty list where there is nothing to count. Raises CannotUnderstand.

        Every event has an `id` that is the same when the provider sends it again.
        """

    def reply(self, request: HookRequest) -> Reply:
        """The answer once the request is safely kept, be it as events, as unknown or as a reject."""
        return Reply(status=204)


def matches(given: str, expected: str) -> bool:
    """Compare a signature without telling, by the time it takes, how much of it was right."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode("utf-8", "surrogatepass"))


def first(params: Params, name: str) -> str | None:
    """The first value of a parameter; None where it is missing or blank."""
    return next(iter(params.get(name, ())), None) or None


def moment(milliseconds: int) -> datetime:
    """Milliseconds since the epoch as an event's `at`."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def build(event_type: str, **fields: object) -> AnyEvent:
    """An event from a provider's values, as strict as one from /v1/events; None and "" mean left out.

    Raises CannotUnderstand, naming the field.
    """
    try:
        return from_fields({"type": event_type, **fields})
    except InvalidEvent as error:
        message = f"This request makes no valid {event_type}: {error.message}"
        raise CannotUnderstand(message, field=error.field, hint=error.hint) from error


def _params(text: str) -> Params:
    try:
        return parse_qs(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise CannotUnderstand(f"The request has more than {_MAX_FIELDS} parameters.") from None
