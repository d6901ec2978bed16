"""`tickertape demo`."""

from typing import Annotated

from cyclopts import Parameter

from tickertape.cli.options import Given
from tickertape.cli.serve import Host, Port


def demo(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8723,
    seed: int = 1,
    browser: bool = True,
    remove: Annotated[bool, Parameter(negative=())] = False,
    options: Given,
) -> None:
    """Run the server on a made-up company with live traffic, to look around in.

    Parameters
    ----------
    host
        The address to listen at.
    port
        The port to listen at.
    seed
        The same seed makes the same company.
    browser
        Open the browser once it is ready.
    remove
        Remove the sample data instead.
    """
    from tickertape.app import Config
    from tickertape.demo import remove as remove_sample
    from tickertape.demo import run

    config = Config(
        data=options.data,
        store=options.store,
        control=options.control,
        host=host,
        port=port,
        public_url=None,
    )
    if remove:
        remove_sample(config)
    else:
        run(config, seed=seed, browser=browser)
