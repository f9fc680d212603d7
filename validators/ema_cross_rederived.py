"""Every candidate and every miss of the rule `ema_cross` is worked out a second time, name by name and bar by bar.

A candidate that the rule does not give is a purchase that nobody decided; a miss that is none is one that was lost.
"""

from collections.abc import Iterator, Sequence
from math import isfinite, isnan, nan
from typing import Any

import polars as pl

from quantassay.domain.agreement import agree_part
from quantassay.domain.figures import text
from quantassay.domain.remembered import remembered
from quantassay.domain.signals import plain
from quantassay.domain.signals.plain_names import Name, World, is_fund, missed, numbers, world, written
from quantassay.findings import Judged

RULES = ["R12.1"]
SAYS = "is not what the bars and the rule ema_cross give"
STRATEGY = "ema_cross"
OLDER_GAP = 0.03
UNKNOWN = ("short_history", "unknown_indicator", "unknown_volume")


def check(  # noqa: PLR0913, PLR0917 - what it names is what it reads
    buy_signals: dict[str, Any],
    bars: pl.DataFrame,
    adjusted_bars: pl.DataFrame,
    universe: dict[str, Any],
    evaluation_bars: dict[str, Any],
    data_quality: dict[str, Any],
    trading_calendar: dict[str, Any],
    evaluation_bar: dict[str, Any],
    buy_ema_cross: dict[str, Any],
    buy_hybrid: dict[str, Any],
    daily_bars: dict[str, Any],
) -> Iterator[Judged]:
    """Judges every field of the rule's candidates and of its part of the appendix, and their order."""
    about = (universe, evaluation_bars, data_quality, trading_calendar)
    found, rest = _expected(
        bars, adjusted_bars, *about, evaluation_bar, buy_ema_cross, buy_hybrid["relative_strength"], daily_bars
    )
    owner = ("strategy", STRATEGY)
    yield from agree_part(buy_signals.get("candidates", []), found, SAYS, "/candidates", owner)
    yield from agree_part(buy_signals.get("appendix", []), rest, SAYS, "/appendix", owner)


