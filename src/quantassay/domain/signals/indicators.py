"""Moving averages, RSI, ATR and rolling figures of every name of a market at once.

All functions take the bars of a market as flat arrays, sorted by name and session, and a `Layout` that says where each
name begins. They do on all names at once, in the same order, what a loop over one name would do: so a plain loop gives
the same numbers to the last bit. Prices are in the market's currency, volumes in shares. A value that is not known yet
is NaN, and no function looks at a later bar.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
# The answer of `bars_since` where there is none.
NEVER = -1
# Rows that are summed at a time: few enough to stay in the processor's cache, so that long windows cost little.
_BLOCK = 1 << 15


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where the bars of each name stand.

    `position` of each bar in its name, from 0; `by_age` the rows ordered so that the first bars of all names come
    first, then their second bars, and so on; `ages` where in `by_age` each of these groups begins, and the end. Of two
    groups the later one holds the same names in the same order; those that have ended are missing at its end.
    """

    position: Ints
    by_age: Ints
    ages: Ints


def layout(names: pl.Series) -> Layout:
    """The layout of bars whose names stand in this column, each name's bars together and ascending in time."""
    lengths = names.rle().struct.field("len").to_numpy().astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    position = np.arange(len(names), dtype=np.int64) - np.repeat(starts, lengths)
    sizes = np.bincount(position) if len(position) else np.empty(0, np.int64)
    longest_first = starts[np.argsort(-lengths, kind="stable")]
    by_age = [longest_first[:size] + age for age, size in enumerate(sizes)]
    ages = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return Layout(position, np.concatenate(by_age) if by_age else position, ages)


def shift(bars: Layout, values: Floats, back: int) -> Floats:
    """Each name's value `back` bars before; NaN where it has none."""
    if back == 0:
        return values
    moved = np.full(len(values), np.nan)
    moved[back:] = values[: max(len(values) - back, 0)]
    moved[bars.position < back] = np.nan
    return moved


def shift_flag(bars: Layout, flags: Bools, back: int) -> Bools:
    """Whether the flag was up `back` bars before; false where the name has no such bar."""
    moved = np.zeros(len(flags), dtype=np.bool_)
    moved[back:] = flags[: max(len(flags) - back, 0)]
    return moved & (bars.position >= back)


def ema(bars: Layout, values: Floats, period: int) -> Floats:
    """Exponential mean with k = 2 / (period + 1), which begins with the first value and is known from it on."""
    return _recurred(bars, values, 2.0 / (period + 1))


def rolling_sum(bars: Layout, values: Floats, period: int) -> Floats:
    """Sum of the last `period` values, this one included, added up from 0 and the oldest value on.

    NaN where one of them is not known. No running sum, whose last digits would depend on bars long past.
    """
    total = _windows_added(values, period)
    total[bars.position < period - 1] = np.nan
    return total


def sma(bars: Layout, values: Floats, period: int) -> Floats:
    """Mean of the last `period` values, this one included: their `rolling_sum` / period."""
    total = rolling_sum(bars, values, period)
    total /= period
    return total


def sma_so_far(bars: Layout, values: Floats, period: int) -> Floats:
    """As `sma`, but where a name has fewer values it is the mean of these."""
    total = _windows_added(values, period)
    young = np.flatnonzero(bars.position < period - 1)
    total[young] = 0.0
    for back in range(period - 1, -1, -1):
        inside = young[bars.position[young] >= back]
        total[inside] += values[inside - back]
    total /= np.minimum(bars.position + 1, period)
    return total


def rolling_std(bars: Layout, values: Floats, period: int, *, freedom: int = 0, mean: Floats | None = None) -> Floats:
    """Standard deviation of the last `period` values, this one included; NaN where one of them is not known.

    The root of the sum of squared distances from their `sma`, added up from the oldest value on, divided by
    period - `freedom`: 0 for the values as they are, 1 for a sample of more. NaN where that divisor is not above 0.
    `mean` is that `sma`, for whoever has it already.
    """
    if period <= freedom:
        return np.full(len(values), np.nan)
    total = _windows_added(values, period, sma(bars, values, period) if mean is None else mean)
    total /= period - freedom
    return np.asarray(np.sqrt(total), dtype=np.float64)


def rolling_max(bars: Layout, values: Floats, period: int) -> Floats:
    """The largest of the last `period` values, this one included; NaN where one of them is not known."""
    return _extreme(bars, values, period, np.maximum)


def rolling_min(bars: Layout, values: Floats, period: int) -> Floats:
    """The least of the last `period` values, this one included; NaN where one of them is not known."""
    return _extreme(bars, values, period, np.minimum)


