"""Asks a site once for what it is known to refuse, without a login, and keeps what went over the wire."""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from quantassay.domain.gaps import answers
from quantassay.domain.gaps.answers import CUT_OFF, TIMED_OUT, Reply, Told
from quantassay.errors import AssayError
from quantassay.feeds.causes import causes

MOST_KEPT = 4_000  # characters of a body that the transcript keeps
LEFT_OUT = "(left out)"
_CHUNK = 65_536
_ADDRESS = re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b")
_SECRET = re.compile(
    r"(?i)\b(jsessionid|session_?id|token|passwd|password|mbrid|krx_?id|krx_?pw|pw)([\"']?\s*[=:]\s*[\"']?)[^&\"'\s;<>]+"
)
_NO_CONNECTION = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


class NoNetwork(AssayError):
    """A site that cannot be reached from here, which says nothing about what it would answer."""

    exit_code = 1

    def __init__(self, url: str, why: str) -> None:
        host = urlsplit(url).netloc
        super().__init__(f"{host} cannot be reached ({why}), so nothing was recorded; probe where there is a network")


class CannotAsk(AssayError):
    """A request that cannot even be written."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"{url} cannot be asked: {why}; correct it in spec/16_data_gaps_roadmap.yaml")


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds until a connection must stand, seconds for each whole answer, bytes of it that are read."""

    connect_s: float
    answer_s: float
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Tried:
    """The answer to each request, by its id, and what went over the wire, without cookies and addresses."""

    answers: tuple[tuple[str, Told, int | None], ...]
    exchanges: tuple[dict[str, Any], ...]


def attempt(probe: Mapping[str, Any], limits: Limits) -> Tried:
    """Open the session page and post each request of a gap's `probe`, each once; no redirect is followed.

    Raises NoNetwork, CannotAsk.
    """
    told: list[tuple[str, Told, int | None]] = []
    exchanges: list[dict[str, Any]] = []
    with requests.Session() as session:
        if probe["session_page"] is not None:
            _, exchange = _exchange(session, "GET", probe["session_page"], limits)
            exchanges.append(exchange)
        for request in probe["requests"]:
            got, exchange = _exchange(session, "POST", request["url"], limits, request)
            exchanges.append(exchange)
            if isinstance(got, Told):
                told.append((request["id"], got, None))
            else:
                told.append((request["id"], answers.told(answers.asked(request), got), got.status))
    return Tried(tuple(told), tuple(exchanges))


def _without_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Left to itself the library would look for a password in ~/.netrc."""
    return request


def _exchange(
    session: requests.Session, method: str, url: str, limits: Limits, request: Mapping[str, Any] | None = None
) -> tuple[Reply | Told, dict[str, Any]]:
    """The reply to one request, or why there was none, and the record of both."""
    headers, form = (dict(request["headers"]), dict(request["form"])) if request else ({}, {})
    asked = {"method": method, "url": url, "headers": headers, "form": form}
    give_up = time.monotonic() + limits.answer_s
    try:
        with session.request(
            method,
            url,
            data=form or None,
            headers=headers,
            auth=_without_login,
            allow_redirects=False,
            stream=True,
            timeout=(limits.connect_s, limits.answer_s),
        ) as response:
            body, is_cut = _body(response, give_up, limits.most_bytes)
            reply = _reply(response, body, is_cut=is_cut)
            return reply, {"request": asked, "answer": _record(response, reply, len(body))}
    except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError, TimeoutError) as error:
        failed = _failed(url, error, limits)
        return failed, {"request": asked, "answer": {"error": failed.says}}


def _body(response: requests.Response, give_up: float, most: int) -> tuple[bytes, bool]:
    """The body, as far as it is read, and whether there was more."""
    parts: list[bytes] = []
    size = 0
    for part in _parts(response):
        parts.append(part)
        size += len(part)
        if size > most:
            return b"".join(parts)[:most], True
        if time.monotonic() > give_up:
            raise TimeoutError
    return b"".join(parts), False


def _parts(response: requests.Response) -> Iterator[bytes]:
    # A site that sends a byte a second would keep a plain read of a whole chunk waiting for ever.
    while part := response.raw.read1(_CHUNK, decode_content=True):
        yield part


def _reply(response: requests.Response, body: bytes, *, is_cut: bool) -> Reply:
    kind = response.headers.get("Content-Type", "").lower()
    location = response.headers.get("Location", "") if response.is_redirect else ""
    return Reply(response.status_code, kind, cleaned(location), cleaned(_text(body)), is_cut)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("cp949", errors="replace")


def _record(response: requests.Response, reply: Reply, size: int) -> dict[str, Any]:
    return {
        "status": reply.status,
        "headers": {name: _header(name, value) for name, value in sorted(response.headers.items())},
        "body": reply.text[:MOST_KEPT],
        "body_bytes": size,
        "body_is_whole": not reply.is_cut and len(reply.text) <= MOST_KEPT,
    }


def _header(name: str, value: str) -> str:
    secret = any(word in name.lower() for word in ("cookie", "auth", "token"))
    return LEFT_OUT if secret else cleaned(value)[:MOST_KEPT]


def cleaned(text: str) -> str:
    """The text without session marks, logins and addresses."""
    return _ADDRESS.sub(LEFT_OUT, _SECRET.sub(rf"\1\2{LEFT_OUT}", text))


def _failed(url: str, error: Exception, limits: Limits) -> Told:
    """What it says about the site that the exchange failed. Raises NoNetwork, CannotAsk where it says nothing."""
    if isinstance(error, requests.exceptions.SSLError):
        raise NoNetwork(url, "its certificate is not one that this machine trusts") from error
    if isinstance(error, requests.exceptions.ProxyError):
        raise NoNetwork(url, "the proxy of this machine does not let it through") from error
    if any(isinstance(cause, _NO_CONNECTION) for cause in causes(error)):
        raise NoNetwork(url, "no connection") from error
    late = (requests.exceptions.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError)
    if isinstance(error, late):
        return Told(TIMED_OUT, None, f"no whole answer within {limits.answer_s:g} seconds")
    lost = (requests.exceptions.ConnectionError, urllib3.exceptions.ProtocolError, urllib3.exceptions.DecodeError)
    if isinstance(error, lost):
        return Told(CUT_OFF, None, "the connection was closed before the answer was whole")
    raise CannotAsk(url, str(error) or type(error).__name__) from error
