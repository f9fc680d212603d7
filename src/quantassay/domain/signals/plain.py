"""Indicators of one name by plain loops, for whoever must not trust the code that works on a whole market at once.

Each takes the bars of one name in order, and gives a value a bar; what is not known yet is NaN. The formulas are those
of `indicators`, in the same order of operations, so the numbers are the same to the last bit.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import nan

Values = Sequence[float]


def ema(values: Values, period: int) -> list[float]:
    """Exponential mean that begins with the first value."""
    means: list[float] = []
    for value in values:
        means.append(means[-1] + 2.0 / (period + 1) * (value - means[-1]) if means else value)
    return means


def sma(values: Values, period: int) -> list[float]:
    """Mean of the last `period` values."""
    return [mean(values[i + 1 - period : i + 1]) if i + 1 >= period else nan for i in range(len(values))]


def mean(values: Values) -> float:
    """The mean of these values, added up from the first on."""
    total = 0.0
    for value in values:
        total += value
    return total / len(values)


def wilder(values: Values, period: int) -> list[float]:
    """Wilder's mean, without the first value: known from the `period`-th on (the first is the 0th)."""
    means = [nan] * len(values)
    for i in range(period, len(values)):
        if i == period:
            means[i] = mean(values[1 : period + 1])
        else:
            means[i] = (means[i - 1] * (period - 1) + values[i]) / period
    return means


def rsi(closes: Values, period: int, flat: float = nan) -> list[float]:
    """Relative strength index of Wilder; `flat` where nothing moved."""
    moves = [0.0, *(after - before for before, after in pairwise(closes))][: len(closes)]
    gains = wilder([max(move, 0.0) for move in moves], period)
    losses = wilder([max(-move, 0.0) for move in moves], period)
    return [_strength(gain, loss, flat) for gain, loss in zip(gains, losses, strict=True)]


def _strength(gain: float, loss: float, flat: float) -> float:
    if loss == 0:
        return flat if gain == 0 else 100.0
    return 100.0 - 100.0 / (1.0 + gain / loss)


def atr(highs: Values, lows: Values, closes: Values, period: int) -> list[float]:
    """Average true range of Wilder."""
    ranges = [nan]
    for i in range(1, len(closes)):
        before = closes[i - 1]
        ranges.append(max(highs[i] - lows[i], abs(highs[i] - before), abs(lows[i] - before)))
    return wilder(ranges[: len(closes)], period)
