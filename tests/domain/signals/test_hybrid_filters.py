"""The common filters of the hybrid rule, each on its edge, what it says of a candidate, and its parameters."""

import json
import math
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import yaml

from quantassay.domain.signals import hybrid
from quantassay.domain.signals.candidates import hybrid_parts, score
from quantassay.domain.signals.corrections import UnknownCorrection
from quantassay.domain.signals.daily import daily
from quantassay.domain.signals.hybrid_rule import Breakout, Pullback, Reversal, Risk

ROOT = Path(__file__).parents[3]
NAME = "900010"
ALL = frozenset(hybrid.CORRECTIONS)
OLDER = frozenset()
RULE = hybrid.Rule(
    corrections=ALL,
    min_history=12,
    min_price=1070.0,
    turnover_bars=3,
    min_turnover=0.0,
    exclude_funds=True,
    max_gap=0.05,
    long_period=4,
    long_required=False,
    sma_period=3,
    ema_short=2,
    ema_mid=4,
    rsi_period=2,
    rsi_middle=50.0,
    atr_period=2,
    volume_bars=2,
    look_back=2,
    pullback=Pullback(20.0, 90.0, 2, 1.5, 0.02),
    breakout=Breakout(85.0, 2, 4, 0.1, 0.5, confirmed=True),
    reversal=Reversal(0.0, 60.0, 40.0, 60.0, 0.03),
    risk=Risk(1.0, 1.0, 2.0, 0.05),
    weights=None,
)
# Twelve bars that rise, fall back for one, and come again: the last is a pullback that needs no volume.
CLOSES = (1000, 1010, 1005, 1020, 1030, 1025, 1040, 1050, 1060, 1070, 1050, 1070)


def rows(closes=CLOSES, **changes):
    """Bars that open and close at one price; `open` of the last bar, `volumes` of the last bars."""
    bars = [[close, close + 2, close, close, 10] for close in closes]
    bars[-1][0] = changes.get("open", bars[-1][0])
    volumes = changes.get("volumes", [])
    for bar, volume in zip(bars[len(bars) - len(volumes) :], volumes, strict=True):
        bar[4] = volume
    return bars


def last(bars, rule=RULE, **more):
    """What the rule says of the last bar."""
    schema = {"ticker": pl.String, "session": pl.Date}
    schema |= dict.fromkeys(("open", "high", "low", "close"), pl.Float64) | {"volume": pl.Int64}
    days = [date(2026, 1, 1) + timedelta(i) for i in range(len(bars))]
    frame = pl.DataFrame([(NAME, day, *bar) for day, bar in zip(days, bars, strict=True)], schema, orient="row")
    return hybrid.evaluate(daily(frame), rule, **more).to_dicts()[-1]


def test_the_bars_make_a_candidate_and_its_figures_are_told():
    row = last(rows())
    assert (row["outcome"], row["pattern"], row["state"]) == ("candidate", "pullback", "READY")
    assert [name for name in ("reclaim", "busy", "rsi_rise", "hammer") if row[name]] == ["reclaim", "rsi_rise"]
    assert row["pullback_bars"] == 1
    assert row["trigger_price"] == row["ema_short"]
    assert row["turnover"] == pytest.approx(10 * (1070 + 1050 + 1070) / 3)
    assert (row["gap"], row["day_change"]) == (20 / 1050, 20 / 1050)
    assert row["rs_return"] == 1070 / 1070 - 1
    assert (row["volume_mean"], row["volume_confirmed"], row["extended"], row["confirmed"]) == (10, True, False, False)
    assert last(rows(volumes=[10, 9]))["volume_confirmed"] is False


