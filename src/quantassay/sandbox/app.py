"""The practice server's HTTP: reads a request, lets faults strike, asks the gateway and the exchange, and answers.

Transactions lead, paths follow, as on the real gateway. Standard headers are in title case and the broker's own in
lower case, because clients tell them apart by that.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from quantassay.sandbox.practice import Practice
from quantassay.sandbox.reply import Asked, Reply, Silence

# Longer than any client waits.
HOLD_S = 120.0
ABORT = struct.pack("ii", 1, 0)


def application(practice: Practice) -> Starlette:
    """The server of one practice desk."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        reply = practice.answer(_asked(request, body))
        if reply.after_s:
            await _wait(request, reply.after_s)
        if reply.silence is Silence.NONE:
            return _response(reply)
        if reply.silence is Silence.HOLD:
            await _wait(request, reply.hold_s or HOLD_S)
        _cut(request, hard=reply.silence is Silence.RESET)
        await asyncio.sleep(0)
        return Response()

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])


def _asked(request: Request, body: bytes) -> Asked:
    query = {name.upper(): value for name, value in request.query_params.items()}
    try:
        content = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        content = None
    headers = {name.lower(): value for name, value in request.headers.items()}
    # Some clients put one slash too many between host and path, and the real gateway does not mind.
    path = "/" + request.url.path.lstrip("/")
    return Asked(request.method, path, headers, query, content)


def _response(reply: Reply) -> Response:
    body = reply.raw if reply.raw is not None else orjson.dumps(reply.body)
    response = Response(body, reply.status)
    own = {"tr_id": reply.tr_id, "gt_uid": "", "tr_cont": reply.tr_cont} if reply.tr_id else {}
    standard = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body))}
    response.raw_headers = [(name.encode(), value.encode()) for name, value in {**standard, **own}.items()]
    return response


async def _wait(request: Request, seconds: float) -> None:
    """Wait so long, or until the client has gone."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass


def _cut(request: Request, *, hard: bool) -> None:
    """Close the connection without a word; hard: reset it."""
    transport: Any = getattr(request.state, "transport", None)
    if transport is None or transport.is_closing():
        return
    if hard:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    transport.abort()
