"""The bootstrap against one in plain Python, Holm's correction against an example worked by hand."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.calibration.bootstrap import Recipe, decimal, drawn, holm, mean, millionths, recipe

MASK = 2**128 - 1
MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
HOW = Recipe(resamples=200, level=Fraction("0.95"), seed=7, least_sessions=3)
SUMS = [40_000, -25_000, 3, 60_000, -70_000, 12_500, 9_000]
SIZES = [2, 1, 1, 4, 3, 1, 1]


def pcg64(seed):
    """The 64 bits of each step of PCG64 (XSL-RR, as M. E. O'Neill gives it), begun where numpy begins it."""
    inner = np.random.PCG64(seed).state["state"]
    state, increment = inner["state"], inner["inc"]
    while True:
        state = (state * MULTIPLIER + increment) & MASK
        word, turn = (state >> 64) ^ (state & (2**64 - 1)), state >> 122
        yield ((word >> turn) | (word << (64 - turn))) & (2**64 - 1)


def plain(sums, sizes, how, direction):
    """Every drawing with Fractions, one number after another."""
    bits = pcg64(how.seed)
    means = []
    for _ in range(how.resamples):
        chosen = [(next(bits) >> 32) * len(sums) >> 32 for _ in sums]
        means.append(Fraction(sum(sums[at] for at in chosen), sum(sizes[at] for at in chosen)))
    against = [one for one in means if (one <= 0 if direction == "up" else one >= 0)]
    rounded = sorted((one + Fraction(1, 2)).__floor__() for one in means)
    ranks = [share * how.resamples for share in ((1 - how.level) / 2, (1 + how.level) / 2)]
    low, high = (rounded[max(-(-rank // 1), 1) - 1] for rank in ranks)
    return low, high, Fraction(len(against) + 1, how.resamples + 1)


@pytest.mark.parametrize("direction", ["up", "down"])
@pytest.mark.parametrize("how", [HOW, Recipe(101, Fraction("0.9"), 2026, 2), Recipe(333, Fraction("0.5"), 0, 7)])
def test_the_interval_is_that_of_a_bootstrap_in_plain_python(how, direction):
    found = drawn(np.array(SUMS), np.array(SIZES), how, direction)
    assert (found.low, found.high, found.p_value) == plain(SUMS, SIZES, how, direction)


def test_more_draws_than_are_held_at_once_are_the_draws_of_one_stream():
    days, how = 1009, Recipe(2500, Fraction("0.95"), 3, 2)
    sums, sizes = np.arange(days) * 7919 % 2003 - 1000, np.arange(days) % 3 + 1
    bits = np.random.PCG64(how.seed).random_raw((how.resamples, days)) >> np.uint64(32)
    chosen = (bits * np.uint64(days) >> np.uint64(32)).astype(np.int64)
    totals, counts = sums[chosen].sum(axis=1), sizes[chosen].sum(axis=1)
    means = sorted((2 * totals + counts) // (2 * counts))
    found = drawn(sums, sizes, how, "up")
    assert (found.low, found.high) == (means[62], means[2437])
    assert found.p_value == Fraction(1 + int((totals <= 0).sum()), 2501)


def test_a_mean_of_nothing_is_no_evidence_for_a_direction():
    zeros = np.zeros(5, np.int64), np.ones(5, np.int64)
    assert drawn(*zeros, HOW, "up").p_value == 1
    assert drawn(*zeros, HOW, "down").p_value == 1


def test_a_clear_effect_has_the_least_p_value_in_its_own_direction_only():
    days = np.full(5, 1000), np.ones(5, np.int64)
    assert drawn(*days, HOW, "up").p_value == Fraction(1, 201)
    assert drawn(*days, HOW, "down").p_value == 1


def test_too_few_days_say_nothing():
    assert drawn(np.array(SUMS[:2]), np.array(SIZES[:2]), HOW, "up") is None
    assert drawn(np.array(SUMS[:3]), np.array(SIZES[:3]), HOW, "up") is not None
    nothing = np.zeros(0, np.int64)
    assert drawn(nothing, nothing, HOW, "up") is None


def test_holm_as_worked_by_hand():
    # 0.01 * 4 = 0.04; 0.02 * 3 = 0.06; 0.03 * 2 = 0.06; 0.04 * 1 = 0.04, which may not be below the one before.
    p_values = [Fraction(one, 100) for one in (4, 1, 3, 2)]
    assert holm(p_values, 4) == [Fraction(6, 100), Fraction(4, 100), Fraction(6, 100), Fraction(6, 100)]


def test_holm_counts_values_that_have_no_p_value_and_those_that_are_not_here():
    # The same four among seven tried: 0.07, 0.12, 0.15, 0.16.
    p_values = [Fraction(4, 100), None, Fraction(1, 100), Fraction(3, 100), Fraction(2, 100)]
    corrected = [Fraction(16, 100), None, Fraction(7, 100), Fraction(15, 100), Fraction(12, 100)]
    assert holm(p_values, 7) == corrected


def test_holm_never_says_more_than_certain_and_treats_equals_alike():
    assert holm([Fraction(1, 2), Fraction(1, 2), Fraction(9, 10)], 3) == [1, 1, 1]
    assert holm([Fraction(1, 10), Fraction(1, 10)], 5) == [Fraction(1, 2), Fraction(1, 2)]
    assert holm([], 3) == []


@given(st.lists(st.one_of(st.none(), st.fractions(0, 1)), max_size=8), st.integers(0, 5))
def test_a_correction_lowers_no_p_value_and_more_tries_never_help(p_values, more):
    once, again = holm(p_values, len(p_values)), holm(p_values, len(p_values) + more)
    for p, one, other in zip(p_values, once, again, strict=True):
        assert (p is None) == (one is None) == (other is None)
        assert p is None or p <= one <= other <= 1


@given(st.integers(-(10**12), 10**12), st.integers(1, 10**6))
def test_means_are_rounded_half_up(total, count):
    assert mean(total, count) == (Fraction(total, count) + Fraction(1, 2)).__floor__()


def test_numbers_as_text():
    assert mean(0, 0) is None
    assert [millionths(one) for one in (None, 0, 1, -1, 1_234_567, -12_000_000)] == [
        None,
        "0.000000",
        "0.000001",
        "-0.000001",
        "1.234567",
        "-12.000000",
    ]
    assert [decimal(one) for one in (None, Fraction(1, 3), Fraction(2, 3), Fraction(1, 2_000_000), Fraction(1))] == [
        None,
        "0.333333",
        "0.666667",
        "0.000001",
        "1.000000",
    ]


def test_the_recipe_of_a_spec():
    spec = {"resamples": 200, "level": "0.95", "seed": 7, "least_sessions": 3}
    assert recipe(spec) == HOW
