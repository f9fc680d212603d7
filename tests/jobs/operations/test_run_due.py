"""Jobs run at the exchange's times, each once; what was missed, cut off or disputed is told, nothing is run twice."""

import fcntl
import signal
import subprocess
import sys
import time
from zoneinfo import ZoneInfo

import pytest

from quantassay.domain.operations.times import BadTime
from quantassay.errors import AssayError
from quantassay.jobs import operations, schedule
from quantassay.jobs.children import LATE, Ended
from quantassay.jobs.operations import NoOperations, TwiceNamed, UnknownTime
from quantassay.jobs.run_due import found
from tests.jobs.operations.conftest import at


def test_a_day_of_the_desk(desk):
    ran = {}
    for instant in (
        at(17, 8, 50),
        at(17, 9, 0, 59),
        at(17, 9, 1),
        at(17, 9, 20),
        at(17, 12),
        at(17, 15, 35),
        at(17, 15, 40),
    ):
        ran[f"{instant:%H:%M:%S}"] = desk.to(instant).run_due()
    assert ran == {
        "08:50:00": [("ready", "done")],
        "09:00:59": [],
        "09:01:00": [("execute", "done")],
        "09:20:00": [("reconcile_early", "done")],
        "12:00:00": [],
        "15:35:00": [("reconcile_late", "done")],
        "15:40:00": [("prepare", "done")],
    }
    assert desk.commands.words == ["ready", "trade next-open", "reconcile", "reconcile", "run"]
    # Reconciliations tell only trouble.
    assert desk.told() == [
        ("report", "ready of 2026-11-17 08:50: done"),
        ("report", "execute of 2026-11-17 09:01: done"),
        ("report", "prepare of 2026-11-17 15:40: done"),
    ]


@pytest.fixture(params=["America/New_York", "UTC", "Pacific/Kiritimati"])
def machine_zone(request, monkeypatch):
    """At 09:01 in Seoul it is still yesterday evening in New York, and 14:01 of the same day in Kiritimati."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield ZoneInfo(request.param)
    monkeypatch.undo()
    time.tzset()


def test_the_machines_own_zone_changes_nothing(desk, machine_zone):
    assert desk.to(at(17, 9, 0, 59).astimezone(machine_zone)).run_due("09:01") == []
    assert desk.to(at(17, 9, 1).astimezone(machine_zone)).run_due("09:01") == [("execute", "done")]
    assert desk.told() == [("report", "execute of 2026-11-17 09:01: done")]
    (coming,) = schedule.coming(desk.root, desk.clock.now(), ["09:01"])
    assert schedule.told(coming) == "execute on Wed 2026-11-18 at 09:01 KST (open+1m)"


def test_nothing_is_run_twice_however_often_it_is_asked(desk):
    desk.to(at(17, 9, 1))
    assert [desk.run_due("09:01") for _ in range(3)] == [[("execute", "done")], [], []]
    # A clock that is set back, too.
    assert desk.to(at(17, 8, 55)).run_due("09:01") == []
    assert desk.to(at(17, 9, 3)).run_due("09:01") == []


def test_a_failed_job_is_told_and_not_tried_again(desk):
    desk.commands.ends["trade"] = Ended(1, "assay: the account is not armed")
    assert desk.to(at(17, 9, 5)).run_due("open+1m") == [("execute", "failed")]
    assert desk.run_due("open+1m") == []
    assert desk.told() == [("alarm", "execute of 2026-11-17 09:01: failed")]
    run = desk.runs()["execute", "17 09:01"]
    assert (run.exit_code, run.says) == (1, "assay trade next-open: exit 1\nassay: the account is not armed")


def test_orders_are_sent_only_where_the_spec_says_so(desk):
    desk.to(at(17, 9, 1)).run_due("09:01")
    assert desk.commands.words == ["trade next-open"]
    desk.change("send: false", "send: true")
    desk.to(at(18, 9, 1)).run_due("09:01")
    assert desk.commands.words[-1] == "trade next-open --send"
    assert operations.steps({"does": "execute", "send": "yes"}) == (("trade", "next-open"),)


def test_an_exam_day_moves_what_goes_by_the_open_and_the_close(desk):
    desk.to(at(18, 23)).run_due()
    assert desk.to(at(19, 9, 40)).run_due() == []
    assert desk.to(at(19, 10, 1)).run_due() == [("ready", "missed"), ("execute", "done")]
    assert desk.to(at(19, 16, 40)).run_due()[-1] == ("prepare", "done")


def test_after_a_sleep_there_is_still_time_or_it_is_told_as_missed(desk):
    desk.to(at(17, 8)).run_due()
    # Asleep from eight to nine thirty-one: execute may begin until then, ready no longer.
    assert desk.to(at(17, 9, 31)).run_due() == [("ready", "missed"), ("execute", "done"), ("reconcile_early", "done")]
    # Asleep over the next day; what is long past is told once, in the order of its times.
    missed = desk.to(at(19, 8)).run_due()
    assert missed == [
        ("reconcile_late", "missed"),
        ("prepare", "missed"),
        ("ready", "missed"),
        ("execute", "missed"),
        ("reconcile_early", "missed"),
        ("reconcile_late", "missed"),
        ("prepare", "missed"),
    ]
    assert desk.run_due() == []
    assert ("alarm", "execute of 2026-11-18 09:01: missed") in desk.told()


def test_holidays_and_weekends_have_nothing(desk):
    desk.to(at(20, 17)).run_due()
    for day in (21, 22):
        assert desk.to(at(day, 9, 1)).run_due() == []
    assert desk.to(at(23, 9, 1)).run_due("execute@open+1m") == [("execute", "done")]


def test_a_disputed_day_is_told_with_its_reason_and_not_traded(desk):
    desk.clock.instant = at(16, 9).replace(year=2027, month=7, day=19)
    calendar = operations.schedule(desk.root).calendar
    assert desk.clock.instant.date() in calendar.disputed
    desk.clock.advance(60)
    assert desk.run_due("09:01") == [("execute", "disputed")]
    assert desk.commands.asked == []
    assert desk.told() == [("alarm", "execute of 2027-07-19 09:01: disputed")]
    assert desk.run_due("09:01") == []


# A run that was cut off.


def cut_off(desk):
    """As kill -9 would: the row says started, and nobody holds the lock."""

    def killed(_):
        raise KeyboardInterrupt

    desk.commands.while_running = killed
    with pytest.raises(KeyboardInterrupt):
        desk.run_due("09:01")
    desk.commands.while_running = lambda _: None


def test_a_run_that_was_cut_off_is_told_and_begun_again(desk):
    cut_off(desk.to(at(17, 9, 1)))
    assert desk.to(at(17, 9, 3)).run_due("09:01") == [("execute", "done")]
    assert desk.told() == [
        ("alarm", "execute of 2026-11-17 09:01: begun again"),
        ("report", "execute of 2026-11-17 09:01: done"),
    ]
    assert desk.runs()["execute", "17 09:01"].attempt == 2


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from quantassay.jobs.run_due import run_due
class Clock:
    def now(self):
        return datetime.fromisoformat(sys.argv[2])
run_due(Path(sys.argv[1]), Clock(), lambda *_: os.kill(os.getpid(), signal.SIGKILL), ["09:01"])
"""


