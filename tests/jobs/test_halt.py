"""The kill switch: thrown in one process, obeyed by all, kept until somebody resumes."""

import subprocess
import sys
from datetime import datetime

import pytest

from quantassay.domain.trading.orders import Intent, Key
from quantassay.jobs import halt as job
from quantassay.store.journal import Journal, journal_file

AT = datetime.fromisoformat("2026-11-19T09:01:00+09:00")
# A process that began before the halt, and that sends whenever it is told to.
TRADER = """
import sys
from datetime import datetime
from pathlib import Path
from quantassay.store.journal import Journal, NotRecorded
at = datetime.fromisoformat("2026-11-19T09:01:00+09:00")
journal = Journal(Path(sys.argv[1]))
print("halted" if journal.desk().halt else "free", flush=True)
for line in sys.stdin:
    try:
        print("sent", journal.send(at, line.strip(), 1, at).seq, flush=True)
    except NotRecorded as error:
        print(type(error).__name__, error, flush=True)
"""


@pytest.fixture
def path(toy):
    return journal_file(toy.root / "data")


@pytest.fixture
def orders(path):
    """Two orders that wait to be sent: a buy and a sell."""
    with Journal(path) as journal:
        fence = journal.take(AT, "desk", "the trader")
        for line, side in enumerate(("buy", "sell")):
            key = Key("desk", "sha256:" + "cd" * 32, line, 1)
            journal.intend(AT, Intent(key, f"99000{line}", side, 10, 1_000, 990, {}, {}), fence)
        return list(journal.orders())


class Trader:
    def __init__(self, path):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, "-c", TRADER, path], stdin=pipe, stdout=pipe, text=True)
        self.began = self.process.stdout.readline().strip()

    def send(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def end(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def trader(path):
    running = []

    def start():
        running.append(Trader(path))
        return running[-1]

    yield start
    for one in running:
        one.end()


def test_a_halt_of_another_process_is_obeyed_by_one_that_began_before(toy, orders, trader):
    buy, sell = orders
    early = trader()
    assert early.began == "free"
    halted = toy.run("halt", "--why", "a wrong price was seen", "--by", "Kim Mina")
    assert halted.code == 0, halted.err
    assert "halted by Kim Mina at" in halted.out
    assert "a wrong price was seen; nothing is sent" in halted.out
    for order in orders:
        assert early.send(order).startswith("Halted trading is halted by Kim Mina since")
    # It outlives every process: what begins later, or after a reboot, reads the same line.
    late = trader()
    assert late.began == "halted"
    assert late.send(sell).startswith("Halted ")
    resumed = toy.run("resume", "--why", "the price was right", "--by", "Lee Jun")
    assert "resumed by Lee Jun; it was halted by Kim Mina since" in resumed.out
    assert early.send(buy).startswith("sent ")
    assert late.send(sell).startswith("sent ")


def test_buys_alone_can_be_stopped(toy, orders, trader):
    buy, sell = orders
    early = trader()
    assert "no buy is sent" in toy.run("halt", "--why", "no money", "--buys-only").out
    assert "no buy is sent before `assay resume --why TEXT`" in early.send(buy)
    assert early.send(sell).startswith("sent ")


def test_a_lesser_halt_weakens_nothing(toy, path):
    toy.run("halt", "--why", "everything", "--by", "Kim Mina")
    told = toy.run("halt", "--why", "less", "--buys-only")
    assert told.code == 0
    assert "stays halted; resume first" in told.out
    with Journal(path) as journal:
        halt = journal.desk().halt
        assert (halt.level, halt.why, halt.by) == ("all", "everything", "Kim Mina")
        # Both stand in the journal, whatever came of them.
        assert [event.kind for event in journal.events()] == ["halt", "halt"]


def test_what_says_nothing_or_changes_nothing_is_refused(toy, path):
    refused = toy.run("resume", "--why", "go on")
    assert (refused.code, refused.err) == (1, "assay: trading is not halted; nothing was written\n")
    refused = toy.run("halt", "--why", "  ")
    assert refused.code == 2
    assert "--why says nothing" in refused.err
    assert toy.run("halt").code == 2
    with Journal(path) as journal:
        assert journal.events() == []


def test_it_works_where_nothing_else_does(toy, path):
    # A spec that cannot be read, a folder that was never built: trading can still be stopped.
    toy.write("spec/10_broken.yaml", ":")
    assert toy.run("halt", "--why", "stop").code == 0
    assert toy.run("-q", "resume", "--why", "go").out == ""
    path.unlink()
    path.mkdir()
    refused = toy.run("halt", "--why", "stop")
    assert refused.code == 1
    assert "it is a folder; move it away" in refused.err


def test_who_does_it_is_the_login_name_unless_told(toy, monkeypatch, path):
    monkeypatch.setenv("LOGNAME", "mina")
    toy.run("halt", "--why", "stop")
    with Journal(path) as journal:
        assert journal.desk().halt.by == "mina"
    assert job.actor(" Lee Jun ") == "Lee Jun"


def test_it_is_told_to_whoever_is_to_be_told(toy):
    toy.run("halt", "--why", "a wrong price was seen", "--by", "Kim Mina")
    listed = toy.run("notices", "list")
    if listed.code == 2:
        pytest.skip("needs assay notices")
    assert "trading is halted" in listed.out
