"""Buy rule `ema_cross`: a short average crosses above a long one soon after the name was oversold.

All is worked out for every bar of a market at once, and a bar's row knows nothing of the bars after it. Where a row
does not buy, `outcome` names the first test that failed, in the order in which
`evaluate` asks.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from quantassay.domain.signals import corrections as choice
from quantassay.domain.signals import indicators as ind
from quantassay.domain.signals import shared
from quantassay.domain.signals.daily import Daily, parts
from quantassay.domain.signals.indicators import Bools, Floats, Ints, Layout

CANDIDATE = "candidate"
SHORT_HISTORY, UNKNOWN_INDICATOR, UNKNOWN_VOLUME = "short_history", "unknown_indicator", "unknown_volume"
PRICE_FLOOR, NO_CROSS, NO_REBOUND, OVERBOUGHT = "price_floor", "no_cross", "no_rebound", "overbought"
BELOW_LONG_AVERAGE, NOT_RISING, GAP = "below_long_average", "not_rising", "gap"
ILLIQUID, FUND = "illiquid", "fund"
OUTCOMES = (
    CANDIDATE,
    SHORT_HISTORY,
    PRICE_FLOOR,
    NO_CROSS,
    UNKNOWN_INDICATOR,
    NO_REBOUND,
    OVERBOUGHT,
    BELOW_LONG_AVERAGE,
    NOT_RISING,
    GAP,
    UNKNOWN_VOLUME,
    ILLIQUID,
    FUND,
)
# These say that the data do not tell, all other outcomes but `candidate` that the rule said no.
SYSTEM = frozenset({SHORT_HISTORY, UNKNOWN_INDICATOR, UNKNOWN_VOLUME})

CORRECTIONS = {
    "completed_history": "Only bars that were complete count as history; the older program counted the unfinished too.",
    "rebound_before_cross": "The rebound of the RSI may lie up to `within_bars` bars before the cross. The older "
    "program asked for both on one bar, which practically never happens.",
    "flat_rsi": "Where no close ever moved the RSI is unknown; the older program took it for 100.",
    "unknown_rsi": "An unknown RSI is a matter of the data; the older program called the rebound missing.",
    "unknown_long_average": "An unknown long average is a matter of the data; the older program took every close to "
    "be below it.",
    "gap_from_day_before": "The largest gap comes from the ATR of the bar before; with the ATR of the same bar, as in "
    "the older program, a gap widens its own limit.",
    "unknown_gap_limit": "A gap whose limit is unknown or zero is a matter of the data; the older program took 3 %.",
    "gap_test_off": "A gap multiple of 0 switches the test off; in the older program it meant a limit of 3 %.",
    "unknown_volume": "A turnover with an unknown volume in it is a matter of the data; the older program counted the "
    "unknown as 0 or let the name pass.",
    "points_of_tests": "The long average, the slope and the gap give a point only where their test is on; the older "
    "program gave it always.",
}
OLDER_GAP_LIMIT = 0.03


@dataclass(frozen=True, slots=True)
class Rule:
    """The parameters in one currency; windows count bars and include the evaluated one.

    `min_price` in the currency, `min_turnover` in the currency a day. `within_bars` 0 asks for rebound and cross on one
    bar. `gap_multiple` is in ATRs. `benchmark_return` is a constant to compare with, None where the caller compares.
    """

    corrections: frozenset[str]
    min_history: int
    ema_short: int
    ema_long: int
    rsi_period: int
    rsi_floor: float
    rsi_ceiling: float
    within_bars: int
    long_period: int
    long_required: bool
    slope_required: bool
    atr_period: int
    gap_multiple: float
    min_price: float
    turnover_bars: int
    min_turnover: float
    exclude_funds: bool
    look_back: int
    benchmark_return: float | None


def parameters(spec: Mapping[str, Any], currency: str) -> Rule:
    """The rule in the spec `buy_ema_cross` for a market of this currency. Raises UnknownCorrection."""
    rsi, strength = spec["rsi"], spec["relative_strength"]
    constant = strength["benchmark_return"]
    return Rule(
        corrections=choice.chosen(spec["corrections"], CORRECTIONS),
        min_history=spec["min_history"],
        ema_short=spec["ema"]["short"],
        ema_long=spec["ema"]["long"],
        rsi_period=rsi["period"],
        rsi_floor=float(rsi["floor"]),
        rsi_ceiling=float(rsi["ceiling"]),
        within_bars=rsi["within_bars"],
        long_period=spec["long_average"]["period"],
        long_required=spec["long_average"]["required"],
        slope_required=spec["slope"]["required"],
        atr_period=spec["gap"]["atr_period"],
        gap_multiple=float(spec["gap"]["atr_multiple"]),
        min_price=float(spec["min_price"][currency]),
        turnover_bars=spec["turnover"]["bars"],
        min_turnover=float(spec["turnover"]["least"][currency]),
        exclude_funds=spec["exclude_funds"],
        look_back=strength["look_back"],
        benchmark_return=None if constant is None else float(constant),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What the tests look at, one value a bar; a count of bars is -1 where there was no such bar."""

    rising: Bools
    above: Bools
    rebound_bars_ago: Ints
    cross_bars_ago: Ints
    ema_short: Floats
    ema_long: Floats
    rsi: Floats
    rsi_before: Floats
    atr: Floats
    sma_long: Floats
    gap: Floats
    gap_limit: Floats
    turnover: Floats
    rs_return: Floats