def test_after_a_real_kill_in_the_middle_it_is_the_same(desk):
    words = [sys.executable, "-c", KILLED, str(desk.root), at(17, 9, 1).isoformat()]
    assert subprocess.run(words, check=False).returncode == -signal.SIGKILL
    assert desk.to(at(17, 9, 3)).run_due("09:01") == [("execute", "done")]
    assert desk.told()[0] == ("alarm", "execute of 2026-11-17 09:01: begun again")
    assert desk.run_due("09:01") == []


def test_it_is_left_to_a_person_after_so_many_starts_and_where_there_is_no_time(desk):
    desk.to(at(17, 9, 1))
    for _ in range(3):
        cut_off(desk)
    assert desk.run_due("09:01") == [("execute", "interrupted")]
    assert desk.run_due("09:01") == []
    assert len(desk.commands.asked) == 3
    run = desk.runs()["execute", "17 09:01"]
    assert "is not begun again; see what it has done with `assay orders list`" in run.says
    cut_off(desk.to(at(18, 9, 1)))
    assert desk.to(at(18, 9, 40)).run_due("09:01") == [("execute", "interrupted")]


def test_a_run_whose_process_lives_on_is_left_alone(desk):
    # What started it is gone, and the command itself, which holds the lock as well, is still at work.
    cut_off(desk.to(at(17, 9, 1)))
    with (desk.data / "locks/job-execute.lock").open("r+") as child:
        fcntl.flock(child, fcntl.LOCK_EX)
        assert desk.to(at(17, 9, 5)).run_due("09:01") == []
        assert desk.to(at(17, 12)).run_due("09:01") == []
    assert desk.run_due("09:01") == [("execute", "interrupted")]


def test_the_command_is_handed_the_lock_and_its_time(desk):
    desk.to(at(17, 9, 1)).run_due("09:01")
    assert desk.commands.asked == [("trade next-open", 5400, 1)]


