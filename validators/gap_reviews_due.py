"""No review of a data gap is overdue, and none is waited for since an attempt was answered.

A wall that has fallen is noticed by nobody who does not look.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R10.3"]


def check(data_gaps_roadmap: dict[str, Any]) -> Iterator[Judged]:
    """Judges the review of each gap, and whether an answer waits for one."""
    day = data_gaps_roadmap["day"]
    for number, gap in enumerate(data_gaps_roadmap["gaps"]):
        review = gap["review"]
        says = f"the review of {gap['id']} {gap['title']} is overdue since {review['date']}: {review['action']}"
        yield judged(f"/gaps/{number}/review/date", ok=review["date"] >= day, says=says, actual=review["date"])
        says = f"{gap['id']} {gap['title']} was answered and may be closable, and nobody reviewed it since"
        waits = gap["answered_on"] is not None
        yield judged(f"/gaps/{number}/answered_on", ok=not waits, says=says, actual=gap["answered_on"])
