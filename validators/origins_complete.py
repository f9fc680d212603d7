"""Every number and every date in an artifact says which inputs it comes from.

A reader who asks where a number was taken from gets an answer for each, down to the spec line or the bar.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R04.3"]


def check(origin_coverage: list[dict[str, Any]]) -> Iterator[Judged]:
    """Judges each kind of number: that all of them have an origin, and that the origin is an input of the builder."""
    for kind in origin_coverage:
        wrong = []
        if kind["bare"]:
            wrong.append(f"{kind['bare']} of {kind['numbers']} numbers at {kind['kind']} have no origin")
        if kind["unknown"]:
            wrong.append(f"the origin {', '.join(kind['unknown'])} is no input of the builder")
        yield judged(kind["pointer"], ok=not wrong, says="; ".join(wrong), artifact=kind["artifact"])
