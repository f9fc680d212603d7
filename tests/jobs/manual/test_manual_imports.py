"""Files that a person downloaded, and what the desk then knows: from when on, from which row, what was corrected."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from quantassay.errors import AssayError
from quantassay.harness import lock
from quantassay.harness.workspace import NoWorkspace
from quantassay.jobs import manual_imports, quarantine
from quantassay.jobs.imported_by_hand import manual_log
from quantassay.jobs.manual_files import NothingToImport
from quantassay.jobs.manual_imports import NoManualFeeds, NotADay, NotATicker, Options
from quantassay.store import bars, manual_facts
from quantassay.store.manual_index import ManualDamaged, kept_path

NOW = datetime(2026, 11, 20, 0, 5, 30, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


def fact(desk, ticker, field="balance_shares", feed="short_balance"):
    """Every version of one fact of one session."""
    frame = manual_facts.read(desk.data).filter(feed=feed, ticker=ticker, field=field)
    return frame.sort("version").to_dicts()


def says(report, code):
    return [issue.says for issue in report.issues if issue.code == code]


def test_a_list_becomes_facts_with_their_row_and_their_day_of_use(desk):
    file = desk.shorts(t900010=700, t900020=1200)
    report = desk.imports("short_balance", file)
    (one,) = report.files
    assert (one.loaded, one.rows, one.facts, one.added, one.corrected, report.changed) == (True, 2, 10, 10, 0, True)
    assert manual_facts.read(desk.data)["field"].unique().sort().to_list() == [
        "balance_ratio",
        "balance_shares",
        "balance_value",
        "listed_shares",
        "market_value",
    ]
    (known,) = fact(desk, "900020")
    assert known == {
        "feed": "short_balance",
        "ticker": "900020",
        "session": date(2026, 11, 16),
        "field": "balance_shares",
        "value": "1200",
        "note": "",
        "file": file.name,
        "digest": one.read.digest,
        "row": 3,
        "available_from": date(2026, 11, 18),
        "imported_at": NOW,
        "version": 1,
    }
    assert fact(desk, "900010", "balance_ratio")[0]["value"] == "0.07"


@pytest.mark.parametrize(
    ("day", "today", "expected"),
    [
        ("20261112", date(2026, 11, 20), date(2026, 11, 16)),  # a weekend in between
        ("20260923", date(2026, 10, 2), date(2026, 9, 29)),  # two days of Chuseok and a weekend in between
        ("20251230", date(2026, 1, 9), date(2026, 1, 5)),  # the last day of the year and New Year in between
    ],
)
def test_a_balance_is_known_two_sessions_later_whatever_lies_in_between(desk, day, today, expected):
    now = datetime(today.year, today.month, today.day, tzinfo=UTC)
    desk.imports("short_balance", desk.shorts(day=day, t900010=5), now=now)
    assert fact(desk, "900010")[0]["available_from"] == expected


def test_a_net_asset_value_may_be_used_from_its_own_session_on(desk):
    desk.imports("etf_nav", desk.navs(d20261118="10000.50", d20261119="9999.25"))
    known = fact(desk, "900190", "nav", "etf_nav")
    assert [(one["session"], one["available_from"], one["value"]) for one in known] == [
        (date(2026, 11, 18), date(2026, 11, 18), "10000.50"),
        (date(2026, 11, 19), date(2026, 11, 19), "9999.25"),
    ]


def test_a_disputed_day_counts_as_no_session_so_that_nothing_is_known_too_early(desk):
    """The sources disagree on 2027-05-03, which the exchange may have open."""
    desk.imports("short_balance", desk.shorts(day="20270429", t900010=5), now=datetime(2027, 5, 7, tzinfo=UTC))
    assert fact(desk, "900010")[0]["available_from"] == date(2027, 5, 4)


def test_the_day_of_the_import_is_that_of_the_exchange(desk):
    """At 15:30 UTC it is tomorrow in Seoul: what is published tomorrow is out."""
    file = desk.shorts(day="20261117", t900010=5)
    assert not desk.imports("short_balance", file, now=datetime(2026, 11, 18, 14, 30, tzinfo=UTC)).files[0].loaded
    assert desk.imports("short_balance", file, now=datetime(2026, 11, 18, 15, 30, tzinfo=UTC)).files[0].loaded


def test_the_same_file_again_changes_no_byte_and_says_so(desk):
    file = desk.shorts(t900010=700)
    desk.imports("short_balance", file)
    before = desk.state()
    report = desk.imports("short_balance", file, now=LATER)
    assert (report.changed, report.files[0].loaded, report.files[0].before) == (False, True, NOW.isoformat())
    assert desk.state() == before


def test_the_same_file_by_another_name_is_the_same_file(desk):
    desk.imports("short_balance", desk.shorts(t900010=700))
    before = desk.state()
    assert not desk.imports("short_balance", desk.shorts(name="again {}.csv", t900010=700), now=LATER).changed
    assert desk.state() == before
    assert len(manual_log(desk.data)["feeds"]["short_balance"]) == 1


def test_a_corrected_file_supersedes_and_both_are_kept(desk):
    first, second = desk.shorts(t900010=700, t900020=5), desk.shorts(name="corrected {}.csv", t900010=800, t900020=5)
    desk.imports("short_balance", first)
    report = desk.imports("short_balance", second, now=LATER)
    (one,) = report.files
    assert (one.added, one.corrected) == (0, 3)
    (said,) = says(report, "superseded")
    assert said == (
        "says otherwise than before of 3 values: "
        f"900010 2026-11-16 balance_ratio is 0.08, before 0.07 ({first.name}); "
        f"900010 2026-11-16 balance_shares is 800, before 700 ({first.name}); "
        f"900010 2026-11-16 balance_value is 4000000, before 3500000 ({first.name}); "
        "both are kept, and decisions from now on see the new"
    )
    versions = fact(desk, "900010")
    assert [(v["version"], v["value"], v["file"], v["imported_at"]) for v in versions] == [
        (1, "700", first.name, NOW),
        (2, "800", second.name, LATER),
    ]
    assert len(fact(desk, "900020")) == 1
    entries = manual_log(desk.data)["feeds"]["short_balance"]
    assert [kept_path(desk.data, e["file"], e["digest"]).read_bytes() for e in entries] == [
        first.read_bytes(),
        second.read_bytes(),
    ]


def test_the_first_file_again_leaves_the_correction_and_names_the_way_back(desk):
    first, second = desk.shorts(t900010=700), desk.shorts(name="corrected {}.csv", t900010=800)
    desk.imports("short_balance", first)
    desk.imports("short_balance", second)
    report = desk.imports("short_balance", first)
    assert not report.changed
    (said,) = says(report, "superseded")
    assert said == (
        f"was imported before, and {second.name} has corrected 3 of its values since; they stay corrected: "
        "to go back to what this file says, import it with --again"
    )
    assert desk.imports("short_balance", first, again=True).changed
    assert [v["value"] for v in fact(desk, "900010")] == ["700", "800", "700"]
    assert says(desk.imports("short_balance", first), "superseded") == []


def test_two_layouts_of_one_day_add_up(desk):
    desk.imports("etf_nav", desk.navs(d20261118="10000.50"))
    rows = '일자,순자산가치(NAV),추적오차율\n"2026/11/18","10000.50","0.65"\n'
    report = desk.imports("etf_nav", desk.put("추적오차추이_900190.csv", rows))
    assert (report.files[0].added, report.files[0].corrected) == (1, 0)
    frame = manual_facts.read(desk.data)
    assert frame["version"].max() == 1
    assert sorted(frame["field"].to_list()) == ["close", "nav", "premium_percent", "tracking_error_percent"]


def test_one_file_is_the_list_of_one_day_and_another_date_takes_the_first_back(desk):
    file = desk.shorts(name="balances.csv", t900010=700)
    desk.imports("short_balance", file, date="2026-11-16")
    report = desk.imports("short_balance", file, date="2026-11-17", now=LATER)
    assert (report.files[0].added, report.files[0].corrected) == (5, 5)
    (said,) = says(report, "superseded")
    assert said == (
        "is read otherwise than when it was imported before, so 5 values that it gave for 2026-11-16, such as 900010 "
        "2026-11-16 balance_ratio, are taken back; what was known until now is kept"
    )
    assert [(v["session"].day, v["version"], v["value"], v["note"], v["row"]) for v in fact(desk, "900010")] == [
        (16, 1, "700", "", 2),
        (17, 1, "700", "", 2),
        (16, 2, None, "blank", 2),
    ]
    assert not desk.imports("short_balance", file, date="2026-11-17", now=LATER).changed


def test_a_dry_run_tells_what_would_change_and_writes_nothing(desk):
    report = desk.imports("short_balance", desk.shorts(t900010=700), dry_run=True)
    assert (report.changed, report.dry_run, report.files[0].added) == (True, True, 5)
    bad = desk.imports("short_balance", desk.put("bad.csv", "prose\n"), dry_run=True)
    assert not bad.files[0].loaded
    assert not desk.data.exists()


def test_a_refused_file_is_put_aside_with_its_reason_and_changes_nothing(desk):
    desk.imports("short_balance", desk.shorts(t900010=700))
    before = desk.state()
    bad = desk.put("잔고_20261117.csv", "prose\n")
    report = desk.imports("short_balance", bad)
    assert not report.files[0].loaded
    assert desk.state() == before
    copy, reason = sorted(quarantine.folder(desk.data).iterdir())
    assert copy.read_bytes() == b"prose\n"
    assert '"short_balance"' in reason.read_text()


def test_an_old_file_needs_to_be_called_historic(desk):
    file = desk.shorts(day="20261012", t900010=700)
    refused = desk.imports("short_balance", file)
    assert [issue.code for issue in refused.issues] == ["file_too_old"]
    assert desk.imports("short_balance", file, historic=True).files[0].loaded


def test_a_zero_of_banned_days_is_kept_as_unknown(desk):
    desk.imports("short_balance", desk.shorts(day="20210126", t900010=0, t900020=700), historic=True)
    assert [(v["value"], v["note"]) for v in fact(desk, "900010")] == [(None, "banned")]
    assert [(v["value"], v["note"]) for v in fact(desk, "900020")] == [("700", "")]


# A folder of files.


def test_of_a_folder_the_good_files_load_and_the_bad_ones_do_not_stop_them(desk):
    desk.shorts(day="20261116", t900010=5)
    desk.shorts(day="20261117", t900010=6)
    desk.put("잔고_20261113.csv", "prose\n")
    desk.put("notes.pdf", b"%PDF")
    desk.put(".~lock.잔고_20261116.csv", "what an editor leaves there\n")
    report = desk.imports("short_balance", desk.downloads)
    assert [file.loaded for file in report.files] == [False, True, True]
    assert says(report, "not_csv") == ["holds no table and was not read"]
    assert [v["value"] for v in fact(desk, "900010")] == ["5", "6"]
    before = desk.state()
    assert not desk.imports("short_balance", desk.downloads, now=LATER).changed
    assert desk.state() == before


def test_two_files_of_one_import_that_disagree_are_for_a_person_to_settle(desk):
    """`x (1).csv` sorts before `x.csv`, and may be the newer one."""
    right, other = desk.shorts(name="잔고_{} (1).csv", t900010=7), desk.shorts(name="잔고_{}.csv", t900010=5)
    report = desk.imports("short_balance", desk.downloads)
    assert [file.loaded for file in report.files] == [True, False]
    (said,) = says(report, "files_disagree")
    assert said == (
        f"differs from {right.name}, imported at the same time, in 2 values, such as 900010 2026-11-16 balance_shares: "
        "5 here, 7 there; import the right one alone, last"
    )
    assert [v["value"] for v in fact(desk, "900010")] == ["7"]
    desk.imports("short_balance", other)
    assert [v["value"] for v in fact(desk, "900010")] == ["7", "5"]
    assert not desk.imports("short_balance", desk.downloads).changed


def test_two_copies_of_one_file_in_a_folder_are_one(desk):
    desk.shorts(name="a_{}.csv", t900010=7)
    desk.shorts(name="b_{}.csv", t900010=7)
    report = desk.imports("short_balance", desk.downloads)
    assert [file.before for file in report.files] == ["", NOW.isoformat()]
    assert len(manual_log(desk.data)["feeds"]["short_balance"]) == 1


# The store can be made again from its copies.


def test_the_raw_copies_can_be_imported_again_under_their_own_names(desk):
    desk.imports("short_balance", desk.shorts(t900010=7))
    desk.imports("short_balance", desk.shorts(day="20261117", t900010=8))
    before = manual_facts.read(desk.data)
    (desk.store / "index.json").unlink()
    assert manual_facts.read(desk.data).is_empty()
    desk.imports("short_balance", desk.store / "files")
    assert manual_facts.read(desk.data).equals(before)


@pytest.mark.parametrize("what", ["facts", "log"])
def test_damage_is_noticed_also_when_nothing_would_change(desk, what):
    file = desk.shorts(t900010=7)
    desk.imports("short_balance", file)
    (path,) = desk.store.glob(f"{what}.*")
    path.write_bytes(path.read_bytes()[:-1])
    for source in (file, desk.shorts(day="20261117", t900010=8)):
        with pytest.raises(ManualDamaged, match=path.name):
            desk.imports("short_balance", source)


def test_a_lost_raw_copy_comes_back_with_its_file(desk):
    file = desk.shorts(t900010=7)
    desk.imports("short_balance", file)
    before = desk.state()
    (copy,) = (desk.store / "files").iterdir()
    copy.unlink()
    desk.imports("short_balance", file)
    assert desk.state() == before


# Closes that the desk knows.


def test_a_list_of_another_day_is_told_by_the_closes_of_the_desk(desk):
    """Three names whose price in the list is the close of no such day."""
    days = (date(2026, 11, 16), date(2026, 11, 17))
    rows = [
        {"ticker": f"9000{n}0", "session": day, "open": c, "high": c, "low": c, "close": c, "volume": 1,
         "foreign_net_buy": None, "taken_at": None, "source": "x.csv", "row": 2}
        for n in range(1, 6)
        for day, c in zip(days, (5000.0, 5100.0 + 10 * n), strict=True)
    ]  # fmt: skip
    bars.replace(desk.data, "XKRX", pl.DataFrame(rows, schema=bars.SCHEMA), b"{}\n")
    shares = {f"t9000{n}0": 100 * n for n in range(1, 6)}
    assert desk.imports("short_balance", desk.shorts(day="20261116", **shares)).files[0].loaded
    report = desk.imports("short_balance", desk.shorts(day="20261117", **shares))
    assert [issue.code for issue in report.issues if not issue.harmless] == ["wrong_day"]


# Wrong use.


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"date": "18.11.2026"}, NotADay, "18.11.2026 is no day; write it like 2026-11-18"),
        ({"date": "2026-13-01"}, NotADay, "2026-13-01"),
        ({"ticker": "69500"}, NotATicker, "69500 is no code; write six capital letters or digits"),
    ],
)
def test_wrong_options_are_one_sentence(desk, options, error, match):
    with pytest.raises(error, match=match):
        desk.imports("etf_nav", desk.navs(d20261118="10000.50"), **options)


def test_nothing_to_import_is_one_sentence(desk):
    with pytest.raises(NothingToImport, match=r"none\.csv does not exist; name the file"):
        desk.imports("short_balance", desk.downloads / "none.csv")
    (desk.downloads / "notes.pdf").touch()
    with pytest.raises(NothingToImport, match="holds no table; name the file"):
        desk.imports("short_balance", desk.downloads)


def test_a_workspace_that_lacks_something_is_told_what(desk, tmp_path):
    file = desk.shorts(t900010=7)
    with pytest.raises(NoWorkspace):
        manual_imports.run(tmp_path, "short_balance", file, Options(now=NOW))
    (desk.root / "spec" / "32_manual_feeds.yaml").unlink()
    with pytest.raises(NoManualFeeds, match=r"no spec/32_manual_feeds\.yaml.*`assay init DIR` and copy it from there"):
        desk.imports("short_balance", file)


def test_one_import_at_a_time(desk):
    file = desk.shorts(t900010=7)
    (desk.data / "locks").mkdir(parents=True)
    with lock.held(desk.data / "locks" / "build.lock"):
        assert desk.imports("short_balance", file, dry_run=True).changed
    assert desk.imports("short_balance", file).changed


def test_values_keep_the_digits_of_the_file(desk):
    desk.imports("etf_nav", desk.navs(d20261118="10000.50", d20261117="9999.00"))
    known = fact(desk, "900190", "nav", "etf_nav")
    assert [one["value"] for one in known] == ["9999.00", "10000.50"]
    assert all(Decimal(one["value"]) for one in known)


def test_every_error_is_one_sentence_of_ours():
    for error in (NotADay("x"), NotATicker("x", "y"), NoManualFeeds("z"), NothingToImport("p", "q")):
        assert isinstance(error, AssayError)
        assert "\n" not in str(error)
