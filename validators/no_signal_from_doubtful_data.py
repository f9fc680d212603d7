"""No candidate stands on data that are blocked, old, disputed or unfinished, or on a session that is not over.

A signal from such a bar is a signal about the data and not about the name.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from quantassay.domain.figures import exact
from quantassay.domain.remembered import remembered
from quantassay.findings import Judged, judged

RULES = ["R12.4"]


def check(  # noqa: PLR0913, PLR0917 - what it names is what it reads
    buy_signals: dict[str, Any],
    bars: pl.DataFrame,
    adjusted_bars: pl.DataFrame,
    evaluation_bars: dict[str, Any],
    data_quality: dict[str, Any],
    trading_calendar: dict[str, Any],
    evaluation_bar: dict[str, Any],
    as_of: str,
) -> Iterator[Judged]:
    """Judges the signal session, and each candidate's verdict, session, deciding bar and close."""
    session, found = str(buy_signals.get("session")), buy_signals.get("candidates", [])
    ends = _over(session, trading_calendar, evaluation_bar["grace_minutes"])
    disputed = session in {row["date"] for row in trading_calendar["disputed"]}
    is_over = ends is not None and datetime.fromisoformat(as_of) >= ends
    why = "disputed" if disputed else "over" if is_over else "not over, or no session"
    yield judged("/session", ok=(is_over and not disputed) or not found, says=f"has candidates and is {why}")
    decided = {row["ticker"]: row["session"] for row in evaluation_bars["names"]}
    verdicts = {row["ticker"]: row["verdict"] for row in data_quality["names"]}
    last = {"raw": _on(bars, session), "adjusted": _on(adjusted_bars, session)}
    for at, row in enumerate(found):
        ticker = str(row.get("ticker"))
        verdict, day = verdicts.get(ticker), decided.get(ticker)
        yield judged(f"/candidates/{at}", ok=verdict in ("ok", "warning"), says=f"{ticker} is {verdict or 'unknown'}")
        place = f"/candidates/{at}/session"
        says = f"{ticker} decides on a bar of another session"
        yield judged(place, ok=session == day == row.get("session"), says=says, expected=session, actual=day)
        for basis, member in ((str(row.get("prices")), "close"), ("raw", "raw_close")):
            close, taken = last.get(basis, {}).get(ticker, (None, None))
            early = ends is not None and taken is not None and taken < ends
            shown = row.get(member)
            right = close is not None and shown == exact(close)
            place = f"/candidates/{at}/{member}"
            yield judged(
                place, ok=not early, says=f"{ticker} decides on a bar that was taken before its session was over"
            )
            yield judged(
                place, ok=right, says=f"{ticker} shows another close than its bar", expected=close, actual=shown
            )


@remembered
def _on(bars: pl.DataFrame, session: str) -> dict[str, tuple[float, datetime | None]]:
    """Close and time of each name's bar of the session; of two bars the first counts."""
    day = pl.lit(session).str.to_date(strict=False)
    rows = bars.filter(pl.col("session") == day).select("ticker", "close", "taken_at").rows()
    return {ticker: (close, taken) for ticker, close, taken in reversed(rows)}


def _over(session: str, calendar: dict[str, Any], grace: int) -> datetime | None:
    """When a session is over, the grace in minutes included; None for a day that is none."""
    if session not in calendar["sessions"]:
        return None
    closes = [row["close"] for row in calendar["regular_hours"] if row["from"] <= session]
    closes += [row["close"] for row in calendar["special_sessions"] if row["session"] == session]
    end = datetime.fromisoformat(f"{session}T{closes[-1]}").replace(tzinfo=ZoneInfo(calendar["zone"]))
    return end + timedelta(minutes=grace)
