"""`assay calibration sweep`: a table for people, and what was looked at for the first time."""

import re
import subprocess
import sys

from quantassay.jobs import sweep

STUDY = "hsms_buy_volume_multiple"
HEAD = [
    "value",
    "n",
    "days",
    "mean",
    "low",
    "high",
    "p",
    "corrected",
    "found",
    "duplicates",
    "outside",
    "late",
    "unfillable",
    "overlapping",
]


def test_the_group_names_its_commands(toy):
    done = toy.run("calibration", "--help")
    assert "sweep" in done.out
    assert toy.run("calibration", "swoop").code == 2


def test_the_table_has_a_row_for_each_value(desk):
    done = desk.run("calibration", "sweep", STUDY, "--values", "1.7")
    assert done.code == 0
    lines = done.out.splitlines()
    assert re.fullmatch(
        rf"{STUDY}: hsms1 buy, then up for 5 sessions; signals of 1999-01-04 to (\S+), none ends after \1", lines[0]
    )
    assert lines[1].split() == HEAD
    assert [line[:5].strip() for line in lines[2:8]] == ["1.0", "* 1.1", "1.3", "1.5", "1.7", "2.0"]
    assert len({len(line) for line in lines[1:8]}) == 1
    shown = dict(zip(HEAD, lines[3].removeprefix("*").split()[0:], strict=True))
    own = next(one for one in desk.made("calibration_evidence")["data"]["studies"] if one["id"] == STUDY)
    assert (shown["n"], shown["mean"], shown["p"]) == (str(own["n"]), own["mean_return"], own["p_value"])
    assert "SAMPLE bars: no claim can rest on them" in done.out
    total = desk.made("calibration_evidence")["data"]["trials_total"] + 1
    assert f"{total} values were tried of all studies; p-values are corrected for them all" in done.out
    assert "looked at for the first time, and counted as tried from now on: 1.7; next: assay run" in done.out


def test_what_is_known_is_not_new(desk):
    done = desk.run("calibration", "sweep", STUDY, "--values", "1.1, 1.50")
    assert "for the first time" not in done.out
    assert not sweep.place(desk.root / "data").exists()


def test_all_studies_are_shown_where_none_is_named(desk):
    out = desk.run("calibration", "sweep").out
    studies = desk.made("calibration_evidence")["data"]["studies"]
    heads = [line.partition(":")[0] for line in out.splitlines() if re.match(r"hsms_\w+:", line)]
    assert heads == [one["id"] for one in studies]


def test_a_result_without_certainty_has_dashes(desk):
    out = desk.run("calibration", "sweep", STUDY, "--values", "90").out
    row = next(line for line in out.splitlines() if line.split()[:1] == ["90"])
    assert row.split()[1:8] == ["0", "0", "-", "-", "-", "-", "-"]


def test_quiet_says_nothing_and_writes_all_the_same(desk, tmp_path):
    done = desk.run("-q", "calibration", "sweep", STUDY, "--out", tmp_path / "sweep.json")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (tmp_path / "sweep.json").exists()
    assert f"{tmp_path / 'sweep.json'} holds 1 study" in desk.run(
        "calibration", "sweep", STUDY, "--out", tmp_path / "sweep.json"
    ).out  # fmt: skip


def test_a_run_that_sweeps_nothing_loads_neither_polars_nor_the_cluster():
    code = "import sys\nfrom quantassay.commands.calibrations import sweep\nfrom quantassay.jobs import sweep\n"
    code += "print(*sorted({'polars', 'numpy', 'distributed'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
