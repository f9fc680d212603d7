"""The parameters of the buy rule `hybrid`, and where it corrects the older program.

Windows count bars and include the evaluated one, unless it says otherwise. Levels of the RSI go from 0 to 100; reaches,
ranges and gaps are parts of one (0.05 is 5 %).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quantassay.domain.signals import corrections as choice
from quantassay.domain.signals.candidates import Weights, weights

CORRECTIONS = {
    "completed_history": "Only bars that were complete count as history; the older program counted the unfinished too.",
    "unknown_volume": "An unknown volume in a window that the rule looks at is a matter of the data; the older program "
    "counted it as 0.",
    "zero_turnover": "A name that nobody traded is no candidate, even where no least turnover is asked.",
    "unknown_indicator": "An unknown average, RSI or ATR is a matter of the data; the older program called the "
    "patterns missing.",
    "flat_rsi": "Where no close ever moved the RSI is unknown; the older program took it for 100.",
    "gap_filter": "A bar that opened too far from the close before is no candidate; the older program read the limit "
    "and never used it.",
    "long_average": "The close must be above the long average where that is asked for; the older program read the "
    "switch and never used it.",
    "pullback_slice": "Heavy selling is looked for in the bars of the pullback; where there was none, the older "
    "program searched the whole history.",
    "pullback_before": "The pullback is counted from the bar before, and must last from one bar to the most; the older "
    "program counted from the evaluated bar, and took none and too many as well.",
    "hammer_reclaim": "A hammer below the short average waits for its reclaim; in the older program it was READY.",
    "breakout_window": "The range that is broken ends on the bar before; the older program took the evaluated bar's "
    "own high and low into it.",
    "breakout_volume": "The breakout's volume is compared with the mean of the bars before it; in the older program a "
    "large volume raised its own mean.",
    "breakout_confirmation": "Where a breakout must be confirmed it is WATCH, and READY on the next bar if that closes "
    "above the original swing high too; the older program read the switch and never used it.",
    "score": "A candidate's score comes from its state, pattern, volume and extension; the older program gave 1 to "
    "all.",
}


@dataclass(frozen=True, slots=True)
class Pullback:
    """Pattern 1. The RSI from `rsi_low` to `rsi_high`; at most `max_bars` closes at or below the short average.

    A falling bar with more than `heavy_volume` times the mean volume is heavy selling; a hammer's low lies within
    `hammer_reach` of the close from the short average.
    """

    rsi_low: float
    rsi_high: float
    max_bars: int
    heavy_volume: float
    hammer_reach: float


@dataclass(frozen=True, slots=True)
class Breakout:
    """Pattern 2. The RSI below `rsi_below`; the range broken has `min_bars` to `max_bars` bars and is `max_range` wide.

    Beyond `extended_atr` average true ranges above the swing high it is extended. `confirmed` asks for a second close.
    """

    rsi_below: float
    min_bars: int
    max_bars: int
    max_range: float
    extended_atr: float
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Reversal:
    """Pattern 3. The RSI was from `oversold_low` to `oversold_high` and is above `rebound_above`.

    The low lies within `reach` of the close from the short or the middle average; from `ready_rsi` on it may be READY.
    """

    oversold_low: float
    oversold_high: float
    rebound_above: float
    ready_rsi: float
    reach: float


@dataclass(frozen=True, slots=True)
class Risk:
    """The guard for the next open, the stop and the target in average true ranges; `max_stop` a part of the price."""

    guard_atr: float
    stop_atr: float
    target_atr: float
    max_stop: float


@dataclass(frozen=True, slots=True)
class Rule:
    """The parameters in one currency: `min_price` in it, `min_turnover` in it a day.

    `max_gap` None switches the gap filter off. `weights` None gives every candidate one point.
    """

    corrections: frozenset[str]
    min_history: int
    min_price: float
    turnover_bars: int
    min_turnover: float
    exclude_funds: bool
    max_gap: float | None
    long_period: int
    long_required: bool
    sma_period: int
    ema_short: int
    ema_mid: int
    rsi_period: int
    rsi_middle: float
    atr_period: int
    volume_bars: int
    look_back: int
    pullback: Pullback
    breakout: Breakout
    reversal: Reversal
    risk: Risk
    weights: Weights | None


def parameters(spec: Mapping[str, Any], currency: str) -> Rule:
    """The rule in the spec `buy_hybrid` for a market of this currency. Raises UnknownCorrection."""
    corrections = choice.chosen(spec["corrections"], CORRECTIONS)
    pullback, breakout, reversal = spec["pullback"], spec["breakout"], spec["reversal"]
    return Rule(
        corrections=corrections,
        min_history=spec["min_history"],
        min_price=float(spec["min_price"][currency]),
        turnover_bars=spec["turnover"]["bars"],
        min_turnover=float(spec["turnover"]["least"][currency]),
        exclude_funds=spec["exclude_funds"],
        max_gap=None if spec["max_gap"] is None else float(spec["max_gap"]),
        long_period=spec["long_average"]["period"],
        long_required=spec["long_average"]["required"],
        sma_period=spec["averages"]["sma"],
        ema_short=spec["averages"]["ema_short"],
        ema_mid=spec["averages"]["ema_mid"],
        rsi_period=spec["rsi"]["period"],
        rsi_middle=float(spec["rsi"]["middle"]),
        atr_period=spec["atr_period"],
        volume_bars=spec["volume_bars"],
        look_back=spec["relative_strength"]["look_back"],
        pullback=Pullback(
            float(pullback["rsi_low"]),
            float(pullback["rsi_high"]),
            pullback["max_bars"],
            float(pullback["heavy_volume"]),
            float(pullback["hammer_reach"]),
        ),
        breakout=Breakout(
            float(breakout["rsi_below"]),
            breakout["min_bars"],
            breakout["max_bars"],
            float(breakout["max_range"]),
            float(breakout["extended_atr"]),
            breakout["confirmed"][currency],
        ),
        reversal=Reversal(**{name: float(value) for name, value in reversal.items()}),
        risk=Risk(**{name: float(value) for name, value in spec["risk"].items()}),
        weights=weights(spec["score"]) if "score" in corrections else None,
    )
