"""The indicators of a whole market are those of a plain loop over each name, to the last bit, and see no later bar."""

import math
from itertools import accumulate, pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantassay.domain.signals import indicators as ind

price = st.floats(0.01, 1e6) | st.integers(1, 5).map(float)
name = st.lists(price, min_size=1, max_size=14)
market = st.lists(name, min_size=1, max_size=5)
gappy = st.lists(st.lists(price | st.just(math.nan), min_size=1, max_size=14), min_size=1, max_size=5)
PERIODS = (1, 2, 3, 5, 20)


def laid_out(names):
    tickers = [f"{number:02}" for number, values in enumerate(names) for _ in values]
    return ind.layout(pl.Series(tickers, dtype=pl.String)), np.array([v for values in names for v in values], float)


def bits(values):
    return np.array(values, dtype=float).view(np.uint64) & ~np.uint64(1 << 63)  # 0 and -0 are one number


def same(ours, names, loop):
    expected = np.array([value for values in names for value in loop(values)], float)
    unknown = np.isnan(expected)
    return (np.isnan(ours) == unknown).all() and (bits(ours)[~unknown] == bits(expected)[~unknown]).all()


def windows(values, period):
    return [values[i + 1 - period : i + 1] if i + 1 >= period else None for i in range(len(values))]


def added(values):
    total = 0.0
    for value in values:
        total += value
    return total


def ema_loop(values, period):
    return list(accumulate(values, lambda last, value: last + 2 / (period + 1) * (value - last)))


def sum_loop(values, period):
    return [math.nan if window is None else added(window) for window in windows(values, period)]


def sma_loop(values, period):
    return [total / period for total in sum_loop(values, period)]


def std_loop(values, period, freedom):
    def one(window):
        if window is None or period <= freedom:
            return math.nan
        mean = added(window) / period
        return math.sqrt(added([(value - mean) * (value - mean) for value in window]) / (period - freedom))

    return [one(window) for window in windows(values, period)]


def wilder_loop(values, period):
    means = [math.nan] * len(values)
    for i in range(period, len(values)):
        if i == period:
            means[i] = added(values[1 : period + 1]) / period
        else:
            means[i] = (means[i - 1] * (period - 1) + values[i]) / period
    return means


def rsi_loop(values, period, flat=math.nan):
    moves = [0.0] + [after - before for before, after in pairwise(values)]
    gains = wilder_loop([max(move, 0.0) for move in moves], period)
    losses = wilder_loop([max(-move, 0.0) for move in moves], period)

    def one(gain, loss):
        if loss == 0:
            return flat if gain == 0 else 100.0
        return 100.0 - 100.0 / (1.0 + gain / loss)

    return [one(gain, loss) for gain, loss in zip(gains, losses, strict=True)]


@given(market)
def test_means_are_those_of_a_loop(names):
    place, values = laid_out(names)
    for period in PERIODS:
        assert same(ind.ema(place, values, period), names, lambda v, p=period: ema_loop(v, p))
        assert same(ind.sma(place, values, period), names, lambda v, p=period: sma_loop(v, p))
        assert same(ind.rolling_sum(place, values, period), names, lambda v, p=period: sum_loop(v, p))
        for freedom in (0, 1):
            ours = ind.rolling_std(place, values, period, freedom=freedom)
            assert same(ours, names, lambda v, p=period, f=freedom: std_loop(v, p, f))
        assert same(
            ind.sma_so_far(place, values, period),
            names,
            lambda v, p=period: [added(v[max(i + 1 - p, 0) : i + 1]) / min(i + 1, p) for i in range(len(v))],
        )


@given(market)
def test_wilder_is_that_of_a_loop(names):
    place, closes = laid_out(names)
    highs, lows = closes * 1.25, closes * 0.75

    def ranges(values):
        before = [math.nan, *values]
        reach = [
            max(v * 1.25 - v * 0.75, abs(v * 1.25 - b), abs(v * 0.75 - b)) for v, b in zip(values, before, strict=False)
        ]
        return wilder_loop(reach, period)

    for period in PERIODS:
        assert same(ind.rsi(place, closes, period), names, lambda v, p=period: rsi_loop(v, p))
        assert same(ind.rsi(place, closes, period, flat=100.0), names, lambda v, p=period: rsi_loop(v, p, 100.0))
        assert same(ind.atr(place, highs, lows, closes, period), names, ranges)