FIGURES = ("ema_short", "ema_long", "rsi", "rsi_before", "atr", "sma_long", "gap", "gap_limit", "turnover", "rs_return")
COUNTS = ("cross_bars_ago", "rebound_bars_ago")


def evaluate(
    daily: Daily, rule: Rule, *, funds: Collection[str] = (), unfinished: Mapping[str, int] | None = None
) -> pl.DataFrame:
    """What the rule says of every bar.

    Args:
        daily: the usable bars
        rule: the parameters
        funds: the names that are funds or notes, which the rule may exclude
        unfinished: bars of a name that are not among these because they were not complete; only the older program
            counted them as history

    Returns:
        One row a bar, in the order of `daily.frame`: `ticker`, `session`, `outcome`, and the figures. Unknown figures
        are NaN. `gap` is open / close before - 1, `gap_limit` the largest that passes (NaN where the test is off),
        `turnover` the mean of close * volume, `rs_return` the return over the look-back. `cross_bars_ago` and
        `rebound_bars_ago` count from the last one, 0 on its own bar, null where there was none. `points` holds what
        adds to the score, true or false; `relative_strength` is null where the rule has no constant to compare with.
    """
    more = {} if "completed_history" in rule.corrections else unfinished or {}
    return pl.concat([_evaluated(part, rule, funds, more) for part in parts(daily)])


def _evaluated(daily: Daily, rule: Rule, funds: Collection[str], unfinished: Mapping[str, int]) -> pl.DataFrame:
    seen = _seen(daily, rule)
    history = daily.layout.position + 1
    if unfinished:
        names = daily.frame["ticker"]
        history = history + names.replace_strict(unfinished, default=0, return_dtype=pl.Int64).to_numpy()
    tests = [
        (SHORT_HISTORY, (history < rule.min_history) | (daily.layout.position < 1)),
        (PRICE_FLOOR, daily.close < rule.min_price),
        *_signal_tests(seen, rule),
        *_market_tests(seen, rule),
        (FUND, rule.exclude_funds & daily.frame["ticker"].is_in(list(funds)).to_numpy()),
    ]
    return daily.frame.select(
        "ticker",
        "session",
        _first_failed(tests, len(daily.close)),
        *(pl.Series(name, getattr(seen, name)) for name in FIGURES),
        *(pl.Series(name, getattr(seen, name)).replace(ind.NEVER, None) for name in COUNTS),
        pl.struct(_points(seen, rule)).alias("points"),
    )


def _seen(daily: Daily, rule: Rule) -> _Seen:
    bars, close = daily.layout, daily.close
    short, long = shared.ema(daily, rule.ema_short), shared.ema(daily, rule.ema_long)
    short_before, long_before = ind.shift(bars, short, 1), ind.shift(bars, long, 1)
    rsi = shared.rsi(daily, rule.rsi_period, flat=np.nan if "flat_rsi" in rule.corrections else 100.0)
    rsi_before = ind.shift(bars, rsi, 1)
    atr = shared.atr(daily, rule.atr_period)
    sma_long = shared.sma(daily, rule.long_period)
    before = ind.shift(bars, close, 1)
    return _Seen(
        rising=(short > short_before) & (long > long_before),
        above=(close > sma_long) & (short > sma_long) & (long > sma_long),
        rebound_bars_ago=ind.bars_since(bars, (rsi > rule.rsi_floor) & (rsi_before <= rule.rsi_floor)),
        cross_bars_ago=ind.bars_since(bars, (short > long) & (short_before <= long_before)),
        ema_short=short,
        ema_long=long,
        rsi=rsi,
        rsi_before=rsi_before,
        atr=atr,
        sma_long=sma_long,
        gap=(daily.open - before) / before,
        gap_limit=_gap_limit(bars, rule, atr, before),
        turnover=_turnover(daily, rule),
        rs_return=shared.gain(daily, rule.look_back),
    )


