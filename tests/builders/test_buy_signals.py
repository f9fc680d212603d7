"""The buy signals: both rules on the same names, each name in one list, and no candidate on data that are in doubt."""

import copy
import importlib.util
import inspect
import json
import random
from collections import Counter
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from quantassay.domain.signals import ema_cross, hybrid
from quantassay.harness import canonical, schemas

ROOT = Path(__file__).parents[2]
CASE = json.loads((ROOT / "tests/validators/hybrid_rederived/pass.json").read_text(encoding="utf-8"))["parameters"]
FORM = json.loads((ROOT / "spec/schemas/buy_signals_v1.schema.json").read_text(encoding="utf-8"))
LAST = CASE["evaluation_bars"]["session"]
GATES = ("ema_cross_rederived", "hybrid_rederived", "buy_signals_whole", "no_signal_from_doubtful_data")
PRICES = ("open", "high", "low", "close")
SCHEMA = {"ticker": pl.String, "session": pl.Date, **dict.fromkeys(PRICES, pl.Float64), "volume": pl.Int64}


def unit(room, name):
    spec = importlib.util.spec_from_file_location(f"{room}_{name}", ROOT / room / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILD = unit("builders", "buy_signals").build
CHECKS = {name: unit("validators", name).check for name in GATES}


def frame(rows):
    told = [
        {
            **row,
            "session": date.fromisoformat(row["session"]),
            "taken_at": datetime.fromisoformat(row["taken_at"]) if row.get("taken_at") else None,
        }
        for row in rows
    ]
    return pl.DataFrame(told, schema={**SCHEMA, "taken_at": pl.Datetime("us", "UTC")})


def inputs(**changes):
    """The inputs of the gate's case, with some replaced; bars are lists of rows."""
    made = {name: value for name, value in copy.deepcopy(CASE).items() if name != "buy_signals"}
    made |= {"as_of": f"{LAST}T15:45:00+09:00", **changes}
    made["trading_calendar"] = {"breaks": [], "segments": []} | made["trading_calendar"]
    return made | {name: frame(made[name]) for name in ("bars", "adjusted_bars")}


def called(function, made):
    return function(**{name: made[name] for name in inspect.signature(function).parameters})


def judged(made, signals):
    """What the gates find wrong, by gate."""
    made = {**made, "buy_signals": signals}
    return {name: [one for one in called(check, made) if not one.ok] for name, check in CHECKS.items()}


def built(**changes):
    """The artifact, on which the gates agree; the one of doubtful data is asked by its own tests."""
    made = inputs(**changes)
    signals = called(BUILD, made)
    found = judged(made, signals)
    assert {name: found[name] for name in GATES[:3]} == {name: [] for name in GATES[:3]}
    return signals


def row_of(signals, ticker, strategy="hybrid"):
    rows = [*signals["candidates"], *signals["appendix"]]
    (row,) = [row for row in rows if (row["ticker"], row["strategy"]) == (ticker, strategy)]
    return row


def changed(name, **changes):
    return {name: {**copy.deepcopy(CASE[name]), **changes}}


def test_the_case_of_the_gates_is_what_the_builder_makes():
    signals = built()
    assert signals == CASE["buy_signals"]
    assert schemas.validate(FORM, signals) == []
    assert canonical.dumps(built()) == canonical.dumps(signals)


def test_every_name_stands_once_for_each_rule_and_what_the_data_do_not_tell_comes_first():
    signals = built()
    tickers = {row["ticker"] for row in CASE["universe"]["names"]}
    for strategy in ("ema_cross", "hybrid"):
        rows = [row for part in ("candidates", "appendix") for row in signals[part] if row["strategy"] == strategy]
        assert Counter(row["ticker"] for row in rows) == dict.fromkeys(tickers, 1)
        kinds = [row["kind"] for row in signals["appendix"] if row["strategy"] == strategy]
        assert kinds == sorted(kinds, reverse=True)
        totals = signals["totals"][strategy]
        assert totals["candidates"] + totals["system"] + totals["signal"] == signals["totals"]["names"] == len(tickers)


def test_candidates_stand_by_quality_and_score_and_carry_their_bar():
    signals = built()
    ranks = [(row["quality"], -float(row["score"])) for row in signals["candidates"] if row["strategy"] == "hybrid"]
    assert len(ranks) > 2
    assert ranks == sorted(ranks)
    for row in signals["candidates"]:
        assert row["chart"][-1] == {"session": LAST, "close": row["close"], "evaluated": True}
        assert [point["evaluated"] for point in row["chart"]] == [False, False, True]
        low, high = float(row["guard"]["low"]), float(row["guard"]["high"])
        assert low < float(row["close"]) < high


DOUBTS = {
    "blocked": lambda one: one["data_quality"]["names"][0].update(verdict="blocked", reasons=["halted"]),
    "stale": lambda one: one["evaluation_bars"]["names"][0].update(session="2026-11-17"),
    "no_bar": lambda one: one["evaluation_bars"]["names"][0].update(session=None),
    "disputed_session": lambda one: one["trading_calendar"]["disputed"].append({"date": LAST}),
    "unadjusted_action": lambda one: one["data_quality"]["names"][0].update(actions=[{"age": 6, "allowed": None}]),
}


@pytest.mark.parametrize("code", DOUBTS)
def test_a_name_in_doubt_is_told_with_its_doubt_and_is_no_candidate(code):
    ticker = CASE["data_quality"]["names"][0]["ticker"]
    assert row_of(built(), ticker, "ema_cross")["state"] == "READY"
    parts = {name: copy.deepcopy(CASE[name]) for name in ("data_quality", "evaluation_bars", "trading_calendar")}
    DOUBTS[code](parts)
    signals = built(**parts)
    for strategy in ("ema_cross", "hybrid"):
        row = row_of(signals, ticker, strategy)
        assert (row["kind"], row["code"]) == ("system", code)
    assert row["reasons"] == (["halted"] if code == "blocked" else [])


@pytest.mark.parametrize(("age", "allowed"), [(7, None), (-1, None), (3, "first listing day")])
def test_an_action_that_the_rule_does_not_read_or_that_the_exchange_allows_is_no_doubt(age, allowed):
    """Eight bars are read: an action on the first of them or before changes none of their prices against another."""
    quality = copy.deepcopy(CASE["data_quality"])
    quality["names"][0]["actions"] = [{"age": age, "allowed": allowed}]
    assert row_of(built(data_quality=quality), quality["names"][0]["ticker"], "ema_cross")["state"] == "READY"


def test_a_bar_without_a_price_is_told_as_such():
    bars = [dict(row) for row in CASE["bars"]]
    next(row for row in bars if (row["ticker"], row["session"]) == ("990010", LAST))["high"] = None
    assert row_of(built(bars=bars), "990010")["code"] == "no_usable_bar"


def test_adjusted_prices_decide_where_they_are_as_good_as_the_traded_ones():
    signals = built()
    row = row_of(signals, "990020")
    assert row["prices"] == "adjusted"
    assert 2 * float(row["close"]) == row["raw_close"]
    assert row["chart"][-1]["close"] == row["close"]


def dropped(session):
    return [row for row in CASE["adjusted_bars"] if row["session"] != session]


@pytest.mark.parametrize(
    "adjusted",
    [
        [],
        dropped(LAST),
        dropped(CASE["adjusted_bars"][8]["session"]),
        [{**row, "taken_at": f"{row['session']}T01:13:00+00:00"} for row in CASE["adjusted_bars"]],
        [*CASE["adjusted_bars"], {**CASE["adjusted_bars"][0], "session": "2026-10-27"}][-2:],
    ],
    ids=["none", "behind", "with a hole", "taken too early", "two bars"],
)
def test_adjusted_prices_that_are_worse_leave_the_traded_ones_in_place(adjusted):
    row = row_of(built(adjusted_bars=adjusted), "990020")
    assert row["prices"] == "raw"
    assert row["close"] == row["raw_close"]


@pytest.mark.parametrize("close", [None, 0, float("inf")])
def test_an_adjusted_price_without_one_that_was_traded_decides_nothing(close):
    bars = [dict(row) for row in CASE["bars"]]
    next(row for row in bars if (row["ticker"], row["session"]) == ("990020", LAST))["close"] = close
    assert row_of(built(bars=bars), "990020")["code"] == "no_usable_bar"


def test_an_adjusted_series_needs_no_block_for_an_action_that_it_holds():
    quality = copy.deepcopy(CASE["data_quality"])
    quality["names"][1]["actions"] = [{"age": 3, "allowed": None}]
    assert row_of(built(data_quality=quality), "990020")["state"] == "READY"
    assert row_of(built(data_quality=quality, adjusted_bars=[]), "990020")["code"] == "unadjusted_action"


def benchmark_row(name):
    return next(i for i, row in enumerate(CASE[name]["names"]) if row["ticker"] == "9900Z0")


def with_benchmark(**changes):
    parts = {name: copy.deepcopy(CASE[name]) for name in ("data_quality", "evaluation_bars")}
    for name, part in parts.items():
        part["names"][benchmark_row(name)].update({k: v for k, v in changes.items() if k in part["names"][-1]})
    return parts


@pytest.mark.parametrize(
    ("issue", "parts"),
    [
        ("missing", {"bars": [row for row in CASE["bars"] if row["ticker"] != "9900Z0"]}),
        ("stale", with_benchmark(session="2026-11-17")),
        ("stale", with_benchmark(session=None)),
        ("blocked", with_benchmark(verdict="blocked")),
        ("unadjusted_action", with_benchmark(actions=[{"age": 2, "allowed": None}])),
    ],
)
def test_a_benchmark_in_doubt_gives_nobody_a_point_and_is_told_once(issue, parts):
    signals = built(**parts)
    assert signals["benchmark"]["issue"] == issue
    assert (signals["benchmark"]["close"], signals["benchmark"]["above"]) == (None, None)
    for row in signals["candidates"]:
        assert (row["relative_strength"]["benchmark"], row["relative_strength"]["difference"]) == (None, None)
        if row["strategy"] == "ema_cross":
            assert {"code": "relative_strength", "points": "0"} in row["score_parts"]
        else:
            assert row["quality"] == "C"


def test_the_first_benchmark_with_bars_counts_and_strength_is_between_the_same_closes():
    signals = built()
    assert signals["benchmark"]["ticker"] == "9900Z0"
    closes = {row["session"]: row["close"] for row in CASE["bars"] if row["ticker"] == "9900Z0"}
    own = {row["session"]: row["close"] for row in CASE["bars"] if row["ticker"] == "990030"}
    first = sorted(own)[-5]  # the look-back is four bars
    more = own[LAST] / own[first] - closes[LAST] / closes[first]
    assert float(row_of(signals, "990030")["relative_strength"]["difference"]) == pytest.approx(more, abs=1e-6)
    without = [row for row in CASE["bars"] if (row["ticker"], row["session"]) != ("9900Z0", first)]
    assert row_of(built(bars=without), "990030")["relative_strength"]["difference"] is None


@pytest.mark.parametrize(("unknown", "code", "kind"), [("block", "market_unknown", "system"), ("warn", None, None)])
def test_an_unknown_market_holds_candidates_back_where_the_desk_says_so(unknown, code, kind):
    bars = [row for row in CASE["bars"] if row["ticker"] != "9900Z0"]
    policy = {"bars": 5, "below": "warn", "unknown": unknown}
    signals = built(bars=bars, **changed("daily_bars", market=policy))
    row = row_of(signals, "990030")
    assert (row.get("code"), row.get("kind")) == (code, kind)
    assert signals["benchmark"]["effect"] == unknown


@pytest.mark.parametrize(("below", "candidates"), [("block", 0), ("warn", 6)])
def test_a_weak_market_holds_candidates_back_where_the_desk_says_so(below, candidates):
    bars = [
        {**row, **{name: row[name] - 4000 for name in PRICES}}
        if (row["ticker"], row["session"]) == ("9900Z0", LAST)
        else row
        for row in CASE["bars"]
    ]
    signals = built(bars=bars, **changed("daily_bars", market={"bars": 5, "below": below, "unknown": "warn"}))
    assert (signals["benchmark"]["above"], signals["benchmark"]["effect"]) == (False, below)
    assert len(signals["candidates"]) == candidates
    held = [row for row in signals["appendix"] if row["code"] == "market_below_mean"]
    assert {row["kind"] for row in held} == ({"signal"} if below == "block" else set())


def test_funds_are_left_out_only_on_request():
    assert row_of(built(), "990050", "ema_cross")["code"] == "fund"
    signals = built(**changed("buy_ema_cross", exclude_funds=False))
    assert row_of(signals, "990050", "ema_cross")["state"] == "READY"
    assert row_of(signals, "990050")["code"] == "fund"


def test_won_are_shown_only_with_a_rate():
    dollars = {**CASE["trading_calendar"], "currency": "USD"}
    rate = {"USD": {"rate": "1465.205", "date": LAST, "source": "A bank"}}
    without = built(trading_calendar=dollars)
    assert without["fx"] is None
    assert {row["raw_close_won"] for row in without["candidates"]} == {None}
    signals = built(trading_calendar=dollars, **changed("daily_bars", fx=rate))
    assert signals["fx"] == {"currency": "USD", **rate["USD"]}
    assert signals["candidates"]
    for row in signals["candidates"]:
        assert row["raw_close_won"] == round(row["raw_close"] * 1465.205)


def test_bars_behind_the_deciding_ones_change_nothing():
    after = [
        {**row, "session": "2026-11-19", "close": 1, "volume": 0} for row in CASE["bars"] if row["session"] == LAST
    ]
    adjusted = [
        {**row, "session": "2026-11-19", "close": 9e9} for row in CASE["adjusted_bars"] if row["session"] == LAST
    ]
    poisoned = built(bars=[*CASE["bars"], *after], adjusted_bars=[*CASE["adjusted_bars"], *adjusted])
    assert poisoned == built()
    mixed = random.Random(1).sample(CASE["bars"], len(CASE["bars"]))
    assert built(bars=mixed) == built()


def test_nothing_is_made_of_nothing():
    signals = built(
        bars=[], adjusted_bars=[], evaluation_bars={"session": LAST, "names": []}, data_quality={"names": []}
    )
    assert signals["candidates"] == []
    assert {row["code"] for row in signals["appendix"]} == {"no_bar"}
    assert signals["benchmark"]["issue"] == "missing"


def some_market(rng):
    """Another market and other rules, with everything that may be switched."""
    closes, bars, adjusted = {}, [], []
    days = CASE["trading_calendar"]["sessions"]
    tickers = [row["ticker"] for row in CASE["evaluation_bars"]["names"]]
    for ticker in tickers:
        close = rng.choice([990, 10_000])
        for day in days:
            opened = close * (1 + rng.uniform(-0.03, 0.03))
            after = close if rng.random() < 0.05 else round(opened * (1 + rng.uniform(-0.04, 0.045)))
            row = {"ticker": ticker, "session": day, "open": opened, "close": after}
            row |= {"high": max(opened, after) * 1.003, "low": min(opened, after) * (1 - rng.choice([0.001, 0.03]))}
            bars.append(row | {"volume": None if rng.random() < 0.01 else rng.randrange(10, 900)})
            close = closes[ticker] = after
        if rng.random() < 0.4:
            adjusted += [{**row, **{name: row[name] * 0.7 for name in PRICES}} for row in bars[-len(days) :]]
    cross, turn = copy.deepcopy(CASE["buy_ema_cross"]), copy.deepcopy(CASE["buy_hybrid"])
    for spec, known in ((cross, ema_cross.CORRECTIONS), (turn, hybrid.CORRECTIONS)):
        spec["corrections"] = rng.choice(["all", "all", "none", rng.sample(sorted(known), 5)])
        spec["turnover"]["least"]["KRW"] = rng.choice([0, 2_000_000])
        spec["long_average"]["required"] = rng.random() < 0.2
        spec["min_history"] = rng.choice([2, 8])
    cross["gap"]["atr_multiple"] = rng.choice(["0", "1.0"])
    cross["slope"]["required"] = rng.random() < 0.5
    cross["relative_strength"]["benchmark_return"] = rng.choice([None, "0.01"])
    turn["breakout"]["confirmed"]["KRW"] = rng.random() < 0.5
    turn["max_gap"] = rng.choice([None, "0.02"])
    turn["pullback"]["rsi_low"] = rng.choice([30, 89])
    turn["reversal"] |= {"oversold_high": 90, "rebound_above": 20, "reach": "0.10"}
    return {"bars": bars, "adjusted_bars": adjusted, "buy_ema_cross": cross, "buy_hybrid": turn}


def test_on_any_market_the_plain_way_gives_the_same():
    seen = Counter()
    for seed in range(60):
        signals = built(**some_market(random.Random(seed)))
        assert schemas.validate(FORM, signals) == []
        seen.update((row["strategy"], row["pattern"], row["state"]) for row in signals["candidates"])
        seen.update(row["code"] for row in signals["appendix"])
    patterns = {one[1] for one in seen if one[0] == "hybrid"}
    assert patterns == {"pullback", "breakout", "reversal"}
    assert seen["ema_cross", None, "READY"] > 5
    assert {"no_cross", "no_rebound", "gap", "no_pattern", "price_floor", "unknown_volume", "illiquid"} <= set(seen)