@pytest.mark.parametrize(
    ("bars", "changes", "outcome"),
    [
        (rows(), {}, "candidate"),
        (rows(), {"min_history": 13}, "short_history"),
        (rows(), {"min_price": 1070.5}, "price_floor"),
        (rows(volumes=[None, 10, 10, 10, 10]), {}, "candidate"),
        (rows(volumes=[None, 10, 10, 10]), {}, "unknown_volume"),
        (rows(volumes=[None, 10, 10, 10, 10]), {"turnover_bars": 5}, "unknown_volume"),
        (rows(volumes=[None, 10, 10, 10, 10]), {"volume_bars": 3}, "unknown_volume"),
        (rows(volumes=[None, 10, 10, 10, 10]), {"pullback": replace(RULE.pullback, max_bars=4)}, "unknown_volume"),
        (rows(volumes=[None, *[10] * 5]), {"pullback": replace(RULE.pullback, max_bars=4)}, "candidate"),
        (rows(volumes=[0, 0, 0]), {}, "no_turnover"),
        (rows(volumes=[0, 0]), {}, "candidate"),
        (
            [[one / 1e4 for one in bar[:4]] + bar[4:] for bar in rows(volumes=[1, 1, 1])],
            {"min_price": 0.0},
            "candidate",
        ),
        (rows(), {"min_turnover": 10 * (1070 + 1050 + 1070) / 3}, "candidate"),
        (rows(), {"min_turnover": 10634.0}, "illiquid"),
        (rows(), {"atr_period": 12}, "unknown_indicator"),
        (rows(), {"atr_period": 11}, "candidate"),
        (rows(), {"rsi_period": 12}, "unknown_indicator"),
        (rows(), {"sma_period": 13}, "unknown_indicator"),
        (rows(), {"long_required": True, "long_period": 13}, "unknown_indicator"),
        (rows(), {"long_period": 13}, "candidate"),
        (rows(open=1102.5), {}, "candidate"),
        (rows(open=1102.6), {}, "gap"),
        (rows(open=997.5), {}, "candidate"),
        (rows(open=997.4), {}, "gap"),
        (rows(open=1200), {"max_gap": None}, "candidate"),
        (rows(), {"long_required": True, "long_period": 2}, "candidate"),
        (rows(), {"long_required": True, "long_period": 1}, "below_long_average"),
        (rows((*CLOSES[:-1], 1050)), {"min_price": 0.0}, "no_pattern"),
    ],
)
def test_a_filter_on_its_edge(bars, changes, outcome):
    row = last(bars, replace(RULE, **changes))
    assert row["outcome"] == outcome
    assert (row["pattern"] is None) == (row["state"] is None) == (outcome != "candidate")
    assert math.isnan(row["trigger_price"]) == (outcome != "candidate")


def test_a_first_bar_is_no_history():
    older = replace(RULE, corrections=OLDER, min_history=1, min_price=0.0)
    assert last(rows(CLOSES[:1]), older)["outcome"] == "short_history"
    assert last(rows(CLOSES[:2]), older)["outcome"] == "no_pattern"


def test_a_close_on_the_short_average_has_no_trigger_yet():
    # An average of one bar is the close itself.
    rule = replace(RULE, ema_short=1, pullback=replace(RULE.pullback, max_bars=20))
    row = last(rows(), rule)
    assert (row["pattern"], row["state"], row["ema_short"]) == ("pullback", "WATCH", CLOSES[-1])
    assert math.isnan(row["trigger_price"])


def test_funds_are_left_out_where_that_is_asked():
    assert last(rows(), funds=[NAME])["outcome"] == "fund"
    assert last(rows(), funds=["900020"])["outcome"] == "candidate"
    assert last(rows(), replace(RULE, exclude_funds=False), funds=[NAME])["outcome"] == "candidate"


def test_what_the_data_do_not_tell_is_kept_apart_from_what_the_rule_refuses():
    assert frozenset({"short_history", "unknown_volume", "unknown_indicator"}) == hybrid.SYSTEM
    assert set(hybrid.OUTCOMES) > hybrid.SYSTEM | {"candidate"}


@pytest.mark.parametrize(
    ("correction", "bars", "changes", "older", "corrected"),
    [
        ("unknown_volume", rows(volumes=[None, 10, 10]), {}, "candidate", "unknown_volume"),
        ("zero_turnover", rows(volumes=[0, 0, 0]), {}, "candidate", "no_turnover"),
        ("unknown_indicator", rows(), {"atr_period": 12}, "candidate", "unknown_indicator"),
        ("gap_filter", rows(open=1200), {}, "candidate", "gap"),
        ("long_average", rows(), {"long_required": True, "long_period": 1}, "candidate", "below_long_average"),
    ],
)
def test_a_correction_changes_the_older_programs_answer(correction, bars, changes, older, corrected):
    rule = replace(RULE, **changes)
    assert last(bars, replace(rule, corrections=OLDER))["outcome"] == older
    assert last(bars, replace(rule, corrections=frozenset({correction})))["outcome"] == corrected
    assert last(bars, replace(rule, corrections=ALL - {correction}))["outcome"] == older
    assert last(bars, rule)["outcome"] == corrected


