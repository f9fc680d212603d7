"""Workbooks: what a cell was, sheets that count, and archives that would burst."""

import io
import struct
import zipfile
from datetime import date, datetime

import openpyxl
import pytest

from quantassay.feeds.spreadsheet import read_workbook
from quantassay.feeds.table_rows import Unreadable


def rows_of(data, *, zipped=True):
    (table,) = read_workbook(data, zipped=zipped)
    return table.rows


def test_numbers_are_numbers_and_dates_are_dates(manual):
    cells = ["095570", 5930, 0.07, 45000.0, 191_034_963_600, -0.15, 1e-7, date(2026, 11, 18), True]
    assert rows_of(manual.as_xlsx([cells, [datetime.fromisoformat("2026-11-18T09:30")]])) == (
        ("095570", "5930", "0.07", "45000", "191034963600", "-0.15", "0.0000001", "2026-11-18", "TRUE"),
        ("2026-11-18 09:30:00", *[""] * 8),
    )
    assert rows_of(manual.as_xls([["095570", 5930.0, 0.07]]), zipped=False) == (("095570", "5930", "0.07"),)


def test_rows_keep_their_numbers_and_blank_ones_go(manual):
    (table,) = read_workbook(manual.as_xlsx([[], ["a", "b"], [], ["1", "2"]]), zipped=True)
    assert (table.name, table.lines) == ("Sheet1", (2, 4))


def test_hidden_sheets_and_empty_ones_do_not_count(manual):
    book = openpyxl.load_workbook(io.BytesIO(manual.as_xlsx([["seen"]], [["hidden"]], [])))
    book["Sheet2"].sheet_state = "hidden"
    kept = io.BytesIO()
    book.save(kept)
    assert rows_of(kept.getvalue()) == (("seen",),)
    assert read_workbook(manual.as_xlsx([]), zipped=True).code == "empty_file"


def changed(data, name, change):
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            text = old.read(member)
            new.writestr(member, change(text) if member == name else text)
    return kept.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b'r="A1"', b'r="XFD1048576"'),
        lambda text: text.replace(b'<row r="1"', b'<row r="1048576"').replace(b'r="B1"', b"r = 'ZZ1'"),
        lambda text: text + bytes(65 * 2**20),
    ],
)
def test_a_workbook_that_would_burst_is_not_opened(manual, change):
    burst = changed(manual.as_xlsx([["종목코드", "비중"], ["900110", 0.07]]), SHEET, change)
    assert len(burst) < 200_000
    assert read_workbook(burst, zipped=True).code == "too_large"


def test_a_damaged_workbook_is_refused(manual):
    good = manual.as_xlsx([["종목코드", "비중"], ["900110", 0.07]])
    for data in (good[:-40], good[: len(good) // 2], good[:500] + bytes(50) + good[550:]):
        assert read_workbook(data, zipped=True).code in ("cut_off", "not_text")
    torn = changed(good, SHEET, lambda text: text[: len(text) // 2])
    assert read_workbook(torn, zipped=True).code == "not_text"


def test_a_reader_that_is_too_slow_is_not_waited_for(manual):
    made = read_workbook(manual.as_xls([["종목코드", "비중"], ["900110", 0.07]]), zipped=False, patience_s=0.0001)
    assert isinstance(made, Unreadable)
    assert "TimeoutExpired" in made.says


def test_a_cell_far_out_kills_its_reader_and_nothing_else(manual):
    data = manual.as_xls([["종목코드", "비중"], ["900110", 0.07]])
    number = struct.pack("<HHHHH", 0x203, 14, 1, 1, 0)
    far = data.replace(number, struct.pack("<HHHHH", 0x203, 14, 65535, 65535, 0))
    assert far != data
    made = read_workbook(far, zipped=False)
    assert (made.code, "its reader gave up" in made.says) == ("not_text", True)