def test_a_second_process_that_comes_meanwhile_runs_nothing(desk):
    meanwhile = []

    def another(_):
        desk.commands.while_running = lambda _: None
        meanwhile.append(desk.run_due("09:01"))

    desk.commands.while_running = another
    assert desk.to(at(17, 9, 1)).run_due("09:01") == [("execute", "done")]
    assert meanwhile == [[]]
    assert desk.commands.words == ["trade next-open"]


def test_what_comes_too_late_because_of_what_ran_before_it_is_missed(desk):
    desk.commands.while_running = lambda arguments: arguments[0] == "trade" and desk.clock.advance(6 * 3600)
    assert desk.to(at(17, 9, 20)).run_due() == [("execute", "done")]
    assert desk.run_due()[0] == ("reconcile_early", "missed")


# Steps.


@pytest.mark.parametrize(
    ("fetched", "run", "state", "words"),
    [
        (Ended(0, ""), Ended(0, ""), "done", ["fetch bars", "run"]),
        (Ended(1, ""), Ended(0, ""), "failed", ["fetch bars", "run"]),
        (Ended(2, ""), Ended(0, ""), "failed", ["fetch bars"]),
        (Ended(LATE, ""), Ended(0, ""), "failed", ["fetch bars"]),
        (Ended(0, ""), Ended(-9, ""), "failed", ["fetch bars", "run"]),
    ],
)
def test_a_step_is_left_out_where_the_one_before_could_not_be_done(desk, fetched, run, state, words):
    desk.change("fetch: false", "fetch: true")
    desk.commands.ends |= {"fetch": fetched, "run": run}
    assert desk.to(at(17, 15, 40)).run_due("15:40") == [("prepare", state)]
    assert desk.commands.words == words


def test_a_long_output_is_told_by_its_end_and_without_secrets(desk):
    desk.commands.ends["trade"] = Ended(1, "x" * 3000 + "\napp_secret: abcdEFGH1234 last")
    desk.to(at(17, 9, 1)).run_due("09:01")
    (_, subject), *_ = desk.told()
    assert subject == "execute of 2026-11-17 09:01: failed"
    shown = desk.assay("notices", "show", "1").out
    assert "app_secret: (not shown) last" in shown
    assert len(shown) < 1800


# What is wrong with the spec or with what was asked.


@pytest.mark.parametrize(
    ("times", "expected", "says"),
    [
        (("15:41",), UnknownTime, r"no job .* at 15:41; there are .*execute 09:01 \(open\+1m\).*; .* ready@15:41"),
        (("trade@09:01",), UnknownTime, "no job"),
        (("9:01",), BadTime, "is no time of a session"),
    ],
)
def test_a_time_that_no_job_has_is_refused_with_those_that_there_are(desk, times, expected, says):
    with pytest.raises(expected, match=says):
        desk.run_due(*times)
    # It would be silent otherwise: nobody looks at the screen of a scheduler.
    assert desk.told() == [("alarm", "the schedule cannot be kept")]


def test_times_are_those_of_the_spec_or_a_jobs_own(desk):
    due = found(desk.root, desk.to(at(17, 15, 45)).clock, ("15:40", "09:01"))
    assert [(one.job.id, str(one.job.at)) for one in due] == [("prepare", "close+10m")]
    assert desk.to(at(17, 16, 5)).run_due("prepare@16:05", "09:01") == [("prepare", "done")]
    assert desk.run_due("prepare@16:05") == []


def test_a_spec_that_names_a_job_twice_or_is_not_there_is_refused(desk):
    desk.change('"reconcile_late"', '"reconcile_early"')
    with pytest.raises(TwiceNamed, match="the job 'reconcile_early' twice"):
        desk.run_due()
    (desk.root / "spec/29_operations.yaml").unlink()
    with pytest.raises(NoOperations, match=r"no spec/29_operations\.yaml"):
        desk.run_due()


def test_every_job_of_the_spec_is_a_command_that_there_is(desk):
    entries = operations.schedule(desk.root).entries
    for entry in entries.values():
        for arguments in operations.steps(entry):
            said = desk.assay(*arguments, "--help")
            assert said.code == 0, arguments
            assert "Usage: assay " in said.out


def test_a_dry_run_runs_and_writes_nothing(desk):
    before = found(desk.root, desk.to(at(17, 9, 0)).clock)
    assert [one.job.id for one in before] == ["ready"]
    assert desk.commands.asked == []
    assert [path.name for path in desk.data.iterdir()] == ["facts.cache"]
    assert desk.runs() == {}
    assert desk.run_due() == [("ready", "done")]


def test_an_error_of_the_workspace_is_an_alarm(desk):
    desk.change('at: "open+1m"', 'at: "open+1"')
    with pytest.raises(AssayError):
        desk.to(at(17, 9, 1)).run_due()
    assert desk.told() == [("alarm", "the schedule cannot be kept")]
