"""Buy rule `hybrid`: a pullback that turns, a swing high that is broken, or an oversold name that turns.

Every bar of a market is judged at once, and a bar's row knows nothing of the bars after it. First the common filters
ask, in this order: history, price floor, volumes known, traded at all, turnover, fund, indicators known, gap, long
average; then the patterns, of which the first that fits counts. With i the evaluated bar, S the trend's SMA, E and M
the short and the middle EMA, R the RSI, A the ATR, V the volume, V5 its mean over `volume_bars` bars to i:

1 pullback   close > S, E >= M, rsi_low <= R <= rsi_high.
             The bars i-n..i-1 closed at or below E, 1 <= n <= max_bars, and none of them fell (close < open) with
             V > heavy_volume * V5[i].
             One of: reclaim (close[i-1] <= E[i-1], close > E); busy (close > open, V > V[i-1], V > V5); RSI rise
             (R[i-1] <= middle < R); hammer (min(open, close) - low > |close - open|, |low - E| / close < hammer_reach).
             READY if close > E and (R > middle, or busy, or RSI rise). Trigger for the entry: E, where close > E.
2 breakout   E > M > S, R < rsi_below. H and L the highest high and lowest low of the max_bars bars before i (at least
             min_bars), (H - L) / H <= max_range; close > H, V > V5[i-1].
             Or, where a breakout is to be confirmed: bar i-1 was such a breakout over H, and close[i] > H again.
             Extended if close > H + extended_atr * A. READY if not extended, and confirmed or in no need of it.
             Trigger: H.
3 reversal   close > S, oversold_low <= R[i-1] <= oversold_high, R > rebound_above; close > open, V >= V5,
             min(open, close) - low > |close - open|, |low - E| or |low - M| within reach of close.
             READY if R >= ready_rsi and close > E. Trigger: E.

Volume is confirmed if the trigger was busy or V is at least the mean that the pattern compares with, and that is
above 0. `CORRECTIONS` says where the older program did otherwise.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantassay.domain.signals import hybrid_patterns as patterns
from quantassay.domain.signals import indicators as ind
from quantassay.domain.signals import shared
from quantassay.domain.signals.candidates import READY, WATCH
from quantassay.domain.signals.daily import Daily, parts
from quantassay.domain.signals.hybrid_patterns import Codes, Figures, Found, FoundBreakout, FoundPullback
from quantassay.domain.signals.hybrid_rule import CORRECTIONS, Rule, parameters
from quantassay.domain.signals.indicators import Bools, Floats, Ints

__all__ = ["CORRECTIONS", "OUTCOMES", "PATTERNS", "SYSTEM", "TRIGGER_KINDS", "Rule", "evaluate", "parameters"]

CANDIDATE = "candidate"
SHORT_HISTORY, UNKNOWN_INDICATOR, UNKNOWN_VOLUME = "short_history", "unknown_indicator", "unknown_volume"
PRICE_FLOOR, NO_TURNOVER, ILLIQUID, FUND = "price_floor", "no_turnover", "illiquid", "fund"
GAP, BELOW_LONG_AVERAGE, NO_PATTERN = "gap", "below_long_average", "no_pattern"
OUTCOMES = (
    CANDIDATE,
    SHORT_HISTORY,
    PRICE_FLOOR,
    UNKNOWN_VOLUME,
    NO_TURNOVER,
    ILLIQUID,
    FUND,
    UNKNOWN_INDICATOR,
    GAP,
    BELOW_LONG_AVERAGE,
    NO_PATTERN,
)
# These say that the data do not tell, all other outcomes but `candidate` that the rule said no.
SYSTEM = frozenset({SHORT_HISTORY, UNKNOWN_VOLUME, UNKNOWN_INDICATOR})
PATTERNS = (None, "pullback", "breakout", "reversal")
PULLBACK, BREAKOUT, REVERSAL = 1, 2, 3
STATES = (None, READY, WATCH)
# Columns that are figures of the patterns, and their fields.
FIGURES = {
    "sma_trend": "sma",
    **{name: name for name in ("ema_short", "ema_mid", "rsi", "rsi_before", "atr")},
}
# What the price of a pattern's entry trigger is.
TRIGGER_KINDS = {"pullback": "ema_short", "breakout": "swing_high", "reversal": "ema_short"}


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
        One row a bar, in the order of `daily.frame`: `ticker`, `session`, `outcome`; `pattern` and `state`, null but
        for candidates; `trigger_price` NaN where the pattern has none. Whatever the common filters said:
        `blocker_pullback`, `blocker_breakout`, `blocker_reversal` (the first test that stops the pattern, null where
        none does), the triggers `reclaim`, `busy`, `rsi_rise`, `hammer` of a pullback of `pullback_bars` bars,
        `swing_high`, `extended` and `confirmed` of a breakout. Figures, NaN where not known: `sma_trend`, `ema_short`,
        `ema_mid`, `rsi`, `rsi_before`, `atr`, `long_average` (where asked for), `gap` and `day_change` (open and close
        / close before - 1), `turnover` (mean of close * volume), `volume_mean` (that the pattern compares with),
        `rs_return` (over the look-back). `volume_confirmed` adds to the score.
    """
    return pl.concat([_evaluated(part, rule, funds, unfinished or {}) for part in parts(daily)])


