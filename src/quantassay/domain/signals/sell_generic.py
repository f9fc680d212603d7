"""The generic sell rules: a trend that breaks, a momentum that fades, a stop that follows the peak, and time.

Sell        the short mean crosses below the long one, the RSI is below its lower floor, the close has reached the stop
Review      the close is below both means, the RSI below its upper floor, close and means are not all above the slow
            mean, the time stop, and whatever is not known
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from quantassay.domain.signals.sell_kinds import (
    SHARED,
    Bars,
    Case,
    Effect,
    Level,
    Number,
    Periods,
    Reason,
    Verdict,
    first_since,
    of_overrides,
    of_the_data,
    of_the_entry,
    own_corrections,
    too_few,
    unknown,
)
from quantassay.domain.signals.trailing import holding_stop, loose_stop, peak

CORRECTIONS: Mapping[str, str] = {
    **SHARED,
    "trail_holds": "The trailing stop never falls: a range that grows later does not move it away from the peak.",
    "short_history": "A name with too few bars for the slow mean is told apart from one that is below it.",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """The parameters. RSI floors are 0 to 100, `time_stop` counts sessions (0: off), `recent_bars` bars."""

    periods: Periods
    slow_mean: bool
    rsi_review: float
    rsi_sell: float
    atr_multiple: float
    recent_bars: int
    time_stop: int
    min_bars: int
    corrections: frozenset[str]


def parameters(spec: Mapping[str, Any]) -> Rule:
    """The rule in the value of spec/24_sell_rules.yaml."""
    own = spec["generic"]
    return Rule(
        Periods(own["ema_short"], own["ema_long"], own["slow_mean_period"], own["rsi_period"], own["atr_period"]),
        slow_mean=own["slow_mean"],
        rsi_review=float(own["rsi_review"]),
        rsi_sell=float(own["rsi_sell"]),
        atr_multiple=float(own["atr_multiple"]),
        recent_bars=own["recent_bars"],
        time_stop=own["time_stop"],
        min_bars=own["min_bars"],
        corrections=own_corrections(spec["corrections"], CORRECTIONS),
    )


def evaluate(bars: Bars, at: int, case: Case, rule: Rule) -> Verdict:
    """What is to be done with the holding on the close of row `at`, by that row and those before it."""
    fixed, own = rule.corrections, case.holding
    close = Decimal(repr(float(bars.close[at])))
    overrides = [*of_the_data(case, fixed), *of_overrides(case, close, fixed)]
    if own.entry_price is None and "unknown_figures" in fixed:
        overrides.append(Reason("entry_price_unknown", Effect.NOTE))
    target = None if own.target is None else Level(own.target, "override")
    if at < 1 or at + 1 < rule.min_bars:
        return too_few(overrides, at, rule.min_bars, case, fixed)
    since = None if own.entry_date is None else first_since(bars, at, own.entry_date)
    start, dated = _start(at, since, case, rule), of_the_entry(bars, case, since, fixed)
    stop = _stop(bars, at, start, case, rule)
    trailed = [] if stop is None or stop.kind == "override" else _trailed(bars.close[at], stop)
    told = [*overrides, *dated, *_trend(bars, at, rule), *_momentum(bars, at, rule), *trailed, *_time(case, rule)]
    top = None if since is None else peak(bars.close, since, at)
    return Verdict(tuple(told), stop, target, top)


def _start(at: int, since: int | None, case: Case, rule: Rule) -> int | None:
    """The first row that the trailing stop looks at."""
    if case.holding.entry_date is None:
        return max(at + 1 - rule.recent_bars, 0)
    return at if since is None and "entry_date" not in rule.corrections else since


def _stop(bars: Bars, at: int, start: int | None, case: Case, rule: Rule) -> Level | None:
    if case.holding.stop is not None:
        return Level(case.holding.stop, "override")
    if start is None:
        return None
    trail = holding_stop if "trail_holds" in rule.corrections else loose_stop
    price = trail(bars.close, bars.atr, start, at, rule.atr_multiple)
    return None if price is None else Level(price, "trailing")


def _trailed(close: float, stop: Level) -> Iterator[Reason]:
    if close <= stop.price:
        yield Reason("trailing_stop_hit", Effect.SELL, float(close), stop.price)


def _trend(bars: Bars, at: int, rule: Rule) -> Iterable[Reason]:
    close, short, long, slow = (float(line[at]) for line in (bars.close, bars.ema_short, bars.ema_long, bars.trend))
    if "unknown_figures" in rule.corrections:
        yield from unknown({"ema_short": short, "ema_long": long, "atr": float(bars.atr[at])})
    if rule.slow_mean:
        lowest: Number = min(close, short, long)
        if math.isnan(slow) and "short_history" in rule.corrections:
            yield Reason("short_history", Effect.REVIEW, at + 1, rule.periods.trend)
        elif not lowest > slow:
            yield Reason("below_slow_mean", Effect.REVIEW, lowest, slow)
    if short < long and bars.ema_short[at - 1] >= bars.ema_long[at - 1]:
        yield Reason("ema_cross_down", Effect.SELL, short, long)
    elif close < short and close < long:
        yield Reason("below_emas", Effect.REVIEW, close, min(short, long))


def _momentum(bars: Bars, at: int, rule: Rule) -> Iterable[Reason]:
    rsi = float(bars.rsi[at])
    if "unknown_figures" in rule.corrections:
        yield from unknown({"rsi": rsi})
    if rsi < rule.rsi_sell:
        yield Reason("rsi_very_low", Effect.SELL, rsi, rule.rsi_sell)
    elif rsi < rule.rsi_review:
        yield Reason("rsi_low", Effect.REVIEW, rsi, rule.rsi_review)


def _time(case: Case, rule: Rule) -> Iterable[Reason]:
    """The time stop; an entry date after the deciding bar has been told already."""
    if rule.time_stop == 0 or case.holding.entry_date is None:
        return
    if case.held is None:
        if "entry_date" in rule.corrections:
            yield Reason("time_unknown", Effect.REVIEW)
    elif case.held >= rule.time_stop:
        yield Reason("time_stop", Effect.REVIEW, case.held, rule.time_stop)
