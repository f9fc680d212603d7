"""Asks KIS and sends to it: questions are asked again when they fail, orders are sent once and never again blindly.

An order that was throttled, or for which no connection came about, was surely not processed, and whoever sent it may
decide to send it again. One that met a token which KIS no longer takes is sent again once, with another token. After
everything else it is unknown whether it was taken.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from quantassay.domain.trading.book import Certificate, NotSent, Refused, Unknown
from quantassay.domain.trading.clock import Clock
from quantassay.kis.codes import Meaning, Verdict, judged
from quantassay.kis.connection import Connection, ModeMismatch, certificate
from quantassay.kis.endpoints import Call, fits, transaction
from quantassay.kis.pace import CannotShare, Pace
from quantassay.kis.token import NoToken, Token, Tokens, token_from
from quantassay.kis.unreadable import KisUnreadable
from quantassay.kis.wire import Lost, NotConnected, Request, Response, Wire
from quantassay.secrecy import NOT_SHOWN, withheld

_JSON = "application/json; charset=utf-8"
_TOKEN_PATH = "/oauth2/tokenP"  # noqa: S105  a path
_AGENT = "quantassay"
_LONGEST_WAIT_S = 30.0
_LONGEST_REASON = 200
_THROTTLED_WAIT_S = 1.0
_MINUTE_S = 61.0
_NO_TURN = "no turn came in time, and an order that has waited is not sent"
_MORE, _NO_MORE = ("F", "M"), ("", "D", "E")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of KIS that says it went well: its body with the keys in lower case, and when it had come.

    `more`: further pages are announced; `marked`: it said whether there are any. `raw` is the answer as it came.
    """

    body: Mapping[str, Any]
    more: bool
    marked: bool
    code: str
    at: datetime
    raw: bytes


@dataclass(frozen=True, slots=True)
class _Failure:
    """A failure that may pass: why, KIS's code, the least wait; `stale` is a token that KIS no longer takes."""

    why: str
    code: str
    wait_s: float = 0
    stale: str = ""
    at_once: bool = False


