"""`tickertape keys`: these work on the control database alone, with or without a running server."""

from collections.abc import Sequence

import msgspec
from rich.console import RenderableType

from tickertape.cli.options import Given
from tickertape.cli.output import interactive, moment, note, safe, show, table
from tickertape.control import Key, Scope, open_control


def create(name: str, /, *, scope: Scope, options: Given) -> None:
    """Make a key and print it, alone, on stdout. It is shown this once.

    Parameters
    ----------
    name
        What it is for; as `keys list` shows it.
    scope
        ingest: may post events. read: may ask. admin: may do everything.
    """
    key, secret = open_control(options.data, options.control).issue_key(name, scope)
    if options.json:
        show(options, {"id": key.id, "name": key.name, "scope": key.scope, "key": secret}, safe)
        return
    if interactive():
        note("Keep this key: it cannot be shown again. Send it as `Authorization: Bearer KEY`.")
    print(secret)


def list_keys(*, options: Given) -> None:
    """Show every key, without its secret."""
    show(options, open_control(options.data, options.control).list_keys(), _drawn)


def revoke(key: str, /, *, options: Given) -> None:
    """Make a key useless: at once, for a running server within two seconds.

    Parameters
    ----------
    key
        Its id or its name, as `keys list` shows them.
    """
    control = open_control(options.data, options.control)
    revoked = control.revoke_key(int(key) if key.isdecimal() else key)
    show(options, msgspec.to_builtins(revoked), lambda _: safe(f"Revoked {revoked.prefix}… ({revoked.name})."))


def _drawn(keys: Sequence[Key]) -> RenderableType:
    if not keys:
        return "There are no keys. Make one with `tickertape keys create NAME --scope ingest`."
    drawn = table("id", "name", "scope", "key", "created", "revoked", right=("id",))
    for key in keys:
        drawn.add_row(
            str(key.id),
            safe(key.name),
            key.scope,
            f"{key.prefix}…",
            moment(key.created_at),
            moment(key.revoked_at),
        )
    return drawn
