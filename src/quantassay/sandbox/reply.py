"""What the practice server is asked and what it answers, silence among it; and what each fault makes of an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any

from quantassay.sandbox import gateway
from quantassay.sandbox.answers import refusal
from quantassay.sandbox.faults import Fault

SERVER_ERROR = gateway.Fault(500, "EGW00002", "서버 에러가 발생했습니다.")
DOWN = gateway.Fault(500, "EGW00001", "일시적 오류가 발생했습니다.")
GATEWAY_TIMEOUT = gateway.Fault(500, "EGW00301", "연결 시간이 초과되었습니다. 직전 거래를 반드시 확인하세요.")
NO_ACCOUNT = ("40910000", "모의투자 주문이 불가한 계좌입니다.")
_BROKEN = b'{"rt_cd":"0","msg_cd":"406'


class Silence(Enum):
    """How nothing is answered: not at all (there is an answer), by keeping the client waiting, by a reset."""

    NONE = "answered"
    HOLD = "no answer"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: header names in lower case, names of the query in capitals; `content` is None where it is no JSON."""

    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    content: Any

    @property
    def tr_id(self) -> str:
        """Its transaction."""
        return self.headers.get("tr_id", "")

    @property
    def fields(self) -> Mapping[str, Any]:
        """What is asked with: the query, or the body of a POST."""
        if self.method == "GET":
            return self.query
        return self.content if isinstance(self.content, dict) else {}

    @property
    def follows(self) -> bool:
        """Whether it asks for a page after the first."""
        return self.headers.get("tr_cont", "") == "N"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered, after how long; `raw` are bytes in place of the body."""

    status: int = 200
    body: Mapping[str, Any] = field(default_factory=dict)
    tr_id: str = ""
    tr_cont: str = ""
    raw: bytes | None = None
    silence: Silence = Silence.NONE
    hold_s: float = 0
    after_s: float = 0

    @property
    def outcome(self) -> str:
        """In short: "200 40600000", "500", "no answer"."""
        if self.silence is not Silence.NONE:
            return str(self.silence.value)
        said = self.body.get("msg_cd") or self.body.get("error_code") or ""
        return f"{self.status} {said}".strip()


@dataclass(frozen=True, slots=True)
class Logged:
    """One request as it was met: when it arrived by the exchange's clock, for what, with what outcome.

    `key` is the fingerprint of the app key; `asked` holds no key and no token. `outcome` is like "200 40600000",
    "no answer" or "reset"; `faults` are those that struck it.
    """

    at: datetime
    call: str
    tr_id: str
    key: str
    asked: Mapping[str, Any]
    outcome: str
    faults: tuple[str, ...]


def failed(fault: gateway.Fault) -> Reply:
    """The gateway's own failure."""
    return Reply(fault.status, refusal(fault.code, fault.text))


def unanswered(how: str, seconds: float = 0) -> Reply:
    """An answer that tells nothing of what was done: timeout, reset, http_500_body, http_500_empty."""
    match how:
        case "reset":
            return Reply(silence=Silence.RESET)
        case "http_500_body":
            return failed(SERVER_ERROR)
        case "http_500_empty":
            return Reply(500, raw=b"")
        case _:
            return Reply(silence=Silence.HOLD, hold_s=seconds)


def instead(fault: Fault) -> Reply | None:
    """The answer in place of doing what is asked, where the fault is of that kind."""
    match fault.do:
        case "timeout_before" | "reset_before":
            return unanswered(fault.do.removesuffix("_before"), fault.seconds or 0)
        case "http_500_body" | "http_500_empty":
            return unanswered(fault.do)
        case "page_2_fails":
            return failed(SERVER_ERROR)
        case "gateway_timeout_before":
            return failed(GATEWAY_TIMEOUT)
        case "rate_limited":
            return failed(gateway.TOO_MANY)
        case "ledger_limited":
            return failed(gateway.LEDGER_TOO_MANY)
        case "refused":
            return Reply(body=refusal(fault.code or NO_ACCOUNT[0], fault.text or NO_ACCOUNT[1]))
        case _:
            return None


def spoilt(fault: Fault, reply: Reply) -> Reply:
    """The answer to a request that was served, as the fault leaves it."""
    match fault.do:
        case "timeout_after" | "reset_after":
            return unanswered(fault.do.removesuffix("_after"), fault.seconds or 0)
        case "http_500_after":
            return failed(SERVER_ERROR)
        case "http_500_empty_after":
            return unanswered("http_500_empty")
        case "gateway_timeout_after":
            return failed(GATEWAY_TIMEOUT)
        case "broken_body_after":
            return replace(reply, raw=_BROKEN)
        case "slow":
            return replace(reply, after_s=fault.seconds or 0)
        case "duplicate_row" if reply.body.get("output1"):
            rows = reply.body["output1"]
            return replace(reply, body={**reply.body, "output1": [*rows, dict(rows[-1])]})
        case _:
            return reply
