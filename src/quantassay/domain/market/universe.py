"""Which names are looked at: an imported list, or those with the largest turnover in a session."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from quantassay.errors import AssayError


@dataclass(frozen=True, slots=True)
class Listed:
    """One name that may enter the universe: its close and its turnover of the day, exact, in the market's money."""

    ticker: str
    name: str
    close: Decimal
    turnover: Decimal


@dataclass(frozen=True, slots=True)
class Floors:
    """The least close and the least turnover, in the market's money and both included, and how many names at most."""

    close: Decimal
    turnover: Decimal
    limit: int


class NoFloor(AssayError):
    """A market whose currency has no floors."""

    def __init__(self, currency: str, known: Iterable[str]) -> None:
        super().__init__(
            f"spec/14_universe_rules.yaml has no floors in {currency}; it has {', '.join(sorted(known))}; add them"
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """The names taken, in order, and how many were left out for which reason."""

    taken: tuple[Listed, ...]
    considered: int
    below_floors: int
    beyond_limit: int


def floors(rules: Mapping[str, Any], currency: str) -> Floors:
    """The floors of a currency in the spec `universe_rules`. Raises NoFloor."""
    close, turnover = rules["minimum_close"], rules["minimum_turnover"]
    if currency not in close or currency not in turnover:
        raise NoFloor(currency, set(close) & set(turnover))
    return Floors(Decimal(str(close[currency])), Decimal(str(turnover[currency])), rules["limit"])


def select(listed: Sequence[Listed], at_least: Floors) -> Selection:
    """The first names, in the order given, that reach both floors."""
    fit = [one for one in listed if one.close >= at_least.close and one.turnover >= at_least.turnover]
    taken = tuple(fit[: at_least.limit])
    return Selection(taken, len(listed), len(listed) - len(fit), len(fit) - len(taken))


def by_turnover(session_bars: pl.DataFrame, names: Mapping[str, str]) -> list[Listed]:
    """One session's bars as names, the largest close times volume first, then by ticker.

    Args:
        session_bars: `ticker`, `close`, `volume`, one row a ticker; a close that is none, or no volume, is left out
        names: what to call a ticker; one that is not among them is called by its ticker
    """
    price = pl.col("close")
    known = session_bars.filter(price.is_finite() & (price > 0) & pl.col("volume").is_not_null())
    listed = []
    for ticker, close, volume in known.select("ticker", "close", "volume").iter_rows():
        exact = Decimal(repr(close))
        listed.append(Listed(ticker, names.get(ticker, ticker), exact, exact * volume))
    return sorted(listed, key=lambda one: (-one.turnover, one.ticker))


def from_import(rows: Iterable[Mapping[str, Any]]) -> list[Listed]:
    """The names of an imported list, in its order; its amounts are whole numbers or decimal texts."""
    return [
        Listed(row["ticker"], row["name"], Decimal(str(row["close"])), Decimal(str(row["turnover"]))) for row in rows
    ]
