"""Shares of other exchanges: a price, daily bars, an account, and limit orders; amounts are Decimal in the currency.

KIS names an exchange in two ways, one for quotations and one for accounts and orders; the table here has both.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from quantassay.domain.trading.book import Answer, Side
from quantassay.errors import AssayError
from quantassay.kis import endpoints
from quantassay.kis.client import Client, Reply
from quantassay.kis.domestic import acknowledged
from quantassay.kis.fields import Fields, many, one
from quantassay.kis.pages import pages
from quantassay.kis.token import KOREA
from quantassay.kis.unreadable import KisUnreadable

_SYMBOL = re.compile(r"[0-9A-Z][0-9A-Z./-]{0,11}")
_LIMIT_ORDER = "00"
_MOST_BAR_PAGES = 200
_CENT = Decimal("0.01")
_NEEDED = "it needs a symbol, and a quantity and a limit price above zero"
_DOLLARS = "a limit price in dollars is at least 1 and has no more than two decimals"


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange as KIS names it for quotations and for trading, its market in the table of orders, its currency."""

    quotation: str
    trading: str
    market: str
    currency: str


EXCHANGES: Mapping[str, Exchange] = {
    name: Exchange(*codes)
    for name, codes in {
        "Nasdaq": ("NAS", "NASD", "US", "USD"),
        "NYSE": ("NYS", "NYSE", "US", "USD"),
        "AMEX": ("AMS", "AMEX", "US", "USD"),
        "Hong Kong": ("HKS", "SEHK", "HK", "HKD"),
        "Shanghai": ("SHS", "SHAA", "SH", "CNY"),
        "Shenzhen": ("SZS", "SZAA", "SZ", "CNY"),
        "Tokyo": ("TSE", "TKSE", "JP", "JPY"),
        "Hanoi": ("HNX", "HASE", "VN", "VND"),
        "Ho Chi Minh City": ("HSX", "VNSE", "VN", "VND"),
    }.items()
}


class NoSuchExchange(AssayError):
    """An exchange that KIS does not trade on."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is none of the exchanges that KIS knows: {', '.join(EXCHANGES)}")


class NoSuchOrder(AssayError):
    """An order that cannot be written as KIS wants it; nothing was sent."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the order was not sent: {why}")


@dataclass(frozen=True, slots=True)
class OverseasQuote:
    """The last price of a name and the close before."""

    exchange: str
    symbol: str
    currency: str
    last: Decimal
    base: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class OverseasBar:
    """One session of one name, by the day of its exchange."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int
    turnover: int


@dataclass(frozen=True, slots=True)
class OverseasPosition:
    """What is held of one name; `exchange` is KIS's code of trading."""

    exchange: str
    symbol: str
    name: str
    currency: str
    quantity: int
    sellable: int
    average_price: Decimal
    last_price: Decimal


@dataclass(frozen=True, slots=True)
class OverseasOrder:
    """A limit order that is to be sent."""

    exchange: str
    symbol: str
    side: Side
    quantity: int
    limit_price: Decimal


def exchange_of(name: str) -> Exchange:
    """The exchange of this name. Raises NoSuchExchange."""
    if name not in EXCHANGES:
        raise NoSuchExchange(name)
    return EXCHANGES[name]


def price(client: Client, exchange: str, symbol: str) -> OverseasQuote:
    """The price now, which may be late. Raises KisUnreadable, also for an unknown name; NoSuchExchange."""
    place, call = exchange_of(exchange), endpoints.OVERSEAS_PRICE
    reply = client.get(call, {"AUTH": "", "EXCD": place.quotation, "SYMB": symbol})
    found = one(reply.body, "output", f"{call.name} of {symbol}")
    # For an unknown name everything is blank.
    if not found.text("last") or not found.decimal("last"):
        raise KisUnreadable(found.what, f"KIS has no such name on {exchange}, or no price of it")
    if not found.text("rsym").endswith(f"{place.quotation}{symbol}"):
        raise KisUnreadable(found.what, "the answer is about another name")
    return OverseasQuote(exchange, symbol, place.currency, found.decimal("last"), found.decimal("base"), reply.at)


