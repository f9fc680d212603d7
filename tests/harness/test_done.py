"""The definition of done as an artifact: counts, cells with what was judged, orphans, excuses, unjudged rules."""

import copy
import json
from pathlib import Path

import pytest

from quantassay.harness import canonical, done, inputs, schemas, verify_package
from quantassay.harness.work_items import cell

SCHEMA = json.loads((Path(__file__).parents[2] / "spec/schemas/definition_of_done_v1.schema.json").read_text())
DIGEST = f"sha256:{7:064}"
RECORD = {
    "artifact": "gate_record",
    "version": 1,
    "as_of": "2026-11-18T15:45:00+09:00",
    "marks": ["SAMPLE"],
    "provenance": {
        "engine": "quantassay 0.1.0",
        "inputs": [
            {"name": "plan", "kind": "artifact", "digest": DIGEST},
            {"name": "rules", "kind": "governance", "digest": DIGEST},
        ],
    },
    "data": {
        "judged": {"plan": DIGEST},
        "gates": [
            {"gate": "lots", "digest": "sha256:lots", "judged": 3, "zero_legal": None},
            {"gate": "sells", "digest": "sha256:sells", "judged": 0, "zero_legal": "A plan may hold no sell."},
            {"gate": "other", "digest": "sha256:other", "judged": 9, "zero_legal": None},
        ],
        "rules": [
            {"id": "R01.1", "gates": ["lots"], "evaluated": True},
            {"id": "R01.2", "gates": ["sells"], "evaluated": False},
            {"id": "R05.2", "gates": ["report_trace"], "evaluated": False},
            {"id": "R09.9", "gates": ["other"], "evaluated": False},
        ],
    },
}
ITEM = {
    "name": "plan",
    "reports": ["orders"],
    "readers": [],
    "cells": {
        "yaml": cell(["limits"], {}, inherited=[]),
        "code": cell(["builders/plan.py", "plan_v1"], {}, gates=["lots", "sells"]),
        "data": cell(["Temp/plan_v1.json"], {}, digest=DIGEST),
        "evidence": cell(["lots"], {}, cases=4),
    },
}
GATES = {"lots": "sha256:lots", "sells": "sha256:sells"}
LOOSE = [
    {"kind": "gate", "name": "lots", "wrong": ""},
    {"kind": "spec", "name": "spec/50_extra.yaml", "wrong": "nobody reads it"},
    {"kind": "field", "name": "spec/10_limits.yaml:noted_on", "wrong": "no code names it"},
]


def of(item=None, looked_at=(), unreported=None, orphans=None, record=RECORD, gates=None):
    seen = done.Seen([item or ITEM], looked_at, unreported or {}, orphans or {}, record, gates or GATES)
    made = done.envelope(seen)
    assert schemas.validate(SCHEMA, made["data"]) == []
    return made


def row(**changes):
    (one,) = of(**changes)["data"]["items"]
    return one


def changed(pointer, value):
    other = copy.deepcopy(ITEM)
    part = other
    *steps, last = pointer.split("/")
    for step in steps:
        part = part[step]
    part[last] = value
    return other


def test_an_item_in_order_is_done_and_says_what_was_judged():
    one = row()
    assert (one["done"], one["says"], one["evidence"]["judged"], one["evidence"]["cases"]) == (True, [], 3, 4)
    assert {one[name]["state"] for name in done.CELLS} == {"ok"}


def test_it_names_the_gate_record_and_all_that_was_judged_by_digest():
    made = of()
    named = {one["name"]: one["digest"] for one in made["provenance"]["inputs"]}
    assert named == {"gate_record": canonical.digest(RECORD), "plan": DIGEST}
    assert (made["as_of"], made["marks"]) == (RECORD["as_of"], RECORD["marks"])
    assert (verify_package.RECORD, verify_package.ABOUT) == inputs.ENGINE_ARTIFACTS == (done.RECORD, done.NAME)


def test_without_a_judgement_there_is_no_evidence():
    one = row(item=changed("cells/code/gates", ["sells"]))
    assert (one["done"], one["evidence"]["state"]) == (False, "missing")
    assert one["says"] == ["no gate that reads it judged anything in this run"]


