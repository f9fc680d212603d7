"""A file under Temp/ that somebody edited stops every command that stands on it, until its making anew is asked for."""

import pytest

PLAN, PAGE, RECORD = "Temp/next_open_plan_v1.json", "Temp/gate_summary_v1.md", "Temp/gate_record_v1.json"
EDITS = [
    (PLAN, '"quantity":800', '"quantity":900', "    990040 sell /orders/*/quantity: 800 -> 900"),
    (PAGE, "# Gate summary", "# Gate summery", '    line 1: "# Gate summary" -> "# Gate summery"'),
    (RECORD, '"errors":0', '"errors":1', "    /counts/errors: 0 -> 1"),
]


def recorded(toy):
    return {file: data for file, data in toy.temp().items() if "state" not in file}


@pytest.mark.parametrize(("file", "old", "new", "says"), EDITS, ids=["artifact", "report", "gate record"])
def test_every_command_that_stands_on_it_refuses_and_names_the_field(desk, edit, file, old, new, says):
    edit(desk, file, old, new)
    before = desk.temp()
    for command in (
        "run",
        "build",
        "gate",
        "render",
        "package",
        "package --audit-only",
        "prove",
        "explain signals#/names",
    ):
        done = desk.run(*command.split())
        assert (done.code, done.out) == (1, ""), command
        first, second, *_ = done.err.splitlines()
        assert first.startswith(f"assay: {file} is not as the build left it; take the edit out, or make the file anew")
        assert second == says
    assert desk.temp() == before
    assert desk.run("status").code == 1
    assert desk.run("verify").code == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "name"),
    [(*EDITS[0][:3], "next_open_plan"), (*EDITS[1][:3], "gate_summary"), (*EDITS[2][:3], "gate")],
    ids=["artifact", "report", "gate record"],
)
def test_accepting_makes_the_file_anew_and_loses_nothing_else(desk, edit, file, old, new, name):
    before, ledger = recorded(desk), (desk.root / "data/gate_ledger.jsonl").read_bytes()
    edit(desk, file, old, new)
    done = desk.run("run", "--accept-rebuild", name)
    assert (done.code, done.err) == (0, "")
    assert recorded(desk) == before
    assert (desk.root / "data/gate_ledger.jsonl").read_bytes() == ledger
    assert desk.run("verify").code == 0


def test_accepting_one_edit_accepts_no_other(desk, edit):
    for file, old, new, _ in EDITS[:2]:
        edit(desk, file, old, new)
    before = desk.temp()
    done = desk.run("run", "--accept-rebuild", "gate_summary")
    assert (done.code, PLAN in done.err, PAGE in done.err) == (1, True, False)
    assert desk.temp() == before
    assert desk.run("run", "--accept-rebuild", "gate_summary", "--accept-rebuild", "next_open_plan").code == 0


def test_accepting_what_nobody_made_is_wrong_use(desk, edit):
    edit(desk, *EDITS[0][:3])
    for command in ("run", "build", "render"):
        done = desk.run(command, "--accept-rebuild", "next_open_plam")
        assert (done.code, "--accept-rebuild names next_open_plam" in done.err) == (2, True)


def test_taking_the_edit_out_is_enough(desk, edit):
    before = desk.temp()
    edit(desk, *EDITS[0][:3])
    edit(desk, EDITS[0][0], EDITS[0][2], EDITS[0][1])
    assert desk.run("run").out.startswith("nothing has changed")
    assert desk.temp() == before
