"""One run at a time: who holds the lock, waiting for it, and what a crash leaves."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from quantassay.harness import lock
from quantassay.harness.files import Unwritable
from quantassay.harness.lock import Busy, held

HOLD = """
import sys, time
from pathlib import Path
from quantassay.harness import lock
sys.argv[1:] = ["build", "first+"]
with lock.held(Path({path!r})):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "locks" / "build.lock"


@pytest.fixture
def owner(path):
    process = subprocess.Popen([sys.executable, "-c", HOLD.format(path=str(path))], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_run_is_told_who_holds_the_lock(path, owner):
    with pytest.raises(Busy) as raised, held(path):
        pytest.fail("two hold the lock")
    assert str(raised.value) == (
        f"process {owner.pid} (`assay build first+`) is at work in this workspace (lock {path}); "
        "try again when it has ended"
    )
    assert raised.value.exit_code == 2
    with pytest.raises(Busy, match=r"; waited 0\.1 s;"), held(path, wait_s=0.1):
        pytest.fail("two hold the lock")


def test_the_lock_is_free_after_kill_9(path, owner):
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    with held(path):
        assert json.loads(path.read_text())["pid"] == os.getpid()
    assert path.read_text() == ""


def test_a_run_waits_for_its_turn(path):
    order = []

    def first():
        with held(path):
            order.append("first begins")
            begun.set()
            time.sleep(0.2)
            order.append("first ends")

    begun = threading.Event()
    thread = threading.Thread(target=first)
    thread.start()
    begun.wait()
    with held(path, wait_s=60):
        order.append("second begins")
    thread.join()
    assert order == ["first begins", "first ends", "second begins"]


def test_the_lock_is_given_back_when_the_run_fails(path):
    with pytest.raises(ZeroDivisionError), held(path):
        raise ZeroDivisionError
    with held(path):
        pass


@pytest.mark.parametrize("text", ["", "{", "5", "{}", "[]", '{"pid": 7}'])
def test_an_owner_that_has_not_written_its_name_yet_is_another_run(path, text):
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert lock._owner(path) == "another run"


def test_a_lock_that_cannot_be_made_is_one_sentence(path):
    path.parent.parent.write_text("data is a file")
    with pytest.raises(Unwritable, match=r"build\.lock cannot be written: .*/data/locks is no folder"), held(path):
        pytest.fail("there is no lock")
