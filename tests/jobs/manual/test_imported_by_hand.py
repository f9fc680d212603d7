"""What a build is handed of the imports by hand: values with digests, loaded late, and without a mark of their own."""

import subprocess
import sys

import polars as pl
import pytest

from quantassay import cli
from quantassay.jobs import desk as desks
from quantassay.jobs import imported_by_hand
from quantassay.jobs.imported_by_hand import content, handed, manual_log
from quantassay.store import manual_facts
from quantassay.store.manual_index import ManualDamaged

NAMES = ("manual_facts", "manual_log", "listing_import")


def handed_of(desk):
    return {one.name: one for one in handed(desks.opened(desk.root))}


def test_a_desk_without_imports_is_handed_empty_values(desk):
    given = handed_of(desk)
    assert tuple(given) == NAMES
    assert given["manual_facts"].load().equals(manual_facts.empty())
    assert given["manual_log"].load() == {"feeds": {"short_balance": [], "etf_nav": [], "listing": []}}
    assert given["listing_import"].load() is None
    assert {one.digest for one in given.values()} == {"none"}


def test_what_was_imported_is_handed_as_it_is_stored(desk):
    desk.imports("short_balance", desk.shorts(t900010=5))
    desk.imports("listing", desk.companies(("A", "900010", "x")), date="2026-11-16")
    given = handed_of(desk)
    frame = given["manual_facts"].load()
    assert isinstance(frame, pl.DataFrame)
    assert frame.schema == manual_facts.SCHEMA
    (entry,) = given["manual_log"].load()["feeds"]["short_balance"]
    assert sorted(entry) == ["digest", "facts", "file", "first", "imported_at", "last", "layout", "rows"]
    assert (entry["imported_at"], entry["rows"], entry["facts"]) == ("2026-11-20T00:05:30+00:00", 1, 5)
    assert given["listing_import"].load()["names"][0]["ticker"] == "900010"
    assert all(one.marks == () for one in given.values())
    assert given["manual_facts"].explain("/short_balance/900010/2026-11-16/balance_shares")[0] == "balance_shares = 5"
    assert given["manual_log"].explain("/feeds/listing/0")[0].startswith("companies.xls")
    assert given["listing_import"].explain("/names/900010")[1].startswith("row 2: A | 900010")


@pytest.mark.parametrize("name", NAMES)
def test_a_digest_changes_with_what_it_names_and_is_seen_to_change(desk, name):
    desk.imports("short_balance", desk.shorts(t900010=5))
    desk.imports("listing", desk.companies(("A", "900010", "x")), date="2026-11-16")
    before = handed_of(desk)[name]
    assert before.recheck() == before.digest
    desk.imports("short_balance", desk.shorts(day="20261117", t900010=5))
    desk.imports("listing", desk.companies(("A", "900010", "y"), name="b.xls"), date="2026-11-17")
    assert before.recheck() == content(desk.data, name) != before.digest


def test_damage_is_an_error_when_the_value_is_asked_for(desk):
    desk.imports("listing", desk.companies(("A", "900010", "x")), date="2026-11-16")
    given = handed_of(desk)
    (path,) = desk.store.glob("list-*")
    path.write_text(path.read_text().replace("900010", "900020"))
    with pytest.raises(ManualDamaged, match="list-2026-11-16"):
        given["listing_import"].load()


def test_the_ages_tell_how_far_each_feed_reaches(desk):
    assert list(imported_by_hand.ages(desk.data)) == []
    desk.imports("short_balance", desk.shorts(day="20261117", t900010=5))
    desk.imports("short_balance", desk.shorts(t900010=5))
    assert list(imported_by_hand.ages(desk.data)) == [
        (
            "manual short_balance",
            "up to 2026-11-17, last imported 2026-11-20T00:05:30+00:00 (잔고_KOSPI_20261116.csv)",
        )
    ]


def test_being_handed_and_asked_for_the_log_loads_nothing_heavy(desk):
    desk.imports("short_balance", desk.shorts(t900010=5))
    code = """
import sys
from pathlib import Path
from quantassay.jobs import desk, imported_by_hand
given = list(imported_by_hand.handed(desk.opened(Path(sys.argv[1]))))
given[1].load(), given[2].load()
print(*sorted({"polars", "numpy", "lxml", "python_calamine", "holidays"} & set(sys.modules)), "-")
"""
    done = subprocess.run([sys.executable, "-c", code, desk.root], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "-"


def test_an_import_that_brings_nothing_loads_no_polars(desk):
    file = desk.shorts(t900010=5)
    desk.imports("short_balance", file)
    code = """
import sys
from datetime import datetime
from pathlib import Path
from quantassay.jobs.manual_imports import Options, run
now = datetime.fromisoformat("2026-11-20T00:05:30+00:00")
print(run(Path(sys.argv[1]), "short_balance", Path(sys.argv[2]), Options(now=now)).changed)
print(*sorted({"polars", "numpy", "holidays"} & set(sys.modules)), "-")
"""
    done = subprocess.run([sys.executable, "-c", code, desk.root, file], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "-"]


def test_the_log_of_one_feed_is_not_that_of_another(desk):
    desk.imports("etf_nav", desk.navs(d20261118="10000.50"))
    assert {feed: len(those) for feed, those in manual_log(desk.data)["feeds"].items()} == {
        "short_balance": 0,
        "etf_nav": 1,
        "listing": 0,
    }


def test_the_status_of_a_desk_tells_the_age_of_each_feed(desk, capsys):
    desk.imports("short_balance", desk.shorts(t900010=5))
    assert cli.run(["-C", str(desk.root), "status"]) in (0, 1)
    rows = [line for line in capsys.readouterr().out.splitlines() if "manual" in line and "input" in line]
    assert len(rows) == 1
    assert "manual short_balance up to 2026-11-16, last imported 2026-11-20T00:05:30+00:00" in " ".join(rows[0].split())
