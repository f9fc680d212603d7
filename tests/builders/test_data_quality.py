"""Bars as vendors spoil them: nothing raises, everything is reported with its place, and both paths agree on it."""

import importlib.util
import inspect
import json
import math
import random
import tarfile
import zipfile
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest
import yaml

from quantassay.feeds.csv_bars import Prices, read_bars
from quantassay.feeds.markets import MARKETS
from quantassay.feeds.raw_files import list_source, read_files
from quantassay.harness import canonical, origins, schemas
from quantassay.store import bars as store

ROOT = Path(__file__).parents[2]
FIRST = date(2026, 1, 5)
DAYS = [FIRST + timedelta(at) for at in range(400) if (FIRST + timedelta(at)).weekday() < 5]
ZONES = {"XKRX": ("Asia/Seoul", "KRW"), "XNYS": ("America/New_York", "USD"), "XSHG": ("Asia/Shanghai", "CNY")}
NAN, INF = float("nan"), float("inf")


def unit(room, name):
    spec = importlib.util.spec_from_file_location(f"{room}_{name}", ROOT / f"{room}/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def called(function, inputs):
    return function(**{name: inputs[name] for name in inspect.signature(function).parameters})


def read(file):
    return yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))


UNITS = {name: unit("builders", name) for name in ("evaluation_bars", "data_quality")}
GATES = {name: unit("validators", name) for name in ("complete_bars_only", "bars_quality", "adjusted_rederived")}
SPECS = {
    "evaluation_bar": read("spec/12_evaluation_bar.yaml"),
    "quality_limits": read("spec/13_quality_limits.yaml"),
    "price_rules": read("spec/19_price_rules.yaml"),
    "price_limit_exceptions": read("governance/price_limit_exceptions.yaml"),
}


def calendar(market, days=DAYS):
    zone, currency = ZONES[market]
    return {
        "market": market,
        "zone": zone,
        "currency": currency,
        "first": days[0].isoformat(),
        "last": days[-1].isoformat(),
        "regular_hours": [{"from": days[0].isoformat(), "open": "09:30", "close": "15:30"}],
        "sessions": [day.isoformat() for day in days],
        "special_sessions": [],
        "disputed": [],
        "breaks": [],
        "segments": [],
    }


def bar(at, close, ticker="900010", **changed):
    flat = dict.fromkeys(("open", "high", "low", "close"), None if close is None else float(close))
    day = at if isinstance(at, date) else DAYS[at]
    rest = {"volume": 1_000, "foreign_net_buy": None, "taken_at": None, "source": f"{ticker}.csv", "row": 2}
    return {"ticker": ticker, "session": day, **flat, **rest, **changed}


def frame(rows):
    return pl.DataFrame(list(rows), schema=store.SCHEMA)


def made(rows, adjusted=(), market="XKRX", days=DAYS, at=None):
    """The two artifacts on these bars at the evening of session `at` (of the last one that has a bar)."""
    bars = rows if isinstance(rows, pl.DataFrame) else frame(rows)
    other = adjusted if isinstance(adjusted, pl.DataFrame) else frame(adjusted)
    last = max([day for day in bars["session"] if day in set(days)], default=days[9]) if at is None else days[at]
    inputs = SPECS | {
        "bars": bars,
        "adjusted_bars": other,
        "trading_calendar": calendar(market, days),
        "as_of": datetime(last.year, last.month, last.day, 23, 50, tzinfo=UTC).isoformat()
        if market == "XNYS"
        else f"{last}T20:00:00+09:00",
        "import_log": None,
        "adjusted_import_log": None,
    }
    for name, module in UNITS.items():
        inputs[name] = called(module.build, inputs)
        schema = json.loads((ROOT / f"spec/schemas/{name}_v1.schema.json").read_text(encoding="utf-8"))
        assert schemas.validate(schema, inputs[name]) == []
        assert canonical.loads(canonical.dumps(inputs[name])) == inputs[name]
        parameters = list(inspect.signature(module.build).parameters)
        bare = origins.coverage(name, inputs[name], module.ORIGINS, parameters)
        assert [row for row in bare if row["bare"] or row["unknown"]] == []
    for module in GATES.values():
        wrong = [one for one in called(module.check, inputs) if not one.ok and one.rule != "R01.6"]
        assert wrong == []
    return inputs["data_quality"]


def only(quality):
    (name,) = quality["names"]
    return name


def found(name):
    return {fault["kind"]: fault["count"] for fault in name["faults"]}


def steady(count=40, close=10_000, **options):
    return [bar(at, close + at % 7, **options) for at in range(count)]


