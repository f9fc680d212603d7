"""The rule `ema_cross`: every test can fire, each correction changes what it says, and no bar sees a later one."""

import dataclasses
import json
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from quantassay.domain.signals import corrections, ema_cross
from quantassay.domain.signals.daily import daily

ALL = frozenset(ema_cross.CORRECTIONS)
NONE = frozenset()
RULE = ema_cross.Rule(
    corrections=ALL,
    min_history=12,
    ema_short=3,
    ema_long=6,
    rsi_period=4,
    rsi_floor=30.0,
    rsi_ceiling=90.0,
    within_bars=4,
    long_period=10,
    long_required=False,
    slope_required=True,
    atr_period=4,
    gap_multiple=1.0,
    min_price=0.0,
    turnover_bars=5,
    min_turnover=0.0,
    exclude_funds=True,
    look_back=3,
    benchmark_return=None,
)
# A fall, the rebound of the RSI on the last bar but one, the cross on the last.
CLOSES = [100, 101, 100, 101, 100, 99, 97, 95, 92, 90, 87, 85, 82, 80, 79, 81, 83, 87]
LAST = len(CLOSES) - 1


def bars(closes=CLOSES, volumes=None, opens=None, ticker="900010"):
    count = len(closes)
    days = [date(2026, 1, 1) + timedelta(i) for i in range(count)]
    return pl.DataFrame(
        {
            "ticker": [ticker] * count,
            "session": days,
            "open": [float(price) for price in opens or [*closes[:1], *closes[:-1]]],
            "high": [price + 1.0 for price in closes],
            "low": [price - 1.0 for price in closes],
            "close": [float(price) for price in closes],
            "volume": volumes or [1000] * count,
        },
        schema_overrides={"volume": pl.Int64},
    )


def told(frame=None, *, funds=(), unfinished=None, **changed):
    """The last row of what the rule, with these parameters changed, says of the bars."""
    seen = daily(bars() if frame is None else frame)
    rule = dataclasses.replace(RULE, **changed)
    return ema_cross.evaluate(seen, rule, funds=funds, unfinished=unfinished).to_dicts()[-1]


def test_a_candidate_with_its_figures():
    row = told()
    assert row["outcome"] == "candidate"
    assert (row["cross_bars_ago"], row["rebound_bars_ago"]) == (0, 1)
    assert row["rs_return"] == 87 / 79 - 1
    assert row["turnover"] == (80 + 79 + 81 + 83 + 87) * 1000 / 5
    assert row["points"] == {
        "cross": True,
        "rsi": True,
        "long_average": False,
        "slope": True,
        "gap": True,
        "turnover": True,
        "relative_strength": None,
    }


UNKNOWN_LAST = [*[1000] * LAST, None]


@pytest.mark.parametrize(
    ("outcome", "changes"),
    [
        ("short_history", {"min_history": len(CLOSES) + 1}),
        ("price_floor", {"min_price": 87.5}),
        ("no_cross", {"frame": bars(CLOSES[:-1])}),
        ("no_rebound", {"within_bars": 0}),
        ("no_rebound", {"rsi_floor": 1.0}),
        ("overbought", {"rsi_ceiling": 60.0}),
        ("below_long_average", {"long_required": True}),
        ("unknown_indicator", {"long_required": True, "long_period": 40}),
        ("not_rising", {"frame": bars([*CLOSES, 89, 85, 84]), "ema_short": 6, "ema_long": 3, "within_bars": 20}),
        ("gap", {"frame": bars(opens=[*CLOSES[:-1], 95])}),
        ("unknown_indicator", {"atr_period": 40}),
        ("unknown_volume", {"frame": bars(volumes=UNKNOWN_LAST)}),
        ("unknown_volume", {"turnover_bars": 40}),
        ("illiquid", {"min_turnover": 82001.0}),
        ("fund", {"funds": ["900010"]}),
    ],
)
def test_every_test_can_fire(outcome, changes):
    assert told(**changes)["outcome"] == outcome


def test_a_rebound_counts_from_the_floor_itself_and_only_while_it_holds():
    assert told(bars([100, 101, 100, 101, 100, 101]), rsi_floor=50.0)["rebound_bars_ago"] == 0
    falling = {"frame": bars([*CLOSES, 89, 85, 84]), "ema_short": 6, "ema_long": 3, "within_bars": 20}
    assert told(**falling, slope_required=False)["outcome"] == "candidate"
    assert told(**falling, slope_required=False, rsi_floor=45.0)["outcome"] == "no_rebound"


def test_edges():
    assert told(min_history=len(CLOSES))["outcome"] == "candidate"
    assert told(min_price=87.0)["outcome"] == "candidate"
    assert told(within_bars=1)["outcome"] == "candidate"
    assert told(min_turnover=82000.0)["outcome"] == "candidate"
    limit = told()["gap_limit"]
    assert told(bars(opens=[*CLOSES[:-1], 83 * (1 + limit * 0.999)]))["outcome"] == "candidate"
    assert told(bars(opens=[*CLOSES[:-1], 83 * (1 + limit * 1.001)]))["outcome"] == "gap"
    assert told(bars(opens=[*CLOSES[:-1], 83 * (1 - limit * 1.001)]))["outcome"] == "gap"
    assert told(funds=["900010"], exclude_funds=False)["outcome"] == "candidate"


