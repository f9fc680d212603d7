"""Compares the sell rules with the older daily-bar report's answers: action, stop and target of each holding.

A day is a session where any symbol of the file has a bar; so the time stop needs no calendar from elsewhere.
"""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

import polars as pl
from oracle_kinds import Bars, Comparison, cause

from quantassay.domain.market import predecessor
from quantassay.domain.signals import sell_generic, sell_hybrid, sell_kinds
from quantassay.domain.signals.daily import daily
from quantassay.domain.signals.sell_kinds import Case, Holding, Number, Verdict

SUBJECT = "sell"
RULES = {"generic": sell_generic, "hybrid": sell_hybrid}
RECENT_BARS = 20
# The daily limit, with the won that adjusted prices are rounded to: a larger move proves another base price.
LIMIT_PERCENT, ROUNDING = 30, 1
# The targets as the older program had them: profit, and what the stop of a tier keeps once the peak has reached it.
KEPT = ("0", "partial_profit_floor", "profit_target_low")

Rule = Any  # sell_generic.Rule or sell_hybrid.Rule
Answer = tuple[str, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Market:
    """The bars of all symbols asked about, with the indicators of each rule, and the days."""

    frames: dict[str, pl.DataFrame]
    bars: dict[str, dict[str, sell_kinds.Bars]]
    sessions: tuple[date, ...]
    changed: dict[str, tuple[date, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question to a rule, and what the older program answered."""

    symbol: str
    at: int
    today: date
    holding: Holding
    kind: str
    setting: str
    older: Answer


@dataclass(slots=True)
class Tally:
    """What the comparison has found so far."""

    rows: int = 0
    same_as_older: int = 0
    corrected_same: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


def compare(oracle: dict[str, Any], bars: Callable[[str], pl.DataFrame]) -> Comparison:
    """Every answer of the file with no correction and with all; each that then differs is laid to corrections."""
    rules = _rules(oracle)
    market = _market(oracle, bars, rules)
    tally = Tally()
    for asked in _asked(oracle, market):
        _tell(asked, market, rules[asked.kind, asked.setting], tally)
    sentences = {**sell_generic.CORRECTIONS, **sell_hybrid.CORRECTIONS}
    return Comparison(
        tally.rows,
        tally.same_as_older,
        tally.corrected_same,
        tally.explained,
        tally.unexplained,
        sentences,
        tally.differing,
    )


def _tell(asked: Asked, market: Market, rule: Rule, tally: Tally) -> None:
    name = f"{asked.kind}:{asked.setting} {asked.symbol} row {asked.at} of {asked.today} {asked.older}"
    older = _answer(asked, market, rule)  # as it was made: without corrections
    tally.rows += 1
    if _same(older, asked.older):
        tally.same_as_older += 1
    else:
        tally.differing.append(f"{name}: {older}")
    known = RULES[asked.kind].CORRECTIONS
    corrected = _answer(asked, market, replace(rule, corrections=frozenset(known)))
    if _same(corrected, asked.older):
        tally.corrected_same += 1
        return

    acts = corrected[0] != older[0]

    def changes(ids: frozenset[str]) -> bool:
        answer = _answer(asked, market, replace(rule, corrections=ids))
        return answer[0] != older[0] if acts else not _same(answer, older)

    why = cause(changes, known)
    if why is None:
        tally.unexplained.append(f"{name}: {corrected}")
    else:
        tally.explained[f"{'action' if acts else 'stop or target'}: {why}"] += 1


def _answer(asked: Asked, market: Market, rule: Rule) -> Answer:
    """Action, stop and target in the older program's sense."""
    bars = market.bars[asked.kind][asked.symbol]
    case = _case(asked, market, rule.corrections)
    verdict: Verdict = RULES[asked.kind].evaluate(bars, asked.at, case, rule)
    return (
        verdict.action,
        _number(None if verdict.stop is None else verdict.stop.price),
        _number(None if verdict.target is None else verdict.target.price),
    )


def _case(asked: Asked, market: Market, fixed: frozenset[str]) -> Case:
    bars, entered = market.bars[asked.kind][asked.symbol], asked.holding.entry_date
    session = bars.sessions[asked.at]
    changed = [day for day in market.changed[asked.symbol] if day <= session]
    since = "data_doubts" in fixed and entered is not None and any(day > entered for day in changed)
    recent = any(day >= bars.sessions[max(asked.at + 1 - RECENT_BARS, 0)] for day in changed)
    held = None
    if entered is not None:
        days = (asked.today - entered).days
        held = sell_kinds.sessions_held(market.sessions, entered, session) if "time_in_sessions" in fixed else days
    return Case(asked.holding, held, ("corporate_action",) if since or recent else (), base_changed=since)


def _same(one: Answer, other: Answer) -> bool:
    return one[0] == other[0] and all(_close(a, b) for a, b in zip(one[1:], other[1:], strict=True))


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9)


def _number(price: Number | None) -> float | None:
    return None if price is None else float(price)


# What the file asks


def _asked(oracle: Mapping[str, Any], market: Market) -> Iterator[Asked]:
    for case in oracle["cases"]:
        holding, today = sell_kinds.holding(case["holding"]), date.fromisoformat(case["today"])
        at = _row(market, case["symbol"], case["bars"] - 1)
        for name, out in case["out"].items():
            kind, setting = name.split(":")
            yield Asked(case["symbol"], at, today, holding, kind, setting, tuple(out[:3]))
    for row in oracle["intraday_kis"]["rows"]:
        frame, holding = market.frames[row["symbol"]], sell_kinds.holding(row["holding"])
        days = frame["session"].dt.to_string("%Y%m%d").to_list()
        for case in row["cases"]:
            now = datetime.fromisoformat(case["now"])
            volumes = frame["volume"].to_list()
            index, _ = predecessor.choose(days, volumes, currency="KRW", provider="kis", now=now)
            at = _row(market, row["symbol"], index)
            for kind in RULES:
                yield Asked(row["symbol"], at, now.date(), holding, kind, "repo_yaml", tuple(case[kind][:3]))


def _row(market: Market, symbol: str, line: int) -> int:
    """The row among the usable bars of the given line of the file."""
    sessions = market.bars["generic"][symbol].sessions
    return bisect_right(sessions, market.frames[symbol]["session"][line]) - 1


def _market(oracle: Mapping[str, Any], bars: Bars, rules: Mapping[tuple[str, str], Rule]) -> Market:
    symbols = {case["symbol"] for case in (*oracle["cases"], *oracle["intraday_kis"]["rows"])}
    frames = {symbol: bars(symbol) for symbol in sorted(symbols)}
    whole = pl.concat([frame.select("ticker", "session", *_COLUMNS) for frame in frames.values()])
    usable = daily(whole)
    periods = {kind: rule.periods for (kind, _), rule in rules.items()}
    known = {kind: sell_kinds.bars_by_name(usable, chosen) for kind, chosen in periods.items()}
    changed = {symbol: tuple(_changed(one)) for symbol, one in known["generic"].items()}
    return Market(frames, known, tuple(sorted(set(whole["session"]))), changed)


_COLUMNS = ("open", "high", "low", "close", "volume")


def _changed(bars: sell_kinds.Bars) -> Iterator[date]:
    """The sessions whose close lies beyond the daily limit around the close before it."""
    for before, close, session in zip(bars.close, bars.close[1:], bars.sessions[1:], strict=False):
        if abs(close - before) - ROUNDING > (before + ROUNDING) * LIMIT_PERCENT / 100:
            yield session


# The older program's settings as ours


def _rules(oracle: Mapping[str, Any]) -> dict[tuple[str, str], Rule]:
    found: dict[tuple[str, str], Rule] = {}
    for name, own in oracle["generic_settings"].items():
        spec = {"corrections": "none", "generic": _generic(own)}
        found["generic", name] = sell_generic.parameters(spec)
    for name, own in oracle["hybrid_settings"].items():
        spec = {"corrections": "none", "hybrid": _hybrid(own)}
        found["hybrid", name] = sell_hybrid.parameters(spec)
    return found


def _generic(own: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ema_short": own["ema_lengths"][0],
        "ema_long": own["ema_lengths"][1],
        "slow_mean": own["require_sma200"],
        "slow_mean_period": 200,
        "rsi_period": own["rsi_period"],
        "rsi_review": own["rsi_floor"],
        "rsi_sell": own["rsi_floor_alt"],
        "atr_period": 14,
        "atr_multiple": own["atr_trail_multiplier"],
        "recent_bars": RECENT_BARS,
        "time_stop": own["time_stop_days"],
        "min_bars": own["min_bars"],
    }


def _hybrid(own: Mapping[str, Any]) -> dict[str, Any]:
    shares = {name: str(value) for name, value in own.items()}
    tiers = [shares[name] for name in ("partial_profit_floor", "profit_target_low", "profit_target_high")]
    return {
        "ema_short": own["ema_short_period"],
        "ema_mid": own["ema_mid_period"],
        "sma_trend": own["sma_trend_period"],
        "rsi_period": own["rsi_period"],
        "rsi_review": 50,
        "rsi_sell": 40,
        "tiers": [
            {"profit": profit, "keeps": shares.get(kept, kept)} for profit, kept in zip(tiers, KEPT, strict=True)
        ],
        "loss_review": shares["stop_loss_pct_min"],
        "loss_sell": shares["stop_loss_pct_max"],
        "failed_breakout": shares["failed_breakout_drop_pct"],
        "red_candles": 3,
        "time_stop": own["time_stop_days"],
        "grace": own["time_stop_grace_days"],
        "time_profit": shares["time_stop_profit_floor"],
        "min_bars": own["min_bars"],
    }
