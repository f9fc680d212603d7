"""The scheduler: one a workspace, told by name; it begins what is due at its minute and waits for none of it."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys

import pytest

from quantassay.jobs import children, schedule
from quantassay.jobs.children import LATE, Ended
from quantassay.jobs.operations import UnknownTime
from quantassay.jobs.single_owner import Owned, is_taken, taken
from tests.jobs.operations.conftest import at


class Ending:
    """A process that has ended."""

    def __init__(self, code):
        self.code = code

    def poll(self):
        return self.code


class Begun:
    """Pretends to begin processes: what was begun when, and how each ends; one that hangs is a real one."""

    def __init__(self, clock):
        self.clock, self.all, self.codes, self.hanging = clock, [], {}, []

    def __call__(self, folder, arguments, output):  # noqa: ARG002 - where it runs and writes does not matter here
        words = " ".join(arguments)
        self.all.append((self.clock.now().strftime("%d %H:%M:%S"), words))
        code = self.codes.get(words, 0)
        if code is not None:
            return Ending(code)
        self.hanging.append(subprocess.Popen(["sleep", "60"], start_new_session=True))
        return self.hanging[-1]

    def times(self, words):
        return [time for time, said in self.all if said == words]


def serve(desk, rounds, *times):
    begun, said, left = Begun(desk.clock), [], iter(range(rounds))
    schedule.serve(desk.root, desk.clock, times, said.append, lambda: next(left, None) is not None, begun)
    return begun, said


def test_it_begins_a_round_at_each_due_time_and_every_minute(desk):
    begun, said = serve(desk.to(at(17, 9, 0, 10)), 4)
    # A minute after it began would be 09:01:10: the due time comes first.
    assert begun.times("-q run-due") == ["17 09:00:10", "17 09:01:00", "17 09:02:00", "17 09:03:00"]
    assert begun.times("-q notices send") == begun.times("-q run-due")
    assert said == [
        "next: execute on Tue 2026-11-17 at 09:01 KST (open+1m)",
        "next: reconcile_early on Tue 2026-11-17 at 09:20 KST (open+20m)",
    ]


def test_the_times_that_were_asked_for_are_handed_on(desk):
    begun, said = serve(desk.to(at(17, 9, 0, 10)), 2, "15:40", "09:01")
    assert begun.all[0] == ("17 09:00:10", "-q run-due --times 15:40 --times 09:01")
    assert said[-1] == "next: prepare on Tue 2026-11-17 at 15:40 KST (close+10m)"
    with pytest.raises(UnknownTime):
        serve(desk, 1, "15:41")


def test_it_waits_for_nobody_and_ends_a_delivery_that_hangs(desk):
    begun = Begun(desk.clock)
    begun.codes = {"-q notices send": None, "-q run-due": None}
    said, left = [], iter(range(10))
    schedule.serve(desk.root, desk.to(at(17, 12)).clock, (), said.append, lambda: next(left, None) is not None, begun)
    for one in begun.hanging:
        one.kill()
        one.wait()
    # Rounds of jobs that are still at work are left to their own limits, deliveries are ended and begun anew.
    assert len(begun.times("-q run-due")) == 8
    assert begun.times("-q notices send")[:3] == ["17 12:00:00", "17 12:03:00", "17 12:06:00"]
    assert said[1] == "notices: ended, it took longer than 120 seconds"


def test_a_round_that_failed_is_told_and_a_spec_that_breaks_does_not_end_it(desk):
    begun, said, left = Begun(desk.clock), [], iter(range(4))
    begun.codes = {"-q run-due": 3}

    def goes_on():
        number = next(left, None)
        if number == 1:
            desk.change('at: "open+1m"', 'at: "open+999m"')
        return number is not None

    schedule.serve(desk.root, desk.to(at(17, 12)).clock, (), said.append, goes_on, begun)
    assert len(begun.times("-q run-due")) == 4
    assert "run-due: exit 3" in said
    assert [words for words in said if "'open+999m' is no time of a session" in words]


def test_the_system_is_told_that_it_lives(desk, tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as system:
        system.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        serve(desk.to(at(17, 12)), 2)
        system.setblocking(False)
        assert [system.recv(99) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    serve(desk, 1)


# One owner.


def test_a_second_scheduler_is_told_who_keeps_the_first(desk):
    with taken(schedule.lock(desk.root), "the schedule of this workspace", at(17, 12)), pytest.raises(Owned) as refused:
        serve(desk, 1)
    assert str(refused.value).startswith(f"the schedule of this workspace is kept by process {os.getpid()} of boot "), (
        refused.value
    )
    assert "since 2026-11-17T12:00:00+09:00 (lock " in str(refused.value)
    assert is_taken(schedule.lock(desk.root)) is False


def test_a_scheduler_that_was_killed_leaves_no_lock_behind(desk):
    # It goes by the clock of this machine, so it is given nothing to run.
    spec = desk.root / "spec/29_operations.yaml"
    lines = [line for line in spec.read_text().splitlines() if "catch_up_m: " not in line]
    spec.write_text("\n".join(lines).replace("\njobs:", "\njobs: []"))
    child = subprocess.Popen(
        [*children.PROGRAM, "-C", str(desk.root), "schedule"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "next: no job is kept\n"
    assert is_taken(schedule.lock(desk.root))
    assert json.loads(schedule.lock(desk.root).read_bytes())["owner"].startswith(f"process {child.pid} ")
    second = desk.assay("schedule")
    assert (second.code, f"process {child.pid} " in second.err) == (2, True)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not is_taken(schedule.lock(desk.root))
    serve(desk, 1)


def test_a_command_goes_on_holding_the_lock_of_its_job(tmp_path, monkeypatch):
    path = tmp_path / "locks" / "job.lock"
    monkeypatch.setattr(children, "PROGRAM", (sys.executable, "-c", "import time; time.sleep(60)"))
    with taken(path, "the job", at(17, 12)) as descriptor:
        child = children.begin(tmp_path, (), subprocess.DEVNULL, (descriptor,))
    # Whoever began it is at an end, and it is not.
    assert is_taken(path)
    children.end(child)
    assert not is_taken(path)


def test_an_owner_that_cannot_be_told_is_another_process(tmp_path):
    path = tmp_path / "job.lock"
    path.write_text("{")
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Owned, match="is kept by another process"), taken(path, "the job", at(17, 12)):
            pass


# Commands in processes of their own.


def test_a_command_is_run_with_its_output_and_ended_by_the_clock(desk, monkeypatch):
    start = children.starter(desk.root)
    assert start(("notices", "list"), 60) == Ended(0, "no notice was left yet")
    assert start(("nonsense",), 60).code == 2
    # A process that goes on and on, with one below it that holds the output open.
    script = "import subprocess, sys; print('begun', flush=True); subprocess.run(['sleep', '60'])"
    monkeypatch.setattr(children, "PROGRAM", (sys.executable, "-c", script))
    assert start((), 0.5) == Ended(LATE, "begun")


def test_commands_say_what_they_would_do(desk):
    said = desk.assay("schedule", "-n", "--times", "15:40", "09:01")
    assert said.code == 0
    assert {line.split()[0] for line in said.out.splitlines()} == {"prepare", "execute"}
    assert desk.assay("schedule", "09:01").code == 2
    assert "times follow --times" in desk.assay("run-due", "09:01").err
    assert desk.assay("run-due", "-n").code == 0
