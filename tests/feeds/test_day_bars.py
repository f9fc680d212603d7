"""The bars of one board on one day: unknown is never zero, a halt stands still, what does harm stays out by name."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest

from quantassay.feeds.day_answers import NoAnswer, Row
from quantassay.feeds.day_bars import Board, read_day
from quantassay.feeds.markets import market_of
from quantassay.store import bars

AT = datetime(2026, 11, 19, 8, 15, tzinfo=UTC)
SESSION = date(2026, 11, 18)
FILE = "krx_openapi/XKRX_KOSPI_20261118_x.json"
GOOD = Row("005930", "104,200", "105,800", "103,900", "105,300", "17,204,311", "1,806,000,000,000")
OTHER = Row("000660", "571000", "580000", "566000", "577000", "2871544", "1648000000000")


def read(*rows, least=1, share="0.99"):
    return read_day(rows, Board(market_of("XKRX"), SESSION, FILE, AT, least, Decimal(share)))


def test_bars_have_their_row_their_hour_and_their_file():
    frame = read(OTHER, GOOD).frame
    assert frame.schema == bars.SCHEMA
    assert frame.row(1, named=True) == {
        "ticker": "005930", "session": SESSION, "open": 104200.0, "high": 105800.0, "low": 103900.0, "close": 105300.0,
        "volume": 17204311, "foreign_net_buy": None, "taken_at": AT, "source": FILE, "row": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        Row("068270", "0", "0", "0", "181500", "0", "0"),
        Row("068270", "-", "-", "-", "181,500", "0", "0"),
        Row("068270", "", "", "", "181500", "0", ""),
        Row("068270", "181500", "181500", "181500", "181500", "0", "0"),
    ],
)
def test_a_halt_stands_still_at_its_close(row):
    found = read(GOOD, row)
    prices = found.frame.filter(pl.col("ticker") == "068270").select("open", "high", "low", "close", "volume")
    assert prices.rows() == [(181500.0, 181500.0, 181500.0, 181500.0, 0)]
    assert found.refused == ()


def test_a_row_without_any_value_is_no_bar_and_no_zero():
    found = read(GOOD, Row("900140", "-", "-", "-", "-", "-", "-"), Row("900150", "", "", "", "", "", ""))
    assert found.frame["ticker"].to_list() == ["005930"]
    assert [(issue.code, issue.says) for issue in found.issues] == [
        ("empty_bar", "dates without any value, so no bars: 2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"close": "-"}, "blank_value"),
        ({"open": ""}, "blank_value"),
        ({"volume": "-"}, "blank_value"),
        ({"open": "-", "high": "-", "low": "-", "volume": "-"}, "blank_value"),
        ({"open": "-", "high": "-", "low": "-"}, "blank_value"),
        ({"open": "0"}, "zero_price"),
        ({"open": "0", "high": "0", "low": "0"}, "zero_price"),
        ({"close": "0"}, "zero_price"),
        ({"volume": "-5"}, "negative_number"),
        ({"volume": "1.5"}, "volume_not_whole"),
        ({"high": "1e9"}, "not_a_number"),
        ({"high": "90,000"}, "high_below_low"),
        ({"close": "120,000"}, "outside_range"),
        ({"close": "9" * 20}, "number_too_large"),
        ({"ticker": "5930"}, "bad_ticker"),
        ({"ticker": "KR7005930003"}, "bad_ticker"),
        # A volume that lost its upper 32 bits, and one that gained a digit.
        ({"volume": "705032704", "value": "526,500,000,000,000"}, "amounts_contradict"),
        ({"volume": "172,043,110"}, "amounts_contradict"),
    ],
)
def test_a_row_that_does_harm_keeps_its_name_out_and_no_other(changes, code):
    bad = GOOD._replace(**changes)
    found = read(OTHER, bad)
    assert found.frame["ticker"].to_list() == ["000660"]
    [(ticker, raw)] = found.refused
    assert (ticker, raw.stem) == (bad.ticker, bad.ticker)
    assert [(issue.file, issue.row, issue.code) for issue in found.issues] == [(f"{FILE}#{bad.ticker}", 2, code)]
    assert not found.issues[0].harmless
    assert bad.volume.encode() in raw.data


def test_two_bars_of_one_name_keep_it_out_and_equal_ones_are_one():
    found = read(OTHER, GOOD, GOOD._replace(close="105,200"))
    assert found.frame["ticker"].to_list() == ["000660"]
    assert {issue.code for issue in found.issues} == {"ticker_twice"}
    assert "in rows 2, 3" in found.issues[0].says
    found = read(OTHER, GOOD, GOOD)
    assert found.frame["row"].to_list() == [1, 2]
    assert [issue.code for issue in found.issues] == ["duplicate_row"]


def test_a_piece_of_a_board_is_refused_whole():
    with pytest.raises(NoAnswer, match="has 2 names where at least 3 must be: a piece of the board") as error:
        read(OTHER, GOOD, least=3)
    assert error.value.kind == "bad_answer"


def test_too_many_unusable_rows_refuse_the_others():
    good = [OTHER._replace(ticker=f"{n:06}") for n in range(19)]
    bad = GOOD._replace(close="-")
    assert len(read(*good, bad, share="0.05").frame) == 19
    with pytest.raises(NoAnswer, match=r"has 1 unusable rows of 19 \(blank_value 1\), too many") as error:
        read(*good[1:], bad, share="0.05")
    assert error.value.kind == "bad_answer"


def test_rows_without_one_bar_are_no_day():
    with pytest.raises(NoAnswer, match="has 2 names and not one bar, as for a day that has not begun") as error:
        read(Row("005930", "", "", "", "", "", ""), Row("000660", "-", "-", "-", "-", "-", "-"))
    assert error.value.kind == "no_rows"
