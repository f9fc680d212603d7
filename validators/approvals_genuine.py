"""Every approval is one that its approver gave, for this desk and in the form that governance asks for.

A copied, edited, self-given or overdue approval looks on paper exactly like a good one.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R09.2", "R09.4"]
LATE = ("expired", "not_yet", "stale")


def check(approval_states: dict[str, Any]) -> Iterator[Judged]:
    """Judges each approval twice: whether it may count at all, and whether it counts today."""
    for index, one in enumerate(approval_states["approvals"]):
        says = f"{one['id']} of {one['subject'].replace('_', ' ')} {one['name']} by {one['approver']}: {one['why']}"
        late, good = one["state"] in LATE, one["state"] == "in_force"
        pointer = f"/approvals/{index}"
        yield judged(pointer, ok=good or late, says=says, expected="in_force", actual=one["state"], rule="R09.2")
        if good or late:
            yield judged(pointer, ok=good, says=says, expected="in_force", actual=one["state"], rule="R09.4")