def _evaluated(daily: Daily, rule: Rule, funds: Collection[str], unfinished: Mapping[str, int]) -> pl.DataFrame:
    fig = _figures(daily, rule)
    pull, broke, turned = patterns.pullback(fig, rule), patterns.breakout(fig, rule), patterns.reversal(fig, rule)
    blockers = (pull.blocker, broke.blocker, turned.blocker)
    found = np.select([blocker == 0 for blocker in blockers], [PULLBACK, BREAKOUT, REVERSAL], 0).astype(np.uint8)
    more = _more_figures(daily, fig, rule)
    outcome = np.zeros(len(found), np.uint8)
    for code, failed in _tests(daily, fig, rule, more, _history(daily, rule, unfinished), set(funds)):
        outcome[(outcome == 0) & failed] = OUTCOMES.index(code)
    outcome[(outcome == 0) & (found == 0)] = OUTCOMES.index(NO_PATTERN)
    found[outcome != 0] = 0
    return daily.frame.select("ticker", "session", _named("outcome", OUTCOMES, outcome)).hstack(
        [
            *_entry(fig, pull, broke, turned, found),
            *_pattern_columns(pull, broke, turned),
            *(pl.Series(name, getattr(fig, field)) for name, field in FIGURES.items()),
            *(pl.Series(name, values) for name, values in more.items()),
        ]
    )


def _figures(daily: Daily, rule: Rule) -> Figures:
    bars, close = daily.layout, daily.close
    volume = np.nan_to_num(daily.volume, nan=0.0)
    rsi = shared.rsi(daily, rule.rsi_period, flat=np.nan if "flat_rsi" in rule.corrections else 100.0)
    return Figures(
        bars=bars,
        open=daily.open,
        high=daily.high,
        low=daily.low,
        close=close,
        volume=volume,
        sma=shared.sma(daily, rule.sma_period),
        ema_short=shared.ema(daily, rule.ema_short),
        ema_mid=shared.ema(daily, rule.ema_mid),
        rsi=rsi,
        rsi_before=ind.shift(bars, rsi, 1),
        atr=shared.atr(daily, rule.atr_period),
        volume_mean=patterns.mean(bars, volume, rule.volume_bars),
    )


def _more_figures(daily: Daily, fig: Figures, rule: Rule) -> dict[str, Floats]:
    """What only the common filters and the report look at."""
    bars, close = fig.bars, fig.close
    before = ind.shift(bars, close, 1)
    volume = daily.volume if "unknown_volume" in rule.corrections else fig.volume
    return {
        "gap": (fig.open - before) / before,
        "day_change": (close - before) / before,
        "turnover": patterns.mean(bars, close * volume, rule.turnover_bars),
        "rs_return": shared.gain(daily, rule.look_back),
        "long_average": shared.sma(daily, rule.long_period) if rule.long_required else np.full(len(close), np.nan),
    }


def _history(daily: Daily, rule: Rule, unfinished: Mapping[str, int]) -> Ints:
    """How many bars count as history."""
    history = daily.layout.position + 1
    if not unfinished or "completed_history" in rule.corrections:
        return history
    names = daily.frame["ticker"]
    more = names.replace_strict(dict(unfinished), default=0, return_dtype=pl.Int64).to_numpy()
    return np.asarray(history + more, dtype=np.int64)


