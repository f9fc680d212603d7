"""Real KOSDAQ bars with their partial last day: the published plan with it, another plan without it."""

import importlib.util
import inspect
import json
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml

from quantassay.feeds.csv_bars import read_bars
from quantassay.feeds.holiday_tables import holiday_sources
from quantassay.feeds.markets import market_of
from quantassay.feeds.raw_files import list_source, read_file, read_files
from quantassay.feeds.universe_csv import read_universe

ROOT = Path(__file__).parents[2]
MARKET = market_of("XKRX")
CHAIN = (
    *("evaluation_bars", "data_quality", "universe", "signal_history", "signals"),
    *("followed_signals", "next_session", "next_open_plan"),
)
AFTER_CLOSE, IN_SESSION, BEFORE_OPEN = (f"2025-12-17T{clock}:00+09:00" for clock in ("15:40", "10:13", "08:30"))
HOLDINGS = [
    {"ticker": ticker, "quantity": 10, "average_price": 1} for ticker in ("247540", "196170", "319400", "229200")
]
GATES = (
    "buys_within_cash",
    "followed_signals_rederived",
    "history_rederived",
    "one_order_per_name_and_side",
    "plan_for_right_session",
    "plan_rederived",
    "position_and_value_caps",
    "price_on_tick_and_inside_limit",
    "quantities_integral",
    "sells_within_holdings",
    "signal_bar_age",
    "signals_rederived",
    "universe_rederived",
)


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
    found = {
        path.stem.partition("_")[2]: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "spec").glob("*.yaml"))
    }
    for name in ("recorded_closures", "calendar_overrides", "price_limit_exceptions"):
        found[name] = yaml.safe_load((ROOT / f"governance/{name}.yaml").read_text(encoding="utf-8"))
    bars = read_bars(read_files(paths), MARKET).frame
    found |= {
        "bars": bars,
        "adjusted_bars": bars.clear(),
        "adjusted_import_log": None,
        "universe_import": {"session": listed.session.isoformat(), "names": [asdict(one) for one in listed.names]},
        "account_snapshot": {
            "id": "desk",
            "environment": "paper",
            "currency": "KRW",
            "as_of": "2025-12-17T08:00:00+09:00",
            "cash": 10_000_000,
            "holdings": [],
        },
        "holiday_sources": holiday_sources(),
        "import_log": {"files": [], "issues": []},
        # The plan follows HSMS here, so nothing of the daily signals is looked at.
        "sell_signals": {"rows": []},
        "entry_check": {"session": None, "followed": "hybrid", "rows": []},
    }
    return found | {"trading_calendar": called(unit("builders", "trading_calendar").build, found)}


def run(inputs, as_of, policy, **changes):
    made = inputs | {"as_of": as_of, "evaluation_bar": inputs["evaluation_bar"] | {"policy": policy}} | changes
    for name in CHAIN:
        made[name] = called(unit("builders", name).build, made)
    return made | {"signal_history": made["signal_history"].frame}


@pytest.mark.parametrize("policy", ["last_bar", "predecessor"])
def test_with_the_bars_as_they_are_the_signals_are_the_published_ones(policy, inputs, shared):
    plan = run(inputs, AFTER_CLOSE, policy)["next_open_plan"]
    published = json.loads((shared / "oracles/legacy_next_open_plan_20251218.json").read_text(encoding="utf-8"))
    assert plan["buy_signals"] == published["buy"]
    assert plan["sell_signals"] == published["sell"]
    assert plan["execution_session"].replace("-", "") == published["for_trading_day"]


def test_in_the_session_no_partial_bar_decides(inputs):
    made = run(inputs, IN_SESSION, "session")
    assert {row["session"] for row in made["signals"]["names"]} == {"2025-12-16", None}
    plan = made["next_open_plan"]
    assert (len(plan["buy_signals"]), len(plan["sell_signals"])) == (4, 31)
    assert plan["buy_signals"] == ["319400", "226950", "347700", "397030"]


def test_a_plan_made_in_the_session_is_for_tomorrow_and_too_old_by_then(inputs):
    made = run(inputs, IN_SESSION, "session")
    judged = called(unit("validators", "plan_for_right_session").check, made)
    assert [one.pointer for one in judged if not one.ok] == ["/signal_session"]


def test_a_partial_bar_that_decides_leads_to_no_order(inputs):
    made = run(inputs, IN_SESSION, "last_bar", account_snapshot=inputs["account_snapshot"] | {"holdings": HOLDINGS})
    assert made["next_open_plan"]["orders"] == []
    skipped = [(row["ticker"], row["side"], row["code"]) for row in made["next_open_plan"]["skipped"]]
    assert [row for row in skipped if row[2] != "not_held"] == [
        ("319400", "sell", "other_session"),
        ("196170", "sell", "other_session"),
        ("247540", "sell", "other_session"),
        ("229200", "sell", "blocked"),
        ("319400", "buy", "already_held"),
        ("229200", "buy", "already_held"),
    ]


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("universe", ["imported", "turnover"])
def test_the_gates_agree_with_the_builders_on_real_bars(gate, universe, inputs):
    rules = inputs["universe_rules"] | {"source": universe}
    account = inputs["account_snapshot"] | {"holdings": HOLDINGS}
    made = run(inputs, BEFORE_OPEN, "session", universe_rules=rules, account_snapshot=account)
    judged = list(called(unit("validators", gate).check, made))
    assert judged
    assert [one for one in judged if not one.ok] == []
    assert {order["side"] for order in made["next_open_plan"]["orders"]} == {"buy", "sell"}
