"""The file of operations: a job at a due time is claimed once whoever asks, runs end once, signs of life are kept."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from quantassay.store.operations import FILE, Operations
from quantassay.store.sqlite import DatabaseFault

AT = datetime(2026, 11, 20, 9, 1, tzinfo=ZoneInfo("Asia/Seoul"))
NOW = datetime(2026, 11, 20, 0, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    with Operations(tmp_path) as opened:
        yield opened


def test_a_job_is_claimed_once_for_a_due_time_in_whatever_zone_it_is_told(store):
    assert store.claim("execute", AT, "one", NOW)
    assert not store.claim("execute", AT, "two", NOW)
    assert not store.claim("execute", AT.astimezone(UTC), "two", NOW)
    assert store.claim("execute", AT + timedelta(days=1), "two", NOW)
    assert store.claim("ready", AT, "two", NOW)
    run = store.run("execute", AT)
    assert (run.state, run.attempt, run.owner, run.due) == ("started", 1, "one", AT)


CLAIM = """
import sys
from datetime import datetime
from pathlib import Path
from quantassay.store.operations import Operations
at = datetime.fromisoformat(sys.argv[2])
with Operations(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    sys.stdin.readline()
    print(store.claim("execute", at, "x", at))
"""


@pytest.mark.usefixtures("store")
def test_of_several_processes_one_has_it(tmp_path):
    words = [sys.executable, "-c", CLAIM, str(tmp_path), AT.isoformat()]
    pipe = subprocess.PIPE
    several = [subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for one in several:
        one.stdout.readline()
    for one in several:
        one.stdin.write("\n")
        one.stdin.flush()
    assert sorted(one.communicate()[0] for one in several) == ["False\n", "False\n", "True\n"]


def test_a_run_that_was_cut_off_is_taken_over_by_one_only(store):
    store.claim("execute", AT, "one", NOW)
    seen = store.run("execute", AT)
    assert store.claim_again(seen, "two", NOW)
    assert not store.claim_again(seen, "three", NOW)
    # The first owner is not dead after all: its word comes too late.
    assert not store.finish(seen, "done", 0, "", NOW)
    now = store.run("execute", AT)
    assert (now.owner, now.attempt, now.state) == ("two", 2, "started")
    assert store.finish(now, "failed", 1, "no plan", NOW)
    assert not store.finish(now, "done", 0, "", NOW)
    assert not store.claim_again(store.run("execute", AT), "four", NOW)
    ended = store.run("execute", AT)
    assert (ended.state, ended.exit_code, ended.says, ended.ended_at) == ("failed", 1, "no plan", NOW)


def test_what_was_left_out_is_put_down_once(store):
    assert store.leave("execute", AT, "missed", "asleep", NOW)
    assert not store.leave("execute", AT, "missed", "asleep", NOW)
    assert not store.claim("execute", AT, "one", NOW)
    assert [(run.job, run.attempt, run.state) for run in store.runs(AT)] == [("execute", 0, "missed")]
    assert store.runs(AT + timedelta(seconds=1)) == []


def test_the_first_and_the_latest_sign_of_life_are_kept(store):
    for minutes in range(3):
        store.beat("schedule", NOW + timedelta(minutes=minutes), f"process {minutes}")
    beat = store.beats()["schedule"]
    assert (beat.first, beat.at, beat.owner) == (NOW, NOW + timedelta(minutes=2), "process 2")


def test_what_is_old_and_done_is_dropped_and_nothing_else(store):
    old = NOW - timedelta(days=500)
    for key in ("sent", "waiting", "new"):
        store.put(old, "alarm", key, "", key)
        if key != "new":
            store.take([("one", frozenset({"alarm"}))], timedelta(hours=1), old, old)
    sent = next(row for row in store.deliveries() if store.notice(row.notice).key == "sent")
    store.record(type(sent)(sent.notice, "one", "sent", 1, old, old, ""))
    store.claim("execute", old, "x", old)
    store.leave("ready", old, "missed", "", old)
    assert store.forget(NOW - timedelta(days=400)) == 2
    assert sorted(one.key for one in store.notices()) == ["new", "waiting"]
    assert [row.notice for row in store.deliveries()] == [store.notices()[1].id]
    assert [run.job for run in store.runs()] == ["execute"]


@pytest.mark.usefixtures("store")
def test_the_file_is_its_owners_and_takes_no_state_that_there_is_not(tmp_path):
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    raw = sqlite3.connect(tmp_path / FILE)
    with pytest.raises(sqlite3.IntegrityError):
        raw.execute("INSERT INTO job_runs VALUES ('a', 'b', 'perhaps', 1, '', '', NULL, NULL, '')")
    raw.close()


@pytest.mark.usefixtures("store")
def test_a_file_that_is_kept_by_another_is_told_in_a_sentence(tmp_path):
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Operations(tmp_path, busy_s=0) as hurried, pytest.raises(DatabaseFault, match="another process kept it"):
        hurried.beat("schedule", NOW, "x")
    other.close()
