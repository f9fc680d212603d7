"""Imports from the outside: what is good is kept, what is bad is put aside, and the log tells both."""

import json
import random
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from quantassay.errors import AssayError
from quantassay.feeds.issues import HARMLESS
from quantassay.feeds.markets import UnknownMarket
from quantassay.feeds.raw_files import SourceMissing
from quantassay.harness import canonical, lock
from quantassay.jobs import import_market, quarantine
from quantassay.jobs.import_market import (
    BarNotFound,
    NotAnInstant,
    explain_bar,
    import_bars,
    import_log,
    import_universe,
)
from quantassay.jobs.imported import UniverseDamaged
from quantassay.store import bars
from quantassay.store.bars_index import BarsDamaged, NoBars, read_index

HEAD = "date,open,high,low,close,volume,foreign_net_buy\n"
NOW = datetime(2026, 11, 18, 7, 0, tzinfo=UTC)


def rows(count, close=105, first=1):
    return "".join(f"2026-10-{day:02},100,110,90,{close},{1000 + day},-5\n" for day in range(first, first + count))


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def put(source, **files):
    for ticker, text in files.items():
        (source / f"{ticker.removeprefix('t')}.csv").write_text(text)


def state(data):
    """Every file of the data folder with its bytes, but for the lock."""
    return {path: path.read_bytes() for path in data.rglob("*") if path.is_file() and path.parent.name != "locks"}


def codes(report):
    return [issue.code for issue in report.issues]


def test_a_folder_of_good_files_is_imported(source, data):
    put(source, t005930=HEAD + rows(3), t000660=HEAD + rows(2))
    report = import_bars(data, source, "XKRX", now=NOW)
    assert (report.files, report.rows, report.changed) == (2, 5, True)
    assert (report.loaded, report.quarantined, report.issues) == (("000660.csv", "005930.csv"), (), ())
    assert bars.read(data, "XKRX")["ticker"].to_list() == ["000660"] * 2 + ["005930"] * 3
    log, digest = import_log(data, "XKRX")
    assert [(f["file"], f["ticker"], f["rows"], f["loaded"]) for f in log["files"]] == [
        ("000660.csv", "000660", 2, True),
        ("005930.csv", "005930", 3, True),
    ]
    assert digest == canonical.digest(log) == read_index(data, "XKRX").log_sha256


def test_the_same_import_again_changes_nothing(source, data):
    put(source, t005930=HEAD + rows(3), t000660="prose about a company\n")
    import_bars(data, source, "XKRX", now=NOW)
    before = state(data)
    report = import_bars(data, source, "XKRX", now=NOW + timedelta(days=1))
    assert not report.changed
    assert state(data) == before


def test_a_dry_run_tells_and_writes_nothing(source, data):
    put(source, t005930=HEAD + rows(3), t000660="prose\n")
    report = import_bars(data, source, "XKRX", dry_run=True)
    assert (report.loaded, report.quarantined, report.changed) == (("005930.csv",), ("000660.csv",), True)
    assert not data.exists()


def test_a_bad_file_is_put_aside_with_its_reason_and_the_good_one_loads(source, data):
    bad = HEAD + rows(2) + "2026-10-05,100,90,110,105,1,1\n"
    put(source, t005930=HEAD + rows(3), t000660=bad)
    report = import_bars(data, source, "XKRX", now=NOW)
    assert report.quarantined == ("000660.csv",)
    copy, reason = sorted(quarantine.folder(data).iterdir())
    assert copy.name.endswith("-000660.csv")
    assert copy.read_text() == bad
    told = json.loads(reason.read_text())
    assert (told["file"], told["market"], told["copied"]) == ("000660.csv", "XKRX", True)
    assert [(issue["row"], issue["code"]) for issue in told["issues"]] == [(4, "high_below_low")]
    assert bars.read(data, "XKRX")["ticker"].unique().to_list() == ["005930"]
    log, _ = import_log(data, "XKRX")
    assert [(f["file"], f["loaded"]) for f in log["files"]] == [("000660.csv", False), ("005930.csv", True)]
    assert [issue["code"] for issue in log["issues"]] == ["high_below_low"]


