"""What is wrong with single bars: prices that are none, bars that contradict themselves, that stand twice or astray.

Nothing is repaired: every fault is a row with its place, and the bar takes part in no comparison of prices. The rules:

* bad_price: high, low or close missing, not a number, infinite, zero or below; an open likewise, but an open that the
  source does not know (missing) is none. A halt written as open = high = low = 0 with a close and no volume is none.
* bad_volume: missing or below zero.
* inconsistent: the high below the low, or open or close outside them by more than the market's rounding.
* duplicate: a further bar of a session that the name has one of; the first one counts.
* unsorted: a bar that stands behind a later one of its name.
"""

from fractions import Fraction

import polars as pl

PRICES = ("open", "high", "low", "close")
VALUES = (*PRICES, "volume")
# As a fault says what was found where a number would be.
NOT_A_NUMBER, INFINITE = "not a number", "infinite"


def is_ordered(bars: pl.DataFrame) -> bool:
    """Whether the bars stand by ticker and session."""
    name, day = pl.col("ticker"), pl.col("session")
    later = (name > name.shift(1)) | ((name == name.shift(1)) & (day >= day.shift(1)))
    return bool(bars.select(later.fill_null(value=True).all()).item())


def in_order(bars: pl.DataFrame) -> pl.DataFrame:
    """The bars by ticker and session; bars of one session keep their order. The store keeps them so anyway."""
    return bars if is_ordered(bars) else bars.sort("ticker", "session", maintain_order=True)


def ordered(bars: pl.DataFrame) -> pl.DataFrame:
    """The bars by ticker and session, with their place in the name and what is wrong with it.

    Columns: ticker, session, open, high, low, close, volume, position (from 0), repeated (a further bar of its
    session), late (it stood behind a later bar of its name). Equal sessions keep their order.
    """
    frame = bars.select("ticker", "session", *VALUES)
    name, day = pl.col("ticker"), pl.col("session")
    late = pl.lit(value=False)
    if not is_ordered(frame):
        frame = in_order(frame.with_columns(late=day < day.cum_max().over("ticker")))
        late = pl.col("late").fill_null(value=False)
    new = (name != name.shift(1)).fill_null(value=True)
    row = pl.int_range(pl.len(), dtype=pl.Int64)
    start = pl.when(new).then(row).forward_fill()
    return frame.with_columns(
        (row - start).alias("position"),
        (~new & (day == day.shift(1))).fill_null(value=False).alias("repeated"),
        late.alias("late"),
    )


def usable(rows: pl.DataFrame) -> pl.DataFrame:
    """Of `ordered` bars those whose closes can be compared: one a session, with a finite close above zero."""
    close = pl.col("close")
    return rows.filter(~pl.col("repeated") & close.is_finite().fill_null(value=False) & (close > 0))


def found(rows: pl.DataFrame, rounding: Fraction) -> pl.DataFrame:
    """One row a fault of `ordered` bars: ticker, session, position, kind, column, value (text of what stands there).

    A bar has at most one of bad_price, bad_volume and inconsistent: what it shows first, in this order.
    """
    halted = (pl.col("volume") == 0) & pl.all_horizontal(pl.col(name) == 0 for name in ("open", "high", "low"))
    bad = {name: _is_bad(name) for name in ("close", "high", "low")}
    bad |= {"open": pl.col("open").is_not_null() & _is_bad("open")}
    bad |= {name: bad[name] & ~halted.fill_null(value=False) for name in ("open", "high", "low")}
    price = pl.coalesce(pl.when(bad[name]).then(pl.lit(name)) for name in PRICES)
    volume = pl.when((pl.col("volume") < 0).fill_null(value=True)).then(pl.lit("volume"))
    outside = pl.when(~halted.fill_null(value=False)).then(_outside(float(rounding)))
    marked = rows.with_columns(
        pl.coalesce(price, volume, outside).alias("column"),
        pl.when(price.is_not_null())
        .then(pl.lit("bad_price"))
        .when(volume.is_not_null())
        .then(pl.lit("bad_volume"))
        .when(outside.is_not_null())
        .then(pl.lit("inconsistent"))
        .alias("kind"),
    )
    of_values = marked.filter(pl.col("kind").is_not_null())
    none = pl.lit(None, pl.String)
    repeated = rows.filter("repeated").with_columns(none.alias("column"), pl.lit("duplicate").alias("kind"))
    late = rows.filter("late").with_columns(none.alias("column"), pl.lit("unsorted").alias("kind"))
    columns = ("ticker", "session", "position", "kind", "column", *VALUES)
    return pl.concat([part.select(columns) for part in (of_values, repeated, late)])


def _is_bad(name: str) -> pl.Expr:
    price = pl.col(name)
    return ~(price.is_finite() & (price > 0)).fill_null(value=False)


def _outside(rounding: float) -> pl.Expr:
    """The column that contradicts the others: high, open or close. Prices of any size differ by far more than a bit."""
    opened, high, low, close = (pl.col(name) for name in PRICES)
    return (
        pl.when(high < low)
        .then(pl.lit("high"))
        .when((opened - high > rounding) | (low - opened > rounding))
        .then(pl.lit("open"))
        .when((close - high > rounding) | (low - close > rounding))
        .then(pl.lit("close"))
    )
