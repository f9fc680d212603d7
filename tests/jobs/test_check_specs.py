"""All that is wrong in all files of a workspace, told in one go, each with its place."""

import pytest

from quantassay.jobs import check_specs as job


def problems(toy):
    return [(one.file, one.line, one.says) for one in job.workspace(toy.root)[1]]


def test_a_new_desk_is_in_order(new_desk):
    paths, found = job.workspace(new_desk.root)
    assert found == []
    assert len(paths) == len([path for path in new_desk.root.rglob("*.yaml") if "schemas" not in path.parts])
    assert new_desk.run("specs", "check").out == f"{len(paths)} files checked, 0 problems\n"


def test_all_that_is_wrong_is_told_at_once(new_desk, edit):
    edit(new_desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: eight")
    edit(new_desk, "spec/18_costs.yaml", 'fee_bps: "14.7"', 'fee_bps: "14.7"\nfee_bps: "15"')
    edit(
        new_desk, "spec/20_accounts.yaml", "holdings: []", "holdings: [{ticker: 000660, quantity: 1, average_price: 1}]"
    )
    edit(new_desk, "governance/gates.yaml", "least_share_caught", "least_share_cought")
    new_desk.write("governance/waivers/w.yaml", "id: 1\n")
    (new_desk.root / "spec/15_hsms.yaml").write_bytes(b"\xff\xfe")
    found = problems(new_desk)
    files = [
        "governance/gates.yaml", "governance/waivers/w.yaml", "spec/15_hsms.yaml", "spec/17_next_open.yaml",
        "spec/18_costs.yaml", "spec/20_accounts.yaml",
    ]  # fmt: skip
    assert sorted({file for file, _, _ in found}) == files
    said = "\n".join(says for _, _, says in found)
    for word in ("did you mean 'least_share_caught'?", "UTF-8", "432", "fee_bps", "eight"):
        assert word in said, word
    done = new_desk.run("specs", "check")
    assert (done.code, done.out.endswith(f" files checked, {len(found)} problems\n")) == (2, True)
    assert (new_desk.run("run").code, new_desk.temp()) == (2, {})


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("spec/50_mood.yaml", "nothing checks this file: there is no schema mood.schema.json"),
        ("governance/mood.yaml", "nothing checks this file: there is no schema mood.schema.json"),
        (
            "spec/21_more_accounts.yml",
            "spec/21_more_accounts.yml would be read by nothing; call it 21_more_accounts.yaml",
        ),
        ("governance/rules/09_more.yml", "governance/rules/09_more.yml would be read by nothing; call it 09_more.yaml"),
        ("spec/mood.yaml", "nothing checks this file"),
    ],
)
def test_a_file_that_nothing_reads_or_checks_is_a_problem(new_desk, file, says):
    new_desk.write(file, "a: 1\n")
    assert any(found[0] == file and says in found[2] for found in problems(new_desk))
    assert new_desk.run("specs", "check").code == 2


def test_what_an_editor_leaves_is_not_looked_at(new_desk):
    new_desk.write("spec/.#17_next_open.yaml", "a: [")
    new_desk.write("spec/17_next_open.yaml~", "a: [")
    assert problems(new_desk) == []


def test_a_schema_of_ones_own_wins(new_desk):
    new_desk.write("spec/50_mood.yaml", "mood: 1\n")
    closed = '"additionalProperties": false, "properties": {"mood": {"maximum": 0}}'
    new_desk.write("spec/schemas/mood.schema.json", f"{{{closed}}}")
    ((file, line, says),) = problems(new_desk)
    assert (file, line, "/mood: " in says) == ("spec/50_mood.yaml", 1, True)


@pytest.mark.parametrize("schema", ["{", '{"minimun": 1}'])
def test_a_schema_that_is_wrong_is_a_problem_and_hides_no_other(new_desk, edit, schema):
    edit(new_desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: eight")
    new_desk.write("spec/50_mood.yaml", "mood: 1\n")
    new_desk.write("spec/schemas/mood.schema.json", schema)
    assert [file for file, _, _ in problems(new_desk)] == ["spec/17_next_open.yaml", "spec/schemas/mood.schema.json"]


def test_outside_of_a_workspace_it_is_wrong_use(toy, tmp_path):
    done = toy.run("-C", tmp_path, "specs", "check")
    assert (done.code, "lies in no workspace" in done.err) == (2, True)
