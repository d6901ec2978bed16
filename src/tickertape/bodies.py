"""From the body of a request to its events: decompressed, cut into single events, each decoded on its own.

One bad event does not lose the others. What is wrong with the body as a whole is one error.
"""

import json
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

import msgspec

from tickertape.errors import InvalidBody, InvalidEvent, TooLarge, UnsupportedEncoding
from tickertape.events import EVENT_BYTES, AnyEvent, decode

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class Limits(NamedTuple):
    """`sent` and `decoded`: bytes of the body as it came and after decompression. `events`: how many it may hold."""

    sent: int = 5_000_000
    decoded: int = 50_000_000
    events: int = 100_000


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """`index` counts the events of the body from 0."""

    index: int
    event: AnyEvent


class Rejection(msgspec.Struct, frozen=True):
    """`id` as far as it can be read from `raw`, the event's bytes as they came."""

    index: int
    id: str | None
    error: InvalidEvent
    raw: bytes


Read = Accepted | Rejection

_DEFAULT_LIMITS = Limits()
_LINE_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"})
_PIECE = 1 << 18
_WHITESPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_RAW = msgspec.json.Decoder(msgspec.Raw)
_RAW_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
# An array is cut in one go, at about 100 bytes of memory an element: more commas than this are no array of events.
_COMMAS_PER_EVENT = 40
_UNREADABLE = (msgspec.MsgspecError, ValueError, RecursionError)


def read_events(
    body: bytes | Iterable[bytes],
    content_type: str | None = None,
    content_encoding: str | None = None,
    limits: Limits = _DEFAULT_LIMITS,
) -> Iterator[Read]:
    """The events of a body, whole or in chunks, in order: a JSON object, a JSON array or NDJSON.

    The content itself shows which of these it is, as senders often name another type than they send; `content_type`
    settles only what the content leaves open. `content_encoding`: gzip, zstd or none. Lines are read one by one.

    Raises, possibly after some events, so take all before storing any: InvalidBody for a body that is empty or makes
    no sense as a whole, TooLarge beyond `limits`, UnsupportedEncoding.
    """
    pieces = _decoded(_pieces(body), content_encoding, limits)
    head = _first_line(pieces)
    if not head:
        raise InvalidBody("The body is empty.", code="empty_body", hint="Send one event or more, as JSON or NDJSON.")
    rest = chain((head,), pieces)
    lines_declared = (content_type or "").partition(";")[0].strip().lower() in _LINE_TYPES
    raws = _lines(rest) if _looks_like_lines(head, lines_declared) else _values(b"".join(rest), lines_declared, limits)
    for index, raw in enumerate(raws):
        if index >= limits.events:
            raise _too_many(limits)
        try:
            yield Accepted(index, decode(raw))
        except InvalidEvent as error:
            # A traceback would keep the whole body alive for as long as the rejection.
            yield Rejection(index, _id_in(raw), error.with_traceback(None), raw)


def _too_many(limits: Limits) -> TooLarge:
    message = f"The body holds more than {limits.events:,} events."
    return TooLarge(message, code="too_many_events", hint="Send them in several requests.")


class _WithId(msgspec.Struct):
    id: str | None = None


_ID = msgspec.json.Decoder(_WithId)


def _id_in(raw: bytes) -> str | None:
    try:
        found = _ID.decode(raw).id
    except _UNREADABLE:
        return None
    return found[:200] if found else None


# --- cutting a body into events ---


def _first_line(pieces: Iterator[bytes]) -> bytes:
    """What comes up to the end of the first line that is not blank, and maybe more; without a byte order mark.

    Empty: there is nothing but white space.
    """
    head = bytearray()
    for piece in pieces:
        head += piece
        if b"\n" in piece or len(head) > EVENT_BYTES:
            head = head.removeprefix(_BOM).lstrip(_WHITESPACE)
            if b"\n" in head or len(head) > EVENT_BYTES:
                break
    return bytes(head.removeprefix(_BOM).lstrip(_WHITESPACE))


