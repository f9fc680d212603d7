"""What the practice server answers to calls about an account: every key, width and padding as the virtual server's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from quantassay.domain.planning.costs import BASIS_POINTS
from quantassay.sandbox import accounts
from quantassay.sandbox.accounts import CANCEL, Booked, Fill, Lot
from quantassay.sandbox.exchange import Exchange, View

BALANCE_ROWS, ORDER_ROWS = 20, 15
BRANCH = "00950"
KEY_WIDTH, TEXT_WIDTH = 100, 80
MORE = ("20310000", "모의투자 조회가 계속됩니다. 다음버튼을 Click 하십시오.")
DONE = ("20310000", "모의투자 조회가 완료되었습니다.")
NOTHING = ("70070000", "모의투자 조회할 내역(자료)이 없습니다.")
_SAID = {
    "buy": ("40600000", "모의투자 매수주문이 완료 되었습니다."),
    "sell": ("40590000", "모의투자 매도주문이 완료 되었습니다."),
}
_CHANGED = {
    "cancel": ("40630000", "모의투자 취소주문이 완료 되었습니다."),
    "revise": ("40620000", "모의투자 정정주문이 완료 되었습니다."),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows: the rows, the key of the last one where more are due, and the letter that says so."""

    rows: Sequence[dict[str, str]]
    key: str
    letter: str


def envelope(said: tuple[str, str], *, padded: bool = False, **members: Any) -> dict[str, Any]:
    """A successful answer; `padded`: its text is filled up with blanks, as inquiries have it."""
    code, text = said
    return {**members, "rt_cd": "0", "msg_cd": code, "msg1": text.ljust(TEXT_WIDTH) if padded else text}


def refusal(code: str, text: str, rt_cd: str = "1") -> dict[str, Any]:
    """An answer to what was not done."""
    return {"rt_cd": rt_cd, "msg_cd": code, "msg1": text}


def acknowledged(order: Booked) -> dict[str, Any]:
    """The answer to an order, a cancel or a change that was taken."""
    said = _CHANGED[order.change] if order.change else _SAID[order.side]
    output = {"KRX_FWDG_ORD_ORGNO": BRANCH, "ODNO": order.number, "ORD_TMD": order.time}
    return envelope(said, output=output)


def page(rows: Sequence[tuple[str, dict[str, str]]], after: str, size: int) -> Page:
    """The rows behind the one with this key (all rows for an empty key), at most `size` of them."""
    keys = [key for key, _ in rows]
    begin = keys.index(after) + 1 if after in keys else len(rows) if after else 0
    here = rows[begin : begin + size]
    if begin + size >= len(rows):
        return Page([row for _, row in here], "", "D")
    return Page([row for _, row in here], here[-1][0], "M" if after else "F")


# Balance.


def balance(exchange: Exchange, view: View, query: Mapping[str, str]) -> tuple[dict[str, Any], Page]:
    """The answer to inquire-balance for this page, and the page."""
    today = exchange.today()
    lots = {
        ticker: lot
        for ticker, lot in view.lots.items()
        if lot.quantity or (exchange.zero_rows and _lingers(view, ticker, today))
    }
    rows = [(ticker, _holding(exchange, view, ticker, lot)) for ticker, lot in lots.items()]
    found = page(rows, query["CTX_AREA_NK100"].strip().removesuffix("^"), BALANCE_ROWS)
    asked = [query.get(name, "") for name in ("CANO", "ACNT_PRDT_CD", "AFHR_FLPR_YN", "FUND_STTL_ICLD_YN", "INQR_DVSN")]
    search = "^".join([*asked, query.get("UNPR_DVSN", ""), query.get("FNCG_AMT_AUTO_RDPT_YN", ""), ""])
    body = envelope(
        MORE if found.key else DONE,
        padded=True,
        ctx_area_fk100=search.ljust(KEY_WIDTH),
        ctx_area_nk100=(f"{found.key}^" if found.key else "").ljust(KEY_WIDTH),
        output1=list(found.rows),
        output2=[_money(exchange, view, [row for _, row in rows])],
    )
    return body, found


def _lingers(view: View, ticker: str, today: date) -> bool:
    """Whether a name that was sold out is still listed: until the sale is settled."""
    return any(fill.ticker == ticker and fill.settles >= today for fill in view.fills)


