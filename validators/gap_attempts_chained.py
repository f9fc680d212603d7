"""Every attempt on a gap that `assay probe` recorded follows on the one before, unchanged, and logged in nowhere.

What was tried is evidence only as long as nobody could have written it afterwards.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

import rfc8785

from quantassay.findings import Judged, judged

RULES = ["R10.6"]


def check(gap_attempts: list[dict[str, Any]], data_gaps_roadmap_spec: dict[str, Any]) -> Iterator[Judged]:
    """Judges the number of each attempt, its link to the one before, its gap, its transcript and its login."""
    gaps = {gap["id"] for gap in data_gaps_roadmap_spec["gaps"]}
    previous: dict[str, Any] | None = None
    for number, one in enumerate(sorted(gap_attempts, key=lambda attempt: int(attempt["id"][1:])), start=1):
        place = f"/{one['id']}"
        says = "an attempt before it is missing, or two have one number"
        yield judged(f"{place}/id", ok=int(one["id"][1:]) == number, says=says, expected=f"P{number:04}")
        digest = None if previous is None else _digest(previous)
        says = "the attempt before it is not the one that it followed on"
        yield judged(f"{place}/previous", ok=one["previous"] == digest, says=says, expected=digest)
        says = "it was made before the one before it"
        ok = previous is None or previous["at"] <= one["at"]
        yield judged(f"{place}/at", ok=ok, says=says, expected=previous and f"{previous['at']} or later")
        yield judged(f"{place}/gap", ok=one["gap"] in gaps, says=f"there is no gap {one['gap']}")
        says = "its transcript is that of another attempt"
        ok = one["transcript"]["file"].startswith(f"{one['id']}_{one['gap']}_")
        yield judged(f"{place}/transcript/file", ok=ok, says=says)
        yield judged(f"{place}/login", ok=one["login"] is False, says="somebody was logged in")
        outcomes = {answer["outcome"] for answer in one["answers"]}
        says = "its outcome is not that of its answers"
        ok = one["outcome"] == (next(iter(outcomes)) if len(outcomes) == 1 else "mixed")
        yield judged(f"{place}/outcome", ok=ok, says=says)
        previous = one


def _digest(value: Any) -> str:
    return "sha256:" + hashlib.sha256(rfc8785.dumps(value) + b"\n").hexdigest()
