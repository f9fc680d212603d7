"""Every sell verdict is worked out a second time, position by position and bar by bar, and must come out the same.

A stop in the wrong place sells what should be kept, or keeps what should be sold.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import polars as pl

from quantassay.domain.agreement import agree
from quantassay.domain.remembered import remembered
from quantassay.domain.signals import plain
from quantassay.findings import Judged

RULES = ["R13.3"]
SAYS = "is not what the bars, the position and the sell rules give"
BOTH = ("stop_override", "target_override", "time_in_sessions", "entry_date", "unknown_figures", "data_doubts")
CORRECTED = {
    "generic": {*BOTH, "trail_holds", "short_history"},
    "hybrid": {*BOTH, "profit_protection", "hard_stop_band", "stop_shown", "breakout_tags"},
}
COPIED = ("ticker", "written", "name", "quantity", "entry_price", "entry_date", "strategy", "tags", "notes", "session")
RANK = ("SELL", "REVIEW", "HOLD")
PRICES = ("open", "high", "low", "close")

Reason = dict[str, Any]


class _Bar(NamedTuple):
    session: str
    open: float
    high: float
    low: float
    close: float


class _Case(NamedTuple):
    """One position on its bars: the last of them decides."""

    row: dict[str, Any]
    bars: list[_Bar]
    rule: dict[str, Any]
    fixed: set[str]
    held: int | None

    @property
    def close(self) -> Fraction:
        return Fraction(repr(self.bars[-1].close))

    def amount(self, name: str) -> Fraction | None:
        """A member of the position as an exact number; None where it is missing, 0 or less."""
        value = self.row[name]
        return Fraction(str(value)) if value is not None and Fraction(str(value)) > 0 else None


def check(
    sell_signals: dict[str, Any],
    bars: pl.DataFrame,
    positions: dict[str, Any],
    sell_rules: dict[str, Any],
    daily_bars: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each field of each position, their order, the totals, and what the signals stand on."""
    mode, asked = sell_rules["mode"], sell_rules["corrections"]
    fixed = {"all": CORRECTED[mode], "none": set()}.get(asked if isinstance(asked, str) else "")
    fixed = set(asked) & CORRECTED[mode] if fixed is None else fixed
    known = _bars(bars, positions)
    rows = []
    for row in positions["rows"]:
        held = row["sessions_held" if "time_in_sessions" in fixed else "days_held"]
        case = _Case(row, known.get(row["ticker"], []), sell_rules[mode], fixed, held)
        rows.append({**{name: row[name] for name in COPIED}, "held": held, "doubts": row["doubts"]})
        rows[-1]["chart_id"] = "close_" + row["ticker"].replace(".", "_").lower()
        rows[-1].update(_judged(case, mode, daily_bars["chart_sessions"]))
    rows.sort(key=lambda row: (RANK.index(row["action"]), row["ticker"]))
    actions = [row["action"] for row in rows]
    whole = {
        **{name: positions[name] for name in ("session", "market", "currency", "source", "account")},
        "fx": daily_bars["fx"].get(positions["currency"]),
        "rules": {
            "mode": mode,
            "time_unit": "sessions" if "time_in_sessions" in fixed else "days",
            "corrections": sorted(fixed),
            "generic": None,
            "hybrid": None,
            mode: sell_rules[mode],
        },
        "totals": {
            "positions": len(rows),
            "evaluated": len([row for row in rows if row["last_close"] is not None]),
            **{action.lower(): actions.count(action) for action in RANK},
            "aside": len(positions["aside"]),
        },
        "rows": rows,
        "appendix": positions["aside"],
    }
    yield from agree(sell_signals, whole, SAYS)


@remembered
def _bars(bars: pl.DataFrame, positions: dict[str, Any]) -> dict[str, list[_Bar]]:
    """The usable bars of each position up to its deciding one; nothing where that one cannot be used."""
    last = {row["ticker"]: row["session"] for row in positions["rows"] if row["session"] is not None}
    found: dict[str, list[_Bar]] = {ticker: [] for ticker in last}
    told: dict[str, set[str]] = {ticker: set() for ticker in last}
    wanted = bars.filter(pl.col("ticker").is_in(list(last))).select("ticker", "session", *PRICES, "volume")
    for ticker, day, opened, high, low, close, volume in wanted.iter_rows():
        session = day.isoformat()
        if session > last[ticker] or session in told[ticker]:
            continue
        told[ticker].add(session)
        prices = [math.nan if price is None else float(price) for price in (opened, high, low, close)]
        if volume == 0 and all(math.isnan(price) or price == 0 for price in prices[:3]):
            prices = [prices[3]] * 4
        if all(math.isfinite(price) and price > 0 for price in prices):
            found[ticker].append(_Bar(session, *prices))
    for ticker, own in found.items():
        own.sort()
        if not own or own[-1].session != last[ticker]:
            own.clear()
    return found


