"""Every limit price stands on a tick and inside the day's price limit.

The exchange refuses any other price, so the order would never reach the book.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R03.6"]


def check(
    next_open_plan: dict[str, Any],
    next_session: dict[str, Any],
    quality_limits: dict[str, Any],
    price_rules: dict[str, Any],
) -> Iterator[Judged]:
    """Judges the kind of paper whose rules were used, and each order's limit price; without rules there is no order."""
    kind, day = quality_limits["price_kind"].get(next_session["market"]), next_open_plan["execution_session"]
    used, orders = next_session["price_kind"], next_open_plan["orders"]
    says = f"prices were made for {used}, and the desk trades {kind}"
    yield judged("/price_kind", ok=used == kind, says=says, expected=kind, actual=used, artifact="next_session")
    if kind is None:
        says = f"{len(orders)} orders are made for {next_session['market']}, where nothing says what a price may be"
        yield judged("/orders", ok=not orders, says=says, expected=0, actual=len(orders))
        return
    tables = price_rules["kinds"][kind]
    rows = [table for table in price_rules["ticks"][tables["ticks"]] if table["from"] <= day][-1]["rows"]
    percent = [table for table in price_rules["limits"][tables["limits"]] if table["from"] <= day][-1]["percent"]
    for index, order in enumerate(orders):
        price, base = order["limit_price"], order["reference_close"]
        tick = _tick(rows, price)
        says = f"{price:,} is on no tick of {tick:,}"
        yield judged(f"/orders/{index}/limit_price", ok=price % tick == 0, says=says, actual=price)
        # The exchange cuts the width to whole ticks of the base price.
        width = base * percent // 100 // _tick(rows, base) * _tick(rows, base)
        says = f"{price:,} is more than {percent} % ({width:,} won) from {base:,}"
        yield judged(f"/orders/{index}/limit_price", ok=abs(price - base) <= width, says=says, actual=price)


def _tick(rows: list[dict[str, int]], price: int) -> int:
    return next(row["tick"] for row in rows if price < row.get("below", price + 1))
