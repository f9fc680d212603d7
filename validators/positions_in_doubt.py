"""Each position stands on the bar that decides for its name, and every doubt about its data is told.

A doubt that is not told lets a position be held on a price that is none.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R13.2"]
SAYS = "is not what the deciding bars, the calendar and the data quality give"


def check(
    positions: dict[str, Any],
    trading_calendar: dict[str, Any],
    evaluation_bars: dict[str, Any],
    data_quality: dict[str, Any],
) -> Iterator[Judged]:
    """Judges of each position its session, the time it is held, its doubts; and the session of the list."""
    decided = {row["ticker"]: row["session"] for row in evaluation_bars["names"]}
    quality = {row["ticker"]: row for row in data_quality["names"]}
    disputed = {row["date"] for row in trading_calendar["disputed"]}
    today, sessions = date.fromisoformat(evaluation_bars["day"]), trading_calendar["sessions"]
    seen, expected = [], []
    for row in positions["rows"]:
        last, entered = decided.get(row["ticker"]), row["entry_date"]
        own = quality.get(row["ticker"], {"doubts": ["no_complete_bar"], "actions": []})
        suspected = [action["session"] for action in own["actions"] if action["allowed"] is None]
        spoiled = bool(entered and last) and any(entered < session <= last for session in suspected)
        doubts = set(own["doubts"])
        doubts |= {"disputed_session"} if last in disputed else set()
        doubts |= {"action_since_entry"} if spoiled else set()
        held = None
        if last and entered and entered >= trading_calendar["first"]:
            held = max(sum(entered <= session <= last for session in sessions) - 1, 0)
        expected.append(
            {
                "session": last,
                "sessions_held": held,
                "days_held": (today - date.fromisoformat(entered)).days if entered else None,
                "doubts": sorted(doubts),
                "base_changed": spoiled,
            }
        )
        seen.append({name: row[name] for name in expected[-1]})
    actual = {"session": positions["session"], "rows": seen}
    yield from agree(actual, {"session": evaluation_bars["session"], "rows": expected}, SAYS)
