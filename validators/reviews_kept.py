"""Every threshold is looked at again by the day that was set for it.

A number that nobody looks at again stays right only by luck.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R08.7"]


def check(calibration: dict[str, Any], as_of: str) -> Iterator[Judged]:
    """Judges the review date of each threshold."""
    day = datetime.fromisoformat(as_of).date()
    for index, row in enumerate(calibration["thresholds"]):
        late = (day - date.fromisoformat(row["review_on"])).days
        says = f"the review of {row['id']} by {row['owner']} was due on {row['review_on']}, {late} days ago"
        yield judged(f"/thresholds/{index}/review_on", ok=late <= 0, says=says)
