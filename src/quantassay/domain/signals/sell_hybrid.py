"""The hybrid sell rules: profit that is protected, loss that is cut, a short trend that breaks, and time.

Sell        the close falls back to the highest tier's stop, the loss reaches its far limit, a breakout fails, the
            short mean crosses below the middle one, the RSI is below its lower floor, time is up without a profit
Review      the close falls back to a lower tier's stop, the loss reaches its near limit, the close is below a mean,
            falling candles in a row, the RSI below its upper floor, the time stop, and whatever is not known
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from quantassay.domain.signals.sell_kinds import (
    SHARED,
    Bars,
    Case,
    Effect,
    Level,
    Periods,
    Reason,
    Verdict,
    first_since,
    gains,
    loses,
    of_overrides,
    of_the_data,
    of_the_entry,
    own_corrections,
    too_few,
    unknown,
)
from quantassay.domain.signals.trailing import peak

BREAKOUT = "breakout"
CORRECTIONS: Mapping[str, str] = {
    **SHARED,
    "profit_protection": "A profit tier that the peak close has reached sets a stop and sells no rising price.",
    "hard_stop_band": "A loss in the band asks for a review; at its far end, where the stop is, it sells.",
    "stop_shown": "The stop in force is shown before it is hit, too.",
    "breakout_tags": "A breakout is known by the holding's tags too, not by its strategy alone.",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """The parameters. Shares are parts of the entry price; `tiers` are (profit, what its stop keeps), ascending.

    RSI floors are 0 to 100; `time_stop` and `grace` count sessions (0: off).
    """

    periods: Periods
    tiers: tuple[tuple[Decimal, Decimal], ...]
    loss_review: Decimal
    loss_sell: Decimal
    failed_breakout: Decimal
    rsi_review: float
    rsi_sell: float
    red_candles: int
    time_stop: int
    grace: int
    time_profit: Decimal
    min_bars: int
    corrections: frozenset[str]


def parameters(spec: Mapping[str, Any]) -> Rule:
    """The rule in the value of spec/24_sell_rules.yaml."""
    own = spec["hybrid"]
    return Rule(
        # The hybrid has no use for the range; it is worked out over the RSI's bars.
        Periods(own["ema_short"], own["ema_mid"], own["sma_trend"], own["rsi_period"], own["rsi_period"]),
        tiers=tuple((Decimal(tier["profit"]), Decimal(tier["keeps"])) for tier in own["tiers"]),
        loss_review=Decimal(own["loss_review"]),
        loss_sell=Decimal(own["loss_sell"]),
        failed_breakout=Decimal(own["failed_breakout"]),
        rsi_review=float(own["rsi_review"]),
        rsi_sell=float(own["rsi_sell"]),
        red_candles=own["red_candles"],
        time_stop=own["time_stop"],
        grace=own["grace"],
        time_profit=Decimal(own["time_profit"]),
        min_bars=own["min_bars"],
        corrections=own_corrections(spec["corrections"], CORRECTIONS),
    )


def evaluate(bars: Bars, at: int, case: Case, rule: Rule) -> Verdict:
    """What is to be done with the holding on the close of row `at`, by that row and those before it."""
    fixed, own = rule.corrections, case.holding
    close = Decimal(repr(float(bars.close[at])))
    told = [*of_the_data(case, fixed), *of_overrides(case, close, fixed)]
    if own.entry_price is None and "unknown_figures" in fixed:
        told.append(Reason("entry_price_unknown", Effect.REVIEW))
    if at < 1 or at + 1 < rule.min_bars:
        return too_few(told, at, rule.min_bars, case, fixed)
    since = None if own.entry_date is None else first_since(bars, at, own.entry_date)
    top, dated = _peak(bars, at, since, case), of_the_entry(bars, case, since, fixed)
    armed = None
    if own.entry_price is not None:
        armed = _armed(bars, top, own.entry_price, rule)
        told += _profit(close, own.entry_price, armed, rule)
        told += _loss(close, own.entry_price, case, rule)
    told += [*dated, *_trend(bars, at, rule), *_candles(bars, at, rule), *_momentum(bars, at, rule)]
    told += _time(close, bars, at, case, rule, sold=any(reason.effect == Effect.SELL for reason in told))
    known = None if since is None else top
    return Verdict(tuple(told), _stop(close, armed, case, rule), _target(case, rule), known)


def _peak(bars: Bars, at: int, since: int | None, case: Case) -> int | None:
    """The row of the highest close since the entry; the deciding one where no date says, or the base has changed."""
    if case.holding.entry_date is None:
        return at
    if since is None:
        return None
    return at if case.base_changed else peak(bars.close, since, at)


@dataclass(frozen=True, slots=True)
class _Tier:
    """The highest tier that the profit has reached: its number from 0, and the stop that it sets."""

    number: int
    stop: Decimal


def _armed(bars: Bars, top: int | None, entry: Decimal, rule: Rule) -> _Tier | None:
    if "profit_protection" not in rule.corrections or top is None:
        return None
    best = Decimal(repr(float(bars.close[top])))
    reached = [number for number, (profit, _) in enumerate(rule.tiers) if gains(best, entry, profit)]
    return _Tier(reached[-1], entry * (1 + rule.tiers[reached[-1]][1])) if reached else None


def _profit(close: Decimal, entry: Decimal, armed: _Tier | None, rule: Rule) -> Iterable[Reason]:
    highest = len(rule.tiers) - 1
    if "profit_protection" in rule.corrections:
        if armed is not None and close <= armed.stop:
            effect = Effect.SELL if armed.number == highest else Effect.REVIEW
            yield Reason("profit_stop_hit", effect, close, armed.stop)
        return
    for number in range(highest, -1, -1):
        profit = rule.tiers[number][0]
        if gains(close, entry, profit):
            yield Reason(
                "profit_reached", Effect.SELL if number == highest else Effect.REVIEW, _part(close, entry), profit
            )
            return


def _loss(close: Decimal, entry: Decimal, case: Case, rule: Rule) -> Iterable[Reason]:
    fixed, part = rule.corrections, _part(close, entry)
    tags = case.holding.tags if "breakout_tags" in fixed else ()
    is_breakout = any(BREAKOUT in word.lower() for word in (case.holding.strategy, *tags))
    if is_breakout and loses(close, entry, rule.failed_breakout):
        yield Reason("failed_breakout", Effect.SELL, part, -rule.failed_breakout)
    if "hard_stop_band" not in fixed:
        if loses(close, entry, rule.loss_review):
            yield Reason("loss_limit", Effect.SELL, part, -rule.loss_review)
    elif case.holding.stop is not None and "stop_override" in fixed:
        return  # the desk's own stop takes the place of the band
    elif loses(close, entry, rule.loss_sell):
        yield Reason("loss_limit", Effect.SELL, part, -rule.loss_sell)
    elif loses(close, entry, rule.loss_review):
        yield Reason("loss_band", Effect.REVIEW, part, -rule.loss_review)


def _part(close: Decimal, entry: Decimal) -> Decimal:
    return (close - entry) / entry


def _trend(bars: Bars, at: int, rule: Rule) -> Iterable[Reason]:
    close, short, mid, trend = (float(line[at]) for line in (bars.close, bars.ema_short, bars.ema_long, bars.trend))
    if "unknown_figures" in rule.corrections:
        yield from unknown({"ema_short": short, "ema_mid": mid, "sma_trend": trend})
    if close < short:
        yield Reason("below_ema_short", Effect.REVIEW, close, short)
    if close < trend:
        yield Reason("below_sma_trend", Effect.REVIEW, close, trend)
    if short < mid and bars.ema_short[at - 1] >= bars.ema_long[at - 1]:
        yield Reason("ema_cross_down", Effect.SELL, short, mid)


def _candles(bars: Bars, at: int, rule: Rule) -> Iterable[Reason]:
    last = slice(max(at + 1 - rule.red_candles, 0), at + 1)
    if at + 1 >= rule.red_candles and (bars.close[last] < bars.open[last]).all():
        yield Reason("red_candles", Effect.REVIEW, rule.red_candles, rule.red_candles)


def _momentum(bars: Bars, at: int, rule: Rule) -> Iterable[Reason]:
    rsi = float(bars.rsi[at])
    if "unknown_figures" in rule.corrections:
        yield from unknown({"rsi": rsi})
    if rsi < rule.rsi_sell:
        yield Reason("rsi_very_low", Effect.SELL, rsi, rule.rsi_sell)
    elif rsi < rule.rsi_review:
        yield Reason("rsi_low", Effect.REVIEW, rsi, rule.rsi_review)


def _time(close: Decimal, bars: Bars, at: int, case: Case, rule: Rule, *, sold: bool) -> Iterable[Reason]:
    """The time stop, and past its grace a sell of what shows neither profit nor a trend, unless it is sold anyway."""
    own = case.holding
    if rule.time_stop == 0 or own.entry_date is None:
        return
    if case.held is None:
        if "entry_date" in rule.corrections:
            yield Reason("time_unknown", Effect.REVIEW)
        return
    if case.held >= rule.time_stop:
        yield Reason("time_stop", Effect.REVIEW, case.held, rule.time_stop)
    if sold or case.held < rule.time_stop + rule.grace:
        return
    short, mid, trend = (float(line[at]) for line in (bars.ema_short, bars.ema_long, bars.trend))
    poor = own.entry_price is not None and not gains(close, own.entry_price, rule.time_profit)
    if poor or float(close) < trend or short < mid:
        yield Reason("time_is_up", Effect.SELL, case.held, rule.time_stop + rule.grace)


def _stop(close: Decimal, armed: _Tier | None, case: Case, rule: Rule) -> Level | None:
    """The stop in force: the desk's own, else the highest of the armed tier's and the loss limit."""
    own, fixed = case.holding, rule.corrections
    if own.stop is not None and "stop_override" in fixed:
        return Level(own.stop, "override")
    if own.entry_price is None:
        return None
    cut = rule.loss_sell if "hard_stop_band" in fixed else (rule.loss_review + rule.loss_sell) / 2
    stop = Level(own.entry_price * (1 - cut), "loss")
    if armed is not None and armed.stop > stop.price:
        stop = Level(armed.stop, "profit")
    hit = close <= stop.price if stop.kind == "profit" else loses(close, own.entry_price, rule.loss_review)
    return stop if hit or "stop_shown" in fixed else None


def _target(case: Case, rule: Rule) -> Level | None:
    own = case.holding
    if own.target is not None and "target_override" in rule.corrections:
        return Level(own.target, "override")
    return None if own.entry_price is None else Level(own.entry_price * (1 + rule.tiers[-1][0]), "profit")
