"""What a fill was worth: figures by hand, and laws that hold for any fill."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.trading import execution_figures as figures
from quantassay.domain.trading.execution_figures import Figures, Fill, Rates

RATES = Rates("14.7", "20", "10")
FILLS = st.builds(
    Fill, st.sampled_from(["buy", "sell"]), st.integers(1, 10**6), st.integers(0, 10**12), st.integers(1, 10**7)
)


def test_a_sell_below_its_close_and_a_buy_above_it_are_slippage_against_us():
    sold = figures.figures(Fill("sell", 30, 568_500, 19_000), RATES)
    assert sold == Figures(568_500, 570_000, 1_500, 570, 836, 1_137)
    assert sold.costs == 1_973
    bought = figures.figures(Fill("buy", 28, 1_458_800, 52_300), RATES)
    assert (bought.slippage, bought.tax, bought.fee) == (-5_600, 0, 2_145)


def test_slippage_in_basis_points_is_rounded_once_and_half_to_even():
    assert figures.in_basis_points(1_500, 570_000) == "26.32"
    assert figures.in_basis_points(1, 80_000) == "0.12"  # 0.125
    assert figures.in_basis_points(3, 80_000) == "0.38"  # 0.375
    assert figures.in_basis_points(-1, 10**9) == "0.00"
    assert figures.in_basis_points(5, 0) is None


def test_an_average_price_has_four_places():
    assert figures.average_price(1_267_700, 120) == "10564.1667"
    assert figures.average_price(0, 0) is None


@pytest.mark.parametrize("plan", [{}, {"costs": None}, {"costs": {"fee_bps": None}}])
def test_a_plan_without_rates_estimates_nothing(plan):
    assert figures.figures(Fill("sell", 1, 100, 100), figures.rates(plan)).costs == 0


@given(FILLS)
def test_what_one_side_loses_against_its_close_the_other_wins(fill):
    other = Fill("buy" if fill.side == "sell" else "sell", fill.shares, fill.amount, fill.reference)
    assert figures.figures(fill, RATES).slippage == -figures.figures(other, RATES).slippage


@given(FILLS, st.integers(1, 10**6))
def test_costs_are_never_less_than_their_rate_nor_a_won_more(fill, of):
    found = figures.figures(fill, RATES)
    exact = Fraction("14.7") * fill.amount / 10_000
    assert exact <= found.fee < exact + 1
    points = Decimal(figures.in_basis_points(found.slippage, of))
    assert abs(Fraction(points) - Fraction(found.slippage * 10_000, of)) <= Fraction(1, 200)


@given(st.lists(FILLS, max_size=5))
def test_a_total_is_the_sum_of_its_parts(fills):
    parts = [figures.figures(fill, RATES) for fill in fills]
    assert figures.total(parts).value == sum(fill.amount for fill in fills)
    assert figures.total(parts).costs == sum(part.costs for part in parts)
