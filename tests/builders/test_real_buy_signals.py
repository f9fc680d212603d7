"""Real KOSDAQ bars with their partial last day: no candidate comes from it, and the plain way gives the same."""

import importlib.util
import inspect
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import polars as pl
import pytest
import yaml

from quantassay.feeds.csv_bars import read_bars
from quantassay.feeds.holiday_tables import holiday_sources
from quantassay.feeds.markets import market_of
from quantassay.feeds.raw_files import list_source, read_file, read_files
from quantassay.feeds.universe_csv import read_universe

ROOT = Path(__file__).parents[2]
MARKET = market_of("XKRX")
CHAIN = ("evaluation_bars", "data_quality", "universe", "buy_signals")
GATES = ("ema_cross_rederived", "hybrid_rederived", "buy_signals_whole", "no_signal_from_doubtful_data")
AFTER_CLOSE, IN_SESSION = (f"2025-12-17T{clock}:00+09:00" for clock in ("15:40", "10:13"))


def unit(room, name):
    spec = importlib.util.spec_from_file_location(f"{room}_{name}", ROOT / f"{room}/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def called(function, inputs):
    return function(**{name: inputs[name] for name in inspect.signature(function).parameters})


@pytest.fixture(scope="module")
def inputs(shared):
    """Everything that the chain reads and does not make itself."""
    paths, _ = list_source(shared / "data/kosdaq_daily")
    listed = read_universe(read_file(shared / "data/universe/kosdaq_20251217.csv"), MARKET)
    specs = sorted((ROOT / "spec").glob("*.yaml"))
    found = {path.stem.partition("_")[2]: yaml.safe_load(path.read_text(encoding="utf-8")) for path in specs}
    for name in ("recorded_closures", "calendar_overrides", "price_limit_exceptions"):
        found[name] = yaml.safe_load((ROOT / f"governance/{name}.yaml").read_text(encoding="utf-8"))
    bars = read_bars(read_files(paths), MARKET).frame
    found |= {
        "bars": bars,
        "adjusted_bars": bars.clear(),
        "import_log": None,
        "adjusted_import_log": None,
        "holiday_sources": holiday_sources(),
        "universe_import": {"session": listed.session.isoformat(), "names": [asdict(one) for one in listed.names]},
        "account_snapshot": {"holdings": []},
        "positions": {"rows": []},
    }
    return found | {"trading_calendar": called(unit("builders", "trading_calendar").build, found)}


def run(inputs, as_of, **changes):
    made = inputs | {"as_of": as_of} | changes
    for name in CHAIN:
        made[name] = called(unit("builders", name).build, made)
    return made


def wrong(made):
    return [one for name in GATES for one in called(unit("validators", name).check, made) if not one.ok]


def test_in_the_session_the_evening_before_decides(inputs):
    made = run(inputs, IN_SESSION)
    signals = made["buy_signals"]
    assert wrong(made) == []
    told = [*signals["candidates"], *signals["appendix"]]
    assert {row["session"] for row in told} == {"2025-12-16", None}
    assert len(told) == 2 * signals["totals"]["names"] == 100
    assert signals["benchmark"]["issue"] == "stale"  # its file ends on 2025-12-01
    ends = Counter(row["code"] for row in signals["appendix"] if row["strategy"] == "hybrid")
    assert ends == {
        "no_pattern": 32,
        "gap": 4,
        "illiquid": 1,
        "no_bar": 1,
        "short_history": 9,
        "unadjusted_action": 3,
    }


def test_after_the_close_the_last_bars_decide_as_these_files_do_not_say_when_they_were_taken(inputs):
    made = run(inputs, AFTER_CLOSE)
    assert made["buy_signals"]["session"] == "2025-12-17"
    assert wrong(made) == []


def test_a_bar_that_is_known_to_be_partial_never_makes_a_candidate(inputs):
    last = pl.col("session") == pl.col("session").max()
    taken = pl.when(last).then(pl.lit("2025-12-17T01:13:00").str.to_datetime("%FT%T", time_unit="us", time_zone="UTC"))
    made = run(inputs, AFTER_CLOSE, bars=inputs["bars"].with_columns(taken_at=taken))
    assert wrong(made) == []
    codes = {row["code"] for row in made["buy_signals"]["appendix"]}
    assert (made["buy_signals"]["candidates"], codes) == ([], {"stale", "no_bar"})


def test_on_an_earlier_evening_there_are_candidates_and_the_plain_way_finds_them_too(inputs):
    made = run(inputs, "2025-10-31T16:00:00+09:00", universe_import=None)
    assert wrong(made) == []
    assert made["buy_signals"]["benchmark"]["issue"] is None
    found = [(row["pattern"], row["state"], row["quality"]) for row in made["buy_signals"]["candidates"]]
    assert found == [("pullback", "READY", "A"), ("pullback", "READY", "B"), ("pullback", "WATCH", "C")]
