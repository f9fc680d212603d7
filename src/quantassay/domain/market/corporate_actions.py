"""Base prices that were changed: moves from close to close that the daily limit makes impossible."""

from fractions import Fraction

import polars as pl

from quantassay.domain.market.price_rules import PriceRules, limit_percent

# A first sieve in floating point, wide enough to let every true case through to the exact test.
SIEVE = 0.999


def suspected(bars: pl.DataFrame, rules: PriceRules, kind: str, rounding_krw: int) -> pl.DataFrame:
    """One row for each bar whose close lies beyond the daily limit around the close before it.

    Columns: ticker, session, close, previous_session, previous_close, position (of the bar in its ticker, from 0). The
    limit is compared exactly and widened by `rounding_krw` won. A ticker's first bar has no close before it and is not
    suspected: it may be the listing day, for which other limits hold. `bars` is sorted by ticker and session.
    Raises UnknownKind, NoPriceRule for dates before the first limit.
    """
    before = pl.col("session", "close").shift(1).over("ticker").name.prefix("previous_")
    position = pl.int_range(pl.len()).over("ticker").alias("position")
    pairs = bars.select("ticker", "session", "close", before, position).filter(
        pl.col("previous_close") > 0, pl.col("close") > 0
    )
    days = pairs["session"].unique()
    percents = pl.DataFrame(
        {"session": days, "percent": [limit_percent(rules, day, kind) for day in days]},
        schema={"session": pl.Date, "percent": pl.Int64},
    )
    move = (pl.col("close") - pl.col("previous_close")).abs() * 100
    sieved = pairs.join(percents, on="session", how="left", maintain_order="left").filter(
        move > pl.col("percent") * pl.col("previous_close") * SIEVE
    )
    beyond = [
        is_beyond(row["previous_close"], row["close"], row["percent"], rounding_krw)
        for row in sieved.iter_rows(named=True)
    ]
    return sieved.filter(pl.Series(beyond, dtype=pl.Boolean)).drop("percent")


def is_beyond(previous: float, close: float, percent: int, rounding_krw: int) -> bool:
    """Whether the move from one close to the next is more than the limit allows, exactly as the prices are written."""
    base, price = Fraction(repr(previous)), Fraction(repr(close))
    width = base * percent / 100
    return price - rounding_krw > base + width or price + rounding_krw < base - width
