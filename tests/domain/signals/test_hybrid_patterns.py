"""Each pattern, trigger, state and blocker of the hybrid rule: a case where it is, and one where it just is not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from quantassay.domain.signals import hybrid_patterns as patterns
from quantassay.domain.signals import indicators as ind
from quantassay.domain.signals.hybrid import parameters

SPEC = Path(__file__).parents[3] / "spec" / "23_buy_hybrid.yaml"
RULE = parameters(yaml.safe_load(SPEC.read_text(encoding="utf-8")), "KRW")
UNCONFIRMED = replace(RULE, breakout=replace(RULE.breakout, confirmed=False))
TRIGGERS = ("reclaim", "busy", "rsi_rise", "hammer")
T = -1  # the evaluated bar
Y = -2  # the bar before
LAST_TWO = range(Y, 0)


def figures(base, size, changes):
    """One name's figures: the same value on every bar, but for the changes {(field, bar or range of bars): value}."""
    series = {name: np.full(size, float(value)) for name, value in base.items()}
    for (name, bar), value in changes.items():
        series[name][bar] = value
    bars = ind.layout(pl.Series(["900010"] * size))
    return patterns.Figures(bars=bars, rsi_before=ind.shift(bars, series["rsi"], 1), **series)


# A pullback of one bar to an average at 100, and the reclaim of it: WATCH, for nothing else speaks for it.
FLAT = {"sma": 90, "ema_short": 100, "ema_mid": 95, "rsi": 48, "atr": 2, "volume": 1000, "volume_mean": 1000}
RISEN = FLAT | dict.fromkeys(("open", "high", "low", "close"), 105)
PULLED = {("close", Y): 100, ("open", Y): 100, ("close", T): 101, ("open", T): 101, ("low", T): 101}
# The same without the reclaim, which leaves no trigger.
STILL = PULLED | {("close", T): 100, ("open", T): 100, ("low", T): 100}
HAMMER = STILL | {("open", T): 100.5, ("low", T): 99.4}


