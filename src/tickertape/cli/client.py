"""One way to reach the data: over HTTP where a server runs, else by running the same application in this process.

The analytics folder can be held by one process only, so a command never opens it beside a running server.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from tickertape.cli import running
from tickertape.cli.errors import CliError
from tickertape.cli.options import Options

Params = Mapping[str, str | int | None] | Iterable[tuple[str, str]]


class Response(Struct):
    """An answer with its whole body. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise CliError(
                f"The server's answer (status {self.status}) is not JSON.",
                "Check that DATA/run.json names a tickertape server of this version.",
            ) from error


class StreamedResponse(Struct):
    """An answer whose body arrives in pieces."""

    status: int
    headers: dict[str, str]
    pieces: Iterator[bytes]


class Transport(Protocol):
    """Sends one request at a time and hands its answer back in pieces."""

    def send(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> AbstractContextManager[StreamedResponse]: ...

    def close(self) -> None: ...


class Client:
    """Requests to tickertape's API with administrator's rights. Use from one thread."""

    def __init__(self, transport: Transport, token: str, data: Path | None = None) -> None:
        """`data` is the folder of the running server that the transport leads to, None for one in this process."""
        self._transport = transport
        self._authorization = f"Bearer {token}"
        self._data = data

    def request(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Sends a request and waits for the whole answer, whatever its status.

        Raises CliError where the server cannot be reached.
        """
        with self.stream(method, path, params, json, body, headers) as answer:
            return Response(answer.status, answer.headers, b"".join(answer.pieces))

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        params: Params | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[StreamedResponse]:
        """Sends a request; the answer's body is read as it arrives, inside the `with`."""
        query = _query(params)
        sent = {"authorization": self._authorization, "accept": "application/json", **(headers or {})}
        if json is not None:
            body = msgspec.json.encode(json)
            sent["content-type"] = "application/json"
        with self._transport.send(method, f"{path}?{query}" if query else path, sent, body or b"") as answer:
            yield answer

    def call(self, method: str, path: str, params: Params | None = None, json: Any = None) -> Any:
        """Sends a request and returns the answer's JSON. Raises CliError where the server refused it."""
        return expect(self.request(method, path, params, json)).json()

    def reconnect(self) -> bool:
        """After a restart of the server, which changes its token: whether another one was found in its place."""
        found = running.find(self._data) if self._data else None
        if found is None or f"Bearer {found.token}" == self._authorization:
            return False
        self._transport.close()
        self._transport, self._authorization = _http(found), f"Bearer {found.token}"
        return True

    def close(self) -> None:
        self._transport.close()


def expect(response: Response) -> Response:
    """The response, where its status is below 400; raises CliError with what the server said otherwise."""
    if response.status < 400:
        return response
    raise CliError(_reason(response), _FIXES.get(response.status))


_FIXES = {
    401: "The server that answers is not the one that wrote run.json. Stop it, or delete run.json in the data folder.",
    404: "The server may be of another version: restart it with this one.",
    503: "The server cannot work now: see its log, and `tickertape doctor`.",
}


def _reason(response: Response) -> str:
    try:
        said = msgspec.json.decode(response.body)
    except msgspec.DecodeError:
        said = None
    if isinstance(said, dict):
        error = said.get("error")
        inner = error if isinstance(error, dict) else said
        message = inner.get("message") or inner.get("detail") or error
        if message:
            field = inner.get("field")
            return f"{field}: {message}" if field and str(field) not in str(message) else str(message)
    return f"The server answered with status {response.status}."


def _query(params: Params | None) -> str:
    if params is None:
        return ""
    pairs = params.items() if isinstance(params, Mapping) else params
    return urlencode([(name, value) for name, value in pairs if value is not None])


@contextmanager
def connect(options: Options) -> Iterator[Client]:
    """A client of the data folder: of the running server, else of the application run in this process."""
    client = _open(options)
    try:
        yield client
    finally:
        client.close()


def _http(found: running.Running) -> Transport:
    from tickertape.cli.http_transport import HttpTransport

    return HttpTransport(found.url)


def _open(options: Options) -> Client:
    if found := running.find(options.data):
        return Client(_http(found), found.token, options.data)
    from tickertape.app import Config, create_app
    from tickertape.cli.asgi_transport import AsgiTransport
    from tickertape.control import PROCESS_TOKEN

    config = Config(
        data=options.data,
        store=options.store,
        control=options.control,
        host="127.0.0.1",
        port=0,
        public_url=None,
    )
    return Client(AsgiTransport(lambda: create_app(config)), PROCESS_TOKEN)