def test_sound_bars_have_nothing_against_them():
    name = only(made(steady()))
    assert (name["verdict"], name["reasons"], name["doubts"], name["faults"], name["adjusted"]) == (
        "ok",
        [],
        [],
        [],
        None,
    )


@pytest.mark.parametrize(
    ("changed", "kind", "column", "value"),
    [
        ({"close": NAN}, "bad_price", "close", "not a number"),
        ({"close": None}, "bad_price", "close", None),
        ({"close": INF}, "bad_price", "close", "infinite"),
        ({"close": 0.0}, "bad_price", "close", "0"),
        ({"close": -1.5}, "bad_price", "close", "-1.5"),
        ({"high": NAN}, "bad_price", "high", "not a number"),
        ({"low": 0.0}, "bad_price", "low", "0"),
        ({"open": NAN}, "bad_price", "open", "not a number"),
        ({"open": 0.0, "high": 0.0, "low": 0.0, "volume": 5}, "bad_price", "open", "0"),
        ({"volume": None}, "bad_volume", "volume", None),
        ({"volume": -1}, "bad_volume", "volume", "-1"),
        ({"high": 9_000.0}, "inconsistent", "high", "9000"),
        ({"open": 10_020.0}, "inconsistent", "open", "10020"),
        ({"close": 9_998.0, "low": 10_000.0, "high": 10_006.0, "open": 10_001.0}, "inconsistent", "close", "9998"),
    ],
)
@pytest.mark.parametrize("place", [20, 39])
def test_a_value_that_cannot_be_is_reported_with_its_place_and_blocks(changed, kind, column, value, place):
    rows = steady()
    rows[place] |= changed
    name = only(made(rows))
    (fault,) = [one for one in name["faults"] if one["kind"] == kind]
    assert fault["rows"] == [
        {
            "session": DAYS[place].isoformat(),
            "age": 39 - place,
            "column": column,
            "value": value,
            "previous_session": None,
            "previous_value": None,
            "until": None,
        }
    ]
    assert (name["verdict"], kind in name["doubts"]) == ("blocked", True)


@pytest.mark.parametrize(
    "changed",
    [
        {"open": None},
        {"open": 0.0, "high": 0.0, "low": 0.0, "volume": 0},
        {"volume": 0},
        {"high": 10_005.0, "low": 10_004.0, "open": 10_006.0},
    ],
)
def test_an_unknown_open_a_halt_and_rounding_are_no_faults(changed):
    rows = steady()
    rows[20] |= changed
    name = only(made(rows))
    assert (name["faults"], name["verdict"]) == ([], "ok")


def test_an_old_fault_is_only_a_warning_and_all_are_counted():
    rows = [bar(at, 10_000) for at in range(270)]
    for place in (1, 3, 5, 7, 9, 11):
        rows[place]["close"] = NAN
    name = only(made(rows))
    (fault,) = name["faults"]
    assert (fault["count"], len(fault["rows"])) == (6, SPECS["quality_limits"]["faults"]["evidence_rows"])
    assert fault["rows"][-1]["session"] == DAYS[11].isoformat()
    assert (name["verdict"], name["reasons"]) == ("warning", ["old_fault"])


def test_bars_in_any_order_are_the_same_bars_and_that_is_told():
    rows = [*steady(), *steady(ticker="900020")]
    plain = made(rows)
    turned = made(rows[::-1])
    assert [name["ticker"] for name in turned["names"]] == ["900010", "900020"]
    assert {kind for name in turned["names"] for kind in found(name)} == {"unsorted"}
    drop = ("reasons", "faults", "verdict")
    assert [{k: v for k, v in name.items() if k not in drop} for name in turned["names"]] == [
        {k: v for k, v in name.items() if k not in drop} for name in plain["names"]
    ]


def test_two_bars_of_one_session_the_first_counts():
    rows = steady()
    rows.insert(21, bar(20, 2_000))
    name = only(made(rows))
    assert (found(name), name["actions"], name["missing"]) == ({"duplicate": 1}, [], 0)
    assert name["doubts"] == ["duplicate"]


def test_bars_of_days_to_come_and_of_no_session_are_counted_with_their_dates():
    rows = [*steady(), bar(DAYS[-1] + timedelta(30), 5), bar(DAYS[4] + timedelta(1), 10_000)]
    name = only(made(sorted(rows, key=lambda row: row["session"])))
    assert (name["future"], name["off_calendar"], name["bars"]) == (1, 1, 41)
    assert found(name) == {"future": 1, "off_calendar": 1}
    assert name["doubts"] == ["off_calendar"]


