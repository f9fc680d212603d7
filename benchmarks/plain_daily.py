"""The daily rules for one name in plain Python, loop by loop: what `daily_bars.py` measures ours against.

The same table, column by column and to the last bit, written straight from the definitions: a window is a slice that is
added up, a rule is asked of each bar in turn. For the rules in force (`corrections: all`).
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise
from math import isfinite, isnan, nan, sqrt
from typing import Any, NamedTuple

from quantassay.domain.market import evaluation
from quantassay.domain.market.sessions import Calendar, is_complete
from quantassay.domain.signals import ema_cross

Values = Sequence[float]
Row = dict[str, Any]


class Name(NamedTuple):
    """The bars of one name, ascending; a volume that is not known is NaN."""

    sessions: Sequence[date]
    open: Values
    high: Values
    low: Values
    close: Values
    volume: Values


def usable(bars: Name) -> Name:
    """The bars with four prices above 0, halts put right, without repeats."""
    kept: list[tuple[Any, ...]] = []
    for session, opened, high, low, close, volume in zip(*bars, strict=True):
        prices = (opened, high, low, close)
        if volume == 0 and all(price == 0 or isnan(price) for price in prices[:3]):
            prices = (close, close, close, close)
        first = not kept or kept[-1][0] != session
        if first and all(isfinite(price) and price > 0 for price in prices):
            kept.append((session, *prices, volume))
    return Name(*([row[column] for row in kept] for column in range(6)))


def evaluation_bar(bars: Name, cal: Calendar, at: datetime, rule: evaluation.Rule) -> tuple[int, bool]:
    """How many bars stand up to the last one whose session is over, and whether that one's volume is thin."""
    complete = [day < cal.first or is_complete(cal, day, at, rule.grace) for day in bars.sessions]
    count = max((number for number, over in enumerate(complete, start=1) if over), default=0)
    before, last = bars.volume[max(count - 1 - rule.thin.bars, 0) : max(count - 1, 0)], bars.volume[count - 1]
    usual = added(before) / len(before) if before else 0.0
    return count, usual > rule.thin.floor and last < usual * float(rule.thin.ratio)


def ema(values: Values, period: int) -> list[float]:
    """Exponential mean."""
    means: list[float] = []
    for value in values:
        means.append(means[-1] + 2.0 / (period + 1) * (value - means[-1]) if means else value)
    return means


def added(values: Values) -> float:
    """The sum from the first value on; the `sum` of newer Pythons rounds otherwise."""
    total = 0.0
    for value in values:
        total += value
    return total


def sma(values: Values, period: int) -> list[float]:
    """Mean of a window."""
    return [added(values[i + 1 - period : i + 1]) / period if i >= period - 1 else nan for i in range(len(values))]


def std(values: Values, period: int) -> list[float]:
    """Standard deviation of the values of a window as they are."""
    spreads = []
    for i, mean in enumerate(sma(values, period)):
        apart = [(value - mean) * (value - mean) for value in values[max(i + 1 - period, 0) : i + 1]]
        spreads.append(sqrt(added(apart) / period) if i >= period - 1 else nan)
    return spreads


def mean_so_far(values: Values, period: int) -> list[float]:
    """Mean of a window, of fewer values at the beginning."""
    windows = [values[max(i + 1 - period, 0) : i + 1] for i in range(len(values))]
    return [added(window) / len(window) for window in windows]


def wilder(values: Values, period: int) -> list[float]:
    """Wilder's mean of the values after the first."""
    means = [nan] * len(values)
    for i in range(period, len(values)):
        if i == period:
            means[i] = added(values[1 : period + 1]) / period
        else:
            means[i] = (means[i - 1] * (period - 1) + values[i]) / period
    return means


def rsi(closes: Values, period: int) -> list[float]:
    """Wilder's index, NaN where nothing moved."""
    moves = [0.0, *(after - before for before, after in pairwise(closes))]
    gains = wilder([max(move, 0.0) for move in moves], period)
    losses = wilder([max(-move, 0.0) for move in moves], period)
    strengths = []
    for gain, loss in zip(gains, losses, strict=True):
        if loss == 0:
            strengths.append(nan if gain == 0 else 100.0)
        else:
            strengths.append(100.0 - 100.0 / (1.0 + gain / loss))
    return strengths


def atr(bars: Name, period: int) -> list[float]:
    """Wilder's average true range."""
    ranges = [nan]
    for high, low, before in zip(bars.high[1:], bars.low[1:], bars.close, strict=False):
        ranges.append(max(high - low, abs(high - before), abs(low - before)))
    return wilder(ranges, period)


