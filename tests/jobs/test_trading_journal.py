"""What is handed of the journal: nothing where there is none, without SQLite; else all up to its last line."""

import json
import subprocess
import sys

import pytest

from quantassay.jobs import trading_journal
from tests.fakes import journals

EMPTY = """
import sys
from pathlib import Path
from quantassay.jobs import trading_journal
handed = trading_journal.handed(Path(sys.argv[1]), ("SAMPLE",))
print(handed.digest, handed.marks, handed.load()["events"], handed.explain("/events"))
print([name for name in ("sqlite3", "quantassay.store.journal_reading") if name in sys.modules])
"""


@pytest.fixture
def data(tmp_path):
    journals.write(tmp_path / "journal.sqlite3", journals.rows("left_open"))
    return tmp_path


def test_without_a_journal_nothing_is_handed_and_sqlite_is_not_loaded(tmp_path):
    done = subprocess.run([sys.executable, "-c", EMPTY, tmp_path], capture_output=True, text=True, check=True)
    handed, loaded = done.stdout.splitlines()
    assert handed == ("none ('SAMPLE',) [] ['data/journal.sqlite3: there is no journal yet, nothing was ever sent']")
    assert loaded == "[]"
    assert not (tmp_path / "journal.sqlite3").exists()


def test_what_is_handed_is_the_journal_as_it_was_then(data):
    handed = trading_journal.handed(data, ())
    journals.write(data / "journal.sqlite3", [journals.rows("halt")[-1]])
    assert handed.load() == journals.journal("left_open")
    assert trading_journal.handed(data, ()).digest != handed.digest


def test_a_place_is_explained_by_its_line(data):
    explain = trading_journal.handed(data, ()).explain
    fill = next(one for one in journals.journal("left_open")["events"] if one["kind"] == "fill")
    line, value = explain(f"/events/{fill['seq']}/body/amount")
    told = f"line {fill['seq']}: fill of fbd4de1b7f69-001-1 at {fill['at']}, {fill['digest']}"
    assert line == f"data/journal.sqlite3 {told}"
    assert value == "body/amount: 568500"
    assert explain("/events/3/body/data/orders/2/limit_price")[1] == "body/data/orders/2/limit_price: 10810"
    assert explain("/events/99") == [*explain("/events"), "it has no line 99"]
    assert explain("/head")[0].startswith("data/journal.sqlite3: 13 lines, the last is 13 sha256:")
    assert len(explain("/events/3/body/data")[1]) < 200
    assert len(explain("/events/3/body/nothing")) == 1


def test_how_far_it_goes_is_told(data, tmp_path_factory):
    last = journals.rows("left_open")[-1]["at"]
    assert trading_journal.age(data) == ("journal", f"13 lines, the last of {last}")
    assert trading_journal.age(tmp_path_factory.mktemp("empty")) is None


def test_what_is_handed_is_json(data):
    assert json.loads(json.dumps(trading_journal.handed(data, ()).load())) == journals.journal("left_open")
