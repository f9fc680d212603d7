"""One HTTP exchange with the one server of a connection, which tells what was surely not sent from what may have been.

No redirect is followed, no proxy is used, nothing is repeated here; certificates are verified as the system does it.
"""

import select
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from quantassay.domain.trading.book import Certificate
from quantassay.kis.connection import Connection, ModeMismatch

Turn = Callable[[], AbstractContextManager[Callable[[], None]]]
_MOST_BYTES = 16 * 2**20
_CHUNK = 65_536
# A server closes what lies idle. A request on such a connection may be lost, and nobody could say whether an order was.
_LONGEST_IDLE_S = 3.0
_SHORTEST_S = 0.001


class NotConnected(Exception):
    """No connection came about: nothing was sent."""


class Lost(Exception):
    """Something was sent, or may have been, and no whole answer came."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent: method, path with its query, headers, body; `repr` shows none of the headers."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""

    def __repr__(self) -> str:
        return f"Request({self.method} {self.path.partition('?')[0]})"


@dataclass(frozen=True, slots=True)
class Response:
    """What came back; the names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class Wire:
    """The connection to the server, opened when it is first needed; for one exchange at a time."""

    def __init__(self, connection: Connection, certificate: Certificate, turn: Turn) -> None:
        self._connection, self._certificate, self._turn = connection, certificate, turn
        self._open: HTTPConnection | None = None
        self._used_at = 0.0
        self._alone = threading.Lock()

    def exchange(self, request: Request, check: Callable[[], None]) -> Response:
        """Send when it is our turn, and read the whole answer; `check` is asked just before, and may raise.

        Raises NotConnected, Lost.
        """
        with self._alone:
            with self._turn() as note_time:
                check()
                link = self._connected()
                note_time()
                self._sent(link, request)
                note_time()
            return self._answered(link)

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Let the connection go."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _connected(self) -> HTTPConnection:
        """A connection that stands. Raises NotConnected."""
        if self._open is not None and not self._fresh(self._open):
            self.close()
        if self._open is None:
            link = self._made()
            try:
                link.connect()
            except OSError as error:
                link.close()
                raise NotConnected(_told(error)) from None
            self._open = link
        return self._open

    def _fresh(self, link: HTTPConnection) -> bool:
        """Whether an open connection was used a moment ago, and the server has not closed it since."""
        if time.monotonic() - self._used_at > _LONGEST_IDLE_S or link.sock is None:
            return False
        return not select.select([link.sock], [], [], 0)[0]

    def _made(self) -> HTTPConnection:
        parts = urlsplit(self._connection.base_url)
        if parts.netloc != self._certificate.host:
            raise ModeMismatch(self._certificate.environment, "the server is not the certified one", "start again")
        host, port, limit = parts.hostname or "", parts.port, self._connection.connect_timeout_s
        if parts.scheme == "https":
            return HTTPSConnection(host, port, timeout=limit, context=ssl.create_default_context())
        return HTTPConnection(host, port, timeout=limit)

    def _sent(self, link: HTTPConnection, request: Request) -> None:
        if link.sock is not None:
            link.sock.settimeout(self._connection.read_timeout_s)
        try:
            body = request.body if request.method == "POST" else None
            link.request(request.method, request.path, body=body, headers=dict(request.headers))
        except (OSError, HTTPException) as error:
            self.close()
            raise Lost(_told(error)) from None

    def _answered(self, link: HTTPConnection) -> Response:
        try:
            return self._whole(link)
        except (OSError, HTTPException) as error:
            self.close()
            raise Lost(_told(error)) from None
        except BaseException:
            # What was left unread would be taken for the answer to the next request.
            self.close()
            raise

    def _whole(self, link: HTTPConnection) -> Response:
        give_up = time.monotonic() + self._connection.read_timeout_s
        sock = link.sock
        answer = link.getresponse()
        parts: list[bytes] = []
        size = 0
        while True:
            left = give_up - time.monotonic()
            if left <= 0:
                raise TimeoutError
            # The socket is gone from the link where the server closes after this answer, and is read to its end all the
            # same.
            sock.settimeout(max(left, _SHORTEST_S))
            part = answer.read1(_CHUNK)
            if not part:
                break
            parts.append(part)
            size += len(part)
            if size > _MOST_BYTES:
                raise HTTPException("the answer is too large")  # noqa: TRY003
        self._check_whole(answer)
        answer.close()
        self._used_at = time.monotonic()
        if answer.will_close:
            self.close()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Response(answer.status, headers, b"".join(parts))

    @staticmethod
    def _check_whole(answer: HTTPResponse) -> None:
        if answer.length:
            raise HTTPException("the answer breaks off")  # noqa: TRY003


def _told(error: Exception) -> str:
    """What went wrong, in words that repeat nothing of the request."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
