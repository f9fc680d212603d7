"""From the universe to the plan: the artifacts fit their schemas, say where their numbers are from, and repeat."""

import importlib.util
import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml

from quantassay.harness import canonical, origins, schemas

ROOT = Path(__file__).parents[2]
AS_OF = "2026-11-18T15:45:00+09:00"
ARTIFACTS = ("universe", "signals", "followed_signals", "next_session", "next_open_plan")
SPECS = ("14_universe_rules", "15_hsms", "17_next_open", "18_costs")
CALENDAR = {
    "market": "XKRX",
    "currency": "KRW",
    "zone": "Asia/Seoul",
    "first": "2026-11-02",
    "last": "2026-11-30",
    "regular_hours": [{"from": "2016-08-01", "open": "09:00", "close": "15:30"}],
    "sessions": [f"2026-11-{day}" for day in (16, 17, 18, 19, 20)],
    "special_sessions": [{"session": "2026-11-19", "open": "10:00", "close": "16:30", "kind": "exam_day"}],
    "disputed": [],
    "breaks": [],
    "segments": [],
}
DAYS = ("2026-11-16", "2026-11-17", "2026-11-18")
BARS = {
    "900010": [(9_000, 90_000, 10), (9_100, 90_000, 10), (9_500, 200_000, 10)],
    "900020": [(9_000, 90_000, 10), (9_100, 90_000, 10), (8_500, 200_000, None)],
    "9000A0": [(9_000, 90_000, 10), (9_000, 90_000, 10), (9_000, 190_000, 10)],
    "900040": [(9_000, 90_000, 10), (9_500, 150_000, 10)],
}
ACCOUNT = {
    "id": "sample",
    "environment": "sample",
    "currency": "KRW",
    "as_of": "2026-11-18T15:40:00+09:00",
    "cash": 5_000_000,
    "holdings": [
        {"ticker": "900020", "quantity": 3, "average_price": 1},
        {"ticker": "9000Z0", "quantity": 5, "average_price": 1},
        {"ticker": "900020", "quantity": 4, "average_price": 2},
    ],
}
IMPORT = {
    "session": "2026-11-17",
    "file": "list_20261117.csv",
    "names": [
        {"ticker": ticker, "name": f"Name {ticker}", "close": 9_000, "volume": 10**6, "turnover": 9 * 10**9, "row": row}
        for row, ticker in enumerate(("9000A0", "900040", "900020", "900010"), 2)
    ],
}