@pytest.mark.parametrize(
    ("correction", "changes", "corrected", "older"),
    [
        ("completed_history", {"min_history": 19, "unfinished": {"900010": 1}}, "short_history", "candidate"),
        ("rebound_before_cross", {}, "candidate", "no_rebound"),
        ("unknown_rsi", {"rsi_period": 40}, "unknown_indicator", "no_rebound"),
        ("unknown_long_average", {"long_required": True, "long_period": 40}, "unknown_indicator", "below_long_average"),
        (
            "unknown_gap_limit",
            {"atr_period": 40, "frame": bars(opens=[*CLOSES[:-1], 84])},
            "unknown_indicator",
            "candidate",
        ),
        ("unknown_gap_limit", {"atr_period": 40, "frame": bars(opens=[*CLOSES[:-1], 86])}, "unknown_indicator", "gap"),
        ("gap_test_off", {"gap_multiple": 0.0, "frame": bars(opens=[*CLOSES[:-1], 86])}, "candidate", "gap"),
        ("unknown_volume", {"frame": bars(volumes=UNKNOWN_LAST)}, "unknown_volume", "candidate"),
        ("unknown_volume", {"turnover_bars": 40, "min_turnover": 1.0}, "unknown_volume", "candidate"),
    ],
)
def test_each_correction_changes_what_it_says(correction, changes, corrected, older):
    assert told(**changes)["outcome"] == corrected
    assert told(**changes, corrections=ALL - {correction})["outcome"] == older


def test_the_gap_of_a_bar_does_not_widen_its_own_limit():
    gapped = bars(opens=[*CLOSES[:-1], 87], closes=[*CLOSES[:-1], 87])
    frame = gapped.with_columns(high=pl.when(pl.col("close") == 87).then(110.0).otherwise("high"))
    assert told(frame)["outcome"] == "gap"
    assert told(frame, corrections=ALL - {"gap_from_day_before"})["outcome"] == "candidate"


def test_a_name_that_never_moved_has_no_rsi():
    frame = bars([50] * 20)
    assert np.isnan(told(frame)["rsi"])
    assert told(frame, corrections=ALL - {"flat_rsi"})["rsi"] == 100.0


def test_points_of_tests_that_are_off():
    off = {"slope_required": False, "gap_multiple": 0.0}
    points = told(**off)["points"]
    assert (points["long_average"], points["slope"], points["gap"]) == (False, False, False)
    points = told(**off, corrections=ALL - {"points_of_tests"})["points"]
    assert (points["long_average"], points["slope"], points["gap"]) == (True, True, True)


@pytest.mark.parametrize(("constant", "stronger"), [(0.1, True), (0.11, False)])
def test_a_constant_benchmark(constant, stronger):
    assert told(benchmark_return=constant)["points"]["relative_strength"] is stronger


def test_the_older_program_asks_for_both_on_one_bar():
    closes = [*CLOSES[:-4], 78, 77, 76, 110]
    both = told(bars(closes, opens=[*CLOSES[:-4], 78, 77, 76, 76]), corrections=NONE)
    assert (both["outcome"], both["cross_bars_ago"], both["rebound_bars_ago"]) == ("candidate", 0, 0)


def test_corrections_are_chosen_by_name():
    known = ema_cross.CORRECTIONS
    assert corrections.chosen("all", known) == ALL
    assert corrections.chosen("none", known) == NONE
    assert corrections.chosen(["gap_test_off"], known) == {"gap_test_off"}
    with pytest.raises(corrections.UnknownCorrection, match="gap_tset_off: no such correction"):
        corrections.chosen(["gap_tset_off"], known)


def test_the_spec_gives_the_rule_in_each_currency(request):
    spec = yaml.safe_load((request.config.rootpath / "spec/22_buy_ema_cross.yaml").read_text(encoding="utf-8"))
    rules = {currency: ema_cross.parameters(spec, currency) for currency in ("KRW", "USD", "CNY")}
    assert {currency: rule.min_price for currency, rule in rules.items()} == {"KRW": 1000.0, "USD": 5.0, "CNY": 1.0}
    assert rules["KRW"].corrections == ALL
    assert rules["KRW"].within_bars > 0
    assert ema_cross.parameters({**spec, "corrections": "none"}, "USD").corrections == NONE


def test_the_schema_knows_each_correction(request):
    schema = json.loads(
        (request.config.rootpath / "spec/schemas/buy_ema_cross.schema.json").read_text(encoding="utf-8")
    )
    assert schema["properties"]["corrections"]["anyOf"][1]["items"]["enum"] == list(ema_cross.CORRECTIONS)


def test_an_empty_market_has_no_rows():
    table = ema_cross.evaluate(daily(bars([])), RULE)
    assert table.height == 0
    assert {"ticker", "session", "outcome", "points", "gap_limit"} <= set(table.columns)


@given(st.lists(st.integers(1, 60), min_size=15, max_size=40))
def test_both_averages_rise_wherever_the_short_one_crosses_above_the_long(closes):
    table = ema_cross.evaluate(daily(bars(closes)), dataclasses.replace(RULE, min_history=2, rsi_floor=0.0))
    assert "not_rising" not in set(table["outcome"])


steps = st.lists(st.integers(-4, 4), min_size=1, max_size=30)


@given(st.lists(steps, min_size=1, max_size=3), st.sampled_from([ALL, NONE]))
@settings(max_examples=40)
def test_a_row_knows_neither_later_bars_nor_other_names(names, ids):
    rule = dataclasses.replace(RULE, corrections=ids, slope_required=False, rsi_floor=50.0)
    frames = [
        bars([60 + sum(walk[: i + 1]) % 50 for i in range(len(walk))], ticker=f"90000{number}")
        for number, walk in enumerate(names)
    ]
    together = ema_cross.evaluate(daily(pl.concat(frames)), rule)
    for frame in frames:
        whole = together.filter(pl.col("ticker") == frame["ticker"][0])
        for count in {1, len(frame) // 2, len(frame)} - {0}:
            assert ema_cross.evaluate(daily(frame.head(count)), rule).equals(whole.head(count))
