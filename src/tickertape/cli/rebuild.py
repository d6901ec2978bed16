"""`tickertape rebuild`."""

import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tickertape.cli.client import Client, connect
from tickertape.cli.errors import CliError
from tickertape.cli.options import Given
from tickertape.cli.output import safe, show

_POLL_SECONDS = 0.5


def rebuild(*, options: Given) -> None:
    """Work out every figure again from the events. The result is the same, unless a release has fixed a rule."""
    with connect(options) as client:
        job = client.call("POST", "/v1/rebuild")
        done = _follow(client, str(job.get("id") or job.get("job")), quiet=options.json)
    show(options, done, lambda _: safe("Every figure has been worked out again."))


def _follow(client: Client, job: str, *, quiet: bool) -> dict[str, Any]:
    """Shows a job's progress until it is over. Raises CliError where it failed."""
    columns = (TextColumn("rebuilding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as progress:
        bar = progress.add_task("", total=None)
        while True:
            state: dict[str, Any] = client.call("GET", f"/v1/jobs/{job}")
            progress.update(bar, completed=state.get("done") or 0, total=state.get("total"))
            if state["state"] == "failed":
                raise CliError(
                    f"The rebuild failed: {state.get('error') or 'no reason given'}.",
                    "The figures from before stay in use. See `tickertape doctor`, then run it again.",
                )
            if state["state"] == "done":
                return state
            time.sleep(_POLL_SECONDS)
