"""Raw beside adjusted closes: every change of their ratio, no more, and what it says."""

from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pytest

from quantassay.domain.market.adjustment import Steps, changes, decimals
from quantassay.domain.market.bar_faults import ordered, usable
from quantassay.feeds.csv_bars import Prices, read_bars
from quantassay.feeds.markets import MARKETS
from quantassay.feeds.raw_files import read_file

STEPS = Steps(least=Fraction("0.0005"), material=Fraction("0.1"))
FIRST = date(2026, 11, 2)


@pytest.fixture
def series(frame):
    def make(closes, ticker="900010"):
        days = [(FIRST + timedelta(at)).isoformat() for at in range(len(closes))]
        pairs = [(day, close) for day, close in zip(days, closes, strict=True) if close is not None]
        return usable(ordered(frame(*((ticker, day, close, 1) for day, close in pairs))))

    return make


def compared(raw, adjusted):
    return changes(raw, adjusted, decimals(adjusted), STEPS)


def test_a_split_and_a_small_dividend_are_dated_with_their_factor(series):
    raw = series([50_000, 50_500, 10_100, 10_200, 10_150])
    adjusted = series([9_810, 9_908, 9_908, 10_200, 10_150])
    split, dividend = compared(raw, adjusted)
    assert (split.session, split.position, split.material, split.worse) == (FIRST + timedelta(2), 2, True, False)
    assert abs(split.factor - Fraction(1, 5)) < Fraction(1, 2_000)
    assert (dividend.session, dividend.material) == (FIRST + timedelta(3), False)
    assert abs(dividend.factor - Fraction("0.981")) < Fraction(1, 2_000)


def test_rounding_to_the_won_is_no_action(series):
    raw = [50_000 + 137 * at for at in range(40)]
    assert compared(series(raw), series([round(close * 0.0973) for close in raw])) == []
    # A factor at the edge of what rounding can hide is found only above it.
    assert compared(series([1_000, 1_000]), series([500, 501])) == []
    assert len(compared(series([1_000, 1_000]), series([500, 503]))) == 1


def test_a_factor_that_nothing_in_the_raw_prices_answers_to_is_worse(series):
    (change,) = compared(series([30, 30.5, 30, 30]), series([24, 24.4, 30, 30]))
    assert (change.material, change.worse) == (True, True)
    (change,) = compared(series([30, 30.5, 24.4, 24]), series([24, 24.4, 24.4, 24]))
    assert (change.material, change.worse) == (True, False)


def test_only_sessions_of_both_series_are_compared(series):
    raw = series([100, 100, 50, 50])
    (change,) = compared(raw, series([50, None, None, 50]))
    assert (change.previous_session, change.session, change.position) == (FIRST, FIRST + timedelta(3), 3)
    assert compared(raw, series([50])) == []
    assert compared(raw, raw.clear()) == []


@pytest.mark.parametrize(
    ("closes", "places"), [([100, 20], 0), ([196.2, 1], 1), ([0.128348, 3], 6), ([1 / 3], 6), ([258.1, 25.81], 2)]
)
def test_decimals_are_those_that_the_closes_have(series, closes, places):
    assert decimals(series(closes)) == {"900010": places}


def test_each_name_has_its_own(series):
    both = pl.concat([series([1.5, 2.25]), series([7, 8], "900020")])
    assert decimals(both) == {"900010": 2, "900020": 0}


def test_the_small_action_of_a_real_name_is_found(kosdaq):
    adjusted = kosdaq.filter(pl.col("ticker") == "086520").with_columns(
        close=pl.when(pl.col("session") < date(2025, 2, 27)).then((pl.col("close") * 0.981).round()).otherwise("close")
    )
    (change,) = compared(usable(ordered(kosdaq)), usable(ordered(adjusted)))
    assert (change.ticker, change.session) == ("086520", date(2025, 2, 27))
    assert abs(change.factor - Fraction("0.981")) < Fraction(1, 10_000)


def test_real_dividends_and_the_spin_off_of_a_real_name_are_found(shared):
    file = [read_file(shared / "data/us_daily/TMO.csv")]
    raw, adjusted = (read_bars(file, MARKETS["XNYS"], prices=one).frame for one in (Prices.RAW, Prices.ADJUSTED))
    found = compared(usable(ordered(raw)), usable(ordered(adjusted)))
    assert [change.session for change in found if change.material] == [date(2001, 11, 16)]
    recent = [change.session for change in found if change.session >= date(2020, 1, 1)]
    assert recent == [date(2020, 3, 13), date(2020, 6, 12), date(2020, 9, 14)]
    assert not any(change.worse for change in found)
