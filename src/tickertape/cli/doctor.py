"""`tickertape doctor`: is everything in place, and what to do where it is not."""

import importlib
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct
from rich.console import RenderableType

from tickertape.cli import running
from tickertape.cli.options import Given, Options
from tickertape.cli.output import safe, show, table
from tickertape.errors import TickertapeError

Verdict = Literal["ok", "warning", "failed"]
_OLDEST_PYTHON = (3, 11)
_LITTLE_DISK = 2 << 30
_TOO_LITTLE_DISK = 200 << 20
_EARLIEST_CLOCK = 1_767_225_600  # 2026-01-01: no release is older, so no right clock is earlier
_SLOW_SYNC_SECONDS = 0.2


class Finding(Struct, kw_only=True):
    """What one check found; `fix` says what to do where it is not `ok`."""

    check: str
    verdict: Verdict
    found: str
    fix: str = ""


def doctor(*, options: Given) -> None:
    """Check this machine, the data folder and the server; say what to do about what is wrong."""
    findings = [_examine(name, check, options) for name, check in CHECKS.items()]
    show(options, findings, _drawn)
    if any(finding.verdict == "failed" for finding in findings):
        raise SystemExit(1)


def _examine(name: str, check: "Check", options: Options) -> Finding:
    try:
        verdict, found, fix = check(options)
    except (OSError, TickertapeError) as error:
        hint = getattr(error, "hint", None) or "Check the path and its permissions."
        verdict, found, fix = "failed", getattr(error, "message", str(error)), hint
    return Finding(check=name, verdict=verdict, found=found, fix=fix if verdict != "ok" else "")


Check = Callable[[Options], tuple[Verdict, str, str]]


def _python(_: Options) -> tuple[Verdict, str, str]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    fine = sys.version_info >= _OLDEST_PYTHON
    return "ok" if fine else "failed", version, "Install Python 3.11 or newer."


def _folder(options: Options) -> tuple[Verdict, str, str]:
    fix = f"Make {options.data} writable for this user, or choose another folder with --data."
    options.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(options.data, os.W_OK | os.X_OK):
        return "failed", f"{options.data} cannot be written", fix
    if stat.S_IMODE(options.data.stat().st_mode) & 0o007:
        return "warning", f"{options.data} is open to every user of this machine", f"chmod o-rwx '{options.data}'"
    return "ok", str(options.data), ""


def _disk(options: Options) -> tuple[Verdict, str, str]:
    free = shutil.disk_usage(options.data).free
    verdict: Verdict = "ok" if free >= _LITTLE_DISK else "warning" if free >= _TOO_LITTLE_DISK else "failed"
    return verdict, f"{free / (1 << 30):.1f} GiB free", "Free some space: a full disk makes the server refuse events."


def _sync(options: Options) -> tuple[Verdict, str, str]:
    with tempfile.TemporaryFile(dir=options.data) as file:
        began = time.perf_counter()
        file.write(b"tickertape")
        file.flush()
        os.fsync(file.fileno())
        took = time.perf_counter() - began
    verdict: Verdict = "ok" if took < _SLOW_SYNC_SECONDS else "warning"
    return verdict, f"fsync took {took * 1000:.1f} ms", "Every event waits for the disk: use a faster one for --data."


def _engine(options: Options) -> tuple[Verdict, str, str]:
    if options.store:
        return "ok", "ClickHouse server, by --store", ""
    try:
        module = importlib.import_module("chdb")
    except ImportError as error:
        return "failed", f"chdb cannot be loaded: {error}", "Install tickertape again on Linux or macOS, 64 bit."
    return "ok", f"chdb {getattr(module, '__version__', '')}".strip(), ""


def _control(options: Options) -> tuple[Verdict, str, str]:
    from tickertape.control import open_control
    from tickertape.control.migrate import HEAD

    control = open_control(options.data, options.control)
    keys = sum(key.revoked_at is None for key in control.list_keys())
    sources = len(control.list_sources())
    control.close()
    return "ok", f"at migration {HEAD}; {keys} keys, {sources} sources", ""


def _secret_key(options: Options) -> tuple[Verdict, str, str]:
    from tickertape.control.secretbox import ENVIRONMENT, FILE

    if os.environ.get(ENVIRONMENT):
        return "ok", f"from {ENVIRONMENT}", ""
    path = options.data / FILE
    mode = stat.S_IMODE(path.stat().st_mode)
    verdict: Verdict = "ok" if mode & 0o077 == 0 else "failed"
    return verdict, f"{FILE} has mode {mode:04o}", f"chmod 600 '{path}'"


def _server(options: Options) -> tuple[Verdict, str, str]:
    named = running.read(options.data)
    if named is None:
        return "ok", "none runs; commands open the folder themselves", ""
    if running.answers(named):
        return "ok", f"answers at {named.url} (process {named.pid})", ""
    if _alive(named.pid):
        return (
            "failed",
            f"process {named.pid} does not answer at {named.url}",
            "It may still be starting. If not, stop that process and start it again with `tickertape serve`.",
        )
    return "warning", "the last server was killed", "Nothing is lost. Start it again with `tickertape serve`."


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _clock(options: Options) -> tuple[Verdict, str, str]:
    now = time.time()
    fix = "Set this machine's clock (NTP): figures rest on it."
    newest = max((path.stat().st_mtime for path in _files(options.data)), default=now)
    if now < _EARLIEST_CLOCK or newest > now + 60:
        return "failed", f"the clock says {time.strftime('%Y-%m-%d %H:%M:%SZ', time.gmtime(now))}, which is past", fix
    return "ok", time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(now)), ""


def _files(data: Path) -> list[Path]:
    return [path for path in data.iterdir() if path.is_file()]


CHECKS: dict[str, Check] = {
    "python": _python,
    "data folder": _folder,
    "disk": _disk,
    "durable writes": _sync,
    "analytics engine": _engine,
    "control database": _control,
    "secret key": _secret_key,
    "server": _server,
    "clock": _clock,
}
_COLOURS: dict[str, str] = {"ok": "green", "warning": "yellow", "failed": "bold red"}


def _drawn(findings: list[Finding]) -> RenderableType:
    drawn = table("check", "", "found", "what to do")
    for finding in msgspec.to_builtins(findings):
        colour = _COLOURS[finding["verdict"]]
        drawn.add_row(
            finding["check"], f"[{colour}]{finding['verdict']}[/]", safe(finding["found"]), safe(finding["fix"])
        )
    return drawn