def test_missing_sessions_are_counted_and_named():
    name = only(made([row for at, row in enumerate(steady()) if at not in (7, 8, 30)]))
    (fault,) = name["faults"]
    assert (name["missing"], [row["session"] for row in fault["rows"]]) == (
        3,
        [DAYS[at].isoformat() for at in (7, 8, 30)],
    )
    assert name["verdict"] == "warning"


@pytest.mark.parametrize("market", ["XKRX", "XNYS", "XSHG"])
def test_staleness_has_a_limit_by_market(market, monkeypatch):
    rows = [*steady(), *steady(37, ticker="900020")]
    assert [name["stale"] for name in made(rows, market=market)["names"]] == [0, 3]
    limits = SPECS["quality_limits"]
    others = {key: 3 if key == market else value for key, value in limits["max_stale_sessions"].items()}
    assert [name["verdict"] for name in made(rows, market=market)["names"]] == ["ok", "blocked"]
    monkeypatch.setitem(limits, "max_stale_sessions", others)
    assert [name["verdict"] for name in made(rows, market=market)["names"]] == ["ok", "ok"]


def test_a_single_bar_and_no_bar_at_all():
    name = only(made([bar(9, 10_000)]))
    assert (name["bars"], name["first"], name["verdict"]) == (1, DAYS[9].isoformat(), "ok")
    empty = made([])
    assert (empty["names"], empty["totals"]["names"], empty["totals"]["reasons"]) == ([], 0, [])
    assert made([bar(30, 10_000)], at=9)["names"][0]["doubts"] == ["no_complete_bar"]


def test_every_fault_at_once_raises_nothing():
    values = (None, NAN, INF, -INF, 0.0, -1.0, 1e-9, 1e15, 100.0)
    rows = [
        bar(at % 60, close, ticker, open=opened, high=values[(at + 3) % 9], volume=(None, -1, 0, 5)[at % 4])
        for ticker in ("AA", "BB")
        for at, (close, opened) in enumerate((close, opened) for close in values for opened in values)
    ]
    quality = made(rows[::-1], rows, market="XNYS")
    assert [name["verdict"] for name in quality["names"]] == ["blocked", "blocked"]
    assert all(name["adjusted"] for name in quality["names"])


@pytest.mark.parametrize("market", ZONES)
def test_both_paths_agree_on_bars_spoiled_at_random(market):
    chance = random.Random(market)
    rows, adjusted = [], []
    for name in range(12):
        close, factor, ticker = 10_000.0, 0.25, f"9000{name:02}"
        for at in range(80):
            close = round(max(close * chance.uniform(0.93, 1.07), 1), chance.choice([0, 2]))
            if chance.random() < 0.04:
                close = round(close * chance.choice([0.01, 0.2, 0.5, 0.69, 1.31, 2, 5, 100]), 2)
                factor = min(factor * chance.choice([1, 1, 2, 1.02]), 1.0)
            shown = close * chance.choice([0.5, 3]) if chance.random() < 0.03 else close
            if chance.random() > 0.05:
                rows.append(bar(at, shown, ticker, volume=chance.choice([0, 1_000, 1_000])))
            if chance.random() < 0.03:
                rows[-1] |= {
                    chance.choice(["open", "high", "low", "close"]): chance.choice([None, NAN, 0.0, -1.0, close * 2])
                }
            if chance.random() < 0.02:
                rows.append(bar(max(at - 1, 0), close, ticker))
            if chance.random() > 0.05:
                adjusted.append(bar(at, round(shown * factor, chance.choice([0, 2])), ticker))
    quality = made(rows, adjusted, market)
    kinds = {kind for name in quality["names"] for kind in found(name)}
    assert kinds >= {"bad_price", "duplicate", "inconsistent", "missing", "scale", "spike", "unsorted"}
    assert quality["totals"]["adjusted_changes"] > 20


def test_a_doubt_of_the_adjusted_series_blocks_and_a_dated_action_does_not():
    rows = [*steady(60, ticker="900010"), *steady(60, ticker="900020"), *steady(60, ticker="900030")]
    adjusted = [*steady(60, ticker="900010"), *steady(50, ticker="900030")]
    for row in adjusted[:50]:
        for price in ("open", "high", "low", "close"):
            row[price] = round(row[price] * 0.981, 1)
    adjusted.append(bar(0, 1, "9000Z0"))
    quality = made(rows, adjusted)
    first, second, third = quality["names"]
    assert (first["verdict"], first["reasons"]) == ("warning", ["adjusted_action"])
    assert [(row["session"], row["factor"]) for row in first["adjusted"]["actions"]] == [
        (DAYS[50].isoformat(), "0.981000")
    ]
    assert second["adjusted"] is None
    assert (third["reasons"], third["adjusted"]["lacks"]) == (["adjusted_behind"], 10)
    names = ("adjusted", "adjusted_changes", "adjusted_unchanged", "adjusted_only")
    assert [quality["totals"][name] for name in names] == [2, 1, 1, 1]


