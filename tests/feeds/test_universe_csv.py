"""Universe lists: codes keep their zeros, order is kept, and an empty list is never a universe."""

from datetime import date

import pytest

from quantassay.feeds.markets import MARKETS
from quantassay.feeds.raw_files import read_file
from quantassay.feeds.universe_csv import read_universe

HEAD = "ticker,name,close,volume,traded_value\n"
ROWS = "0015S0,Alpha,12000,500,6000000\n000660,Beta,100,20,2000\n"


def read(tmp_path, content, name="kosdaq_20261118.csv", **options):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_universe(read_file(path), MARKETS["XKRX"], **options)


def codes(result):
    return [issue.code for issue in result.issues]


def test_a_list_keeps_its_order_and_its_codes(tmp_path):
    result = read(tmp_path, "﻿" + HEAD + ROWS)
    assert result.loaded
    assert result.session == date(2026, 11, 18)
    assert [(n.ticker, n.name, n.close, n.volume, n.turnover, n.row) for n in result.names] == [
        ("0015S0", "Alpha", 12000, 500, 6000000, 2),
        ("000660", "Beta", 100, 20, 2000, 3),
    ]
    assert result.issues == ()


def test_a_portal_list_in_cp949_is_read(tmp_path):
    head = "종목코드,종목명,시장구분,종가,대비,거래량,거래대금\n"
    text = head + '"000660","하이닉스","KOSPI","1,000","5","2,000","2,000,000"\n'
    result = read(tmp_path, text.encode("cp949"))
    assert codes(result) == []
    assert [(n.name, n.close, n.turnover) for n in result.names] == [("하이닉스", 1000, 2_000_000)]


@pytest.mark.parametrize("content", [HEAD, "﻿" + HEAD, HEAD + "\n \n"])
def test_a_header_alone_is_no_empty_universe(tmp_path, content):
    result = read(tmp_path, content)
    assert codes(result) == ["header_only"]
    assert not result.loaded
    assert result.names == ()


def test_the_session_can_be_given_and_wins(tmp_path):
    assert read(tmp_path, HEAD + ROWS, "list.csv", session=date(2026, 11, 17)).session == date(2026, 11, 17)
    assert read(tmp_path, HEAD + ROWS, session=date(2026, 11, 17)).session == date(2026, 11, 17)


@pytest.mark.parametrize("name", ["list.csv", "kosdaq_20261318.csv", "kosdaq_120261118.csv", "kosdaq_2026-11-18.csv"])
def test_a_list_without_session_is_refused(tmp_path, name):
    assert codes(read(tmp_path, HEAD + ROWS, name)) == ["no_session"]


def test_a_list_of_a_day_to_come_is_refused(tmp_path):
    assert codes(read(tmp_path, HEAD + ROWS, latest=date(2026, 11, 17))) == ["date_out_of_range"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("660,Gamma,1,1,1", "bad_ticker"),
        ("00066a,Gamma,1,1,1", "bad_ticker"),
        ("000660,Gamma,1,1,1", "ticker_twice"),
        ("005930,,1,1,1", "blank_value"),
        ("005930,Gamma,,1,1", "not_a_number"),
        ("005930,Gamma,1.5,1,1", "not_a_number"),
        ("005930,Gamma,1,-1,1", "not_a_number"),
        ("005930,Gamma,1,1,1e9", "not_a_number"),
        ("005930,Gamma,1,1," + "9" * 5000, "not_a_number"),
        ("005930,Gamma,0,1,1", "zero_price"),
        ("005930,Gamma,1,1", "columns_wrong"),
    ],
)
def test_one_wrong_row_refuses_the_list_and_names_the_line(tmp_path, row, code):
    result = read(tmp_path, HEAD + ROWS + row + "\n")
    assert [(issue.row, issue.code) for issue in result.issues] == [(4, code)]
    assert not result.loaded
    assert result.names == ()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "empty_file"),
        (b"\x00\x01", "not_text"),
        ("Dear all, the list follows.\n", "not_a_table"),
        ("ticker,name,close,volume\n000660,Beta,1,1\n", "missing_column"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, content, code):
    assert codes(read(tmp_path, content)) == [code]


def test_a_list_that_cannot_be_read_is_refused(tmp_path):
    assert codes(read_universe(read_file(tmp_path / "kosdaq_20261118.csv"), MARKETS["XKRX"])) == ["unreadable"]


@pytest.mark.parametrize(
    ("day", "count"), [("20240201", 50), ("20251201", 50), ("20251212", 0), ("20251217", 50)]
)  # fmt: skip
def test_the_real_lists(shared, day, count):
    result = read_universe(read_file(shared / "data" / "universe" / f"kosdaq_{day}.csv"), MARKETS["XKRX"])
    assert len(result.names) == count
    assert codes(result) == ([] if count else ["header_only"])
    assert all(len(name.ticker) == 6 for name in result.names)


def test_a_name_that_is_a_credential_is_refused_and_not_repeated(tmp_path):
    key = "PS" + "fakeKey0123456789abcdefghijklmnopqr"
    result = read(tmp_path, HEAD + ROWS.replace("Alpha", key))
    assert codes(result) == ["credential"]
    assert (result.names, result.session) == ((), None)
    assert key not in result.issues[0].says
