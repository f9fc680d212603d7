"""The four cells of each artifact: what they link, and that each mark falls when what it stands for is not so."""

from dataclasses import replace
from pathlib import Path

import pytest

from quantassay.harness import work_items
from quantassay.harness.rooms import Rooms, Unit
from quantassay.harness.work_items import Made, Shop

KINDS = {
    "hsms": "spec",
    "limits": "governance",
    "bars": "handed",
    "as_of": "handed",
    "universe": "artifact",
    "signals": "table",
    "plan": "artifact",
}
CASES = {"signals_again": ["a/pass.json", "a/fail.json"], "names_known": ["b/pass.json", "b/fail.json"]}
SCHEMAS = ["universe_v1", "signals_v1", "signals_v2", "hsms"]


def unit(room, name, *parameters):
    suffix = ".md.j2" if room == "renderers" else ".py"
    file = f"{room}/{name}{suffix}"
    return Unit(name, room, Path(file), file, "standard", f"sha256:{name}", "Title", parameters, (), ())


def rooms(builders, validators=(), renderers=()):
    return Rooms(*({one.name: one for one in units} for units in (builders, validators, renderers, ())))


def made(name, *reads):
    """An artifact as its builder made it from what lies there now."""
    digests = {read: f"sha256:{read}" for read in reads}
    files = {f"Temp/{name}_v1.json": f"sha256:{name}.json"}
    return Made(digests, digests, f"sha256:{name}", (), files, (), f"sha256:{name}", sound=True)


@pytest.fixture
def shop():
    units = [unit("builders", "universe", "limits", "bars"), unit("builders", "signals", "universe", "hsms", "as_of")]
    gates = [
        unit("validators", "names_known", "universe", "bars"),
        unit("validators", "signals_again", "hsms", "signals"),
    ]
    pages = [unit("renderers", "plan", "signals", "gate_record"), unit("renderers", "summary", "gate_record")]
    built = {"universe": made("universe", "limits", "bars"), "signals": made("signals", "universe", "hsms", "as_of")}
    return Shop(rooms(units, gates, pages), KINDS.__getitem__, SCHEMAS, CASES, built)


def cells(shop, name="signals"):
    return next(row for row in work_items.collect(shop) if row["name"] == name)["cells"]


def changed(shop, name="signals", **facts):
    return replace(shop, made={**shop.made, name: replace(shop.made[name], **facts)})


def fine(cell):
    return (cell["state"], cell["there"], cell["fresh"], cell["tied"], cell["says"]) == ("ok", True, True, True, [])


def test_each_artifact_is_an_item_with_all_that_belongs_to_it(shop):
    universe, signals = work_items.collect(shop)
    assert (signals["name"], signals["reports"], signals["readers"]) == ("signals", ["plan"], [])
    assert (universe["name"], universe["reports"], universe["readers"]) == ("universe", [], ["signals"])
    found = signals["cells"]
    assert list(found) == ["yaml", "code", "data", "evidence"]
    assert all(fine(cell) for row in (universe, signals) for cell in row["cells"].values())
    assert (found["yaml"]["names"], found["yaml"]["inherited"]) == (["hsms"], ["limits"])
    assert signals["specs"] == ["hsms", "limits"]
    assert (found["code"]["names"], found["code"]["gates"]) == (
        ["builders/signals.py", "signals_v2"],
        ["signals_again"],
    )
    assert (found["data"]["names"], found["data"]["digest"]) == (["Temp/signals_v1.json"], "sha256:signals.json")
    assert (found["evidence"]["names"], found["evidence"]["cases"]) == (["signals_again"], 2)


@pytest.mark.parametrize(
    ("part", "cell", "says"),
    [
        ("input hsms", "yaml", "hsms is not what signals was made from"),
        ("builder", "code", "builder is not what it was made with"),
        ("builder's modules", "code", "builder's modules is not what it was made with"),
        ("schema", "code", "schema is not what it was made with"),
        ("library polars", "code", "library polars is not what it was made with"),
        ("engine", "code", "engine is not what it was made with"),
    ],
)
def test_what_changed_makes_its_cell_and_the_data_stale(shop, part, cell, says):
    found = cells(changed(shop, changed=(part,)))
    assert (found[cell]["state"], found[cell]["fresh"], found[cell]["says"]) == ("stale", False, [says])
    assert (found["data"]["state"], found["data"]["says"]) == ("stale", [f"{part} is not what it was made from"])
    assert all(fine(found[other]) for other in {"yaml", "code", "evidence"} - {cell})


