"""Orders as clients send them to the practice server: their fields are judged, then the exchange is asked."""

import re
from collections.abc import Mapping
from typing import Any

from quantassay.sandbox import answers, gateway
from quantassay.sandbox.answers import refusal
from quantassay.sandbox.exchange import BEYOND_LIMIT, Exchange, Handling, Refusal, Wish

LIMIT, MARKET, CANCEL = "00", "01", "02"
NOT_OFFERED = Refusal("90000000", "모의투자에서는 해당업무가 제공되지 않습니다.")
_CHANGE = ("ORGN_ODNO", "ORD_DVSN", "RVSE_CNCL_DVSN_CD", "ORD_QTY", "ORD_UNPR", "QTY_ALL_ORD_YN")
_ORDER = ("PDNO", "ORD_DVSN", "ORD_QTY", "ORD_UNPR")
_NEEDED = {
    "balance": ("AFHR_FLPR_YN", "INQR_DVSN", "UNPR_DVSN", "PRCS_DVSN", "CTX_AREA_FK100", "CTX_AREA_NK100"),
    "orderable": ("PDNO", "ORD_UNPR", "ORD_DVSN"),
    "day_orders": ("INQR_STRT_DT", "INQR_END_DT", "SLL_BUY_DVSN_CD", "CCLD_DVSN", "CTX_AREA_FK100", "CTX_AREA_NK100"),
    "buy": _ORDER,
    "sell": _ORDER,
    "cancel": _CHANGE,
    "revise": _CHANGE,
}
_DAYS = ("INQR_STRT_DT", "INQR_END_DT")
_DAY = re.compile("[0-9]{8}")


def malformed(headers: Mapping[str, str], content: Any) -> gateway.Fault | None:
    """What the gateway has against the way in which a body is sent; None where it has nothing."""
    if not headers.get("content-type", "").startswith("application/json"):
        return gateway.BAD_TYPE
    return gateway.CHUNKED if "content-length" not in headers or not isinstance(content, dict) else None


def unfit(name: str, fields: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The answer to fields that are missing, or are no text, or not in capitals; None where they are all fit."""
    for key in ("CANO", "ACNT_PRDT_CD", *_NEEDED[name]):
        if key not in fields:
            return refusal("OPSQ2001", f"ERROR INPUT FIELD NOT FOUND [{key}]", rt_cd="2")
    wrong = next((key for key, value in fields.items() if not isinstance(value, str) or key != key.upper()), None)
    wrong = wrong or next((key for key in _DAYS if not _DAY.fullmatch(fields.get(key, "00000101"))), None)
    return refusal("OPSQ2002", f"ERROR INVALID INPUT FIELD [{wrong}]", rt_cd="2") if wrong else None


def order(
    exchange: Exchange, account: str, name: str, fields: Mapping[str, str], handling: Handling | None
) -> dict[str, Any]:
    """The answer to a buy, a sell, a cancel or a change."""
    quantity, price = _number(fields["ORD_QTY"]), _number(fields["ORD_UNPR"])
    if quantity is None or price is None:
        return refusal("OPSQ2002", "ERROR INVALID INPUT FIELD [ORD_QTY/ORD_UNPR]", rt_cd="2")
    if fields["ORD_DVSN"] not in (LIMIT, MARKET) or fields.get("EXCG_ID_DVSN_CD", "") not in ("", "KRX"):
        return refusal(NOT_OFFERED.code, NOT_OFFERED.text)
    at_market = fields["ORD_DVSN"] == MARKET
    if at_market or name == "cancel":
        price = 0
    elif price == 0:
        return refusal(BEYOND_LIMIT.code, BEYOND_LIMIT.text)
    if name in ("buy", "sell"):
        if quantity == 0:
            return refusal("OPSQ2002", "ERROR INVALID INPUT FIELD [ORD_QTY]", rt_cd="2")
        wish = Wish(fields["PDNO"].strip(), "buy" if name == "buy" else "sell", quantity, price)
        done = exchange.submit(account, wish, handling)
    else:
        part = None if fields["QTY_ALL_ORD_YN"] == "Y" else quantity
        number = fields["ORGN_ODNO"]
        done = (
            exchange.cancel(account, number, part)
            if name == "cancel"
            else exchange.revise(account, number, part, price)
        )
    return refusal(done.code, done.text) if isinstance(done, Refusal) else answers.acknowledged(done)


def _number(text: str) -> int | None:
    """A whole number in digits; None where it is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() else None
