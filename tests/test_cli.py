"""The command line, run as its users run it: as a process, beside a server and without one."""

import csv
import gzip
import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import cli_fake
from tickertape.cli import figures
from tickertape.cli.app import app
from tickertape.cli.output import safe
from tickertape.control import open_control

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FAKE = [sys.executable, str(Path(__file__).with_name("cli_fake.py"))]
EVENT = {"type": "message.delivered", "at": "2026-03-01T10:00:00Z", "message_id": "m"}


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TICKERTAPE_")}
    return {**kept, "COLUMNS": "200", "NO_COLOR": "1", **more}


def run(data: Path, *arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in this process, which is ten times faster than starting one."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    status: int | str | None = 0
    before = sys.modules.get("tickertape.app")
    sys.modules["tickertape.app"] = cli_fake.module()
    try:
        with (
            mock.patch.dict(os.environ, environment(**more), clear=True),
            mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()))),
            mock.patch("sys.stdout", out),
            mock.patch("sys.stderr", err),
        ):
            app.meta(["--data", str(data), *arguments])
    except SystemExit as stopped:
        status = stopped.code
    except Exception:
        traceback.print_exc(file=err)
        status = 1
    finally:
        del sys.modules["tickertape.app"]
        if before is not None:
            sys.modules["tickertape.app"] = before
    said, complained = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined]
    return subprocess.CompletedProcess([], int(status or 0), said, complained)


