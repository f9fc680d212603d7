"""What a build is told of imports: universe lists, the raw row behind a bar, the sample market."""

import json
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from quantassay.harness import canonical
from quantassay.jobs import quarantine
from quantassay.jobs.import_market import BarNotFound, explain_bar, import_bars, import_universe
from quantassay.jobs.imported import UniverseDamaged, ensure_sample, import_log, universe_import
from quantassay.store import bars

NOW = datetime(2026, 11, 18, 7, 0, tzinfo=UTC)
SPEC = Path(__file__).parents[2] / "spec" / "40_sample_market.yaml"
THREE = """date,open,high,low,close,volume,foreign_net_buy
2026-10-01,100,110,90,105,1001,-5
2026-10-02,100,110,90,105,1002,-5
2026-10-03,100,110,90,105,1003,-5
"""
LIST = "ticker,name,close,volume,traded_value\n0015S0,Alpha,12000,500,6000000\n"


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def state(data):
    """Every file of the data folder with its bytes, but for the lock."""
    return {path: path.read_bytes() for path in data.rglob("*") if path.is_file() and path.parent.name != "locks"}


def test_a_universe_is_kept_by_session(source, data):
    for day in ("20261117", "20261118"):
        (source / f"kosdaq_{day}.csv").write_text(LIST)
        report = import_universe(data, source / f"kosdaq_{day}.csv", "XKRX", now=NOW)
        assert (report.loaded, report.rows, report.changed) == ((f"kosdaq_{day}.csv",), 1, True)
    listed, digest = universe_import(data, "XKRX")
    assert listed == {
        "session": "2026-11-18",
        "file": "kosdaq_20261118.csv",
        "names": [{"ticker": "0015S0", "name": "Alpha", "close": 12000, "volume": 500, "turnover": 6000000, "row": 2}],
    }
    assert digest == canonical.digest(listed)
    assert universe_import(data, "XKRX", "2026-11-17")[0]["session"] == "2026-11-17"
    assert universe_import(data, "XKRX", date(2026, 11, 16)) == (None, canonical.digest(None))
    assert universe_import(data, "XNYS")[0] is None


def test_a_universe_again_changes_nothing_and_a_new_one_replaces_it(source, data):
    path = source / "kosdaq_20261118.csv"
    path.write_text(LIST)
    import_universe(data, path, "XKRX")
    assert not import_universe(data, path, "XKRX").changed
    path.write_text(LIST + "000660,Beta,1,1,1\n")
    assert import_universe(data, path, "XKRX", dry_run=True).changed
    assert len(universe_import(data, "XKRX")[0]["names"]) == 1
    import_universe(data, path, "XKRX")
    assert len(universe_import(data, "XKRX")[0]["names"]) == 2
    assert len(list((data / "imports" / "universe" / "XKRX").iterdir())) == 1


def test_an_empty_universe_is_put_aside_and_none_takes_its_place(source, data):
    path = source / "kosdaq_20261118.csv"
    path.write_text(LIST.splitlines()[0] + "\n")
    report = import_universe(data, path, "XKRX")
    assert (report.quarantined, [i.code for i in report.issues]) == (("kosdaq_20261118.csv",), ["header_only"])
    assert universe_import(data, "XKRX")[0] is None
    assert len(list(quarantine.folder(data).iterdir())) == 2


def test_a_universe_edited_by_hand_is_an_error(source, data):
    path = source / "kosdaq_20261118.csv"
    path.write_text(LIST)
    import_universe(data, path, "XKRX")
    (kept,) = (data / "imports" / "universe" / "XKRX").iterdir()
    kept.write_text(kept.read_text().replace("12000", "13000"))
    with pytest.raises(UniverseDamaged):
        universe_import(data, "XKRX")


# Where a number comes from.


def test_a_bar_is_explained_by_its_raw_row(source, data):
    (source / "005930.csv").write_text(THREE)
    import_bars(data, source, "XKRX", datetime(2026, 10, 3, 1, 13, tzinfo=UTC))
    lines = explain_bar(data, "XKRX", "/005930/2026-10-03/close")
    assert lines[0] == "close = 105"
    assert lines[1] == (
        "XKRX 005930 2026-10-03: open 100, high 110, low 90, close 105, volume 1003, foreign_net_buy -5"
    )
    assert lines[2].startswith("005930.csv line 4 (file sha256:")
    assert lines[3] == "taken at 2026-10-03T01:13:00+00:00"


@pytest.mark.parametrize(
    "pointer", ["", "/", "/005930", "/005930/2026-10-04/close", "/000660/2026-10-03", "/005930/2026-10-03/mood"]
)
def test_a_bar_that_is_not_there_is_one_sentence(source, data, pointer):
    (source / "005930.csv").write_text(THREE)
    import_bars(data, source, "XKRX")
    with pytest.raises(BarNotFound, match="there is no bar"):
        explain_bar(data, "XKRX", pointer)


# The sample market.


@pytest.fixture(scope="module")
def sample_spec():
    return yaml.safe_load(SPEC.read_text(encoding="utf-8"))


def sample_days(count=500):
    return [date(2026, 11, 18) - timedelta(days=back) for back in range(count)]


def test_the_sample_is_made_once_and_read_like_any_market(data, sample_spec):
    assert ensure_sample(data, sample_spec, sample_days())
    before = state(data)
    assert not ensure_sample(data, sample_spec, sample_days(600))
    assert state(data) == before
    frame = bars.read(data, "SAMPLE")
    assert frame["ticker"].n_unique() == 62
    assert frame.schema == bars.SCHEMA
    log, _ = import_log(data, "SAMPLE")
    assert sum(f["rows"] for f in log["files"]) == frame.height
    assert all(f["loaded"] for f in log["files"])
    listed, _ = universe_import(data, "SAMPLE")
    assert (listed["session"], len(listed["names"])) == ("2026-11-18", 61)
    assert "simulated" in explain_bar(data, "SAMPLE", "/990010/2026-11-18/close")[2]


def test_the_sample_is_made_anew_when_its_spec_its_days_or_its_files_change(data, sample_spec):
    ensure_sample(data, sample_spec, sample_days())
    assert ensure_sample(data, {**sample_spec, "seed": 1}, sample_days())
    assert ensure_sample(data, sample_spec, sample_days())
    assert ensure_sample(data, sample_spec, [day - timedelta(days=1) for day in sample_days()])
    shutil.rmtree(data / "imports" / "universe")
    assert ensure_sample(data, sample_spec, [day - timedelta(days=1) for day in sample_days()])
    assert not ensure_sample(data, sample_spec, [day - timedelta(days=1) for day in sample_days()])


def test_asking_for_a_finished_sample_loads_nothing_heavy(data, sample_spec):
    ensure_sample(data, sample_spec, sample_days())
    code = """
import sys, json
from datetime import date
from pathlib import Path
from quantassay.jobs import imported
spec, days = json.loads(sys.stdin.read())
made = imported.ensure_sample(Path(sys.argv[1]), spec, [date.fromisoformat(day) for day in days])
imported.import_log(Path(sys.argv[1]), "SAMPLE"), imported.universe_import(Path(sys.argv[1]), "SAMPLE")
print(made, *sorted({"polars", "numpy"} & set(sys.modules)))
"""
    asked = json.dumps([sample_spec, [day.isoformat() for day in sample_days()]])
    done = subprocess.run([sys.executable, "-c", code, data], input=asked, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