def daily_bars(
    client: Client, exchange: str, symbol: str, first: date, last: date, *, adjusted: bool
) -> Sequence[OverseasBar]:
    """Bars from the first to the last day, oldest first. Raises KisUnreadable, NoSuchExchange.

    The flag of adjustment means the opposite of the one for Korean shares.
    """
    place, call = exchange_of(exchange), endpoints.OVERSEAS_DAILY
    what = f"{call.name} of {symbol}"
    found: dict[date, OverseasBar] = {}
    until = last
    for _ in range(_MOST_BAR_PAGES):
        query = {
            "AUTH": "",
            "EXCD": place.quotation,
            "SYMB": symbol,
            "GUBN": "0",
            "BYMD": f"{until:%Y%m%d}",
            "MODP": "1" if adjusted else "0",
        }
        reply = client.get(call, query)
        if not one(reply.body, "output1", what).text("rsym").endswith(f"{place.quotation}{symbol}"):
            raise KisUnreadable(what, f"KIS has no such name on {exchange}")
        rows = [_bar(row) for row in many(reply.body, "output2", what) if row.values]
        if not rows:
            break
        for bar in rows:
            if bar.day > until or found.get(bar.day, bar) != bar:
                raise KisUnreadable(what, f"a bar of {bar.day} came that was not asked for, or comes twice")
            found[bar.day] = bar
        until = min(bar.day for bar in rows) - timedelta(days=1)
        if until < first:
            break
    else:
        raise KisUnreadable(what, f"there are more than {_MOST_BAR_PAGES} pages")
    return [found[day] for day in sorted(found) if day >= first]


def _bar(row: Fields) -> OverseasBar:
    return OverseasBar(
        day=datetime.strptime(row.day("xymd"), "%Y%m%d").replace(tzinfo=KOREA).date(),
        open=row.decimal("open"),
        high=row.decimal("high"),
        low=row.decimal("low"),
        close=row.decimal("clos"),
        volume=row.count("tvol"),
        turnover=row.count("tamt"),
    )


def balance(client: Client, exchanges: Sequence[str]) -> Sequence[OverseasPosition]:
    """What is held on these exchanges, every page of each. Raises KisUnreadable, NoSuchExchange.

    KIS answers for one American exchange with names of another: a name that comes twice is one where all agrees, and
    refused where it does not. Money is not in this answer.
    """
    call = endpoints.OVERSEAS_BALANCE
    found: dict[tuple[str, str], OverseasPosition] = {}
    for place in map(exchange_of, exchanges):
        seen: set[tuple[str, str]] = set()
        for reply in pages(client, call, {"OVRS_EXCG_CD": place.trading, "TR_CRCY_CD": place.currency}):
            one(reply.body, "output2", call.name)
            for row in many(reply.body, "output1", call.name):
                held = _position(row)
                name = (held.exchange, held.symbol)
                if name in seen or found.get(name, held) != held:
                    raise KisUnreadable(call.name, f"{held.symbol} stands there twice")
                seen.add(name)
                found[name] = held
    return [found[name] for name in sorted(found) if found[name].quantity]


def _position(row: Fields) -> OverseasPosition:
    symbol = row.text("ovrs_pdno")
    if not _SYMBOL.fullmatch(symbol):
        raise row.wrong("ovrs_pdno", "is no symbol")
    return OverseasPosition(
        exchange=row.text("ovrs_excg_cd"),
        symbol=symbol,
        name=row.optional_text("ovrs_item_name"),
        currency=row.text("tr_crcy_cd"),
        quantity=row.count("ovrs_cblc_qty"),
        sellable=row.count("ord_psbl_qty"),
        average_price=row.decimal("pchs_avg_pric"),
        last_price=row.decimal("now_pric2"),
    )


def order(client: Client, new: OverseasOrder) -> Answer:
    """Send a limit order, once. Raises NoSuchExchange, NoSuchOrder: nothing was sent."""
    place = exchange_of(new.exchange)
    if new.quantity <= 0 or new.limit_price <= 0 or not _SYMBOL.fullmatch(new.symbol):
        raise NoSuchOrder(_NEEDED)
    limit = new.limit_price
    if place.market == "US" and (limit != limit.quantize(_CENT) or limit < 1):
        raise NoSuchOrder(_DOLLARS)
    body = {
        "OVRS_EXCG_CD": place.trading,
        "PDNO": new.symbol,
        "ORD_QTY": str(new.quantity),
        "OVRS_ORD_UNPR": f"{limit.quantize(_CENT) if place.market == 'US' else limit.normalize():f}",
        "CTAC_TLNO": "",
        "MGCO_APTM_ODNO": "",
        "SLL_TYPE": "" if new.side == "buy" else "00",
        "ORD_SVR_DVSN_CD": "0",
        "ORD_DVSN": _LIMIT_ORDER,
    }
    outcome = client.post(endpoints.OVERSEAS_ORDERS[place.market, new.side], body)
    return acknowledged(outcome) if isinstance(outcome, Reply) else outcome
