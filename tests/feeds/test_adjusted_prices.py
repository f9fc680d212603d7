"""Raw and adjusted prices out of one file: each series gets its own, and no column of the other."""

from datetime import date

import polars as pl
import pytest

from quantassay.feeds.csv_bars import Prices, read_bars
from quantassay.feeds.markets import MARKETS
from quantassay.feeds.raw_files import list_source, read_files

NYSE, KRX = MARKETS["XNYS"], MARKETS["XKRX"]
HEAD = "Date,Open,High,Low,Close,Adj Close,Volume\n"
ROW = "2026-11-02,101,110.5,90,100,50,1000\n"


def read(tmp_path, text, prices, market=NYSE, name="AAPL"):
    (tmp_path / f"{name}.csv").write_text(text)
    return read_bars(read_files(list_source(tmp_path)[0]), market, prices=prices)


def prices_of(result):
    return result.frame.select("open", "high", "low", "close", "volume").rows()


def codes(result):
    return [(issue.row, issue.code) for issue in result.issues]


def test_a_file_with_both_closes_feeds_either_series(tmp_path):
    assert prices_of(read(tmp_path, HEAD + ROW, Prices.RAW)) == [(101.0, 110.5, 90.0, 100.0, 1000)]
    for prices in (Prices.ADJUSTED, Prices.ADJUSTED_COLUMN):
        assert prices_of(read(tmp_path, HEAD + ROW, prices)) == [(50.5, 55.25, 45.0, 50.0, 1000)]


def test_a_file_of_adjusted_prices_is_taken_as_it_stands(tmp_path):
    text = "date,open,high,low,close,volume\n2026-11-02,99,110,90,100,5\n"
    assert prices_of(read(tmp_path, text, Prices.ADJUSTED, KRX, "005930")) == [(99.0, 110.0, 90.0, 100.0, 5)]


def test_both_series_need_an_adjusted_close(tmp_path):
    text = "Date,Open,High,Low,Close,Volume\n2026-11-02,99,110,90,100,5\n"
    assert codes(read(tmp_path, text, Prices.ADJUSTED_COLUMN)) == [(None, "adjusted_missing")]
    assert codes(read(tmp_path, text, Prices.RAW)) == []


@pytest.mark.parametrize("value", ["", "null", "0", "-3", "inf", "1.5x"])
def test_an_adjusted_close_that_is_no_price_keeps_the_file_out(tmp_path, value):
    text = HEAD + ROW.replace(",50,", f",{value},")
    result = read(tmp_path, text, Prices.ADJUSTED)
    assert codes(result) == [(2, "adjusted_unreadable")]
    assert result.frame.is_empty()
    # The raw series never looks at that column.
    assert prices_of(read(tmp_path, text, Prices.RAW)) == [(101.0, 110.5, 90.0, 100.0, 1000)]


def test_rounding_never_puts_a_close_outside_its_day(tmp_path):
    text = HEAD + "".join(
        f"2026-11-{day:02},{close},{close},{close},{close},{close / 3:.9f},7\n"
        for day, close in ((2, 7), (3, 0.3), (4, 10.1))
    )
    result = read(tmp_path, text, Prices.ADJUSTED)
    assert codes(result) == []
    assert result.frame.filter((pl.col("low") > pl.col("close")) | (pl.col("high") < pl.col("close"))).is_empty()


def test_a_halt_and_an_unknown_open_stay_what_they_are(tmp_path):
    text = HEAD + "2026-11-02,0,0,0,100,50,0\n2026-11-03,0,110,90,100,50,5\n"
    result = read(tmp_path, text, Prices.ADJUSTED)
    assert prices_of(result) == [(50.0, 50.0, 50.0, 50.0, 0), (None, 55.0, 45.0, 50.0, 5)]


def test_real_yahoo_files_feed_both_series(shared):
    files = [path for path in list_source(shared / "data/us_daily")[0] if path.name == "AAPL.csv"]
    raw, adjusted = (
        read_bars(read_files(files), NYSE, prices=prices).frame for prices in (Prices.RAW, Prices.ADJUSTED)
    )
    assert raw.select("ticker", "session", "volume").equals(adjusted.select("ticker", "session", "volume"))
    bar = adjusted.filter(pl.col("session") == date(1980, 12, 12)).row(0, named=True)
    assert bar["close"] == 0.100266
    outside = pl.max_horizontal("open", "close") > pl.col("high")
    assert adjusted.filter(outside | (pl.min_horizontal("open", "close") < pl.col("low"))).is_empty()
