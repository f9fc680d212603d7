"""What KIS says of Korean shares and of an account in them, and the orders in them that it takes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from quantassay.domain.trading.book import (
    Accepted,
    Answer,
    Book,
    DayOrders,
    NewOrder,
    Orderable,
    Placed,
    Position,
    Quote,
    Unknown,
)
from quantassay.kis import endpoints
from quantassay.kis.client import Client, Reply
from quantassay.kis.day_orders import totals_of, whole_rows
from quantassay.kis.endpoints import Call
from quantassay.kis.fields import Fields, many, one
from quantassay.kis.pages import pages
from quantassay.kis.token import KOREA
from quantassay.kis.unreadable import KisUnreadable, NoSuchName

_TICKER = re.compile(r"[0-9A-Z]{6,9}")
_LIMIT_ORDER, _EXCHANGE = "00", "KRX"
_CHANGE_IT, _CANCEL_IT = "01", "02"
_HALTED = "58"
_LEVELS = range(1, 11)
# What of the totals moves with trades and not with prices: equal on all pages, or the account moved while it was read.
_STILL = ("dnca_tot_amt", "prvs_rcdl_excc_amt", "thdt_buy_amt", "thdt_sll_amt", "pchs_amt_smtl_amt")
_READINGS = 3
_NUMBER_SIGNS = 10
_MOST_BAR_PAGES = 200


@dataclass(frozen=True, slots=True)
class Level:
    """One step of the order book."""

    price: int
    shares: int


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Offers and bids, best first, with the server's own time (HHMMSS) and what the auction would give (0: none)."""

    ticker: str
    time: str
    asks: tuple[Level, ...]
    bids: tuple[Level, ...]
    expected_price: int
    expected_shares: int
    at: datetime


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One session of one name as KIS gives it; `turnover` in won, `event` its code for what the price dropped by."""

    day: date
    open: int
    high: int
    low: int
    close: int
    volume: int
    turnover: int
    event: str


def balance(client: Client) -> Book:
    """Holdings and money, every page of them. Raises KisUnreadable.

    An account that moves while it is read is read again; one in which a name stands twice is not believed.
    """
    query = {
        "AFHR_FLPR_YN": "N",
        "OFL_YN": "",
        "INQR_DVSN": "02",
        "UNPR_DVSN": "01",
        "FUND_STTL_ICLD_YN": "N",
        "FNCG_AMT_AUTO_RDPT_YN": "N",
        "PRCS_DVSN": "00",
    }
    what = endpoints.BALANCE.name
    for _ in range(_READINGS):
        read = pages(client, endpoints.BALANCE, query)
        totals = [one(reply.body, "output2", what) for reply in read]
        if len({tuple(page.whole(name) for name in _STILL) for page in totals}) == 1:
            return _book(client, read, totals[0])
    raise KisUnreadable(what, f"it moved between its pages, each of {_READINGS} times")


def _book(client: Client, read: Sequence[Reply], totals: Fields) -> Book:
    held: dict[str, Position] = {}
    seen: set[str] = set()
    for row in (row for reply in read for row in many(reply.body, "output1", endpoints.BALANCE.name)):
        ticker = _ticker_of(row, "pdno")
        if ticker in seen:
            raise KisUnreadable(endpoints.BALANCE.name, f"{ticker} stands there twice")
        seen.add(ticker)
        position = _position(row, ticker)
        # A name that was sold out stays for two days, with nothing.
        if position.quantity:
            held[ticker] = position
    return Book(
        at=read[-1].at,
        positions=tuple(held[ticker] for ticker in sorted(held)),
        cash=totals.whole("prvs_rcdl_excc_amt"),
        deposit=totals.whole("dnca_tot_amt"),
        equity=totals.whole("nass_amt"),
        pages=len(read),
        certificate=client.certificate,
    )


def _position(row: Fields, ticker: str) -> Position:
    return Position(
        ticker=ticker,
        name=row.optional_text("prdt_name"),
        quantity=row.count("hldg_qty"),
        sellable=row.count("ord_psbl_qty"),
        average_price=row.decimal("pchs_avg_pric"),
        last_price=row.count("prpr"),
    )


def _ticker_of(row: Fields, name: str) -> str:
    ticker = row.text(name)
    if not _TICKER.fullmatch(ticker):
        raise row.wrong(name, "is no ticker")
    return ticker


def orderable(client: Client, ticker: str, price: int) -> Orderable:
    """What may be bought at this limit price without credit. Raises KisUnreadable."""
    query = {
        "PDNO": ticker,
        "ORD_UNPR": str(price),
        "ORD_DVSN": _LIMIT_ORDER,
        "CMA_EVLU_AMT_ICLD_YN": "N",
        "OVRS_ICLD_YN": "N",
    }
    call = endpoints.ORDERABLE
    found = one(client.get(call, query).body, "output", call.name)
    return Orderable(max(0, found.whole("nrcvb_buy_amt")), max(0, found.whole("nrcvb_buy_qty")))


def order(client: Client, new: NewOrder) -> Answer:
    """Send a limit order, once."""
    call = endpoints.BUY if new.side == "buy" else endpoints.SELL
    body = {
        "PDNO": new.ticker,
        "ORD_DVSN": _LIMIT_ORDER,
        "ORD_QTY": str(new.quantity),
        "ORD_UNPR": str(new.limit_price),
        "SLL_TYPE": "" if new.side == "buy" else "01",
        "CNDT_PRIC": "",
        **_exchange(client),
    }
    return _answer(client, call, body)


def cancel(client: Client, placed: Placed) -> Answer:
    """Ask for all that is left of an order to be taken back, once; the request has a number of its own."""
    return _changed(client, placed, _CANCEL_IT, "0", "0")


def revise(client: Client, placed: Placed, quantity: int, price: int) -> Answer:
    """Ask for another limit price for so many of the shares that are left, once."""
    return _changed(client, placed, _CHANGE_IT, str(quantity), str(price))


def _changed(client: Client, placed: Placed, kind: str, quantity: str, price: str) -> Answer:
    body = {
        "KRX_FWDG_ORD_ORGNO": placed.branch,
        "ORGN_ODNO": placed.number.zfill(_NUMBER_SIGNS),
        "ORD_DVSN": _LIMIT_ORDER,
        "RVSE_CNCL_DVSN_CD": kind,
        "ORD_QTY": quantity,
        "ORD_UNPR": price,
        "QTY_ALL_ORD_YN": "Y" if kind == _CANCEL_IT else "N",
        **_exchange(client),
    }
    return _answer(client, endpoints.CHANGE, body)


def _exchange(client: Client) -> dict[str, str]:
    # The older transactions know of one exchange only.
    return {} if client.connection.legacy_ids else {"EXCG_ID_DVSN_CD": _EXCHANGE}


def _answer(client: Client, call: Call, body: Mapping[str, str]) -> Answer:
    outcome = client.post(call, body)
    return acknowledged(outcome) if isinstance(outcome, Reply) else outcome


def acknowledged(reply: Reply) -> Answer:
    """The number of an order that was taken; KIS gives no day with it, so it is that of Korea when the answer came."""
    try:
        said = one(reply.body, "output", "the acknowledgement")
        number, branch = said.text("odno"), said.text("krx_fwdg_ord_orgno")
        at = said.optional_text("ord_tmd")
    except KisUnreadable as error:
        return Unknown(f"it was taken, and {error.why}")
    if not number.strip("0"):
        return Unknown("it was taken, and no number came with it")
    return Accepted(Placed(number, branch, reply.at.astimezone(KOREA).date()), at)


def day_orders(client: Client, day: date) -> DayOrders:
    """The orders of a day, every page of them. Raises KisUnreadable.

    `rows` may lack what the totals count: the virtual server is known to show none at all.
    """
    compact = f"{day:%Y%m%d}"
    query = {
        "INQR_STRT_DT": compact,
        "INQR_END_DT": compact,
        "SLL_BUY_DVSN_CD": "00",
        "PDNO": "",
        "CCLD_DVSN": "00",
        # Oldest first, so that an order that comes in between moves no other to another page.
        "INQR_DVSN": "01",
        "INQR_DVSN_3": "00",
        "ORD_GNO_BRNO": "",
        "ODNO": "",
        "INQR_DVSN_1": "",
    }
    if not client.connection.legacy_ids:
        query["EXCG_ID_DVSN_CD"] = "ALL" if client.connection.environment == "real" else _EXCHANGE
    call = endpoints.DAY_ORDERS
    for _ in range(_READINGS):
        read = pages(client, call, query)
        totals = [totals_of(one(reply.body, "output2", call.name)) for reply in read]
        if len(set(totals)) == 1:
            rows = whole_rows([row for reply in read for row in many(reply.body, "output1", call.name)], compact)
            return DayOrders(day, rows, totals[0], len(read))
    raise KisUnreadable(call.name, f"they moved between their pages, each of {_READINGS} times")


def price(client: Client, ticker: str) -> Quote:
    """The price now. Raises KisUnreadable, also for a name that KIS does not know: it sends zeros for one."""
    call = endpoints.PRICE
    reply = client.get(call, {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": ticker})
    found = one(reply.body, "output", f"{call.name} of {ticker}")
    last = found.count("stck_prpr")
    if not last:
        raise NoSuchName(found.what)
    if found.optional_text("stck_shrn_iscd") not in ("", ticker):
        raise KisUnreadable(found.what, "the answer is about another name")
    return Quote(
        ticker=ticker,
        last=last,
        base=found.count("stck_sdpr"),
        upper=found.count("stck_mxpr"),
        lower=found.count("stck_llam"),
        tick=found.count("aspr_unit"),
        halted=found.text("temp_stop_yn") != "N" or found.text("iscd_stat_cls_code") == _HALTED,
        at=reply.at,
        # Zero until the session has its first price.
        open=found.count("stck_oprc") if found.optional_text("stck_oprc") else 0,
    )


def order_book(client: Client, ticker: str) -> OrderBook:
    """Offers and bids now, with the server's own time. Raises KisUnreadable."""
    call = endpoints.ORDER_BOOK
    reply = client.get(call, {"FID_COND_MRKT_DIV_CODE": "J", "FID_INPUT_ISCD": ticker})
    what = f"{call.name} of {ticker}"
    levels, auction = one(reply.body, "output1", what), one(reply.body, "output2", what)
    if auction.optional_text("stck_shrn_iscd") not in ("", ticker):
        raise KisUnreadable(what, "the answer is about another name")
    return OrderBook(
        ticker=ticker,
        time=levels.time("aspr_acpt_hour"),
        asks=_levels(levels, "askp"),
        bids=_levels(levels, "bidp"),
        expected_price=auction.count_or_none("antc_cnpr"),
        expected_shares=auction.count_or_none("antc_vol"),
        at=reply.at,
    )


