"""The trailing stop: it follows the peak, and what the range does later never moves it down."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.signals.trailing import holding_stop, loose_stop, peak

PRICE = st.floats(min_value=1, max_value=1e6)
BARS = st.lists(
    st.tuples(PRICE, st.one_of(st.just(np.nan), st.floats(min_value=0, max_value=1e5))), min_size=2, max_size=40
)


def test_a_wider_range_lowers_the_loose_stop_and_not_the_other():
    closes, ranges = np.array([100.0, 110.0, 108.0]), np.array([2.0, 2.0, 9.0])
    assert holding_stop(closes, ranges, 0, 1, 2.0) == loose_stop(closes, ranges, 0, 1, 2.0) == 106.0
    assert loose_stop(closes, ranges, 0, 2, 2.0) == 92.0
    assert holding_stop(closes, ranges, 0, 2, 2.0) == 106.0
    assert holding_stop(closes, ranges, 2, 2, 2.0) == 90.0, "what was before the entry does not count"


def test_an_unknown_range_sets_no_stop():
    closes, ranges = np.array([100.0, 90.0]), np.array([np.nan, np.nan])
    assert (holding_stop(closes, ranges, 0, 1, 1.0), loose_stop(closes, ranges, 0, 1, 1.0)) == (None, None)
    assert holding_stop(closes, np.array([1.0, np.nan]), 0, 1, 1.0) == 99.0


@given(BARS, st.floats(min_value=0, max_value=5))
def test_the_stop_never_falls_and_is_never_below_the_loose_one(rows, multiple):
    closes, ranges = np.array([close for close, _ in rows]), np.array([own for _, own in rows])
    stops = [holding_stop(closes, ranges, 0, at, multiple) for at in range(len(rows))]
    for before, after in pairwise(stops):
        assert before is None or after >= before
    loose = loose_stop(closes, ranges, 0, len(rows) - 1, multiple)
    assert loose is None or stops[-1] >= loose


def test_the_peak_is_the_first_of_the_highest():
    closes = np.array([9.0, 3.0, 5.0, 5.0, 4.0])
    assert [peak(closes, start, 4) for start in range(5)] == [0, 2, 2, 3, 4]
    with pytest.raises(ValueError, match="empty"):
        peak(closes, 5, 4)
