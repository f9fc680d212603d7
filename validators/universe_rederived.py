"""The universe holds exactly the names that its rules choose, in their order, and its list is recent.

A name that slipped in is bought without anybody having chosen it; a list of last month chooses for another market.
"""

import math
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from typing import Any

import polars as pl

from quantassay.domain.agreement import agree
from quantassay.findings import Judged, judged

RULES = ["R02.3"]
# More decimals no double has: each halving of the last bit adds one.
MOST_PLACES = 1100


def check(  # noqa: PLR0913, PLR0917 - what it names is what it reads
    universe: dict[str, Any],
    bars: pl.DataFrame,
    evaluation_bars: dict[str, Any],
    universe_rules: dict[str, Any],
    universe_import: dict[str, Any] | None,
    account_snapshot: dict[str, Any],
    trading_calendar: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each field of each name, what was left out, that somebody was chosen, and the age of the list."""
    listed = universe_import["names"] if universe_import is not None else []
    names = {row["ticker"]: row["name"] for row in listed}
    wanted = universe_rules["source"]
    imported = wanted == "imported" or (wanted == "auto" and universe_import is not None)
    session = evaluation_bars["session"]
    if imported:
        session = universe_import["session"] if universe_import is not None else session
        offered = [(row["ticker"], Fraction(row["close"]), Fraction(row["turnover"])) for row in listed]
    else:
        offered = _by_turnover(bars, evaluation_bars)
    chosen: list[dict[str, Any]] = []
    low = full = 0
    money = trading_calendar["currency"]
    least, least_a_day = (Fraction(universe_rules[f"minimum_{name}"][money]) for name in ("close", "turnover"))
    for ticker, close, turnover in offered:
        if close < least or turnover < least_a_day:
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


def _by_turnover(bars: pl.DataFrame, evaluation_bars: dict[str, Any]) -> list[tuple[str, Fraction, Fraction]]:
    session = evaluation_bars["session"]
    decided = {row["ticker"] for row in evaluation_bars["names"] if row["session"] == session}
    day = bars.filter(pl.col("session") == date.fromisoformat(session)).select("ticker", "close", "volume")
    found = [
        (ticker, Fraction(str(close)), Fraction(str(close)) * volume)
        for ticker, close, volume in day.iter_rows()
        if ticker in decided and close is not None and 0 < close < math.inf and volume is not None
    ]
    return sorted(found, key=lambda row: (-row[2], row[0]))


def _name(
    ticker: str, names: dict[str, str], close: Fraction | None, turnover: Fraction | None, *, held_only: bool
) -> dict[str, Any]:
    amounts = {"close": _text(close), "turnover": _text(turnover)}
    return {"ticker": ticker, "name": names.get(ticker, ticker), **amounts, "held_only": held_only}


def _text(value: Fraction | None) -> int | str | None:
    """The decimal digits of an amount, as many as it has."""
    if value is None or value.denominator == 1:
        return None if value is None else value.numerator
    places = next(count for count in range(1, MOST_PLACES) if not (value * 10**count).denominator > 1)
    whole, rest = divmod(int(value * 10**places), 10**places)
    return f"{whole}.{rest:0{places}}"


def _age(session: str, evaluation_bars: dict[str, Any], most: int) -> Judged:
    age = (date.fromisoformat(evaluation_bars["session"]) - date.fromisoformat(session)).days
    ok = age <= most and session <= evaluation_bars["day"]
    says = f"the list is of {session}; import one of {evaluation_bars['session']}, or of at most {most} days before it"
    return judged("/session", ok=ok, says=says, expected=evaluation_bars["session"], actual=session)
