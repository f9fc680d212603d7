"""The three patterns of the buy rule `hybrid`, each on every bar of a market at once, and the first test that stops it.

What is not known (NaN) passes no test that asks for something, and stops nothing by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quantassay.domain.signals import indicators as ind
from quantassay.domain.signals.hybrid_rule import Rule
from quantassay.domain.signals.indicators import Bools, Floats, Ints, Layout

Codes = NDArray[np.uint8]

# Why a pattern is not there, in the order of its tests; the first entry stands for a pattern that is.
PULLBACK_BLOCKERS = (
    None,
    "below_sma",
    "averages_crossed",
    "rsi_outside",
    "no_pullback",
    "long_pullback",
    "heavy_selling",
    "no_trigger",
)
BREAKOUT_BLOCKERS = (None, "averages_not_aligned", "rsi_high", "short_range", "wide_range", "no_breakout")
REVERSAL_BLOCKERS = (None, "below_sma", "no_rebound", "weak_bar", "no_lower_shadow", "far_from_average")


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """The bars of a market and what the patterns look at, one entry a bar; a volume that is not known is 0 here.

    `rsi_before` is that of the bar before, `volume_mean` ends on the bar itself.
    """

    bars: Layout
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    sma: Floats
    ema_short: Floats
    ema_mid: Floats
    rsi: Floats
    rsi_before: Floats
    atr: Floats
    volume_mean: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A pattern on every bar: which test stops it (0: none), and whether it is READY where it is there."""

    blocker: Codes
    ready: Bools


@dataclass(frozen=True, slots=True, eq=False)
class FoundPullback(Found):
    """Pattern 1, its bars of pullback, and its four triggers."""

    length: Ints
    reclaim: Bools
    busy: Bools
    rsi_rise: Bools
    hammer: Bools


@dataclass(frozen=True, slots=True, eq=False)
class FoundBreakout(Found):
    """Pattern 2: the swing high that was broken, the mean volume it was compared with, extended, second close."""

    swing_high: Floats
    volume_mean: Floats
    extended: Bools
    confirmed: Bools


def pullback(fig: Figures, rule: Rule) -> FoundPullback:
    """Closes at or below the short average in an uptrend, then a sign that it goes on."""
    own, bars, close = rule.pullback, fig.bars, fig.close
    at_or_below = close <= fig.ema_short
    above = close > fig.ema_short
    reclaim = ind.shift_flag(bars, at_or_below, 1) & above
    before = ind.shift(bars, fig.volume, 1)
    busy = (close > fig.open) & (fig.volume > before) & (fig.volume > fig.volume_mean)
    rsi_rise = (fig.rsi_before <= rule.rsi_middle) & (fig.rsi > rule.rsi_middle)
    reach = np.abs(fig.low - fig.ema_short) / close
    hammer = _long_shadow(fig) & (reach < own.hammer_reach)
    length = ind.run_length(bars, at_or_below)
    from_before = "pullback_before" in rule.corrections
    if from_before:
        length = _the_bar_before(bars, length)
    stopped = _first_failed(
        len(close),
        [
            ~(close > fig.sma),
            ~(fig.ema_short >= fig.ema_mid),
            ~((fig.rsi >= own.rsi_low) & (fig.rsi <= own.rsi_high)),
            (length == 0) & from_before,
            (length > own.max_bars) & from_before,
        ],
    )
    heavy = _heavy_selling(fig, rule, length, np.flatnonzero(stopped == 0))
    stopped[heavy] = PULLBACK_BLOCKERS.index("heavy_selling")
    stopped[(stopped == 0) & ~(reclaim | busy | rsi_rise | hammer)] = PULLBACK_BLOCKERS.index("no_trigger")
    strong = fig.rsi > rule.rsi_middle
    ready = above & (strong | rsi_rise | busy)
    if "hammer_reclaim" not in rule.corrections:
        ready |= hammer & strong
    return FoundPullback(stopped, ready, length, reclaim, busy, rsi_rise, hammer)


