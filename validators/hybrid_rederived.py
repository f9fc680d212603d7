"""Every candidate and every miss of the rule `hybrid` is worked out a second time, name by name and bar by bar.

A candidate that the rule does not give is a purchase that nobody decided; a miss that is none is one that was lost.
"""

from collections.abc import Iterator
from decimal import Decimal
from math import isfinite, isnan, nan
from typing import Any

import polars as pl

from quantassay.domain.agreement import agree_part
from quantassay.domain.figures import text
from quantassay.domain.remembered import remembered
from quantassay.domain.signals import plain
from quantassay.domain.signals.plain_names import Name, World, is_fund, missed, numbers, world, written
from quantassay.findings import Judged

RULES = ["R12.2"]
SAYS = "is not what the bars and the rule hybrid give"
STRATEGY = "hybrid"
UNKNOWN = ("short_history", "unknown_indicator", "unknown_volume")
PATTERNS = ("pullback", "breakout", "reversal")
ENTRY = {"pullback": "ema_short", "breakout": "swing_high", "reversal": "ema_short"}


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
        bars, adjusted_bars, *about, evaluation_bar, buy_ema_cross["relative_strength"], buy_hybrid, daily_bars
    )
    owner = ("strategy", STRATEGY)
    yield from agree_part(buy_signals.get("candidates", []), found, SAYS, "/candidates", owner)
    yield from agree_part(buy_signals.get("appendix", []), rest, SAYS, "/appendix", owner)


