"""What a candidate is worth: its score, how it stands against the market, its stop and guard, its quality and place.

All functions take one candidate's numbers as they were worked out (floats, NaN where not known) and decide on them
unrounded. Scores are exact decimals, so that no order hangs on the last bit of a sum.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

READY, WATCH = "READY", "WATCH"
ALIGNED, TIGHT_STOP, UNKNOWN = "aligned", "tight_stop", "unknown"
BEST, SECOND, LAST = QUALITIES = ("A", "B", "C")


@dataclass(frozen=True, slots=True)
class Guard:
    """How far the next open may lie from the close: a part of it (0.04 is 4 %), and the two prices."""

    percent: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RiskGuide:
    """Where the trade would be given up, and where it would have paid."""

    stop: float
    target: float


@dataclass(frozen=True, slots=True)
class Weights:
    """Points of a hybrid candidate; `pattern` by its name, `extended` is taken off."""

    ready: Decimal
    watch: Decimal
    pattern: Mapping[str, Decimal]
    volume_confirmed: Decimal
    extended: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score: `state`, `pattern`, `volume_confirmed`, `extended`, or `constant`."""

    code: str
    points: Decimal


@dataclass(frozen=True, slots=True)
class Rank:
    """What a candidate's place in the list hangs on; None where it is not known or does not apply.

    `quality` is None for a strategy without one, `turnover` where the turnovers of the list are in several currencies
    and no rate makes them one.
    """

    ticker: str
    score: Decimal
    quality: str | None
    rs_difference: float | None
    turnover: float | None
    day_change: float | None


def guard(close: float, atr: float, multiple: float) -> Guard | None:
    """The close -+ `multiple` average true ranges; None where the range is not known or 0, or the multiple is 0."""
    if not (multiple > 0 and atr > 0 and close > 0 and math.isfinite(atr)):
        return None
    percent = multiple * atr / close
    return Guard(percent, close * (1 - percent), close * (1 + percent))


def risk_guide(close: float, atr: float, stop_atr: float, target_atr: float) -> RiskGuide | None:
    """Stop `stop_atr` average true ranges below the close (never below 0), target `target_atr` above it."""
    if not math.isfinite(atr):
        return None
    return RiskGuide(max(close - stop_atr * atr, 0.0), close + target_atr * atr)


def volatility(opening: Guard | None, close: float, atr: float) -> float | None:
    """What the stop is held against: the guard's percent, without a guard the average true range as part of the close.

    None where neither is known.
    """
    if opening is not None:
        return opening.percent
    return atr / close if close > 0 and math.isfinite(atr) else None


def alignment(reference: float | None, max_stop: float) -> str:
    """`aligned` if a usual day stays within the widest stop, `tight_stop` if it would hit it, `unknown` without both.

    Args:
        reference: as `volatility` gives it
        max_stop: the widest stop as a part of the price
    """
    if reference is None or not math.isfinite(reference):
        return UNKNOWN
    return TIGHT_STOP if reference > max_stop else ALIGNED


def rs_difference(own_return: float, benchmark_return: float | None) -> float | None:
    """Relative strength: the name's return less the benchmark's over the same sessions; None where one is not known."""
    if benchmark_return is None or not (math.isfinite(own_return) and math.isfinite(benchmark_return)):
        return None
    return own_return - benchmark_return


def quality(state: str, difference: float | None, aligned: str) -> str:
    """A: READY, not weaker than the benchmark, stop aligned. B: READY, but weak or with a tight stop. C: all others.

    An unknown relative strength or an unknown alignment makes a C: nobody can say that it is better.
    """
    if state != READY or difference is None or aligned == UNKNOWN:
        return LAST
    return BEST if difference >= 0 and aligned == ALIGNED else SECOND


def weights(spec: Mapping[str, Any]) -> Weights:
    """The points in the member `score` of 23_buy_hybrid.yaml."""
    return Weights(
        ready=Decimal(spec["ready"]),
        watch=Decimal(spec["watch"]),
        pattern={name: Decimal(points) for name, points in spec["pattern"].items()},
        volume_confirmed=Decimal(spec["volume_confirmed"]),
        extended=Decimal(spec["extended"]),
    )


def hybrid_parts(
    points: Weights | None, pattern: str, state: str, *, volume_confirmed: bool, extended: bool
) -> list[Part]:
    """The parts of a hybrid candidate's score; without weights the one constant point of the older program."""
    if points is None:
        return [Part("constant", Decimal(1))]
    parts = [
        Part("state", points.ready if state == READY else points.watch),
        Part("pattern", points.pattern[pattern]),
    ]
    if volume_confirmed:
        parts.append(Part("volume_confirmed", points.volume_confirmed))
    if extended:
        parts.append(Part("extended", -points.extended))
    return parts


def score(parts: list[Part]) -> Decimal:
    """The sum of the parts."""
    return sum((part.points for part in parts), Decimal(0))


def place(rank: Rank) -> tuple[str, Decimal, bool, float, float, float, str]:
    """The key that sorts candidates, the best first.

    Quality, score, relative strength (an unknown one last, not as 0), turnover, change of the day, ticker.
    """
    difference = rank.rs_difference
    return (
        rank.quality or "",
        -rank.score,
        difference is None,
        -(difference or 0.0),
        -(rank.turnover or 0.0),
        -(rank.day_change or 0.0),
        rank.ticker,
    )
