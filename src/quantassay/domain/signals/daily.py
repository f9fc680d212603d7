"""The bars that the daily rules work on: sorted, without repeats, halts put right, and nothing that is no price.

A bar is usable if its four prices are finite and above 0. Of a day without trading one source writes open, high and
low as 0 (or leaves them out) beside the close, another repeats the close in all four; both mean the same, so both
become the second form. All other bars are left out: no rule can say what they would have been.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from quantassay.domain.signals.indicators import Floats, Layout, layout

PRICES = ("open", "high", "low", "close")
# Bars of a part of a market: enough names to work on at once, few enough that their figures stay in the cache.
PART = 1 << 18


@dataclass(frozen=True, slots=True, eq=False)
class Daily:
    """The usable bars of a market, one row a bar, sorted by name and session.

    `frame` holds the columns of the source as they were; the arrays hold the same rows with halts put right. Prices are
    in the market's currency, volumes in shares, NaN where the source gave none. `made` holds the indicators that were
    asked for so far, see `shared`.
    """

    frame: pl.DataFrame
    layout: Layout
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    made: dict[tuple[str, int], Floats] = field(default_factory=dict, init=False, repr=False)


def daily(bars: pl.DataFrame) -> Daily:
    """The usable bars among these; of several bars of a name and session the first counts.

    Args:
        bars: `ticker`, `session`, `open`, `high`, `low`, `close`, `volume`, in any order; other columns are kept
    """
    once = bars if _ascending(bars) else _sorted_once(bars)
    prices = {name: _numbers(once, name) for name in PRICES}
    close, volume = prices["close"], _numbers(once, "volume")
    empty = [np.isnan(prices[name]) | (prices[name] == 0) for name in PRICES[:3]]
    halted = empty[0] & empty[1] & empty[2] & (volume == 0)
    for name in PRICES[:3]:
        prices[name] = np.where(halted, close, prices[name])
    usable = np.logical_and.reduce([np.isfinite(price) & (price > 0) for price in prices.values()])
    if not usable.all():
        once, volume = once.filter(pl.Series(usable)), volume[usable]
        prices = {name: price[usable] for name, price in prices.items()}
    return Daily(once, layout(once["ticker"]), **prices, volume=volume)


def parts(bars: Daily) -> Iterator[Daily]:
    """The market in parts of whole names, in order; one part, perhaps empty, where it is small.

    What a rule says of a name hangs on no other, so the parts' answers together are the market's, and a bar of a large
    market costs no more than one of a small.
    """
    begin, count = 0, len(bars.close)
    starts = np.flatnonzero(bars.layout.position == 0)
    while count - begin > PART:
        later = starts[np.searchsorted(starts, begin + PART) :]
        if not len(later):
            break
        yield _part(bars, begin, int(later[0]))
        begin = int(later[0])
    yield bars if begin == 0 else _part(bars, begin, count)


def _part(bars: Daily, begin: int, end: int) -> Daily:
    frame = bars.frame.slice(begin, end - begin)
    arrays = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    return Daily(frame, layout(frame["ticker"]), *(array[begin:end] for array in arrays))


def _ascending(bars: pl.DataFrame) -> bool:
    """Whether the bars are sorted by name and session already, each pair once, as the store keeps them."""
    runs = bars["ticker"].rle().struct
    names, lengths = runs.field("value"), runs.field("len").to_numpy()
    days = bars["session"].to_physical().to_numpy()
    later = days[1:] > days[:-1]
    later[np.cumsum(lengths)[:-1] - 1] = True
    return bool(later.all()) and bool((names.head(-1) < names.tail(-1)).all())


def _sorted_once(bars: pl.DataFrame) -> pl.DataFrame:
    ordered = bars.sort("ticker", "session", maintain_order=True)
    repeated = (pl.col("ticker") == pl.col("ticker").shift()) & (pl.col("session") == pl.col("session").shift())
    return ordered.filter(~repeated.fill_null(value=False))


def _numbers(bars: pl.DataFrame, column: str) -> Floats:
    return bars[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