def test_another_file_than_the_one_that_was_judged_is_not_tied():
    one = row(item=changed("cells/data/digest", f"sha256:{8:064}"))
    assert (one["evidence"]["state"], one["done"]) == ("not tied", False)
    assert one["says"] == ["the gate record is of another file than the one that lies there"]


@pytest.mark.parametrize("gates", [{**GATES, "lots": "sha256:edited"}, {"lots": "sha256:lots"}])
def test_another_gate_than_the_one_that_ran_is_not_tied(gates):
    one = row(gates=gates)
    assert (one["evidence"]["state"], len(one["says"])) == ("not tied", 1)
    assert one["says"][0].endswith("is not the gate that ran")


def test_what_was_lacking_before_judging_is_still_lacking():
    lacking = cell([], {"there": ["no cases"], "fresh": ["another builder"]}, cases=0)
    one = row(item=changed("cells/evidence", lacking))
    assert (one["evidence"]["there"], one["evidence"]["fresh"], one["says"]) == (
        False,
        False,
        ["no cases", "another builder"],
    )


def test_what_no_report_shows_is_done_only_with_a_reason():
    hidden = changed("reports", [])
    assert (row(item=hidden)["done"], "no report shows it" in row(item=hidden)["says"][0]) == (False, True)
    excused = row(item=hidden, unreported={"plan": "Only gates read it."})
    assert (excused["done"], excused["unreported"]) == (True, "Only gates read it.")


def test_orphans_are_told_unless_governance_excuses_them():
    orphans = of(looked_at=LOOSE)["data"]
    assert [one["name"] for one in orphans["orphans"]] == ["spec/10_limits.yaml:noted_on", "spec/50_extra.yaml"]
    excuses = done.excuses({"orphans": [{"kind": "field", "name": "noted_on", "why": "For people."}], "references": []})
    told = of(looked_at=LOOSE, orphans=excuses)["data"]
    assert [one["name"] for one in told["orphans"]] == ["spec/50_extra.yaml"]
    assert told["excused"] == [{"kind": "field", "name": "spec/10_limits.yaml:noted_on", "why": "For people."}]
    assert told["counts"] == {
        "items": 1, "done": 1, "looked_at": 3, "orphans": 1, "excused": 1, "unevaluated": 3,
    }  # fmt: skip


def test_a_rule_without_a_judgement_has_its_reason_and_r05_2_is_judged_later():
    told = {one["rule"]: one["why"] for one in of()["data"]["unevaluated"]}
    assert told == {
        "R01.2": "A plan may hold no sell.",
        "R05.2": done.AFTER,
        "R09.9": "Its gates judged nothing, and nothing excuses that.",
    }


def test_it_follows_from_the_gate_record():
    assert done.unfounded(of(), {**RECORD, "data": RECORD["data"]}) == []


@pytest.mark.parametrize(
    ("pointer", "value", "says"),
    [
        ("provenance/inputs/0/digest", f"sha256:{8:064}", "of another gate record"),
        ("data/items", [], "not those that were judged"),
        ("data/items/0/data/digest", f"sha256:{8:064}", "another file was judged"),
        ("data/items/0/evidence/judged", 4, "another number of things"),
        ("data/items/0/done", False, "its cells say otherwise"),
        ("data/items/0/code/state", "stale", "its cells say otherwise"),
        ("data/unevaluated", [], "others than those of the record"),
        ("data/counts/orphans", 1, "counts"),
        ("data/counts", None, "not of the right form"),
    ],
)
def test_what_does_not_follow_from_the_gate_record_is_told(pointer, value, says):
    told = of()
    *steps, last = pointer.split("/")
    part = told
    for step in steps:
        part = part[int(step) if step.isdigit() else step]
    part[last] = value
    assert any(says in problem for problem in done.unfounded(told, RECORD))


def test_the_facts_are_not_changed_by_it():
    before = copy.deepcopy(ITEM)
    of()
    assert before == ITEM
