"""`python -m bench [--quick]`: prints a table and writes bench/results/latest.json."""

import argparse
import json
import multiprocessing
import platform
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import facts, measures
from bench.server import Server, server

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything: to see that it runs")
    parser.add_argument("--messages", type=int, default=500_000, help="messages of the bulk ingest")
    parser.add_argument("--sizes", default="1000000,10000000", help="messages that the questions are asked over")
    options = parser.parse_args()
    scale = 10 if options.quick else 1
    now = time.time_ns() // 1_000_000
    console = Console()
    rows: list[measures.Row] = []

    def took(found: list[measures.Row]) -> None:
        rows.extend(found)
        for what, figure, unit in found:
            console.print(f"{what}: {figure:,.1f} {unit}")

    with server() as fresh:
        took([("start of an empty server", fresh.started_in, "s"), ("memory, idle and empty", fresh.memory_mb(), "MB")])
        took(measures.webhooks(fresh, 5 if options.quick else 10))
    with server() as fresh:
        took(measures.freshness(fresh, 1000, 6 if options.quick else 20))
    with server() as fresh:
        took(measures.bulk_ingest(fresh, options.messages // scale, now))
        took(measures.queries(fresh, f"{options.messages // scale:,} messages ingested", 3))
    for size in (int(s) // scale for s in options.sizes.split(",")):
        with tempfile.TemporaryDirectory(prefix="tickertape-bench-") as folder:
            # A process of its own: the engine's folder must be free for the server.
            filling = multiprocessing.get_context("spawn").Process(target=facts.fill, args=(Path(folder), size))
            filling.start()
            filling.join()
            running = Server(Path(folder))
            took([(f"start with {size:,} messages", running.started_in, "s")])
            took(measures.queries(running, f"{size:,} messages"))
            took([(f"memory after questions over {size:,} messages", running.memory_mb(), "MB")])
            running.stop()
    RESULTS.mkdir(exist_ok=True)
    machine = {"python": sys.version.split()[0], "system": platform.platform(), "machine": platform.machine()}
    (RESULTS / "latest.json").write_text(json.dumps({"machine": machine, "rows": rows}, indent=1))
    table = Table("what", "figure", "unit")
    for what, figure, unit in rows:
        table.add_row(what, f"{figure:,.1f}", unit)
    console.print(table)


if __name__ == "__main__":
    main()
