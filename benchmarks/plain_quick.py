"""Verdicts of the daily rules for one name in plain Python written for speed, for comparison with `plain_daily.py`.

Running sums in place of windows, and nothing worked out for a bar that history rules out. Prices and turnovers of the
market measured are whole numbers, so running sums are exact and give the same verdicts. For the rules in force
(`corrections: all`), all volumes known.
"""

from collections.abc import Iterator
from math import inf, isnan, nan, sqrt
from typing import NamedTuple

from plain_daily import Name, Values, atr, ema, rsi

from quantassay.domain.signals import ema_cross, hybrid
from quantassay.domain.signals.candidates import READY, WATCH


def sma(values: Values, period: int) -> list[float]:
    """Mean by a running sum."""
    means, total = [], 0.0
    for i, value in enumerate(values):
        total += value
        if i >= period:
            total -= values[i - period]
        means.append(total / period if i >= period - 1 else nan)
    return means


def std(values: Values, period: int) -> list[float]:
    """Standard deviation of the values as they are, from their mean."""
    means, spreads = sma(values, period), []
    for i, mean in enumerate(means):
        window = values[i + 1 - period : i + 1] if i >= period - 1 else ()
        total = 0.0
        for value in window:
            total += (value - mean) * (value - mean)
        spreads.append(sqrt(total / period) if window else nan)
    return spreads


def indicators(bars: Name) -> list[list[float]]:
    """The figures of `daily_bars.indicators`, in that order."""
    close = bars.close
    return [
        *(ema(close, period) for period in (10, 20, 21, 50)),
        *(sma(close, period) for period in (20, 60, 200)),
        std(close, 20),
        rsi(close, 14),
        atr(bars, 14),
        [max(bars.high[max(i - 14, 0) : i + 1]) if i >= 14 else nan for i in range(len(close))],
        [min(bars.low[max(i - 14, 0) : i + 1]) if i >= 14 else nan for i in range(len(close))],
    ]


def cross_outcomes(bars: Name, rule: ema_cross.Rule) -> list[str]:
    """What `ema_cross` says of every bar."""
    close = bars.close
    figures = Cross(
        ema(close, rule.ema_short),
        ema(close, rule.ema_long),
        rsi(close, rule.rsi_period),
        atr(bars, rule.atr_period),
        sma(close, rule.long_period) if rule.long_required else [],
        sma([price * volume for price, volume in zip(close, bars.volume, strict=True)], rule.turnover_bars),
    )
    outcomes, rebound = [], -inf
    for i in range(len(close)):
        if i and figures.rsi[i] > rule.rsi_floor and figures.rsi[i - 1] <= rule.rsi_floor:
            rebound = i
        if i < 1 or i + 1 < rule.min_history:
            outcomes.append(ema_cross.SHORT_HISTORY)
        else:
            tests = _cross_tests(bars, rule, figures, i, rebound)
            outcomes.append(next((code for code, fails in tests if fails), ema_cross.CANDIDATE))
    return outcomes


class Cross(NamedTuple):
    """What `ema_cross` looks at, a value a bar."""

    short: Values
    long: Values
    rsi: Values
    atr: Values
    average: Values
    turnover: Values


def _cross_tests(bars: Name, rule: ema_cross.Rule, seen: Cross, i: int, rebound: float) -> Iterator[tuple[str, bool]]:
    price, before, short, long, strength = bars.close[i], bars.close[i - 1], seen.short, seen.long, seen.rsi[i]
    yield ema_cross.PRICE_FLOOR, price < rule.min_price
    yield ema_cross.NO_CROSS, not (short[i] > long[i] and short[i - 1] <= long[i - 1])
    yield ema_cross.UNKNOWN_INDICATOR, isnan(strength)
    yield ema_cross.NO_REBOUND, i - rebound > rule.within_bars or not strength > rule.rsi_floor
    yield ema_cross.OVERBOUGHT, not strength < rule.rsi_ceiling
    if rule.long_required:
        yield ema_cross.UNKNOWN_INDICATOR, isnan(seen.average[i])
        yield ema_cross.BELOW_LONG_AVERAGE, not min(price, short[i], long[i]) > seen.average[i]
    if rule.slope_required:
        yield ema_cross.NOT_RISING, not (short[i] > short[i - 1] and long[i] > long[i - 1])
    if rule.gap_multiple:
        limit = rule.gap_multiple * seen.atr[i - 1] / before
        yield ema_cross.UNKNOWN_INDICATOR, not limit > 0
        yield ema_cross.GAP, abs((bars.open[i] - before) / before) > limit
    yield ema_cross.UNKNOWN_VOLUME, isnan(seen.turnover[i])
    yield ema_cross.ILLIQUID, seen.turnover[i] < rule.min_turnover


class Seen(NamedTuple):
    """What the hybrid's patterns look at, a value a bar."""

    bars: Name
    sma: list[float]
    short: list[float]
    mid: list[float]
    rsi: list[float]
    atr: list[float]
    usual: list[float]


