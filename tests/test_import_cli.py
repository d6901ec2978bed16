"""`tickertape import` into the real application, as its users run it: files in, figures out, and a kill in between."""

import csv
import json
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from test_cli import environment
from test_torture import TICKERTAPE

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def events(campaign: str, number: int) -> list[dict[str, Any]]:
    return [
        {
            "type": kind, "id": f"{campaign}-{kind}-{i}", "at": (START + timedelta(seconds=i)).isoformat(),
            "message_id": f"{campaign}-{i}",
            **({"channel": "sms", "campaign_id": campaign, "contact_id": f"c{i}"} if kind == "message.sent" else {}),
        }
        for i in range(number)
        for kind in ("message.sent", "message.delivered")
    ]  # fmt: skip


def ran(data: Path, *arguments: str) -> Any:
    done = subprocess.run(
        [*TICKERTAPE, "--data", str(data), *arguments, "--json"],
        capture_output=True, text=True, timeout=120, env=environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def figures(data: Path) -> dict[str, tuple[int, int]]:
    asked = ("query", "sent", "delivered", "--by", "campaign", "--from", "2026-03-02", "--to", "2026-03-03")
    rows = ran(data, *asked)["rows"]
    return {row["campaign"]: (row["sent"]["value"], row["delivered"]["value"]) for row in rows}


def lines(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def table(path: Path, rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def columns(path: Path, rows: list[dict[str, Any]]) -> str:
    typed = [{**row, "at": datetime.fromisoformat(row["at"])} for row in rows]
    pq.write_table(pa.Table.from_pylist(typed), path)
    return str(path)


def test_three_formats_and_a_repetition(data: Path, tmp_path: Path) -> None:
    files = [
        lines(tmp_path / "a.jsonl", events("lines", 5)),
        table(tmp_path / "b.csv", events("table", 6)),
        columns(tmp_path / "c.parquet", events("columns", 7)),
    ]
    assert [s["accepted"] for s in ran(data, "import", *files)] == [10, 12, 14]
    assert [(s["accepted"], s["duplicates"]) for s in ran(data, "import", *files)] == [(0, 10), (0, 12), (0, 14)]
    assert figures(data) == {"lines": (5, 5), "table": (6, 6), "columns": (7, 7)}


def test_a_killed_import_is_taken_up_again(data: Path, tmp_path: Path) -> None:
    number = 10_000
    file = lines(tmp_path / "a.jsonl", events("killed", number))
    importing = subprocess.Popen(
        [*TICKERTAPE, "--data", str(data), "import", file, "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not list(data.glob("imports/*.json")):
        assert importing.poll() is None and time.monotonic() < deadline, importing.stderr
        time.sleep(0.001)
    importing.kill()
    importing.communicate()
    (summary,) = ran(data, "import", file)
    assert 0 < summary["resumed_at"] < 2 * number
    assert (summary["rows"], summary["rejected"]) == (2 * number, 0)
    assert figures(data) == {"killed": (number, number)}