def pullback(changes, rule=RULE):
    """The blocker, the triggers and whether it is READY, on the last of twelve bars."""
    found = patterns.pullback(figures(RISEN, 12, changes), rule)
    blocker = patterns.PULLBACK_BLOCKERS[found.blocker[T]]
    if blocker:
        return blocker
    return [name for name in TRIGGERS if getattr(found, name)[T]], bool(found.ready[T])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (PULLED, (["reclaim"], False)),
        # Filters, each on its edge.
        (PULLED | {("sma", T): 100.9}, (["reclaim"], False)),
        (PULLED | {("sma", T): 101}, "below_sma"),
        (PULLED | {("sma", T): np.nan}, "below_sma"),
        (PULLED | {("ema_mid", T): 100}, (["reclaim"], False)),
        (PULLED | {("ema_mid", T): 100.1}, "averages_crossed"),
        (PULLED | {("rsi", T): 45}, (["reclaim"], False)),
        (PULLED | {("rsi", T): 44.9}, "rsi_outside"),
        (PULLED | {("rsi", Y): 55, ("rsi", T): 60}, (["reclaim"], True)),
        (PULLED | {("rsi", Y): 55, ("rsi", T): 60.1}, "rsi_outside"),
        # The pullback: from one bar to ten, ending on the bar before.
        (PULLED | {("close", Y): 100.1}, "no_pullback"),
        (STILL | {("close", Y): 100.1}, "no_pullback"),
        (PULLED | {("close", range(1, 11)): 100}, (["reclaim"], False)),
        (PULLED | {("close", range(11)): 100}, "long_pullback"),
        # Heavy selling: a falling bar, within the pullback, above the multiple of today's mean.
        (PULLED | {("open", Y): 100.1, ("volume", Y): 1500}, (["reclaim"], False)),
        (PULLED | {("open", Y): 100.1, ("volume", Y): 1501}, "heavy_selling"),
        (PULLED | {("open", Y): 100.1, ("volume", Y): 1501, ("volume_mean", Y): 9000}, "heavy_selling"),
        (PULLED | {("open", Y): 100.1, ("volume", Y): 1501, ("volume_mean", T): 0}, (["reclaim"], False)),
        (PULLED | {("volume", Y): 1501}, (["reclaim"], False)),
        (PULLED | {("open", -3): 106, ("volume", -3): 1501}, (["reclaim"], False)),
        (PULLED | {("open", T): 102, ("volume", T): 9000}, (["reclaim"], False)),
        (PULLED | {("close", -3): 99, ("open", -3): 100, ("volume", -3): 1501}, "heavy_selling"),
        # Triggers one by one, and none.
        (STILL, "no_trigger"),
        (STILL | {("open", T): 99, ("volume", T): 1001}, (["busy"], False)),
        (STILL | {("open", T): 99, ("volume", T): 1000}, "no_trigger"),
        (STILL | {("open", T): 99, ("volume", T): 1001, ("volume", Y): 1001}, "no_trigger"),
        (STILL | {("open", T): 99, ("volume", T): 1001, ("volume_mean", T): 1001}, "no_trigger"),
        (STILL | {("volume", T): 1001}, "no_trigger"),
        (STILL | {("rsi", Y): 50, ("rsi", T): 50.1}, (["rsi_rise"], False)),
        (STILL | {("rsi", Y): 50.1, ("rsi", T): 50.2}, "no_trigger"),
        (STILL | {("rsi", Y): 49, ("rsi", T): 50}, "no_trigger"),
        (HAMMER, (["hammer"], False)),
        (HAMMER | {("low", T): 99.5}, "no_trigger"),
        (HAMMER | {("low", T): 98.1}, (["hammer"], False)),
        (HAMMER | {("low", T): 98}, "no_trigger"),
        # READY: above the short average, with one thing more.
        (PULLED | {("rsi", LAST_TWO): 50.1}, (["reclaim"], True)),
        (PULLED | {("rsi", LAST_TWO): 50}, (["reclaim"], False)),
        (PULLED | {("rsi", Y): 50, ("rsi", T): 50.1}, (["reclaim", "rsi_rise"], True)),
        (PULLED | {("open", T): 100.5, ("volume", T): 1001, ("low", T): 100.5}, (["reclaim", "busy"], True)),
        (HAMMER | {("rsi", LAST_TWO): 55}, (["hammer"], False)),
    ],
)
def test_a_pullback(changes, expected):
    assert pullback(changes) == expected


# Nineteen bars between 95 and 100, then a close at 101 with more than the usual volume.
NARROW = {"sma": 95, "ema_short": 97, "ema_mid": 96, "rsi": 55, "atr": 5, "volume": 1000, "volume_mean": 1000}
RANGE = NARROW | {"open": 98, "high": 100, "low": 95, "close": 98}
BROKEN = {("close", T): 101, ("high", T): 102, ("low", T): 97, ("volume", T): 1001}
# The breakout on the bar before, and a second close above 100 with nothing else in its favour.
SECOND = {(name, Y): value for (name, _), value in BROKEN.items()} | {("close", T): 100.1, ("rsi", T): 75}


def breakout(changes, rule=UNCONFIRMED, size=20):
    """The blocker, or READY, swing high, extended and second close, on the last bar."""
    found = patterns.breakout(figures(RANGE, size, changes), rule)
    blocker = patterns.BREAKOUT_BLOCKERS[found.blocker[T]]
    return blocker or (bool(found.ready[T]), found.swing_high[T], bool(found.extended[T]), bool(found.confirmed[T]))


