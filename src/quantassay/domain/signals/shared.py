"""Indicators of the bars of a market, each worked out once however many rules ask for it."""

from collections.abc import Callable
from functools import partial

import numpy as np

from quantassay.domain.signals import indicators as ind
from quantassay.domain.signals.daily import Daily
from quantassay.domain.signals.indicators import Floats


def ema(bars: Daily, period: int) -> Floats:
    """Exponential mean of the closes. None of these arrays can be written to."""
    return _once(bars, ("ema", period), lambda: ind.ema(bars.layout, bars.close, period))


def sma(bars: Daily, period: int) -> Floats:
    """Mean of the last `period` closes."""
    return _once(bars, ("sma", period), lambda: ind.sma(bars.layout, bars.close, period))


def std(bars: Daily, period: int) -> Floats:
    """Standard deviation of the last `period` closes, as they are."""
    work = partial(ind.rolling_std, bars.layout, bars.close, period)
    return _once(bars, ("std", period), lambda: work(mean=sma(bars, period)))


def gain(bars: Daily, back: int) -> Floats:
    """The close over the one `back` bars before, less one."""
    return _once(bars, ("gain", back), lambda: bars.close / ind.shift(bars.layout, bars.close, back) - 1.0)


def rsi(bars: Daily, period: int, *, flat: float = np.nan) -> Floats:
    """Relative strength index of the closes; `flat` where nothing moved."""
    return _once(bars, (f"rsi {flat}", period), lambda: ind.rsi(bars.layout, bars.close, period, flat=flat))


def atr(bars: Daily, period: int) -> Floats:
    """Average true range."""
    return _once(bars, ("atr", period), lambda: ind.atr(bars.layout, bars.high, bars.low, bars.close, period))


def _once(bars: Daily, key: tuple[str, int], work: Callable[[], Floats]) -> Floats:
    if key not in bars.made:
        bars.made[key] = work()
        bars.made[key].flags.writeable = False
    return bars.made[key]