def test_nothing_but_bad_files_leaves_a_log_and_no_bars(source, data):
    put(source, t005930="prose\n")
    import_bars(data, source, "XKRX", now=NOW)
    assert [f["loaded"] for f in import_log(data, "XKRX")[0]["files"]] == [False]
    with pytest.raises(NoBars, match="quarantine"):
        bars.read(data, "XKRX")


def test_a_corrected_file_replaces_the_bars_of_its_ticker_and_says_so(source, data):
    put(source, t005930=HEAD + rows(4), t000660=HEAD + rows(2))
    import_bars(data, source, "XKRX")
    put(source, t005930=HEAD + rows(1) + rows(4, close=106, first=2))
    report = import_bars(data, source / "005930.csv", "XKRX")
    (issue,) = report.issues
    assert (issue.code, issue.harmless) == ("superseded", True)
    assert issue.says == "replaced 4 bars by 5; 3 have other values, first 2026-10-02"
    frame = bars.read(data, "XKRX")
    assert frame.filter(pl.col("ticker") == "005930")["close"].to_list() == [105.0, 106.0, 106.0, 106.0, 106.0]
    assert frame.filter(pl.col("ticker") == "000660").height == 2
    again = import_bars(data, source, "XKRX")
    assert not again.changed
    assert [issue["code"] for issue in import_log(data, "XKRX")[0]["issues"]] == ["superseded"]


def test_new_sessions_alone_are_no_news(source, data):
    put(source, t005930=HEAD + rows(4))
    import_bars(data, source, "XKRX")
    put(source, t005930=HEAD + rows(6))
    report = import_bars(data, source, "XKRX")
    assert (report.changed, report.issues) == (True, ())


def test_a_shorter_file_rules_and_says_what_is_gone(source, data):
    put(source, t005930=HEAD + rows(4))
    import_bars(data, source, "XKRX")
    put(source, t005930=HEAD + rows(1, first=4))
    (issue,) = import_bars(data, source, "XKRX").issues
    assert issue.code == "history_shortened"
    assert issue.says == "replaced 4 bars by 1; 3 sessions are gone, the last 2026-10-03"


def test_a_refused_correction_leaves_the_old_bars_and_stands_in_the_log(source, data):
    put(source, t005930=HEAD + rows(4))
    import_bars(data, source, "XKRX")
    put(source, t005930=HEAD + rows(4) + "broken\n")
    import_bars(data, source, "XKRX")
    assert bars.read(data, "XKRX").height == 4
    log, _ = import_log(data, "XKRX")
    assert [(f["file"], f["loaded"]) for f in log["files"]] == [("005930.csv", True), ("005930.csv", False)]
    put(source, t005930=HEAD + rows(5))
    import_bars(data, source, "XKRX")
    log, _ = import_log(data, "XKRX")
    assert [(f["rows"], f["loaded"]) for f in log["files"]] == [(5, True)]
    assert log["issues"] == []


def test_a_refused_file_is_remembered_until_it_is_dismissed(source, data):
    put(source, tnotes="prose\n", t005930=HEAD + rows(3))
    import_bars(data, source, "XKRX")
    (source / "notes.csv").unlink()
    import_bars(data, source, "XKRX")
    assert [f["file"] for f in import_log(data, "XKRX")[0]["files"]] == ["005930.csv", "notes.csv"]
    shutil.rmtree(quarantine.folder(data))
    import_bars(data, source, "XKRX")
    log, _ = import_log(data, "XKRX")
    assert [f["file"] for f in log["files"]] == ["005930.csv"]
    assert log["issues"] == []


def test_other_files_of_the_folder_are_named_but_not_kept_in_the_log(source, data):
    put(source, t005930=HEAD + rows(3))
    (source / "README.txt").touch()
    report = import_bars(data, source, "XKRX")
    assert [(issue.file, issue.code) for issue in report.issues] == [("README.txt", "not_csv")]
    assert import_log(data, "XKRX")[0]["issues"] == []


