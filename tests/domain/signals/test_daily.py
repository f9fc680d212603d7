"""Which bars the daily rules work on: sorted, once each, halts put right, nothing that is no price; and the parts."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from quantassay.domain.signals import daily as bars_of
from quantassay.domain.signals import indicators as ind
from quantassay.domain.signals.daily import daily, parts

SCHEMA = {
    "ticker": pl.String,
    "session": pl.Date,
    "open": pl.Float64,
    "high": pl.Float64,
    "low": pl.Float64,
    "close": pl.Float64,
    "volume": pl.Int64,
    "source": pl.String,
}
DAY = date(2026, 1, 5)


def bar(ticker, day, close, *, prices=None, volume=100, source="a.csv"):
    opened, high, low = prices or (close, close, close)
    return (ticker, DAY + timedelta(day), opened, high, low, close, volume, source)


def frame(*bars):
    return pl.DataFrame(bars, SCHEMA, orient="row")


def closes(seen):
    return list(zip(seen.frame["ticker"], seen.close.tolist(), strict=True))


def test_bars_are_sorted_and_of_two_the_first_counts():
    seen = daily(frame(bar("B", 1, 3.0), bar("A", 2, 2.0), bar("A", 1, 1.0), bar("A", 2, 9.0), bar("B", 0, 4.0)))
    assert closes(seen) == [("A", 1.0), ("A", 2.0), ("B", 4.0), ("B", 3.0)]
    assert seen.layout.position.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    "order",
    [
        [("A", 1), ("A", 0)],
        [("A", 0), ("A", 0), ("A", 1)],
        [("B", 0), ("B", 1), ("A", 0)],
        [("A", 0), ("B", 0), ("A", 1)],
    ],
)
def test_whatever_is_out_of_order_or_there_twice_is_put_right(order):
    seen = daily(frame(*(bar(ticker, day, 1.0 + day) for ticker, day in order)))
    assert closes(seen) == sorted({(ticker, 1.0 + day) for ticker, day in order})
    assert seen.layout.position.tolist() == [int(close) - 1 for _, close in closes(seen)]


@pytest.mark.parametrize("empty", [(0.0, 0.0, 0.0), (None, None, None), (float("nan"), 0.0, None)])
def test_a_halt_has_the_close_in_all_prices(empty):
    seen = daily(frame(bar("A", 0, 5.0), bar("A", 1, 5.0, prices=empty, volume=0)))
    assert [prices[1] for prices in (seen.open, seen.high, seen.low, seen.close)] == [5.0] * 4
    assert seen.frame["volume"].to_list() == [100, 0]


@pytest.mark.parametrize(
    "bad",
    [
        bar("A", 1, None),
        bar("A", 1, 0.0),
        bar("A", 1, -3.0),
        bar("A", 1, float("nan")),
        bar("A", 1, float("inf")),
        bar("A", 1, 0.0, prices=(0.0, 0.0, 0.0), volume=0),
        bar("A", 1, 5.0, prices=(0.0, 0.0, 0.0), volume=10),
        bar("A", 1, 5.0, prices=(0.0, 0.0, 0.0), volume=None),
        bar("A", 1, 5.0, prices=(0.0, 6.0, 4.0), volume=0),
        bar("A", 1, 5.0, prices=(5.0, float("inf"), 4.0)),
    ],
)
def test_what_is_no_price_is_left_out(bad):
    assert closes(daily(frame(bar("A", 0, 5.0), bad, bar("A", 2, 6.0)))) == [("A", 5.0), ("A", 6.0)]


def test_an_unknown_volume_is_kept_as_unknown():
    assert np.isnan(daily(frame(bar("A", 0, 5.0, volume=None))).volume).tolist() == [True]


def test_no_bar_at_all():
    seen = daily(frame())
    assert closes(seen) == []
    assert [len(part.close) for part in parts(seen)] == [0]


def test_parts_are_whole_names_in_order(monkeypatch):
    seen = daily(frame(*(bar(ticker, day, 1.0 + day) for ticker in "ABCDE" for day in range(ord(ticker) - 62))))
    monkeypatch.setattr(bars_of, "PART", 6)
    found = list(parts(seen))
    assert [part.frame["ticker"].unique(maintain_order=True).to_list() for part in found] == [
        ["A", "B"],
        ["C", "D"],
        ["E"],
    ]
    assert pl.concat([part.frame for part in found]).equals(seen.frame)
    whole = ind.ema(seen.layout, seen.close, 3)
    assert np.concatenate([ind.ema(part.layout, part.close, 3) for part in found]).tolist() == whole.tolist()
