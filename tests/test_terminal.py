"""A progress line shows on a terminal, for what takes over a second, and goes away again."""

import os
import pty

import pytest


@pytest.fixture
def slow(toy):
    toy.builder("a", "", "import time\ntime.sleep(1.1)\nreturn {}")
    toy.builder("b", "a", "return {}")
    return toy


def on_terminal(toy, *arguments):
    """What the command writes to a terminal that is its standard error."""
    master, slave = pty.openpty()
    done = toy.process(*arguments, capture_output=False, stdout=-1, stderr=slave)
    os.close(slave)
    try:
        said = os.read(master, 10_000)
    except OSError:
        said = b""  # nothing was ever written there
    os.close(master)
    return done.stdout, said.decode()


def test_a_long_build_shows_how_far_it_is(slow):
    out, said = on_terminal(slow, "build")
    assert said == "\r[2/2] b\r       \r"
    assert out == "built     a\nbuilt     b\n2 built\n"


def test_nobody_who_looks_at_a_pipe_or_wants_quiet_sees_it(slow):
    done = slow.process("build")
    assert done.stderr == ""
    slow.builder("a", "", "import time\ntime.sleep(1.2)\nreturn {'x': 1}")
    assert on_terminal(slow, "-q", "build") == ("", "")
