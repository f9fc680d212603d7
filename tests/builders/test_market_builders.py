"""The builders of market facts: what they make fits its schema, is the same each time, and says where it is from."""

import importlib.util
import json
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest
import yaml

from quantassay.domain.market.calendars import NoCalendar, UselessOverride
from quantassay.feeds.holiday_tables import holiday_sources
from quantassay.harness import canonical, origins, pointers, schemas

ROOT = Path(__file__).parents[2]
AS_OF = "2026-11-18T15:45:00+09:00"
LOG = {
    "files": [{"file": "a.csv", "loaded": True}, {"file": "b.csv", "loaded": False}],
    "issues": [{"file": "b.csv", "row": 2, "code": "negative_price", "says": "a price is below zero"}],
}
BARS = {
    "ticker": pl.String,
    "session": pl.Date,
    "open": pl.Float64,
    "high": pl.Float64,
    "low": pl.Float64,
    "close": pl.Float64,
    "volume": pl.Int64,
    "taken_at": pl.Datetime("us", "UTC"),
    "source": pl.String,
}


def unit(name):
    spec = importlib.util.spec_from_file_location(f"builder_{name}", ROOT / f"builders/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(file):
    return yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))


def calendar_inputs(market="XKRX"):
    return {
        "calendars": read("spec/11_calendars.yaml"),
        "desk": {"market": market},
        "holiday_sources": holiday_sources(),
        "recorded_closures": read("governance/recorded_closures.yaml"),
        "calendar_overrides": read("governance/calendar_overrides.yaml"),
    }


def bar(ticker, day, close, volume=9_000, **changes):
    flat = {"open": float(close), "high": float(close), "low": float(close), "close": float(close)}
    row = {"ticker": ticker, "session": date.fromisoformat(day), **flat, "volume": volume, "taken_at": None}
    return row | {"source": f"{ticker}.csv"} | changes


TAKEN = datetime.fromisoformat("2026-11-18T10:13:00+09:00")
ROWS = [
    *(bar("900010", f"2026-11-{day}", 1_000) for day in (13, 16, 17, 18)),
    *(bar("900020", f"2026-11-{day}", 1_000) for day in (13, 16, 17)),
    bar("900020", "2026-11-18", 1_000, taken_at=TAKEN),
    *(bar("900030", f"2026-11-{day}", price) for day, price in ((16, 1_000), (17, 200), (18, 210))),
    bar("9000A0", "2026-11-17", 500),
    bar("9000A0", "2026-11-18", 500, 0),
    bar("9000B0", "2026-11-15", 500),
    bar("9000C0", "2026-11-17", 500.5),
    bar("9000C0", "2026-11-18", 900.25),
]


@pytest.fixture(scope="module")
def trading_calendar():
    return unit("trading_calendar").build(**calendar_inputs())


@pytest.fixture(scope="module")
def evaluation_bars(trading_calendar):
    bars = pl.DataFrame(ROWS, schema=BARS)
    spec = read("spec/12_evaluation_bar.yaml")
    return unit("evaluation_bars").build(bars, trading_calendar, spec, AS_OF)


def quality(trading_calendar, evaluation_bars, rows=ROWS, log=LOG):
    bars = pl.DataFrame(rows, schema=BARS)
    return unit("data_quality").build(
        bars=bars,
        adjusted_bars=bars.clear(),
        trading_calendar=trading_calendar,
        evaluation_bars=evaluation_bars,
        quality_limits=read("spec/13_quality_limits.yaml"),
        price_rules=read("spec/19_price_rules.yaml"),
        price_limit_exceptions=read("governance/price_limit_exceptions.yaml"),
        import_log=log,
        adjusted_import_log=None,
    )


@pytest.fixture(scope="module")
def data_quality(trading_calendar, evaluation_bars):
    return quality(trading_calendar, evaluation_bars)


ARTIFACTS = ("trading_calendar", "evaluation_bars", "data_quality")