def _judged(case: _Case, mode: str, sessions: int) -> dict[str, Any]:
    if not case.bars:
        reason = _reason("no_bar" if case.row["session"] is None else "unusable_bar", "REVIEW")
        nothing = dict.fromkeys(("last_close", "profit", "peak", "stop", "stop_kind", "target", "target_kind"))
        return {**nothing, "action": "REVIEW", "reasons": [reason], "chart": []}
    reasons, stop, target, top = _ruled(case, mode)
    asked = {reason["effect"] for reason in reasons}
    entry = case.amount("entry_price")
    chart = [(bar.session, _exact(bar.close), bar is case.bars[-1]) for bar in case.bars[-sessions:]]
    return {
        "last_close": _exact(case.bars[-1].close),
        "profit": None if entry is None else _six((case.close - entry) / entry),
        "peak": None if top is None else {"session": top.session, "close": _exact(top.close)},
        "action": "SELL" if "SELL" in asked else "REVIEW" if "REVIEW" in asked else "HOLD",
        "stop": None if stop is None else _six(stop[0]),
        "stop_kind": None if stop is None else stop[1],
        "target": None if target is None else _six(target[0]),
        "target_kind": None if target is None else target[1],
        "reasons": reasons,
        "chart": [dict(zip(("session", "close", "evaluated"), point, strict=True)) for point in chart],
    }


_Level = tuple[Fraction | float, str] | None
_Ruled = tuple[list[Reason], _Level, _Level, _Bar | None]


def _ruled(case: _Case, mode: str) -> _Ruled:
    """Reasons, stop, target and the bar of the peak close."""
    told = list(_told(case, mode))
    own_stop, own_target, bars = case.amount("stop_override"), case.amount("target_override"), case.bars
    if len(bars) < max(case.rule["min_bars"], 2):
        told.append(_reason("few_bars", "REVIEW", len(bars), case.rule["min_bars"]))
        stop = own_stop if "stop_override" in case.fixed else None
        target = own_target if "target_override" in case.fixed else None
        levels = [None if level is None else (level, "override") for level in (stop, target)]
        return told, levels[0], levels[1], None
    entered = case.row["entry_date"]
    since = [bar for bar in bars if entered is not None and bar.session >= entered]
    dated = list(_dated(case, since))
    rules = _generic if mode == "generic" else _hybrid
    return rules(case, told, dated, since)


def _told(case: _Case, mode: str) -> Iterator[Reason]:
    """What is said before the rules: doubts, the desk's own levels, an entry price that is not known."""
    if case.row["doubts"] and "data_doubts" in case.fixed:
        yield _reason("doubtful_data", "REVIEW")
    for name, sign in (("stop_override", 1), ("target_override", -1)):
        level = case.amount(name)
        if name not in case.fixed or case.row[name] is None:
            continue
        if level is None:
            yield _reason(f"{name}_unreadable", "REVIEW")
        elif case.close * sign <= level * sign:
            yield _reason(f"{name}_hit", "SELL", case.close, level)
    if case.amount("entry_price") is None and "unknown_figures" in case.fixed:
        yield _reason("entry_price_unknown", "NOTE" if mode == "generic" else "REVIEW")


def _dated(case: _Case, since: Sequence[_Bar]) -> Iterator[Reason]:
    entered = case.row["entry_date"]
    if entered is None:
        yield _reason("entry_date_missing", "NOTE")
    elif not since:
        if "entry_date" in case.fixed:
            yield _reason("entry_after_bar", "REVIEW")
    elif len(since) == len(case.bars) and date.fromisoformat(entered) < date.fromisoformat(since[0].session):
        yield _reason("entry_before_bars", "NOTE")


