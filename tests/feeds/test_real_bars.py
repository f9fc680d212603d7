"""Real bar files of four sources: how many load, which rows are wrong, how long it takes."""

import tarfile
import time
from collections import Counter
from datetime import date

import polars as pl

from quantassay.feeds.csv_bars import read_bars
from quantassay.feeds.markets import MARKETS
from quantassay.feeds.raw_files import list_source, read_files

KRX, NYSE, SSE = MARKETS["XKRX"], MARKETS["XNYS"], MARKETS["XSHG"]


def codes(result):
    return [issue.code for issue in result.issues]


def test_the_real_kosdaq_bars_load_whole(shared):
    started = time.perf_counter()
    result = read_bars(read_files(list_source(shared / "data" / "kosdaq_daily")[0]), KRX)
    took_s = time.perf_counter() - started
    assert (len(result.files), result.frame.height) == (78, 14_933)
    assert all(file.loaded for file in result.files)
    assert set(codes(result)) == {"foreign_zero_run"}
    last = result.frame.group_by("ticker").agg(pl.col("session").max())
    assert last.filter(pl.col("session") == date(2025, 12, 17)).height == 50
    assert "0015S0" in result.frame["ticker"]
    assert took_s < 2


def test_the_real_american_bars_show_their_one_wrong_row(shared):
    result = read_bars(read_files(list_source(shared / "data" / "us_daily")[0]), NYSE)
    assert {file.ticker for file in result.files if file.loaded} == {"AAPL", "QQQ", "TMO"}
    harmful = [(issue.file, issue.row, issue.code) for issue in result.issues if not issue.harmless]
    assert harmful == [("JNJ.csv", 1980, "outside_range"), ("TMO_second_vendor.csv", None, "bad_ticker")]


def test_the_real_chinese_bars_come_in_shares(shared):
    result = read_bars(read_files(list_source(shared / "data" / "cn_etf" / "daily")[0]), SSE)
    assert len(result.files) == 47
    assert [(issue.file, issue.code) for issue in result.issues if not issue.harmless] == [("INDEX.csv", "not_a_table")]
    raw = (
        (shared / "data" / "cn_etf" / "daily" / "159998.SZ.csv")
        .read_text(encoding="utf-8-sig")
        .splitlines()[1]
        .split(",")
    )
    bar = result.frame.filter(pl.col("ticker") == "159998.SZ").row(0, named=True)
    assert bar["volume"] == float(raw[6]) * 100
    # amount is in thousand yuan: shares times price must come near it, which lots times price would not
    assert abs(bar["volume"] * bar["close"] / (float(raw[7]) * 1000) - 1) < 0.05


def test_the_real_whole_market_loads_but_for_twelve_rows(shared, tmp_path):
    with tarfile.open(shared / "data" / "krx_market" / "pykrx_all_2023-12_2025-06.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    started = time.perf_counter()
    result = read_bars(read_files(list_source(tmp_path / "data")[0]), KRX)
    took_s = time.perf_counter() - started
    harmful = Counter(issue.code for issue in result.issues if not issue.harmless)
    assert harmful == {"outside_range": 12}
    assert (len(result.files), sum(file.loaded for file in result.files)) == (2761, 2750)
    assert result.frame.filter((pl.col("low") <= 0) | (pl.col("open") <= 0)).is_empty()
    assert result.frame.filter((pl.col("volume") == 0) & (pl.col("high") == pl.col("close"))).height > 29_000
    assert took_s < 30
