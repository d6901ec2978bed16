"""The control plane: who may do what, which sources there are, and the workspace's settings."""

from tickertape.control.history import SettingsVersion
from tickertape.control.keys import PROCESS_TOKEN, SCOPES, Key, Scope
from tickertape.control.plane import ControlPlane, open_control
from tickertape.control.sources import Source

__all__ = [
    "PROCESS_TOKEN",
    "SCOPES",
    "ControlPlane",
    "Key",
    "Scope",
    "SettingsVersion",
    "Source",
    "open_control",
]
