"""The hybrid buy rule beside the older daily-bar report: its verdicts, candidates, blockers, and its known defect."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

import polars as pl
from oracle_kinds import Bars, Comparison, cause

from quantassay.domain.market import predecessor
from quantassay.domain.signals import candidates, hybrid
from quantassay.domain.signals.daily import daily

SUBJECT = "hybrid"
CURRENCY = "KRW"
NONE: frozenset[str] = frozenset()
ALL = frozenset(hybrid.CORRECTIONS)
COLUMNS = ("open", "high", "low", "close", "volume")
# The first words of each answer of the older program, and what it is here.
OUTCOMES = {
    "CANDIDATE": "candidate",
    "Not enough history": "short_history",
    "Price ": "price_floor",
    "Avg dollar volume": "illiquid",
    "ETF": "fund",
    "Did not meet": "no_pattern",
}
BLOCKERS = {
    "Close not above SMA trend": "below_sma",
    "Price not above SMA trend": "below_sma",
    "EMA short < EMA mid": "averages_crossed",
    "RSI not in swing zone": "rsi_outside",
    "Heavy selling": "heavy_selling",
    "No pullback-bounce trigger": "no_trigger",
    "EMAs not aligned": "averages_not_aligned",
    "RSI too extended": "rsi_high",
    "Not enough bars": "short_range",
    "Consolidation range": "wide_range",
    "No confirmed breakout": "no_breakout",
    "RSI did not rebound": "no_rebound",
    "No strong bullish candle": "weak_bar",
    "No clear reversal candle": "no_lower_shadow",
    "Reversal not near": "far_from_average",
    "OK": None,
}
TRIGGERS = {
    "Close reclaimed": "reclaim",
    "Bullish candle": "busy",
    "RSI crossed": "rsi_rise",
    "Reversal candle": "hammer",
}
PATTERNS = {
    "trend_pullback_bounce": "pullback",
    "swing_high_breakout": "breakout",
    "rsi_oversold_reversal": "reversal",
}

Row = Mapping[str, Any]
Answer = Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer of the older program, and how ours reads under given corrections."""

    name: str
    older: Answer
    ours: Callable[[frozenset[str]], Answer]


@dataclass(slots=True)
class Tally:
    """What the comparison has found so far."""

    rows: int = 0
    same_as_older: int = 0
    corrected_same: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


class Market:
    """The bars of all symbols that the file asks about, judged by each setting and set of corrections once."""

    def __init__(self, oracle: Mapping[str, Any], bars: Bars) -> None:
        symbols = {row["symbol"] for row in (*oracle["rows"], *oracle["candidates"], *oracle["intraday_kis"]["cases"])}
        symbols |= {row[0] for part in ("pattern_blockers", "head_slice_bug") for row in oracle[part]["rows"]}
        self.frames = {symbol: bars(symbol) for symbol in sorted(symbols)}
        self.usable = daily(pl.concat([one.select("ticker", "session", *COLUMNS) for one in self.frames.values()]))
        self.rules = {name: rule(settings) for name, settings in oracle["settings"].items()}
        keys = zip(self.usable.frame["ticker"], self.usable.frame["session"], strict=True)
        self._place = {key: number for number, key in enumerate(keys)}
        self._prices = {name: getattr(self.usable, name).tolist() for name in COLUMNS}
        self.judged = cache(self._judged)

    def _judged(self, setting: str, ids: frozenset[str], dropped: int) -> list[dict[str, Any]]:
        """Every bar as the rule sees it; `dropped` bars of each name came later and were not complete."""
        own = replace(self.rules[setting], corrections=ids)
        unfinished = dict.fromkeys(self.frames, dropped)
        return hybrid.evaluate(self.usable, own, unfinished=unfinished).drop("ticker", "session").to_dicts()

    def row(self, symbol: str, bars: int) -> int:
        """The place of the last of a symbol's first bars; of the last usable one among them."""
        days = self.frames[symbol]["session"].head(bars)
        return next(place for day in reversed(days) if (place := self._place.get((symbol, day))) is not None)

    def prices(self, place: int) -> dict[str, float]:
        """The bar itself."""
        return {name: values[place] for name, values in self._prices.items()}


