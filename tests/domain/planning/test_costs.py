"""Costs: the rates of the day, and estimates that never promise too little."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.planning.costs import Costs, NoSellTax, charge, costs_on

SPEC = {
    "fee_bps": "14.7",
    "slippage_bps": "10",
    "sell_tax": [{"from": "2026-01-01", "bps": "20"}, {"from": "2025-01-01", "bps": "15"}],
}


@pytest.mark.parametrize(("day", "tax"), [("2025-01-01", "15"), ("2025-12-30", "15"), ("2026-01-02", "20")])
def test_the_tax_is_that_of_the_day_whatever_the_order_of_the_rows(day, tax):
    assert costs_on(SPEC, date.fromisoformat(day)) == Costs("14.7", "10", tax)


def test_a_day_before_the_first_row_has_no_tax():
    with pytest.raises(NoSellTax, match="known from 2025-01-01 on and not for 2024-12-30; add its row to 18_costs"):
        costs_on(SPEC, date(2024, 12, 30))


def test_a_charge_is_rounded_up_to_the_won():
    assert charge(1_000_000, "14.7") == 1470
    assert charge(1_000_001, "14.7") == 1471
    assert charge(0, "14.7") == 0
    assert charge(1, "0") == 0


@given(st.integers(0, 10**12), st.integers(0, 99_999))
def test_a_charge_is_the_least_whole_won_that_covers_the_rate(value, hundredths):
    charged = charge(value, f"{hundredths // 100}.{hundredths % 100:02}")
    assert charged * 1_000_000 >= value * hundredths > (charged - 1) * 1_000_000
