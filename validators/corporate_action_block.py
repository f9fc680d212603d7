"""No order is placed for a name whose data are blocked, above all by a suspected corporate action.

After a split that the bars do not know, every average, limit and quantity of the order is off by its factor.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R01.5"]


def check(next_open_plan: dict[str, Any], data_quality: dict[str, Any]) -> Iterator[Judged]:
    """Judges each order; a plan without orders is judged as one."""
    verdicts = {row["ticker"]: row for row in data_quality["names"]}
    orders = next_open_plan["orders"]
    if not orders:
        yield judged("/orders", ok=True, says="orders a blocked name")
    for index, order in enumerate(orders):
        row = verdicts.get(order["ticker"], {"verdict": "unknown", "reasons": ["no bars"]})
        says = f"{order['ticker']} is {row['verdict']} ({', '.join(row['reasons'])}) and must not be traded"
        ok = row["verdict"] in ("ok", "warning")
        yield judged(f"/orders/{index}/ticker", ok=ok, says=says, actual=order["ticker"])
