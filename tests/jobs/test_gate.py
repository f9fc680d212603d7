"""The gate on a desk: only over what is up to date, own gate files first, the same record each time."""

import pytest

from quantassay.jobs.desk import opened

EMPTY = "return\n    yield next_open_plan"
LENIENT = 'yield judged("/orders", ok=True, says="")'
RECORD = "Temp/gate_record_v1.json"


def gate(toy, name):
    return next(one for one in toy.made("gate_record")["data"]["gates"] if one["gate"] == name)


def ledger(toy):
    return (toy.root / "data/gate_ledger.jsonl").read_bytes().splitlines()


def test_what_is_out_of_date_is_not_judged(desk, edit):
    before = desk.temp()
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7")
    done = desk.run("gate")
    assert (done.code, done.out) == (1, "")
    # The first of those that read the spec.
    stale = "assay: calibration_backlog is out of date: input spec_values changed (and 3 more); "
    assert done.err == f"{stale}run `assay build`, then judge\n"
    assert desk.temp() == before
    assert desk.run("build").code == 0
    assert desk.run("gate").code == 0


def test_what_was_never_built_is_not_judged(new_desk):
    done = new_desk.run("gate")
    assert (done.code, done.out) == (1, "")
    others = len(opened(new_desk.root).rooms.builders) - 1
    assert f"it was never built (and {others} more)" in done.err


def test_a_deleted_artifact_is_not_judged(desk):
    (desk.root / "Temp/signals_v1.json").unlink()
    done = desk.run("gate")
    assert done.code == 1
    assert "signals is out of date: Temp/signals_v1.json is not there as it was built" in done.err


def test_judging_again_makes_the_same_record_and_no_line(desk):
    before = desk.temp(), ledger(desk)
    assert desk.run("gate").code == 0
    assert (desk.temp(), ledger(desk)) == before


def test_an_own_gate_file_wins_over_the_standard_one_once_it_is_allowed(desk, own_gate, edit):
    assert gate(desk, "quantities_integral")["origin"] == "standard"
    own_gate(desk, "quantities_integral", LENIENT)
    assert desk.run("gate").code == 0
    found = gate(desk, "quantities_integral")
    assert (found["origin"], found["title"], found["judged"]) == (
        "workspace",
        "Own: quantities_integral judges in its own way.",
        1,
    )
    assert len(ledger(desk)) == 2
    edit(desk, "spec/00_workspace.yaml", "own: true", "own: false")
    assert desk.run("gate").code == 0
    assert gate(desk, "quantities_integral")["origin"] == "standard"
    assert len(ledger(desk)) == 3


def test_an_own_gate_that_judges_nothing_is_red(desk, own_gate):
    own_gate(desk, "buys_within_cash", EMPTY, rule="R03.4")
    done = desk.run("gate")
    assert (done.code, gate(desk, "buys_within_cash")["status"]) == (1, "vacuous")
    assert "EMPTY       0  buys_within_cash" in done.out
    assert "if zero is right, give the reason in governance/gates.yaml" in done.out


@pytest.mark.parametrize("body", ["raise SystemExit(0)", "yield 1 / 0", "yield None"])
def test_a_gate_that_cannot_finish_is_exit_3_and_hides_no_other(desk, own_gate, body):
    own_gate(desk, "buys_within_cash", body, rule="R03.4")
    assert desk.run("gate").code == 3
    record = desk.made("gate_record")["data"]
    assert (record["status"], record["counts"]["crashed"]) == ("failed", 1)
    assert gate(desk, "buys_within_cash")["status"] == "crashed"
    assert sum(one["status"] == "passed" for one in record["gates"]) == len(record["gates"]) - 1


def test_an_own_gate_of_an_unknown_rule_is_a_finding_of_another_gate(desk, own_gate):
    own_gate(desk, "mood", LENIENT, rule="R99.1")
    assert desk.run("gate").code == 1
    assert gate(desk, "rule_coverage")["status"] == "failed"
