"""Why a name is a candidate, or is none, with the number that each test looked at and what that was compared with.

Rows are those of `ema_cross.evaluate` and `hybrid.evaluate`, joined with the bar's own `open`, `low`, `close`, `volume`
and `bars` (how many the name has). Numbers are texts, counts whole and others with six places; null where a test has
none.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from quantassay.domain.figures import text
from quantassay.domain.signals import ema_cross, hybrid

Row = Mapping[str, Any]
Numbers = tuple[str | None, str | None]


def _numbers(value: float | None, threshold: float | None) -> Numbers:
    return _number(value), _number(threshold)


def _number(value: float | None) -> str | None:
    if value is None or isinstance(value, int):
        return None if value is None else str(value)
    return text(value)


def ema_cross_reasons(row: Row, rule: ema_cross.Rule) -> Iterator[tuple[str, Numbers]]:
    """What speaks for a candidate of ema_cross, in the order of its tests."""
    yield "cross", _numbers(row["ema_short"], row["ema_long"])
    yield "rebound", _numbers(row["rebound_bars_ago"], rule.within_bars)
    yield "rsi", _numbers(row["rsi"], rule.rsi_ceiling)
    if rule.long_required:
        yield "long_average", _numbers(row["close"], row["sma_long"])
    if rule.slope_required:
        yield "slope", (None, None)
    if text(row["gap_limit"]) is not None:
        yield "gap", _numbers(row["gap"], row["gap_limit"])
    yield "turnover", _numbers(row["turnover"], rule.min_turnover)


def ema_cross_miss(row: Row, rule: ema_cross.Rule) -> Numbers:
    """The numbers of the first test of ema_cross that failed."""
    numbers: dict[str, tuple[float | None, float | None]] = {
        "short_history": (row["bars"], rule.min_history),
        "price_floor": (row["close"], rule.min_price),
        "no_cross": (row["ema_short"], row["ema_long"]),
        "no_rebound": (row["rebound_bars_ago"], rule.within_bars),
        "overbought": (row["rsi"], rule.rsi_ceiling),
        "below_long_average": (row["close"], row["sma_long"]),
        "gap": (row["gap"], row["gap_limit"]),
        "illiquid": (row["turnover"], rule.min_turnover),
    }
    return _numbers(*numbers.get(row["outcome"], (None, None)))


def hybrid_reasons(row: Row, rule: hybrid.Rule) -> Iterator[tuple[str, Numbers]]:
    """What speaks for a candidate of the hybrid, in the order of its pattern's tests."""
    yield from _PATTERNS[row["pattern"]](row, rule)
    yield "turnover", _numbers(row["turnover"], rule.min_turnover)


def _pullback(row: Row, rule: hybrid.Rule) -> Iterator[tuple[str, Numbers]]:
    own = rule.pullback
    yield "above_trend", _numbers(row["close"], row["sma_trend"])
    yield "averages", _numbers(row["ema_short"], row["ema_mid"])
    yield "rsi_least", _numbers(row["rsi"], own.rsi_low)
    yield "rsi_most", _numbers(row["rsi"], own.rsi_high)
    yield "pullback", _numbers(row["pullback_bars"], own.max_bars)
    if row["reclaim"]:
        yield "reclaim", _numbers(row["close"], row["ema_short"])
    if row["busy"]:
        yield "busy", _numbers(row["volume"], row["volume_mean"])
    if row["rsi_rise"]:
        yield "rsi_rise", _numbers(row["rsi"], rule.rsi_middle)
    if row["hammer"]:
        yield "hammer", _numbers(abs(row["low"] - row["ema_short"]) / row["close"], own.hammer_reach)


def _breakout(row: Row, rule: hybrid.Rule) -> Iterator[tuple[str, Numbers]]:
    yield "averages", _numbers(row["ema_short"], row["ema_mid"])
    yield "mid_above_trend", _numbers(row["ema_mid"], row["sma_trend"])
    yield "rsi_most", _numbers(row["rsi"], rule.breakout.rsi_below)
    yield "swing_high", _numbers(row["close"], row["swing_high"])
    yield "confirmed" if row["confirmed"] else "volume", _numbers(row["volume"], row["volume_mean"])
    if row["extended"]:
        yield "extended", _numbers(row["close"], row["swing_high"] + rule.breakout.extended_atr * row["atr"])


def _reversal(row: Row, rule: hybrid.Rule) -> Iterator[tuple[str, Numbers]]:
    own = rule.reversal
    yield "above_trend", _numbers(row["close"], row["sma_trend"])
    yield "oversold", _numbers(row["rsi_before"], own.oversold_high)
    yield "rebound", _numbers(row["rsi"], own.rebound_above)
    yield "volume", _numbers(row["volume"], row["volume_mean"])
    yield "lower_shadow", _numbers(min(row["open"], row["close"]) - row["low"], abs(row["close"] - row["open"]))
    nearest = min(abs(row["low"] - row["ema_short"]), abs(row["low"] - row["ema_mid"])) / row["close"]
    yield "near_average", _numbers(nearest, own.reach)


_PATTERNS = {"pullback": _pullback, "breakout": _breakout, "reversal": _reversal}


def hybrid_miss(row: Row, rule: hybrid.Rule) -> Numbers:
    """The numbers of the first filter of the hybrid that failed; where no pattern fits there are none."""
    numbers: dict[str, tuple[float | None, float | None]] = {
        "short_history": (row["bars"], rule.min_history),
        "price_floor": (row["close"], rule.min_price),
        "no_turnover": (row["turnover"], 0.0),
        "illiquid": (row["turnover"], rule.min_turnover),
        "gap": (row["gap"], rule.max_gap),
        "below_long_average": (row["close"], row["long_average"]),
    }
    return _numbers(*numbers.get(row["outcome"], (None, None)))