def _gap_limit(bars: Layout, rule: Rule, atr: Floats, before: Floats) -> Floats:
    """The largest gap that passes, NaN where it is not known or the test is off."""
    if rule.gap_multiple == 0:
        return np.full(len(atr), np.nan if "gap_test_off" in rule.corrections else OLDER_GAP_LIMIT)
    basis = ind.shift(bars, atr, 1) if "gap_from_day_before" in rule.corrections else atr
    limit = rule.gap_multiple * basis / before
    limit[~(limit > 0)] = np.nan if "unknown_gap_limit" in rule.corrections else OLDER_GAP_LIMIT
    return limit


def _turnover(daily: Daily, rule: Rule) -> Floats:
    traded = daily.close * daily.volume
    if "unknown_volume" not in rule.corrections:
        traded = np.nan_to_num(traded, nan=0.0)
    return ind.sma(daily.layout, traded, rule.turnover_bars)


def _signal_tests(seen: _Seen, rule: Rule) -> Iterator[tuple[str, Bools]]:
    yield NO_CROSS, seen.cross_bars_ago != 0
    if "unknown_rsi" in rule.corrections:
        yield UNKNOWN_INDICATOR, np.isnan(seen.rsi)
    within = rule.within_bars if "rebound_before_cross" in rule.corrections else 0
    ago = seen.rebound_bars_ago
    yield NO_REBOUND, (ago == ind.NEVER) | (ago > within) | ~(seen.rsi > rule.rsi_floor)
    yield OVERBOUGHT, ~(seen.rsi < rule.rsi_ceiling)


def _market_tests(seen: _Seen, rule: Rule) -> Iterator[tuple[str, Bools]]:
    if rule.long_required:
        if "unknown_long_average" in rule.corrections:
            yield UNKNOWN_INDICATOR, np.isnan(seen.sma_long)
        yield BELOW_LONG_AVERAGE, ~seen.above
    if rule.slope_required:
        yield NOT_RISING, ~seen.rising
    if not _gap_is_off(rule):
        yield UNKNOWN_INDICATOR, np.isnan(seen.gap_limit)
        yield GAP, np.abs(seen.gap) > seen.gap_limit
    if "unknown_volume" in rule.corrections:
        yield UNKNOWN_VOLUME, np.isnan(seen.turnover)
    yield ILLIQUID, seen.turnover < rule.min_turnover


def _points(seen: _Seen, rule: Rule) -> list[pl.Series | pl.Expr]:
    """What adds a point to the score; on a bar that is no candidate the points say only what each part was."""
    own = "points_of_tests" in rule.corrections
    no, yes = np.zeros(len(seen.rsi), np.bool_), np.ones(len(seen.rsi), np.bool_)
    off = no if own else yes
    parts = {
        "cross": seen.cross_bars_ago == 0,
        "rsi": seen.rsi < rule.rsi_ceiling,
        "long_average": seen.above if rule.long_required else off,
        "slope": seen.rising if rule.slope_required else off,
        "gap": no if own and _gap_is_off(rule) else yes,
        "turnover": seen.turnover > 0,
    }
    constant = rule.benchmark_return
    strength = pl.lit(None, pl.Boolean) if constant is None else pl.Series(seen.rs_return - constant >= 0)
    return [*(pl.Series(name, values) for name, values in parts.items()), strength.alias("relative_strength")]


def _gap_is_off(rule: Rule) -> bool:
    return rule.gap_multiple == 0 and "gap_test_off" in rule.corrections


def _first_failed(tests: Iterable[tuple[str, Bools]], size: int) -> pl.Series:
    """The code of the first test that each of the `size` bars fails, `candidate` where it fails none."""
    found = np.zeros(size, np.uint8)
    for code, failed in tests:
        found[(found == 0) & failed] = OUTCOMES.index(code)
    return pl.Series("outcome", OUTCOMES, dtype=pl.Enum(OUTCOMES)).gather(pl.Series(found))