def _looks_like_lines(head: bytes, declared: bool) -> bool:
    """Whether the body is lines of one JSON value each. A single object on one line is that too."""
    if head.startswith(b"["):
        return False
    line, newline, _ = head.partition(b"\n")
    if not newline:
        return declared
    try:
        _RAW.decode(line)
    except _UNREADABLE:
        return declared and not head.startswith(b"{")
    return True


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The lines that are not blank."""
    unfinished: list[bytes] = []
    for piece in pieces:
        first, *others = piece.split(b"\n")
        unfinished.append(first)
        if others:
            lines = [b"".join(unfinished), *others]
            unfinished = [lines.pop()]
            yield from (line for line in lines if line and not line.isspace())
    last = b"".join(unfinished)
    if last and not last.isspace():
        yield last


def _values(body: bytes, lines_declared: bool, limits: Limits) -> Iterable[bytes]:
    """The elements of an array, or the one object; lines where they were declared and it is neither."""
    try:
        if body.startswith(b"["):
            if body.count(b",") > limits.events * _COMMAS_PER_EVENT:
                raise _too_many(limits)
            return map(bytes, _RAW_ARRAY.decode(body))
        _RAW.decode(body)
    except _UNREADABLE as error:
        if lines_declared and body.startswith(b"{"):
            return _lines((body,))
        elements = _leniently(body) if _SURROGATE.search(body) else None
        if elements is None:
            raise _not_json(body, error) from None
        return elements
    if not body.startswith(b"{"):
        message = "The body is JSON, but neither an object nor an array."
        raise InvalidBody(message, code="wrong_type", hint="Send an event, an array of events, or NDJSON.")
    return (body,)


def _leniently(body: bytes) -> list[bytes] | None:
    """The elements of an array in which some text holds half a surrogate pair: only its own event is refused for it."""
    try:
        values = json.loads(body)
    except _UNREADABLE:
        return None
    return [json.dumps(v).encode() for v in (values if isinstance(values, list) else [values])]


# What a body may turn out to be, by its first bytes.
_OTHER_FORMATS: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "It is gzip: say so with Content-Encoding: gzip."),
    (b"\x28\xb5\x2f\xfd", "It is zstd: say so with Content-Encoding: zstd."),
    (b"\xff\xfe", "It is UTF-16: encode it as UTF-8."),
    (b"\xfe\xff", "It is UTF-16: encode it as UTF-8."),
    (b"PK\x03\x04", "It is a zip archive: send what is inside, with Content-Encoding: gzip if need be."),
    (b"PAR1", "It is a Parquet file: load it with `tickertape import`."),
)
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_BYTE_POSITION = re.compile(r"\(byte (\d+)\)")


def _not_json(body: bytes, error: BaseException) -> InvalidBody:
    hint = next((hint for start, hint in _OTHER_FORMATS if body.startswith(start)), None)
    if isinstance(error, RecursionError):
        return InvalidBody("The body is nested too deeply.", code="invalid_json")
    found = _BYTE_POSITION.search(str(error))
    position = int(found[1]) if found else len(body)
    before = body[:position]
    line, column = before.count(b"\n") + 1, position - (before.rfind(b"\n") + 1) + 1
    what = "ends too early" if "truncated" in str(error) else "is not valid JSON"
    message = f"The body {what} at line {line}, column {column}."
    return InvalidBody(message, code="invalid_json", hint=hint or "Send an event, an array of events, or NDJSON.")


# --- taking off the encoding, never more than the limits allow ---


def _pieces(body: bytes | Iterable[bytes]) -> Iterable[bytes]:
    if isinstance(body, bytes | bytearray | memoryview):
        return (bytes(body[start : start + _PIECE]) for start in range(0, len(body), _PIECE))
    return body


def _decoded(pieces: Iterable[bytes], encoding: str | None, limits: Limits) -> Iterator[bytes]:
    name = (encoding or "identity").strip().lower()
    decoder = _DECODERS.get(name)
    if decoder is None:
        raise UnsupportedEncoding(
            f"The body's encoding {name[:40]!r} is not read here.",
            field="content-encoding",
            hint="Use gzip or zstd, or send it as it is.",
        )
    sent = _limited(pieces, limits.sent, "The body is longer than {} bytes.")
    return _limited(decoder(sent), limits.decoded, "The body is longer than {} bytes after decompression.")


def _limited(pieces: Iterable[bytes], limit: int, message: str) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit:
            raise TooLarge(message.format(f"{limit:,}"), hint="Send it in several requests.")
        yield piece


# Each new frame copies what is left of a piece; real senders use one frame or a few.
_FRAMES = 1000
# RFC 9659: no zstd body on the web needs a window above 8 MB, and a larger one lets a few bytes claim much memory.
_ZSTD_OPTIONS = {int(zstd.DecompressionParameter.window_log_max): 23}


def _plain(pieces: Iterable[bytes]) -> Iterable[bytes]:
    return pieces


def _gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    frame = zlib.decompressobj(wbits=31)
    frames, begun = 1, False
    for piece in pieces:
        left, more = piece, bool(piece)
        while more:
            if frame.eof:
                frame, frames = zlib.decompressobj(wbits=31), frames + 1
            try:
                output = frame.decompress(left, _PIECE)
            except zlib.error as error:
                raise _not_encoded("gzip", error) from None
            begun = True
            left = frame.unused_data if frame.eof else frame.unconsumed_tail
            more = bool(left) or (len(output) == _PIECE and not frame.eof)
            if frames > _FRAMES:
                raise _too_many_frames("gzip")
            yield output
    if begun and not frame.eof:
        raise _cut_off("gzip")


def _unzstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    frame = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
    frames, begun = 1, False
    for piece in pieces:
        left, more = piece, bool(piece)
        while more:
            if frame.eof:
                frame, frames = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS), frames + 1
            try:
                output = frame.decompress(left, _PIECE)
            except zstd.ZstdError as error:
                raise _not_encoded("zstd", error) from None
            begun = True
            left = frame.unused_data if frame.eof else b""
            more = bool(left) or not (frame.eof or frame.needs_input)
            if frames > _FRAMES:
                raise _too_many_frames("zstd")
            yield output
    if begun and not frame.eof:
        raise _cut_off("zstd")


def _not_encoded(name: str, error: Exception) -> InvalidBody:
    hint = f"Compress the body with {name}, or leave Content-Encoding out."
    return InvalidBody(f"The body cannot be read as {name}: {error}.", code="invalid_encoding", hint=hint)


def _cut_off(name: str) -> InvalidBody:
    return InvalidBody(f"The {name} body ends too early.", code="invalid_encoding", hint="Send it again, whole.")


def _too_many_frames(name: str) -> InvalidBody:
    message = f"The {name} body has more than {_FRAMES:,} frames."
    return InvalidBody(message, code="invalid_encoding", hint="Compress it as one.")


_DECODERS: dict[str, Callable[[Iterable[bytes]], Iterable[bytes]]] = {
    "identity": _plain,
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "zstd": _unzstd,
}
