"""The definition of done of the sample desk: made with the gate record, worked out again by verify, treated alike."""

import json
import zipfile

import pytest

from quantassay.harness import canonical, files, schemas
from quantassay.jobs import status as standing
from quantassay.jobs import verify
from quantassay.jobs.desk import opened

FILE = "Temp/definition_of_done_v1.json"
PAGE = "Temp/definition_of_done_v1.md"
RECORD = "Temp/gate_record_v1.json"


def envelope(toy):
    return canonical.loads((toy.root / FILE).read_bytes())


def data(toy):
    return envelope(toy)["data"]


def item(toy, name):
    return next(row for row in data(toy)["items"] if row["name"] == name)


def test_every_artifact_is_done_and_nothing_is_an_orphan(desk):
    made = data(desk)
    assert [row["name"] for row in made["items"]] == list(opened(desk.root).rooms.builders)
    assert {row["name"]: row["says"] for row in made["items"] if not row["done"]} == {}
    assert made["orphans"] == []
    assert made["counts"]["looked_at"] > 200
    assert schemas.validate(opened(desk.root).schema("definition_of_done_v1"), made) == []
    later = {one["rule"]: one["why"] for one in made["unevaluated"]}["R05.2"]
    assert "judged after the record" in later


def test_each_cell_holds_what_lies_there(desk):
    plan = item(desk, "next_open_plan")
    assert "next_open" in plan["yaml"]["names"]
    assert "hsms" in plan["yaml"]["inherited"]
    assert plan["data"]["digest"] == files.digest(desk.root / "Temp/next_open_plan_v1.json")
    gates = json.loads((desk.root / RECORD).read_bytes())["data"]["gates"]
    judged = {gate["gate"]: gate["judged"] for gate in gates}
    assert plan["evidence"]["judged"] == sum(judged[gate] for gate in plan["code"]["gates"]) > 300
    assert plan["evidence"]["cases"] >= 2 * len(plan["evidence"]["names"])
    named = {one["name"]: one["digest"] for one in envelope(desk)["provenance"]["inputs"]}
    assert named["gate_record"] == files.digest(desk.root / RECORD)


