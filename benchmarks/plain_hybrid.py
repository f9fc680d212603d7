"""The buy rule `hybrid` for one name in plain Python, bar by bar: the second half of `plain_daily.py`."""

from math import isnan, nan
from typing import NamedTuple

from plain_daily import Name, Row, Values, atr, ema, mean_so_far, rsi, sma

from quantassay.domain.signals import hybrid
from quantassay.domain.signals.candidates import READY, WATCH


class Seen(NamedTuple):
    """What the patterns look at, a value a bar."""

    bars: Name
    sma: Values
    short: Values
    mid: Values
    rsi: Values
    atr: Values
    usual: Values


def hybrid_rows(bars: Name, rule: hybrid.Rule, *, fund: bool = False) -> list[Row]:
    """The rows of `hybrid.evaluate` for the name."""
    close = bars.close
    volume = [0.0 if isnan(one) else one for one in bars.volume]
    own = bars._replace(volume=volume)
    traded = [price * one for price, one in zip(close, bars.volume, strict=True)]
    turnover = mean_so_far(traded, rule.turnover_bars)
    long = sma(close, rule.long_period) if rule.long_required else [nan] * len(close)
    seen = Seen(
        own,
        sma(close, rule.sma_period),
        ema(close, rule.ema_short),
        ema(close, rule.ema_mid),
        rsi(close, rule.rsi_period),
        atr(bars, rule.atr_period),
        mean_so_far(volume, rule.volume_bars),
    )
    rows = []
    for i, price in enumerate(close):
        then = i - rule.look_back
        row = {
            "sma_trend": seen.sma[i],
            "ema_short": seen.short[i],
            "ema_mid": seen.mid[i],
            "rsi": seen.rsi[i],
            "rsi_before": seen.rsi[i - 1] if i else nan,
            "atr": seen.atr[i],
            "gap": (bars.open[i] - close[i - 1]) / close[i - 1] if i else nan,
            "day_change": (price - close[i - 1]) / close[i - 1] if i else nan,
            "turnover": turnover[i],
            "rs_return": price / close[then] - 1.0 if then >= 0 else nan,
            "long_average": long[i],
        }
        unknown = any(map(isnan, bars.volume[max(i + 1 - _window(rule), 0) : i + 1]))
        row |= _patterns(seen, rule, i, _common(rule, row, i, price, unknown=unknown, fund=fund))
        rows.append(row)
    return rows


def _window(rule: hybrid.Rule) -> int:
    return max(rule.turnover_bars, rule.volume_bars + 2, rule.pullback.max_bars + 1)


def _common(rule: hybrid.Rule, row: Row, i: int, price: float, *, unknown: bool, fund: bool) -> str:
    """The first common filter that stops the bar."""
    if i < 1 or i + 1 < rule.min_history:
        return hybrid.SHORT_HISTORY
    if price < rule.min_price:
        return hybrid.PRICE_FLOOR
    if unknown:
        return hybrid.UNKNOWN_VOLUME
    if row["turnover"] <= 0:
        return hybrid.NO_TURNOVER
    if row["turnover"] < rule.min_turnover:
        return hybrid.ILLIQUID
    if fund and rule.exclude_funds:
        return hybrid.FUND
    asked = ["sma_trend", "ema_short", "ema_mid", "rsi", "atr", *(["long_average"] if rule.long_required else [])]
    if any(isnan(row[name]) for name in asked):
        return hybrid.UNKNOWN_INDICATOR
    if rule.max_gap is not None and abs(row["gap"]) > rule.max_gap:
        return hybrid.GAP
    if rule.long_required and not price > row["long_average"]:
        return hybrid.BELOW_LONG_AVERAGE
    return hybrid.CANDIDATE


def _patterns(seen: Seen, rule: hybrid.Rule, i: int, outcome: str) -> Row:
    """What each pattern says, and the first that is there where the common filters let the bar pass."""
    pull, broke, turned = _pullback(seen, rule, i), _breakout(seen, rule, i), _reversal(seen, rule, i)
    found = {"pullback": pull, "breakout": broke, "reversal": turned}
    there = [name for name, pattern in found.items() if pattern["blocker"] is None]
    if outcome == hybrid.CANDIDATE and not there:
        outcome = hybrid.NO_PATTERN
    name = there[0] if outcome == hybrid.CANDIDATE else None
    close, volume = seen.bars.close[i], seen.bars.volume[i]
    usual = broke["volume_mean"] if name == "breakout" else seen.usual[i]
    reclaimed = name == "reversal" or (name == "pullback" and close > seen.short[i])
    trigger = seen.short[i] if reclaimed else nan
    return {
        "outcome": outcome,
        "pattern": name,
        "state": None if name is None else READY if found[name]["ready"] else WATCH,
        "trigger_price": broke["swing_high"] if name == "breakout" else trigger,
        "extended": name == "breakout" and broke["extended"],
        "confirmed": name == "breakout" and broke["confirmed"],
        "volume_mean": usual,
        "volume_confirmed": (name == "pullback" and pull["busy"]) or (usual > 0 and volume >= usual),
        **{f"blocker_{key}": pattern["blocker"] for key, pattern in found.items()},
        **{key: pull[key] for key in ("pullback_bars", "reclaim", "busy", "rsi_rise", "hammer")},
        "swing_high": broke["swing_high"],
    }


