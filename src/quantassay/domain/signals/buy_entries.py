"""What a buy candidate is traded with: its score in parts, its guard, stop and target, its quality and its place.

Rows are those of `ema_cross.evaluate` and `hybrid.evaluate`, joined with the bar's own `close`. A relative strength
that is not known is None.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

from quantassay.domain.figures import text
from quantassay.domain.signals import candidates, ema_cross, hybrid
from quantassay.domain.signals.candidates import Guard, Part, Rank, RiskGuide

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Risk:
    """Stop and target in average true ranges; `max_stop`, the widest stop, as a part of the price."""

    stop_atr: float
    target_atr: float
    max_stop: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A candidate as it may be entered. `trigger` is the price that the open must reach and what it is."""

    state: str
    pattern: str | None
    quality: str | None
    parts: tuple[Part, ...]
    guard: Guard | None
    risk: RiskGuide | None
    alignment: str
    trigger: tuple[float, str] | None

    @property
    def score(self) -> Decimal:
        """The sum of the parts."""
        return candidates.score(list(self.parts))


def risk(spec: Mapping[str, str]) -> Risk:
    """The member `ema_cross_risk` of 26_daily_bars.yaml."""
    return Risk(float(spec["stop_atr"]), float(spec["target_atr"]), float(spec["max_stop"]))


def ema_cross_entry(row: Row, difference: float | None, rule: ema_cross.Rule, own: Risk) -> Entry:
    """A candidate of ema_cross: always READY, one point for each test that holds, the guard from the rule's gap."""
    close, atr = row["close"], row["atr"]
    guard = candidates.guard(close, atr, rule.gap_multiple)
    held = candidates.alignment(candidates.volatility(guard, close, atr), own.max_stop)
    stops = candidates.risk_guide(close, atr, own.stop_atr, own.target_atr)
    parts = tuple(_points(row["points"], difference))
    return Entry(candidates.READY, None, None, parts, guard, stops, held, None)


def _points(points: Mapping[str, bool | None], difference: float | None) -> Iterator[Part]:
    stronger = difference is not None and difference >= 0
    for code, holds in points.items():
        yield Part(code, Decimal(int(stronger if holds is None else holds)))


def hybrid_entry(row: Row, difference: float | None, rule: hybrid.Rule) -> Entry:
    """A candidate of the hybrid, with the quality and the score of its pattern and state."""
    close, atr, own, pattern = row["close"], row["atr"], rule.risk, row["pattern"]
    guard = candidates.guard(close, atr, own.guard_atr)
    held = candidates.alignment(candidates.volatility(guard, close, atr), own.max_stop)
    parts = candidates.hybrid_parts(
        rule.weights, pattern, row["state"], volume_confirmed=row["volume_confirmed"], extended=row["extended"]
    )
    price = row["trigger_price"]
    return Entry(
        row["state"],
        pattern,
        candidates.quality(row["state"], difference, held),
        tuple(parts),
        guard,
        candidates.risk_guide(close, atr, own.stop_atr, own.target_atr),
        held,
        (price, hybrid.TRIGGER_KINDS[pattern]) if isfinite(price) else None,
    )


def place(ticker: str, row: Row, entry: Entry, difference: float | None) -> tuple[Any, ...]:
    """The key that sorts the candidates of a strategy, the best first."""
    turnover, change = row["turnover"], row["change"]
    return candidates.place(Rank(ticker, entry.score, entry.quality, difference, turnover, change))


def written(entry: Entry) -> dict[str, Any]:
    """The entry as it stands in an artifact."""
    guard, stops, trigger = entry.guard, entry.risk, entry.trigger
    return {
        "state": entry.state,
        "pattern": entry.pattern,
        "quality": entry.quality,
        "score": str(entry.score),
        "score_parts": [{"code": part.code, "points": str(part.points)} for part in entry.parts],
        "guard": guard and {"percent": text(guard.percent), "low": text(guard.low), "high": text(guard.high)},
        "risk": stops and {"stop": text(stops.stop), "target": text(stops.target)},
        "alignment": entry.alignment,
        "trigger": trigger and {"price": text(trigger[0]), "kind": trigger[1]},
    }
