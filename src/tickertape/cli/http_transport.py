"""Requests to a running server, over one kept-alive connection.

http.client is enough for requests to this machine; a client library would be one more dependency of every install.
"""

import http.client
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from tickertape.cli.client import StreamedResponse
from tickertape.cli.errors import CliError

_TIMEOUT_SECONDS = 300.0
_PIECE = 1 << 16


class Unreachable(CliError):
    """The server went away; it may come back."""


class HttpTransport:
    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._url = url
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT_SECONDS)

    @contextmanager
    def send(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Iterator[StreamedResponse]:
        try:
            answer = self._exchange(method, target, headers, body)
            yield StreamedResponse(
                answer.status, {name.lower(): value for name, value in answer.getheaders()}, _pieces(answer)
            )
            if not answer.isclosed():
                self._connection.close()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise Unreachable(
                f"The server at {self._url} does not answer ({error or type(error).__name__}).",
                "See whether it still runs; start it again with `tickertape serve`.",
            ) from error

    def _exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> http.client.HTTPResponse:
        kept_alive = self._connection.sock is not None
        try:
            self._connection.request(method, target, body or None, dict(headers))
            return self._connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError):
            self._connection.close()
            if not kept_alive:
                raise
            # The server had closed the idle connection. Every request of the command line may be repeated.
            self._connection.request(method, target, body or None, dict(headers))
            return self._connection.getresponse()

    def close(self) -> None:
        self._connection.close()


def _pieces(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while piece := answer.read(_PIECE):
        yield piece
