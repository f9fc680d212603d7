"""Every order is for a whole number of shares, one at least.

The exchange trades whole shares, and an order for none is a mistake somewhere before it.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R03.7"]


def check(next_open_plan: dict[str, Any]) -> Iterator[Judged]:
    """Judges each order's quantity."""
    for index, order in enumerate(next_open_plan["orders"]):
        quantity = order["quantity"]
        ok = type(quantity) is int and quantity >= 1
        says = f"{quantity!r} is no whole number of shares from one up"
        yield judged(f"/orders/{index}/quantity", ok=ok, says=says, actual=quantity)
