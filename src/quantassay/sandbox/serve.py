"""Runs a practice server on loopback in a thread of this process, and hands it to whoever wants to rehearse on it.

`with serve(exchange) as server:` and then server.url, server.exchange, server.requests.
"""

import asyncio
import contextlib
import os
import socket
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from quantassay.domain.trading.clock import Clock
from quantassay.errors import AssayError
from quantassay.sandbox.app import application
from quantassay.sandbox.exchange import Exchange
from quantassay.sandbox.faults import Fault
from quantassay.sandbox.gateway import Gateway, Limits
from quantassay.sandbox.practice import Practice
from quantassay.sandbox.reply import Logged

HOST = "127.0.0.1"


class PortTaken(AssayError):
    """A port on which something listens already."""

    def __init__(self, port: int) -> None:
        super().__init__(f"the practice server cannot listen on port {port} of {HOST}; end what does, or say --port")


class Wire(H11Protocol):
    """A connection that lets the server cut it: its transport goes along with each request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Keep the transport where the application finds it."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class Server:
    """A practice server that runs. Tests ask it between requests, not during one."""

    def __init__(self, practice: Practice, port: int) -> None:
        self.practice = practice
        self.port = port
        self.url = f"http://{HOST}:{port}"

    @property
    def exchange(self) -> Exchange:
        """The exchange as it is now: its books are the truth."""
        return self.practice.exchange

    @property
    def gateway(self) -> Gateway:
        """Keys, tokens and pace."""
        return self.practice.gateway

    @property
    def requests(self) -> list[Logged]:
        """Every request since it began, or since the last reset."""
        return self.practice.requests

    def reset(self, exchange: Exchange, faults: Iterable[Fault] = ()) -> None:
        """Begin anew with this exchange, this plan of faults and an empty log; tokens that were given stay good."""
        self.practice.reset(exchange, faults)


@contextlib.contextmanager
def serve(
    exchange: Exchange,
    port: int = 0,
    *,
    faults: Iterable[Fault] = (),
    limits: Limits | None = None,
    wall: Clock | None = None,
    heard: Callable[[Logged], object] | None = None,
) -> Iterator[Server]:
    """A practice server that is ready when it is handed over, on a free port for 0. Raises PortTaken.

    `limits` are the gateway's (NO_LIMITS for none), `wall` the clock that clients tell a token's age by, where it is
    not the exchange's; `heard` is told of each request in the server's thread.
    """
    listener = _listener(port)
    practice = Practice(exchange, Gateway(exchange.clock, limits, wall), faults, heard=heard)
    running = _Running(practice, listener)
    running.start()
    try:
        yield Server(practice, listener.getsockname()[1])
    finally:
        running.stop()


def _listener(port: int) -> socket.socket:
    # asyncio switches Nagle's delays off only for a socket that says it is TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise PortTaken(port) from None
    return listener


class _Running:
    """The thread, the loop in it and the sockets of one server."""

    def __init__(self, practice: Practice, listener: socket.socket) -> None:
        config = uvicorn.Config(
            application(practice),
            http=Wire,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_keep_alive=60,
        )
        config.load()
        self._server = uvicorn.Server(config)
        self._server.lifespan = config.lifespan_class(config)
        self._listener = listener
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done: asyncio.Event | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()), name="practice", daemon=True)
        _ALL.add(self)

    def start(self) -> None:
        """Begin, and come back when requests are answered."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """End, whatever clients still wait for."""
        if self._loop and self._done:
            self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()

    async def _main(self) -> None:
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        await self._server.startup(sockets=[self._listener])
        self._ready.set()
        await self._done.wait()
        for server in self._server.servers:
            server.close()
        self._listener.close()
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()
        for task in list(self._server.server_state.tasks):
            task.cancel()

    def forget(self) -> None:
        """Let go of all sockets in a forked child: a connection that the server ends must not live on in it."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        held = [self._listener.fileno()]
        for connection in list(self._server.server_state.connections):
            sock = connection.transport.get_extra_info("socket")
            held.append(sock.fileno() if sock else -1)
        for number in held:
            if number >= 0:
                os.dup2(nowhere, number)
        os.close(nowhere)


_ALL: weakref.WeakSet[_Running] = weakref.WeakSet()


def _forked() -> None:
    for running in list(_ALL):
        running.forget()


os.register_at_fork(after_in_child=_forked)
