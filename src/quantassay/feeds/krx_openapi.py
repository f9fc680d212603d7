"""Daily figures from the exchange's Open API: one board on one day in one answer, asked for with a key and counted.

The form, as the exchange documents it: GET {base}/svc/apis/sto/stk_bydd_trd?basDd=20261118 with the header AUTH_KEY
answers {"OutBlock_1": [{"BAS_DD", "ISU_CD", "ISU_NM", "MKT_NM", "TDD_CLSPRC", "TDD_OPNPRC", "TDD_HGPRC", "TDD_LWPRC",
"ACC_TRDVOL", "ACC_TRDVAL", ...}]}, every value a text, unknown ones empty or a dash. A day without figures, a holiday
or one that is not out yet, has an empty list. Each board is a service that has to be applied for on its own.
"""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from quantassay.feeds.causes import causes
from quantassay.feeds.day_answers import (
    BAD_ANSWER,
    BUSY,
    MOST_ROWS,
    NO_KEY,
    NO_ROWS,
    TOO_SLOW,
    UNREACHABLE,
    WRONG_KEY,
    Answer,
    Clock,
    NoAnswer,
    Question,
    Row,
    shortened,
)
from quantassay.secrecy import NOT_SHOWN, withheld

HEADER, DAY = "AUTH_KEY", "basDd"
NAME = "the exchange's Open API"
MOST_BYTES = 64 * 2**20
_CHUNK = 65_536
_KEY = re.compile(r"[A-Za-z0-9+/=_.-]{8,200}")
_ISIN = re.compile(r"[A-Z]{2}[0-9A-Z]{9}[0-9]")
_NEEDED = ("BAS_DD", "ISU_CD", "TDD_OPNPRC", "TDD_HGPRC", "TDD_LWPRC", "TDD_CLSPRC", "ACC_TRDVOL")
_REFUSED, _TOO_MANY, _FIRST_FAULT, _FOUND = (401, 403), 429, 500, 200
_NO_CONNECTION = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
_LATE = (requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds until a connection must stand, seconds for a whole answer, and how a busy service is asked again.

    `attempts` counts the first one; each wait is twice the one before, from `first_wait_s`, at most `longest_wait_s`.
    """

    connect_s: float
    answer_s: float
    attempts: int
    first_wait_s: float
    longest_wait_s: float


@dataclass(frozen=True, slots=True)
class Service:
    """Where the service is, the key to it, and what counts a call before it is made: it may raise NoAnswer."""

    base_url: str
    key: str
    limits: Limits
    count: Callable[[], None]

    def __post_init__(self) -> None:
        # The library's own error about such a header would repeat the key.
        if not _KEY.fullmatch(self.key):
            raise NoAnswer(
                NO_KEY, f"{HEADER} is set to what can be no key; copy the key again, without spaces or ends of line"
            )
        parts = urlsplit(self.base_url)
        if parts.scheme != "https" and parts.hostname != "127.0.0.1":
            raise NoAnswer(
                UNREACHABLE,
                f"{parts.hostname} is not asked over {parts.scheme}, which would show the key to the network",
            )

    def __repr__(self) -> str:
        return f"Service({self.base_url!r})"

    def hidden(self, text: str) -> str:
        """The text without the key and whatever else looks like one."""
        return withheld(text.replace(self.key, NOT_SHOWN))


def ask(service: Service, question: Question, clock: Clock, pause: Callable[[float], None] = time.sleep) -> Answer:
    """The answer to one question, as it came. A service that is busy (429, 5xx) is asked again; nothing else is.

    Raises NoAnswer.
    """
    limits, wait = service.limits, service.limits.first_wait_s
    for attempt in range(1, limits.attempts + 1):
        service.count()
        taken_at = clock()
        status, data, told_to_wait = _exchange(service, question)
        if status == _FOUND:
            request = {"method": "GET", "url": service.base_url + question.place, DAY: question.compact_day}
            return Answer(data, taken_at, request)
        if status != _TOO_MANY and status < _FIRST_FAULT:
            raise _refusal(status, data, question)
        if attempt < limits.attempts:
            pause(min(max(wait, told_to_wait), limits.longest_wait_s))
            wait *= 2
    says = f"{NAME} was busy for {question.board} (HTTP {status}) each of {limits.attempts} times; try again later"
    raise NoAnswer(BUSY, says, data)


def _exchange(service: Service, question: Question) -> tuple[int, bytes, float]:
    """The status, the body without the key, and the seconds that the service asks to wait (0 where it does not)."""
    limits = service.limits
    give_up = time.monotonic() + limits.answer_s
    try:
        with (
            requests.Session() as session,
            session.get(
                service.base_url + question.place,
                params={DAY: question.compact_day},
                headers={HEADER: service.key, "Accept": "application/json"},
                auth=_without_login,
                # The key would go wherever a redirect points.
                allow_redirects=False,
                stream=True,
                timeout=(limits.connect_s, limits.answer_s),
            ) as response,
        ):
            body = _body(response, give_up)
            key = service.key.encode()
            return response.status_code, body.replace(key, NOT_SHOWN.encode()), _seconds(response)
    except _TooLarge as error:
        says = f"{NAME} sent more than {MOST_BYTES >> 20} MB for {question.board}, which is no day of a board"
        raise NoAnswer(BAD_ANSWER, says) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, TimeoutError) as error:
        raise _failed(service, question, error) from None


class _TooLarge(Exception):
    """An answer that goes on and on."""


def _without_login(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Left to itself the library would look for a password in ~/.netrc."""
    return request


def _body(response: requests.Response, give_up: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    # A service that sends a byte a second would keep a plain read of a whole chunk waiting for ever.
    while part := response.raw.read1(_CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > MOST_BYTES:
            raise _TooLarge
        if time.monotonic() > give_up:
            raise TimeoutError
    return b"".join(parts)


def _seconds(response: requests.Response) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _failed(service: Service, question: Question, error: Exception) -> NoAnswer:
    host = urlsplit(service.base_url).netloc
    if isinstance(error, requests.exceptions.ConnectTimeout) or any(
        isinstance(one, _NO_CONNECTION) for one in causes(error)
    ):
        return NoAnswer(
            UNREACHABLE, f"{host} cannot be reached; look at the network, or at base_url in spec/33_bar_feeds.yaml"
        )
    if isinstance(error, _LATE):
        says = f"{NAME} gave no whole answer for {question.board} within {service.limits.answer_s:g} seconds"
        return NoAnswer(TOO_SLOW, f"{says}; try again, or raise answer_s in spec/33_bar_feeds.yaml")
    if isinstance(error, requests.exceptions.SSLError):
        return NoAnswer(
            UNREACHABLE, f"the certificate of {host} is not one that this machine trusts; nothing was sent to it"
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return NoAnswer(UNREACHABLE, f"the proxy of this machine does not let {host} through")
    says = f"the connection to {NAME} ended before the answer for {question.board} was whole"
    return NoAnswer(BAD_ANSWER, f"{says} ({service.hidden(type(error).__name__)}); try again")


def _refusal(status: int, data: bytes, question: Question) -> NoAnswer:
    said = _told(data)
    quoted = f": {said}" if said else ""
    if status in _REFUSED:
        says = (
            f"{NAME} does not let this key read {question.board} (HTTP {status}{quoted}); apply for its "
            f"service at openapi.krx.co.kr, or correct {HEADER}"
        )
        return NoAnswer(WRONG_KEY, says, data)
    return NoAnswer(
        BAD_ANSWER, f"{NAME} answered {question.board} with HTTP {status}{quoted}, which is no answer", data
    )


def _told(data: bytes) -> str:
    """What the service says of itself, in one line: its message where it sent one, nothing where it sent a page."""
    text = withheld(data[:MOST_ROWS].decode("utf-8", errors="replace"))
    if text.lstrip().startswith("<"):
        return "a web page"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return shortened(text)
    return shortened(str(value.get("respMsg", ""))) if isinstance(value, dict) else ""


def rows(data: bytes, question: Question) -> list[Row]:
    """The rows of an answer, in its order; NO_ROWS for an empty list, BAD_ANSWER for what is no such answer.

    Raises NoAnswer.
    """
    value = _json(data, question)
    if isinstance(value, dict) and "respCode" in value and "OutBlock_1" not in value:
        code = str(value["respCode"])
        raise _refusal(int(code) if code.isdigit() and len(code) < 4 else 0, data, question)  # noqa: PLR2004
    listed = value.get("OutBlock_1") if isinstance(value, dict) else None
    if not isinstance(listed, list):
        raise _bad(question, "is no object with a list OutBlock_1", data)
    if not listed:
        raise NoAnswer(NO_ROWS, f"{NAME} has no figures of {question.board} for {question.session}", data)
    if len(listed) > MOST_ROWS:
        raise _bad(question, f"has {len(listed)} rows, more than a board can have names", data)
    return [_row(number, one, question, data) for number, one in enumerate(listed, start=1)]


def _json(data: bytes, question: Question) -> Any:
    try:
        # Numbers stay the texts that they are in the answer.
        return json.loads(
            data.decode("utf-8-sig"),
            parse_int=str,
            parse_float=str,
            parse_constant=_no_number,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError) as error:
        page = data.lstrip()[:1] == b"<"
        raise _bad(question, "is a web page, not JSON" if page else "is no whole JSON", data) from error


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a name stands twice")  # noqa: TRY003 - becomes NoAnswer
    return members


def _row(number: int, one: Any, question: Question, data: bytes) -> Row:
    if not isinstance(one, Mapping):
        raise _bad(question, f"has a row {number} that is no object", data)
    lacking = [name for name in _NEEDED if not isinstance(one.get(name), str)]
    if lacking:
        raise _bad(question, f"has no text for {', '.join(lacking)} in row {number}", data)
    if (day := one["BAS_DD"].strip()) != question.compact_day:
        raise _bad(question, f"is of {shortened(day)} in row {number}, not of {question.compact_day}", data)
    board = str(one.get("MKT_NM") or question.board).strip()
    # KOSDAQ is also written KOSDAQ GLOBAL, for the names of that segment.
    if not board.upper().startswith(question.board):
        raise _bad(question, f"is of {shortened(board)} in row {number}, not of {question.board}", data)
    ticker = one["ISU_CD"].strip()
    if _ISIN.fullmatch(ticker):
        # The short code of a preferred share does not stand in its ISIN.
        raise _bad(question, f"gives the ISIN {ticker} in row {number} where the short code must be", data)
    value = one.get("ACC_TRDVAL")
    return Row._make([ticker, *(one[name].strip() for name in _NEEDED[2:]), value if isinstance(value, str) else ""])


def _bad(question: Question, why: str, data: bytes) -> NoAnswer:
    says = (
        f"the answer of {NAME} for {question.board} on {question.session} {why}; it is kept in data/imports/quarantine"
    )
    return NoAnswer(BAD_ANSWER, says, data)