def compare(oracle: dict[str, Any], bars: Bars) -> Comparison:
    """Every answer of the file with no correction and with all; each that then differs is laid to corrections."""
    market, tally = Market(oracle, bars), Tally()
    for part in (_rows, _candidates, _scores, _blockers, _intraday, _slices):
        for asked in part(oracle, market):
            _tell(asked, tally)
    return Comparison(
        tally.rows,
        tally.same_as_older,
        tally.corrected_same,
        tally.explained,
        tally.unexplained,
        hybrid.CORRECTIONS,
        tally.differing,
    )


def rule(settings: Mapping[str, Any]) -> hybrid.Rule:
    """The rule with the older program's settings; what that program had built in stands as it was."""
    return hybrid.parameters(
        {
            "corrections": "all",
            "min_history": settings["min_history_bars"],
            "min_price": {CURRENCY: settings["min_price"]},
            "turnover": {"bars": 20, "least": {CURRENCY: settings["min_dollar_volume"]}},
            "exclude_funds": settings["exclude_etf_etn"],
            "max_gap": settings["max_gap_pct"],
            "long_average": {"period": settings["sma60_period"], "required": settings["use_sma60_filter"]},
            "averages": {
                "sma": settings["sma_trend_period"],
                "ema_short": settings["ema_short_period"],
                "ema_mid": settings["ema_mid_period"],
            },
            "rsi": {"period": settings["rsi_period"], "middle": 50},
            "atr_period": 14,
            "volume_bars": settings["volume_lookback_days"],
            "pullback": {
                "rsi_low": settings["rsi_zone_low"],
                "rsi_high": settings["rsi_zone_high"],
                "max_bars": settings["pullback_max_bars"],
                "heavy_volume": 1.5,
                "hammer_reach": 0.02,
            },
            "breakout": {
                "rsi_below": 60,
                "min_bars": settings["breakout_consolidation_min_bars"],
                "max_bars": settings["breakout_consolidation_max_bars"],
                "max_range": 0.10,
                "extended_atr": 1,
                "confirmed": {CURRENCY: settings["kr_breakout_requires_confirmation"]},
            },
            "reversal": {
                "oversold_low": settings["rsi_oversold_low"],
                "oversold_high": settings["rsi_oversold_high"],
                "rebound_above": 40,
                "ready_rsi": 45,
                "reach": 0.03,
            },
            "risk": {"guard_atr": settings["gap_atr_multiplier"], "stop_atr": 1, "target_atr": 2, "max_stop": 0.05},
            "relative_strength": {"look_back": 20},
            "score": WEIGHTS,
        },
        CURRENCY,
    )


WEIGHTS = {
    "ready": "2",
    "watch": "1",
    "pattern": {"pullback": "0.30", "breakout": "0.25", "reversal": "0.20"},
    "volume_confirmed": "0.10",
    "extended": "0.20",
}


def _tell(asked: Asked, tally: Tally) -> None:
    older, corrected = asked.ours(NONE), asked.ours(ALL)
    tally.rows += 1
    if older == asked.older:
        tally.same_as_older += 1
    else:
        tally.differing.append(f"{asked.name}: {asked.older}, with none {older}")
    if corrected == asked.older:
        tally.corrected_same += 1
        return
    why = cause(lambda ids: asked.ours(ids) != older, hybrid.CORRECTIONS)
    if why is None:
        tally.unexplained.append(f"{asked.name}: {asked.older}, with all {corrected}")
    else:
        tally.explained[why] += 1


# What the file asks


def _rows(oracle: Mapping[str, Any], market: Market) -> Iterator[Asked]:
    """Outcome, pattern and state of every bar, with the figure that the older program gave for a miss."""
    known = {(one["symbol"], one["bars"], one["settings"]): one["candidate"] for one in oracle["candidates"]}
    for row in oracle["rows"]:
        symbol, setting = row["symbol"], row["settings"]
        for bars, reason in row["results"]:
            told = _outcome(oracle["reason_index"][reason], known.get((symbol, bars, setting)))
            place = market.row(symbol, bars)
            ours = _verdict(market, setting, place)
            yield Asked(f"{symbol} {setting} row {bars}", told, ours)


