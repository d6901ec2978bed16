"""`tickertape demo`: the real server on a folder of sample data, its history, and then live traffic."""

import secrets
import time
import webbrowser
from collections.abc import Iterator
from datetime import UTC, datetime
from heapq import merge
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tickertape.cli.client import Client, expect
from tickertape.control import open_control
from tickertape.demo import company, folder, simulate, twilio_traffic
from tickertape.demo.company import DAY
from tickertape.demo.folder import DemoError, State
from tickertape.demo.post import connection, post_batch, post_history, post_hook
from tickertape.demo.server import served
from tickertape.demo.twilio_traffic import Callback
from tickertape.demo.world import Event

HISTORY_MS = 30 * DAY
SOURCE = "twilio-demo"
KEY = "demo simulator"
STOPPING = "Stopping. `tickertape demo` goes on from here; `tickertape demo --remove` deletes it."
_PAUSE_SECONDS = 0.2
"""Live events are posted together for so long."""
_SAVE_SECONDS = 2.0
_CAUGHT_UP = 1_000


class Config(Protocol):
    """What the demo needs of the server's configuration. Its store and control database are never used: sample data
    stays in a folder of its own."""

    @property
    def data(self) -> Path: ...
    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


def run(config: Config, *, seed: int = 1, browser: bool = True) -> None:
    """Runs the demo in DATA/demo until Ctrl-C: server, 30 days of history, live traffic.

    A later start goes on where the last one ended. Raises DemoError where the folder holds something else, is in use,
    or was made with another seed.
    """
    home = config.data / folder.NAME
    console = Console(stderr=True, highlight=False)
    folder.prepare(home)
    with folder.held(home) as lock:
        state = _state(home, seed)
        console.print(f"Harbor & Pine, a made-up company. Its sample data is in {home}.", soft_wrap=True)
        with served(home, config.host, config.port, lock) as server:
            admin = connection(server.url, server.token)
            _set_up(admin, state)
            key = _new_key(home)
            address = _browser_address(admin, server.url)
            print(f"Open {address}", flush=True)
            if browser:
                webbrowser.open(address)
            try:
                _tell_history(console, home, state, server.url, key)
                _go_on_live(console, home, state, server.url, key)
            except KeyboardInterrupt:
                console.print(STOPPING, soft_wrap=True)
            finally:
                folder.save(home, state)


def remove(config: Config) -> None:
    """Deletes the demo's folder. Raises DemoError where that is not safe."""
    removed = folder.remove(config.data)
    console = Console(stderr=True, highlight=False)
    console.print(f"Removed {removed}." if removed else "There is no demo to remove.", soft_wrap=True)


def _state(home: Path, seed: int) -> State:
    now = _now()
    state = folder.load(home)
    if state is None:
        origin = now - HISTORY_MS
        state = State(seed=seed, origin_ms=origin, told_until_ms=origin, watched=[], hook_token=secrets.token_hex(16))
        folder.save(home, state)
    elif state.seed != seed:
        raise DemoError(
            f"The demo in {home} was made with seed {state.seed}.",
            hint=f"Go on with --seed {state.seed}, or begin anew after `tickertape demo --remove`.",
        )
    return state


def _set_up(admin: Client, state: State) -> None:
    day = datetime.fromtimestamp(state.origin_ms / 1000, UTC).date().isoformat()
    rates = [{"date": day, "from": "EUR", "to": "USD", "rate": company.EURO_RATE}]
    admin.call("PUT", "/v1/settings", json=company.SETTINGS | {"exchange_rates": rates})
    source = {
        "name": SOURCE,
        "connector": "twilio",
        "options": {},
        "secrets": {"auth_token": state.hook_token},
    }
    answer = admin.request("POST", "/v1/sources", json=source)
    if answer.status != 409:  # there from an earlier start, with the same token
        expect(answer)


def _new_key(home: Path) -> str:
    """A fresh ingest key; the one of an earlier start ends, so that no secret has to be kept."""
    control = open_control(home)
    for key in control.list_keys():
        if key.name == KEY and key.revoked_at is None:
            control.revoke_key(key.id)
    return control.create_key(KEY, "ingest")


def _browser_address(admin: Client, url: str) -> str:
    """A link that signs the browser in, once; the plain address of a server that has none to give."""
    answer = admin.request("POST", "/v1/login-links", json={})
    return str(answer.json()["url"]) if answer.status in (200, 201) else url


def _tell_history(console: Console, home: Path, state: State, url: str, key: str) -> None:
    """Posts what is missing up to now; at most 30 days, however long the demo was not running."""
    end = _now()
    since = max(state.told_until_ms, end - HISTORY_MS)
    events = simulate.history(state.seed, state.origin_ms, end, since, state.watched)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TimeRemainingColumn(),
    )
    began, written = time.monotonic(), 0
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("Writing history", total=end - since, events=0)
        for last, new in post_history(url, key, events):
            written += new
            state.told_until_ms = _ms(last)
            progress.update(task, completed=state.told_until_ms - since, events=written)
            folder.save(home, state)
        progress.update(task, completed=end - since)
    state.told_until_ms = end
    console.print(f"{written:,} events of history in {time.monotonic() - began:.1f} s.")


def _go_on_live(console: Console, home: Path, state: State, url: str, key: str) -> None:
    """Posts each event when it is due, until interrupted. What is late (a busy server, a sleeping laptop) follows."""
    client, start = connection(url, key), state.told_until_ms
    earlier = list(state.watched)
    posted = hooks = 0
    batch: list[Event] = []
    saved = 0.0
    with console.status("Live traffic begins…") as status:
        for due, item in _live(state, start, earlier):
            if due > _now() or len(batch) >= _CAUGHT_UP:
                if batch:
                    posted += post_batch(client, batch, lambda why: status.update(why or "Live"))
                    batch = []
                    # Events of the very millisecond are posted twice at worst, and count once.
                    state.told_until_ms = min(due, _now())
                    state.watched = [*earlier, (start, state.told_until_ms)]
                if time.monotonic() - saved > _SAVE_SECONDS:
                    folder.save(home, state)
                    saved = time.monotonic()
                    status.update(f"Live: {posted:,} events and {hooks:,} Twilio webhooks so far. Ctrl-C stops.")
                time.sleep(max(_PAUSE_SECONDS, (due - _now()) / 1000))
            if isinstance(item, Callback):
                hooks += post_hook(client, twilio_traffic.signed(item, url, SOURCE, state.hook_token))
            else:
                batch.append(item)


def _live(state: State, start: int, earlier: list[tuple[int, int]]) -> Iterator[tuple[int, Event | Callback]]:
    events = simulate.live(state.seed, start, state.origin_ms, earlier)
    callbacks = twilio_traffic.live(state.seed, start, state.origin_ms)
    return merge(events, callbacks, key=lambda each: each[0])


def _now() -> int:
    return int(time.time() * 1000)


def _ms(told: Event) -> int:
    return round(datetime.fromisoformat(told["at"]).timestamp() * 1000)