READY = (True, 100, False, False)
WATCH = (False, 100, False, False)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (BROKEN, READY),
        (BROKEN | {("ema_mid", T): 97}, "averages_not_aligned"),
        (BROKEN | {("sma", T): 96}, "averages_not_aligned"),
        (BROKEN | {("rsi", T): 59.9}, READY),
        (BROKEN | {("rsi", T): 60}, "rsi_high"),
        # The range: fifteen bars before the evaluated one, at most a tenth wide.
        (BROKEN | {("low", 10): 90}, READY),
        (BROKEN | {("low", 10): 89.9}, "wide_range"),
        (BROKEN | {("low", 4): 50}, "wide_range"),
        (BROKEN | {("low", 3): 50}, READY),
        (BROKEN | {("low", T): 50}, READY),
        (BROKEN | {("high", 4): 101}, "no_breakout"),
        (BROKEN | {("high", 3): 101}, READY),
        (BROKEN | {("high", T): 130}, READY),
        (BROKEN | {("close", T): 100}, "no_breakout"),
        (BROKEN | {("close", T): 100.1}, READY),
        (BROKEN | {("volume", T): 1000}, "no_breakout"),
        (BROKEN | {("volume_mean", T): 5000}, READY),
        (BROKEN | {("volume_mean", Y): 1001}, "no_breakout"),
        # Extended: more than one ATR above the swing high.
        (BROKEN | {("close", T): 105}, READY),
        (BROKEN | {("close", T): 105.1}, (False, 100, True, False)),
        (BROKEN | {("close", T): 105.1, ("atr", T): 5.2}, READY),
        # No confirmation is asked for: the second close is judged on its own.
        (SECOND, "rsi_high"),
    ],
)
def test_a_breakout(changes, expected):
    assert breakout(changes) == expected


def test_a_range_needs_its_fewest_bars():
    assert breakout(BROKEN, size=6) == READY
    assert breakout(BROKEN, size=5) == "short_range"
    # The older program counted the evaluated bar as one of them.
    older = replace(UNCONFIRMED, corrections=frozenset())
    assert breakout(BROKEN, older, size=5) == READY
    assert breakout(BROKEN, older, size=4) == "short_range"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (BROKEN, WATCH),
        (BROKEN | {("close", T): 105.1}, (False, 100, True, False)),
        # The high of the breakout's own bar is no new swing high.
        (SECOND, (True, 100, False, True)),
        (SECOND | {("high", Y): 104}, (True, 100, False, True)),
        (SECOND | {("close", T): 100}, "rsi_high"),
        (SECOND | {("close", T): 105.1}, (False, 100, True, True)),
        (SECOND | {("volume", Y): 1000}, "rsi_high"),
        (SECOND | {("close", Y): 100}, "rsi_high"),
        # The third close is none of its own.
        ({(name, bar - 1): value for (name, bar), value in SECOND.items()} | {("rsi", T): 75}, "rsi_high"),
    ],
)
def test_a_breakout_that_must_be_confirmed(changes, expected):
    assert breakout(changes, RULE) == expected


def test_a_second_close_keeps_the_volume_that_the_first_was_compared_with():
    found = patterns.breakout(figures(RANGE, 20, SECOND | {("volume_mean", -3): 900}), RULE)
    assert (found.volume_mean[T], bool(found.confirmed[T])) == (900, True)


# A bar from 99.5 that closes at 101, above its averages, after an RSI of 40.
LOW = {"sma": 90, "ema_short": 100, "ema_mid": 98, "rsi": 40, "atr": 2, "volume": 1000, "volume_mean": 1000}
SOLD = LOW | dict.fromkeys(("open", "high", "low", "close"), 100)
TURNED = {("close", T): 101, ("open", T): 100.5, ("low", T): 99.5, ("rsi", T): 45}
# Its low lies as far from both averages as the reach goes.
EDGE = TURNED | {("close", T): 100, ("open", T): 99.8, ("low", T): 97, ("ema_mid", T): 100}