@pytest.mark.parametrize("name", ARTIFACTS)
def test_the_artifact_fits_its_schema_and_is_canonical(name, request):
    data = request.getfixturevalue(name)
    schema = json.loads((ROOT / f"spec/schemas/{name}_v1.schema.json").read_text(encoding="utf-8"))
    assert schemas.validate(schema, data) == []
    assert canonical.loads(canonical.dumps(data)) == data


@pytest.mark.parametrize("name", ARTIFACTS)
def test_every_number_and_date_has_an_origin(name, request):
    patterns = unit(name).ORIGINS
    bare = [
        pointer
        for pointer, leaf in pointers.walk(request.getfixturevalue(name))
        if (isinstance(leaf, int) and not isinstance(leaf, bool)) or is_date(leaf)
        if not any(pointers.matches(pattern, pointer) for pattern in patterns)
    ]
    assert bare == []


def is_date(leaf):
    return isinstance(leaf, str) and leaf[:2] in ("19", "20") and leaf[4:5] == "-"


SPECS = ("10_desk", "11_calendars", "12_evaluation_bar", "13_quality_limits", "19_price_rules")
GOVERNED = ("calendar_overrides", "recorded_closures", "price_limit_exceptions")


@pytest.mark.parametrize(
    ("file", "name"),
    [*((f"spec/{spec}.yaml", spec[3:]) for spec in SPECS), *((f"governance/{name}.yaml", name) for name in GOVERNED)],
)
def test_the_specs_fit_their_schemas(file, name):
    schema = json.loads((ROOT / f"spec/schemas/{name}.schema.json").read_text(encoding="utf-8"))
    assert schemas.validate(schema, read(file)) == []


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"date": "2026-11-19", "state": "closed", "open": "10:00", "close": "16:30"}, "open"),
        ({"date": "2026-11-19", "state": "open", "open": "10:00"}, "close"),
        ({"date": "19 November", "state": "open"}, "date"),
        ({"market": "XTKS", "date": "2026-11-19", "state": "open"}, "market"),
    ],
)
def test_an_override_that_makes_no_sense_is_refused(row, says):
    schema = json.loads((ROOT / "spec/schemas/calendar_overrides.schema.json").read_text(encoding="utf-8"))
    whole = {"market": "XKRX", "name": "exam_day", "source": "a notice", "noted_on": "2026-11-20", **row}
    problems = schemas.validate(schema, {"overrides": [whole]})
    assert any(says in problem.says or says in problem.pointer for problem in problems)


def test_two_builds_of_the_calendar_are_the_same_bytes(trading_calendar):
    again = unit("trading_calendar").build(**calendar_inputs())
    assert canonical.dumps(again) == canonical.dumps(trading_calendar)


@pytest.mark.parametrize("market", ["XNYS", "XSHG", "XNAS"])
def test_the_calendars_of_the_other_markets_fit_and_say_where_they_are_from(market):
    builder = unit("trading_calendar")
    data = builder.build(**calendar_inputs(market))
    schema = json.loads((ROOT / "spec/schemas/trading_calendar_v1.schema.json").read_text(encoding="utf-8"))
    assert schemas.validate(schema, data) == []
    assert data["market"] == market.replace("XNAS", "XNYS")
    numbers = [pointer for pointer, leaf in pointers.walk(data) if origins.is_number(leaf)]
    assert [p for p in numbers if not any(pointers.matches(pattern, p) for pattern in builder.ORIGINS)] == []


def test_a_market_without_a_calendar_is_one_sentence():
    with pytest.raises(NoCalendar, match=r"spec/11_calendars\.yaml has no market 'XTKS'; it has XKRX, XNAS, XNYS"):
        unit("trading_calendar").build(**calendar_inputs("XTKS"))


