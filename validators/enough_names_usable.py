"""Enough names of the universe have bars that may be traded on, so that an empty plan means no signal and not no data.

When a feed fails nearly everything is blocked, and a plan without orders would look like a quiet day.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R02.5"]


def check(signals: dict[str, Any], universe_rules: dict[str, Any]) -> Iterator[Judged]:
    """Judges the share of names that nothing is said against."""
    names = signals["names"]
    usable = sum(row["doubt"] is None for row in names)
    least = Fraction(universe_rules["least_usable_share"])
    says = f"only {usable} of {len(names)} names may be traded on, fewer than the share of {least} that is asked for"
    ok = bool(names) and Fraction(usable, len(names)) >= least
    found = f"{usable} of {len(names)}"
    yield judged("/names", ok=ok, says=says, expected=f"at least {float(least):.0%}", actual=found)
