"""The calls that the practice server knows, by transaction: the new ids and the old ones, and their names."""

from dataclasses import dataclass

ORDER_CASH = "/uapi/domestic-stock/v1/trading/order-cash"
RVSECNCL = "/uapi/domestic-stock/v1/trading/order-rvsecncl"
BALANCE = "/uapi/domestic-stock/v1/trading/inquire-balance"
ORDERABLE = "/uapi/domestic-stock/v1/trading/inquire-psbl-order"
DAY_ORDERS = "/uapi/domestic-stock/v1/trading/inquire-daily-ccld"
QUOTATIONS = "/uapi/domestic-stock/v1/quotations"

TOKEN, REVOKE, HASHKEY, APPROVAL = "token", "revoke", "hashkey", "approval"
_KEYS = {
    "/oauth2/tokenP": TOKEN,
    "/oauth2/revokeP": REVOKE,
    "/uapi/hashkey": HASHKEY,
    "/oauth2/Approval": APPROVAL,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that may be asked: its name in fault plans and logs, how it is sent, and by which keys.

    `account`: an account is named in it. `real_key`: only keys of the real server may ask it.
    """

    name: str
    method: str
    path: str
    account: bool = False
    real_key: bool = False


_BUY, _SELL = Call("buy", "POST", ORDER_CASH, account=True), Call("sell", "POST", ORDER_CASH, account=True)
_CHANGE = Call("change", "POST", RVSECNCL, account=True)
_DAY_ORDERS = Call("day_orders", "GET", DAY_ORDERS, account=True)

CALLS = {
    "VTTC0012U": _BUY,
    "VTTC0802U": _BUY,
    "VTTC0011U": _SELL,
    "VTTC0801U": _SELL,
    "VTTC0013U": _CHANGE,
    "VTTC0803U": _CHANGE,
    "VTTC8434R": Call("balance", "GET", BALANCE, account=True),
    "VTTC8908R": Call("orderable", "GET", ORDERABLE, account=True),
    "VTTC0081R": _DAY_ORDERS,
    "VTTC8001R": _DAY_ORDERS,
    "VTSC9215R": _DAY_ORDERS,
    "VTSC9115R": _DAY_ORDERS,
    "FHKST01010100": Call("price", "GET", f"{QUOTATIONS}/inquire-price"),
    "FHKST01010200": Call("order_book", "GET", f"{QUOTATIONS}/inquire-asking-price-exp-ccn"),
    "FHKST01010400": Call("daily_price", "GET", f"{QUOTATIONS}/inquire-daily-price"),
    "FHKST03010100": Call("daily_chart", "GET", f"{QUOTATIONS}/inquire-daily-itemchartprice"),
    "CTPF1604R": Call("profile", "GET", f"{QUOTATIONS}/search-info", real_key=True),
}
# The names that a fault plan may use: those of the log, and words for several of them.
GROUPS = {
    "order": ("buy", "sell"),
    "cancel": ("cancel",),
    "revise": ("revise",),
    "any": (),
}
NAMES = (
    *dict.fromkeys(call.name for call in CALLS.values() if call.name != "change"),
    "cancel",
    "revise",
    TOKEN,
    REVOKE,
    HASHKEY,
    APPROVAL,
    "unknown",
)


def key_call(path: str) -> str | None:
    """The name of a call about keys and tokens, which has no transaction; None for any other path."""
    return _KEYS.get(path)


def by_path(method: str, path: str) -> Call | None:
    """The call of a path that has but one; orders are told apart by their transaction alone."""
    found = {id(call): call for call in CALLS.values() if (call.method, call.path) == (method, path)}
    return next(iter(found.values())) if len(found) == 1 else None