def _verdict(market: Market, setting: str, place: int, dropped: int = 0) -> Callable[[frozenset[str]], Answer]:
    def ours(ids: frozenset[str]) -> Answer:
        row = market.judged(setting, ids, dropped)[place]
        shown = {
            "price_floor": f"{market.prices(place)['close']:.2f}",
            "illiquid": f"{row['turnover']:,.0f}",
        }
        return row["outcome"], shown.get(row["outcome"]), row["pattern"], row["state"]

    return ours


def _outcome(reason: str, candidate: Row | None) -> Answer:
    outcome = next((code for start, code in OUTCOMES.items() if reason.startswith(start)), reason)
    shown = reason.partition(" < ")[0].rpartition(" ")[2] if outcome in ("price_floor", "illiquid") else None
    if candidate is None:
        return outcome, shown, None, None
    return outcome, shown, PATTERNS[candidate["pattern"]], candidate["entry_state"]


def _candidates(oracle: Mapping[str, Any], market: Market) -> Iterator[Asked]:
    """Everything that a candidate's row of the older report showed, but its score."""
    for one in oracle["candidates"]:
        told = {name: one["candidate"].get(name) for name in SHOWN}
        place = market.row(one["symbol"], one["bars"])
        name = f"candidate {one['symbol']} {one['settings']} {one['date']}"
        yield Asked(name, told, _shown(market, one["settings"], place))


SHOWN = (
    *("price", "price_value", "pct_change", "high", "low", "sma20", "ema10", "ema21", "rsi14", "avg_dollar_volume"),
    *("pattern", "pattern_reasons", "entry_state", "atr14"),
    *("gap_guard_pct", "gap_guard_up_price", "gap_guard_down_price", "risk_guide"),
)
REASONS = {
    "reclaim": "Close reclaimed EMA short",
    "busy": "Bullish candle with rising volume",
    "rsi_rise": "RSI crossed above 50",
    "hammer": "Reversal candle near EMA short",
}


def _shown(market: Market, setting: str, place: int) -> Callable[[frozenset[str]], Answer]:
    def ours(ids: frozenset[str]) -> Answer:
        row = market.judged(setting, ids, 0)[place]
        if row["outcome"] != "candidate":
            return row["outcome"]
        return _texts(row, market.prices(place), market.rules[setting])

    return ours


def _texts(row: Row, bar: Mapping[str, float], chosen: hybrid.Rule) -> dict[str, Any]:
    close, risk = bar["close"], chosen.risk
    opening = candidates.guard(close, row["atr"], risk.guard_atr)
    guide = candidates.risk_guide(close, row["atr"], risk.stop_atr, risk.target_atr)
    if opening is None or guide is None:
        return {}
    named = {ours: older for older, ours in PATTERNS.items()}
    return {
        "price": f"{close:,.0f}",
        "price_value": close,
        "pct_change": f"{row['day_change']:.1%}",
        "high": f"{bar['high']:,.0f}",
        "low": f"{bar['low']:,.0f}",
        "sma20": f"{row['sma_trend']:,.2f}",
        "ema10": f"{row['ema_short']:,.2f}",
        "ema21": f"{row['ema_mid']:,.2f}",
        "rsi14": f"{row['rsi']:.1f}",
        "avg_dollar_volume": f"{row['turnover']:,.0f}",
        "pattern": named[row["pattern"]],
        "pattern_reasons": _reasons(row),
        "entry_state": row["state"],
        "atr14": f"{row['atr']:,.2f}",
        "gap_guard_pct": f"±{opening.percent:.1%}",
        "gap_guard_up_price": f"{opening.high:,.2f}",
        "gap_guard_down_price": f"{opening.low:,.2f}",
        "risk_guide": f"Stop {guide.stop:,.0f} / Target {guide.target:,.0f} (~1:2)",
    }


