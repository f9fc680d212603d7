"""Which names are looked at: an imported list, or those with the largest turnover in a session."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl


@dataclass(frozen=True, slots=True)
class Listed:
    """One name that may enter the universe: its close in won and its turnover of the day in won."""

    ticker: str
    name: str
    close: int
    turnover: int


@dataclass(frozen=True, slots=True)
class Floors:
    """The least close and the least turnover, both in won and both included, and how many names at most."""

    close: int
    turnover: int
    limit: int


@dataclass(frozen=True, slots=True)
class Selection:
    """The names taken, in order, and how many were left out for which reason."""

    taken: tuple[Listed, ...]
    considered: int
    below_floors: int
    beyond_limit: int


def floors(rules: Mapping[str, Any]) -> Floors:
    """The floors in the spec `universe_rules`."""
    return Floors(rules["minimum_close"], rules["minimum_turnover"], rules["limit"])


def select(listed: Sequence[Listed], at_least: Floors) -> Selection:
    """The first names, in the order given, that reach both floors."""
    fit = [one for one in listed if one.close >= at_least.close and one.turnover >= at_least.turnover]
    taken = tuple(fit[: at_least.limit])
    return Selection(taken, len(listed), len(listed) - len(fit), len(fit) - len(taken))


def by_turnover(session_bars: pl.DataFrame, names: Mapping[str, str]) -> list[Listed]:
    """One session's bars as names, the largest close times volume first, then by ticker.

    Args:
        session_bars: `ticker`, `close`, `volume`, one row a ticker; a close that is no whole won is left out
        names: what to call a ticker; one that is not among them is called by its ticker
    """
    price = pl.col("close")
    whole = session_bars.filter(price.is_finite() & (price == price.floor()) & pl.col("volume").is_not_null())
    ranked = whole.select("ticker", price.cast(pl.Int64), turnover=price.cast(pl.Int64) * pl.col("volume")).sort(
        "turnover", "ticker", descending=[True, False]
    )
    return [Listed(ticker, names.get(ticker, ticker), *figures) for ticker, *figures in ranked.iter_rows()]


def from_import(rows: Iterable[Mapping[str, Any]]) -> list[Listed]:
    """The names of an imported list, in its order."""
    return [Listed(row["ticker"], row["name"], row["close"], row["turnover"]) for row in rows]