def _generic(case: _Case, told: list[Reason], dated: list[Reason], since: list[_Bar]) -> _Ruled:
    rule, fixed, bars = case.rule, case.fixed, case.bars
    closes = [bar.close for bar in bars]
    short, long = plain.ema(closes, rule["ema_short"]), plain.ema(closes, rule["ema_long"])
    slow = plain.sma(closes, rule["slow_mean_period"])[-1]
    ranges = plain.atr([bar.high for bar in bars], [bar.low for bar in bars], closes, rule["atr_period"])
    close, trend = closes[-1], []
    if "unknown_figures" in fixed and math.isnan(ranges[-1]):
        trend.append(_reason("unknown_atr", "REVIEW"))
    lowest = min(close, short[-1], long[-1])
    if rule["slow_mean"] and math.isnan(slow) and "short_history" in fixed:
        trend.append(_reason("short_history", "REVIEW", len(bars), rule["slow_mean_period"]))
    elif rule["slow_mean"] and (math.isnan(slow) or lowest <= slow):
        trend.append(_reason("below_slow_mean", "REVIEW", lowest, slow))
    if short[-1] < long[-1] and short[-2] >= long[-2]:
        trend.append(_reason("ema_cross_down", "SELL", short[-1], long[-1]))
    elif close < min(short[-1], long[-1]):
        trend.append(_reason("below_emas", "REVIEW", close, min(short[-1], long[-1])))
    own, start = case.amount("stop_override"), len(bars) - len(since)
    if case.row["entry_date"] is None:
        start = max(len(bars) - rule["recent_bars"], 0)
    elif not since:
        start = len(bars) - 1 if "entry_date" not in fixed else len(bars)
    trail = _trail(closes, ranges, start, float(rule["atr_multiple"]), loose="trail_holds" not in fixed)
    stop: _Level = (own, "override") if own is not None else None if trail is None else (trail, "trailing")
    hit = []
    if own is None and trail is not None and close <= trail:
        hit.append(_reason("trailing_stop_hit", "SELL", close, trail))
    time = []
    if case.held is not None and case.row["entry_date"] is not None and 0 < rule["time_stop"] <= case.held:
        time.append(_reason("time_stop", "REVIEW", case.held, rule["time_stop"]))
    told = [*told, *dated, *trend, *_momentum(case, closes), *hit, *_timeless(case), *time]
    target = case.amount("target_override")
    return told, stop, None if target is None else (target, "override"), _peak(since)


def _trail(closes: list[float], ranges: list[float], start: int, multiple: float, *, loose: bool) -> float | None:
    """The stop after the last bar; None where no range is known."""
    top, stop = -math.inf, None
    for row in range(start, len(closes)):
        top = max(top, closes[row])
        own = top - multiple * ranges[row]
        if not math.isnan(own) and (stop is None or own > stop or loose):
            stop = own
    return None if loose and math.isnan(ranges[-1]) else stop


def _hybrid(case: _Case, told: list[Reason], dated: list[Reason], since: list[_Bar]) -> _Ruled:
    rule, fixed, entry = case.rule, case.fixed, case.amount("entry_price")
    top = None if case.row["entry_date"] is not None and not since else case.bars[-1]
    if since and not case.row["base_changed"]:
        top = _peak(since)
    tier, level = None, None
    if entry is not None:
        if top is not None and "profit_protection" in fixed:
            best = Fraction(repr(top.close)) / entry - 1
            for number, one in enumerate(rule["tiers"]):
                if best >= Fraction(one["profit"]):
                    tier, level = number, entry * (1 + Fraction(one["keeps"]))
        told += [*_profit(case, entry, tier, level), *_loss(case, entry)]
    told += [*dated, *_short_trend(case), *_momentum(case, [bar.close for bar in case.bars]), *_timeless(case)]
    told += _times(case, entry, sold=any(reason["effect"] == "SELL" for reason in told))
    stop, target = _levels(case, entry, level)
    return told, stop, target, top if since else None


def _profit(case: _Case, entry: Fraction, tier: int | None, level: Fraction | None) -> Iterator[Reason]:
    tiers, part = case.rule["tiers"], case.close / entry - 1
    if "profit_protection" in case.fixed:
        if level is not None and case.close <= level:
            yield _reason("profit_stop_hit", "SELL" if tier == len(tiers) - 1 else "REVIEW", case.close, level)
        return
    reached = [number for number, one in enumerate(tiers) if part >= Fraction(one["profit"])]
    if reached:
        effect = "SELL" if reached[-1] == len(tiers) - 1 else "REVIEW"
        yield _reason("profit_reached", effect, part, Fraction(tiers[reached[-1]]["profit"]))


def _loss(case: _Case, entry: Fraction) -> Iterator[Reason]:
    rule, part = case.rule, case.close / entry - 1
    failed, near, far = (-Fraction(rule[name]) for name in ("failed_breakout", "loss_review", "loss_sell"))
    words = [case.row["strategy"] or "", *(case.row["tags"] if "breakout_tags" in case.fixed else [])]
    if part <= failed and any("breakout" in word.lower() for word in words):
        yield _reason("failed_breakout", "SELL", part, failed)
    if "hard_stop_band" not in case.fixed:
        if part <= near:
            yield _reason("loss_limit", "SELL", part, near)
        return
    if case.amount("stop_override") is not None and "stop_override" in case.fixed:
        return
    if part <= far:
        yield _reason("loss_limit", "SELL", part, far)
    elif part <= near:
        yield _reason("loss_band", "REVIEW", part, near)


