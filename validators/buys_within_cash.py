"""All buys together, with fees at the rates of their day, stay within the cash less its buffer.

What the cash does not cover is refused at the open, or bought on credit.
"""

from collections.abc import Iterator
from fractions import Fraction
from math import ceil
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R03.4"]


def check(
    next_open_plan: dict[str, Any],
    account_snapshot: dict[str, Any],
    next_open: dict[str, Any],
    costs: dict[str, Any],
    next_session: dict[str, Any],
) -> Iterator[Judged]:
    """Judges the rates of the session and of the plan, and the sum of the buys at their limit prices.

    A market without rules for prices has no rates, and nothing is bought there.
    """
    day, orders = next_open_plan["execution_session"], next_open_plan["orders"]
    rates: dict[str, Any] = dict.fromkeys(("fee_bps", "slippage_bps", "sell_tax_bps"))
    if next_session["price_kind"] is not None:
        tax = max((row for row in costs["sell_tax"] if row["from"] <= day), key=lambda row: str(row["from"]))
        rates = {"fee_bps": costs["fee_bps"], "slippage_bps": costs["slippage_bps"], "sell_tax_bps": tax["bps"]}
    for name, rate in rates.items():
        says = f"{name} is not the rate that 18_costs gives for {day}"
        for artifact, place, used in (
            ("next_session", f"/{name}", next_session[name]),
            ("next_open_plan", f"/costs/{name}", next_open_plan["costs"][name]),
        ):
            yield judged(place, ok=used == rate, says=says, expected=rate, actual=used, artifact=artifact)
    if next_session["price_kind"] is None or account_snapshot["currency"] != "KRW":
        says = f"{len(orders)} orders are made without rules for prices, or for money other than won"
        yield judged("/orders", ok=not orders, says=says, expected=0, actual=len(orders))
        return
    cash = account_snapshot["cash"]
    available, needed = cash - ceil(cash * Fraction(next_open["limits"]["cash_buffer"])), 0
    for order in orders:
        value = order["quantity"] * order["limit_price"]
        fee, charge = (ceil(value * Fraction(rates[name]) / 10_000) for name in ("fee_bps", "sell_tax_bps"))
        if order["side"] == "buy":
            needed += value + fee
        elif next_open["count_on_sells"]:
            available += value - fee - charge
    says = f"buys take {needed:,} won with fees, and {available:,} are there after the buffer"
    yield judged("/orders", ok=needed <= max(available, 0), says=says, expected=available, actual=needed)
