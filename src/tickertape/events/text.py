"""NUL characters, which many a store and tool takes for the end of a text."""

from tickertape.errors import InvalidEvent
from tickertape.events.types import Event


def remove_nul(event: Event) -> None:
    """Takes NUL out of `text`; raises InvalidEvent where it stands anywhere else."""
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if name == "text" and isinstance(value, str):
            setattr(event, name, value.replace("\0", ""))
        elif field := _nul_position(name, value):
            raise InvalidEvent(f"{field} holds a NUL character.", code="invalid_text", field=field, hint="Remove it.")


def _nul_position(field: str, value: object) -> str | None:
    if isinstance(value, str):
        return field if "\0" in value else None
    if isinstance(value, dict):
        inside = ((f"{field}.{name}", str(name) + str(inner)) for name, inner in value.items())
        return next((position.replace("\0", "") for position, text in inside if "\0" in text), None)
    if isinstance(value, list):
        return next((f"{field}[{i}]" for i, inner in enumerate(value) if "\0" in inner), None)
    return None