def _reasons(row: Row) -> str:
    if row["pattern"] == "pullback":
        return ", ".join(says for name, says in REASONS.items() if row[name])
    if row["pattern"] == "breakout":
        return "Close broke above recent swing high with volume > 5d avg"
    return "Reversal off EMA short/mid with volume"


def _scores(oracle: Mapping[str, Any], market: Market) -> Iterator[Asked]:
    """The score of a candidate in the pattern and state of the older report."""
    for one in oracle["candidates"]:
        told, place = one["candidate"], market.row(one["symbol"], one["bars"])
        row = market.judged(one["settings"], NONE, 0)[place]
        weights = candidates.weights(WEIGHTS)

        def ours(
            ids: frozenset[str], told: Row = told, row: Row = row, weights: candidates.Weights = weights
        ) -> Answer:
            parts = candidates.hybrid_parts(
                weights if "score" in ids else None,
                PATTERNS[told["pattern"]],
                told["entry_state"],
                volume_confirmed=row["volume_confirmed"],
                extended=row["extended"],
            )
            return float(candidates.score(parts))

        yield Asked(f"score {one['symbol']} {one['settings']} {one['date']}", told["score_value"], ours)


def _blockers(oracle: Mapping[str, Any], market: Market) -> Iterator[Asked]:
    """Which test stopped each pattern, and which triggers a pullback had."""
    part = oracle["pattern_blockers"]
    for symbol, bars, *reasons in part["rows"]:
        texts = [oracle["reason_index"][reason] for reason in reasons]
        told = (*map(_blocker, texts), _triggers(texts[0]))
        place = market.row(symbol, bars)
        yield Asked(f"blockers {symbol} row {bars}", told, _blocked(market, part["settings"], place))


def _blocked(market: Market, setting: str, place: int) -> Callable[[frozenset[str]], Answer]:
    def ours(ids: frozenset[str]) -> Answer:
        row = market.judged(setting, ids, 0)[place]
        stopped = tuple(row[f"blocker_{name}"] for name in ("pullback", "breakout", "reversal"))
        return (*stopped, tuple(name for name in REASONS if row[name]) if stopped[0] is None else ())

    return ours


def _blocker(text: str) -> str | None:
    return next((code for start, code in BLOCKERS.items() if text.startswith(start)), text)


def _triggers(text: str) -> tuple[str, ...]:
    parts: Sequence[str] = text.removeprefix("OK: ").split("; ") if text.startswith("OK") else ()
    return tuple(name for start, name in TRIGGERS.items() if any(part.startswith(start) for part in parts))


def _intraday(oracle: Mapping[str, Any], market: Market) -> Iterator[Asked]:
    """The verdict at an instant, on the bar that the older program let decide."""
    part = oracle["intraday_kis"]
    for case in part["cases"]:
        frame, now = market.frames[case["symbol"]], datetime.fromisoformat(case["now"])
        days = frame["session"].dt.to_string("%Y%m%d").to_list()
        volumes = frame["volume"].to_list()
        index, _ = predecessor.choose(days, volumes, currency=CURRENCY, provider="kis", now=now)
        told = _outcome(case["reason"] or "CANDIDATE", case["candidate"])
        place = market.row(case["symbol"], index + 1)
        ours = _verdict(market, part["settings"], place, len(days) - 1 - index)
        yield Asked(f"{case['symbol']} at {case['now']}", told, ours)


def _slices(oracle: Mapping[str, Any], market: Market) -> Iterator[Asked]:
    """Whether a pullback was rejected for heavy selling where there was no bar of a pullback."""
    part = oracle["head_slice_bug"]
    for symbol, bars, rejected in part["rows"]:
        place = market.row(symbol, bars)

        def ours(ids: frozenset[str], place: int = place) -> Answer:
            row = market.judged(part["settings"], ids, 0)[place]
            return int(row["blocker_pullback"] == "heavy_selling")

        yield Asked(f"slice {symbol} row {bars}", rejected, ours)
