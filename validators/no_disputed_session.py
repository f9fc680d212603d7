"""No plan is made for, or signalled on, a date on which the calendar's sources disagree.

If the exchange turns out closed, orders stand for the wrong day; a governed override settles the date beforehand.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R01.2"]


def check(next_open_plan: dict[str, Any], trading_calendar: dict[str, Any]) -> Iterator[Judged]:
    """Judges the signal session, and the way from it to the execution session."""
    signal, execution = next_open_plan["signal_session"], next_open_plan["execution_session"]
    disputed = [row["date"] for row in trading_calendar["disputed"]]
    settle = "is disputed; settle it in governance/calendar_overrides.yaml"
    yield judged("/signal_session", ok=signal not in disputed, says=f"{signal} {settle}", actual=signal)
    on_the_way = next((day for day in disputed if signal < day <= execution), None)
    yield judged("/execution_session", ok=on_the_way is None, says=f"{on_the_way} {settle}", actual=execution)
