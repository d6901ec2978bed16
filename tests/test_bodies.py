import gzip
import json
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tickertape.bodies import Accepted, Limits, Read, Rejection, read_events
from tickertape.errors import InvalidBody, TooLarge, UnsupportedEncoding

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

NDJSON = "application/x-ndjson"
JSON = "application/json"


def event(number: int) -> dict[str, Any]:
    return {"id": f"e{number}", "type": "message.delivered", "at": "2026-03-06T16:30:00Z", "message_id": f"m{number}"}


EVENTS = [event(number) for number in range(5)]
LINES = b"".join(json.dumps(fields).encode() + b"\n" for fields in EVENTS)
ARRAY = json.dumps(EVENTS).encode()
PRETTY = json.dumps(EVENTS[0], indent=2).encode()


def read(body: Any, content_type: str | None = None, encoding: str | None = None, **limits: int) -> list[Read]:
    return list(read_events(body, content_type, encoding, Limits(**limits)))


def ids(found: list[Read]) -> list[str | None]:
    return [one.event.id if isinstance(one, Accepted) else f"not {one.id}" for one in found]


ALL = ["e0", "e1", "e2", "e3", "e4"]


@pytest.mark.parametrize("content_type", [NDJSON, "application/jsonl; charset=utf-8", JSON, "text/plain", "", None])
@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (LINES, ALL),
        (LINES.rstrip(), ALL),
        (LINES.replace(b"\n", b"\r\n"), ALL),
        (b"\xef\xbb\xbf" + LINES, ALL),
        (b"\n \n" + LINES.replace(b"\n", b"\n\n\r\n"), ALL),
        (ARRAY, ALL),
        (b"\xef\xbb\xbf\n" + ARRAY + b"\n", ALL),
        (json.dumps(EVENTS, indent=1).encode(), ALL),
        (PRETTY, ["e0"]),
        (json.dumps(EVENTS[0]).encode(), ["e0"]),
        (b"[]", []),
    ],
)
def test_every_shape_under_every_name(body: bytes, wanted: list[str], content_type: str | None) -> None:
    assert ids(read(body, content_type)) == wanted
    chunks = [body[start : start + 7] for start in range(0, len(body), 7)]
    assert ids(read(chunks, content_type)) == wanted


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("zstd", zstd.compress), (" GZIP ", gzip.compress)],
)
def test_compressed(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    whole = compress(LINES)
    assert ids(read(whole, NDJSON, encoding)) == ALL
    assert ids(read([whole[i : i + 1] for i in range(len(whole))], NDJSON, encoding)) == ALL
    assert ids(read(whole + whole, NDJSON, encoding)) == ALL + ALL
    assert ids(read(compress(LINES * 5000), NDJSON, encoding)) == ALL * 5000


def test_one_bad_event_does_not_lose_the_others() -> None:
    bad = [b'{"id": "x", "type": "message.delivered"}', b"5", b'{"id": 7}', b"\xff", b'{"id": "y"']
    found = read(LINES + b"\n".join(bad), NDJSON)
    assert ids(found) == [*ALL, "not x", "not None", "not None", "not None", "not None"]
    assert [one.index for one in found] == list(range(10))
    rejection = found[5]
    assert isinstance(rejection, Rejection)
    assert (rejection.raw, rejection.error.field) == (bad[0], "message_id")
    assert rejection.error.__traceback__ is None

    in_array = read(b"[" + bad[0] + b", " + json.dumps(EVENTS[0]).encode() + b",5]", JSON)
    assert ids(in_array) == ["not x", "e0", "not None"]
    assert isinstance(in_array[0], Rejection)
    assert in_array[0].raw == bad[0]


def test_an_array_with_one_bad_element() -> None:
    body = json.dumps([EVENTS[0], {"id": "x"}, EVENTS[1]]).encode()
    assert ids(read(body)) == ["e0", "not x", "e1"]


def test_a_first_line_that_is_bad_loses_only_itself() -> None:
    assert ids(read(b'{"id": "x",\n' + LINES, NDJSON)) == ["not None", *ALL]
    assert ids(read(b"hello\n" + LINES, NDJSON)) == ["not None", *ALL]


@pytest.mark.parametrize(
    ("body", "encoding", "code", "says"),
    [
        (b"", None, "empty_body", "empty"),
        (b" \r\n\n", None, "empty_body", "empty"),
        (b"\xef\xbb\xbf", None, "empty_body", "empty"),
        (gzip.compress(b"", mtime=0), "gzip", "empty_body", "empty"),
        (b"", "zstd", "empty_body", "empty"),
        (b'[{"a": 1},\n{"b" 2}]', None, "invalid_json", "line 2, column 6"),
        (b'[{"a": 1}', None, "invalid_json", "ends too early"),
        (b'{"a": 1', None, "invalid_json", "ends too early"),
        (b"a=b&c=d", None, "invalid_json", "line 1, column 1"),
        (b"[" * 100_000, None, "invalid_json", "nested"),
        (b"5", None, "wrong_type", "neither an object nor an array"),
        (gzip.compress(LINES, mtime=0), None, "invalid_json", "Content-Encoding: gzip"),
        (zstd.compress(LINES), None, "invalid_json", "Content-Encoding: zstd"),
        ("[]".encode("utf-16"), None, "invalid_json", "UTF-8"),
        (LINES, "gzip", "invalid_encoding", "Content-Encoding"),
        (LINES, "zstd", "invalid_encoding", "Content-Encoding"),
        (gzip.compress(LINES, mtime=0)[:-4], "gzip", "invalid_encoding", "ends too early"),
        (zstd.compress(LINES)[:-4], "zstd", "invalid_encoding", "ends too early"),
        (gzip.compress(b"", mtime=0) * 2000, "gzip", "invalid_encoding", "frames"),
        (zstd.compress(b"") * 2000, "zstd", "invalid_encoding", "frames"),
    ],
)
def test_a_body_that_is_wrong_as_a_whole(body: bytes, encoding: str | None, code: str, says: str) -> None:
    with pytest.raises(InvalidBody) as error:
        read(body, JSON, encoding)
    assert error.value.code == code
    assert says in str(error.value)


@pytest.mark.parametrize("encoding", ["deflate", "br", "gzip, zstd", "x" * 500])
def test_other_encodings_are_refused_with_advice(encoding: str) -> None:
    with pytest.raises(UnsupportedEncoding) as error:
        read(zlib.compress(LINES), NDJSON, encoding)
    assert error.value.status == 415
    assert "gzip or zstd" in str(error.value)


def test_the_limit_of_what_is_sent() -> None:
    assert len(read(LINES, sent=len(LINES))) == 5
    with pytest.raises(TooLarge, match=f"{len(LINES) - 1:,} bytes"):
        read(LINES, sent=len(LINES) - 1)
    with pytest.raises(TooLarge):
        read(b"x" * 5_000_001)

    def endless() -> Any:
        while True:
            yield b" " * 65536

    with pytest.raises(TooLarge):
        read(endless())


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
@pytest.mark.parametrize("filling", [b"\n", b"x", b"[1,"])
def test_a_bomb_is_stopped_while_it_unpacks(encoding: str, compress: Callable[[bytes], bytes], filling: bytes) -> None:
    bomb = compress(filling * 30_000_000)
    tracemalloc.start()
    with pytest.raises(TooLarge):
        read(bomb, NDJSON, encoding, decoded=5_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000


def test_the_limit_of_events() -> None:
    assert len(read(LINES, events=5)) == 5
    for body in (LINES, ARRAY, b"[" + b"1," * 5000 + b"1]"):
        with pytest.raises(TooLarge) as error:
            read(body, events=4)
        assert error.value.code == "too_many_events"


def test_a_zstd_window_that_claims_much_memory_is_refused() -> None:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    # Without a flush at the end the frame does not know its size, and so has to state its window.
    body = compressor.compress(LINES, zstd.ZstdCompressor.FLUSH_BLOCK) + compressor.flush()
    with pytest.raises(InvalidBody) as error:
        read(body, NDJSON, "zstd")
    assert error.value.code == "invalid_encoding"


def test_lines_are_read_one_by_one() -> None:
    taken = 0

    def chunks() -> Any:
        nonlocal taken
        for fields in EVENTS:
            taken += 1
            yield json.dumps(fields).encode() + b"\n"

    found = read_events(chunks(), NDJSON)
    next(found)
    assert taken < len(EVENTS)


def test_half_a_surrogate_pair_loses_no_other_event() -> None:
    good = {"type": "agent.status", "at": "2026-01-01T00:00:00Z", "agent_id": "a", "status": "online"}
    bad = good | {"agent_id": "\ud800"}
    read = list(read_events(json.dumps([good, bad, good]).encode()))
    assert [type(r) for r in read] == [Accepted, Rejection, Accepted]
