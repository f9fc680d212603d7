"""The deciding bars of every market and policy: builder and gate come to the same, each in its own way."""

import importlib.util
from datetime import date
from pathlib import Path

import polars as pl
import pytest
import yaml

from quantassay.feeds.holiday_tables import holiday_sources
from quantassay.store.bars import SCHEMA

ROOT = Path(__file__).parents[2]
DAYS = (10, 11, 12, 13, 14, 17, 18)
# Name, volume of its last bar, its source, how many of the days it has.
NAMES = (
    ("900010", 10_000, "kis/daily", 7),
    ("900020", 1_999, "kis/daily", 7),
    ("900030", 1_999, "pykrx/market", 7),
    ("900040", 1_999, "kis/daily", 1),
    ("900050", 1_999, "kis/daily", -1),
    ("900060", 1_999, "pykrx.csv", 7),
)
INSTANTS = ("08:00:00", "11:00:00", "12:00:00", "15:10:00", "15:35:00", "15:40:00", "16:05:00", "16:10:00", "19:00:00")
ZONES = {"XKRX": "+09:00", "XNYS": "-05:00", "XSHG": "+08:00"}


def unit(room, name):
    spec = importlib.util.spec_from_file_location(f"{room}_{name}", ROOT / room / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(file):
    return yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def calendars():
    governed = {name: read(f"governance/{name}.yaml") for name in ("recorded_closures", "calendar_overrides")}
    made = {"calendars": read("spec/11_calendars.yaml"), "holiday_sources": holiday_sources(), **governed}
    return {market: unit("builders", "trading_calendar").build(desk={"market": market}, **made) for market in ZONES}


def bars():
    rows = []
    for ticker, volume, source, count in NAMES:
        days = DAYS[-1:] if count == 1 else DAYS[:count] if count < 0 else DAYS
        for day in days:
            last = volume if day == days[-1] else 10_000
            prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)
            row = {"ticker": ticker, "session": date(2025, 11, day), **prices, "volume": last}
            rows.append(row | {"source": source, "row": len(rows) + 2})
    return pl.DataFrame(rows, schema=SCHEMA)


@pytest.mark.parametrize("policy", ["session", "predecessor", "last_bar"])
@pytest.mark.parametrize("market", ZONES)
def test_builder_and_gate_agree_on_every_deciding_bar(calendars, market, policy):
    spec = read("spec/12_evaluation_bar.yaml") | {"policy": policy}
    builder, gate = unit("builders", "evaluation_bars"), unit("validators", "complete_bars_only")
    reasons = set()
    for clock in INSTANTS:
        as_of = f"2025-11-18T{clock}{ZONES[market]}"
        made = builder.build(bars(), calendars[market], spec, as_of)
        reasons |= {row["reason"] for row in made["names"]}
        found = [one for one in gate.check(made, bars(), calendars[market], spec, as_of) if not one.ok]
        # What no policy but `session` can be sure of: that the bar it takes is complete.
        allowed = "" if policy == "session" else "decides on a bar that is not complete"
        assert [one for one in found if not allowed or allowed not in one.says] == [], as_of
    older = {"XKRX": {"last_bar", "thin_intraday"}, "XNYS": {"last_bar", "intraday", "thin"}}
    expected = {"session": {"complete", "session_open"}, "last_bar": {"last_bar"}}
    assert reasons == expected.get(policy, older.get(market, older["XKRX"]))
