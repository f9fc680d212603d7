"""The rows of a day's orders, and what the day sums up to; addresses and telephone numbers in them are left behind."""

from collections.abc import Sequence
from dataclasses import replace

from quantassay.domain.trading.book import OrderRow, Side, Totals
from quantassay.kis.fields import Fields
from quantassay.kis.unreadable import KisUnreadable

_SIDES: dict[str, Side] = {"01": "sell", "02": "buy"}


def totals_of(found: Fields) -> Totals:
    """What KIS counts for the day. Raises KisUnreadable."""
    return Totals(
        found.count("tot_ord_qty"),
        found.count("tot_ccld_qty"),
        found.count("tot_ccld_amt"),
        found.count("prsm_tlex_smtl"),
    )


def whole_rows(rows: Sequence[Fields], day: str) -> tuple[OrderRow, ...]:
    """The orders in the order they came, each once. Raises KisUnreadable where one stands there in two versions."""
    found: dict[str, OrderRow] = {}
    for row in rows:
        if row.day("ord_dt") != day:
            raise row.wrong("ord_dt", "is of another day")
        read = _row(row)
        name = read.number.lstrip("0")
        if found.get(name, read) != read:
            raise KisUnreadable(row.what, f"the order {name} stands there twice, in two versions")
        found[name] = read
    return tuple(_with_its_cancel(row, tuple(found.values())) for row in found.values())


def _row(row: Fields) -> OrderRow:
    number = row.text("odno")
    if not number.strip("0"):
        raise row.wrong("odno", "is blank")
    code = row.text("sll_buy_dvsn_cd")
    if code not in _SIDES:
        raise row.wrong("sll_buy_dvsn_cd", "is neither a sale nor a purchase")
    origin = row.optional_text("orgn_odno")
    return OrderRow(
        number=number,
        branch=row.text("ord_gno_brno"),
        origin=origin if origin.strip("0") else "",
        ticker=row.text("pdno"),
        side=_SIDES[code],
        quantity=row.count("ord_qty"),
        price=row.count("ord_unpr"),
        time=row.time("ord_tmd"),
        filled=row.count("tot_ccld_qty"),
        amount=row.count("tot_ccld_amt"),
        remaining=row.count("rmn_qty"),
        cancelled=row.count("cnc_cfrm_qty"),
        rejected=row.count("rjct_qty"),
    )


def _with_its_cancel(row: OrderRow, rows: Sequence[OrderRow]) -> OrderRow:
    """The order with what was cancelled of it, where KIS booked that on the request to cancel instead."""
    left = row.quantity - row.filled - row.remaining - row.cancelled - row.rejected
    if row.origin or left <= 0:
        return row
    name = row.number.lstrip("0")
    booked = sum(other.cancelled for other in rows if other.origin.lstrip("0") == name)
    return replace(row, cancelled=row.cancelled + left) if booked == left else row