@remembered
def _expected(*inputs: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The candidates, best first, and the rest of the universe, what the data do not tell first."""
    bars, adjusted, universe, decided, quality, calendar, bar_spec, other, spec, daily = inputs
    known = world((bars, adjusted), universe, decided, quality, calendar, (daily, bar_spec["grace_minutes"]))
    reach = max(spec["relative_strength"]["look_back"], other["look_back"], daily["market"]["bars"])
    found: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    rest: dict[str, list[dict[str, Any]]] = {"system": [], "signal": []}
    for row in universe["names"]:
        name = known.names[row["ticker"]]
        codes, kind = name.against(spec["min_history"]), "system"
        told: dict[str, Any] = {**numbers(None, None), "blockers": None}
        if not codes:
            seen = _Seen(name, spec, known)
            codes = [seen.code()]
            kind = "system" if codes[0] in UNKNOWN else "signal"
            told = {**seen.miss(codes[0]), "blockers": seen.blockers if codes == ["no_pattern"] else None}
            if codes == ["candidate"]:
                held = known.held_back(reach)
                if held is None:
                    found.append(_candidate(seen, reach))
                    continue
                codes, kind = [held], "system" if held == "market_unknown" else "signal"
        rest[kind].append(missed(name, STRATEGY, {"kind": kind, "codes": codes, **told}))
    return [row for _, row in sorted(found, key=lambda one: one[0])], rest["system"] + rest["signal"]


class _Seen:
    """The figures of a name bar by bar, what the filters and the patterns say on the deciding one."""

    def __init__(self, name: Name, spec: dict[str, Any], known: World) -> None:
        self.name, self.spec, self.known = name, spec, known
        asked = spec["corrections"]
        self.every, self.on = asked == "all", set() if asked == "none" else set(asked)
        bars, averages = name.bars, spec["averages"]
        self.last = len(bars) - 1
        self.open, self.high, self.low = ([getattr(b, one) for b in bars] for one in ("open", "high", "low"))
        self.close = [bar.close for bar in bars]
        self.volume = [0.0 if isnan(bar.volume) else bar.volume for bar in bars]
        self.sma = plain.sma(self.close, averages["sma"])
        self.short = plain.ema(self.close, averages["ema_short"])
        self.mid = plain.ema(self.close, averages["ema_mid"])
        self.rsi = plain.rsi(self.close, spec["rsi"]["period"], nan if self.corrects("flat_rsi") else 100.0)
        self.atr = plain.atr(self.high, self.low, self.close, spec["atr_period"])
        self.before = self.close[-2] if self.last else nan
        self.gap = (self.open[-1] - self.before) / self.before
        period, required = spec["long_average"]["period"], spec["long_average"]["required"]
        self.long = plain.mean(self.close[-period:]) if required and len(bars) >= period else nan
        counted = [bar.volume for bar in bars] if self.corrects("unknown_volume") else self.volume
        traded = [price * volume for price, volume in zip(self.close, counted, strict=True)]
        self.turnover = plain.mean(traded[-spec["turnover"]["bars"] :])
        self.pullback_bars, self.signs = self._signs()
        self.swing, self.usual, self.confirmed = nan, nan, False
        blocked = (self._pullback(), self._breakout(), self._reversal())
        self.blockers = dict(zip(PATTERNS, blocked, strict=True))
        self.pattern = next((one for one in PATTERNS if self.blockers[one] is None), None)

    def corrects(self, one: str) -> bool:
        return self.every or one in self.on

    def mean_volume(self, at: int) -> float:
        """The mean of the last volumes up to a bar, of fewer where there are fewer."""
        return plain.mean(self.volume[max(0, at + 1 - self.spec["volume_bars"]) : at + 1])

    def least(self, kind: str) -> float:
        """The floor of the price or of the turnover, in the market's currency."""
        floors = self.spec["min_price"] if kind == "price" else self.spec["turnover"]["least"]
        return float(floors[self.known.currency])

    def code(self) -> str:
        """The first filter that fails, `no_pattern`, or that it is a candidate."""
        failed = next((code for code, fails in self._filters() if fails), None)
        return failed or ("candidate" if self.pattern else "no_pattern")

    def _filters(self) -> Iterator[tuple[str, bool]]:
        spec, count = self.spec, self.last + 1
        history = count + (0 if self.corrects("completed_history") else self.name.dropped)
        yield "short_history", history < spec["min_history"] or count < 2  # noqa: PLR2004
        yield "price_floor", self.close[-1] < self.least("price")
        if self.corrects("unknown_volume"):
            read = max(spec["turnover"]["bars"], spec["volume_bars"] + 2, spec["pullback"]["max_bars"] + 1)
            yield "unknown_volume", any(isnan(bar.volume) for bar in self.name.bars[-read:])
        yield "no_turnover", self.corrects("zero_turnover") and self.turnover <= 0
        yield "illiquid", self.turnover < self.least("turnover")
        yield "fund", spec["exclude_funds"] and is_fund(self.name.name, self.known)
        if self.corrects("unknown_indicator"):
            figures = [self.sma[-1], self.short[-1], self.mid[-1], self.rsi[-1], self.atr[-1]]
            figures += [self.long] if spec["long_average"]["required"] else []
            yield "unknown_indicator", any(map(isnan, figures))
        if self.corrects("gap_filter") and spec["max_gap"] is not None:
            yield "gap", abs(self.gap) > float(spec["max_gap"])
        if self.corrects("long_average") and spec["long_average"]["required"]:
            yield "below_long_average", not self.close[-1] > self.long

    def _signs(self) -> tuple[int, dict[str, bool]]:
        """The bars of the pullback, and the signs that it has ended."""
        i, middle = self.last, self.spec["rsi"]["middle"]
        end = i - 1 if self.corrects("pullback_before") else i
        length = 0
        while end - length >= 0 and self.close[end - length] <= self.short[end - length]:
            length += 1
        reach = abs(self.low[i] - self.short[i]) / self.close[i]
        more = i > 0 and self.volume[i] > self.volume[i - 1] and self.volume[i] > self.mean_volume(i)
        return length, {
            "reclaim": i > 0 and self.close[i - 1] <= self.short[i - 1] and self.close[i] > self.short[i],
            "busy": self.close[i] > self.open[i] and more,
            "rsi_rise": i > 0 and self.rsi[i - 1] <= middle < self.rsi[i],
            "hammer": self._shadow() and reach < float(self.spec["pullback"]["hammer_reach"]),
        }

    def _shadow(self) -> bool:
        """Whether the lower shadow is longer than the body."""
        i = self.last
        return bool(min(self.open[i], self.close[i]) - self.low[i] > abs(self.close[i] - self.open[i]))

    def _pullback(self) -> str | None:
        i, own, rsi = self.last, self.spec["pullback"], self.rsi[-1]
        if not self.close[i] > self.sma[i]:
            return "below_sma"
        if not self.short[i] >= self.mid[i]:
            return "averages_crossed"
        if not own["rsi_low"] <= rsi <= own["rsi_high"]:
            return "rsi_outside"
        if self.corrects("pullback_before") and not 1 <= self.pullback_bars <= own["max_bars"]:
            return "long_pullback" if self.pullback_bars else "no_pullback"
        if self._sold_heavily():
            return "heavy_selling"
        return None if any(self.signs.values()) else "no_trigger"

    def _sold_heavily(self) -> bool:
        i, most = self.last, self.spec["pullback"]["max_bars"]
        if self.pullback_bars == 0:
            inside = [] if self.corrects("pullback_slice") else list(range(i + 1))
        else:
            end = i - 1 if self.corrects("pullback_before") else i
            inside = list(range(max(0, end + 1 - min(self.pullback_bars, most + 1)), end + 1))
        usual = self.mean_volume(i)
        limit = usual * float(self.spec["pullback"]["heavy_volume"])
        return usual > 0 and any(self.close[j] < self.open[j] and self.volume[j] > limit for j in inside)

    def _broken(self, i: int) -> tuple[str | None, float, float]:
        """What stops a first breakout on a bar, the swing high before it, and the mean volume it is compared with."""
        own, most = self.spec["breakout"], self.spec["breakout"]["max_bars"]
        newer = self.corrects("breakout_window")
        inside = range(max(0, i - most), i) if newer else range(max(0, i + 1 - most), i + 1)
        swing = max((self.high[j] for j in inside if j < i), default=nan)
        usual = self.mean_volume(i - 1) if self.corrects("breakout_volume") and i else nan
        usual = usual if self.corrects("breakout_volume") else self.mean_volume(i)
        if not self.short[i] > self.mid[i] > self.sma[i]:
            return "averages_not_aligned", swing, usual
        if not self.rsi[i] < own["rsi_below"]:
            return "rsi_high", swing, usual
        if len(inside) < own["min_bars"]:
            return "short_range", swing, usual
        width = max(self.high[j] for j in inside) - min(self.low[j] for j in inside)
        if width / swing > float(own["max_range"]):
            return "wide_range", swing, usual
        if not (self.close[i] > swing and self.volume[i] > usual):
            return "no_breakout", swing, usual
        return None, swing, usual

    def _breakout(self) -> str | None:
        i = self.last
        stopped, self.swing, self.usual = self._broken(i)
        if self._confirms() and i:
            before, swing, usual = self._broken(i - 1)
            if before is None and self.close[i] > swing:
                stopped, self.swing, self.usual, self.confirmed = None, swing, usual, True
        return stopped

    def _confirms(self) -> bool:
        return self.corrects("breakout_confirmation") and self.spec["breakout"]["confirmed"][self.known.currency]

    @property
    def late(self) -> float:
        """Above this close a breakout is late."""
        return self.swing + float(self.spec["breakout"]["extended_atr"]) * self.atr[-1]

    def _reversal(self) -> str | None:
        i, own, close = self.last, self.spec["reversal"], self.close[-1]
        if not close > self.sma[i]:
            return "below_sma"
        if not (i and own["oversold_low"] <= self.rsi[i - 1] <= own["oversold_high"]):
            return "no_rebound"
        if not self.rsi[i] > own["rebound_above"]:
            return "no_rebound"
        if not (close > self.open[i] and self.volume[i] >= self.mean_volume(i)):
            return "weak_bar"
        if not self._shadow():
            return "no_lower_shadow"
        return None if self.nearest() < float(own["reach"]) else "far_from_average"

    def nearest(self) -> float:
        """How far the low lies from the nearer average, as a part of the close."""
        i = self.last
        return float(min(abs(self.low[i] - self.short[i]), abs(self.low[i] - self.mid[i])) / self.close[i])

    def is_ready(self) -> bool:
        i, close = self.last, self.close[-1]
        if self.pattern == "breakout":
            return not close > self.late and (self.confirmed or not self._confirms())
        if self.pattern == "reversal":
            return self.rsi[i] >= self.spec["reversal"]["ready_rsi"] and close > self.short[i]
        strong = self.rsi[i] > self.spec["rsi"]["middle"]
        if not self.corrects("hammer_reclaim") and self.signs["hammer"] and strong:
            return True
        return close > self.short[i] and (strong or self.signs["rsi_rise"] or self.signs["busy"])

    def miss(self, code: str) -> dict[str, str | None]:
        """The numbers of the filter that failed."""
        spec = self.spec
        told: dict[str, tuple[float | None, float | None]] = {
            "short_history": (self.last + 1, spec["min_history"]),
            "price_floor": (self.close[-1], self.least("price")),
            "no_turnover": (self.turnover, 0.0),
            "illiquid": (self.turnover, self.least("turnover")),
            "gap": (self.gap, float(spec["max_gap"] or 0)),
            "below_long_average": (self.close[-1], self.long),
        }
        return numbers(*told.get(code, (None, None)))

    def reasons(self) -> Iterator[dict[str, str | None]]:
        """What speaks for a candidate."""
        told = {"pullback": self._for_pullback, "breakout": self._for_breakout, "reversal": self._for_reversal}
        for code, *pair in [*told[self.pattern or ""](), ("turnover", self.turnover, self.least("turnover"))]:
            yield {"code": code, **numbers(*pair)}

    def _for_pullback(self) -> Iterator[tuple[str, float, float]]:
        i, own = self.last, self.spec["pullback"]
        yield "above_trend", self.close[i], self.sma[i]
        yield "averages", self.short[i], self.mid[i]
        yield "rsi_least", self.rsi[i], float(own["rsi_low"])
        yield "rsi_most", self.rsi[i], float(own["rsi_high"])
        yield "pullback", self.pullback_bars, own["max_bars"]
        numbers_of = {
            "reclaim": (self.close[i], self.short[i]),
            "busy": (self.volume[i], self.mean_volume(i)),
            "rsi_rise": (self.rsi[i], float(self.spec["rsi"]["middle"])),
            "hammer": (abs(self.low[i] - self.short[i]) / self.close[i], float(own["hammer_reach"])),
        }
        yield from ((sign, *pair) for sign, pair in numbers_of.items() if self.signs[sign])

    def _for_breakout(self) -> Iterator[tuple[str, float, float]]:
        i = self.last
        yield "averages", self.short[i], self.mid[i]
        yield "mid_above_trend", self.mid[i], self.sma[i]
        yield "rsi_most", self.rsi[i], float(self.spec["breakout"]["rsi_below"])
        yield "swing_high", self.close[i], self.swing
        yield "confirmed" if self.confirmed else "volume", self.volume[i], self.usual
        if self.close[i] > self.late:
            yield "extended", self.close[i], self.late

    def _for_reversal(self) -> Iterator[tuple[str, float, float]]:
        i, own = self.last, self.spec["reversal"]
        yield "above_trend", self.close[i], self.sma[i]
        yield "oversold", self.rsi[i - 1], float(own["oversold_high"])
        yield "rebound", self.rsi[i], float(own["rebound_above"])
        yield "volume", self.volume[i], self.mean_volume(i)
        yield "lower_shadow", min(self.open[i], self.close[i]) - self.low[i], abs(self.close[i] - self.open[i])
        yield "near_average", self.nearest(), float(own["reach"])

    def parts(self, usual: float) -> list[tuple[str, Decimal]]:
        """The parts of the score."""
        if not self.corrects("score"):
            return [("constant", Decimal(1))]
        points, i = self.spec["score"], self.last
        parts = [("state", Decimal(points["ready" if self.is_ready() else "watch"]))]
        parts.append(("pattern", Decimal(points["pattern"][self.pattern])))
        busy = self.pattern == "pullback" and self.signs["busy"]
        if busy or (usual > 0 and self.volume[i] >= usual):
            parts.append(("volume_confirmed", Decimal(points["volume_confirmed"])))
        if self.pattern == "breakout" and self.close[i] > self.late:
            parts.append(("extended", -Decimal(points["extended"])))
        return parts

    def trigger(self) -> dict[str, str | None] | None:
        """The price that the open must reach, None where the close stands below its average still."""
        if self.pattern == "pullback" and not self.close[-1] > self.short[-1]:
            return None
        price = self.swing if self.pattern == "breakout" else self.short[-1]
        return {"price": text(price), "kind": ENTRY[self.pattern or ""]}


def _candidate(seen: _Seen, reach: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Where a candidate stands among the others, and its row."""
    i, spec, close, atr = seen.last, seen.spec, seen.close[-1], seen.atr[-1]
    risk = {name: float(value) for name, value in spec["risk"].items()}
    own, other, more = seen.known.strength(seen.name, spec["relative_strength"]["look_back"], reach)
    percent = risk["guard_atr"] * atr / close if risk["guard_atr"] > 0 and atr > 0 else nan
    usual_day = percent if isfinite(percent) else atr / close
    held = "unknown" if isnan(usual_day) else "tight_stop" if usual_day > risk["max_stop"] else "aligned"
    state = "READY" if seen.is_ready() else "WATCH"
    quality = "C"
    if state == "READY" and not isnan(more) and held != "unknown":
        quality = "A" if more >= 0 and held == "aligned" else "B"
    usual = seen.usual if seen.pattern == "breakout" else seen.mean_volume(i)
    parts = seen.parts(usual)
    score = sum((points for _, points in parts), Decimal(0))
    guard = {"percent": text(percent), "low": text(close * (1 - percent)), "high": text(close * (1 + percent))}
    stop, target = max(close - risk["stop_atr"] * atr, 0.0), close + risk["target_atr"] * atr
    figures = {
        "ema_short": seen.short[i],
        "ema_mid": seen.mid[i],
        "ema_long": nan,
        "sma_trend": seen.sma[i],
        "sma_long": nan,
        "rsi": seen.rsi[i],
        "rsi_before": seen.rsi[i - 1],
        "atr": atr,
        "gap": seen.gap,
        "swing_high": seen.swing,
        "volume_mean": usual,
    }
    row = {
        **written(seen.name, STRATEGY, seen.known),
        "turnover": text(seen.turnover),
        "figures": {name: text(value) for name, value in figures.items()},
        "relative_strength": {"own": text(own), "benchmark": text(other), "difference": text(more)},
        "reasons": list(seen.reasons()),
        "state": state,
        "pattern": seen.pattern,
        "quality": quality,
        "score": str(score),
        "score_parts": [{"code": code, "points": str(points)} for code, points in parts],
        "guard": guard if isfinite(percent) else None,
        "risk": {"stop": text(stop), "target": text(target)} if isfinite(atr) else None,
        "alignment": held,
        "trigger": seen.trigger(),
    }
    unknown, change = isnan(more), (close - seen.before) / seen.before
    rank = (quality, -score, unknown, 0.0 if unknown else -more, -seen.turnover, -change, seen.name.ticker)
    return rank, row
