"""Several processes at one journal: one wins each race, a killed one loses nothing, all obey what one wrote."""

import subprocess
import sys

import pytest

from quantassay.domain.trading.orders import State
from quantassay.store import journal_lines
from quantassay.store.journal import CannotFollow, Halted, Journal, journal_file
from tests.fakes.small_journal import AT, BY, LATER, day, intent, name

# What a process does that is told to begin by a line on its standard input, and says each deed in a line.
CHILD = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from quantassay.domain.trading.orders import Intent, Key
from quantassay.store.journal import Journal, NotRecorded
AT = datetime.fromisoformat("2026-11-19T09:01:00+09:00")
journal = Journal(Path(sys.argv[1]))
def intent(line):
    key = Key("desk", "sha256:" + "ab" * 32, line, 1)
    return Intent(key, f"{line:06d}", "buy", 10, 1000, 990, {}, {})
def tried(what, line, do):
    try:
        print(what, line, do(), flush=True)
    except NotRecorded as error:
        print(type(error).__name__, line, flush=True)
def send(line, fence):
    return journal.send(AT, intent(line).key.order, fence, AT + timedelta(seconds=9)).seq
journal.head()
print("ready", flush=True)
"""
RACE = """
sys.stdin.readline()
for line in range(15):
    tried("intended", line, lambda: journal.intend(AT, intent(line), 1).seq)
    tried("sent", line, lambda: send(line, 1))
for line in range(15):
    tried("took", line, lambda: journal.take(AT, f"account {line}", "somebody"))
"""
ENDLESS = """
fence = journal.take(AT, "desk", "somebody")
for line in range(100_000):
    journal.intend(AT, intent(line), fence)
    print(send(line, fence), flush=True)
"""
OBEYS = """
for line in range(3):
    sys.stdin.readline()
    tried("sent", line, lambda: send(line, 1))
"""


@pytest.fixture
def path(tmp_path):
    return journal_file(tmp_path / "data")


@pytest.fixture
def started(path):
    """Start a process on the journal and wait until it is ready."""
    running = []

    def start(code):
        pipe = subprocess.PIPE
        child = subprocess.Popen([sys.executable, "-c", CHILD + code, path], stdin=pipe, stdout=pipe, text=True)
        running.append(child)
        assert child.stdout.readline() == "ready\n"
        return child

    yield start
    for child in running:
        child.kill()
        child.communicate()


def test_of_processes_that_race_one_intends_one_sends_and_each_lease_is_new(path, started):
    with Journal(path) as journal:
        assert journal.take(AT, "desk", "all of them") == 1
    children = [started(RACE) for _ in range(3)]
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    told = [line.split() for child in children for line in child.communicate()[0].splitlines()]
    for line in map(str, range(15)):
        done = [what for what, of, *_ in told if of == line]
        assert (done.count("intended"), done.count("sent"), done.count("took")) == (1, 1, 3)
        assert done.count("AlreadyIntended") == 2
    assert [sorted(seq for what, of, *seq in told if (what, of) == ("took", "3"))] == [[["1"], ["2"], ["3"]]]
    with Journal(path) as journal:
        assert journal.check() == []
        assert {order.state for order in journal.orders().values()} == {State.SENT}
        assert journal.head()[0] == 1 + 15 + 15 + 45


@pytest.mark.parametrize("after", [0, 1, 23])
def test_a_process_that_is_killed_loses_nothing_that_it_was_told(path, started, after):
    child = started(ENDLESS)
    told = [int(child.stdout.readline()) for _ in range(after)]
    child.kill()
    told += [int(line) for line in child.communicate()[0].splitlines(keepends=True) if line.endswith("\n")]
    with Journal(path) as journal:
        assert journal.check() == []
        sent = [event.seq for event in journal.events() if event.kind == "sent"]
        assert sent[: len(told)] == told
        # What was written and not told is at most the line that it was at.
        assert len(sent) <= len(told) + 1
        fence = journal.take(AT, "desk", "the next one")
        for order, one in journal.orders().items():
            if one.state is State.SENT:
                with pytest.raises(CannotFollow):
                    journal.send(AT, order, fence, LATER)


def test_a_process_that_began_earlier_obeys_a_halt_and_a_new_lease(path, started):
    with Journal(path) as journal:
        fence = journal.take(AT, "desk", "the child")
        for line in range(3):
            journal.intend(AT, intent(line), fence)
        child = started(OBEYS)

        def said():
            child.stdin.write("send\n")
            child.stdin.flush()
            return child.stdout.readline().split()[:2]

        journal.append(AT, "halt", body={**BY, "level": "all"})
        assert said() == ["Halted", "0"]
        journal.append(AT, "resume", body=BY)
        assert said() == ["sent", "1"]
        journal.take(AT, "desk", "this one")
        assert said() == ["Fenced", "2"]
        assert [one.state for one in journal.orders().values()] == [State.INTENT, State.SENT, State.INTENT]


def test_a_halt_in_the_middle_of_nothing_is_seen_by_the_next(path):
    with Journal(path) as first, Journal(path) as second:
        fence = first.take(AT, "desk", "first")
        first.intend(AT, intent(), fence)
        held = second.orders()
        second.append(AT, "halt", body={**BY, "level": "buys"})
        with pytest.raises(Halted):
            first.send(AT, name(), fence, LATER)
        second.append(AT, "resume", body=BY)
        first.send(AT, name(), fence, LATER)
        # What somebody was given does not change under them.
        assert held[name()].state is State.INTENT
        assert second.orders()[name()].state is State.SENT


def test_the_head_is_told_beside_the_journal_and_nothing_is_left_lying(path):
    day(path)
    assert sorted(one.name for one in path.parent.iterdir()) == ["journal.head", "journal.sqlite3"]
    with Journal(path) as journal:
        assert journal_lines.read_head(path) == journal.head() != (0, "")
