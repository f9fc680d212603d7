"""The plan keeps to the largest number of positions, the largest buy, and the largest share of a day's turnover.

One order too large moves the price that it hopes to get; one position too many breaks the risk budget.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R03.5"]


def check(
    next_open_plan: dict[str, Any], next_open: dict[str, Any], account_snapshot: dict[str, Any], signals: dict[str, Any]
) -> Iterator[Judged]:
    """Judges the positions after the plan, and each buy's value and share of the mean daily volume."""
    limits = next_open["limits"]
    volumes = {row["ticker"]: row["volume_average"] for row in signals["names"]}
    orders = list(enumerate(next_open_plan["orders"]))
    buys = {order["ticker"] for _, order in orders if order["side"] == "buy"}
    kept = {row["ticker"] for row in account_snapshot["holdings"] if Fraction(row["quantity"]) > 0}
    if next_open["count_on_sells"]:
        kept -= {order["ticker"] for _, order in orders if order["side"] == "sell"}
    after, most = len(kept | buys), limits["max_positions"]
    says = f"buys lead to {after} positions, and {most} are allowed"
    # More names than allowed may be held already; then nothing may be bought, and nothing needs to be sold.
    yield judged("/orders", ok=not buys or after <= most, says=says, expected=most, actual=after)
    for index, order in orders:
        if order["side"] == "buy":
            yield _value(index, order, limits["cash_per_trade"])
            yield _share(index, order, volumes.get(order["ticker"]), Fraction(limits["largest_turnover_share"]))


def _value(index: int, order: dict[str, Any], most: int) -> Judged:
    value = order["quantity"] * order["limit_price"]
    says = f"may cost {value:,} won, and {most:,} are allowed for one buy"
    return judged(f"/orders/{index}/value", ok=value <= most, says=says, expected=most, actual=value)


def _share(index: int, order: dict[str, Any], volume: str | None, most: Fraction) -> Judged:
    usual = Fraction(volume or 0)
    says = f"{order['quantity']:,} shares are over {float(most):.2%} of the {float(usual):,.0f} traded on a usual day"
    return judged(f"/orders/{index}/quantity", ok=order["quantity"] <= most * usual, says=says)