def _tests(
    daily: Daily, fig: Figures, rule: Rule, more: Mapping[str, Floats], history: Ints, funds: Collection[str]
) -> Iterator[tuple[str, Bools]]:
    """The common filters in their order: the outcome, and where it is."""
    yield SHORT_HISTORY, (history < rule.min_history) | (fig.bars.position < 1)
    yield PRICE_FLOOR, fig.close < rule.min_price
    if "unknown_volume" in rule.corrections:
        yield UNKNOWN_VOLUME, _unknown_volume(daily, rule)
    if "zero_turnover" in rule.corrections:
        yield NO_TURNOVER, more["turnover"] <= 0
    yield ILLIQUID, more["turnover"] < rule.min_turnover
    if rule.exclude_funds and funds:
        yield FUND, daily.frame["ticker"].is_in(list(funds)).to_numpy()
    if "unknown_indicator" in rule.corrections:
        indicators = (fig.sma, fig.ema_short, fig.ema_mid, fig.rsi, fig.atr)
        asked = (*indicators, more["long_average"]) if rule.long_required else indicators
        yield UNKNOWN_INDICATOR, np.logical_or.reduce([np.isnan(values) for values in asked])
    if "gap_filter" in rule.corrections and rule.max_gap is not None:
        yield GAP, np.abs(more["gap"]) > rule.max_gap
    if "long_average" in rule.corrections and rule.long_required:
        yield BELOW_LONG_AVERAGE, ~(fig.close > more["long_average"])


def _unknown_volume(daily: Daily, rule: Rule) -> Bools:
    """Whether a volume is unknown that the turnover, a mean volume or a pullback of the bar looks at."""
    window = max(rule.turnover_bars, rule.volume_bars + 2, rule.pullback.max_bars + 1)
    known = ind.run_length(daily.layout, ~np.isnan(daily.volume))
    return np.asarray(known < np.minimum(window, daily.layout.position + 1), dtype=np.bool_)


def _entry(fig: Figures, pull: FoundPullback, broke: FoundBreakout, turned: Found, found: Codes) -> Iterator[pl.Series]:
    """The pattern that counts, its state, what triggers the entry, and what its score is made of."""
    is_pullback, is_breakout = found == PULLBACK, found == BREAKOUT
    ready = np.select([is_pullback, is_breakout], [pull.ready, broke.ready], turned.ready)
    state = np.where(found == 0, 0, np.where(ready, 1, 2))
    reclaimed = (found == REVERSAL) | (is_pullback & (fig.close > fig.ema_short))
    usual = np.where(is_breakout, broke.volume_mean, fig.volume_mean)
    yield _named("pattern", PATTERNS, found)
    yield _named("state", STATES, state)
    yield pl.Series("trigger_price", np.select([is_breakout, reclaimed], [broke.swing_high, fig.ema_short], np.nan))
    yield pl.Series("extended", is_breakout & broke.extended)
    yield pl.Series("confirmed", is_breakout & broke.confirmed)
    yield pl.Series("volume_mean", usual)
    yield pl.Series("volume_confirmed", (is_pullback & pull.busy) | ((usual > 0) & (fig.volume >= usual)))


def _pattern_columns(pull: FoundPullback, broke: FoundBreakout, turned: Found) -> Iterator[pl.Series]:
    """What stops each pattern, and what the first two saw."""
    yield _named("blocker_pullback", patterns.PULLBACK_BLOCKERS, pull.blocker)
    yield _named("blocker_breakout", patterns.BREAKOUT_BLOCKERS, broke.blocker)
    yield _named("blocker_reversal", patterns.REVERSAL_BLOCKERS, turned.blocker)
    yield pl.Series("pullback_bars", pull.length)
    for name in ("reclaim", "busy", "rsi_rise", "hammer"):
        yield pl.Series(name, getattr(pull, name))
    yield pl.Series("swing_high", broke.swing_high)


def _named(name: str, names: Sequence[str | None], codes: NDArray[Any]) -> pl.Series:
    kind = pl.Enum([one for one in names if one is not None])
    return pl.Series(name, names, dtype=kind).gather(pl.Series(codes))