def _long_shadow(bars: Name, i: int) -> bool:
    return min(bars.open[i], bars.close[i]) - bars.low[i] > abs(bars.close[i] - bars.open[i])


def _pullback(seen: Seen, rule: hybrid.Rule, i: int) -> Row:
    bars, own = seen.bars, rule.pullback
    close, short, strength, usual = bars.close[i], seen.short[i], seen.rsi[i], seen.usual[i]
    length = 0
    while i - 1 - length >= 0 and bars.close[i - 1 - length] <= seen.short[i - 1 - length]:
        length += 1
    above, middle = close > short, rule.rsi_middle
    reclaim = i > 0 and bars.close[i - 1] <= seen.short[i - 1] and above
    busy = i > 0 and close > bars.open[i] and bars.volume[i] > bars.volume[i - 1] and bars.volume[i] > usual
    rise = i > 0 and seen.rsi[i - 1] <= middle < strength
    hammer = _long_shadow(bars, i) and abs(bars.low[i] - short) / close < own.hammer_reach
    blocker: str | None
    if not close > seen.sma[i]:
        blocker = "below_sma"
    elif not short >= seen.mid[i]:
        blocker = "averages_crossed"
    elif not own.rsi_low <= strength <= own.rsi_high:
        blocker = "rsi_outside"
    elif length == 0:
        blocker = "no_pullback"
    elif length > own.max_bars:
        blocker = "long_pullback"
    elif _heavy(bars, i, length, usual * own.heavy_volume):
        blocker = "heavy_selling"
    else:
        blocker = None if reclaim or busy or rise or hammer else "no_trigger"
    triggers = {"reclaim": reclaim, "busy": busy, "rsi_rise": rise, "hammer": hammer}
    ready = above and (strength > middle or rise or busy)
    return {"blocker": blocker, "ready": ready, "pullback_bars": length, **triggers}


def _heavy(bars: Name, i: int, length: int, most: float) -> bool:
    """Whether a falling bar of the pullback was traded above the most that is usual."""
    return most > 0 and any(
        bars.close[back] < bars.open[back] and bars.volume[back] > most for back in range(i - length, i)
    )


def _first_close(seen: Seen, rule: hybrid.Rule, i: int) -> tuple[str | None, float, float]:
    """What stops a breakout on this bar alone, the swing high and the mean volume."""
    bars, own = seen.bars, rule.breakout
    size = min(i, own.max_bars)
    high = max(bars.high[i - size : i]) if size else nan
    low = min(bars.low[i - size : i]) if size else nan
    usual = seen.usual[i - 1] if i else nan
    blocker: str | None
    if not (seen.short[i] > seen.mid[i] > seen.sma[i]):
        blocker = "averages_not_aligned"
    elif not seen.rsi[i] < own.rsi_below:
        blocker = "rsi_high"
    elif size < own.min_bars:
        blocker = "short_range"
    elif (high - low) / high > own.max_range:
        blocker = "wide_range"
    else:
        blocker = None if bars.close[i] > high and bars.volume[i] > usual else "no_breakout"
    return blocker, high, usual


def _breakout(seen: Seen, rule: hybrid.Rule, i: int) -> Row:
    own, close = rule.breakout, seen.bars.close[i]
    blocker, high, usual = _first_close(seen, rule, i)
    confirmed = False
    if own.confirmed and i:
        earlier, swing, mean = _first_close(seen, rule, i - 1)
        if earlier is None and close > swing:
            blocker, high, usual, confirmed = None, swing, mean, True
    extended = close > high + own.extended_atr * seen.atr[i]
    return {
        "blocker": blocker,
        "ready": (confirmed or not own.confirmed) and not extended,
        "swing_high": high,
        "volume_mean": usual,
        "extended": extended,
        "confirmed": confirmed,
    }


def _reversal(seen: Seen, rule: hybrid.Rule, i: int) -> Row:
    bars, own, close = seen.bars, rule.reversal, seen.bars.close[i]
    before = seen.rsi[i - 1] if i else nan
    distance = min(abs(bars.low[i] - seen.short[i]), abs(bars.low[i] - seen.mid[i]))
    blocker: str | None
    if not close > seen.sma[i]:
        blocker = "below_sma"
    elif not (own.oversold_low <= before <= own.oversold_high and seen.rsi[i] > own.rebound_above):
        blocker = "no_rebound"
    elif not (close > bars.open[i] and bars.volume[i] >= seen.usual[i]):
        blocker = "weak_bar"
    elif not _long_shadow(bars, i):
        blocker = "no_lower_shadow"
    else:
        blocker = None if distance / close < own.reach else "far_from_average"
    return {"blocker": blocker, "ready": seen.rsi[i] >= own.ready_rsi and close > seen.short[i]}
