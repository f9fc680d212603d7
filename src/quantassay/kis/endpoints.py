"""Every call that is made to KIS: one row each, with its path, its transaction in each environment, and its pages.

A transaction that the virtual server does not offer is empty there. Ids from before the second exchange still answer,
and are sent where the desk says so.
"""

from dataclasses import dataclass
from typing import Literal

from quantassay.errors import AssayError
from quantassay.kis.connection import Connection

_DOMESTIC, _OVERSEAS = "/uapi/domestic-stock/v1", "/uapi/overseas-stock/v1"
_OVERSEAS_PRICES = "/uapi/overseas-price/v1"


class NotOffered(AssayError):
    """A call that the server of this environment does not have."""

    def __init__(self, call: str, environment: str) -> None:
        super().__init__(f"KIS does not offer {call} in the environment {environment}; do without it there")


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `rows` are those of a page (real, virtual; 0: no pages, or unknown), `context` ends its page keys."""

    name: str
    method: Literal["GET", "POST"]
    path: str
    real: str
    virtual: str
    legacy: tuple[str, str] = ("", "")
    rows: tuple[int, int] = (0, 0)
    context: str = "100"

    @property
    def concerns_account(self) -> bool:
        """Whether it is about the account, whose number is then sent along."""
        return self.real[0] == "T"


def transaction(call: Call, connection: Connection) -> str:
    """The id under which this environment knows the call. Raises NotOffered."""
    real = connection.environment == "real"
    found = call.real if real else call.virtual
    if connection.legacy_ids and call.legacy[0]:
        found = call.legacy[0] if real else call.legacy[1]
    if not found:
        raise NotOffered(call.name, connection.environment)
    return found


def page_rows(call: Call, connection: Connection) -> int:
    """The most rows that one page of this call has."""
    return call.rows[0] if connection.environment == "real" else call.rows[1]


def fits(call: Call, transaction_id: str, letter: str) -> bool:
    """Whether a transaction may go to a server whose account transactions begin with this letter."""
    if call.concerns_account:
        return transaction_id[:1] == letter
    return transaction_id[:1] in ("F", "H") or (transaction_id[:1] == "C" and letter == "T")


def _quotation(name: str, path: str, transaction_id: str) -> Call:
    return Call(name, "GET", path, transaction_id, transaction_id)


BALANCE = Call("balance", "GET", f"{_DOMESTIC}/trading/inquire-balance", "TTTC8434R", "VTTC8434R", rows=(50, 20))
ORDERABLE = Call("orderable", "GET", f"{_DOMESTIC}/trading/inquire-psbl-order", "TTTC8908R", "VTTC8908R")
DAY_ORDERS = Call(
    "day orders",
    "GET",
    f"{_DOMESTIC}/trading/inquire-daily-ccld",
    "TTTC0081R",
    "VTTC0081R",
    ("TTTC8001R", "VTTC8001R"),
    (100, 15),
)
BUY = Call("buy", "POST", f"{_DOMESTIC}/trading/order-cash", "TTTC0012U", "VTTC0012U", ("TTTC0802U", "VTTC0802U"))
SELL = Call("sell", "POST", f"{_DOMESTIC}/trading/order-cash", "TTTC0011U", "VTTC0011U", ("TTTC0801U", "VTTC0801U"))
CHANGE = Call(
    "change or cancel",
    "POST",
    f"{_DOMESTIC}/trading/order-rvsecncl",
    "TTTC0013U",
    "VTTC0013U",
    ("TTTC0803U", "VTTC0803U"),
)
PRICE = _quotation("price", f"{_DOMESTIC}/quotations/inquire-price", "FHKST01010100")
ORDER_BOOK = _quotation("order book", f"{_DOMESTIC}/quotations/inquire-asking-price-exp-ccn", "FHKST01010200")
DAILY_BARS = _quotation("daily bars", f"{_DOMESTIC}/quotations/inquire-daily-itemchartprice", "FHKST03010100")
HOLIDAYS = Call("holidays", "GET", f"{_DOMESTIC}/quotations/chk-holiday", "CTCA0903R", "", context="")

OVERSEAS_PRICE = _quotation("overseas price", f"{_OVERSEAS_PRICES}/quotations/price", "HHDFS00000300")
OVERSEAS_DAILY = _quotation("overseas daily bars", f"{_OVERSEAS_PRICES}/quotations/dailyprice", "HHDFS76240000")
OVERSEAS_BALANCE = Call(
    "overseas balance",
    "GET",
    f"{_OVERSEAS}/trading/inquire-balance",
    "TTTS3012R",
    "VTTS3012R",
    context="200",
)


def _overseas_order(market: str, side: str, real: str, virtual: str) -> Call:
    return Call(f"overseas {side} ({market})", "POST", f"{_OVERSEAS}/trading/order", real, virtual)


# A sale in the United States is 1006 on the real server and 1001 on the virtual one: no rule of letters gives it.
OVERSEAS_ORDERS = {
    (market, side): _overseas_order(market, side, real, virtual)
    for market, side, real, virtual in (
        ("US", "buy", "TTTT1002U", "VTTT1002U"),
        ("US", "sell", "TTTT1006U", "VTTT1001U"),
        ("HK", "buy", "TTTS1002U", "VTTS1002U"),
        ("HK", "sell", "TTTS1001U", "VTTS1001U"),
        ("SH", "buy", "TTTS0202U", "VTTS0202U"),
        ("SH", "sell", "TTTS1005U", "VTTS1005U"),
        ("SZ", "buy", "TTTS0305U", "VTTS0305U"),
        ("SZ", "sell", "TTTS0304U", "VTTS0304U"),
        ("JP", "buy", "TTTS0308U", "VTTS0308U"),
        ("JP", "sell", "TTTS0307U", "VTTS0307U"),
        ("VN", "buy", "TTTS0311U", "VTTS0311U"),
        ("VN", "sell", "TTTS0310U", "VTTS0310U"),
    )
}
