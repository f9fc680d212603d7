"""From candidates to a plan that follows them: the artifacts fit their schemas, and say where each number is from."""

import copy
import importlib.util
import inspect
import json
from pathlib import Path

import pytest

from quantassay.harness import canonical, origins, schemas

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests/validators"
ENTRY = sorted((CASES / "entry_check_rederived").glob("pass*.json"))
PLANS = sorted(path.stem for path in (CASES / "plan_rederived").glob("pass*.json"))


def build(name):
    spec = importlib.util.spec_from_file_location(f"builder_{name}", ROOT / f"builders/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def schema(stem):
    return json.loads((ROOT / f"spec/schemas/{stem}.schema.json").read_text(encoding="utf-8"))


def parameters(path):
    return json.loads(path.read_text(encoding="utf-8"))["parameters"]


def made(name, given):
    module = build(name)
    names = list(inspect.signature(module.build).parameters)
    data = module.build(**{key: copy.deepcopy(given[key]) for key in names})
    assert schemas.validate(schema(f"{name}_v1"), data) == []
    rows = origins.coverage(name, data, module.ORIGINS, names)
    assert [row for row in rows if row["bare"] or row["unknown"]] == []
    assert canonical.dumps(data) == canonical.dumps(module.build(**{key: copy.deepcopy(given[key]) for key in names}))
    return data


@pytest.mark.parametrize("path", ENTRY, ids=lambda path: path.stem)
def test_the_builder_makes_what_the_gate_holds_right(path):
    given = parameters(path)
    held = [{"ticker": row["ticker"]} for row in given["entry_check"]["rows"] if row["held"]]
    others = given["entry_check"]["caps"]["held"] - len(held)
    given["sell_signals"] = {"rows": held + [{"ticker": f"9900Z{i}"} for i in range(others)]}
    assert made("entry_check", given) == given["entry_check"]


def test_quotes_never_change_which_bar_decided():
    evening, morning = (
        parameters(CASES / f"entry_check_rederived/{name}.json") for name in ("pass_evening", "pass_before_the_open")
    )
    told = [[row["raw_close"] for row in case["entry_check"]["rows"]] for case in (evening, morning)]
    assert told[0] == told[1]


@pytest.mark.parametrize("name", ["pass", "pass_daily"])
def test_what_the_plan_follows_is_made_as_the_gate_holds_right(name):
    given = parameters(CASES / f"followed_signals_rederived/{name}.json")
    assert made("followed_signals", given) == given["followed_signals"]


@pytest.mark.parametrize("name", PLANS)
def test_the_plan_is_made_as_the_gate_holds_right(name):
    given = parameters(CASES / f"plan_rederived/{name}.json")
    assert made("next_open_plan", given) == given["next_open_plan"]


def test_no_review_and_no_skip_becomes_an_order():
    given = parameters(CASES / "followed_signals_rederived/pass_daily.json")
    for row in given["entry_check"]["rows"]:
        row |= {"decision": "REVIEW", "code": "quality"}
    for row in given["sell_signals"]["rows"]:
        row["action"] = "REVIEW"
    case = parameters(CASES / "plan_rederived/pass_daily.json")
    plan = made("next_open_plan", case | {"followed_signals": made("followed_signals", given)})
    assert plan["orders"] == []
    followed = [row for row in given["entry_check"]["rows"] if row["strategy"] == "hybrid"]
    assert [row["ticker"] for row in plan["skipped"] if row["code"] == "quality"] == [row["ticker"] for row in followed]
    assert ("990020", "sell_review", ["cross_down", "rsi_low"]) in [
        (row["ticker"], row["code"], row["doubts"]) for row in plan["skipped"]
    ]


def test_a_market_without_price_rules_has_a_next_session_without_rates():
    zone = {
        "zone": "America/New_York",
        "currency": "USD",
        "breaks": [],
        "segments": [],
        "special_sessions": [],
        "disputed": [],
    }
    hours = [{"from": "1985-10-01", "open": "09:30", "close": "16:00"}]
    days = ["2026-11-17", "2026-11-18", "2026-11-19"]
    calendar = {
        "market": "XNYS",
        "first": "2026-11-02",
        "last": "2026-11-30",
        "regular_hours": hours,
        "sessions": days,
        **zone,
    }
    data = made(
        "next_session",
        {
            "as_of": "2026-11-18T17:00:00-05:00",
            "trading_calendar": calendar,
            "costs": {"fee_bps": "1", "slippage_bps": "1", "sell_tax": []},
            "quality_limits": {"price_kind": {"XKRX": "kosdaq"}},
        },
    )
    assert (data["session"], data["opens_at"]) == ("2026-11-19", "2026-11-19T09:30:00-05:00")
    assert {data[name] for name in ("price_kind", "fee_bps", "slippage_bps", "sell_tax_bps")} == {None}
