"""Cells as sites and spreadsheets write them: exact, unknown, or refused, and nothing in between."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.feeds.cell_values import Flaw, code, day, number, plain


def wide(text):
    """The same in full-width letters, as Korean input methods write them."""
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("33,055", "33055"),
        ("0.07", "0.07"),
        ("0.00", "0.00"),
        ("-0.4", "-0.4"),
        ("(0.15)", "-0.15"),
        ("(1,234)", "-1234"),
        (wide("-0.15"), "-0.15"),
        ("\u22121", "-1"),
        ("+0.04", "0.04"),
        ("-0.00", "0.00"),
        (" 5 % ", "5"),
        ("33,055주", "33055"),
        ('="0.07"', "0.07"),
        (wide("9,007,199,254,740,992"), "9007199254740992"),
    ],
)
def test_a_number_keeps_each_digit(text, value):
    made = number(text, "%주")
    assert isinstance(made, Decimal)
    assert str(made) == value


@pytest.mark.parametrize("text", ["", " ", "-", "—", wide("-"), "N/A", "null", "NaN"])
def test_a_dash_or_a_blank_is_unknown(text):
    assert number(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "1,23",
        "1.234,5",
        "007",
        "00",
        "5%",
        "3.",
        ".5",
        "1e5",
        "1.9E+11",
        "--5",
        "+-1",
        "-(1)",
        "(",
        "()",
        "0x1",
        "1_000",
        "₩100",
        "33 055",
        "1.2억",
        "▼0.15",
        "△0.15",
        "삼성",
        "1" * 41,
        "٣",
        "1,2345",
        "2026/11/20",
        "12 34",
        "TRUE",
    ],
)
def test_what_is_no_plain_number_is_refused(text):
    made = number(text)
    assert isinstance(made, Flaw)
    assert made.code == "not_a_number"
    assert "import the CSV" in made.says


def test_a_number_beyond_whole_shares_is_refused():
    assert number("9007199254740993").code == "number_too_large"


@pytest.mark.parametrize(
    "text",
    [
        "2021/01/27",
        "2021-1-27",
        "20210127",
        "2021.01.27",
        "2021. 1. 27.",
        "2021년 1월 27일",
        "2021-01-27 00:00:00",
        wide("2021/01/27"),
    ],
)
def test_a_date_can_be_written_in_these_ways(text):
    assert day(text) == date(2021, 1, 27)


@pytest.mark.parametrize(
    ("text", "code_"),
    [
        ("44223", "date_unreadable"),
        ("44223.0", "date_unreadable"),
        ("01/27/2021", "date_unreadable"),
        ("21/01/27", "date_unreadable"),
        ("2021/01-27", "date_unreadable"),
        ("2021/02/30", "date_unreadable"),
        ("2021-01-27 15:30", "date_unreadable"),
        ("", "date_unreadable"),
        ("1899/12/31", "date_out_of_range"),
    ],
)
def test_what_is_no_date_is_refused(text, code_):
    assert day(text).code == code_
    assert "Excel" in day("44223").says


@pytest.mark.parametrize("text", ["005930", "0001A0", "00088K", '="005930"', wide("005930"), " 005930 "])
def test_a_code_has_six_letters_or_digits(text):
    assert code(text) == plain(text)
    assert len(code(text)) == 6


@pytest.mark.parametrize(
    ("text", "code_", "word"),
    [
        ("5930", "code_zeros_lost", "leading zeros"),
        ("5930.0", "code_zeros_lost", "Excel"),
        ("KR7005930003", "isin_not_code", "단축코드"),
        ("A005930", "bad_ticker", "six-character"),
        ("005930.KS", "bad_ticker", "six-character"),
        ("00593가", "bad_ticker", "six-character"),
        ("", "bad_ticker", "six-character"),
    ],
)
def test_a_code_that_lost_something_is_never_completed(text, code_, word):
    made = code(text)
    assert made.code == code_
    assert word in made.says


@given(st.decimals(min_value=-(2**53), max_value=2**53, places=2))
def test_what_a_site_writes_comes_back(value):
    for text in (f"{value:,}", f"{value:f}", f"({-value:f})" if value < 0 else f"+{value:f}"):
        assert number(text) == value


@given(st.text(max_size=30))
def test_no_text_breaks_a_cell(text):
    assert isinstance(number(text), Decimal | Flaw | None)
    assert isinstance(day(text), date | Flaw)
    assert isinstance(code(text), str | Flaw)
