"""The plain loops of the gates give what the code for a whole market gives, to the last bit."""

import random

import numpy as np
import polars as pl
import pytest

from quantassay.domain.signals import indicators as ind
from quantassay.domain.signals import plain

LENGTHS = {"a": 60, "b": 1, "c": 5, "d": 4, "e": 30, "f": 2}
CHANCE = random.Random(3)
CLOSES = {name: [1000 + CHANCE.uniform(-9, 9) for _ in range(length)] for name, length in LENGTHS.items()}
CLOSES["e"][:20] = [1000.0] * 20  # nothing moves at first
HIGHS = {name: [one + CHANCE.uniform(0, 5) for one in closes] for name, closes in CLOSES.items()}
LOWS = {name: [one - CHANCE.uniform(0, 5) for one in closes] for name, closes in CLOSES.items()}
BARS = ind.layout(pl.Series([name for name, length in LENGTHS.items() for _ in range(length)]))
FLAT = [np.asarray([one for of in series.values() for one in of]) for series in (HIGHS, LOWS, CLOSES)]


@pytest.mark.parametrize(
    ("of_market", "of_name"),
    [
        (ind.ema(BARS, FLAT[2], 5), lambda n: plain.ema(CLOSES[n], 5)),
        (ind.sma(BARS, FLAT[2], 5), lambda n: plain.sma(CLOSES[n], 5)),
        (ind.rsi(BARS, FLAT[2], 4), lambda n: plain.rsi(CLOSES[n], 4)),
        (ind.rsi(BARS, FLAT[2], 4, flat=100.0), lambda n: plain.rsi(CLOSES[n], 4, 100.0)),
        (ind.atr(BARS, *FLAT, 4), lambda n: plain.atr(HIGHS[n], LOWS[n], CLOSES[n], 4)),
    ],
    ids=["ema", "sma", "rsi", "rsi of a flat start", "atr"],
)
def test_both_ways_give_the_same_bits(of_market, of_name):
    both = np.asarray([one for name in LENGTHS for one in of_name(name)])
    assert np.array_equal(of_market, both, equal_nan=True)
    assert np.isfinite(both).sum() > 40


def test_nothing_is_known_of_no_bars():
    assert plain.ema([], 3) == plain.sma([], 3) == plain.rsi([], 3) == plain.atr([], [], [], 3) == []
