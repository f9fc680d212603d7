"""The approval list holds the PROVISIONAL thresholds and those whose review is asked for, row by row and nothing else.

Who signs a list signs what stands on it: a row too many is approved without having been looked at.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import rfc8785

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R08.8"]
LEFT = ("spec", "claimed", "noted", "overdue", "next", "plans")
RANKS = ("EXPERT_PRIOR", "PROVISIONAL", "CALIBRATED")


def check(
    calibration_approval_list: dict[str, Any], calibration_backlog: dict[str, Any], calibration: dict[str, Any]
) -> Iterator[Judged]:
    """Judges each field of each row, each row's digest, and the counts of what is not on the list."""
    wanted = dict.fromkeys(calibration["provisional_review"], "PROVISIONAL")
    rows, left = [], dict.fromkeys(RANKS, 0)
    for row in calibration_backlog["thresholds"]:
        source = row["claimed"]
        if source == "PROVISIONAL":
            asks = "CALIBRATED"
        elif source == "EXPERT_PRIOR" and row["id"] in wanted:
            asks = wanted[row["id"]]
        else:
            left[source] += 1
            continue
        shown = {name: value for name, value in row.items() if name not in LEFT} | {"source": source, "asks": asks}
        data = rfc8785.dumps(shown) + bytes([10])
        rows.append({**shown, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}"})
    expected = {
        "head": calibration_backlog["head"],
        "overclaimed_count": calibration_backlog["overclaimed_count"],
        "left_out": left,
        "rows": rows,
    }
    yield from agree(calibration_approval_list, expected, "is not what the backlog and the registry give")