def indicators(bars: Name) -> list[list[float]]:
    """The figures of `daily_bars.indicators`, in that order."""
    close = bars.close
    return [
        *(ema(close, period) for period in (10, 20, 21, 50)),
        *(sma(close, period) for period in (20, 60, 200)),
        std(close, 20),
        rsi(close, 14),
        atr(bars, 14),
        [max(bars.high[i - 14 : i + 1]) if i >= 14 else nan for i in range(len(close))],
        [min(bars.low[i - 14 : i + 1]) if i >= 14 else nan for i in range(len(close))],
    ]


def cross_rows(bars: Name, rule: ema_cross.Rule, *, fund: bool = False) -> list[Row]:
    """The rows of `ema_cross.evaluate` for the name."""
    close = bars.close
    short, long, strength = ema(close, rule.ema_short), ema(close, rule.ema_long), rsi(close, rule.rsi_period)
    ranges, average = atr(bars, rule.atr_period), sma(close, rule.long_period)
    turnover = sma([price * volume for price, volume in zip(close, bars.volume, strict=True)], rule.turnover_bars)
    rows: list[Row] = []
    crossed = rebounded = None
    for i, price in enumerate(close):
        if i and short[i] > long[i] and short[i - 1] <= long[i - 1]:
            crossed = i
        if i and strength[i] > rule.rsi_floor and strength[i - 1] <= rule.rsi_floor:
            rebounded = i
        limit = rule.gap_multiple * ranges[i - 1] / close[i - 1] if i and rule.gap_multiple else nan
        then = i - rule.look_back
        row: Row = {
            "ema_short": short[i],
            "ema_long": long[i],
            "rsi": strength[i],
            "rsi_before": strength[i - 1] if i else nan,
            "atr": ranges[i],
            "sma_long": average[i],
            "gap": (bars.open[i] - close[i - 1]) / close[i - 1] if i else nan,
            "gap_limit": limit if limit > 0 else nan,
            "turnover": turnover[i],
            "rs_return": price / close[then] - 1.0 if then >= 0 else nan,
            "cross_bars_ago": None if crossed is None else i - crossed,
            "rebound_bars_ago": None if rebounded is None else i - rebounded,
        }
        above = min(price, short[i], long[i]) > average[i]
        rising = i > 0 and short[i] > short[i - 1] and long[i] > long[i - 1]
        tests = _cross_tests(rule, row, price, above=above, rising=rising)
        known = i >= 1 and i + 1 >= rule.min_history
        outcome = (
            next((code for code, fails in tests if fails), ema_cross.CANDIDATE) if known else ema_cross.SHORT_HISTORY
        )
        row["outcome"] = ema_cross.FUND if fund and rule.exclude_funds and outcome == ema_cross.CANDIDATE else outcome
        constant = rule.benchmark_return
        row["points"] = {
            "cross": crossed == i,
            "rsi": strength[i] < rule.rsi_ceiling,
            "long_average": above and rule.long_required,
            "slope": rising and rule.slope_required,
            "gap": rule.gap_multiple != 0,
            "turnover": turnover[i] > 0,
            "relative_strength": None if constant is None else row["rs_return"] - constant >= 0,
        }
        rows.append(row)
    return rows


def _cross_tests(
    rule: ema_cross.Rule, row: Row, price: float, *, above: bool, rising: bool
) -> Iterator[tuple[str, bool]]:
    """The tests of a bar with enough history, in their order: the outcome, and whether the bar fails."""
    ago = row["rebound_bars_ago"]
    yield ema_cross.PRICE_FLOOR, price < rule.min_price
    yield ema_cross.NO_CROSS, row["cross_bars_ago"] != 0
    yield ema_cross.UNKNOWN_INDICATOR, isnan(row["rsi"])
    yield ema_cross.NO_REBOUND, ago is None or ago > rule.within_bars or row["rsi"] <= rule.rsi_floor
    yield ema_cross.OVERBOUGHT, row["rsi"] >= rule.rsi_ceiling
    yield ema_cross.UNKNOWN_INDICATOR, rule.long_required and isnan(row["sma_long"])
    yield ema_cross.BELOW_LONG_AVERAGE, rule.long_required and not above
    yield ema_cross.NOT_RISING, rule.slope_required and not rising
    if rule.gap_multiple:
        yield ema_cross.UNKNOWN_INDICATOR, isnan(row["gap_limit"])
        yield ema_cross.GAP, abs(row["gap"]) > row["gap_limit"]
    yield ema_cross.UNKNOWN_VOLUME, isnan(row["turnover"])
    yield ema_cross.ILLIQUID, row["turnover"] < rule.min_turnover