def _short_trend(case: _Case) -> Iterator[Reason]:
    rule, closes = case.rule, [bar.close for bar in case.bars]
    short, mid = plain.ema(closes, rule["ema_short"]), plain.ema(closes, rule["ema_mid"])
    trend, last = plain.sma(closes, rule["sma_trend"])[-1], case.bars[-rule["red_candles"] :]
    if "unknown_figures" in case.fixed and math.isnan(trend):
        yield _reason("unknown_sma_trend", "REVIEW")
    if closes[-1] < short[-1]:
        yield _reason("below_ema_short", "REVIEW", closes[-1], short[-1])
    if closes[-1] < trend:
        yield _reason("below_sma_trend", "REVIEW", closes[-1], trend)
    if short[-1] < mid[-1] and short[-2] >= mid[-2]:
        yield _reason("ema_cross_down", "SELL", short[-1], mid[-1])
    if len(last) == rule["red_candles"] and all(bar.close < bar.open for bar in last):
        yield _reason("red_candles", "REVIEW", rule["red_candles"], rule["red_candles"])


def _momentum(case: _Case, closes: list[float]) -> Iterator[Reason]:
    rsi, rule = plain.rsi(closes, case.rule["rsi_period"])[-1], case.rule
    if math.isnan(rsi):
        if "unknown_figures" in case.fixed:
            yield _reason("unknown_rsi", "REVIEW")
    elif rsi < rule["rsi_sell"]:
        yield _reason("rsi_very_low", "SELL", rsi, rule["rsi_sell"])
    elif rsi < rule["rsi_review"]:
        yield _reason("rsi_low", "REVIEW", rsi, rule["rsi_review"])


def _timeless(case: _Case) -> Iterator[Reason]:
    """A review for a time stop that cannot be judged, though the entry date is there."""
    wanted = case.rule["time_stop"] > 0 and case.row["entry_date"] is not None
    if wanted and case.held is None and "entry_date" in case.fixed:
        yield _reason("time_unknown", "REVIEW")


def _times(case: _Case, entry: Fraction | None, *, sold: bool) -> Iterator[Reason]:
    rule, held = case.rule, case.held
    if held is None or rule["time_stop"] == 0:
        return
    if held >= rule["time_stop"]:
        yield _reason("time_stop", "REVIEW", held, rule["time_stop"])
    limit = rule["time_stop"] + rule["grace"]
    if sold or held < limit:
        return
    closes = [bar.close for bar in case.bars]
    weak = closes[-1] < plain.sma(closes, rule["sma_trend"])[-1]
    weak = weak or plain.ema(closes, rule["ema_short"])[-1] < plain.ema(closes, rule["ema_mid"])[-1]
    if weak or (entry is not None and case.close / entry - 1 < Fraction(rule["time_profit"])):
        yield _reason("time_is_up", "SELL", held, limit)


def _levels(case: _Case, entry: Fraction | None, level: Fraction | None) -> tuple[_Level, _Level]:
    rule, fixed = case.rule, case.fixed
    own, aim = case.amount("stop_override"), case.amount("target_override")
    stop: _Level = None
    target: _Level = None if entry is None else (entry * (1 + Fraction(rule["tiers"][-1]["profit"])), "profit")
    if aim is not None and "target_override" in fixed:
        target = (aim, "override")
    if own is not None and "stop_override" in fixed:
        return (own, "override"), target
    if entry is not None:
        near, far = Fraction(rule["loss_review"]), Fraction(rule["loss_sell"])
        cut = entry * (1 - (far if "hard_stop_band" in fixed else (near + far) / 2))
        hit = case.close / entry - 1 <= -near
        stop = (cut, "loss")
        if level is not None and level > cut:
            stop, hit = (level, "profit"), case.close <= level
        if "stop_shown" not in fixed and not hit:
            stop = None
    return stop, target


def _peak(since: Sequence[_Bar]) -> _Bar | None:
    """The first of the bars with the highest close."""
    top = None
    for bar in since:
        if top is None or bar.close > top.close:
            top = bar
    return top


def _reason(code: str, effect: str, value: Any = None, threshold: Any = None) -> Reason:
    return {"code": code, "effect": effect, "value": _six(value), "threshold": _six(threshold)}


def _six(value: Fraction | float | None) -> str | None:
    """A number with six places; None where it is not known."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    exact = Decimal(value.numerator) / value.denominator if isinstance(value, Fraction) else Decimal(value)
    rounded = exact.quantize(Decimal("0.000001"), ROUND_HALF_EVEN)
    return str(rounded or abs(rounded))


def _exact(price: float) -> int | str:
    return int(price) if price.is_integer() else repr(price)