def hybrid_outcomes(bars: Name, rule: hybrid.Rule) -> list[tuple[str, str | None, str | None]]:
    """What `hybrid` says of every bar: outcome, pattern, state."""
    close = bars.close
    traded = [price * volume for price, volume in zip(close, bars.volume, strict=True)]
    turnover = _mean_so_far(traded, rule.turnover_bars)
    long = sma(close, rule.long_period) if rule.long_required else None
    seen = Seen(
        bars,
        sma(close, rule.sma_period),
        ema(close, rule.ema_short),
        ema(close, rule.ema_mid),
        rsi(close, rule.rsi_period),
        atr(bars, rule.atr_period),
        _mean_so_far(bars.volume, rule.volume_bars),
    )
    told: list[tuple[str, str | None, str | None]] = []
    for i, price in enumerate(close):
        if i < 1 or i + 1 < rule.min_history:
            outcome = hybrid.SHORT_HISTORY
        elif price < rule.min_price:
            outcome = hybrid.PRICE_FLOOR
        elif turnover[i] <= 0:
            outcome = hybrid.NO_TURNOVER
        elif turnover[i] < rule.min_turnover:
            outcome = hybrid.ILLIQUID
        elif isnan(seen.sma[i]) or isnan(seen.rsi[i]) or isnan(seen.atr[i]) or (long and isnan(long[i])):
            outcome = hybrid.UNKNOWN_INDICATOR
        elif rule.max_gap is not None and abs((bars.open[i] - close[i - 1]) / close[i - 1]) > rule.max_gap:
            outcome = hybrid.GAP
        elif long and not price > long[i]:
            outcome = hybrid.BELOW_LONG_AVERAGE
        else:
            told.append(_pattern(seen, rule, i))
            continue
        told.append((outcome, None, None))
    return told


def _mean_so_far(values: Values, period: int) -> list[float]:
    """Mean of the last `period` values, of fewer at the beginning."""
    means, total = [], 0.0
    for i, value in enumerate(values):
        total += value
        if i >= period:
            total -= values[i - period]
        means.append(total / min(i + 1, period))
    return means


def _pattern(seen: Seen, rule: hybrid.Rule, i: int) -> tuple[str, str | None, str | None]:
    for name, found in (("pullback", _pullback), ("breakout", _breakout), ("reversal", _reversal)):
        ready = found(seen, rule, i)
        if ready is not None:
            return hybrid.CANDIDATE, name, READY if ready else WATCH
    return hybrid.NO_PATTERN, None, None


def _long_shadow(bars: Name, i: int) -> bool:
    return min(bars.open[i], bars.close[i]) - bars.low[i] > abs(bars.close[i] - bars.open[i])


def _pullback(seen: Seen, rule: hybrid.Rule, i: int) -> bool | None:
    """Whether the pattern is ready; None where it is not there."""
    bars, own = seen.bars, rule.pullback
    close, short, strength, usual = bars.close[i], seen.short[i], seen.rsi[i], seen.usual[i]
    if not (close > seen.sma[i] and short >= seen.mid[i] and own.rsi_low <= strength <= own.rsi_high):
        return None
    length, heavy = 0, 0.0
    while i - 1 - length >= 0 and bars.close[i - 1 - length] <= seen.short[i - 1 - length]:
        length += 1
        if bars.close[i - length] < bars.open[i - length]:
            heavy = max(heavy, bars.volume[i - length])
        if length > own.max_bars:
            return None
    if length == 0 or (usual > 0 and heavy > usual * own.heavy_volume):
        return None
    reclaim = close > short
    busy = close > bars.open[i] and bars.volume[i] > max(bars.volume[i - 1], usual)
    rise = seen.rsi[i - 1] <= rule.rsi_middle < strength
    hammer = _long_shadow(bars, i) and abs(bars.low[i] - short) / close < own.hammer_reach
    if not (reclaim or busy or rise or hammer):
        return None
    return reclaim and (strength > rule.rsi_middle or rise or busy)


def _broken(seen: Seen, rule: hybrid.Rule, i: int) -> float | None:
    """The swing high that this bar broke, if it did."""
    bars, own = seen.bars, rule.breakout
    size = min(i, own.max_bars)
    if not (seen.short[i] > seen.mid[i] > seen.sma[i] and seen.rsi[i] < own.rsi_below) or size < own.min_bars:
        return None
    high, low = max(bars.high[i - size : i]), min(bars.low[i - size : i])
    narrow = (high - low) / high <= own.max_range
    return high if narrow and bars.close[i] > high and bars.volume[i] > seen.usual[i - 1] else None


def _breakout(seen: Seen, rule: hybrid.Rule, i: int) -> bool | None:
    own, close = rule.breakout, seen.bars.close[i]
    before = _broken(seen, rule, i - 1) if own.confirmed else None
    confirmed = before is not None and close > before
    high = before if confirmed else _broken(seen, rule, i)
    if high is None:
        return None
    return (confirmed or not own.confirmed) and not close > high + own.extended_atr * seen.atr[i]


def _reversal(seen: Seen, rule: hybrid.Rule, i: int) -> bool | None:
    bars, own, close = seen.bars, rule.reversal, seen.bars.close[i]
    if not (close > seen.sma[i] and own.oversold_low <= seen.rsi[i - 1] <= own.oversold_high):
        return None
    if not (seen.rsi[i] > own.rebound_above and close > bars.open[i] and bars.volume[i] >= seen.usual[i]):
        return None
    near = min(abs(bars.low[i] - seen.short[i]), abs(bars.low[i] - seen.mid[i])) / close < own.reach
    if not (near and _long_shadow(bars, i)):
        return None
    return seen.rsi[i] >= own.ready_rsi and close > seen.short[i]
