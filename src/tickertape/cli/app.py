"""The command tree and how a command line is run: every error ends here."""

import sys
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from tickertape import __version__
from tickertape.cli.options import STDIN, Options
from tickertape.cli.output import safe
from tickertape.errors import TickertapeError

app = App(
    name="tickertape",
    help="Self-hosted, real-time messaging analytics.",
    version=__version__,
    version_flags=["--version"],
    help_flags=["--help", "-h"],
)

# Modules are named, not imported: a command loads only what it needs (`keys create` must not wait for an engine).
# name -> where it is, and its line in the list of commands
_COMMANDS = {
    "serve": ("serve:serve", "Run the server until it is stopped."),
    "demo": ("demo:demo", "Run the server on a made-up company with live traffic."),
    "import": ("imports:import_files", "Take in events from JSONL, CSV and Parquet files."),
    "query": ("query:query", "Ask for figures."),
    "metrics": ("catalogue:metrics", "List every metric and what it means."),
    "connectors": ("connectors:connectors", "List the providers that can be connected."),
    "rebuild": ("rebuild:rebuild", "Work out every figure again from the events."),
    "doctor": ("doctor:doctor", "Check this machine, the data folder and the server."),
}
_GROUPS = {
    "export": (
        "Stream rows and figures out.",
        {"query": ("export:export_query", "Stream figures out as CSV, JSONL or Parquet.")},
    ),
    "keys": (
        "The keys that open the API.",
        {
            "create": ("keys:create", "Make a key and print it, alone, on stdout."),
            "list": ("keys:list_keys", "Show every key, without its secret."),
            "revoke": ("keys:revoke", "Make a key useless."),
        },
    ),
    "sources": (
        "The connections to messaging providers.",
        {
            "add": ("sources:add", "Connect a provider, and print what to paste where."),
            "list": ("sources:list_sources", "Show every source, without its secrets."),
        },
    ),
    "rejects": (
        "What was taken in but could not be understood.",
        {"list": ("rejects:list_rejects", "Show what was rejected and why, newest first.")},
    ),
    "settings": (
        "The workspace's settings.",
        {
            "get": ("settings:get_settings", "Show the settings in force."),
            "set": ("settings:set_settings", "Change settings; every figure is restated."),
        },
    ),
}


def _register(to: App, commands: dict[str, tuple[str, str]]) -> None:
    for name, (target, summary) in commands.items():
        to.command(f"tickertape.cli.{target}", name=name, help=summary)


_register(app, _COMMANDS)
for _name, (_help, _commands) in _GROUPS.items():
    _group = App(name=_name, help=_help)
    _register(_group, _commands)
    app.command(_group)


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    options: Annotated[Options | None, Parameter(name="*", group="Options of every command")] = None,
) -> None:
    options = options or Options()
    try:
        # Cyclopts takes a lone hyphen for an option without a name.
        reads_stdin = tokens[:1] == ("import",)
        given = [STDIN if word == "-" and reads_stdin else word for word in tokens]
        command, bound, ignored = app.parse_args(given)
        if "options" in ignored:
            bound.arguments["options"] = options
        command(*bound.args, **bound.kwargs)
    except BrokenPipeError:
        # The reader (`| head`) has seen enough; the interpreter would complain again while it flushes.
        sys.stdout = None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception as error:
        if options.debug:
            raise
        raise SystemExit(_complain(error)) from None


def _complain(error: Exception) -> int:
    """Prints the error; returns the exit status."""
    console = Console(stderr=True, highlight=False)
    if isinstance(error, TickertapeError):
        console.print("[bold red]Error:[/]", safe(error.message), soft_wrap=True)
        if error.hint:
            console.print(safe(error.hint), soft_wrap=True)
    elif isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        console.print("[bold red]Error:[/]", safe(f"{error.strerror or error}{where}."), soft_wrap=True)
        console.print("Check the path, its permissions and the free disk space, then try again.", soft_wrap=True)
    else:
        console.print("[bold red]Error:[/]", safe(f"{type(error).__name__}: {error}"), soft_wrap=True)
        console.print(
            "This should not happen. Run it again with --debug, and `tickertape doctor`, and report what they say.",
            soft_wrap=True,
        )
    return 1


def run() -> None:
    app.meta()
