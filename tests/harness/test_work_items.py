from pathlib import Path

import pytest

from quantassay.harness import work_items
from quantassay.harness.rooms import Rooms, Unit

KINDS = {
    "hsms": "spec",
    "limits": "governance",
    "bars": "handed",
    "as_of": "handed",
    "universe": "artifact",
    "signals": "table",
}


def unit(room, name, *parameters):
    suffix = ".md.j2" if room == "renderers" else ".py"
    file = f"{room}/{name}{suffix}"
    return Unit(name, room, Path(file), file, "standard", f"sha256:{name}", "Title", parameters, (), ())


def rooms(builders, validators=(), renderers=()):
    return Rooms(*({one.name: one for one in units} for units in (builders, validators, renderers, ())))


def collect(found, schemas=(), cases=None, built_by=None):
    rows = work_items.collect(found, KINDS.__getitem__, schemas, cases or {}, built_by or {})
    return {row["name"]: row for row in rows}


@pytest.fixture
def desk():
    return rooms(
        [unit("builders", "universe", "limits", "bars"), unit("builders", "signals", "universe", "hsms", "as_of")],
        [unit("validators", "names_known", "universe", "bars"), unit("validators", "signals_again", "hsms", "signals")],
        [unit("renderers", "plan", "signals", "gate_record"), unit("renderers", "summary", "gate_record")],
    )


def test_each_artifact_is_an_item_with_all_that_belongs_to_it(desk):
    cases = {"signals_again": ["a/pass.json", "a/fail.json"], "names_known": ["b/pass.json", "b/fail.json"]}
    built_by = {"signals": "sha256:signals", "universe": "sha256:universe"}
    assert collect(desk, ["universe_v1", "signals_v1", "signals_v2", "hsms"], cases, built_by) == {
        "universe": {
            "name": "universe",
            "builder": "builders/universe.py",
            "schema": "universe_v1",
            "specs": ["limits"],
            "gates": ["names_known"],
            "reports": [],
            "evidence": ["b/pass.json", "b/fail.json", "provenance"],
        },
        "signals": {
            "name": "signals",
            "builder": "builders/signals.py",
            "schema": "signals_v2",
            "specs": ["hsms", "limits"],
            "gates": ["signals_again"],
            "reports": ["plan"],
            "evidence": ["a/pass.json", "a/fail.json", "provenance"],
        },
    }


def test_what_is_missing_is_empty():
    alone = rooms([unit("builders", "universe", "bars")])
    assert collect(alone)["universe"] == {
        "name": "universe",
        "builder": "builders/universe.py",
        "schema": None,
        "specs": [],
        "gates": [],
        "reports": [],
        "evidence": [],
    }


def test_a_schema_of_a_longer_name_is_another_artifacts(desk):
    assert collect(desk, ["signals_old_v1", "signals", "xsignals_v1", "signals_vx"])["signals"]["schema"] is None


def test_the_schema_is_the_one_of_the_highest_number(desk):
    assert collect(desk, ["signals_v9", "signals_v10", "signals_v2"])["signals"]["schema"] == "signals_v10"


def test_provenance_of_another_builder_is_no_evidence(desk):
    assert collect(desk, built_by={"signals": "sha256:edited"})["signals"]["evidence"] == []


def test_cases_of_a_gate_that_does_not_read_the_artifact_are_no_evidence(desk):
    assert collect(desk, cases={"names_known": ["b/pass.json"]})["signals"]["evidence"] == []


def test_specs_are_followed_through_a_diamond_of_inputs():
    found = rooms(
        [
            unit("builders", "universe", "limits"),
            unit("builders", "signals", "universe"),
            unit("builders", "plan", "signals", "universe", "hsms"),
        ]
    )
    assert collect(found)["plan"]["specs"] == ["hsms", "limits"]


def test_only_a_gate_with_a_passing_and_a_failing_case_has_cases(tmp_path):
    for gate, files in {
        "both": ["pass_b.json", "fail_2.json", "pass_a.json", "fail_1.json"],
        "one": ["pass.json"],
        "none": ["notes.json"],
    }.items():
        folder = tmp_path / "tests/validators" / gate
        folder.mkdir(parents=True)
        for file in files:
            (folder / file).touch()
    assert work_items.cases(tmp_path, ["both", "one", "none", "absent"]) == {
        "both": [f"tests/validators/both/{name}.json" for name in ("pass_a", "pass_b", "fail_1", "fail_2")]
    }