CASES = sorted((ROOT / "tests/validators/calendar_agreement").glob("pass_*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_builder_makes_what_the_gate_s_cases_hold_right(path):
    parameters = json.loads(path.read_text(encoding="utf-8"))["parameters"]
    expected = parameters.pop("trading_calendar")
    assert unit("trading_calendar").build(**parameters) == expected


def test_an_override_settles_a_dispute():
    inputs = calendar_inputs()
    row = {
        "market": "XKRX",
        "date": "2027-05-03",
        "state": "closed",
        "name": "Labour Day",
        "source": "a notice",
        "noted_on": "2027-04-01",
    }
    inputs["calendar_overrides"]["overrides"].append(row)
    data = unit("trading_calendar").build(**inputs)
    assert [row["date"] for row in data["disputed"]] == ["2027-07-19"]
    assert "2027-05-03" not in data["sessions"]
    inputs["calendar_overrides"]["overrides"].append(row)
    with pytest.raises(UselessOverride, match="stands twice"):
        unit("trading_calendar").build(**inputs)


def test_a_calendar_that_begins_in_mid_year_claims_no_late_first_session():
    inputs = calendar_inputs()
    inputs["calendars"]["markets"]["XKRX"] |= {"first": "2026-06-01"}
    rows = inputs["calendar_overrides"]["overrides"]
    inputs["calendar_overrides"]["overrides"] = [row for row in rows if row["date"] >= "2026-06-01"]
    data = unit("trading_calendar").build(**inputs)
    kinds = [(row["session"], row["kind"]) for row in data["special_sessions"]]
    assert kinds == [("2026-11-19", "exam_day"), ("2027-01-04", "first_session")]


def test_the_partial_bar_decides_nothing_and_blocks_its_name(evaluation_bars, data_quality):
    decided = {row["ticker"]: row for row in evaluation_bars["names"]}
    assert (evaluation_bars["day"], evaluation_bars["session"]) == ("2026-11-18", "2026-11-18")
    assert (decided["900020"]["session"], decided["900020"]["reason"]) == ("2026-11-17", "taken_early")
    names = {row["ticker"]: row for row in data_quality["names"]}
    assert (names["900020"]["verdict"], names["900020"]["reasons"]) == ("blocked", ["dropped", "stale"])
    assert names["900010"]["verdict"] == "ok"


def test_reasons_and_totals(data_quality):
    names = {row["ticker"]: row for row in data_quality["names"]}
    assert names["900030"]["reasons"] == ["corporate_action"]
    assert names["900030"]["actions"] == [
        {
            "session": "2026-11-17",
            "previous_session": "2026-11-16",
            "previous_close": 1_000,
            "close": 200,
            "age": 1,
            "detector": "limit",
            "ratio": "0.200000",
            "parts": None,
            "factor_low": "0.153846",
            "factor_high": "0.285714",
            "halted": 0,
            "allowed": None,
        }
    ]
    assert names["9000A0"]["reasons"] == ["halted", "thin"]
    assert names["9000B0"]["reasons"] == ["dropped", "no_complete_bar", "off_calendar"]
    assert names["9000C0"]["actions"][0]["close"] == "900.25"
    totals = {name: data_quality["totals"][name] for name in ("names", "bars", "ok", "warning", "blocked", "actions")}
    assert totals == {"names": 6, "bars": 16, "ok": 1, "warning": 0, "blocked": 5, "actions": 2}
    assert data_quality["imports"] == {
        "loaded": 1,
        "refused": [{"file": "b.csv", "codes": ["negative_price"]}],
        "issues": [{"code": "negative_price", "count": 1}],
    }


def test_an_old_action_is_only_a_warning(trading_calendar):
    days = trading_calendar["sessions"][-400:-370]
    rows = [bar("900010", day, 5_000 if day < days[5] else 1_000) for day in days]
    spec = read("spec/12_evaluation_bar.yaml")
    as_of = f"{days[-1]}T20:00:00+09:00"
    evaluated = unit("evaluation_bars").build(pl.DataFrame(rows, schema=BARS), trading_calendar, spec, as_of)
    (row,) = quality(trading_calendar, evaluated, rows)["names"]
    assert (row["verdict"], row["reasons"]) == ("warning", ["old_corporate_action"])


def test_a_desk_without_bars_has_empty_lists(trading_calendar):
    spec = read("spec/12_evaluation_bar.yaml")
    evaluated = unit("evaluation_bars").build(pl.DataFrame(schema=BARS), trading_calendar, spec, AS_OF)
    assert evaluated["names"] == []
    made = quality(trading_calendar, evaluated, rows=[], log=None)
    assert (made["names"], made["totals"]["names"]) == ([], 0)