def _levels(found: Fields, side: str) -> tuple[Level, ...]:
    """The steps of one side that somebody stands at."""
    steps = (Level(found.count_or_none(f"{side}{n}"), found.count_or_none(f"{side}_rsqn{n}")) for n in _LEVELS)
    return tuple(step for step in steps if step.price and step.shares)


def daily_bars(client: Client, ticker: str, first: date, last: date, *, adjusted: bool) -> Sequence[DailyBar]:
    """Bars from the first to the last day, oldest first; that of a session that still goes on is unfinished.

    Raises KisUnreadable; NoSuchName.
    """
    rows = daily_rows(client, ticker, first, last, adjusted=adjusted)
    return [_bar(day, rows[day]) for day in sorted(rows)]


def daily_rows(client: Client, ticker: str, first: date, last: date, *, adjusted: bool) -> dict[date, Fields]:
    """The same, each as it came. Raises KisUnreadable where pages do not fit together; NoSuchName."""
    call = endpoints.DAILY_BARS
    what = f"{call.name} of {ticker}"
    found: dict[date, Fields] = {}
    until = last
    for _ in range(_MOST_BAR_PAGES):
        query = {
            "FID_COND_MRKT_DIV_CODE": "J",
            "FID_INPUT_ISCD": ticker,
            "FID_INPUT_DATE_1": f"{first:%Y%m%d}",
            "FID_INPUT_DATE_2": f"{until:%Y%m%d}",
            "FID_PERIOD_DIV_CODE": "D",
            "FID_ORG_ADJ_PRC": "0" if adjusted else "1",
        }
        reply = client.get(call, query)
        if one(reply.body, "output1", what).optional_text("stck_prpr") in ("", "0"):
            raise NoSuchName(what)
        # Short answers are filled up with empty rows.
        rows = [row for row in many(reply.body, "output2", what) if row.values]
        if not rows:
            return found
        for row in rows:
            day = _day_of(row)
            if not first <= day <= until or found.setdefault(day, row) != row:
                raise KisUnreadable(what, f"a bar of {day} came that was not asked for, or comes twice")
        until = min(map(_day_of, rows)) - timedelta(days=1)
        if until < first:
            return found
    raise KisUnreadable(what, f"there are more than {_MOST_BAR_PAGES} pages")