@remembered
def _expected(*inputs: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The candidates, best first, and the rest of the universe, what the data do not tell first."""
    bars, adjusted, universe, decided, quality, calendar, bar_spec, spec, other, daily = inputs
    known = world((bars, adjusted), universe, decided, quality, calendar, (daily, bar_spec["grace_minutes"]))
    reach = max(spec["relative_strength"]["look_back"], other["look_back"], daily["market"]["bars"])
    found: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    rest: dict[str, list[dict[str, Any]]] = {"system": [], "signal": []}
    for row in universe["names"]:
        name = known.names[row["ticker"]]
        codes = name.against(spec["min_history"])
        told = numbers(None, None)
        kind = "system"
        if not codes:
            seen = _Seen(name, spec, known)
            codes = [seen.code()]
            told = seen.miss(codes[0])
            kind = "system" if codes[0] in UNKNOWN else "signal"
            if codes == ["candidate"]:
                held = known.held_back(reach)
                if held is None:
                    found.append(_candidate(seen, reach))
                    continue
                codes, kind = [held], "system" if held == "market_unknown" else "signal"
        rest[kind].append(missed(name, STRATEGY, {"kind": kind, "codes": codes, **told, "blockers": None}))
    return [row for _, row in sorted(found, key=lambda one: one[0])], rest["system"] + rest["signal"]


class _Seen:
    """The figures of a name on its deciding bar, and what the rule says of it."""

    def __init__(self, name: Name, spec: dict[str, Any], known: World) -> None:
        self.name, self.spec, self.known = name, spec, known
        asked = spec["corrections"]
        self.some = asked != "all"
        self.on = set() if asked == "none" else set(asked)
        bars = name.bars
        closes = [bar.close for bar in bars]
        self.close, self.count = closes[-1], len(closes)
        self.before = closes[-2] if len(closes) > 1 else nan
        short, long = plain.ema(closes, spec["ema"]["short"]), plain.ema(closes, spec["ema"]["long"])
        self.short, self.long = short[-1], long[-1]
        strength = plain.rsi(closes, spec["rsi"]["period"], nan if self.corrects("flat_rsi") else 100.0)
        self.rsi, self.rsi_before = strength[-1], strength[-2] if len(strength) > 1 else nan
        ranges = plain.atr([b.high for b in bars], [b.low for b in bars], closes, spec["gap"]["atr_period"])
        self.atr, self.atr_before = ranges[-1], ranges[-2] if len(ranges) > 1 else nan
        period = spec["long_average"]["period"]
        self.sma = plain.mean(closes[-period:]) if len(closes) >= period else nan
        rows = range(1, len(closes))
        floor = spec["rsi"]["floor"]
        self.crossed = _ago([short[i] > long[i] and short[i - 1] <= long[i - 1] for i in rows])
        self.rebound = _ago([strength[i] > floor and strength[i - 1] <= floor for i in rows])
        self.rising = len(closes) > 1 and short[-1] > short[-2] and long[-1] > long[-2]
        self.above = min(self.close, self.short, self.long) > self.sma
        self.gap = (bars[-1].open - self.before) / self.before
        self.limit = self._limit()
        self.turnover = self._turnover()

    def corrects(self, one: str) -> bool:
        return not self.some or one in self.on

    def _limit(self) -> float:
        """The largest gap that passes."""
        multiple = float(self.spec["gap"]["atr_multiple"])
        if multiple == 0:
            return nan if self.corrects("gap_test_off") else OLDER_GAP
        limit = multiple * (self.atr_before if self.corrects("gap_from_day_before") else self.atr) / self.before
        if limit > 0:
            return limit
        return nan if self.corrects("unknown_gap_limit") else OLDER_GAP

    def _turnover(self) -> float:
        count, bars = self.spec["turnover"]["bars"], self.name.bars
        if len(bars) < count:
            return nan
        traded = [bar.close * bar.volume for bar in bars[-count:]]
        if not self.corrects("unknown_volume"):
            traded = [0.0 if isnan(one) else one for one in traded]
        return plain.mean(traded)

    def least(self, kind: str) -> float:
        """The floor of the price or of the turnover, in the market's currency."""
        floors = self.spec["min_price"] if kind == "price" else self.spec["turnover"]["least"]
        return float(floors[self.known.currency])

    def no_gap_test(self) -> bool:
        return float(self.spec["gap"]["atr_multiple"]) == 0 and self.corrects("gap_test_off")

    def code(self) -> str:
        """The first test that fails, or that it is a candidate."""
        return next((code for code, failed in self._tests() if failed), "candidate")

    def _tests(self) -> Iterator[tuple[str, bool]]:
        spec, rsi = self.spec, self.spec["rsi"]
        history = self.count + (0 if self.corrects("completed_history") else self.name.dropped)
        yield "short_history", history < spec["min_history"] or self.count < 2  # noqa: PLR2004
        yield "price_floor", self.close < self.least("price")
        yield "no_cross", self.crossed != 0
        if self.corrects("unknown_rsi"):
            yield "unknown_indicator", isnan(self.rsi)
        within = rsi["within_bars"] if self.corrects("rebound_before_cross") else 0
        yield "no_rebound", self.rebound is None or self.rebound > within or not self.rsi > rsi["floor"]
        yield "overbought", not self.rsi < rsi["ceiling"]
        if spec["long_average"]["required"]:
            if self.corrects("unknown_long_average"):
                yield "unknown_indicator", isnan(self.sma)
            yield "below_long_average", not self.above
        yield "not_rising", spec["slope"]["required"] and not self.rising
        if not self.no_gap_test():
            yield "unknown_indicator", isnan(self.limit)
            yield "gap", abs(self.gap) > self.limit
        yield "unknown_volume", self.corrects("unknown_volume") and isnan(self.turnover)
        yield "illiquid", self.turnover < self.least("turnover")
        yield "fund", spec["exclude_funds"] and is_fund(self.name.name, self.known)

    def miss(self, code: str) -> dict[str, str | None]:
        """The numbers of the test that failed."""
        spec = self.spec
        told: dict[str, tuple[float | None, float | None]] = {
            "short_history": (self.count, spec["min_history"]),
            "price_floor": (self.close, self.least("price")),
            "no_cross": (self.short, self.long),
            "no_rebound": (self.rebound, spec["rsi"]["within_bars"]),
            "overbought": (self.rsi, float(spec["rsi"]["ceiling"])),
            "below_long_average": (self.close, self.sma),
            "gap": (self.gap, self.limit),
            "illiquid": (self.turnover, self.least("turnover")),
        }
        return numbers(*told.get(code, (None, None)))

    def reasons(self) -> Iterator[dict[str, str | None]]:
        """What speaks for a candidate."""
        spec = self.spec
        yield {"code": "cross", **numbers(self.short, self.long)}
        yield {"code": "rebound", **numbers(self.rebound, spec["rsi"]["within_bars"])}
        yield {"code": "rsi", **numbers(self.rsi, float(spec["rsi"]["ceiling"]))}
        if spec["long_average"]["required"]:
            yield {"code": "long_average", **numbers(self.close, self.sma)}
        if spec["slope"]["required"]:
            yield {"code": "slope", **numbers(None, None)}
        if isfinite(self.limit):
            yield {"code": "gap", **numbers(self.gap, self.limit)}
        yield {"code": "turnover", **numbers(self.turnover, self.least("turnover"))}

    def points(self, *, stronger: bool) -> dict[str, bool]:
        """Which parts of the score it has."""
        off = not self.corrects("points_of_tests")
        return {
            "cross": self.crossed == 0,
            "rsi": self.rsi < self.spec["rsi"]["ceiling"],
            "long_average": self.above if self.spec["long_average"]["required"] else off,
            "slope": self.rising if self.spec["slope"]["required"] else off,
            "gap": off or not self.no_gap_test(),
            "turnover": self.turnover > 0,
            "relative_strength": stronger,
        }


def _ago(flags: Sequence[bool]) -> int | None:
    """How many bars ago the flag was last up."""
    return next((back for back, flag in enumerate(reversed(flags)) if flag), None)


def _candidate(seen: _Seen, reach: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Where a candidate stands among the others, and its row."""
    spec, close, atr = seen.spec, seen.close, seen.atr
    risk = seen.known.spec["ema_cross_risk"]
    own, other, more = seen.known.strength(seen.name, spec["relative_strength"]["look_back"], reach)
    constant = spec["relative_strength"]["benchmark_return"]
    if constant is not None:
        other, more = float(constant), own - float(constant)
    points = seen.points(stronger=more >= 0)
    score = sum(points.values())
    multiple = float(spec["gap"]["atr_multiple"])
    percent = multiple * atr / close if multiple > 0 and atr > 0 else nan
    usual = percent if isfinite(percent) else atr / close
    held = "unknown" if isnan(usual) else "tight_stop" if usual > float(risk["max_stop"]) else "aligned"
    stop, target = max(close - float(risk["stop_atr"]) * atr, 0.0), close + float(risk["target_atr"]) * atr
    figures = {
        "ema_short": seen.short,
        "ema_long": seen.long,
        "sma_long": seen.sma,
        "rsi": seen.rsi,
        "rsi_before": seen.rsi_before,
        "atr": atr,
        "gap": seen.gap,
        **dict.fromkeys(("ema_mid", "sma_trend", "swing_high", "volume_mean"), nan),
    }
    change = (close - seen.before) / seen.before
    row = {
        **written(seen.name, STRATEGY, seen.known),
        "turnover": text(seen.turnover),
        "figures": {name: text(value) for name, value in figures.items()},
        "relative_strength": {"own": text(own), "benchmark": text(other), "difference": text(more)},
        "reasons": list(seen.reasons()),
        "state": "READY",
        "pattern": None,
        "quality": None,
        "score": str(score),
        "score_parts": [{"code": code, "points": str(int(holds))} for code, holds in points.items()],
        "guard": {
            "percent": text(percent),
            "low": text(close * (1 - percent)),
            "high": text(close * (1 + percent)),
        }
        if isfinite(percent)
        else None,
        "risk": {"stop": text(stop), "target": text(target)} if isfinite(atr) else None,
        "alignment": held,
        "trigger": None,
    }
    unknown = isnan(more)
    return (-score, unknown, 0.0 if unknown else -more, -seen.turnover, -change, seen.name.ticker), row
