"""One practice server without its sockets: a request passes the faults, the gateway and the exchange, and is logged."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from quantassay.sandbox import account_calls, answers, gateway, quotes
from quantassay.sandbox.answers import refusal
from quantassay.sandbox.calls import APPROVAL, CALLS, HASHKEY, REVOKE, TOKEN, Call, by_path, key_call
from quantassay.sandbox.exchange import Exchange, Handling
from quantassay.sandbox.faults import PAGED, Fault, Strikes
from quantassay.sandbox.gateway import Gateway
from quantassay.sandbox.reply import DOWN, Asked, Logged, Reply, failed, instead, spoilt, unanswered

NO_SERVICE = ("OPSQ0002", "없는 서비스 코드 입니다.")
NO_ACCOUNT = ("OPSQ2000", "ERROR : INPUT INVALID_CHECK_ACNO")
_SECRET = frozenset({"APPKEY", "APPSECRET", "SECRETKEY", "TOKEN"})
# How many requests later, and for how many, where a fault does not say.
LATER, DOWN_FOR, LAGS_FOR = 2, 3, 1
_SIGNS = 12


class Practice:
    """The state of a practice server. `requests` is the log, in the order of arrival."""

    def __init__(
        self,
        exchange: Exchange,
        doors: Gateway,
        faults: Iterable[Fault] = (),
        *,
        heard: Callable[[Logged], object] | None = None,
    ) -> None:
        self.gateway = doors
        self._heard = heard
        self.reset(exchange, faults)

    def reset(self, exchange: Exchange, faults: Iterable[Fault] = ()) -> None:
        """Begin anew with this exchange and this plan and an empty log; keys and tokens stay as they are."""
        self.exchange = exchange
        self.gateway.begin(exchange.clock)
        self.strikes = Strikes(faults)
        self._repeats = False
        self.requests: list[Logged] = []
        self._due: list[tuple[int, Callable[[], object]]] = []
        self._down = 0
        self._empty: int | None = 0
        self._lag = (0, 0)

    def answer(self, asked: Asked) -> Reply:
        """What is answered to a request; what it changes is done when this returns."""
        at = self.exchange.clock.now()
        self._catch_up()
        name, call = _called(asked)
        struck = self.strikes.at(name, str(asked.fields.get("PDNO", "")), follows=asked.follows)
        self._repeats = any(fault.do == "repeated_page" for fault in struck)
        reply = self._struck(struck, lambda handling: self._served(asked, name, call, handling))
        reply = replace(reply, tr_id=asked.tr_id if asked.path.startswith("/uapi/") else "")
        told = {key: value for key, value in asked.fields.items() if str(key).upper() not in _SECRET}
        faults = tuple(fault.do for fault in struck)
        key = hashlib.sha256(asked.headers.get("appkey", "").encode()).hexdigest()[:_SIGNS]
        self.requests.append(Logged(at, name, asked.tr_id, key, told, reply.outcome, faults))
        if self._heard:
            self._heard(self.requests[-1])
        return reply

    def _catch_up(self) -> None:
        """Do what was put off until so many requests later."""
        number = len(self.requests)
        due = [work for when, work in self._due if when <= number]
        self._due = [(when, work) for when, work in self._due if when > number]
        for work in due:
            work()

    def _later(self, fault: Fault, work: Callable[[], object]) -> None:
        self._due.append((len(self.requests) + (fault.requests or LATER), work))

    # Faults.

    def _struck(self, struck: list[Fault], serve: Callable[[Handling | None], Reply]) -> Reply:
        by_kind = {fault.do: fault for fault in struck}
        if self._down or "maintenance" in by_kind:
            return self._maintenance(by_kind.get("maintenance"))
        if "token_revoked" in by_kind:
            self.gateway.revoke_all()
        if "token_expired" in by_kind:
            self.gateway.expire_all()
        for fault in struck:
            if reply := instead(fault):
                return reply
        if late := by_kind.get("late_accept"):
            self._later(late, lambda: serve(None))
            return unanswered(late.answer, late.seconds or 0)
        self._begin_quirks(by_kind)
        reply = serve(_handling(by_kind))
        for fault in struck:
            self._fill_later(fault, reply)
            reply = spoilt(fault, reply)
        return reply

    def _maintenance(self, begins: Fault | None) -> Reply:
        if begins:
            self._down = begins.requests or DOWN_FOR
            self.gateway.revoke_all()
        self._down -= 1
        return failed(DOWN)

    def _begin_quirks(self, by_kind: Mapping[str, Fault]) -> None:
        if fault := by_kind.get("empty_fills"):
            self._empty = fault.requests
        if fault := by_kind.get("lagging_holdings"):
            self._lag = fault.requests or LAGS_FOR, fault.fills or 0

    def _fill_later(self, fault: Fault, reply: Reply) -> None:
        number = reply.body.get("output", {}).get("ODNO", "")
        if number and (fault.do == "late_fill" or (fault.do == "partial_fill" and fault.requests)):
            exchange = self.exchange
            self._later(fault, lambda: exchange.match(exchange.owner(number), number))

    # Serving.

    def _served(self, asked: Asked, name: str, call: Call | None, handling: Handling | None) -> Reply:
        if name in (TOKEN, REVOKE, HASHKEY, APPROVAL):
            return self._keys(name, asked)
        if refused := self.gateway.admit(asked.headers):
            return failed(refused)
        if call is None:
            offered = account_calls.NOT_OFFERED
            return _refused(offered.code, offered.text) if asked.tr_id[:1] == "V" else failed(gateway.NOT_VIRTUAL)
        if call.method != asked.method:
            return _refused(*NO_SERVICE)
        is_real = self.gateway.is_real(asked.headers)
        if call.real_key and not is_real:
            return failed(gateway.NOT_VIRTUAL)
        if call.account and is_real:
            return failed(gateway.REAL_ON_VIRTUAL)
        if call.account:
            return self._of_account(asked, name, handling)
        wrong = quotes.unfit(name, asked.fields)
        return Reply(body=wrong or self._quotation(name, asked))

    def _keys(self, name: str, asked: Asked) -> Reply:
        fields = asked.fields
        if name == HASHKEY:
            text = repr(sorted(fields.items()))
            return Reply(body={"BODY": dict(fields), "HASH": hashlib.sha256(text.encode()).hexdigest()})
        if name == APPROVAL:
            return Reply(body={"approval_key": "00000000-0000-0000-0000-000000000000"})
        done = self.gateway.issue(fields) if name == TOKEN else self.gateway.revoke(fields)
        if isinstance(done, gateway.Fault):
            return Reply(done.status, {"error_description": done.text, "error_code": done.code})
        return Reply(body=done)

    def _of_account(self, asked: Asked, name: str, handling: Handling | None) -> Reply:
        if asked.method == "POST" and (wrong := account_calls.malformed(asked.headers, asked.content)):
            return failed(wrong)
        fields = dict(asked.fields)
        if unfit := account_calls.unfit(name, fields):
            return Reply(body=unfit)
        account = f"{fields['CANO']}-{fields['ACNT_PRDT_CD']}"
        if account not in self.exchange.account_numbers:
            return _refused(*NO_ACCOUNT)
        if name in PAGED and (not asked.follows or self._repeats):
            fields["CTX_AREA_NK100"] = ""
        match name:
            case "balance":
                return self._balance(account, fields)
            case "day_orders":
                return self._day_orders(account, fields)
            case "orderable":
                return Reply(body=answers.orderable(self.exchange, account, fields))
            case _:
                return Reply(body=account_calls.order(self.exchange, account, name, fields, handling))

    def _balance(self, account: str, fields: Mapping[str, str]) -> Reply:
        requests, hidden = self._lag
        view = self.exchange.view(account)
        if requests:
            new = sum(fill.day == self.exchange.today() for fill in view.fills)
            view = self.exchange.view(account, min(hidden or new, new))
            self._lag = requests - 1, hidden
        body, page = answers.balance(self.exchange, view, fields)
        return Reply(body=body, tr_cont=page.letter)

    def _day_orders(self, account: str, fields: Mapping[str, str]) -> Reply:
        empty = self._empty is None or self._empty > 0
        if self._empty:
            self._empty -= 1
        body, page = answers.day_orders(self.exchange, account, fields, empty=empty)
        return Reply(body=body, tr_cont=page.letter)

    def _quotation(self, name: str, asked: Asked) -> Mapping[str, Any]:
        fields, exchange = asked.fields, self.exchange
        ticker = str(fields.get("FID_INPUT_ISCD", ""))
        match name:
            case "price":
                return quotes.price(exchange, ticker)
            case "order_book":
                return quotes.order_book(exchange, ticker)
            case "daily_price":
                return quotes.daily_price(exchange, ticker)
            case "daily_chart":
                return quotes.daily_chart(exchange, fields)
            case _:
                return quotes.profile(exchange, fields)


def _called(asked: Asked) -> tuple[str, Call | None]:
    """The name of what is asked for, and its row in the table; transactions lead, paths follow."""
    if name := key_call(asked.path):
        return name, None
    call = CALLS.get(asked.tr_id) or (None if asked.tr_id else by_path(asked.method, asked.path))
    if call is None:
        return "unknown", None
    if call.name == "change":
        return "cancel" if asked.fields.get("RVSE_CNCL_DVSN_CD") == account_calls.CANCEL else "revise", call
    return call.name, call


def _refused(code: str, text: str) -> Reply:
    return Reply(body=refusal(code, text))


def _handling(by_kind: Mapping[str, Fault]) -> Handling | None:
    if "rejected" in by_kind:
        return Handling(rejects=True)
    if "late_fill" in by_kind:
        return Handling(at_once=0)
    if fault := by_kind.get("partial_fill"):
        return Handling(at_once=fault.shares or 1)
    return None
