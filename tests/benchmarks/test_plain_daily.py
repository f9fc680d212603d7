"""The vectorised rules give, column by column and to the last bit, the table that plain loops over each name give."""

import dataclasses
import importlib
import math
import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
import yaml

from quantassay.domain.signals import ema_cross, hybrid
from quantassay.domain.signals.daily import daily

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def plain():
    """The plain code of the benchmark: its rows by rule, and what makes its bars."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    plain_daily, plain_hybrid = importlib.import_module("plain_daily"), importlib.import_module("plain_hybrid")
    yield plain_daily, {ema_cross: plain_daily.cross_rows, hybrid: plain_hybrid.hybrid_rows}
    sys.path.remove(str(ROOT / "benchmarks"))


def rules():
    """Both rules with short windows and wide tests, so that small invented series reach every branch."""
    cross, mixed = (
        yaml.safe_load((ROOT / "spec" / name).read_text(encoding="utf-8"))
        for name in ("22_buy_ema_cross.yaml", "23_buy_hybrid.yaml")
    )
    one = dataclasses.replace(
        ema_cross.parameters(cross, "KRW"),
        min_history=5,
        ema_short=2,
        ema_long=4,
        rsi_period=3,
        rsi_floor=45.0,
        rsi_ceiling=80.0,
        within_bars=3,
        long_period=6,
        long_required=True,
        atr_period=3,
        min_price=40.0,
        turnover_bars=4,
        min_turnover=4000.0,
        look_back=2,
        benchmark_return=0.01,
    )
    base = hybrid.parameters(mixed, "KRW")
    two = dataclasses.replace(
        base,
        min_history=5,
        min_price=40.0,
        turnover_bars=4,
        min_turnover=3000.0,
        max_gap=0.2,
        sma_period=4,
        ema_short=2,
        ema_mid=3,
        rsi_period=3,
        atr_period=3,
        volume_bars=3,
        look_back=2,
        long_period=8,
        long_required=True,
        pullback=dataclasses.replace(base.pullback, rsi_low=30.0, rsi_high=90.0, max_bars=3),
        breakout=dataclasses.replace(base.breakout, rsi_below=99.0, min_bars=2, max_bars=4, max_range=0.5),
        reversal=dataclasses.replace(base.reversal, oversold_low=5.0, oversold_high=60.0, reach=0.2),
    )
    return {ema_cross: one, hybrid: two}


NAMES, BARS = 90, 70
FUNDS = [f"9{number:05}" for number in range(0, NAMES, 2)]


@pytest.fixture(scope="module")
def market():
    """Random walks of many names, of different lengths, with gaps, halts, quiet names and unknown volumes."""
    random, rows = Random(20260101), []
    for number in range(NAMES):
        close, quiet = 60, random.random() < 0.1
        for day in range(random.randint(1, BARS)):
            opened = max(close + random.choice([0, 0, 1, -1, 2, -2, 12 * (random.random() < 0.05)]), 20)
            close = max(opened + random.choice([0, 1, 1, -1, -1, 2, -2, 5, -5]), 20)
            high, low = max(opened, close) + random.randint(0, 2), min(opened, close) - random.randint(0, 4)
            volume = None if random.random() < 0.01 else 0 if quiet else random.randint(0, 300)
            prices = (opened, high, low, close)
            if random.random() < 0.02:
                prices, volume = (0, 0, 0, close), 0
            rows.append((f"9{number:05}", date(2026, 1, 1) + timedelta(day), *map(float, prices), volume))
    return pl.DataFrame(rows, ["ticker", "session", "open", "high", "low", "close", "volume"], orient="row")


def same(one, other):
    return one == other or (isinstance(one, float) and isinstance(other, float) and math.isnan(one + other))


REACHED = {
    # Both averages rise wherever the short one crosses above the long.
    ema_cross: {*ema_cross.OUTCOMES} - {ema_cross.NOT_RISING},
    hybrid: {*hybrid.OUTCOMES, *hybrid.PATTERNS[1:]},
}


@pytest.mark.parametrize("strategy", [ema_cross, hybrid])
def test_the_same_table(plain, market, strategy):
    plain_daily, rows_of = plain
    rule = rules()[strategy]
    ours = strategy.evaluate(daily(market), rule, funds=FUNDS)
    expected = []
    for (ticker,), frame in market.partition_by("ticker", as_dict=True, maintain_order=True).items():
        columns = frame.with_columns(pl.col("volume").cast(pl.Float64).fill_null(math.nan))
        name = plain_daily.usable(plain_daily.Name(*(columns[column].to_list() for column in frame.columns[1:])))
        expected += rows_of[strategy](name, rule, fund=ticker in FUNDS)
    assert set(ours.columns) == {"ticker", "session", *expected[0]}
    for row, other in zip(ours.to_dicts(), expected, strict=True):
        assert [(key, row[key], value) for key, value in other.items() if not same(row[key], value)] == []
    found = set(ours["outcome"]) | (set(ours["pattern"]) if strategy is hybrid else set())
    assert REACHED[strategy] - found == set()
