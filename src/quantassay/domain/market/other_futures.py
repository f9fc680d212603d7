"""The same market with another future: what came after a session deleted, shuffled, or poisoned.

A decision made at the end of the session must come out the same in all of them.
"""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

import polars as pl

DELETED, SHUFFLED, POISONED = "deleted", "shuffled", "poisoned"
PRICES = ("open", "high", "low", "close")
# Far outside of what any market does in a day, up and down, and no prices at all.
_FACTORS = (1000.0, 0.001, -1.0, float("nan"))
_SHARES = 10**12


def other_futures(bars: pl.DataFrame, last: date) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each kind of change with the bars so changed; bars up to the session `last` stay as they are, to the bit.

    `bars` has ticker, session, PRICES, volume, and is sorted by ticker and session; so are the results.
    """
    after = pl.col("session") > last
    yield DELETED, bars.filter(~after)
    yield SHUFFLED, _with(bars, after, _shuffled(bars.filter(after)))
    yield POISONED, _with(bars, after, _poisoned(bars.filter(after)))


def some_names(names: list[str], most: int, always: set[str]) -> list[str]:
    """At most so many of the names, spread evenly over them; those of `always` first, as far as they are among them."""
    kept = [name for name in names if name in always][:most]
    others = [name for name in names if name not in kept]
    wanted = min(most - len(kept), len(others))
    step = Fraction(len(others), wanted) if wanted else Fraction(1)
    return sorted([*kept, *(others[int(step * place)] for place in range(wanted))])


def _with(bars: pl.DataFrame, after: pl.Expr, changed: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([bars.filter(~after), changed]).sort("ticker", "session", maintain_order=True)


def _shuffled(rows: pl.DataFrame) -> pl.DataFrame:
    """The figures of the rows dealt to other names and days: backwards, so that nearly none stays where it was."""
    figures = [name for name in rows.columns if name not in ("ticker", "session")]
    return rows.with_columns(pl.col(figures).reverse())


def _poisoned(rows: pl.DataFrame) -> pl.DataFrame:
    turn = pl.int_range(pl.len()) % len(_FACTORS)
    factor = turn.replace_strict(list(range(len(_FACTORS))), list(_FACTORS), return_dtype=pl.Float64)
    return rows.with_columns(pl.col(PRICES) * factor, pl.col("volume") * 0 + _SHARES)