def unit(name):
    spec = importlib.util.spec_from_file_location(f"builder_{name}", ROOT / f"builders/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(name):
    return yaml.safe_load((ROOT / f"spec/{name}.yaml").read_text(encoding="utf-8"))


def schema(stem):
    return json.loads((ROOT / f"spec/schemas/{stem}.schema.json").read_text(encoding="utf-8"))


def bars(series=BARS):
    rows = [
        (ticker, date.fromisoformat(day), float(close), volume, foreign)
        for ticker, own in sorted(series.items())
        for day, (close, volume, foreign) in zip(DAYS, own, strict=False)
    ]
    names = {"ticker": pl.String, "session": pl.Date, "close": pl.Float64}
    return pl.DataFrame(rows, names | {"volume": pl.Int64, "foreign_net_buy": pl.Int64}, orient="row")


def desk(**changes):
    """What the builders make of a small desk; `changes` replace inputs."""
    ends = [{"ticker": ticker, "session": DAYS[len(own) - 1]} for ticker, own in sorted(BARS.items())]
    short = {"average_window": 2, "momentum_window": 1, "volume_window": 2, "foreign_window": 1}
    inputs = {
        "as_of": AS_OF,
        "bars": bars(),
        "evaluation_bars": {"session": "2026-11-18", "day": "2026-11-18", "names": ends},
        "data_quality": {"names": [{"ticker": row["ticker"], "verdict": "ok", "doubts": []} for row in ends]},
        "universe_import": IMPORT,
        "universe_rules": read("14_universe_rules"),
        "hsms": read("15_hsms") | short,
        "next_open": read("17_next_open"),
        "costs": read("18_costs"),
        "price_rules": read("19_price_rules"),
        "quality_limits": read("13_quality_limits"),
        "trading_calendar": CALENDAR,
        "account_snapshot": ACCOUNT,
        "sell_signals": {"rows": []},
        "entry_check": {"session": None, "followed": "hybrid", "rows": []},
        **changes,
    }
    for name in ("universe", "signal_history", "signals", "followed_signals", "next_session", "next_open_plan"):
        build = unit(name).build
        inputs[name] = build(**{key: inputs[key] for key in build.__annotations__ if key != "return"})
    return inputs


@pytest.fixture(scope="module")
def made():
    return desk()


@pytest.mark.parametrize("name", ARTIFACTS)
def test_the_artifact_fits_its_schema_and_repeats(name, made):
    assert schemas.validate(schema(f"{name}_v1"), made[name]) == []
    assert canonical.dumps(made[name]) == canonical.dumps(desk()[name])


@pytest.mark.parametrize("name", ARTIFACTS)
def test_every_number_and_date_has_an_origin_among_the_inputs(name, made):
    module = unit(name)
    inputs = [key for key in module.build.__annotations__ if key != "return"]
    rows = origins.coverage(name, made[name], module.ORIGINS, inputs)
    assert rows
    assert [row for row in rows if row["bare"] or row["unknown"]] == []


@pytest.mark.parametrize("spec", SPECS)
def test_the_specs_fit_their_schemas(spec):
    assert schemas.validate(schema(spec[3:]), read(spec)) == []


@pytest.mark.parametrize(
    ("spec", "change"),
    [
        ("15_hsms", {"sell_band": "1.01"}),
        ("15_hsms", {"volume_multiple": 1.1}),
        ("15_hsms", {"strategy": "hsms3"}),
        ("17_next_open", {"count_on_sells": "no"}),
        ("18_costs", {"fee_bps": "-1"}),
        ("18_costs", {"sell_tax": []}),
        ("14_universe_rules", {"limit": 0}),
        ("14_universe_rules", {"minimun_close": 1}),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(spec, change):
    assert schemas.validate(schema(spec[3:]), read(spec) | change) != []


def tickers(universe):
    return [(row["ticker"], row["held_only"]) for row in universe["names"]]


def test_an_imported_universe_keeps_its_order_and_held_names_follow(made):
    universe = made["universe"]
    assert (universe["source"], universe["session"]) == ("imported", "2026-11-17")
    chosen = [(ticker, False) for ticker in ("9000A0", "900040", "900020", "900010")]
    assert tickers(universe) == [*chosen, ("9000Z0", True)]


def test_without_an_import_the_turnover_of_the_signal_session_chooses():
    universe = desk(universe_import=None)["universe"]
    # 900040 has no bar of the signal session.
    chosen = [(ticker, False) for ticker in ("900010", "9000A0", "900020")]
    assert tickers(universe) == [*chosen, ("9000Z0", True)]
    assert (universe["source"], universe["session"], universe["considered"]) == ("turnover", "2026-11-18", 3)


def test_the_spec_may_insist_on_one_source():
    rules = read("14_universe_rules")
    assert desk(universe_rules=rules | {"source": "turnover"})["universe"]["source"] == "turnover"
    wanted = desk(universe_rules=rules | {"source": "imported"}, universe_import=None)["universe"]
    assert (wanted["source"], tickers(wanted)) == ("imported", [("900020", True), ("9000Z0", True)])


def test_each_name_is_judged_on_its_own_deciding_bar(made):
    told = {row["ticker"]: row for row in made["signals"]["names"]}
    assert {ticker: (row["verdict"], row["doubt"]) for ticker, row in told.items()} == {
        "9000A0": ("none", None),
        "900040": ("buy", "other_session"),
        "900020": ("sell", None),
        "900010": ("buy", None),
        "9000Z0": ("no_data", "no_bar"),
    }
    assert told["900040"]["session"] == "2026-11-17"
    assert (told["900010"]["close_average"], told["900010"]["volume_average"]) == ("9300.00", "145000.00")
    assert told["900020"]["because"] == ["below_band", "falling"]
    assert told["900020"]["foreign_sum"] is None


def test_what_quality_blocks_is_in_doubt(made):
    rows = made["data_quality"]["names"]
    names = [row | {"verdict": "blocked", "doubts": ["halted"]} for row in rows if row["ticker"] == "900010"]
    others = [row | {"verdict": "warning", "doubts": []} for row in rows if row["ticker"] != "900010"]
    other = desk(data_quality={"names": names + others})
    told = {row["ticker"]: (row["doubt"], row["doubts"]) for row in other["signals"]["names"]}
    assert told["900010"] == ("blocked", ["halted"])
    assert told["9000A0"] == (None, [])
    skipped = {(row["ticker"], row["side"]): row for row in other["next_open_plan"]["skipped"]}
    assert (skipped["900010", "buy"]["code"], skipped["900010", "buy"]["doubts"]) == ("blocked", ["halted"])


def test_the_history_ends_for_each_name_with_its_deciding_bar(made):
    late = [{"ticker": "900010", "session": "2026-11-17"}, {"ticker": "900020", "session": None}]
    ends = late + made["evaluation_bars"]["names"][2:]
    table = unit("signal_history").build(bars(), made["evaluation_bars"] | {"names": ends}, made["hsms"])
    assert table.key == ("ticker", "session")
    assert table.frame.group_by("ticker", maintain_order=True).len().rows() == [
        ("900010", 2),
        ("900040", 2),
        ("9000A0", 3),
    ]
    whole = made["signal_history"].frame
    assert whole.columns == ["ticker", "session", "hsms1", "hsms2"]
    assert whole.filter(pl.col("ticker") == "900010")["hsms2"].to_list() == ["no_data", "none", "buy"]


def test_the_next_session_is_the_first_that_opens_later(made):
    assert made["next_session"]["session"] == "2026-11-19"
    assert made["next_session"]["opens_at"] == "2026-11-19T10:00:00+09:00"
    build = unit("next_session").build
    rest = (CALENDAR, read("18_costs"), read("13_quality_limits"))
    assert build("2026-11-19T00:59:59+00:00", *rest)["session"] == "2026-11-19"
    assert build("2026-11-19T01:00:00+00:00", *rest)["session"] == "2026-11-20"


def test_the_plan_sells_the_whole_holding_before_it_buys(made):
    plan = made["next_open_plan"]
    assert plan["plan_id"] == "XKRX-2026-11-19-sample-hsms2"
    assert (plan["created_at"], plan["signal_session"], plan["execution_session"]) == (
        AS_OF,
        "2026-11-18",
        "2026-11-19",
    )
    assert plan["buy_signals"] == ["900040", "900010"]
    assert plan["sell_signals"] == ["900020"]
    orders = [(row["line"], row["ticker"], row["side"], row["quantity"]) for row in plan["orders"]]
    assert orders == [(1, "900020", "sell", 7), (2, "900010", "buy", 153)]
    assert plan["orders"][1]["reason"] == {
        "rule": "hsms2 buy",
        "because": ["above_average", "rising", "busy", "foreign_buying"],
        "close_average": "9300.00",
        "momentum": 400,
        "volume": 200_000,
        "volume_average": "145000.00",
        "foreign_sum": 10,
    }
    skipped = [(row["ticker"], row["side"], row["code"]) for row in plan["skipped"]]
    assert skipped == [("9000Z0", "sell", "no_bar"), ("900040", "buy", "other_session")]
    budget = plan["budget"]
    assert (budget["positions_before"], budget["positions_after"]) == (2, 2)
    assert budget["cash_after"] == budget["cash_before"] - budget["cash_reserved"]


def test_an_account_without_anything_still_has_a_plan():
    plan = desk(account_snapshot=ACCOUNT | {"cash": 0, "holdings": []})["next_open_plan"]
    assert plan["orders"] == []
    assert [row["code"] for row in plan["skipped"]] == ["not_held", "other_session", "cash"]
    assert schemas.validate(schema("next_open_plan_v1"), plan) == []
