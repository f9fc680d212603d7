"""Lists of holidays: what their rows say, and what is no list."""

import json
from datetime import date

import pytest

from quantassay.feeds import holiday_files
from quantassay.feeds.holiday_files import BadHolidayFile, read

NAME = "holidays_us.json"


def statement(key, entry, market="XNYS"):
    (found,) = read(json.dumps({key: entry}).encode(), NAME, market)
    return found


@pytest.mark.parametrize(
    ("entry", "is_open", "note"),
    [
        ({"note": "Storm", "is_open": False}, False, "Storm"),
        ({"note": "Storm", "is_open": 0}, False, "Storm"),
        ({"note": "Storm", "is_open": "closed"}, False, "Storm"),
        ({"note": None, "is_open": True}, True, ""),
        ({"note": "a\tb\u0007  c", "is_open": "y"}, True, "a b c"),
        ({"note": "Storm"}, False, "Storm"),
        ("Storm", False, "Storm"),
        ("", None, ""),
        (None, None, ""),
        ({"note": 7}, None, ""),
    ],
)
def test_what_a_row_says(entry, is_open, note):
    found = statement("20270105", entry)
    assert (found.day, found.is_open, found.note, found.useless) == (date(2027, 1, 5), is_open, note, "")


@pytest.mark.parametrize("key", ["20270105", "2027-01-05", " 20270105 "])
def test_both_forms_of_a_date(key):
    assert statement(key, "Storm").day == date(2027, 1, 5)


@pytest.mark.parametrize("key", ["20270230", "2027-0105", "2027/01/05", "2027010", "\u0662\u0660270105", "today", ""])
def test_what_is_no_date(key):
    assert read(json.dumps({key: "Storm", "20270106": "Storm"}).encode(), NAME, "XNYS")[0].day is None


def test_a_long_note_is_cut_and_a_byte_order_mark_is_none_of_it():
    data = b"\xef\xbb\xbf" + json.dumps({"20270105": "x" * 500}).encode()
    (found,) = read(data, NAME, "XNYS")
    assert (len(found.note), found.note[-4:]) == (holiday_files.LONGEST_NOTE, "x...")


@pytest.mark.parametrize(("market", "mine"), [("XKRX", "410"), ("XNYS", "usa"), ("XSHG", "CN")])
def test_rows_of_other_countries_say_nothing(market, mine):
    row = {"natn_eng_abrv_cd": mine, "note": "Storm", "is_open": "N"}
    assert statement("20270105", row, market).useless == ""
    assert statement("20270105", row | {"natn_eng_abrv_cd": "JP"}, market).useless == f"is of JP, not of {market}"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is no JSON"),
        (b"not json", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"{}", "is empty"),
        (b"[]", "is empty"),
        (b'{"output": []}', "is empty"),
        (b"7", "holds neither dates nor rows"),
        (b'{"a": {"note": "x"}}', "holds no date"),
        (b'{"20270105": "a", "20270105": "b"}', "holds 20270105 twice"),
        (b" " * (holiday_files.LARGEST_BYTES + 1), "has more than 5,000,000 bytes"),
    ],
)
def test_what_is_no_list_is_one_sentence(data, says):
    with pytest.raises(BadHolidayFile, match=f"^{NAME} {says}; give a file like .*service$"):
        read(data, NAME, "XNYS")
