"""The universe holds exactly the names that its rules choose, in their order, and its list is recent.

A name that slipped in is bought without anybody having chosen it; a list of last month chooses for another market.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from quantassay.domain.agreement import agree
from quantassay.findings import Judged, judged

RULES = ["R02.3"]


def check(
    universe: dict[str, Any],
    bars: pl.DataFrame,
    evaluation_bars: dict[str, Any],
    universe_rules: dict[str, Any],
    universe_import: dict[str, Any] | None,
    account_snapshot: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each field of each name, what was left out, that somebody was chosen, and the age of the list."""
    listed = universe_import["names"] if universe_import is not None else []
    names = {row["ticker"]: row["name"] for row in listed}
    wanted = universe_rules["source"]
    imported = wanted == "imported" or (wanted == "auto" and universe_import is not None)
    session = evaluation_bars["session"]
    if imported:
        session = universe_import["session"] if universe_import is not None else session
        offered = [(row["ticker"], row["close"], row["turnover"]) for row in listed]
    else:
        offered = _by_turnover(bars, evaluation_bars)
    chosen: list[dict[str, Any]] = []
    low = full = 0
    for ticker, close, turnover in offered:
        if close < universe_rules["minimum_close"] or turnover < universe_rules["minimum_turnover"]:
            low += 1
        elif len(chosen) == universe_rules["limit"]:
            full += 1
        else:
            chosen.append(_name(ticker, names, close, turnover, held_only=False))
    present = [row["ticker"] for row in chosen]
    held = sorted({row["ticker"] for row in account_snapshot["holdings"] if row["quantity"]} - set(present))
    expected = {
        "source": "imported" if imported else "turnover",
        "session": session,
        "considered": len(offered),
        "below_floors": low,
        "beyond_limit": full,
        "names": chosen + [_name(ticker, names, None, None, held_only=True) for ticker in held],
    }
    yield from agree(universe, expected, "is not what the universe rules choose")
    says = "chooses nobody; import a list with names, or lower the floors in 14_universe_rules"
    yield judged("/names", ok=bool(chosen), says=says)
    yield _age(session, evaluation_bars, universe_rules["largest_import_age_days"])


def _by_turnover(bars: pl.DataFrame, evaluation_bars: dict[str, Any]) -> list[tuple[str, int, int]]:
    session = evaluation_bars["session"]
    decided = {row["ticker"] for row in evaluation_bars["names"] if row["session"] == session}
    day = bars.filter(pl.col("session") == date.fromisoformat(session)).select("ticker", "close", "volume")
    found = [
        (ticker, int(close), int(close) * volume)
        for ticker, close, volume in day.iter_rows()
        if ticker in decided and close is not None and float(close).is_integer() and volume is not None
    ]
    return sorted(found, key=lambda row: (-row[2], row[0]))


def _name(
    ticker: str, names: dict[str, str], close: int | None, turnover: int | None, *, held_only: bool
) -> dict[str, Any]:
    name = names.get(ticker, ticker)
    return {"ticker": ticker, "name": name, "close": close, "turnover": turnover, "held_only": held_only}


def _age(session: str, evaluation_bars: dict[str, Any], most: int) -> Judged:
    age = (date.fromisoformat(evaluation_bars["session"]) - date.fromisoformat(session)).days
    ok = age <= most and session <= evaluation_bars["day"]
    says = f"the list is of {session}; import one of {evaluation_bars['session']}, or of at most {most} days before it"
    return judged("/session", ok=ok, says=says, expected=evaluation_bars["session"], actual=session)
