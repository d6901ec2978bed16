"""`tickertape connectors`."""

from typing import Any

from rich.console import RenderableType

from tickertape.cli.options import Given
from tickertape.cli.output import show, table


def connectors(*, options: Given) -> None:
    """List the providers that can be connected."""
    from tickertape.connectors import CONNECTORS

    listed = [
        {
            "name": connector.name,
            "title": connector.title,
            "channels": list(connector.channels),
            "secrets": [field.name for field in connector.secret_fields],
            "options": [field.name for field in connector.option_fields],
            "documentation": connector.documentation,
        }
        for connector in CONNECTORS
    ]
    show(options, listed, _drawn)


def _drawn(listed: list[dict[str, Any]]) -> RenderableType:
    drawn = table("connector", "provider", "channels", "secrets")
    for row in listed:
        drawn.add_row(row["name"], row["title"], ", ".join(row["channels"]), ", ".join(row["secrets"]))
    return drawn
