"""The command and the tool of a feed: the same options, words and exit codes, for whichever of them a person likes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from quantassay.cli import run
from quantassay.jobs import manual_options
from quantassay.store import manual_facts

TOOLS = Path(__file__).parents[3] / "tools"
WAYS = {
    "short_balance": ("short-balance", "import_short_balance.py"),
    "etf_nav": ("etf-nav", "import_etf_nav_manual.py"),
    "listing": ("listing", "import_listing.py"),
}


@pytest.fixture(params=["command", "tool"])
def told(request, desk, capsys, monkeypatch):
    """Do an import at the desk in one of both ways: its exit code, what it says, what it complains of."""
    monkeypatch.delenv("ASSAY_WORKSPACE", raising=False)
    monkeypatch.chdir(desk.root)

    def do(feed, *arguments):
        command, tool = WAYS[feed]
        words = [str(argument) for argument in arguments]
        if request.param == "command":
            code = run(["import", command, *words])
            said = capsys.readouterr()
            return code, said.out, said.err
        done = subprocess.run(
            [sys.executable, TOOLS / tool, *words], capture_output=True, text=True, check=False, encoding="utf-8"
        )
        return done.returncode, done.stdout, done.stderr

    do.desk = desk
    return do


def test_an_import_says_what_it_did_and_what_to_do_next(told):
    file = told.desk.shorts(t900010=5, t900020=6)
    code, out, err = told("short_balance", file, "--historic")
    assert (code, err) == (0, "")
    assert out == (
        "1 files read: 1 loaded with 10 values, 0 quarantined\n"
        "  잔고_KOSPI_20261116.csv: short balances of one day (2026-11-16), 2 rows, 10 values: 10 new, 0 corrected\n"
        "next: assay run\n"
    )
    assert manual_facts.read(told.desk.data).height == 10
    code, out, _ = told("short_balance", file, "--historic")
    assert code == 0
    assert "imported before, on 20" in out
    assert out.endswith("nothing changed: the store held all of it already\n")


def test_a_refused_file_is_exit_code_1_with_place_reason_and_step(told):
    bad = told.desk.put("잔고_20261116.csv", "종목코드,종목명\n900010,A\n")
    code, out, err = told("short_balance", bad)
    assert (code, err) == (1, "")
    assert out.startswith("1 files read: 0 loaded with 0 values, 1 quarantined\n  잔고_20261116.csv: ")
    assert "next: do what is said above and import these files again; copies and reasons are in data/imports" in out


def test_a_dry_run_shows_how_the_file_is_read(told):
    file = told.desk.navs(name="{}.csv", ticker="900190", d20261118="10010.00")
    code, out, _ = told("etf_nav", file, "--dry-run", "--historic")
    assert code == 0
    assert out == (
        "1 files read: 1 would be loaded with 3 values, 0 would be quarantined\n"
        "  900190.csv: premium of one fund (2026-11-18), 1 rows, 3 values: 3 new, 0 corrected\n"
        "    read as: CSV in CP949, premium of one fund\n"
        "    column:  일자 -> session\n"
        "    column:  종가 -> close\n"
        "    column:  순자산가치(NAV) -> nav\n"
        "    column:  괴리율 -> premium_percent\n"
        "    row:     일자 | 종가 | 순자산가치(NAV) | 괴리율\n"
        "    row:     2026/11/18 | 10000 | 10010.00 | -0.10\n"
        "nothing was written; import without --dry-run\n"
    )
    assert not told.desk.data.exists()


def test_json_tells_all_of_it(told):
    file = told.desk.companies(("Alpha", "900010", "parts"))
    code, out, _ = told("listing", file, "--date", "2026-11-16", "--historic", "--format", "json")
    value = json.loads(out)
    assert (code, value["feed"], value["changed"], value["dry_run"]) == (0, "listing", True, False)
    (one,) = value["files"]
    assert (one["file"], one["first"], one["loaded"], one["added"]) == ("companies.xls", "2026-11-16", True, 1)
    assert ["종목코드", "ticker"] in one["mapping"]
    assert one["form"] == "HTML table named .xls, EUC-KR"
    assert one["imported_before"] is None


@pytest.mark.parametrize(
    ("feed", "arguments", "says"),
    [
        ("short_balance", ["nowhere.csv"], "assay: nowhere.csv does not exist; name the file"),
        ("short_balance", ["nowhere.csv", "--date", "18.11.2026"], "is no day; write it like 2026-11-18"),
        ("etf_nav", ["nowhere.csv", "--ticker", "69500"], "is no code; write six capital letters or digits"),
        ("etf_nav", ["x.csv", "--tickr", "069500"], "--tickr"),
        ("listing", [], "FILE"),
        ("listing", ["x.xls", "--ticker", "069500"], "--ticker"),
    ],
)
def test_wrong_use_is_exit_code_2_and_no_traceback(told, feed, arguments, says):
    code, out, err = told(feed, *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert "Traceback" not in err


def test_outside_of_a_workspace_it_says_how_to_make_one(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = told("listing", told.desk.companies(("A", "900010", "x")))
    assert code == 2
    assert "make one with `assay init DIR`" in err


def test_the_workspace_may_be_named_by_the_environment(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASSAY_WORKSPACE", str(told.desk.root / "spec"))
    code, _, err = told("short_balance", told.desk.shorts(t900010=5), "--historic")
    assert (code, err) == (0, "")


def test_of_many_faults_three_are_shown_and_the_rest_on_demand(desk, capsys):
    rows = [f'"90{n:02}00","A","x","1000000","1","1","0.1"' for n in range(8)]
    head = desk.shorts(t900010=5).read_bytes().decode("cp949").splitlines()[0]
    bad = desk.put("잔고_20261117.csv", "\n".join([head, *rows]) + "\n")
    assert run(["-C", str(desk.root), "import", "short-balance", str(bad), "--historic"]) == 1
    short = capsys.readouterr().out
    assert short.count("not_a_number") == 3
    assert "and 5 more; -v shows them" in short
    assert run(["-C", str(desk.root), "-v", "import", "short-balance", str(bad), "--historic"]) == 1
    assert capsys.readouterr().out.count("not_a_number") == 8


def test_quiet_says_only_what_went_wrong(desk, capsys):
    file = desk.shorts(t900010=5)
    assert run(["-C", str(desk.root), "-q", "import", "short-balance", str(file), "--historic"]) == 0
    assert capsys.readouterr().out == ""
    done = subprocess.run(
        [sys.executable, TOOLS / "import_short_balance.py", file, "-q", "--historic"],
        cwd=desk.root,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b""


def test_a_tool_whose_reader_went_away_ends_as_the_command_does(desk):
    file = desk.shorts(t900010=5)
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(
            [sys.executable, TOOLS / "import_short_balance.py", file, "--historic"],
            cwd=desk.root,
            stdout=gone,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_fault_of_ours_is_exit_code_3_with_what_to_send(desk, monkeypatch, capsys):
    monkeypatch.chdir(desk.root)
    (desk.root / "builders").mkdir()
    (desk.root / "builders/trading_calendar.py").write_text(
        '"""Breaks."""\n\n\ndef build(calendars):\n    return {}["first"]\n'
    )
    marker = desk.root / "spec/00_workspace.yaml"
    marker.write_text(marker.read_text().replace("own: false", "own: true"))
    assert manual_options.main("short_balance", [str(desk.shorts(t900010=5))]) == 3
    assert "this is our fault: KeyError" in capsys.readouterr().err


def test_a_terminal_of_another_encoding_ends_no_import(desk):
    file = desk.shorts(t900010=5)
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run(
        [sys.executable, TOOLS / "import_short_balance.py", file, "--historic"],
        cwd=desk.root,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("feed", WAYS)
def test_command_and_tool_know_the_same_options(feed, capsys):
    command, _ = WAYS[feed]
    assert run(["import", command, "--help"]) == 0
    in_command = capsys.readouterr().out
    assert manual_options.main(feed, ["--help"]) == 0
    in_tool = capsys.readouterr().out
    for option in manual_options.OPTIONS[feed]:
        assert all(spelling in in_command and spelling in in_tool for spelling in option.spellings)
        assert option.help.split()[0] in in_command
    assert manual_options.TITLES[feed] in " ".join(in_tool.split())
    assert manual_options.TITLES[feed] in " ".join(in_command.split())


def test_the_rooms_list_the_tools(desk, capsys):
    assert run(["-C", str(desk.root), "rooms", "--format", "json"]) == 0
    tools = [unit["name"] for unit in json.loads(capsys.readouterr().out) if unit["room"] == "tools"]
    assert tools == ["import_etf_nav_manual", "import_listing", "import_short_balance", "sell_out"]