class Client:
    """One account at KIS, over one connection, at the pace that all processes with its key share."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        """Opens nothing. Raises ModeMismatch."""
        self.connection, self.clock = connection, clock
        self.certificate: Certificate = certificate(connection)
        pace = Pace(connection.folder / "pace", connection.pace_s, clock)
        self._wire = Wire(connection, self.certificate, pace.turn)
        self._tokens = Tokens(connection, self.certificate.host, clock, self._issued)

    def __repr__(self) -> str:
        return f"Client({self.connection!r})"

    def close(self) -> None:
        """Let the connection go; it opens again when it is needed."""
        self._wire.close()

    def get(self, call: Call, query: Mapping[str, str], cont: str = "") -> Reply:
        """One answer, asked for again after failures that may pass. `cont` is N for a further page.

        Raises KisUnreadable, ModeMismatch, NotOffered, CannotShare.
        """
        path = f"{call.path}?{urlencode({**self._account(call), **query})}"
        wait, failure = self.connection.first_wait_s, _Failure("", "")
        for attempt in range(1, self.connection.attempts + 1):
            outcome = self._asked(call, path, cont, failure.stale)
            if isinstance(outcome, Reply):
                return outcome
            failure = outcome
            if failure.at_once:
                continue
            if attempt < self.connection.attempts:
                self.clock.sleep(min(max(wait, failure.wait_s), _LONGEST_WAIT_S))
                wait *= 2
        raise KisUnreadable(call.name, f"asked {self.connection.attempts} times, at last: {failure.why}", failure.code)

    def _asked(self, call: Call, path: str, cont: str, stale: str) -> "Reply | _Failure":
        """One attempt at an answer, or a failure that may pass. Raises KisUnreadable for one that will not."""
        try:
            token = self._token(stale, patient=True)
            response = self._exchange(call, self._request(call, path, token, cont))
        except NoToken as error:
            if error.asked:
                raise KisUnreadable(call.name, self._hidden(error.why), error.code) from None
            return _Failure(self._hidden(error.why), "", stale=stale)
        except (NotConnected, Lost) as error:
            return _Failure(str(error), "", stale=stale)
        verdict = judged(response.status, response.data)
        why, code = self._hidden(verdict.why), verdict.code
        match verdict.means:
            case Meaning.DONE:
                return self._reply(call, response, verdict)
            case Meaning.TOKEN if not stale:
                return _Failure(why, code, stale=token, at_once=True)
            case Meaning.THROTTLED:
                return _Failure(why, code, self._throttled_wait_s, stale)
            case Meaning.UNCLEAR:
                return _Failure(why, code, stale=stale)
        raise KisUnreadable(call.name, why, code)

    def post(self, call: Call, body: Mapping[str, str]) -> Reply | Refused | NotSent | Unknown:
        """The outcome of one attempt to order. What may have been sent never raises.

        Raises ModeMismatch, NotOffered: nothing was sent.
        """
        data = json.dumps({**self._account(call), **body}, ensure_ascii=False).encode()
        not_after = self.clock.now() + timedelta(seconds=self.connection.turn_limit_s)
        stale = ""
        while True:
            try:
                token = self._token(stale, patient=False)
                request = self._request(call, call.path, token, data=data)
                response = self._exchange(call, request, not_after)
            except NoToken as error:
                return NotSent(error.code, self._hidden(error.why), error.wait_s)
            except CannotShare as error:
                return NotSent("", str(error))
            except NotConnected as error:
                return NotSent("", f"no connection: {error}", self.connection.first_wait_s)
            except Lost as error:
                return Unknown(f"sent, and then {error}")
            verdict = judged(response.status, response.data)
            if verdict.means is Meaning.TOKEN and not stale:
                stale = token
                continue
            return self._outcome(call, response, verdict)

    def _outcome(self, call: Call, response: Response, verdict: Verdict) -> Reply | Refused | NotSent | Unknown:
        why = self._hidden(verdict.why)
        match verdict.means:
            case Meaning.DONE:
                return self._reply(call, response, verdict)
            case Meaning.THROTTLED:
                return NotSent(verdict.code, why, self._throttled_wait_s)
            case Meaning.TOKEN:
                return NotSent(verdict.code, why, _MINUTE_S)
            case Meaning.REFUSED | Meaning.NOT_OFFERED:
                return Refused(verdict.code, why)
            case Meaning.UNCLEAR:
                return Unknown(f"KIS answered HTTP {response.status} {verdict.code} {why}".replace("  ", " "))

    @property
    def _throttled_wait_s(self) -> float:
        return max(self.connection.pace_s, _THROTTLED_WAIT_S)

    def _account(self, call: Call) -> dict[str, str]:
        """The account's number where the call is about it: nobody else puts one in."""
        connection = self.connection
        return {"CANO": connection.cano, "ACNT_PRDT_CD": connection.product} if call.concerns_account else {}

    def _request(self, call: Call, path: str, token: str, cont: str = "", data: bytes = b"") -> Request:
        headers = {
            "content-type": _JSON,
            "authorization": f"Bearer {token}",
            "appkey": self.connection.app_key,
            "appsecret": self.connection.app_secret,
            "custtype": "P",
            "user-agent": _AGENT,
            "tr_id": transaction(call, self.connection),
            "tr_cont": cont,
        }
        return Request(call.method, path, headers, data)

    def _exchange(self, call: Call, request: Request, not_after: datetime | None = None) -> Response:
        """Send one request. Raises NotConnected, Lost, ModeMismatch, CannotShare."""

        def check() -> None:
            self._recheck()
            sent = request.headers["tr_id"]
            if not fits(call, sent, self.certificate.transactions):
                why = f"the transaction {sent} is not of it"
                raise ModeMismatch(self.certificate.environment, why, "mind the table of calls")
            if not_after is not None and self.clock.now() > not_after:
                raise NotConnected(_NO_TURN)

        return self._wire.exchange(request, check)

    def _recheck(self) -> None:
        """That host, account and key are still those of the certificate. Raises ModeMismatch."""
        found = certificate(self.connection)
        if found != self.certificate:
            raise ModeMismatch(found.environment, "its certificate is not the one it began with", "start again")

    def _reply(self, call: Call, response: Response, verdict: Verdict) -> Reply:
        mark = response.headers.get("tr_cont", "").strip().upper()
        if call.method == "GET" and mark not in (*_MORE, *_NO_MORE):
            raise KisUnreadable(call.name, "it says neither that there are further pages nor that there are none")
        return Reply(verdict.body, mark in _MORE, bool(mark), verdict.code, self.clock.now(), response.data)

    def _token(self, stale: str, *, patient: bool) -> str:
        if stale:
            return self._tokens.renewed(stale, patient=patient)
        return self._tokens.current(patient=patient)

    def _issued(self) -> Token:
        """Ask for a token, once. Raises NoToken."""
        connection = self.connection
        body = {
            "grant_type": "client_credentials",
            "appkey": connection.app_key,
            "appsecret": connection.app_secret,
        }
        request = Request("POST", _TOKEN_PATH, {"content-type": _JSON, "user-agent": _AGENT}, json.dumps(body).encode())
        try:
            response = self._wire.exchange(request, self._recheck)
        except NotConnected as error:
            raise NoToken(str(error), "", connection.first_wait_s, asked=False) from None
        except Lost as error:
            raise NoToken(str(error), "", _MINUTE_S) from None
        verdict = judged(response.status, response.data)
        if verdict.code or response.status != HTTPStatus.OK:
            raise NoToken(verdict.why, verdict.code, _MINUTE_S)
        return token_from(verdict.body, self.clock.now())

    def _hidden(self, text: str) -> str:
        """Words of KIS without anything of ours that they may repeat."""
        connection = self.connection
        for secret in (connection.app_key, connection.app_secret, connection.account_number, connection.cano):
            text = text.replace(secret, NOT_SHOWN)
        # Shortened only now: half of a secret would not be known for one.
        return withheld(text)[:_LONGEST_REASON]