@given(gappy)
def test_windows_with_unknown_values_are_unknown_and_others_are_not(names):
    place, values = laid_out(names)
    for period in PERIODS:
        assert same(ind.sma(place, values, period), names, lambda v, p=period: sma_loop(v, p))
        for ours, pick in ((ind.rolling_max, max), (ind.rolling_min, min)):
            assert same(
                ours(place, values, period),
                names,
                lambda v, p=period, f=pick: [
                    math.nan if w is None or any(map(math.isnan, w)) else f(w) for w in windows(v, p)
                ],
            )


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=9), min_size=1, max_size=5))
def test_runs_and_the_bars_since_are_those_of_a_loop(names):
    place, _ = laid_out(names)
    flags = np.array([flag for flags in names for flag in flags])
    runs, since = [], []
    for series in names:
        run, ago = 0, ind.NEVER
        for flag in series:
            run = run + 1 if flag else 0
            ago = 0 if flag else ago if ago == ind.NEVER else ago + 1
            runs.append(run)
            since.append(ago)
    assert ind.run_length(place, flags).tolist() == runs
    assert ind.bars_since(place, flags).tolist() == since
    moved = [flag for series in names for flag in [False, *series[:-1]]]
    assert ind.shift_flag(place, flags, 1).tolist() == moved


def everything(place, values):
    highs, lows = values + 1, values - 1
    return [
        ind.shift(place, values, 2),
        ind.ema(place, values, 3),
        ind.sma(place, values, 3),
        ind.sma_so_far(place, values, 3),
        ind.rolling_std(place, values, 3),
        ind.rolling_max(place, values, 3),
        ind.rolling_min(place, values, 3),
        ind.rsi(place, values, 3),
        ind.true_range(place, highs, lows, values),
        ind.atr(place, highs, lows, values, 3),
        ind.run_length(place, values > 2).astype(float),
        ind.bars_since(place, values > 2).astype(float),
    ]


@given(market, market)
@settings(max_examples=50)
def test_later_bars_and_other_names_change_nothing(names, later):
    alone = [everything(*laid_out([values])) for values in names]
    longer = [[*values, *(later[i % len(later)])] for i, values in enumerate(names)]
    together = everything(*laid_out(longer))
    begin = 0
    for values, own, grown in zip(names, alone, longer, strict=True):
        for figure, whole in zip(own, together, strict=True):
            assert np.array_equal(figure, whole[begin : begin + len(values)], equal_nan=True)
        begin += len(grown)


def test_a_flat_name_has_no_rsi_unless_asked():
    place, values = laid_out([[7.0] * 6, [7.0, 8.0, 8.0, 8.0, 8.0, 8.0]])
    assert np.isnan(ind.rsi(place, values, 3)[:6]).all()
    assert ind.rsi(place, values, 3)[9:].tolist() == [100.0] * 3
    assert ind.rsi(place, values, 3, flat=100.0)[3:6].tolist() == [100.0] * 3


def test_one_bar_and_no_bar():
    for figure in everything(*laid_out([[5.0]]))[:1] + everything(*laid_out([[5.0]]))[4:8]:
        assert np.isnan(figure).all()
    assert ind.ema(*laid_out([[5.0]]), 20).tolist() == [5.0]
    assert all(len(figure) == 0 for figure in everything(*laid_out([])))


def test_windows_longer_than_a_block_of_rows_are_whole(monkeypatch):
    names = [[float(i * i % 97) for i in range(40)], [float(i * 7 % 11) for i in range(25)]]
    place, values = laid_out(names)
    whole = [ind.sma(place, values, 9), ind.rolling_std(place, values, 9), ind.sma_so_far(place, values, 9)]
    monkeypatch.setattr(ind, "_BLOCK", 7)
    cut = [ind.sma(place, values, 9), ind.rolling_std(place, values, 9), ind.sma_so_far(place, values, 9)]
    for one, other in zip(whole, cut, strict=True):
        assert np.array_equal(one, other, equal_nan=True)


@pytest.mark.parametrize("period", [10, 20, 21, 50])
def test_an_ema_begins_with_the_first_value(period):
    place, values = laid_out([[10.0, 20.0]])
    assert ind.ema(place, values, period).tolist() == [10.0, 10.0 + 2 / (period + 1) * 10.0]
