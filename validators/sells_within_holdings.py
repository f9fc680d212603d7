"""No sell takes more shares than the account holds.

A cash account cannot sell short, and the broker would refuse the order at the open.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from math import floor
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R03.3"]


def check(next_open_plan: dict[str, Any], account_snapshot: dict[str, Any]) -> Iterator[Judged]:
    """Judges each sell, together with the sells of the same name before it."""
    held: Counter[str] = Counter()
    for row in account_snapshot["holdings"]:
        held[row["ticker"]] += floor(Decimal(row["quantity"]))
    sold: Counter[str] = Counter()
    for index, order in enumerate(next_open_plan["orders"]):
        if order["side"] == "sell":
            ticker = order["ticker"]
            sold[ticker] += order["quantity"]
            says = f"{sold[ticker]:,} shares of {ticker} are to be sold and {held[ticker]:,} are held"
            ok = sold[ticker] <= held[ticker]
            yield judged(f"/orders/{index}/quantity", ok=ok, says=says, expected=held[ticker], actual=sold[ticker])
