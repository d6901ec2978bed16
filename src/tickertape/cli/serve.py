"""`tickertape serve`."""

from typing import Annotated

from cyclopts import Parameter

from tickertape.cli.logs import Level, configure
from tickertape.cli.options import Given, Options
from tickertape.cli.output import note
from tickertape.cli.server import run_server

Host = Annotated[str, Parameter(env_var="TICKERTAPE_HOST")]
Port = Annotated[int, Parameter(env_var="TICKERTAPE_PORT")]
PublicUrl = Annotated[str | None, Parameter(env_var="TICKERTAPE_PUBLIC_URL")]


def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8723,
    public_url: PublicUrl = None,
    log_level: Level = "info",
    options: Given,
) -> None:
    """Run the server until it is stopped.

    Parameters
    ----------
    host
        The address to listen at; 0.0.0.0 for every one of this machine.
    port
        The port to listen at.
    public_url
        The address by which providers and browsers reach it, such as https://tape.example.com.
    log_level
        What is logged: this and everything more serious.
    """
    from tickertape.app import Config, create_app

    configure(log_level)
    config = Config(
        data=options.data,
        store=options.store,
        control=options.control,
        host=host,
        port=port,
        public_url=public_url,
    )
    run_server(
        lambda: create_app(config),
        data=options.data,
        host=host,
        port=port,
        on_ready=lambda url: _announce(options, public_url or url),
    )


def _announce(options: Options, url: str) -> None:
    if options.json:
        print(f'{{"url": "{url}"}}', flush=True)
    else:
        print(f"tickertape is ready at {url}", flush=True)
        note(f"Its data is in {options.data}. Stop it with Ctrl-C.")
