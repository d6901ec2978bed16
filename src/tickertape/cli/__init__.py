"""The command line."""


def main() -> None:
    """The entry point of `tickertape`."""
    from tickertape.cli.app import run

    run()
