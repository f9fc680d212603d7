"""No position is held on a price that is missing, old, disputed or doubtful: a person looks at it first.

A hold says that nothing has to be done; nobody can say that of data that are not there.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R13.4"]


def check(sell_signals: dict[str, Any], positions: dict[str, Any], sell_rules: dict[str, Any]) -> Iterator[Judged]:
    """Judges each position: its action by its reasons, and a hold by the data that it stands on."""
    held = {row["ticker"]: row for row in positions["rows"]}
    for index, row in enumerate(sell_signals["rows"]):
        place, effects = f"/rows/{index}/action", {reason["effect"] for reason in row["reasons"]}
        gravest = "SELL" if "SELL" in effects else "REVIEW" if "REVIEW" in effects else "HOLD"
        says = f"{row['ticker']}: the action is not the gravest of its reasons"
        yield judged(place, ok=row["action"] == gravest, says=says, expected=gravest, actual=row["action"])
        doubts = list(_doubts(row, held.get(row["ticker"]), sell_rules["corrections"]))
        says = f"{row['ticker']} is held in spite of {', '.join(doubts)}"
        yield judged(place, ok=row["action"] != "HOLD" or not doubts, says=says, actual=row["action"])


def _doubts(row: dict[str, Any], position: dict[str, Any] | None, corrected: Any) -> Iterator[str]:
    """Why nobody may hold the position; what the older program did not mind counts where it is corrected."""
    if position is None or row["last_close"] is None:
        yield "no_close"
        return
    session, entered = position["session"], position["entry_date"]
    if session is None:
        yield "no_bar"
    if corrected == "all" or "data_doubts" in corrected:
        yield from position["doubts"]
    if (corrected == "all" or "entry_date" in corrected) and session and entered and entered > session:
        yield "entry_after_bar"