def breakout(fig: Figures, rule: Rule) -> FoundBreakout:
    """A close above the high of a narrow range with volume, or the second such close in a row."""
    own, bars, close = rule.breakout, fig.bars, fig.close
    position = bars.position
    if "breakout_window" in rule.corrections:
        swing = top = _extreme(bars, fig.high, 1, own.max_bars, np.fmax)
        bottom, size = _extreme(bars, fig.low, 1, own.max_bars, np.fmin), np.minimum(position, own.max_bars)
    else:
        swing = _extreme(bars, fig.high, 1, own.max_bars - 1, np.fmax)
        top, bottom = np.fmax(swing, fig.high), _extreme(bars, fig.low, 0, own.max_bars - 1, np.fmin)
        size = np.minimum(position + 1, own.max_bars)
    mean = ind.shift(bars, fig.volume_mean, 1) if "breakout_volume" in rule.corrections else fig.volume_mean
    stopped = _first_failed(
        len(close),
        [
            ~((fig.ema_short > fig.ema_mid) & (fig.ema_mid > fig.sma)),
            ~(fig.rsi < own.rsi_below),
            size < own.min_bars,
            (top - bottom) / swing > own.max_range,
            ~((close > swing) & (fig.volume > mean)),
        ],
    )
    second = np.zeros(len(close), np.bool_)
    ready = np.ones(len(close), np.bool_)
    if own.confirmed and "breakout_confirmation" in rule.corrections:
        original = ind.shift(bars, swing, 1)
        second = ready = ind.shift_flag(bars, stopped == 0, 1) & (close > original)
        stopped[second] = 0
        swing, mean = np.where(second, original, swing), np.where(second, ind.shift(bars, mean, 1), mean)
    extended = close > swing + own.extended_atr * fig.atr
    return FoundBreakout(stopped, ready & ~extended, swing, mean, extended, second)


def reversal(fig: Figures, rule: Rule) -> Found:
    """An oversold name that turns upwards near an average, on a bar with volume and a long lower shadow."""
    own, close = rule.reversal, fig.close
    was_oversold = (fig.rsi_before >= own.oversold_low) & (fig.rsi_before <= own.oversold_high)
    near = np.zeros(len(close), np.bool_)
    for average in (fig.ema_short, fig.ema_mid):
        near |= np.abs(fig.low - average) / close < own.reach
    stopped = _first_failed(
        len(close),
        [
            ~(close > fig.sma),
            ~(was_oversold & (fig.rsi > own.rebound_above)),
            ~((close > fig.open) & (fig.volume >= fig.volume_mean)),
            ~_long_shadow(fig),
            ~near,
        ],
    )
    return Found(stopped, (fig.rsi >= own.ready_rsi) & (close > fig.ema_short))


def mean(bars: Layout, values: Floats, period: int) -> Floats:
    """Mean of the last `period` values, of fewer where the name has fewer; added up from the oldest on."""
    return ind.sma_so_far(bars, values, period)


def _long_shadow(fig: Figures) -> Bools:
    """Whether the lower shadow is longer than the body."""
    return np.asarray(np.minimum(fig.open, fig.close) - fig.low > np.abs(fig.close - fig.open), dtype=np.bool_)


def _heavy_selling(fig: Figures, rule: Rule, length: Ints, rows: Ints) -> Ints:
    """Of these bars those in whose pullback a falling bar has more than a multiple of the evaluated bar's mean volume.

    Counted from the bar itself, the older program looked at one bar more than the longest pullback, and without a
    pullback at all bars before.
    """
    if not len(rows):
        return rows
    falling = np.where(fig.close < fig.open, fig.volume, 0.0)
    end = rows - ("pullback_before" in rule.corrections)
    worst = np.zeros(len(rows))
    for back in range(rule.pullback.max_bars + 1):
        inside = length[rows] > back
        worst = np.maximum(worst, np.where(inside, falling[np.maximum(end - back, 0)], 0.0))
    if "pullback_slice" not in rule.corrections:
        worst = np.where(length[rows] == 0, _most_so_far(fig.bars, falling)[rows], worst)
    usual = fig.volume_mean[rows]
    return rows[(usual > 0) & (worst > usual * rule.pullback.heavy_volume)]


def _the_bar_before(bars: Layout, counts: Ints) -> Ints:
    """Each name's count on the bar before, 0 on its first."""
    moved = np.zeros_like(counts)
    moved[1:] = counts[:-1]
    moved[bars.position == 0] = 0
    return moved


def _most_so_far(bars: Layout, values: Floats) -> Floats:
    """The largest value of a name from its first bar to this one."""
    aged, ages = values[bars.by_age], bars.ages.tolist()
    for before, begin, end in zip(ages, ages[1:], ages[2:], strict=False):
        aged[begin:end] = np.maximum(aged[begin:end], aged[before : before + end - begin])
    most = np.empty_like(aged)
    most[bars.by_age] = aged
    return most


def _extreme(bars: Layout, values: Floats, first: int, last: int, further: np.ufunc) -> Floats:
    """The most extreme value of the bars `first` to `last` back, of fewer where the name has fewer; NaN of none."""
    most, width, wanted = values, 1, last - first + 1
    while width < wanted:
        step = min(width, wanted - width)
        most = further(most, ind.shift(bars, most, step))
        width += step
    return ind.shift(bars, most, first)


def _first_failed(size: int, tests: Iterable[Bools]) -> Codes:
    """The number of the first test that a bar fails, from 1; 0 where it fails none."""
    found = np.zeros(size, np.uint8)
    for number, failed in enumerate(tests, start=1):
        found[(found == 0) & failed] = number
    return found
