"""`tickertape settings`."""

from typing import Any

import msgspec
from rich.console import RenderableType

from tickertape.cli.client import connect
from tickertape.cli.errors import CliError
from tickertape.cli.options import Given
from tickertape.cli.output import safe, show, table


def get_settings(key: str | None = None, /, *, options: Given) -> None:
    """Show the settings in force.

    Parameters
    ----------
    key
        One of them, with dots into the groups: targets.response_seconds. Default: all.
    """
    with connect(options) as client:
        answer = _settings(client.call("GET", "/v1/settings"))
    show(options, _at(answer, key) if key else answer, _drawn)


def set_settings(pairs: list[str], /, *, options: Given) -> None:
    """Change settings. Every figure is restated by them, also those of the past.

    Parameters
    ----------
    pairs
        KEY=VALUE, with dots into the groups: targets.response_seconds=120. The value is JSON or plain text; null
        restores the default.
    """
    patch: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise CliError(f"{pair!r} sets nothing.", "Write it as KEY=VALUE, such as timezone=Europe/Madrid.")
        _put(patch, key.split("."), _value(text))
    with connect(options) as client:
        answer = _settings(client.call("PUT", "/v1/settings", json=patch))
    show(options, answer, _drawn)


def _settings(answer: dict[str, Any]) -> dict[str, Any]:
    inner = answer.get("settings")
    return inner if isinstance(inner, dict) else answer


def _value(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _put(patch: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        inner = patch.setdefault(name, {})
        if not isinstance(inner, dict):
            raise CliError(f"{name!r} is set twice, once whole and once in part.", "Give one of the two.")
        patch = inner
    patch[path[-1]] = value


def _at(settings: Any, key: str) -> Any:
    for name in key.split("."):
        if not isinstance(settings, dict) or name not in settings:
            raise CliError(f"There is no setting {key!r}.", "`tickertape settings get` shows them all.")
        settings = settings[name]
    return settings


def _drawn(settings: Any) -> RenderableType:
    if not isinstance(settings, dict):
        return safe(msgspec.json.encode(settings).decode())
    drawn = table("setting", "value")
    for key, value in _leaves(settings, ""):
        drawn.add_row(key, safe(msgspec.json.encode(value).decode()))
    return drawn


def _leaves(settings: dict[str, Any], prefix: str) -> list[tuple[str, Any]]:
    leaves: list[tuple[str, Any]] = []
    for name, value in settings.items():
        if isinstance(value, dict) and value:
            leaves += _leaves(value, f"{prefix}{name}.")
        else:
            leaves.append((f"{prefix}{name}", value))
    return leaves
