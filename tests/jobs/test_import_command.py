"""The import command: a summary, reasons with file and row, what to do next, the exit code."""

import json

import pytest

from quantassay.cli import run
from quantassay.jobs.imported import universe_import

LIST = "ticker,name,close,volume,traded_value\n0015S0,Alpha,12000,500,6000000\n"
HEAD = "date,open,high,low,close,volume,foreign_net_buy\n"


def rows(count, close=105, first=1):
    return "".join(f"2026-10-{day:02},100,110,90,{close},{1000 + day},-5\n" for day in range(first, first + count))


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


def put(source, **files):
    for ticker, text in files.items():
        (source / f"{ticker.removeprefix('t')}.csv").write_text(text)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    root = tmp_path / "desk"
    (root / "spec").mkdir(parents=True)
    (root / "spec" / "00_workspace.yaml").write_text("name: Test desk\n")
    monkeypatch.chdir(root)
    monkeypatch.delenv("ASSAY_WORKSPACE", raising=False)
    return root


def test_the_command_tells_what_was_loaded_and_what_to_do_next(source, workspace, capsys):
    put(source, t005930=HEAD + rows(3))
    assert run(["import", "bars", str(source), "--market", "XKRX"]) == 0
    out = capsys.readouterr().out
    assert "1 files read: 1 loaded with 3 bars, 0 quarantined" in out
    assert "next: assay run" in out
    assert run(["import", "bars", str(source), "--market", "XKRX"]) == 0
    assert "nothing changed" in capsys.readouterr().out
    assert (workspace / "data" / "bars" / "XKRX" / "index.json").exists()


@pytest.mark.usefixtures("workspace")
def test_the_command_names_file_row_and_reason_of_what_it_refused(source, capsys):
    put(source, t005930=HEAD + rows(3) + "2026-10-09,100,90,110,105,1,1\n", t000660=HEAD + rows(2, first=20) + rows(1))
    assert run(["import", "bars", str(source), "--market", "XKRX", "--taken-at", "2026-10-03T10:13:00+09:00"]) == 1
    out = capsys.readouterr().out
    assert "  005930.csv:5: high_below_low: has its high below its low" in out
    assert "  note 000660.csv:4: unsorted:" in out
    assert "data/imports/quarantine" in out


def test_the_command_speaks_json(source, workspace, capsys):
    put(source, t005930=HEAD + rows(3), t000660="prose\n")
    assert run(["import", "bars", str(source), "--market", "XKRX", "--format", "json", "--dry-run"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["loaded"], told["quarantined"], told["dry_run"]) == (["005930.csv"], ["000660.csv"], True)
    assert [(issue["code"], issue["harmless"]) for issue in told["issues"]] == [("not_a_table", False)]
    assert not (workspace / "data").exists()


def test_the_command_imports_a_universe(source, workspace, capsys):
    (source / "list.csv").write_text(LIST)
    assert run(["import", "universe", str(source / "list.csv"), "--market", "XKRX"]) == 1
    assert run(["import", "universe", str(source / "list.csv"), "--market", "XKRX", "--session", "2026-11-18"]) == 0
    assert "1 loaded with 1 names" in capsys.readouterr().out
    assert universe_import(workspace / "data", "XKRX", "2026-11-18")[0]["names"][0]["ticker"] == "0015S0"


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    "arguments",
    [
        ["bars", "nowhere", "--market", "XKRX"],
        ["bars", ".", "--market", "KRX"],
        ["bars", "."],
        ["bars", ".", "--market", "XKRX", "--taken-at", "yesterday"],
        ["universe", "nowhere.csv", "--market", "XKRX"],
        ["universe", "nowhere.csv", "--market", "XKRX", "--session", "18.11.2026"],
    ],
)
def test_wrong_use_is_one_message_and_exit_2(capsys, arguments):
    assert run(["import", *arguments]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    assert told.err
