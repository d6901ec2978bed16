"""`tickertape sources`: these work on the control database alone, with or without a running server."""

import getpass
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Group, RenderableType
from rich.text import Text

from tickertape.cli import running
from tickertape.cli.errors import CliError
from tickertape.cli.options import Given, Options
from tickertape.cli.output import interactive, moment, safe, show, table
from tickertape.connectors import Connector, by_name
from tickertape.control import Source, open_control


def add(
    name: str,
    /,
    *,
    connector: str,
    option: Annotated[list[str] | None, Parameter(negative=())] = None,
    secret: Annotated[list[str] | None, Parameter(negative=())] = None,
    public_url: Annotated[str | None, Parameter(env_var="TICKERTAPE_PUBLIC_URL")] = None,
    options: Given,
) -> None:
    """Connect a provider, and print what to paste where.

    Parameters
    ----------
    name
        What to call it; part of its address /hooks/NAME.
    connector
        The provider, as `tickertape connectors` lists them.
    option
        NAME=VALUE, as often as needed.
    secret
        FIELD=VALUE. One that is left out is asked for, which keeps it out of the shell's history.
    public_url
        The address by which the provider reaches this server, such as https://tape.example.com.
    """
    found = by_name(connector)
    secrets = _secrets(found, _pairs("--secret", secret))
    chosen: dict[str, Any] = _pairs("--option", option)
    if public_url:
        chosen["public_url"] = public_url.rstrip("/")
    source = open_control(options.data, options.control).add_source(
        name, found.name, chosen, secrets, check_connector=by_name
    )
    address = hook_address(options, source)
    steps = [step.replace("{url}", address) for step in found.setup]
    show(options, {"name": source.name, "connector": found.name, "url": address, "setup": steps}, _setup)


def list_sources(*, options: Given) -> None:
    """Show every source, without its secrets."""
    sources = open_control(options.data, options.control).list_sources()
    show(
        options,
        [
            {
                "name": source.name,
                "connector": source.connector,
                "url": hook_address(options, source),
                "enabled": source.enabled,
                "created_at": source.created_at,
            }
            for source in sources
        ],
        _drawn,
    )


def hook_address(options: Options, source: Source) -> str:
    """Where the provider sends its webhooks: by the source's public URL, else the running server's own."""
    found = running.read(options.data)
    base = source.options.get("public_url") or (found.url if found else "https://YOUR-PUBLIC-ADDRESS")
    return f"{base}/hooks/{source.name}"


def _pairs(flag: str, given: Sequence[str] | None) -> dict[str, str]:
    pairs = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise CliError(f"{flag} {text.partition('=')[0]!r} has no value.", f"Write it as {flag} NAME=VALUE.")
        pairs[name] = value
    return pairs


def _secrets(connector: Connector, given: dict[str, str]) -> dict[str, str]:
    fields = {field.name: field for field in connector.secret_fields}
    if unknown := sorted(set(given) - set(fields)):
        raise CliError(
            f"{connector.title} has no secret field {unknown[0]!r}.", f"It has: {', '.join(fields) or 'none'}."
        )
    missing = [field for name, field in fields.items() if name not in given]
    if missing and not interactive():
        raise CliError(
            f"{connector.title} needs the secret {missing[0].name!r} ({missing[0].title}). {missing[0].help}",
            f"Give it with --secret {missing[0].name}=VALUE, or run this in a terminal, where it is asked for.",
        )
    for field in missing:
        given[field.name] = getpass.getpass(f"{field.title} ({field.help}): ").strip()
    if blank := next((name for name, value in given.items() if not value), None):
        raise CliError(f"The secret {blank!r} is empty.", f"{fields[blank].help}")
    return given


def _setup(result: dict[str, Any]) -> RenderableType:
    lines = [safe(f"Source {result['name']} ({result['connector']}) is ready at {result['url']}")]
    lines += [safe(f"  {number}. {step}") for number, step in enumerate(result["setup"], 1)]
    return Group(*lines)


def _drawn(sources: list[dict[str, Any]]) -> RenderableType:
    if not sources:
        return Text("There are no sources. Add one with `tickertape sources add NAME --connector X`.")
    drawn = table("name", "connector", "address", "enabled", "added")
    for source in sources:
        drawn.add_row(
            source["name"],
            source["connector"],
            safe(source["url"]),
            "yes" if source["enabled"] else "no",
            moment(source["created_at"]),
        )
    return drawn
