"""Errors that a command ends with, said in plain English on stderr."""

from tickertape.errors import TickertapeError


class CliError(TickertapeError):
    """`message` says what is wrong, `hint` what to do next."""

    default_code = "command_failed"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
