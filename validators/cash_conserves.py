"""Cash before a run, less buys, plus sells, is the cash after it but for costs, and these are no more than estimated.

Won that are missing without a cost that explains them were spent by somebody, or counted by nobody.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R16.10"]


def check(execution_report: dict[str, Any], trading_reports: dict[str, Any]) -> Iterator[Judged]:
    """Judges every run whose readings before and after can be compared."""
    for index, run in enumerate(execution_report["runs"]):
        cash = run["cash"]
        if cash["why"] is not None:
            continue
        before, after = cash["before"]["cash"], cash["after"]["cash"]
        spent = before - cash["bought"] + cash["sold"] - after
        orders = sum(len(line["orders"]) for line in run["lines"])
        # A fee and a tax for each order, and one more for what an order of another run may have brought.
        room = 2 * (orders + 1) * trading_reports["rounding_won"]
        most = cash["estimated_costs"] + room
        says = f"{spent:,} won went to costs, and {cash['estimated_costs']:,} were estimated"
        place = f"/runs/{index}/cash/costs"
        yield judged(place, ok=-room <= spent <= most, says=says, expected=cash["estimated_costs"], actual=spent)
