"""Adjusted against raw prices: where their ratio changes there was an action, where only one of them jumps an error.

The factor of a session is its adjusted close over its raw close. It stands still between two actions; rounding of the
adjusted prices moves it a little, so a change counts only where the two factors cannot be one even if each adjusted
close is off by one unit of the last decimal that the series has, and where it is larger than the least change.

What prices alone cannot show: that a dividend was left out of the adjusted series (a factor that never changes may be
right), a split whose factor is wrong by less than a day can move, and which of two series is the wrong one.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl

from quantassay.domain.market.corporate_actions import SIEVE

MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Change:
    """A session from which on the factor is another one.

    `factor` is what the action did to the price: 1/5 for a split of one share into five. `raw` and `adjusted` are the
    day's moves, close over close before, in the two series. `worse`: the factor is large, and it makes the day's move
    larger instead of smaller, so nothing in the raw prices answers to it. `position` is the raw bar's in its name.
    """

    ticker: str
    session: date
    previous_session: date
    position: int
    factor: Fraction
    raw: Fraction
    adjusted: Fraction
    material: bool
    worse: bool


@dataclass(frozen=True, slots=True)
class Steps:
    """Which changes of the factor count: at least `least`, as a share; from `material` on they must have a reason."""

    least: Fraction
    material: Fraction


def decimals(usable: pl.DataFrame) -> dict[str, int]:
    """How many decimals the closes of each name have, at most MOST_DECIMALS: to what its adjusted prices are rounded.

    `usable` is sorted by ticker.
    """
    if usable.is_empty():
        return {}
    closes = usable["close"].to_numpy()
    runs = usable["ticker"].rle()
    lengths = runs.struct.field("len").to_numpy().astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    needed = np.full(len(starts), MOST_DECIMALS)
    for places in range(MOST_DECIMALS - 1, -1, -1):
        # numpy divides; polars multiplies by the reciprocal of a constant, which is a bit off.
        fits = np.round(closes * 10.0**places) / 10.0**places == closes
        needed[np.logical_and.reduceat(fits, starts)] = places
    return dict(zip(runs.struct.field("value").to_list(), needed.tolist(), strict=True))


def changes(raw: pl.DataFrame, adjusted: pl.DataFrame, unit: dict[str, int], steps: Steps) -> list[Change]:
    """Every change of the factor, by ticker and session.

    Args:
        raw: bars whose closes can be compared, sorted: ticker, session, close, position
        adjusted: the same of the adjusted series
        unit: the decimals of each name's adjusted closes
        steps: which changes count
    """
    both = raw.select("ticker", "session", "position", "close").join(
        adjusted.select("ticker", "session", pl.col("close").alias("adjusted")),
        on=["ticker", "session"],
        how="inner",
        maintain_order="left",
    )
    before = pl.col("session", "close", "adjusted").shift(1).name.prefix("previous_")
    pairs = both.with_columns(before, (pl.col("ticker") == pl.col("ticker").shift(1)).alias("same"))
    ratio = (pl.col("adjusted") * pl.col("previous_close")) / (pl.col("previous_adjusted") * pl.col("close"))
    sieved = pairs.filter("same", (ratio - 1).abs() >= float(steps.least) * SIEVE)
    found = (_change(row, Fraction(1, 10 ** unit[row["ticker"]]), steps) for row in sieved.iter_rows(named=True))
    return [change for change in found if change is not None]


def _change(row: dict[str, Any], unit: Fraction, steps: Steps) -> Change | None:
    names = ("previous_close", "close", "previous_adjusted", "adjusted")
    r0, r1, a0, a1 = (Fraction(repr(row[name])) for name in names)
    apart = (a1 + unit) * r0 < (a0 - unit) * r1 or (a0 + unit) * r1 < (a1 - unit) * r0
    if not apart or abs((a1 * r0) / (a0 * r1) - 1) < steps.least:
        return None
    factor = (a0 * r1) / (a1 * r0)
    moved, kept = r1 / r0, a1 / a0
    material = abs(factor - 1) >= steps.material
    return Change(
        ticker=str(row["ticker"]),
        session=row["session"],
        previous_session=row["previous_session"],
        position=row["position"],
        factor=factor,
        raw=moved,
        adjusted=kept,
        material=material,
        worse=material and max(kept, 1 / kept) > max(moved, 1 / moved),
    )
