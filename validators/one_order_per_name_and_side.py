"""No name has two orders on the same side.

A doubled order buys or sells twice what was decided.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R03.2"]


def check(next_open_plan: dict[str, Any]) -> Iterator[Judged]:
    """Judges each order against those before it."""
    seen: Counter[tuple[str, str]] = Counter()
    for index, order in enumerate(next_open_plan["orders"]):
        ticker, side = order["ticker"], order["side"]
        seen[ticker, side] += 1
        says = f"is order {seen[ticker, side]} to {side} {ticker}; one is allowed"
        yield judged(f"/orders/{index}", ok=seen[ticker, side] == 1, says=says)