@pytest.mark.parametrize(
    ("factor", "reasons"),
    [(5, ["adjusted_action", "corporate_action"]), (1, ["corporate_action", "missing_adjustment"]), (25, None)],
)
def test_a_split_is_corrected_left_out_or_taken_twice(factor, reasons):
    rows = [bar(at, 50_000 if at < 30 else 10_000) for at in range(40)]
    adjusted = [bar(at, 50_000 / factor if at < 30 else 10_000) for at in range(40)]
    name = only(made(rows, adjusted))
    assert name["reasons"] == (reasons or ["adjusted_action", "bad_adjustment", "corporate_action"])
    assert [jump["kind"] for jump in name["adjusted"]["jumps"]] == {
        5: [],
        1: ["missing_adjustment"],
        25: ["bad_adjustment"],
    }[factor]


def lean(shared, name):
    """Prices as they were traded, times 10,000 in their files."""
    packed = zipfile.ZipFile(shared / f"data/us_daily/lean/daily/{name}.zip")
    columns = ["day", "open", "high", "low", "close", "volume"]
    raw = pl.read_csv(BytesIO(packed.read(f"{name}.csv")), has_header=False, new_columns=columns)
    rows = raw.with_columns(pl.col("day").cast(pl.String).str.slice(0, 8).str.to_date("%Y%m%d")).iter_rows()
    prices = ((day, [price / 10_000 for price in of], volume) for day, *of, volume in rows)
    return [
        bar(day, close, name.upper(), open=opened, high=high, low=low, volume=int(volume))
        for day, (opened, high, low, close), volume in prices
    ]


def test_the_splits_of_a_real_name_are_found_with_and_without_adjusted_prices(shared):
    raw = [row for row in lean(shared, "aapl") if row["session"] <= date(2020, 12, 11)]
    files = [path for path in list_source(shared / "data/us_daily")[0] if path.name == "AAPL.csv"]
    adjusted = read_bars(read_files(files), MARKETS["XNYS"], prices=Prices.ADJUSTED_COLUMN).frame
    days = sorted(row["session"] for row in raw)
    splits = ["2000-06-21", "2005-02-28", "2014-06-09", "2020-08-31"]
    name = only(made(raw, adjusted.filter(pl.col("session") >= days[0]), "XNYS", days))
    large = [row for row in name["adjusted"]["actions"] if not math.isclose(float(row["factor"]), 1, abs_tol=0.1)]
    assert [row["session"] for row in large] == splits
    assert [round(1 / float(row["factor"])) for row in large] == [2, 2, 7, 4]
    # By ratio alone: the split of 2000 moved too little that day, and the fall of September 2000 looks like one.
    alone = [(row["session"], row["parts"]) for row in name["actions"]]
    assert alone == [("2000-09-29", "1/2"), ("2005-02-28", "1/2"), ("2014-06-09", "1/7"), ("2020-08-31", "1/4")]


def test_real_kosdaq_bars_against_an_adjusted_archive(shared):
    raw = read_bars(read_files(list_source(shared / "data/kosdaq_daily")[0]), MARKETS["XKRX"]).frame
    wanted, texts = {"086520", "058470"}, {}
    with tarfile.open(shared / "data/krx_market/pykrx_all_2023-12_2025-06.tar.gz") as archive:
        for member in archive:
            if Path(member.name).stem in wanted:
                texts[Path(member.name).stem] = archive.extractfile(member).read()
            if len(texts) == len(wanted):
                break
    frames = [pl.read_csv(BytesIO(text)) for text in texts.values()]
    closes = [
        dict(zip(one[one.columns[0]].cast(pl.String).str.slice(0, 10), one["종가"], strict=True)) for one in frames
    ]
    days = sorted({day for day in raw["session"] if day < date(2025, 6, 17)})
    adjusted = [
        bar(day, of[day.isoformat()], ticker)
        for ticker, of in zip(texts, closes, strict=True)
        for day in days
        if day.isoformat() in of
    ]
    adjusted.sort(key=lambda row: (row["ticker"], row["session"]))
    quality = made(raw.filter(pl.col("session").is_in(days)), adjusted, days=days)
    told = {name["ticker"]: name["adjusted"]["actions"] for name in quality["names"] if name["adjusted"]}
    assert [(row["session"], row["factor"][:5]) for row in told["086520"]] == [("2025-02-27", "0.981")]
    assert [(row["session"], row["factor"][:5]) for row in told["058470"]] == [("2025-04-25", "0.200")]