def _holding(exchange: Exchange, view: View, ticker: str, lot: Lot) -> dict[str, str]:
    today, before = exchange.today(), exchange.tape.session_from(exchange.today(), -1)
    session = exchange.tape.session(ticker, today)
    base = session.base if session else 0
    price = exchange.last_price(ticker)
    cost = int(lot.cost.to_integral_value(ROUND_HALF_UP))
    value = lot.quantity * price
    fills = [fill for fill in view.fills if fill.ticker == ticker]
    return {
        "pdno": ticker,
        "prdt_name": exchange.tape.names[ticker].name if ticker in exchange.tape.names else ticker,
        "trad_dvsn_name": "현금",
        "bfdy_buy_qty": _shares(fills, "buy", before),
        "bfdy_sll_qty": _shares(fills, "sell", before),
        "thdt_buyqty": _shares(fills, "buy", today),
        "thdt_sll_qty": _shares(fills, "sell", today),
        "hldg_qty": str(lot.quantity),
        "ord_psbl_qty": str(max(0, lot.quantity - view.open_sells(ticker))),
        "pchs_avg_pric": str(lot.average),
        "pchs_amt": str(cost),
        "prpr": str(price),
        "evlu_amt": str(value),
        "evlu_pfls_amt": str(value - cost),
        "evlu_pfls_rt": percent(value - cost, cost, 2),
        "evlu_erng_rt": percent(value - cost, cost, 8),
        "loan_dt": "",
        "loan_amt": "0",
        "stln_slng_chgs": "0",
        "expd_dt": "",
        "fltt_rt": percent(price - base, base, 8),
        "bfdy_cprs_icdc": str(price - base),
        "item_mgna_rt_name": "",
        "grta_rt_name": "",
        "sbst_pric": "0",
        "stck_loan_unpr": "0.0000",
    }


def _money(exchange: Exchange, view: View, rows: Sequence[Mapping[str, str]]) -> dict[str, str]:
    today, tape = exchange.today(), exchange.tape
    before, after = tape.session_from(today, -1), tape.session_from(today, 1)
    value, cost = _sum(rows, "evlu_amt"), _sum(rows, "pchs_amt")
    total = value + view.cash
    return {
        "dnca_tot_amt": str(accounts.cash(view.opening, view.fills, today)),
        "nxdy_excc_amt": str(accounts.cash(view.opening, view.fills, after)),
        "prvs_rcdl_excc_amt": str(view.cash),
        "cma_evlu_amt": "0",
        "bfdy_buy_amt": _traded(view.fills, "buy", before),
        "thdt_buy_amt": _traded(view.fills, "buy", today),
        "nxdy_auto_rdpt_amt": "0",
        "bfdy_sll_amt": _traded(view.fills, "sell", before),
        "thdt_sll_amt": _traded(view.fills, "sell", today),
        "d2_auto_rdpt_amt": "0",
        "bfdy_tlex_amt": _costs(view.fills, before),
        "thdt_tlex_amt": _costs(view.fills, today),
        "tot_loan_amt": "0",
        "scts_evlu_amt": str(value),
        "tot_evlu_amt": str(total),
        "nass_amt": str(total),
        "fncg_gld_auto_rdpt_yn": "",
        "pchs_amt_smtl_amt": str(cost),
        "evlu_amt_smtl_amt": str(value),
        "evlu_pfls_smtl_amt": str(value - cost),
        "tot_stln_slng_chgs": "0",
        "bfdy_tot_asst_evlu_amt": "0",
        "asst_icdc_amt": "0",
        "asst_icdc_erng_rt": "0.00000000",
    }


# What may be bought.


def orderable(exchange: Exchange, account: str, query: Mapping[str, str]) -> dict[str, Any]:
    """The answer to inquire-psbl-order: at the market it reckons with the upper limit, else with the asked price."""
    cash = max(0, exchange.orderable_cash(account))
    fee = Decimal(exchange.costs.fee_bps)
    amount = int(cash * BASIS_POINTS / (BASIS_POINTS + fee))
    asked, ticker = query["ORD_UNPR"].strip(), query["PDNO"].strip()
    price = int(asked) if asked.isascii() and asked.isdigit() else 0
    session = exchange.tape.session(ticker, exchange.today())
    if query.get("ORD_DVSN") == "01":
        price = session.upper if session else 0
    shares = amount // price if session and price else 0
    output = {
        "ord_psbl_cash": str(cash),
        "ord_psbl_sbst": "0",
        "ruse_psbl_amt": "0",
        "fund_rpch_chgs": "0",
        "psbl_qty_calc_unpr": str(price),
        "nrcvb_buy_amt": str(amount),
        "nrcvb_buy_qty": str(shares),
        "max_buy_amt": str(amount),
        "max_buy_qty": str(shares),
        "cma_evlu_amt": "0",
        "ovrs_re_use_amt_wcrc": "0",
        "ord_psbl_frcr_amt_wcrc": "0",
    }
    return envelope(DONE, padded=True, output=output)


# Orders of a day.


def day_orders(
    exchange: Exchange, account: str, query: Mapping[str, str], *, empty: bool = False
) -> tuple[dict[str, Any], Page]:
    """The answer to inquire-daily-ccld for this page, and the page; `empty`: rows are missing, totals are not."""
    orders = [order for order in exchange.orders(account) if _is_asked_for(order, query)]
    if query.get("INQR_DVSN") != "01":
        orders.reverse()
    rows = [] if empty else [(order.number, _row(exchange, order)) for order in orders]
    found = page(rows, query["CTX_AREA_NK100"].strip(), ORDER_ROWS)
    asked = [query.get(name, "") for name in _ASKED]
    body = envelope(
        (MORE if found.key else DONE) if rows else NOTHING,
        padded=True,
        ctx_area_fk100="!^".join(asked).ljust(KEY_WIDTH),
        ctx_area_nk100=found.key.ljust(KEY_WIDTH),
        output1=list(found.rows),
        output2=_totals(orders),
    )
    return body, found


