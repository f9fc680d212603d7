"""The store of bars: what is written is read, nothing else is; a killed or disturbed import leaves the old state."""

import json
from datetime import UTC, date, datetime

import polars as pl
import pytest

from quantassay.store import bars
from quantassay.store.bars_index import (
    BarsDamaged,
    CannotStore,
    NoBars,
    NotAMarketKey,
    bars_folder,
    read_index,
    read_log,
)


def bar(ticker="005930", day=2, close=100.0, **other):
    prices = {"open": 99.0, "high": 101.0, "low": 98.0, "close": close}
    rest = {"volume": 10, "foreign_net_buy": None, "taken_at": None, "source": f"{ticker}.csv", "row": day}
    return {"ticker": ticker, "session": date(2026, 11, day), **prices, **rest, **other}


def frame(*rows):
    return pl.DataFrame(rows, schema=bars.SCHEMA)


TWO = frame(bar(day=3), bar(day=2), bar("000660", taken_at=datetime(2026, 11, 2, 1, 13, tzinfo=UTC)))


def test_read_gives_back_the_bars_sorted_with_their_types(tmp_path):
    index = bars.replace(tmp_path, "XKRX", TWO, b"{}\n")
    read = bars.read(tmp_path, "XKRX")
    assert read.schema == bars.SCHEMA
    assert read.equals(TWO.sort("ticker", "session"))
    assert (index.rows, index.tickers, index.first, index.last) == (3, 2, "2026-11-02", "2026-11-03")
    assert read_index(tmp_path, "XKRX") == index
    assert read_log(tmp_path, index) == b"{}\n"


def test_a_market_never_imported_has_no_bars(tmp_path):
    with pytest.raises(NoBars, match="none imported yet"):
        bars.read(tmp_path, "XKRX")
    assert bars.read_or_empty(tmp_path, "XKRX").equals(bars.empty())


def test_a_market_of_refused_files_says_so(tmp_path):
    bars.replace(tmp_path, "XKRX", bars.empty(), b"{}\n")
    with pytest.raises(NoBars, match="quarantine"):
        bars.read(tmp_path, "XKRX")


def test_the_same_content_again_touches_nothing(tmp_path):
    bars.replace(tmp_path, "XKRX", TWO, b"{}\n")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    bars.replace(tmp_path, "XKRX", TWO.reverse(), b"{}\n")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


def test_new_content_replaces_the_old_files(tmp_path):
    bars.replace(tmp_path, "XKRX", TWO, b"{}\n")
    bars.replace(tmp_path, "XKRX", frame(bar(close=101.0)), b"[]\n")
    assert bars.read(tmp_path, "XKRX").height == 1
    assert len(list((tmp_path / "bars" / "XKRX").iterdir())) == 2
    assert len(list((tmp_path / "imports").iterdir())) == 1


def test_one_market_does_not_disturb_another(tmp_path):
    bars.replace(tmp_path, "XKRX", TWO, b"{}\n")
    bars.replace(tmp_path, "XKRX2", frame(bar()), b"[]\n")
    assert bars.read(tmp_path, "XKRX").height == 3
    assert read_log(tmp_path, read_index(tmp_path, "XKRX")) == b"{}\n"


@pytest.mark.parametrize("column", [name for name in bars.SCHEMA.names() if name != "ticker"])
def test_the_content_digest_sees_every_column(column):
    plain = frame(bar(taken_at=datetime(2026, 11, 2, 7, tzinfo=UTC), foreign_net_buy=5))
    value = plain[column][0]
    other = (
        f"{value}x" if isinstance(value, str) else value.replace(year=2025) if isinstance(value, date) else value + 1
    )
    assert bars.content_digest(frame({**plain.row(0, named=True), column: other})) != bars.content_digest(plain)


def test_the_content_digest_tells_unknown_from_zero_and_where_texts_end():
    assert bars.content_digest(frame(bar(foreign_net_buy=0))) != bars.content_digest(frame(bar(foreign_net_buy=None)))
    one = frame(bar("AAAAAA", source="b"), bar("BBBBBB", source="cd"))
    two = frame(bar("AAAAAA", source="bc"), bar("BBBBBB", source="d"))
    assert bars.content_digest(one) != bars.content_digest(two)


def test_the_content_digest_is_the_same_everywhere():
    digest = "sha256:243b25ffa2285e1cd2dd8286c2247a8e6e3b48e33509ffe50030c532e5d4ce7e"
    assert bars.content_digest(TWO.sort(bars.KEY)) == digest


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_changed_parquet_is_an_error_not_data(tmp_path):
    index = bars.replace(tmp_path, "XKRX", TWO, b"{}\n")
    flip(tmp_path / "bars" / "XKRX" / index.parquet)
    with pytest.raises(
        BarsDamaged, match="was changed after the import wrote it; delete data/bars/XKRX and import again"
    ):
        bars.read(tmp_path, "XKRX")


def test_a_missing_parquet_is_an_error(tmp_path):
    index = bars.replace(tmp_path, "XKRX", TWO, b"{}\n")
    (tmp_path / "bars" / "XKRX" / index.parquet).unlink()
    with pytest.raises(BarsDamaged, match="cannot be read"):
        bars.read(tmp_path, "XKRX")


def test_a_changed_log_is_an_error(tmp_path):
    index = bars.replace(tmp_path, "XKRX", TWO, b"{}\n")
    (tmp_path / "imports" / index.log).write_bytes(b"[]\n")
    with pytest.raises(BarsDamaged, match="was changed"):
        read_log(tmp_path, index)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"market": "XKRX"}', "\x00"])
def test_a_broken_index_is_an_error(tmp_path, text):
    bars.replace(tmp_path, "XKRX", TWO, b"{}\n")
    (tmp_path / "bars" / "XKRX" / "index.json").write_text(text)
    with pytest.raises(BarsDamaged):
        read_index(tmp_path, "XKRX")


def test_an_index_that_lies_about_its_rows_is_an_error(tmp_path):
    bars.replace(tmp_path, "XKRX", TWO, b"{}\n")
    path = tmp_path / "bars" / "XKRX" / "index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "rows": 2}))
    with pytest.raises(BarsDamaged, match="does not hold what its index says"):
        bars.read(tmp_path, "XKRX")


def test_a_kill_before_the_index_leaves_the_old_state(tmp_path):
    """The index is written last: whatever else a killed import left, the old bars and the old log are read."""
    old = bars.replace(tmp_path, "XKRX", TWO, b"{}\n")
    other = tmp_path / "other"
    new = bars.replace(other, "XKRX", frame(bar(close=5.0)), b"[]\n")
    for kind, name in (("bars/XKRX", new.parquet), ("imports", new.log)):
        (tmp_path / kind / name).write_bytes((other / kind / name).read_bytes())
    assert read_index(tmp_path, "XKRX") == old
    assert bars.read(tmp_path, "XKRX").height == 3
    assert read_log(tmp_path, old) == b"{}\n"


def test_a_disk_that_refuses_is_one_sentence(tmp_path):
    (tmp_path / "imports").write_text("a file where a folder must be")
    with pytest.raises(CannotStore, match="nothing was changed"):
        bars.replace(tmp_path, "XKRX", TWO, b"{}\n")


@pytest.mark.parametrize("market", ["", "xkrx", "../XKRX", "X/Y", "X" * 40])
def test_a_market_key_cannot_leave_its_folder(tmp_path, market):
    with pytest.raises(NotAMarketKey):
        bars_folder(tmp_path, market)
