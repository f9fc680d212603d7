"""Every order stands on a bar of the signal session itself, at its close, on which the name was traded.

A halted or stale name has a price at which nobody can trade now.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from quantassay.findings import Judged, judged

RULES = ["R02.4"]


def check(
    next_open_plan: dict[str, Any], signals: dict[str, Any], evaluation_bars: dict[str, Any], bars: pl.DataFrame
) -> Iterator[Judged]:
    """Judges the signal session, and the raw bar of each order."""
    session, latest = next_open_plan["signal_session"], evaluation_bars["session"]
    says = f"the plan signals on {session}, and the latest complete session is {latest}"
    yield judged("/signal_session", ok=session == latest, says=says, expected=latest, actual=session)
    tickers = [order["ticker"] for order in next_open_plan["orders"]]
    day = bars.filter((pl.col("session") == date.fromisoformat(latest)) & pl.col("ticker").is_in(tickers))
    traded = {ticker: (close, volume) for ticker, close, volume in day.select("ticker", "close", "volume").iter_rows()}
    decided = {row["ticker"]: row["session"] for row in signals["names"]}
    for index, order in enumerate(next_open_plan["orders"]):
        ticker = order["ticker"]
        close, volume = traded.get(ticker, (None, None))
        own = decided.get(ticker)
        says = f"{ticker} was judged on its bar of {own}, not of {latest}"
        yield judged(f"/orders/{index}/ticker", ok=own == latest, says=says, expected=latest, actual=own)
        says = f"{ticker} did not trade on {latest}, or not at this close"
        reference, known = order["reference_close"], None if close is None else f"{close:.0f}"
        ok = bool(volume) and close == reference
        yield judged(f"/orders/{index}/reference_close", ok=ok, says=says, expected=known, actual=reference)