def test_markets_do_not_touch_each_other(source, data):
    put(source, t005930=HEAD + rows(3))
    import_bars(data, source, "XKRX")
    before = read_index(data, "XKRX")
    put(source, tT=HEAD + rows(2))
    (source / "005930.csv").unlink()
    import_bars(data, source, "XNYS")
    assert read_index(data, "XKRX") == before
    assert bars.read(data, "XNYS").height == 2
    assert bars.read(data, "XKRX").height == 3


# The time of taking.

TAKEN = datetime(2026, 10, 3, 1, 13, tzinfo=UTC)


def test_the_time_of_taking_marks_the_last_bar_and_stays(source, data):
    put(source, t005930=HEAD + rows(3))
    import_bars(data, source, "XKRX", TAKEN, NOW)
    assert bars.read(data, "XKRX")["taken_at"].to_list() == [None, None, TAKEN]
    assert not import_bars(data, source, "XKRX", now=NOW).changed
    put(source, t005930=HEAD + rows(4))
    import_bars(data, source, "XKRX", now=NOW)
    assert bars.read(data, "XKRX")["taken_at"].to_list() == [None] * 4


def test_the_time_of_taking_may_be_told_later(source, data):
    put(source, t005930=HEAD + rows(3))
    import_bars(data, source, "XKRX")
    report = import_bars(data, source, "XKRX", TAKEN)
    assert (report.changed, report.issues) == (True, ())
    assert bars.read(data, "XKRX")["taken_at"].to_list() == [None, None, TAKEN]
    assert not import_bars(data, source, "XKRX", TAKEN).changed


def test_a_time_of_taking_that_marks_nothing_is_noted(source, data):
    put(source, t005930=HEAD + rows(3))
    report = import_bars(data, source, "XKRX", TAKEN + timedelta(days=30), NOW)
    assert codes(report) == ["taken_at_unused"]
    assert import_log(data, "XKRX")[0]["issues"] == []


@pytest.mark.parametrize("taken_at", [datetime(2026, 10, 3, 10, 13), NOW + timedelta(minutes=1)])  # noqa: DTZ001
def test_a_time_of_taking_without_zone_or_to_come_is_wrong_use(source, data, taken_at):
    put(source, t005930=HEAD + rows(3))
    with pytest.raises(NotAnInstant):
        import_bars(data, source, "XKRX", taken_at, NOW)


def test_a_bar_of_a_day_to_come_is_refused(source, data):
    put(source, t005930=HEAD + "2026-11-20,100,110,90,105,1,1\n", t000660=HEAD + "2026-11-18,100,110,90,105,1,1\n")
    report = import_bars(data, source, "XKRX", now=NOW)
    assert report.quarantined == ("005930.csv",)
    assert codes(report) == ["date_out_of_range"]


# What cannot be done.


def test_wrong_use_changes_nothing(source, data):
    with pytest.raises(SourceMissing):
        import_bars(data, source, "XKRX")
    with pytest.raises(UnknownMarket):
        import_bars(data, source, "SAMPLE")
    with pytest.raises(SourceMissing, match="is no file"):
        import_universe(data, source, "XKRX")
    assert state(data) == {}


def test_a_second_import_at_the_same_time_waits_and_says_so(source, data, monkeypatch):
    put(source, t005930=HEAD + rows(3))
    monkeypatch.setattr(import_market, "WAIT_S", 0)
    with lock.held(data / "locks" / "build.lock"), pytest.raises(lock.Busy, match="at work"):
        import_bars(data, source, "XKRX")
    assert import_bars(data, source, "XKRX").changed


def test_a_store_that_was_tampered_with_is_not_built_upon(source, data):
    put(source, t005930=HEAD + rows(3))
    import_bars(data, source, "XKRX")
    index = read_index(data, "XKRX")
    (data / "imports" / index.log).write_text("{}")
    with pytest.raises(BarsDamaged):
        import_bars(data, source, "XKRX")