def test_unfinished_bars_were_history_to_the_older_program():
    rule = replace(RULE, min_history=13)
    assert last(rows(), rule, unfinished={NAME: 1})["outcome"] == "short_history"
    assert last(rows(), rule, unfinished={"900020": 1})["outcome"] == "short_history"
    older = replace(rule, corrections=OLDER)
    assert last(rows(), older)["outcome"] == "short_history"
    assert last(rows(), older, unfinished={"900020": 1})["outcome"] == "short_history"
    assert last(rows(), older, unfinished={NAME: 1})["outcome"] == "candidate"
    assert last(rows(), replace(older, min_history=14), unfinished={NAME: 1})["outcome"] == "short_history"


def test_a_name_that_never_moved_has_no_rsi():
    flat = rows((1070,) * 12)
    assert last(flat, replace(RULE, corrections=OLDER))["rsi"] == 100
    assert math.isnan(last(flat, replace(RULE, corrections=frozenset({"flat_rsi"})))["rsi"])
    assert last(flat)["outcome"] == "unknown_indicator"
    assert last(flat, replace(RULE, corrections=ALL - {"flat_rsi"}))["outcome"] == "no_pattern"


def test_a_halted_bar_is_judged_like_any_other():
    halted = [*rows(), [0, 0, 0, 1070, 0]]
    row = last(halted, replace(RULE, min_price=0.0))
    assert (row["outcome"], row["gap"], row["blocker_pullback"]) == ("no_pattern", 0, "no_pullback")


def test_the_first_pattern_that_fits_counts():
    # A second close above 1000 of a breakout that also came back to its short average.
    base = [[990, 1000, 985, 990 + i % 2, 10] for i in range(12)]
    bars = [*base, [992, 1004, 991, 1003, 20], [1000, 1002, 995, 996, 10], [1001, 1012, 1000, 1010, 30]]
    wide = replace(RULE, min_price=0.0, sma_period=10, pullback=Pullback(0.0, 100.0, 5, 9.0, 0.02))
    wide = replace(wide, breakout=Breakout(100.0, 2, 4, 0.5, 9.0, confirmed=False))
    both = last(bars, wide)
    assert (both["blocker_pullback"], both["blocker_breakout"], both["pattern"]) == (None, None, "pullback")
    second = last(bars, replace(wide, pullback=Pullback(0.0, 1.0, 5, 9.0, 0.02)))
    assert (second["blocker_pullback"], second["pattern"], second["state"]) == ("rsi_outside", "breakout", "READY")
    assert (second["trigger_price"], second["swing_high"]) == (1004, 1004)


@pytest.fixture(scope="module")
def spec():
    return yaml.safe_load((ROOT / "spec/23_buy_hybrid.yaml").read_text(encoding="utf-8"))


def test_the_spec_gives_the_rule_of_each_currency(spec):
    won, dollars = hybrid.parameters(spec, "KRW"), hybrid.parameters(spec, "USD")
    assert won.corrections == ALL
    assert (won.breakout.confirmed, dollars.breakout.confirmed) == (True, False)
    assert (won.min_price, dollars.min_price) == (1000.0, 5.0)
    assert (won.max_gap, won.pullback.rsi_low, won.reversal.reach, won.risk.max_stop) == (0.05, 45.0, 0.03, 0.05)
    assert hybrid.parameters(spec | {"max_gap": None}, "KRW").max_gap is None
    with pytest.raises(UnknownCorrection):
        hybrid.parameters(spec | {"corrections": ["sma60"]}, "KRW")


def test_the_schema_knows_every_correction():
    schema = json.loads((ROOT / "spec/schemas/buy_hybrid.schema.json").read_text(encoding="utf-8"))
    listed = schema["properties"]["corrections"]["anyOf"][1]["items"]["enum"]
    assert listed == list(hybrid.CORRECTIONS)


def test_the_score_is_a_correction(spec):
    asked = {"volume_confirmed": True, "extended": False}
    own = hybrid.parameters(spec, "KRW").weights
    assert score(hybrid_parts(own, "pullback", "READY", **asked)) == Decimal("2.40")
    older = hybrid.parameters(spec | {"corrections": "none"}, "KRW").weights
    assert score(hybrid_parts(older, "pullback", "READY", **asked)) == 1
