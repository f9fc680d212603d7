"""Where a number that was imported by hand comes from: file, digest, row, and what stands in that row."""

from datetime import UTC, datetime

import openpyxl
import pytest

from quantassay.jobs.manual_explain import fact, listing_line, log_line
from quantassay.store.manual_index import kept_path

POINTER = "/short_balance/900020/2026-11-16/balance_shares"
LATER = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)


@pytest.fixture
def corrected(desk):
    """A desk with two versions of the balances of one day."""
    first = desk.imports("short_balance", desk.shorts(t900010=5, t900020=1234))
    second = desk.imports("short_balance", desk.shorts(name="new {}.csv", t900020=1300), now=LATER)
    desk.digests = [report.files[0].read.digest for report in (first, second)]
    return desk


def test_a_value_is_walked_back_to_its_row(corrected):
    digest, name = corrected.digests[0], "잔고_KOSPI_20261116.csv"
    known = "may be used from 2026-11-18, imported 2026-11-20T00:05:30+00:00"
    kept = f"data/imports/manual/files/{digest[7:23]}-{name}"
    assert fact(corrected.data, f"{POINTER}/1") == [
        "balance_shares = 1234",
        f"short_balance 900020 2026-11-16: 1234, version 1, {known}",
        f"{name} row 3 (file {digest[:19]}, kept as {kept})",
        "row 3: 900020 | Example | 1234 | 1000000 | 6170000 | 5000000000 | 0.12",
    ]


def test_without_a_version_every_one_is_told_the_newest_first(corrected):
    lines = fact(corrected.data, POINTER)
    assert lines[0] == "balance_shares = 1300"
    assert [line for line in lines if line.startswith("row ")] == [
        "row 2: 900020 | Example | 1300 | 1000000 | 6500000 | 5000000000 | 0.13",
        "row 3: 900020 | Example | 1234 | 1000000 | 6170000 | 5000000000 | 0.12",
    ]


def test_a_value_that_the_file_does_not_have_says_why(desk):
    desk.imports("short_balance", desk.shorts(day="20210126", t900010=0), historic=True)
    lines = fact(desk.data, "/short_balance/900010/2021-01-26/balance_shares")
    assert lines[0] == "balance_shares = no value (banned)"
    assert "| 0 |" in lines[-1]


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("", "manual imports: 13 values of 2026-11-16 to 2026-11-16 in 2 files"),
        ("/short_balance/900020", "short_balance 900020: 8 values of 2026-11-16 to 2026-11-16 in 2 files"),
        ("/short_balance/000000", "short_balance 000000: nothing was imported by hand"),
        (f"{POINTER}/9", "short_balance 900020 2026-11-16 balance_shares 9: nothing was imported by hand"),
        ("/etf_nav/900020/2026-11-16/nav", "etf_nav 900020 2026-11-16 nav: nothing was imported by hand"),
    ],
)
def test_a_place_without_one_value_is_counted(corrected, pointer, expected):
    assert fact(corrected.data, pointer) == [expected]


def test_a_raw_copy_that_is_gone_or_changed_is_told_and_stops_nothing(corrected):
    digest = corrected.digests[0]
    path = kept_path(corrected.data, "잔고_KOSPI_20261116.csv", digest)
    path.write_bytes(path.read_bytes().replace(b"1234", b"9999"))
    assert fact(corrected.data, f"{POINTER}/1")[-1] == (
        "the raw copy is no longer the file that was imported; put it back from a backup"
    )
    path.unlink()
    assert "the raw copy cannot be read" in fact(corrected.data, f"{POINTER}/1")[-1]


def test_the_row_is_that_of_the_sheet_that_the_value_stands_in(desk):
    book = openpyxl.Workbook()
    for row in (["What this is"], ["prices of a fund"], ["downloaded today"]):
        book.active.append(row)
    sheet = book.create_sheet("900190")
    for row in (["종목코드", "일자", "종가", "순자산가치(NAV)"], ["900190", "2026/11/18", "10,000", "10,010.00"]):
        sheet.append(row)
    book.save(desk.downloads / "fund.xlsx")
    assert desk.imports("etf_nav", desk.downloads / "fund.xlsx").files[0].loaded
    lines = fact(desk.data, "/etf_nav/900190/2026-11-18/close")
    assert lines[0] == "close = 10000"
    assert lines[-1] == "row 2: 900190 | 2026/11/18 | 10,000 | 10,010.00"


def test_an_import_is_told_by_its_number(corrected):
    first, second = corrected.digests
    (told,) = log_line(corrected.data, "/feeds/short_balance/1/last")
    assert told == (
        f"new 20261116.csv (file {second[:19]}): short balances of one day, 5 values of 2026-11-16 to 2026-11-16, "
        "imported 2026-11-23T00:00:00+00:00"
    )
    assert len(log_line(corrected.data, "/feeds/short_balance")) == 2
    assert first[:19] in log_line(corrected.data, "/feeds/short_balance")[0]
    assert log_line(corrected.data, "/feeds/listing/0") == ["listing: no file imported"]
    assert log_line(corrected.data, "") == [
        "short_balance: 2 files imported",
        "etf_nav: 0 files imported",
        "listing: 0 files imported",
    ]


def test_a_company_is_walked_back_to_its_row_of_the_web_page(desk):
    assert listing_line(desk.data, "/names/900010") == ["no list of listed companies was imported"]
    report = desk.imports("listing", desk.companies(("A", "900010", "x"), ("B", "900020", "y")), date="2026-11-16")
    digest = report.files[0].read.digest
    lines = listing_line(desk.data, "/names/900020/sector")
    assert lines[0].startswith(f"companies.xls row 3 (file {digest[:19]}, kept as data/imports/manual/files/")
    assert lines[1].startswith("row 3: B | 900020 | y | parts | 2019-05-02")
    assert listing_line(desk.data, "/as_of") == [f"companies.xls (file {digest[:19]}): 2 names of 2026-11-16"]
    assert listing_line(desk.data, "/names/900030") == ["companies.xls of 2026-11-16: 900030 is not in it"]
