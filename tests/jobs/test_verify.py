"""Any digit changed under Temp/ is found, also when the state is edited to match; so is any harm to the ledger."""

import json
import re

import polars as pl
import pytest

from quantassay.harness import canonical
from quantassay.jobs import verify as job
from quantassay.jobs.desk import opened

PER_FILE = 2
LEDGER = "data/gate_ledger.jsonl"
STATE = "Temp/state.jsonl"
TABLE = "Temp/signal_history_v1.parquet"


def problems(toy):
    return job.workspace(toy.root).problems


def digit_changes(toy):
    """(file, place) of some digits of each report, trace and artifact, spread evenly from the first to the last."""
    for path in sorted((toy.root / "Temp").glob("*_v*")):
        places = [match.start() for match in re.finditer(rb"[0-9]", path.read_bytes())]
        last = len(places) - 1
        for number in range(PER_FILE):
            yield path, places[last * number // (PER_FILE - 1)]


def change_digit(path, place):
    data = bytearray(path.read_bytes())
    data[place] = ord("1") if data[place] == ord("0") else data[place] - 1
    path.write_bytes(data)


def test_what_a_run_made_is_in_order(desk):
    checked = job.workspace(desk.root)
    made = [path for path in (desk.root / "Temp").glob("*_v*") if path.is_file()]
    assert (checked.files, checked.pages, checked.problems) == (len(made), len(opened(desk.root).rooms.renderers), ())
    assert checked.pages > 2


def test_every_changed_digit_is_found(desk):
    changes = list(digit_changes(desk))
    assert len(changes) >= 60
    for path, place in changes:
        before = path.read_bytes()
        change_digit(path, place)
        first, *_ = problems(desk)
        assert first.startswith(f"Temp/{path.name} is not as it was recorded"), (path.name, place)
        path.write_bytes(before)
    assert problems(desk) == ()


def test_every_changed_digit_is_found_when_the_state_is_forged_to_match(desk, forge):
    state = (desk.root / STATE).read_bytes()
    # The first digit of one file, the last of the next: each takes a whole check of the desk.
    for path, place in [change for number, change in enumerate(digit_changes(desk)) if number % 4 in (0, 3)]:
        if path.suffix == ".parquet":
            continue  # a byte that changes no cell is no lie; for cells see below
        before = path.read_bytes()
        change_digit(path, place)
        forge(desk, f"Temp/{path.name}")
        found = problems(desk)
        assert found, (path.name, place)
        assert not any("recorded" in problem for problem in found), "the state was forged well"
        path.write_bytes(before)
        (desk.root / STATE).write_bytes(state)
    assert problems(desk) == ()


FORGED = {
    "signals is not the one that the gate judged": ("signals_v1.json", '"close":1915', '"close":1916'),
    "signal_history is not the one that the gate judged": ("signal_history_v1.json", '"rows":30', '"rows":31'),
    "the gate record is not the last one in data/gate_led": ("gate_record_v1.json", '"errors":0', '"errors":1'),
    "next_open_plan#/data/orders/0/quantity says '800'": ("next_open_plan_v1.md", "| 800 |", "| 801 |"),
    "the page was changed after it was rendered": ("next_open_plan_v1.md", "a sell takes no less", "a sell takes less"),
    "the page says '800' where the trace says '801'": ("next_open_plan_v1.trace.json", '"text":"800"', '"text":"801"'),
}


@pytest.mark.parametrize("says", FORGED)
def test_what_finds_an_edit_when_the_state_is_forged(desk, edit, forge, says):
    file, old, new = FORGED[says]
    edit(desk, f"Temp/{file}", old, new)
    forge(desk, f"Temp/{file}")
    assert any(says in problem for problem in problems(desk))


def test_a_cell_of_a_table_is_found_when_the_state_is_forged(desk, forge):
    path = desk.root / TABLE
    frame = pl.read_parquet(path)
    third = pl.int_range(pl.len()) == 3
    frame.with_columns(pl.when(third).then(pl.lit("buy")).otherwise("hsms2").alias("hsms2")).write_parquet(path)
    forge(desk, TABLE)
    (problem,) = problems(desk)
    assert "signal_history_v1.parquet: the content of hsms2 is not what its sidecar says" in problem


def test_a_page_forged_with_its_trace_is_held_against_the_artifacts(desk, edit, forge):
    page, trace = "Temp/next_open_plan_v1.md", "Temp/next_open_plan_v1.trace.json"
    edit(desk, page, "| 800 |", "| 801 |")
    edit(desk, trace, '"text":"800"', '"text":"801"')
    entries = json.loads((desk.root / trace).read_bytes())
    entries["digest"] = canonical.sha256((desk.root / page).read_bytes())
    (desk.root / trace).write_bytes(canonical.dumps(entries))
    forge(desk, page, trace)
    assert any(
        "the page says '801', next_open_plan#/data/orders/0/quantity says '800'" in one for one in problems(desk)
    )


@pytest.mark.parametrize("harm", [b"", b"{", b"\xff\xfe", b"[]\n", b"{}\n", b"PAR1"])
@pytest.mark.parametrize(
    "name",
    [
        "gate_record_v1.json",
        "signals_v1.json",
        "signal_history_v1.parquet",
        "next_open_plan_v1.trace.json",
        "next_open_plan_v1.md",
    ],
)
def test_rubbish_is_a_problem_and_no_crash_even_when_the_state_is_forged(desk, forge, name, harm):
    (desk.root / "Temp" / name).write_bytes(harm)
    forge(desk, f"Temp/{name}")
    done = desk.run("verify")
    assert (done.code, done.err) == (1, "")


def test_a_deleted_file_and_a_stranger_are_named(desk):
    (desk.root / "Temp/gate_summary_v1.md").unlink()
    desk.write("Temp/my_plan_v1.json", "{}")
    assert problems(desk) == (
        "Temp/gate_summary_v1.md is missing",
        "Temp/my_plan_v1.json was made by no recorded step",
    )


def test_a_step_cut_out_of_the_state_leaves_strangers(desk):
    lines = (desk.root / STATE).read_bytes().splitlines(keepends=True)
    (desk.root / STATE).write_bytes(b"".join(line for line in lines if b'"report:gate_summary"' not in line))
    assert "Temp/gate_summary_v1.md was made by no recorded step" in problems(desk)
    (desk.root / STATE).write_bytes(b"".join(line for line in lines if b'"step": "gate"' not in line))
    assert "nothing was judged: there is no gate record; run `assay run`" in problems(desk)


# The ledger.


@pytest.fixture
def two_lines(desk, edit):
    """A desk whose ledger holds two records: another limit made another plan."""
    edit(desk, "spec/17_next_open.yaml", "max_positions: 8", "max_positions: 7")
    assert desk.run("run").code == 0
    assert len((desk.root / LEDGER).read_bytes().splitlines()) == 2
    assert problems(desk) == ()
    return desk


def test_harm_to_the_ledger_is_found(two_lines):
    path = two_lines.root / LEDGER
    whole = path.read_bytes()
    first, second = whole.splitlines(keepends=True)
    not_last = "the gate record is not the last one in data/gate_ledger.jsonl; `assay gate` judges again"
    for harm, says in (
        (whole.replace(b'"status":"passed"', b'"status":"failed"', 1), "gate_ledger.jsonl:1: has been changed"),
        (second, "gate_ledger.jsonl:1: is line 2 of the chain"),
        (first, not_last),
        (first + second[:40], "gate_ledger.jsonl:2: cut off by a crash"),
        (b"", "gate_ledger.jsonl holds no line"),
    ):
        path.write_bytes(harm)
        assert any(says in problem for problem in problems(two_lines)), says
    path.unlink()
    assert not_last in problems(two_lines)


def test_a_run_writes_the_line_that_the_ledger_lacks(two_lines):
    path = two_lines.root / LEDGER
    first, _ = path.read_bytes().splitlines(keepends=True)
    for left in (first, b""):
        path.write_bytes(left)
        assert two_lines.run("run").code == 0
        assert path.read_bytes().startswith(left)
        assert problems(two_lines) == ()