def _day_of(row: Fields) -> date:
    return datetime.strptime(row.day("stck_bsop_date"), "%Y%m%d").replace(tzinfo=KOREA).date()


def _bar(day: date, row: Fields) -> DailyBar:
    return DailyBar(
        day=day,
        open=row.count("stck_oprc"),
        high=row.count("stck_hgpr"),
        low=row.count("stck_lwpr"),
        close=row.count("stck_clpr"),
        volume=row.count("acml_vol"),
        turnover=row.count("acml_tr_pbmn"),
        event=row.optional_text("flng_cls_code"),
    )


def open_on(client: Client, day: date) -> bool:
    """Whether the exchange trades on this day; the real server alone says so, and wants to be asked once a day.

    Raises KisUnreadable, NotOffered.
    """
    call = endpoints.HOLIDAYS
    compact = f"{day:%Y%m%d}"
    reply = client.get(call, {"BASS_DT": compact, "CTX_AREA_NK": "", "CTX_AREA_FK": ""})
    return opens(reply.body, compact)


def opens(body: Mapping[str, Any], day: str) -> bool:
    """What an answer about holidays says of a day (YYYYMMDD). Raises KisUnreadable."""
    what = endpoints.HOLIDAYS.name
    for row in many(body, "output", what):
        if row.day("bass_dt") == day:
            return row.text("opnd_yn") == "Y"
    raise KisUnreadable(what, f"{day} is not among them")
