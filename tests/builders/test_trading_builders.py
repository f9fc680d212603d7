"""The pages about past trading, from journals of every kind: figures by hand, and gates that see what is wrong."""

import importlib.util
import inspect
import json
from functools import cache
from pathlib import Path

import pytest
import yaml

from quantassay.harness import canonical, mutations, origins, schemas
from tests.fakes import journals

ROOT = Path(__file__).parents[2]
REPORTS = yaml.safe_load((ROOT / "spec/37_trading_reports.yaml").read_text(encoding="utf-8"))
CALENDAR = {"zone": "Asia/Seoul", "sessions": ["2026-11-18", "2026-11-19", "2026-11-20"]}
ARTIFACTS = {"execution_report": "execution_rederived", "daily_ops": "daily_ops_rederived"}
GATES = (
    *ARTIFACTS.values(),
    *("journal_chained", "sent_once", "fills_of_orders", "orders_of_plan", "sells_before_buys"),
    *("nothing_sent_in_doubt", "certificates_agree", "cash_conserves"),
)
NAMES = ("empty", *journals.NAMES)


@cache
def unit(room, name):
    spec = importlib.util.spec_from_file_location(f"{room}_{name}", ROOT / room / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def desk(journal, **changes):
    """What the builders make of a journal; `changes` replace inputs."""
    values = {"trading_journal": journal, "trading_reports": REPORTS, "trading_calendar": CALENDAR, **changes}
    for name in ARTIFACTS:
        build = unit("builders", name).build
        values[name] = build(**{key: values[key] for key in inspect.signature(build).parameters})
    return values


def wrong(gate, values):
    check = unit("validators", gate).check
    return (one for one in check(**{key: values[key] for key in inspect.signature(check).parameters}) if not one.ok)


def judge(gate, values):
    """What a gate finds wrong."""
    return list(wrong(gate, values))


def schema(name):
    return json.loads((ROOT / f"spec/schemas/{name}_v1.schema.json").read_text(encoding="utf-8"))


def lines(values, number=0):
    return values["execution_report"]["runs"][number]["lines"]


@pytest.mark.parametrize("name", NAMES)
def test_every_journal_makes_artifacts_that_fit_and_repeat_and_that_every_gate_passes(name):
    values, again = desk(journals.journal(name)), desk(journals.journal(name))
    for artifact in ARTIFACTS:
        assert schemas.validate(schema(artifact), values[artifact]) == []
        assert canonical.dumps(values[artifact]) == canonical.dumps(again[artifact])
        module = unit("builders", artifact)
        inputs = list(inspect.signature(module.build).parameters)
        rows = origins.coverage(artifact, values[artifact], module.ORIGINS, inputs)
        assert [row for row in rows if row["bare"] or row["unknown"]] == []
    assert [(gate, one) for gate in GATES for one in judge(gate, values)] == []


@pytest.mark.parametrize(("artifact", "name"), [("execution_report", "part_filled"), ("daily_ops", "left_open")])
def test_every_small_wrong_is_noticed(name, artifact):
    values = desk(journals.journal(name))
    gate = ARTIFACTS[artifact]

    def noticed(mutant):
        return any(wrong(gate, {**values, artifact: mutant.data}))

    found = list(mutations.mutants(values[artifact], schema(artifact), per_pattern=1))
    assert len(found) > 300
    survivors = [one for one in found if not noticed(one)]
    assert [(one.operator, one.pointer) for one in survivors] == []


def test_a_run_is_told_from_the_plan_to_the_fill():
    values = desk(journals.journal("clean"))
    (run,) = values["execution_report"]["runs"]
    assert (run["account"], run["environment"], run["session"]) == ("rehearsal", "rehearsal", "2026-11-19")
    sell, buy, better = run["lines"]
    assert (sell["rule"], sell["because"]) == ("hsms2 sell", ["below_band", "falling", "foreign_selling"])
    assert (sell["slippage"], sell["slippage_bps"], sell["fee"], sell["tax"]) == (1_500, "26.32", 836, 1_137)
    assert (buy["average_price"], buy["slippage"], buy["tax"]) == ("10540.0000", 5_520, 0)
    assert (better["slippage"], better["expected_slippage"]) == (-5_600, 1_465)
    (order,) = sell["orders"]
    assert (order["number"], order["state"], order["tries"]) == ("0000004101", "FILLED", 1)
    assert order["intended_at"] < order["sent_at"] < order["answered_at"] < order["first_filled_at"]


def test_cash_before_and_after_gives_the_costs_as_the_broker_counts_them():
    cash = desk(journals.journal("clean"))["execution_report"]["runs"][0]["cash"]
    assert (cash["bought"], cash["sold"]) == (138 * 10_540 + 28 * 52_100, 568_500)
    assert cash["costs"] == cash["before"]["cash"] - cash["bought"] + cash["sold"] - cash["after"]["cash"] == 6_237
    assert cash["estimated_costs"] == 6_257


def test_what_is_tried_again_is_one_line_and_every_attempt_is_told():
    sell, buy, refused = lines(desk(journals.journal("part_filled")))
    assert [(one["attempt"], one["state"], one["filled"]) for one in sell["orders"]] == [
        (1, "CANCELLED", 18),
        (2, "FILLED", 12),
    ]
    assert (sell["planned"], sell["sent"], sell["filled"], sell["state"]) == (30, 30, 30, "filled")
    assert (buy["sent"], buy["unfilled"], buy["state"], buy["orders"][0]["tries"]) == (120, 18, "part_filled", 2)
    assert (refused["state"], refused["orders"][0]["why"]) == ("rejected", "above the highest price of the day")


def test_who_settled_an_unknown_order_is_told():
    _, placed, never = lines(desk(journals.journal("unknown_resolved")))
    assert (placed["orders"][0]["answer"], placed["orders"][0]["resolved_by"], placed["state"]) == (
        "found",
        "minji",
        "filled",
    )
    assert (never["orders"][0]["answer"], never["orders"][0]["resolved_by"], never["state"]) == (
        "not_placed",
        "minji",
        "rejected",
    )


@pytest.mark.parametrize(
    ("name", "line", "state"),
    [("left_open", 1, "unknown"), ("left_open", 2, "not_sent"), ("manual_trade", 2, "left_out"), ("halt", 1, "filled")],
)
def test_a_line_says_how_it_stands(name, line, state):
    assert lines(desk(journals.journal(name)))[line]["state"] == state


def test_an_order_without_a_line_of_its_plan_is_told_and_refused():
    events = journals.rows("left_open")
    stray = next(one for one in events if one["kind"] == "intent" and one["body"]["line"] == 2)
    stray["body"]["line"] = 9
    for one in events:
        one["order"] = one["order"].replace("-002-", "-009-")
    values = desk(journals.handed(events))
    assert (lines(values)[3]["line"], lines(values)[3]["planned"], lines(values)[3]["state"]) == (9, 0, "unknown")
    assert judge("execution_rederived", values) == []
    intent = next(one for one in values["trading_journal"]["events"] if one["body"].get("line") == 9)
    assert [one.pointer for one in judge("orders_of_plan", values)] == [f"/events/{intent['seq']}/body/line"]


def test_only_so_many_sessions_and_days_are_told_the_newest_first():
    values = desk(journals.journal("two_sessions"), trading_reports={**REPORTS, "sessions": 1, "days": 1})
    report, days = values["execution_report"], values["daily_ops"]
    assert (report["sessions"], report["earlier_runs"], report["runs"][0]["number"]) == (["2026-11-20"], 1, 2)
    assert ([one["day"] for one in days["days"]], days["earlier_days"]) == (["2026-11-20"], 1)
    assert [one for gate in ARTIFACTS.values() for one in judge(gate, values)] == []


def test_a_day_is_the_exchange_s():
    events = journals.rows("left_open")
    for one in events:
        one["at"] = one["at"].replace("2026-11-19T09:0", "2026-11-19T23:3").replace("+09:00", "+00:00")
    values = desk(journals.handed(events))
    (day,) = values["daily_ops"]["days"]
    assert (day["day"], day["is_session"]) == ("2026-11-20", True)
    assert values["execution_report"]["runs"][0]["started_at"].startswith("2026-11-20T08:30:")
    assert [one for gate in ARTIFACTS.values() for one in judge(gate, values)] == []


def test_what_waits_for_a_person_is_told_the_most_urgent_first():
    events = journals.rows("left_open")
    halt = {"at": events[-1]["at"], "kind": "halt", "account": "", "order": "", "body": {"by": "jun", "why": "news"}}
    events.append({**halt, "body": {**halt["body"], "level": "all"}})
    told = desk(journals.handed(events))["daily_ops"]["attention"]
    assert [one["code"] for one in told] == ["halted", "unknown_order", "break", "run_not_done"]


def test_a_halt_of_everything_is_not_weakened_by_one_of_the_buys():
    events = journals.rows("halt")
    buys = {**events[-1], "body": {**events[-1]["body"], "level": "buys"}}
    resume = {**events[-1], "kind": "resume", "body": {"by": "jun", "why": "over"}}
    for more, level in (([buys], "all"), ([resume, buys], "buys")):
        values = desk(journals.handed([*events, *more]))
        assert values["daily_ops"]["now"]["halt"]["level"] == level
        assert judge("daily_ops_rederived", values) == []


def test_a_day_counts_what_was_filled_on_it():
    newest, first = desk(journals.journal("two_sessions"))["daily_ops"]["days"]
    assert first["accounts"][0]["traded"]["sold"] == 568_500
    assert newest["accounts"][0]["traded"]["bought"] == 77 * 19_100
    assert (first["counts"]["fill"], newest["counts"]["disarmed"]) == (3, 1)


def test_a_journal_that_makes_no_sense_still_makes_a_page_and_is_red():
    events = journals.rows("clean")
    fill = next(one for one in events if one["kind"] == "fill")
    values = desk(journals.handed([*events, {**fill, "at": events[-1]["at"]}], ["line 22 could not have been added"]))
    assert [one["seq"] for one in values["execution_report"]["problems"]] == [22]
    assert judge("execution_rederived", values) == []
    assert [one.pointer for one in judge("journal_chained", values)] == ["/problems/0"]
