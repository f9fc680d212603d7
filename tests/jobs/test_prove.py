"""The gates of the sample desk notice small wrongs; the proof fails where they do not, or were red before."""

import pytest

from quantassay.jobs import prove as job
from quantassay.jobs.desk import opened
from quantassay.jobs.gate import OutOfDate

LENIENT = 'yield judged("/orders", ok=True, says="")'
RED = 'yield judged("/orders", ok=False, says="are not to my taste")'


def prove(toy, *names):
    return job.prove(toy.root, names, per_pattern=1, every_gate=False, progress=None)


def test_the_gates_of_the_sample_desk_notice_nearly_every_wrong(desk):
    before = desk.temp()
    proof = prove(desk)
    result = proof.result
    assert (proof.passed, proof.floor, result["red_before"]) == (True, "0.95", [])
    assert result["mutants"] > 800
    assert result["killed"] / result["mutants"] >= 0.95
    assert {place.partition("#")[0] for place in result["per_pointer"]} == set(opened(desk.root).rooms.builders)
    # A rule may be left out only where each of its gates has leave to judge nothing.
    governed = opened(desk.root)
    legal = {entry["gate"] for entry in governed.value("gates")["zero_legal"]}
    held_by = {rule["id"]: set(rule["enforced_by"]) for rule in governed.value("rules")}
    assert [rule for rule in result["unevaluated_rules"] if not held_by[rule] <= legal] == []
    assert desk.temp() == before


def test_gates_that_look_away_do_not_reach_the_floor(desk, own_gate):
    watchers = [unit for unit in opened(desk.root).rooms.validators.values() if "next_session" in unit.parameters]
    assert len(watchers) > 2
    for unit in watchers:
        own_gate(desk, unit.name, LENIENT, "next_session", unit.rules[0])
    assert desk.run("build").code == 0
    proof = prove(desk, "next_session")
    # A setting that only these gates looked at is now read by nothing, and that is found too.
    assert (proof.passed, proof.result["red_before"]) == (False, ["definition_of_done"])
    assert float(proof.result["share"]) < 0.95
    assert {one["pointer"] for one in proof.result["survivors"]} >= {"/fee_bps", "/session"}


def test_a_gate_that_was_red_before_fails_the_proof(desk, own_gate):
    own_gate(desk, "quantities_integral", RED)
    assert desk.run("build").code == 0
    proof = prove(desk, "next_session")
    assert (proof.passed, proof.result["red_before"]) == (False, ["quantities_integral"])
    assert float(proof.result["share"]) >= 0.95


def test_what_is_out_of_date_proves_nothing(desk, edit):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7")
    with pytest.raises(OutOfDate, match=r"is out of date: input spec_values changed \(and 3 more\)"):
        prove(desk)