KILLED = """
import os, sys
from pathlib import Path
from quantassay.jobs import import_market
from quantassay.store import bars
stop = int(sys.argv[3])
def killing(real, count=[0]):
    def replaced(*arguments):
        count[0] += 1
        if count[0] == stop:
            os.kill(os.getpid(), 9)
        return real(*arguments)
    return replaced
bars.replace_file = killing(bars.replace_file)
bars.write_index = killing(bars.write_index)
import_market.import_bars(Path(sys.argv[1]), Path(sys.argv[2]), "XKRX")
"""


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_kill_in_the_middle_leaves_the_old_state_and_the_next_import_is_whole(source, data, stop):
    """Killed before the Parquet, before the log, before the index."""
    put(source, t005930=HEAD + rows(3))
    import_bars(data, source, "XKRX")
    before = (bars.read(data, "XKRX"), import_log(data, "XKRX"))
    put(source, t005930=HEAD + rows(5), t000660=HEAD + rows(2))
    done = subprocess.run([sys.executable, "-c", KILLED, data, source, str(stop)], check=False, capture_output=True)
    assert done.returncode == -9
    assert bars.read(data, "XKRX").equals(before[0])
    assert import_log(data, "XKRX") == before[1]
    import_bars(data, source, "XKRX")
    assert bars.read(data, "XKRX").height == 7
    assert len(list((data / "bars" / "XKRX").iterdir())) == 2
    assert len(list((data / "imports").glob("*.json"))) == 1


def test_random_damage_never_leaves_half_an_import(source, data):
    """A damaged correction either replaces the ticker whole or changes nothing of it."""
    chance = random.Random(7)
    good = (HEAD + rows(30)).encode()
    put(source, t005930=good.decode(), t000660=good.decode())
    import_bars(data, source, "XKRX")
    for _ in range(60):
        damaged = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            place = chance.randrange(len(damaged))
            damaged[place : place + chance.randrange(3)] = bytes(
                chance.randrange(256) for _ in range(chance.randrange(3))
            )
        (source / "005930.csv").write_bytes(damaged)
        before = bars.read(data, "XKRX").filter(pl.col("ticker") == "005930")
        report = import_bars(data, source, "XKRX")
        after = bars.read(data, "XKRX")
        hurt = after.filter(pl.col("ticker") == "005930")
        assert after.filter(pl.col("ticker") == "000660").height == 30
        if "005930.csv" in report.loaded:
            assert all(issue.code in HARMLESS for issue in report.issues)
            assert hurt.height == report.rows - 30
        else:
            assert hurt.equals(before)
        log, _ = import_log(data, "XKRX")
        assert {f["file"] for f in log["files"] if f["loaded"]} == {"000660.csv", "005930.csv"}


def test_every_error_is_one_sentence_of_ours():
    for error in (NotAnInstant("x", "is none"), BarNotFound("XKRX", "/a"), UniverseDamaged(Path("u.json"))):
        assert isinstance(error, AssayError)
        assert "\n" not in str(error)


# The real files.


def test_the_real_bars_are_imported_and_explained(shared, data):
    folder = shared / "data" / "kosdaq_daily"
    taken_at = datetime(2025, 12, 17, 1, 13, tzinfo=UTC)
    report = import_bars(data, folder, "XKRX", taken_at, NOW)
    assert (report.files, report.rows, report.quarantined) == (78, 14_933, ())
    frame = bars.read(data, "XKRX")
    assert frame.filter(pl.col("taken_at").is_not_null()).height == 50
    lines = explain_bar(data, "XKRX", "/247540/2025-12-17/volume")
    assert lines[0] == "volume = 138088"
    number = int(lines[2].split()[2])
    assert (
        (folder / "247540.csv")
        .read_text(encoding="utf-8-sig")
        .splitlines()[number - 1]
        .startswith("2025-12-17,167500.0")
    )
    assert not import_bars(data, folder, "XKRX", taken_at, NOW).changed
