"""Quotes: every one says when and in which money it was seen, and one bad row refuses the file."""

from datetime import UTC, datetime

import pytest

from quantassay.feeds.markets import MARKETS
from quantassay.feeds.quotes_csv import read_quotes
from quantassay.feeds.raw_files import read_file

HEAD = "ticker,price,taken_at,currency,source\n"
SEEN = "2026-11-19T08:50:00+09:00"
NOW = datetime(2026, 11, 19, 0, 0, tzinfo=UTC)


def read(tmp_path, content, market="XKRX", now=NOW):
    path = tmp_path / "quotes.csv"
    path.write_text(content, encoding="utf-8")
    return read_quotes(read_file(path), MARKETS[market], now)


def faults(result):
    return [(issue.row, issue.code) for issue in result.issues if not issue.harmless]


def test_quotes_keep_their_order_their_price_and_their_instant(tmp_path):
    result = read(tmp_path, HEAD + f'000660,"12,340",{SEEN},KRW,desk\n0015S0,990,2026-11-18T23:51Z,KRW,\n')
    assert result.loaded
    assert result.issues == ()
    assert [(one.ticker, one.price, one.taken_at.isoformat(), one.source, one.row) for one in result.quotes] == [
        ("000660", 12340, SEEN, "desk", 2),
        ("0015S0", 990, "2026-11-18T23:51:00+00:00", "", 3),
    ]


def test_prices_with_decimals_stay_exact(tmp_path):
    head = "ticker,price,taken_at,currency\n"
    rows = f"TMO,412.10,{SEEN},USD\nBRK.B,500.00,{SEEN},USD\nF,0.0001,{SEEN},USD\n"
    assert [one.price for one in read(tmp_path, head + rows, "XNYS").quotes] == ["412.1", 500, "0.0001"]


def test_korean_headers_are_known(tmp_path):
    result = read(tmp_path, f"종목코드,종목명,예상체결가,시각,통화\n000660,하이닉스,100,{SEEN},KRW\n")
    assert [(one.ticker, one.price) for one in result.quotes] == [("000660", 100)]
    assert result.issues == ()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (f"660,100,{SEEN},KRW,", "bad_ticker"),
        (f"000660,100,{SEEN},KRW,", "ticker_twice"),
        (f"005930,,{SEEN},KRW,", "blank_value"),
        (f"005930,0,{SEEN},KRW,", "zero_price"),
        (f"005930,-1,{SEEN},KRW,", "not_a_number"),
        (f"005930,1e5,{SEEN},KRW,", "not_a_number"),
        (f"005930,100.5,{SEEN},KRW,", "not_a_number"),
        (f"005930,{'9' * 20},{SEEN},KRW,", "not_a_number"),
        (f"005930,{'9' * 5000},{SEEN},KRW,", "not_a_number"),
        (f"005930,100,{SEEN},USD,", "currency_other"),
        (f"005930,100,{SEEN},,", "currency_other"),
        ("005930,100,,KRW,", "blank_value"),
        ("005930,100,2026-11-19T08:50:00,KRW,", "time_unreadable"),
        ("005930,100,2026-11-19,KRW,", "time_unreadable"),
        ("005930,100,08:50+09:00,KRW,", "time_unreadable"),
        ("005930,100,2026-11-31T08:50:00+09:00,KRW,", "time_unreadable"),
        ("005930,100,2026-11-19T09:00:01+09:00,KRW,", "time_not_come"),
        (f"005930,100,{SEEN},KRW", "columns_wrong"),
    ],
)
def test_one_bad_row_refuses_the_file_by_its_line(tmp_path, row, code):
    result = read(tmp_path, HEAD + f"000660,100,{SEEN},KRW,\n" + row + "\n")
    assert faults(result) == [(3, code)]
    assert result.quotes == ()
    assert all("\n" not in issue.says for issue in result.issues)


def test_every_bad_row_has_a_sentence(tmp_path):
    result = read(tmp_path, HEAD + f"000660,0,{SEEN},KRW,\n005930,100,,KRW,\n005940,100,{SEEN},EUR,\n")
    assert faults(result) == [(2, "zero_price"), (3, "blank_value"), (4, "currency_other")]


def test_a_credential_as_a_source_is_refused_and_not_repeated(tmp_path):
    secret = "password=" + "Zq8vR2mN4kLp"
    result = read(tmp_path, HEAD + f"000660,100,{SEEN},KRW,{secret}\n")
    assert faults(result) == [(2, "credential")]
    assert secret not in result.issues[0].says


@pytest.mark.parametrize(
    ("content", "code"), [(HEAD, "header_only"), ("", "empty_file"), ("ticker,price\n000660,1\n", "missing_column")]
)
def test_a_file_without_quotes_or_without_their_time_is_refused(tmp_path, content, code):
    result = read(tmp_path, content)
    assert [issue.code for issue in result.issues] == [code]
    assert not result.loaded