_ASKED = (
    "CANO",
    "ACNT_PRDT_CD",
    "INQR_STRT_DT",
    "INQR_END_DT",
    "SLL_BUY_DVSN_CD",
    "CCLD_DVSN",
    "INQR_DVSN_3",
    "PDNO",
    "ODNO",
    "INQR_DVSN",
)


def _is_asked_for(order: Booked, query: Mapping[str, str]) -> bool:
    day = f"{order.day:%Y%m%d}"
    side = {"01": "sell", "02": "buy"}.get(query.get("SLL_BUY_DVSN_CD", "00"), order.side)
    wanted = query.get("ODNO", "").strip().lstrip("0")
    filled = {"01": order.filled > 0, "02": order.filled < order.quantity}.get(query.get("CCLD_DVSN", "00"), True)
    return (
        query.get("INQR_STRT_DT", "") <= day <= query.get("INQR_END_DT", "99999999")
        and order.side == side
        and query.get("PDNO", "").strip() in ("", order.ticker)
        and wanted in ("", order.number.lstrip("0"))
        and filled
    )


def _row(exchange: Exchange, order: Booked) -> dict[str, str]:
    market = order.price == 0 and not order.change
    side = "02" if order.side == "buy" else "01"
    label = "매수" if order.side == "buy" else "매도"
    named = exchange.tape.names.get(order.ticker)
    average = order.amount / Decimal(order.filled) if order.filled else Decimal(0)
    return {
        "ord_dt": f"{order.day:%Y%m%d}",
        "ord_gno_brno": BRANCH,
        "odno": order.number,
        "orgn_odno": order.origin,
        "ord_dvsn_name": "시장가" if market else "지정가",
        "sll_buy_dvsn_cd": side,
        "sll_buy_dvsn_cd_name": {"": f"현금{label}", CANCEL: f"{label}취소*"}.get(order.change, f"{label}정정*"),
        "pdno": order.ticker,
        "prdt_name": named.name if named else order.ticker,
        "ord_qty": str(order.quantity),
        "ord_unpr": str(order.price),
        "ord_tmd": order.time,
        "tot_ccld_qty": str(order.filled),
        "avg_prvs": str(average.to_integral_value(ROUND_HALF_UP)),
        "cncl_yn": "Y" if order.cancelled or order.change == CANCEL else "N",
        "tot_ccld_amt": str(order.amount),
        "loan_dt": "",
        "ordr_empno": "OpnAPI",
        "ord_dvsn_cd": "01" if market else "00",
        "cnc_cfrm_qty": str(order.cancelled),
        "rmn_qty": str(order.remaining),
        "rjct_qty": str(order.rejected),
        "ccld_cndt_name": "없음",
        "inqr_ip_addr": "203.0.113.7",
        "cpbc_ordp_ord_rcit_dvsn_cd": "",
        "cpbc_ordp_infm_mthd_dvsn_cd": "",
        "infm_tmd": "",
        "ctac_tlno": "",
        "prdt_type_cd": "300",
        "excg_dvsn_cd": "02",
        "cpbc_ordp_mtrl_dvsn_cd": "",
        "ord_orgno": BRANCH,
        "rsvn_ord_end_dt": "",
        "excg_id_dvsn_cd": "KRX",
        "stpm_cndt_pric": "",
        "stpm_efct_occr_dtmd": "",
    }


def _totals(orders: Iterable[Booked]) -> dict[str, str]:
    """Of the original orders: what was wanted, traded and paid. A cancel or a change repeats what it refers to."""
    orders = list(orders)
    amount, filled = sum(one.amount for one in orders), sum(one.filled for one in orders)
    costs = sum(fill.fee + fill.tax for one in orders for fill in one.fills)
    average = (Decimal(amount) / filled if filled else Decimal(0)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
    return {
        "tot_ord_qty": str(sum(one.quantity for one in orders if not one.origin)),
        "tot_ccld_qty": str(filled),
        "tot_ccld_amt": str(amount),
        "prsm_tlex_smtl": str(costs),
        "pchs_avg_pric": str(average),
    }


# Numbers.


def percent(part: int, whole: int, places: int) -> str:
    """Part of a whole in percent with so many decimals, 0 of nothing."""
    share = Decimal(100 * part) / whole if whole else Decimal(0)
    return f"{share.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"


def _shares(fills: Iterable[Fill], side: str, day: date) -> str:
    return str(sum(fill.quantity for fill in fills if fill.side == side and fill.day == day))


def _traded(fills: Iterable[Fill], side: str, day: date) -> str:
    return str(sum(fill.amount for fill in fills if fill.side == side and fill.day == day))


def _costs(fills: Iterable[Fill], day: date) -> str:
    return str(sum(fill.fee + fill.tax for fill in fills if fill.day == day))


def _sum(rows: Iterable[Mapping[str, str]], name: str) -> int:
    return sum(int(row[name]) for row in rows)
