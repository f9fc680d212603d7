"""The raw and the adjusted series of a market lie apart: writing one leaves every file of the other as it is."""

from datetime import date

import polars as pl
import pytest

from quantassay.store import bars
from quantassay.store.bars_index import BarsDamaged, NoBars, NotAMarketKey, adjusted_key, bars_folder, read_index

RAW, ADJUSTED = "XKRX", adjusted_key("XKRX")


def frame(close):
    prices = dict.fromkeys(("open", "high", "low", "close"), close)
    rest = {"volume": 10, "foreign_net_buy": None, "taken_at": None, "source": "005930.csv", "row": 2}
    return pl.DataFrame([{"ticker": "005930", "session": date(2026, 11, 2), **prices, **rest}], schema=bars.SCHEMA)


def state(folder):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("first", "second"), [(RAW, ADJUSTED), (ADJUSTED, RAW)])
def test_writing_one_series_leaves_the_other_untouched(tmp_path, first, second):
    bars.replace(tmp_path, first, frame(100.0), b"{}\n")
    before = state(tmp_path)
    for close, log in ((50.0, b'{"a":1}\n'), (49.0, b'{"b":2}\n')):
        bars.replace(tmp_path, second, frame(close), log)
    after = state(tmp_path)
    assert {path: after[path] for path in before} == before
    assert bars.read(tmp_path, first)["close"].item() == 100.0
    assert bars.read(tmp_path, second)["close"].item() == 49.0
    assert len(after) == 2 * len(before)


def test_each_series_sweeps_its_own_old_files(tmp_path):
    for close, log in ((1.0, b"1\n"), (2.0, b"2\n")):
        for key in (RAW, ADJUSTED):
            bars.replace(tmp_path, key, frame(close), log)
    assert sorted(path.name.rpartition(".")[0][:-17] for path in (tmp_path / "imports").glob("*.json")) == [
        RAW,
        ADJUSTED,
    ]
    assert [len(list(bars_folder(tmp_path, key).glob("*.parquet"))) for key in (RAW, ADJUSTED)] == [1, 1]


def test_what_is_missing_or_damaged_names_its_own_command(tmp_path):
    with pytest.raises(NoBars, match="--market XKRX --prices adjusted"):
        bars.read(tmp_path, ADJUSTED)
    bars.replace(tmp_path, ADJUSTED, frame(1.0), b"{}\n")
    (bars_folder(tmp_path, ADJUSTED) / read_index(tmp_path, ADJUSTED).parquet).write_bytes(b"x")
    with pytest.raises(BarsDamaged, match=r"delete data/bars/XKRX\.adjusted and import again .*--prices adjusted"):
        bars.read(tmp_path, ADJUSTED)
    assert bars.read_or_empty(tmp_path, RAW).is_empty()


@pytest.mark.parametrize("key", ["XKRX.", "XKRX.adjusted.adjusted", ".adjusted", "XKRX.other"])
def test_no_other_key_names_a_series(tmp_path, key):
    with pytest.raises(NotAMarketKey):
        bars_folder(tmp_path, key)