def test_the_page_is_a_matrix_and_the_gate_summary_says_what_is_judged_later(desk):
    page = (desk.root / PAGE).read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `") and " ok: " in line]
    assert len(rows) == len(opened(desk.root).rooms.builders)
    assert "There are none: nothing lies here that nothing asks for" in page
    summary = (desk.root / "Temp/gate_summary_v1.md").read_text(encoding="utf-8")
    (row,) = [line for line in summary.splitlines() if line.startswith("| R05.2 ")]
    assert "(judged after this record)" in row
    assert "not evaluated" not in row


ORPHANS = [
    ("spec/50_extra.yaml", "lot: 10\n", "the spec spec/50_extra.yaml: no builder, no gate"),
    ("governance/extra.yaml", "lot: 10\n", "the spec governance/extra.yaml: no builder, no gate"),
    ("spec/schemas/gone_v1.schema.json", "{}\n", "the schema gone_v1: there is nothing"),
    ("tests/validators/gone/pass.json", "{}\n", "the evidence tests/validators/gone: cases of a gate that is gone"),
]


@pytest.mark.parametrize(("file", "text", "says"), ORPHANS, ids=[row[0] for row in ORPHANS])
def test_an_orphan_turns_the_gate_red_and_an_excuse_ends_that(desk, edit, file, text, says):
    desk.write(file, text)
    done = desk.run("run")
    assert (done.code, says in done.out, "R05.4" in done.out) == (1, True, True)
    (orphan,) = data(desk)["orphans"]
    page = (desk.root / PAGE).read_text(encoding="utf-8")
    assert orphan["says"] in page
    assert "1 orphan," in page
    excuse = f'orphans:\n  - {{kind: "{orphan["kind"]}", name: "{orphan["name"]}", why: "Kept for the test."}}\n'
    edit(desk, "governance/orphans.yaml", "orphans:\n", excuse)
    assert "R05.4" not in desk.run("run").out
    assert "Kept for the test." in (desk.root / PAGE).read_text(encoding="utf-8")
    (desk.root / file).unlink()
    assert "so it needs no excuse" in desk.run("run").out


def test_a_gate_of_ones_own_that_no_rule_asks_for_is_an_orphan(desk, own_gate):
    own_gate(desk, "mine", 'yield judged("/orders", ok=True, says="")')
    assert "the gate mine: no rule asks for it" in desk.run("run").out


def test_a_setting_that_only_a_gate_read_is_an_orphan_without_that_gate(desk, own_gate):
    own_gate(desk, "plan_for_right_session", 'yield judged("/orders", ok=True, says="")', rule="R03.8")
    own_gate(desk, "signal_bar_age", 'yield judged("/orders", ok=True, says="")', rule="R02.4")
    own_gate(desk, "plan_rederived", 'yield judged("/orders", ok=True, says="")', rule="R03.1")
    assert "spec/17_next_open.yaml:max_signal_age_sessions: no builder, no gate" in desk.run("run").out


# What holds for the gate record holds for it.


def test_a_deleted_one_comes_back_the_same_and_a_second_run_does_nothing(desk):
    before = (desk.root / FILE).read_bytes()
    (desk.root / FILE).unlink()
    assert any("definition_of_done_v1.json is missing" in problem for problem in verify.workspace(desk.root).problems)
    assert desk.run("run").code == 0
    assert (desk.root / FILE).read_bytes() == before
    assert desk.run("run").out.startswith("nothing has changed")


def test_an_edit_is_tampering_told_field_by_field_and_can_be_accepted(desk, edit):
    before = desk.temp()
    edit(desk, FILE, '"orphans":0', '"orphans":1')
    done = desk.run("run")
    assert done.code == 1
    assert f"{FILE} is not as the build left it" in done.err
    assert "`assay run --accept-rebuild gate`" in done.err
    assert "/counts/orphans: 0 -> 1" in done.err
    assert {row.state for row in standing.status(desk.root) if row.kind == "gate"} == {"red"}
    assert desk.run("run", "--accept-rebuild", "definition_of_done").code == 0
    assert {file: data for file, data in desk.temp().items() if "state" not in file} == {
        file: data for file, data in before.items() if "state" not in file
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [('"orphans":0', '"orphans":3'), ('"done":true', '"done":false'), ('"judged":', '"judged":1')],
)
def test_verify_works_it_out_again_and_is_not_fooled_by_a_forged_state(desk, forge, old, new):
    path = desk.root / FILE
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode(), 1))
    forge(desk, FILE)
    found = verify.workspace(desk.root).problems
    assert any(problem.startswith(f"{FILE} is not what the gate record") for problem in found), found


def test_a_field_that_only_a_second_look_finds_is_found(desk, forge):
    path = desk.root / FILE
    path.write_bytes(path.read_bytes().replace(b'"looked_at":', b'"looked_at":1'))
    forge(desk, FILE)
    assert any("/counts/looked_at" in problem for problem in verify.workspace(desk.root).problems)


def test_a_stale_one_is_no_breach_and_is_still_held_against_the_record(desk, edit, forge):
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7")
    assert verify.workspace(desk.root).problems == ()
    path = desk.root / FILE
    before, state = path.read_bytes(), (desk.root / "Temp/state.jsonl").read_bytes()
    for old, new in (
        (b'"judged":', b'"judged":1'),
        (b'"orphans":0', b'"orphans":3'),
        (b'"done":true', b'"done":false'),
    ):
        path.write_bytes(before.replace(old, new, 1))
        forge(desk, FILE)
        assert verify.workspace(desk.root).problems, old
        (desk.root / "Temp/state.jsonl").write_bytes(state)
    path.write_bytes(before)
    assert verify.workspace(desk.root).problems == ()


def test_its_numbers_are_explained_down_to_the_gate_record(desk):
    said = desk.run("explain", "definition_of_done#/items/2/evidence/judged")
    assert (said.code, "gate_record_v1.json#/data/gates" in said.out) == (0, True)
    lines = (desk.root / PAGE).read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines, 1) if line.startswith("| `next_open_plan`"))
    said = desk.run("explain", f"{PAGE}:{number}")
    assert (said.code, "definition_of_done_v1.json#/data/items" in said.out) == (0, True)
    assert f"{RECORD}#/data/judged/next_open_plan" in said.out


def test_it_lies_in_every_package_and_a_package_without_it_is_none(desk):
    assert desk.run("package").code == 0
    (path,) = (desk.root / "Temp/packages").glob("*.zip")
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    assert {"artifacts/definition_of_done_v1.json", "reports/definition_of_done_v1.md"} <= names
    assert desk.run("verify", path).code == 0


# One name for an artifact and a page.


def test_a_page_is_selected_by_its_file_and_an_artifact_by_its_name(desk, edit):
    edit(desk, "Temp/data_quality_v1.md", "# Data quality", "# Data qualities")
    done = desk.run("run", "--accept-rebuild", "data_quality")
    assert (done.code, "`assay run --accept-rebuild data_quality.md`" in done.err) == (1, True)
    assert desk.run("run", "--accept-rebuild", "data_quality.md").code == 0


def test_accepting_a_page_does_not_accept_the_artifact_of_its_name(desk):
    path = desk.root / "Temp/data_quality_v1.json"
    path.write_bytes(path.read_bytes().replace(b'{"artifact"', b'{ "artifact"'))
    done = desk.run("run", "--accept-rebuild", "data_quality.md")
    assert (done.code, "`assay build --accept-rebuild data_quality`" in done.err) == (1, True)
    assert desk.run("run", "--accept-rebuild", "data_quality").code == 0


def test_the_names_of_steps_files_and_members_never_meet(desk):
    inputs = opened(desk.root)
    both = set(inputs.rooms.builders) & set(inputs.rooms.renderers)
    assert both, "the standard desk has pages with the names of artifacts"
    outputs = [file for record in inputs.state.steps.values() for file in record["outputs"]]
    assert len(outputs) == len(set(outputs))
    assert {"gate", *(f"build:{name}" for name in both), *(f"report:{name}" for name in both)} <= set(
        inputs.state.steps
    )
    for name in both:
        assert desk.run("build", name, "--dry-run").code == 0
        assert desk.run("explain", f"{name}#/").code in {0, 2}
    rows = {(row.kind, row.name) for row in standing.status(desk.root)}
    assert {("artifact", name) for name in both} | {("report", name) for name in both} <= rows


@pytest.mark.parametrize("name", ["gate", "gate_record", "definition_of_done"])
def test_no_builder_takes_the_name_of_what_the_engine_makes(toy, name):
    toy.builder(name, "", "return {}")
    done = toy.run("build")
    assert (done.code, f"{name} is what the engine itself makes" in done.err) == (2, True)


def test_a_spec_with_the_name_of_the_engines_artifact_is_read_by_a_name_of_its_own(toy):
    toy.write("spec/10_definition_of_done.yaml", "days: 3\n")
    toy.builder("plan", "definition_of_done_spec", 'return {"days": definition_of_done_spec["days"]}')
    assert toy.run("build").code == 0
    assert toy.made("plan")["data"] == {"days": 3}
