"""Chooses the names to look at: the imported list or the largest turnover, and every name that is held."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from quantassay.domain.figures import amount
from quantassay.domain.market import universe

ORIGINS = {
    "/source": ["universe_rules:/source"],
    "/session": ["universe_import:/session", "evaluation_bars:/session"],
    "/considered": ["universe_import:/names", "evaluation_bars:/names"],
    "/below_floors": [
        "universe_rules:/minimum_close",
        "universe_rules:/minimum_turnover",
        "trading_calendar:/currency",
    ],
    "/beyond_limit": ["universe_rules:/limit"],
    "/names/*/ticker": ["universe_import:/names/{ticker}/ticker", "evaluation_bars:/names/{ticker}/ticker"],
    "/names/*/name": ["universe_import:/names/{ticker}/name"],
    "/names/*/close": ["universe_import:/names/{ticker}/close", "bars:/{ticker}/{session}/close"],
    "/names/*/turnover": ["universe_import:/names/{ticker}/turnover", "bars:/{ticker}/{session}/volume"],
}


def build(
    bars: pl.DataFrame,
    evaluation_bars: dict[str, Any],
    universe_rules: dict[str, Any],
    universe_import: dict[str, Any] | None,
    account_snapshot: dict[str, Any],
    trading_calendar: dict[str, Any],
) -> dict[str, Any]:
    """The names in the order of the source; held names that are not among them follow by ticker, without figures."""
    rows = universe_import["names"] if universe_import else []
    called = {row["ticker"]: row["name"] for row in rows}
    source = universe_rules["source"]
    if source == "auto":
        source = "imported" if universe_import else "turnover"
    if source == "imported":
        session = universe_import["session"] if universe_import else evaluation_bars["session"]
        listed = universe.from_import(rows)
    else:
        session = evaluation_bars["session"]
        listed = universe.by_turnover(_decided_on(bars, evaluation_bars), called)
    chosen = universe.select(listed, universe.floors(universe_rules, trading_calendar["currency"]))
    names = [
        {
            "ticker": one.ticker,
            "name": one.name,
            "close": amount(one.close),
            "turnover": amount(one.turnover),
            "held_only": False,
        }
        for one in chosen.taken
    ]
    return {
        "source": source,
        "session": session,
        "considered": chosen.considered,
        "below_floors": chosen.below_floors,
        "beyond_limit": chosen.beyond_limit,
        "names": names + _held(account_snapshot, chosen, called),
    }


def _decided_on(bars: pl.DataFrame, evaluation_bars: Mapping[str, Any]) -> pl.DataFrame:
    """The bars of the signal session, of the names that it decides."""
    session = evaluation_bars["session"]
    tickers = [row["ticker"] for row in evaluation_bars["names"] if row["session"] == session]
    day = pl.lit(session).str.to_date()
    return bars.filter((pl.col("session") == day) & pl.col("ticker").is_in(tickers))


def _held(
    account_snapshot: Mapping[str, Any], chosen: universe.Selection, called: Mapping[str, str]
) -> list[dict[str, Any]]:
    held = {row["ticker"] for row in account_snapshot["holdings"] if Decimal(row["quantity"]) > 0}
    missing = sorted(held - {one.ticker for one in chosen.taken})
    return [
        {"ticker": ticker, "name": called.get(ticker, ticker), "close": None, "turnover": None, "held_only": True}
        for ticker in missing
    ]
