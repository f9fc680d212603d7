"""Nothing waits for a person: no halt, no unknown order, no break, no run that was left, no order that was left open.

What waits is no fault of the desk's rules, and nobody looks at it unless he is told.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R16.11"]
WORDS = {
    "halted": "trading is halted; `assay resume` once the reason is gone",
    "unknown_order": "nobody knows whether this order was taken; see `assay orders resolve`",
    "break": "the broker holds other shares of this name than we count; see `assay reconcile`",
    "run_not_done": "this run was begun and is not over; give the same plan again",
    "open_order": "this order is open although no run goes on; see `assay trade cancel-all`",
}


def check(daily_ops: dict[str, Any]) -> Iterator[Judged]:
    """Judges the list of what waits: each entry of it is a finding."""
    yield judged("/attention", ok=True, says="")
    for index, one in enumerate(daily_ops["attention"]):
        says = f"{one['subject']}: {WORDS[one['code']]}"
        yield judged(f"/attention/{index}", ok=False, says=says, actual=one["code"])