def test_a_spec_that_changed_further_up_makes_what_is_made_of_it_stale(shop):
    found = cells(changed(shop, "universe", changed=("input limits",)))
    assert found["yaml"]["says"] == ["limits is not what universe was made from"]
    assert not found["yaml"]["fresh"]


def test_a_file_that_lies_there_otherwise_is_missing(shop):
    found = cells(changed(shop, missing=("Temp/signals_v1.json",)))["data"]
    assert (found["state"], found["says"]) == ("missing", ["Temp/signals_v1.json does not lie there as it was built"])


@pytest.mark.parametrize(
    ("facts", "cell", "says"),
    [
        ({"named": {"universe": "sha256:universe", "as_of": "sha256:as_of"}}, "yaml", "does not name the hsms"),
        ({"read": {"universe": "", "hsms": "", "as_of": ""}}, "yaml", "does not name the hsms"),
        (
            {"named": {"universe": "sha256:universe", "hsms": "sha256:hsms"}},
            "code",
            "other inputs than its builder reads",
        ),
        ({"builder": "sha256:edited"}, "code", "another builder"),
        ({"sound": False}, "data", "its content is not the one that was recorded"),
        (
            {"named": {"universe": "sha256:old", "hsms": "sha256:hsms", "as_of": "sha256:as_of"}},
            "data",
            "names another universe",
        ),
    ],
)
def test_a_link_that_does_not_hold_is_told_in_its_cell(shop, facts, cell, says):
    found = cells(changed(shop, **facts))[cell]
    assert (found["state"], found["tied"]) == ("not tied", False)
    assert says in "; ".join(found["says"])


def test_a_builder_edited_since_is_no_evidence(shop):
    found = cells(changed(shop, builder="sha256:edited"))["evidence"]
    assert (found["state"], found["fresh"]) == ("stale", False)


def test_what_was_never_built_has_no_data(shop):
    found = cells(replace(shop, made={"universe": shop.made["universe"]}))
    assert {name: cell["state"] for name, cell in found.items()} == {
        "yaml": "stale", "code": "stale", "data": "missing", "evidence": "stale",
    }  # fmt: skip
    assert (found["data"]["names"], found["data"]["digest"]) == ([], None)


def test_what_nobody_asked_for_has_no_spec_no_schema_no_gate_and_no_cases():
    alone = Shop(
        rooms([unit("builders", "universe", "bars")]), KINDS.__getitem__, (), {}, {"universe": made("universe", "bars")}
    )
    found = cells(alone, "universe")
    assert {name: cell["state"] for name, cell in found.items()} == {
        "yaml": "missing", "code": "missing", "data": "ok", "evidence": "missing",
    }  # fmt: skip
    assert len(found["code"]["says"]) == 2


def schema_of(shop, schemas):
    return cells(replace(shop, schemas=schemas))["code"]["names"][1:]


def test_the_schema_is_the_one_of_the_highest_number_and_of_this_very_name(shop):
    assert schema_of(shop, ["signals_v9", "signals_v10", "signals_v2"]) == ["signals_v10"]
    assert schema_of(shop, ["signals_old_v1", "signals", "xsignals_v1", "signals_vx"]) == []


def test_cases_of_a_gate_that_does_not_read_the_artifact_are_no_evidence(shop):
    found = cells(replace(shop, cases={"names_known": CASES["names_known"]}))["evidence"]
    assert (found["state"], found["cases"]) == ("missing", 0)


def test_specs_are_followed_through_a_diamond_of_inputs():
    units = [
        unit("builders", "universe", "limits"),
        unit("builders", "signals", "universe"),
        unit("builders", "plan", "signals", "universe", "hsms"),
    ]
    found = cells(Shop(rooms(units), KINDS.__getitem__, (), {}), "plan")["yaml"]
    assert (found["names"], found["inherited"]) == (["hsms"], ["limits"])


def test_only_a_gate_with_a_passing_and_a_failing_case_has_cases(tmp_path):
    for gate, files in {
        "both": ["pass_b.json", "fail_2.json", "pass_a.json", "fail_1.json", "pass.txt"],
        "one": ["pass.json"],
        "none": ["notes.json"],
        "__pycache__": [],
    }.items():
        folder = tmp_path / "tests/validators" / gate
        folder.mkdir(parents=True)
        for file in files:
            (folder / file).touch()
    assert work_items.cases(tmp_path, ["both", "one", "none", "absent"]) == {
        "both": [f"tests/validators/both/{name}.json" for name in ("pass_a", "pass_b", "fail_1", "fail_2")]
    }
    assert work_items.case_folders(tmp_path) == ["both", "none", "one"]
    assert work_items.cases(tmp_path / "elsewhere", ["both"]) == {}
