"""A desk that may fetch bars: the exchange's Open API on loopback, its key set and approved; pykrx of any kind."""

import importlib.util
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from quantassay import cli
from quantassay.jobs import fetched_answers
from quantassay.jobs.fetch import fetch
from quantassay.jobs.fetch_wish import Wish
from quantassay.jobs.imported import import_log
from quantassay.store import bars

FAKES = Path(__file__).parents[2] / "fakes"
FEEDS = "spec/33_bar_feeds.yaml"
TUESDAY = date(2025, 6, 17)
NEXT_MORNING = datetime(2025, 6, 18, 0, 30, tzinfo=UTC)  # 09:30 on Wednesday in Seoul
APPROVAL = """id: "{id}"
subject: "{subject}"
name: "{name}"
workspace: "desk"
proposer: "Lee Jun"
approver: "Kim Mina"
reason: "The owner has read the exchange's terms."
granted: "{granted}"
expires: "{expires}"
"""


def loaded(name):
    spec = importlib.util.spec_from_file_location(f"fake_{name}", FAKES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A new desk whose calendar was worked out once. To be left as it is."""
    folder = tmp_path_factory.mktemp("made") / "desk"
    assert cli.run(["-q", "init", str(folder)]) == 0
    text = (folder / FEEDS).read_text(encoding="utf-8")
    for old, new in (
        ("least_names: 600", "least_names: 2"),
        ("least_names: 1000", "least_names: 2"),
        ("most_days_back: 40", "most_days_back: 36000"),
        ("answer_s: 60", "answer_s: 1"),
        ("first_wait_s: 2", "first_wait_s: 0.01"),
        ('largest_refused_share: "0.05"', 'largest_refused_share: "0.40"'),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / FEEDS).write_text(text, encoding="utf-8")
    fetch(folder, Wish(first=TUESDAY, last=TUESDAY, source="kis", now=NEXT_MORNING))
    return folder


@pytest.fixture
def api():
    with loaded("krx_openapi").opened() as opened:
        yield opened


class Desk:
    """The desk, what it fetches and what it holds then."""

    key = loaded("krx_openapi").KEY

    def __init__(self, toy, monkeypatch):
        self.root, self.write, self.run, self.monkeypatch = toy.root, toy.write, toy.run, monkeypatch

    def change(self, old, new):
        """Another word in the spec of the feeds."""
        text = (self.root / FEEDS).read_text(encoding="utf-8")
        assert text.count(old) == 1, old
        self.write(FEEDS, text.replace(old, new))

    def approve(self, day):
        what = (("data_source", "krx_openapi"), ("credential", "krx_openapi_key"))
        for number, (subject, name) in enumerate(what, start=1):
            said = {"id": f"A{number:03}", "subject": subject, "name": name}
            text = APPROVAL.format(**said, granted=day, expires=day + timedelta(days=30))
            self.write(f"governance/approvals/A{number:03}_{name}.yaml", text)

    def pykrx(self, mode):
        folder = self.root.parent / "pykrx"
        shutil.rmtree(folder, ignore_errors=True)
        self.monkeypatch.setenv("PYTHONPATH", str(loaded("pykrx_package").write(folder, mode)))

    def fetch(self, now=NEXT_MORNING, **wish):
        return fetch(self.root, Wish(**{"first": TUESDAY, "last": TUESDAY, "now": now, **wish}))

    def stored(self):
        return bars.read_or_empty(self.root / "data", "XKRX")

    def log(self):
        return import_log(self.root / "data", "XKRX")[0]

    def answers(self):
        found = (self.root / "data/fetches").glob("*/XKRX_*.json")
        return sorted(path.name for path in found if not path.name.endswith(fetched_answers.NOTE))


@pytest.fixture
def desk(toy, made, api, monkeypatch):
    """The desk with the exchange's API on loopback, allowed and approved, its key set; pykrx not installed."""
    shutil.copytree(made, toy.root, dirs_exist_ok=True)
    desk = Desk(toy, monkeypatch)
    desk.change("https://data-dbg.krx.co.kr", api.root)
    for file, name in (("data_sources", "krx_openapi"), ("credentials", "krx_openapi_key")):
        path = toy.root / f"governance/{file}.yaml"
        before, mark, after = path.read_text(encoding="utf-8").partition(f'id: "{name}"')
        path.write_text(before + mark + after.replace('"refused"', '"allowed"', 1), encoding="utf-8")
    desk.approve(date(2025, 6, 1))
    monkeypatch.setenv("AUTH_KEY", desk.key)
    desk.pykrx("missing")
    return desk
