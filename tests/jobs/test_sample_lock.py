"""The sample market is written by one process at a time, also when a command that only reads makes it."""

import subprocess
import sys
import time
from datetime import date

import pytest

from quantassay.harness import lock
from quantassay.jobs import imported

HOLD = """
import sys, time
from pathlib import Path
from quantassay.harness import lock
sys.argv[1:] = ["run"]
with lock.held(Path({path!r})):
    print("held", flush=True)
    time.sleep({seconds})
"""


@pytest.fixture
def holder(new_desk):
    """Start another process that holds the desk's lock for some seconds."""
    started = []

    def start(seconds):
        path = str(lock.place(new_desk.root / "data"))
        code = HOLD.format(path=path, seconds=seconds)
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def sample_is_there(toy):
    return (toy.root / "data/bars/SAMPLE/index.json").exists()


def test_it_is_not_written_while_another_process_holds_the_lock(new_desk, holder):
    holder(600)
    spec = {"sessions": 2, "as_of": "2026-11-18T15:45:00+09:00"}
    sessions = [date(2026, 11, 17), date(2026, 11, 18)]
    with pytest.raises(lock.Busy, match="is at work in this workspace"):
        imported.ensure_sample(new_desk.root / "data", spec, sessions, 0.1)
    assert not sample_is_there(new_desk)


@pytest.mark.parametrize("command", ["status", "build --dry-run"])
def test_a_command_that_reads_waits_makes_the_sample_and_keeps_no_lock(new_desk, holder, command):
    holder(2)
    started = time.monotonic()
    assert new_desk.run(*command.split()).code == 0
    assert time.monotonic() - started > 1
    assert sample_is_there(new_desk)
    with lock.held(lock.place(new_desk.root / "data")):
        pass


def test_once_it_is_there_nobody_waits(desk):
    with lock.held(lock.place(desk.root / "data")):
        assert desk.process("status").returncode == 0


def test_a_run_holds_the_lock_itself_and_does_not_wait_for_it(new_desk):
    assert new_desk.run("run").code == 0
    assert not lock.is_ours(lock.place(new_desk.root.resolve() / "data"))


def test_a_process_knows_its_own_locks(tmp_path):
    path = lock.place(tmp_path)
    assert not lock.is_ours(path)
    with lock.held(path):
        assert lock.is_ours(path)
        assert not lock.is_ours(lock.place(tmp_path / "other"))
    assert not lock.is_ours(path)