def rsi(bars: Layout, closes: Floats, period: int, *, flat: float = np.nan) -> Floats:
    """Relative strength index of Wilder (1978): 100 - 100 / (1 + mean gain / mean loss).

    Known from the `period`-th bar on (the first is the 0th). The first means are plain means of the first `period`
    moves, later ones (mean * (period - 1) + move) / period. Without any loss it is 100; `flat` where nothing moved.
    """
    moves = closes - shift(bars, closes, 1)
    gain = _wilder(bars, np.maximum(moves, 0.0), period)
    loss = _wilder(bars, np.maximum(-moves, 0.0), period)
    with np.errstate(divide="ignore", invalid="ignore"):
        index = 100.0 - 100.0 / (1.0 + gain / loss)
    index[loss == 0] = 100.0
    index[(loss == 0) & (gain == 0)] = flat
    return index


def true_range(bars: Layout, highs: Floats, lows: Floats, closes: Floats) -> Floats:
    """The largest of high - low, |high - close before|, |low - close before|; high - low on a name's first bar."""
    before = shift(bars, closes, 1)
    first = bars.position == 0
    reach = np.maximum(highs - lows, np.maximum(np.abs(highs - before), np.abs(lows - before)))
    reach[first] = (highs - lows)[first]
    return reach


def atr(bars: Layout, highs: Floats, lows: Floats, closes: Floats, period: int) -> Floats:
    """Average true range of Wilder (1978), known from the `period`-th bar on; the first bar's range is left out."""
    return _wilder(bars, true_range(bars, highs, lows, closes), period)


def run_length(bars: Layout, flags: Bools) -> Ints:
    """How many bars in a row, this one the last, have the flag up."""
    return np.minimum(_since_any(~flags), bars.position + 1)


def bars_since(bars: Layout, flags: Bools) -> Ints:
    """How many bars ago the flag was last up, 0 on such a bar; NEVER where the name did not have it up yet."""
    since = _since_any(flags)
    since[since > bars.position] = NEVER
    return since


def _since_any(flags: Bools) -> Ints:
    """How many rows ago the flag was last up, whosever row that is; past the first row where it was not."""
    up = np.concatenate([[-1], np.flatnonzero(flags)])
    until_next = np.diff(up, append=len(flags))
    until_next[0] -= 1
    return np.asarray(np.arange(len(flags)) - np.repeat(up, until_next), dtype=np.int64)


def _recurred(bars: Layout, values: Floats, weight: float) -> Floats:
    """Each name's first value, then the result before moved by `weight` towards the value."""
    aged, ages = values[bars.by_age], bars.ages.tolist()
    for before, begin, end in zip(ages, ages[1:], ages[2:], strict=False):
        last = aged[before : before + end - begin]
        aged[begin:end] = last + weight * (aged[begin:end] - last)
    return _by_row(bars, aged)


def _wilder(bars: Layout, values: Floats, period: int) -> Floats:
    """Wilder's mean: plain over the values 1 to `period` of a name, then (mean * (period - 1) + value) / period."""
    aged, ages = values[bars.by_age], bars.ages.tolist()
    means = np.full(len(aged), np.nan)
    if len(ages) > period + 1:
        begin, end = ages[period], ages[period + 1]
        first = np.zeros(end - begin)
        for age in range(1, period + 1):
            first += aged[ages[age] : ages[age] + end - begin]
        means[begin:end] = first / period
    for before, begin, end in zip(ages[period:], ages[period + 1 :], ages[period + 2 :], strict=False):
        mean = means[begin:end]
        np.multiply(means[before : before + end - begin], period - 1, out=mean)
        mean += aged[begin:end]
        mean /= period
    return _by_row(bars, means)


def _by_row(bars: Layout, aged: Floats) -> Floats:
    rows = np.empty_like(aged)
    rows[bars.by_age] = aged
    return rows


def _windows_added(values: Floats, period: int, centre: Floats | None = None) -> Floats:
    """The sum of each row and the `period` - 1 before it, whosever they are, from the first on.

    With `centre` the sum of squared distances of these values from the row's centre.
    """
    total = np.zeros(len(values))
    for begin in range(0, len(values), _BLOCK):
        end = min(begin + _BLOCK, len(values))
        for back in range(min(period, end) - 1, -1, -1):
            first = max(begin, back)
            added = values[first - back : end - back]
            if centre is not None:
                added = added - centre[first:end]
                added *= added
            total[first:end] += added
    return total


def _extreme(bars: Layout, values: Floats, period: int, further: np.ufunc) -> Floats:
    """The most extreme of the last `period` values, each step from two windows that overlap or touch."""
    most, width = values, 1
    while width < period:
        step = min(width, period - width)
        most = further(most, shift(bars, most, step))
        width += step
    return np.asarray(most, dtype=np.float64)