def reversal(changes, rule=RULE):
    found = patterns.reversal(figures(SOLD, 5, changes), rule)
    return patterns.REVERSAL_BLOCKERS[found.blocker[T]] or ("READY" if found.ready[T] else "WATCH")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (TURNED, "READY"),
        (TURNED | {("sma", T): 101}, "below_sma"),
        (TURNED | {("rsi", Y): 30}, "READY"),
        (TURNED | {("rsi", Y): 29.9}, "no_rebound"),
        (TURNED | {("rsi", Y): 40.1}, "no_rebound"),
        (TURNED | {("rsi", T): 40}, "no_rebound"),
        (TURNED | {("rsi", T): 40.1}, "WATCH"),
        (TURNED | {("rsi", T): 44.9}, "WATCH"),
        (TURNED | {("ema_short", T): 101}, "WATCH"),
        (TURNED | {("open", T): 101}, "weak_bar"),
        (TURNED | {("volume", T): 999}, "weak_bar"),
        (TURNED | {("volume", T): 0, ("volume_mean", T): 0}, "READY"),
        (TURNED | {("low", T): 100}, "no_lower_shadow"),
        (TURNED | {("low", T): 99.9}, "READY"),
        (TURNED | {("ema_short", T): 104}, "WATCH"),
        (TURNED | {("ema_short", T): 104, ("ema_mid", T): 103}, "far_from_average"),
        (TURNED | {("ema_short", T): 100.9, ("ema_mid", T): 50}, "READY"),
        (EDGE | {("low", T): 97.1}, "WATCH"),
        (EDGE, "far_from_average"),
    ],
)
def test_a_reversal(changes, expected):
    assert reversal(changes) == expected


OLDER_WINDOW = BROKEN | {("high", 5): 100.5, ("low", T): 89}


@pytest.mark.parametrize(
    ("correction", "seen", "changes", "older", "corrected"),
    [
        # No bar of a pullback counted from today, and heavy selling long ago.
        (
            "pullback_slice",
            pullback,
            PULLED | {("open", 2): 106, ("volume", 2): 1501},
            "heavy_selling",
            (["reclaim"], False),
        ),
        ("pullback_before", pullback, HAMMER | {("close", Y): 101}, (["hammer"], False), "no_pullback"),
        (
            "pullback_before",
            pullback,
            STILL | {("close", range(11)): 100, ("rsi", T): 50.1},
            (["rsi_rise"], False),
            "long_pullback",
        ),
        (
            "hammer_reclaim",
            pullback,
            HAMMER | {("rsi", LAST_TWO): 55},
            (["hammer"], True),
            (["hammer"], False),
        ),
        ("breakout_window", breakout, OLDER_WINDOW, "wide_range", (True, 100.5, False, False)),
        ("breakout_volume", breakout, BROKEN | {("volume_mean", T): 1001}, "no_breakout", READY),
    ],
)
def test_a_correction_changes_the_older_programs_answer(correction, seen, changes, older, corrected):
    rule = replace(UNCONFIRMED, corrections=frozenset())
    assert seen(changes, rule) == older
    assert seen(changes, replace(rule, corrections=frozenset({correction}))) == corrected
    assert seen(changes, UNCONFIRMED) == corrected


def test_confirmation_is_a_correction():
    older = replace(RULE, corrections=frozenset())
    assert breakout(BROKEN, older) == READY
    assert breakout(BROKEN, replace(older, corrections=frozenset({"breakout_confirmation"}))) == WATCH
    assert breakout(SECOND, older) == "rsi_high"


def test_the_older_program_looked_one_bar_beyond_the_longest_pullback():
    older = replace(RULE, corrections=frozenset())
    fallen = STILL | {("close", range(11)): 100, ("rsi", T): 50.1}
    assert pullback(fallen | {("open", 1): 101, ("volume", 1): 1501}, older) == "heavy_selling"
    assert pullback(fallen | {("open", 0): 101, ("volume", 0): 1501}, older) == (["rsi_rise"], False)