def start(data: Path, *arguments: str, stdin: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs a command as a process of its own."""
    return subprocess.run(
        [*FAKE, "--data", str(data), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        input=stdin,
        env=environment(**more),
    )


def ran(data: Path, *arguments: str, **more: Any) -> str:
    done = run(data, *arguments, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def sent(data: Path) -> list[list[str]]:
    """The batches of events that the stand-in was sent: the lines of each."""
    notes = [json.loads(line) for line in (data / "fake.log").read_text().splitlines()]
    return [note[3].split("\n") for note in notes if note[1:2] == ["/v1/events"]]


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    def __init__(self, data: Path, *arguments: str, **more: str) -> None:
        self.port = free_port()
        self.data = data
        self.process = subprocess.Popen(
            [*FAKE, "--data", str(data), "serve", "--port", str(self.port), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(**more),
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline().strip()

    def stop(self, how: signal.Signals = signal.SIGTERM) -> float:
        began = time.monotonic()
        self.process.send_signal(how)
        self.process.communicate(timeout=20)
        return time.monotonic() - began


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(data: Path) -> Iterator[Server]:
    started = Server(data)
    yield started
    if started.process.poll() is None:
        started.stop(signal.SIGKILL)


# --- keys ---


@pytest.mark.parametrize("scope", ["ingest", "read", "admin"])
def test_a_key_is_printed_alone(data: Path, scope: str) -> None:
    done = start(data, "keys", "create", "shop", "--scope", scope)
    assert (done.returncode, done.stderr) == (0, "")
    (secret,) = done.stdout.splitlines()
    key = open_control(data).authenticate(secret)
    assert key is not None and (key.name, key.scope) == ("shop", scope)


def test_keys_are_listed_and_revoked(data: Path) -> None:
    secret = ran(data, "keys", "create", "shop", "--scope", "read").strip()
    listed = ran(data, "keys", "list")
    assert "shop" in listed and secret not in listed
    (row,) = json.loads(ran(data, "keys", "list", "--json"))
    assert row["revoked_at"] is None and secret.startswith(row["prefix"])
    ran(data, "keys", "revoke", "shop")
    assert open_control(data).authenticate(secret) is None


def test_a_key_can_be_made_while_a_server_runs(data: Path, server: Server) -> None:
    secret = ran(data, "keys", "create", "shop", "--scope", "admin", "--json")
    assert open_control(data).authenticate(json.loads(secret)["key"]) is not None


def test_options_stand_before_or_after_the_command(data: Path) -> None:
    after = subprocess.run(
        [*FAKE, "keys", "create", "a", "--scope", "read", "--data", str(data)], env=environment(), capture_output=True
    )
    assert after.returncode == 0
    by_environment = subprocess.run(
        [*FAKE, "keys", "list", "--json"], env=environment(TICKERTAPE_DATA=str(data)), capture_output=True, check=True
    )
    assert [row["name"] for row in json.loads(by_environment.stdout)] == ["a"]


# --- errors ---


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["keys", "revoke", "nobody"], "keys list"),
        (["keys", "create", "x", "--scope", "root"], "ingest"),
        (["keys", "create", "x"], "scope"),
        (["import", "/nowhere/x.jsonl"], "no file"),
        (["query", "csat", "-f", "channel"], "-f channel=sms"),
        (["settings", "set", "timezone"], "KEY=VALUE"),
        (["settings", "get", "tiemzone"], "no setting 'tiemzone'"),
        (["sources", "add", "Bad Name", "--connector", "twilio", "--secret", "auth_token=x"], "part of a URL"),
        (["sources", "add", "x", "--connector", "twillio"], "'twilio'"),
        (["sources", "add", "x", "--connector", "twilio"], "--secret auth_token=VALUE"),
        (["sources", "add", "x", "--connector", "twilio", "--secret", "nonsense=x"], "auth_token"),
        (["export", "query", "x", "--format", "jsonl"], "There is no metric x."),
        (["--control", "nonsense", "keys", "list"], "SQLAlchemy URL"),
        (["nothing"], "nothing"),
    ],
)
def test_an_error_says_what_to_do(data: Path, arguments: list[str], says: str) -> None:
    done = run(data, *arguments)
    assert done.returncode not in (0, None) and done.stdout == ""
    assert says in " ".join(done.stderr.split()), done.stderr
    assert "Traceback" not in done.stderr


def test_an_unexpected_error_shows_its_traceback_only_when_asked(data: Path) -> None:
    plain = run(data, "query", "csat", FAKE_BROKEN="1")
    assert plain.returncode == 1 and "the folder is on fire" in plain.stderr and "Traceback" not in plain.stderr
    debug = start(data, "query", "csat", "--debug", FAKE_BROKEN="1")
    assert debug.returncode != 0 and "Traceback" in debug.stderr


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run(tmp_path / "file" / "data", "keys", "list")
    assert done.returncode == 1 and "file" in done.stderr and "Traceback" not in done.stderr


# --- serve ---


def test_the_server_says_where_it_is_and_stops_when_asked(data: Path, server: Server) -> None:
    assert f"http://127.0.0.1:{server.port}" in server.said
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz", timeout=5) as answer:
        assert answer.status == 200
    run_file = data / "run.json"
    assert stat.S_IMODE(run_file.stat().st_mode) == 0o600
    assert json.loads(run_file.read_text())["pid"] == server.process.pid
    assert server.stop() < 3
    assert server.process.returncode == 0
    assert not run_file.exists()
    assert '"stopped"' in (data / "fake.log").read_text()


def test_an_open_stream_does_not_hold_up_a_stop(data: Path, server: Server) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/stream", timeout=5) as stream:
        assert stream.read(9) == b"data: x\n\n"
        assert server.stop() < 8
    assert server.process.returncode == 0 and '"stopped"' in (data / "fake.log").read_text()


def test_a_killed_server_leaves_nothing_behind(data: Path, server: Server) -> None:
    server.stop(signal.SIGKILL)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)
    assert (data / "run.json").exists()
    assert json.loads(ran(data, "settings", "get", "--json"))["timezone"] == "UTC"
    again = Server(data)
    try:
        assert "ready" in again.said
    finally:
        again.stop()


def test_a_server_can_be_stopped_while_it_starts(data: Path) -> None:
    process = subprocess.Popen(
        [*FAKE, "--data", str(data), "serve", "--port", str(free_port())], env=environment(FAKE_SLOW="1")
    )
    wait_until(lambda: (data / "fake.log").exists())
    process.terminate()
    assert process.wait(timeout=10) == 0


def test_a_second_server_is_refused(data: Path, server: Server, tmp_path: Path) -> None:
    same_folder = run(data, "serve", "--port", str(free_port()))
    assert same_folder.returncode == 1 and f":{server.port}" in same_folder.stderr and "--data" in same_folder.stderr
    same_port = run(tmp_path / "other", "serve", "--port", str(server.port))
    assert same_port.returncode == 1 and "--port" in same_port.stderr
    assert "Traceback" not in same_folder.stderr + same_port.stderr


def test_a_server_that_cannot_start_says_why(data: Path) -> None:
    done = run(data, "serve", "--port", str(free_port()), FAKE_BROKEN="1")
    assert done.returncode == 1 and "on fire" in done.stderr and "Traceback" not in done.stderr
    assert not (data / "run.json").exists()


# --- with a server and without ---


@pytest.fixture(params=["in process", "over HTTP"])
def reached(request: pytest.FixtureRequest, data: Path) -> Iterator[Path]:
    data.mkdir()
    if request.param == "in process":
        yield data
        return
    started = Server(data)
    yield data
    started.stop()


def test_every_command_works_both_ways(reached: Path, tmp_path: Path) -> None:
    filters = ["--from", "2026-03-01", "--by", "channel", "-f", "channel=sms,mms", "-f", "country!=ES"]
    answer = json.loads(ran(reached, "query", "delivery_rate", "response_time", *filters, "--json"))
    assert answer["rows"][0]["response_time"]["n"] == 7
    asked = json.loads((reached / "fake.log").read_text().splitlines()[0])
    assert asked[2] == (
        "metrics=delivery_rate%2Cresponse_time&from=2026-03-01&by=channel&channel=sms%2Cmms&country%21=ES"
    )
    drawn = ran(reached, "query", "delivery_rate", "response_time", "--last", "7d")
    for text in ("25.0%", "20", "11.0% … 47.0%", "3 m 12 s", "p90 2 h 7 m"):
        assert text in drawn
    assert "\x1b" not in drawn
    assert ran(reached, "export", "query", "x") == "a,b\n" + "1,2\n" * 5000
    ran(reached, "export", "query", "x", "-o", str(tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text().count("\n") == 5001
    rejects = ran(reached, "rejects", "list")
    assert "at is missing" in rejects and "\x1b" not in rejects
    assert json.loads(ran(reached, "settings", "get", "targets.response_seconds", "--json")) == 300
    changed = json.loads(ran(reached, "settings", "set", "timezone=Europe/Madrid", "a.b=2", "a.c=null", "--json"))
    assert changed["timezone"] == "Europe/Madrid" and changed["a"] == {"b": 2, "c": None}
    assert json.loads(ran(reached, "rebuild", "--json"))["state"] == "done"


def test_a_rebuild_that_fails_is_an_error(data: Path) -> None:
    data.mkdir()
    done = run(data, "rebuild", FAKE_JOB="failed")
    assert done.returncode == 1 and "disk full" in done.stderr


def test_a_server_of_another_run_is_not_trusted_blindly(data: Path, server: Server) -> None:
    named = json.loads((data / "run.json").read_text())
    (data / "run.json").write_text(json.dumps({**named, "token": "tt_admin_old"}))
    done = run(data, "settings", "get")
    assert done.returncode == 1 and "run.json" in done.stderr


# --- import ---


def jsonl(path: Path, rows: int) -> Path:
    path.write_text("".join(json.dumps({**EVENT, "id": f"e{n}"}) + "\n" for n in range(rows)))
    return path


def test_jsonl_is_sent_in_batches(reached: Path, tmp_path: Path) -> None:
    (summary,) = json.loads(ran(reached, "import", str(jsonl(tmp_path / "a.jsonl", 4500)), "--json"))
    assert (summary["rows"], summary["accepted"], summary["rejected"]) == (4500, 4500, 0)
    batches = sent(reached)
    assert [len(batch) for batch in batches] == [2000, 2000, 500]
    assert [json.loads(line)["id"] for batch in batches for line in batch] == [f"e{n}" for n in range(4500)]


def test_compressed_files_and_stdin_hold_the_same(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    plain = jsonl(tmp_path / "a.jsonl", 300).read_bytes()
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(plain))
    (tmp_path / "a.ndjson.zst").write_bytes(zstd.compress(plain))
    files = [str(tmp_path / name) for name in ("a.jsonl", "a.jsonl.gz", "a.ndjson.zst")]
    ran(data, "import", *files)
    ran(data, "import", "-", stdin=plain.decode())
    batches = sent(data)
    assert len(batches) == 4 and all(batch == batches[0] for batch in batches) and len(batches[0]) == 300


def test_bad_rows_are_counted_and_pointed_at(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    good = json.dumps(EVENT)
    (tmp_path / "a.jsonl").write_text(f"{good}\n\n{{broken\n{good}\r\n{{}}\n" + "x" * 3_000_000 + f"\n{good}")
    done = run(data, "import", str(tmp_path / "a.jsonl"))
    assert done.returncode == 0 and "rejects list" in done.stdout
    assert "row 2:" in done.stdout and "row 4:" in done.stdout and "row 5:" in done.stdout
    (summary,) = json.loads(ran(data, "import", str(tmp_path / "a.jsonl"), "--json"))
    assert (summary["rows"], summary["accepted"], summary["rejected"]) == (6, 3, 3)


def test_a_killed_import_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    path = str(jsonl(tmp_path / "a.jsonl", 9000))
    killed = start(data, "import", path, FAKE_DIE_AFTER="3")
    assert killed.returncode == 9
    (summary,) = json.loads(ran(data, "import", path, "--json"))
    assert (summary["resumed_at"], summary["rows"], summary["accepted"]) == (4000, 9000, 9000)
    ids = [json.loads(line)["id"] for batch in sent(data)[3:] for line in batch]
    assert ids == [f"e{n}" for n in range(4000, 9000)]
    (again,) = json.loads(ran(data, "import", path, "--json"))
    assert again["resumed_at"] == 0, "a finished import begins at the start when it is repeated"


def test_another_content_at_the_same_path_begins_at_the_start(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    path = str(jsonl(tmp_path / "a.jsonl", 5000))
    assert start(data, "import", path, FAKE_DIE_AFTER="2").returncode == 9
    jsonl(tmp_path / "a.jsonl", 5001)
    (summary,) = json.loads(ran(data, "import", path, "--json"))
    assert (summary["resumed_at"], summary["rows"]) == (0, 5001)


def test_a_busy_server_is_waited_for(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    (summary,) = json.loads(ran(data, "import", str(jsonl(tmp_path / "a.jsonl", 10)), "--json", FAKE_BUSY="3"))
    assert summary["accepted"] == 10


def test_a_restarted_server_is_waited_for(data: Path, tmp_path: Path, server: Server) -> None:
    importing = subprocess.Popen(
        [*FAKE, "--data", str(data), "import", str(jsonl(tmp_path / "a.jsonl", 1)), "-", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    wait_until(lambda: (data / "fake.log").exists() and bool(sent(data)))
    server.stop()
    again = subprocess.Popen(
        [*FAKE, "--data", str(data), "serve", "--port", str(server.port)],
        env=environment(),
        stdout=subprocess.PIPE,
    )
    try:
        assert again.stdout is not None
        again.stdout.readline()
        out, _ = importing.communicate(json.dumps(EVENT) + "\n", timeout=30)
        assert [summary["accepted"] for summary in json.loads(out)] == [1, 1]
    finally:
        again.terminate()
        again.wait(timeout=10)


def test_csv_cells_become_typed_fields(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    header = ["type", "at", "id", "message_id", "channel", "cost", "currency", "tracked", "attrs.plan", "text"]
    with (tmp_path / "a.csv").open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(header)
        writer.writerow(["message.sent", "2026-03-01T10:00:00+01:00", "1", "007", "sms", "0.05", "EUR", "false", "x",
                         'two\n"lines"; é'])  # fmt: skip
        writer.writerow(["message.delivered", "2026-03-01T10:00:00Z", "2", "007", "", "", "", "", "", ""])
        writer.writerow(["message.sent", "yesterday", "3", "m", "sms", "", "", "", "", ""])
    ran(data, "import", str(tmp_path / "a.csv"))
    first, second, third = [json.loads(line) for line in sent(data)[0]]
    assert first["message_id"] == "007" and first["tracked"] is False and first["text"] == 'two\n"lines"; é'
    assert Decimal(str(first["cost"])) == Decimal("0.05") and first["attrs"] == {"plan": "x"}
    assert set(second) == {"type", "at", "id", "message_id"}
    assert third["at"] == "yesterday", "what cannot be an event reaches the server as it is"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"type,at,mesage_id\n", "Did you mean 'message_id'"),
        (b"type,at,loyalty\n", "attrs.loyalty"),
        (b"type,message_id\n", "no column 'at'"),
        (b"", "no column 'type'"),
        ("type,at,text\nmessage.received,2026-03-01T10:00:00Z,é".encode("latin-1"), "UTF-8"),
        ("type,at".encode("utf-16"), "UTF-8"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_explained(data: Path, tmp_path: Path, content: bytes, says: str) -> None:
    data.mkdir()
    (tmp_path / "a.csv").write_bytes(content)
    done = run(data, "import", str(tmp_path / "a.csv"))
    assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr


def test_parquet_rows_become_events(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    at = datetime(2026, 3, 1, 10, tzinfo=UTC)
    columns = {
        "type": ["message.sent", "message.delivered"],
        "at": pa.array([at, at], pa.timestamp("ms", "UTC")),
        "message_id": ["m1", "m2"],
        "channel": ["sms", None],
        "cost": pa.array([Decimal("0.05"), None], pa.decimal128(9, 4)),
        "currency": ["EUR", None],
        "attrs.plan": ["x", None],
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    ran(data, "import", str(tmp_path / "a.parquet"))
    first, second = [json.loads(line) for line in sent(data)[0]]
    assert first["at"].startswith("2026-03-01T10:00:00") and first["attrs"] == {"plan": "x"}
    assert Decimal(str(first["cost"])) == Decimal("0.05")
    assert set(second) == {"type", "at", "message_id"}


def test_parquet_without_a_time_zone_or_broken_is_explained(data: Path, tmp_path: Path) -> None:
    data.mkdir()
    naive = pa.table({"type": ["message.read"], "at": pa.array([datetime(2026, 3, 1)], pa.timestamp("ms"))})
    pq.write_table(naive, tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 not really")
    for name, says in (("a.parquet", "time zone"), ("b.parquet", "Parquet")):
        done = run(data, "import", str(tmp_path / name))
        assert done.returncode == 1 and says in done.stderr and "Traceback" not in done.stderr


# --- sources, connectors, doctor ---


def test_adding_a_source_prints_what_to_paste_where(data: Path) -> None:
    out = ran(data, "sources", "add", "sms", "--connector", "twilio", "--secret", "auth_token=very-s3cret",
              "--public-url", "https://tape.example.com/")  # fmt: skip
    assert "https://tape.example.com/hooks/sms" in out and "very-s3cret" not in out
    source = open_control(data).get_source("sms")
    assert source.secrets == ({"auth_token": "very-s3cret"},)
    assert source.options == {"public_url": "https://tape.example.com"}
    (row,) = json.loads(ran(data, "sources", "list", "--json"))
    assert (row["name"], row["url"]) == ("sms", "https://tape.example.com/hooks/sms")
    assert "s3cret" not in ran(data, "sources", "list")


def test_connectors_are_listed(data: Path) -> None:
    assert "twilio" in {row["name"] for row in json.loads(ran(data, "connectors", "--json"))}


def test_the_doctor_finds_all_well(data: Path) -> None:
    findings = json.loads(ran(data, "doctor", "--json"))
    assert len(findings) == 9 and not [f for f in findings if f["verdict"] == "failed"]


def test_the_doctor_says_what_to_do(data: Path) -> None:
    ran(data, "doctor")
    (data / "secret.key").chmod(0o644)
    (data / "run.json").write_text('{"pid": 999999999, "url": "http://127.0.0.1:1", "token": "x"}')
    done = run(data, "doctor", "--json")
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1
    assert findings["secret key"]["verdict"] == "failed" and "chmod 600" in findings["secret key"]["fix"]
    assert findings["server"]["verdict"] == "warning" and "serve" in findings["server"]["fix"]


# --- small functions ---


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (0.25, "0.25 s"), (59.9, "59.9 s"), (60, "1 m 0 s"), (192.7, "3 m 12 s"),
                          (3600, "1 h 0 m"), (90_000, "1 d 1 h")],
)  # fmt: skip
def test_durations_read_well(seconds: float, text: str) -> None:
    assert figures.duration(seconds) == text


@pytest.mark.parametrize(
    ("cell", "unit", "text"),
    [({"value": 0.1234}, "ratio", "12.3%"), ({"value": None}, "ratio", "–"), (None, "count", "–"),
     ({"value": 1234}, "count", "1,234"), ({"value": "1234.5", "currency": "EUR"}, "money", "1,234.50 EUR"),
     ({"value": 4.256}, "score", "4.26")],
)  # fmt: skip
def test_values_read_in_their_unit(cell: dict[str, Any] | None, unit: str, text: str) -> None:
    assert figures.value(cell, unit) == text


def test_untrusted_text_holds_no_escape_sequences_and_no_markup() -> None:
    assert safe("a\x1b[31mb\x07[bold]\r\u202e").plain == "a\ufffd[31mb\ufffd[bold]\ufffd\ufffd"
