"""All connectors. To add one: docs/connectors/ADDING.md."""

from tickertape.connectors.base import (
    CannotUnderstand,
    Connector,
    HookRequest,
    InvalidSignature,
    Reply,
    Source,
    Unknown,
)
from tickertape.connectors.twilio import Twilio
from tickertape.errors import NotFound, nearest
from tickertape.explain import shown

__all__ = [
    "CONNECTORS",
    "CannotUnderstand",
    "Connector",
    "HookRequest",
    "InvalidSignature",
    "Reply",
    "Source",
    "Unknown",
    "UnknownConnector",
    "by_name",
]

CONNECTORS: tuple[Connector, ...] = (Twilio(),)


class UnknownConnector(NotFound):
    """No connector has this name; the hint holds the nearest one and the list."""

    default_code = "unknown_connector"


def by_name(name: str) -> Connector:
    """The connector of this name. Raises UnknownConnector."""
    names = [connector.name for connector in CONNECTORS]
    if name in names:
        return CONNECTORS[names.index(name)]
    meant = nearest(name, names)
    raise UnknownConnector(
        f"There is no connector called {shown(name)}.",
        field="connector",
        hint=(f"Did you mean {meant!r}? " if meant else "") + f"There are: {', '.join(names)}.",
    )
