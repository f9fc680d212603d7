"""A desk that keeps a schedule: its calendar worked out once, a clock that a test sets, commands that only pretend."""

import shutil
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from quantassay import cli
from quantassay.jobs import notices, operations
from quantassay.jobs.children import Ended
from quantassay.jobs.run_due import run_due
from quantassay.store.operations import Operations
from tests.fakes.trading import FakeClock

KST = ZoneInfo("Asia/Seoul")
SPEC, CREDENTIALS = "spec/29_operations.yaml", "governance/credentials.yaml"
APPROVAL = """id: "{id}"
subject: "credential"
name: "{name}"
workspace: "desk"
proposer: "Lee Jun"
approver: "Kim Mina"
reason: "The owner wants to be told."
granted: "{granted}"
expires: "{expires}"
"""


@pytest.fixture(scope="session")
def operated(tmp_path_factory):
    """A new desk with its calendar at hand. To be left as it is."""
    folder = tmp_path_factory.mktemp("operated") / "desk"
    assert cli.run(["-q", "init", str(folder)]) == 0
    operations.schedule(folder)
    return folder


class Commands:
    """Pretends to run assay commands: `ends` by first word, `asked` keeps what was wanted and for how long."""

    def __init__(self):
        self.ends, self.asked, self.while_running = {}, [], lambda _: None

    def __call__(self, arguments, longest_s, kept=()):
        self.asked.append((" ".join(arguments), longest_s, len(kept)))
        self.while_running(arguments)
        return self.ends.get(arguments[0], Ended(0, f"{arguments[0]} did well"))

    @property
    def words(self):
        return [words for words, *_ in self.asked]


class Desk:
    """The desk, its clock, and what was run and told."""

    def __init__(self, toy):
        self.root, self.write, self.assay, self.data = toy.root, toy.write, toy.run, toy.root / "data"
        self.process = toy.process
        self.clock, self.commands = FakeClock(at(16, 12)), Commands()

    def change(self, old, new, file=SPEC, count=1):
        text = (self.root / file).read_text(encoding="utf-8")
        assert text.count(old) == count, old
        self.write(file, text.replace(old, new))

    def allow(self, *logins):
        """Let governance allow these logins, from yesterday on, for the clock of this machine."""
        granted = date.today() - timedelta(1)  # noqa: DTZ011 - approvals are read by the day of this machine
        path = self.root / CREDENTIALS
        head, *entries = path.read_text(encoding="utf-8").split("  - id: ")
        for number, name in enumerate(logins, 1):
            (place,) = (i for i, entry in enumerate(entries) if entry.startswith(f'"{name}"'))
            entries[place] = entries[place].replace('status: "refused"', 'status: "allowed"')
            said = {"id": f"A{number:03}", "name": name, "granted": granted, "expires": granted + timedelta(30)}
            self.write(f"governance/approvals/A{number:03}_{name}.yaml", APPROVAL.format(**said))
        path.write_text("  - id: ".join([head, *entries]), encoding="utf-8")

    def use(self, channel, url=None):
        """Use a channel of the spec, on loopback."""
        path = self.root / SPEC
        lines = path.read_text(encoding="utf-8").splitlines()
        (place,) = (i for i, line in enumerate(lines) if f'{{id: "{channel}"' in line)
        lines[place] = lines[place].replace("used: false", "used: true")
        if url:
            before, _, _ = lines[place].partition("base_url: ")
            lines[place] = f'{before}base_url: "{url}"}}'
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def to(self, instant):
        self.clock.instant = instant
        return self

    def run_due(self, *times):
        return [(ran.job, ran.state) for ran in run_due(self.root, self.clock, self.commands, times)]

    def told(self):
        with Operations(self.data) as store:
            return [(one.kind, one.subject) for one in reversed(store.notices())]

    def runs(self):
        with Operations(self.data) as store:
            return {(run.job, run.due.astimezone(KST).strftime("%d %H:%M")): run for run in store.runs()}

    def put(self, subject="trading needs a look", key=""):
        notices.put(self.data, self.clock.now(), notices.ALARM, subject, "1 unknown", key)


def at(day, hour, minute=0, second=0):
    """An instant of November 2026 in Seoul. The 16th is a Monday, the 19th an exam day."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=KST)


@pytest.fixture
def desk(toy, operated):
    shutil.copytree(operated, toy.root, dirs_exist_ok=True)
    toy.write("spec/00_workspace.yaml", (operated / "spec/00_workspace.yaml").read_text())
    return Desk(toy)
