"""The sell rules: each exit can fire, and just does not where it must not; nothing weakens a sell."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from quantassay.domain.signals import sell_generic, sell_hybrid, sell_kinds
from quantassay.domain.signals.daily import daily
from quantassay.domain.signals.sell_kinds import Bars, Case, Holding

SPEC = yaml.safe_load((Path(__file__).parents[3] / "spec/24_sell_rules.yaml").read_text(encoding="utf-8"))
RULES = {"generic": sell_generic, "hybrid": sell_hybrid}
COUNT, LAST = 300, 299
DAYS = tuple(date(2026, 1, 1) + timedelta(days) for days in range(COUNT))
# A calm position: a close of 100 above all its means, an RSI of 60, rising candles, two points of range.
CALM = {"open": 99.0, "close": 100.0, "ema_short": 96.0, "ema_long": 95.0, "trend": 90.0, "rsi": 60.0, "atr": 2.0}
OWN = Holding(entry_price=Decimal(100), entry_date=DAYS[280], strategy="swing")


def bars(count=COUNT, **changes):
    """Calm bars; a change is a value for the last bar, or a list for the last bars."""
    columns = {}
    for name, value in CALM.items():
        columns[name] = np.full(count, value)
        tail = changes.get(name, value)
        tail = tail if isinstance(tail, list) else [tail]
        columns[name][count - len(tail) :] = tail
    return Bars(DAYS[:count], **columns)


def rule(mode, corrections="all", **changes):
    spec = {**SPEC, "corrections": corrections, mode: {**SPEC[mode], **changes}}
    return RULES[mode].parameters(spec)


def judged(mode, own=OWN, chosen=None, *, held=5, doubts=(), base_changed=False, count=COUNT, **changes):
    case = Case(own, held, tuple(doubts), base_changed=base_changed)
    return RULES[mode].evaluate(bars(count, **changes), count - 1, case, chosen or rule(mode))


def codes(verdict):
    return [reason.code for reason in verdict.reasons]


def own(**changes):
    return {"own": replace(OWN, **changes)}


FALLEN = {"ema_short": [93.0, 93.0], "ema_long": [94.0, 94.0]}
STOP, TARGET = {"stop": Decimal(100)}, {"target": Decimal(100)}
# What fires a test, and the nearest thing that does not; then the code and the action.
EXITS = [
    ("generic", {"ema_short": [95.0, 94.0]}, {"ema_short": [94.0, 94.0]}, "ema_cross_down", "SELL"),
    ("generic", {"ema_short": [95.0, 94.0]}, {"ema_short": [95.0, 95.0]}, "ema_cross_down", "SELL"),
    (
        "generic",
        {"ema_short": 101.0, "ema_long": 100.5},
        {"ema_short": 101.0, "ema_long": 100.0},
        "below_emas",
        "REVIEW",
    ),
    ("generic", {"trend": 95.0}, {"trend": 94.9}, "below_slow_mean", "REVIEW"),
    ("generic", {"trend": np.nan}, {"trend": 94.9}, "short_history", "REVIEW"),
    ("generic", {"rsi": 49.9}, {"rsi": 50.0}, "rsi_low", "REVIEW"),
    ("generic", {"rsi": 29.9}, {"rsi": 30.0}, "rsi_very_low", "SELL"),
    ("generic", {"close": [104.0, 100.0]}, {"close": [103.9, 100.0]}, "trailing_stop_hit", "SELL"),
    ("generic", {"held": 30}, {"held": 29}, "time_stop", "REVIEW"),
    ("generic", {"held": None}, {"held": 0}, "time_unknown", "REVIEW"),
    ("generic", own(**STOP), own(stop=Decimal("99.99")), "stop_override_hit", "SELL"),
    ("generic", own(**TARGET), own(target=Decimal("100.01")), "target_override_hit", "SELL"),
    ("generic", {"count": 19}, {"count": 20, "trend": 1.0}, "few_bars", "REVIEW"),
    ("generic", {"atr": np.nan}, {}, "unknown_atr", "REVIEW"),
    ("hybrid", {"close": [110.0, 105.0]}, {"close": [110.0, 105.1]}, "profit_stop_hit", "SELL"),
    ("hybrid", {"close": [109.9, 103.0]}, {"close": [109.9, 103.1]}, "profit_stop_hit", "REVIEW"),
    ("hybrid", {"close": [103.0, 100.0]}, {"close": [102.9, 100.0]}, "profit_stop_hit", "REVIEW"),
    ("hybrid", {"close": 95.0}, {"close": 95.1}, "loss_limit", "SELL"),
    ("hybrid", {"close": 97.0}, {"close": 97.1}, "loss_band", "REVIEW"),
    ("hybrid", {"close": 97.0, **own(strategy="Breakout B")}, {"close": 97.0}, "failed_breakout", "SELL"),
    (
        "hybrid",
        {"close": 97.0, **own(tags=("breakout",))},
        {"close": 97.1, **own(tags=("breakout",))},
        "failed_breakout",
        "SELL",
    ),
    ("hybrid", {"ema_short": 100.1}, {"ema_short": 100.0}, "below_ema_short", "REVIEW"),
    ("hybrid", {"trend": 100.1}, {"trend": 100.0}, "below_sma_trend", "REVIEW"),
    ("hybrid", {"ema_short": [95.0, 94.0]}, {"ema_short": [95.0, 95.0]}, "ema_cross_down", "SELL"),
    ("hybrid", {"open": [101.0] * 3}, {"open": [101.0, 100.0, 101.0]}, "red_candles", "REVIEW"),
    ("hybrid", {"open": [101.0] * 3}, {"open": [101.0] * 2}, "red_candles", "REVIEW"),
    ("hybrid", {"rsi": 49.9}, {"rsi": 50.0}, "rsi_low", "REVIEW"),
    ("hybrid", {"rsi": 39.9}, {"rsi": 40.0}, "rsi_very_low", "SELL"),
    ("hybrid", {"held": 30}, {"held": 29}, "time_stop", "REVIEW"),
    ("hybrid", {"held": None}, {"held": 0}, "time_unknown", "REVIEW"),
    ("hybrid", {"held": 45, "close": 102.9}, {"held": 44, "close": 102.9}, "time_is_up", "SELL"),
    ("hybrid", {"held": 45, "close": 102.9}, {"held": 45, "close": 103.0}, "time_is_up", "SELL"),
    ("hybrid", {"held": 45, "close": 104.0, "trend": 104.1}, {"held": 45, "close": 104.0}, "time_is_up", "SELL"),
    ("hybrid", {"held": 45, "close": 104.0, **FALLEN}, {"held": 45, "close": 104.0}, "time_is_up", "SELL"),
    ("hybrid", own(**STOP), own(stop=Decimal("99.99")), "stop_override_hit", "SELL"),
    ("hybrid", own(**TARGET), own(target=Decimal("100.01")), "target_override_hit", "SELL"),
    ("hybrid", {"count": 19}, {"count": 20}, "few_bars", "REVIEW"),
    ("hybrid", {"trend": np.nan}, {}, "unknown_sma_trend", "REVIEW"),
    ("hybrid", own(entry_price=None), {}, "entry_price_unknown", "REVIEW"),
    *(
        row
        for mode in RULES
        for row in (
            (mode, {"doubts": ["corporate_action"]}, {}, "doubtful_data", "REVIEW"),
            (mode, {"rsi": np.nan}, {}, "unknown_rsi", "REVIEW"),
            (mode, own(entry_date=DAYS[LAST] + timedelta(1)), own(entry_date=DAYS[LAST]), "entry_after_bar", "REVIEW"),
            (mode, own(entry_date=None, unreadable=frozenset({"entry_date"})), {}, "entry_date_unreadable", "REVIEW"),
            (mode, own(unreadable=frozenset({"stop_override"})), {}, "stop_override_unreadable", "REVIEW"),
            (mode, own(unreadable=frozenset({"target_override"})), {}, "target_override_unreadable", "REVIEW"),
        )
    ),
]


@pytest.mark.parametrize(("mode", "fires", "just_not", "code", "action"), EXITS)
def test_every_exit_can_fire_and_just_does_not(mode, fires, just_not, code, action):
    hit, missed = judged(mode, **fires), judged(mode, **just_not)
    assert code in codes(hit)
    assert hit.action == action
    assert code not in [reason.code for reason in missed.reasons if reason.effect == action]


@pytest.mark.parametrize("mode", RULES)
def test_a_calm_position_is_held_and_notes_ask_for_nothing(mode):
    assert (judged(mode).action, codes(judged(mode))) == ("HOLD", [])
    undated = judged(mode, own=replace(OWN, entry_date=None), held=None)
    assert (undated.action, codes(undated), undated.peak) == ("HOLD", ["entry_date_missing"], None)
    early = judged(mode, own=replace(OWN, entry_date=DAYS[0] - timedelta(1)))
    assert (early.action, codes(early)) == ("HOLD", ["entry_before_bars"])


@pytest.mark.parametrize("mode", RULES)
def test_a_review_weakens_no_sell(mode):
    verdict = judged(mode, doubts=["stale"], rsi=10.0, held=None)
    assert verdict.action == "SELL"
    assert {"doubtful_data", "rsi_very_low", "time_unknown"} <= set(codes(verdict))


def test_the_own_stop_takes_the_place_of_trail_and_band_and_counts_with_few_bars():
    stop = replace(OWN, stop=Decimal("50.5"), target=Decimal(200))
    for mode in RULES:
        verdict = judged(mode, own=stop, close=[110.0, 95.0])
        assert not {"trailing_stop_hit", "loss_limit", "loss_band"} & set(codes(verdict))
        assert (verdict.stop.price, verdict.stop.kind) == (Decimal("50.5"), "override")
        assert (verdict.target.price, verdict.target.kind) == (200, "override")
        few = judged(mode, own=stop, count=5, close=50.5)
        assert (few.action, few.stop.price, few.target.price) == ("SELL", Decimal("50.5"), 200)


def test_the_loss_is_exact_where_floats_are_not():
    """19.38 is 5 % below 20.40; in floats the loss is a hair less than that."""
    assert (19.38 - 20.4) / 20.4 > -0.05
    verdict = judged("hybrid", own=replace(OWN, entry_price=Decimal("20.4")), close=[20.0, 19.38])
    assert "loss_limit" in codes(verdict)


def test_the_stop_of_the_hybrid_is_the_highest_in_force():
    shown = {top: judged("hybrid", close=[top, 104.0]).stop for top in (104.0, 106.0, 112.0)}
    assert {top: (stop.price, stop.kind) for top, stop in shown.items()} == {
        104.0: (100, "profit"),
        106.0: (103, "profit"),
        112.0: (105, "profit"),
    }
    calm = judged("hybrid")
    assert (calm.stop.price, calm.stop.kind, calm.target.price) == (95, "loss", Decimal("110.00"))
    # Where the base price may have changed, no peak before the deciding bar is compared with the entry.
    changed = judged("hybrid", close=[112.0, 104.0], base_changed=True)
    assert (changed.stop.price, changed.action) == (100, "HOLD")


def test_without_its_correction_each_defect_is_there():
    stop = replace(OWN, stop=Decimal(101))
    older = {mode: rule(mode, "none") for mode in RULES}
    assert judged("generic", own=stop, chosen=older["generic"]).action == "HOLD", "the own stop was only shown"
    assert judged("hybrid", own=stop, chosen=older["hybrid"]).stop is None, "and not even that"
    assert judged("hybrid", chosen=older["hybrid"], close=110.0).action == "SELL", "a rise was sold at once"
    assert codes(judged("hybrid", chosen=older["hybrid"], close=97.0)) == ["loss_limit"]
    assert judged("hybrid", chosen=older["hybrid"], close=97.0).stop.price == Decimal("96.00")
    for mode in RULES:
        late = judged(mode, own=replace(OWN, entry_date=date(2099, 1, 1)), chosen=older[mode], rsi=np.nan, held=-9)
        assert (late.action, codes(late)) == ("HOLD", [])
        assert codes(judged(mode, chosen=older[mode], doubts=["stale"])) == []
        assert judged(mode, own=stop, chosen=older[mode], count=5).stop is None


def test_a_list_corrects_what_it_names_and_passes_over_the_other_rule():
    chosen = rule("generic", ["stop_override", "profit_protection"])
    assert chosen.corrections == {"stop_override"}
    assert judged("generic", own=replace(OWN, stop=Decimal(101)), chosen=chosen).action == "SELL"
    assert rule("hybrid", ["stop_override", "profit_protection"]).corrections == {"stop_override", "profit_protection"}


def test_what_cannot_be_read_is_named_and_never_taken_for_nothing():
    read = sell_kinds.holding({"entry_price": "abc", "entry_date": "2026-02-30", "stop_override": -1, "tags": None})
    assert read.unreadable == {"entry_price", "entry_date", "stop_override"}
    assert (read.entry_price, read.entry_date, read.stop, read.target) == (None, None, None, None)
    fine = sell_kinds.holding({"entry_price": 187.32, "entry_date": "2026-02-27", "target_override": "1e1"})
    assert (fine.entry_price, fine.target, fine.unreadable) == (Decimal("187.32"), Decimal(10), frozenset())
    assert [sell_kinds.price(value) for value in ("NaN", "Infinity", True, 0, "0.5")] == [*[None] * 4, Decimal("0.5")]


def test_sessions_are_counted_from_the_entry_on():
    sessions = [date(2026, 11, day) for day in (12, 13, 16, 17, 18)]
    held = [sell_kinds.sessions_held(sessions, date(2026, 11, day), sessions[-1]) for day in (12, 13, 14, 16, 18, 19)]
    assert held == [4, 3, 2, 2, 0, 0]


def test_the_figures_of_each_name_are_its_own():
    rows = [
        {
            "ticker": name,
            "session": day,
            "open": price,
            "high": price + 1,
            "low": price - 1,
            "close": price,
            "volume": 1,
        }
        for name, price in (("B", 50.0), ("A", 10.0))
        for day in DAYS[:30]
    ]
    known = sell_kinds.bars_by_name(daily(pl.DataFrame(rows)), sell_kinds.Periods(10, 21, 20, 14, 14))
    assert {name: (len(one.sessions), one.ema_short[-1], one.trend[-1]) for name, one in known.items()} == {
        "A": (30, 10.0, 10.0),
        "B": (30, 50.0, 50.0),
    }
    assert np.isnan(known["A"].trend[18])
    assert np.isnan(known["A"].rsi).all(), "a price that never moved has no strength"
