"""Fills on paper: no better than the open, not beyond a limit, no more than there is, and nothing on a locked day."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.market.price_rules import is_on_tick, price_rules
from quantassay.domain.planning.costs import Costs
from quantassay.domain.trading import paper_account
from quantassay.domain.trading.book import NewOrder
from quantassay.domain.trading.paper_account import Holding, PaperAccount, PaperOrder
from quantassay.domain.trading.paper_fills import (
    Fill,
    NoFill,
    Opening,
    Terms,
    affordable,
    fill,
    largest_cost,
    refusal,
    terms_on,
)

SPEC = Path(__file__).parents[3] / "spec"
RULES = price_rules(yaml.safe_load((SPEC / "19_price_rules.yaml").read_text()))
COSTS = yaml.safe_load((SPEC / "18_costs.yaml").read_text())
DAY = date(2026, 11, 19)
TERMS = Terms(RULES, "kosdaq", DAY, Costs("14.7", "10", "20"), Fraction("0.05"))
FUND = replace(TERMS, kind="etf")
OPENING = Opening("990010", DAY, open=10_000, low=9_800, high=10_300, volume=100_000, base=9_900)
# A base of 10,000 may go from 7,000 to 13,000.
UP = Opening("990010", DAY, open=13_000, low=13_000, high=13_000, volume=5_000, base=10_000)
DOWN = Opening("990010", DAY, open=7_000, low=7_000, high=7_000, volume=5_000, base=10_000)


def buy(quantity=10, price=10_300):
    return NewOrder("990010", "buy", quantity, price)


def sell(quantity=10, price=9_000):
    return NewOrder("990010", "sell", quantity, price)


def test_a_buy_slips_up_to_the_next_tick_and_pays_the_fee():
    # 10,000 and 10 bp are 10,010; 100,100 won at 14.7 bp are 147.147, rounded up.
    assert fill(buy(), OPENING, TERMS) == Fill(10, 10_010, fee=148, tax=0)


def test_a_sell_slips_down_and_pays_fee_and_tax():
    # 9,990 is on a tick below 20,000; below 10,000 too.
    assert fill(sell(), OPENING, TERMS) == Fill(10, 9_990, fee=147, tax=200)


def test_the_sale_of_a_fund_is_not_taxed():
    assert fill(sell(), OPENING, FUND).tax == 0


def test_no_fill_is_worse_than_the_orders_limit_or_beyond_the_days():
    assert fill(buy(price=10_000), OPENING, TERMS).price == 10_000
    assert fill(sell(price=10_000), OPENING, TERMS).price == 10_000
    opened = replace(UP, low=12_000)
    assert fill(buy(price=13_000), opened, TERMS).price == 13_000


@pytest.mark.parametrize("order", [buy(price=9_990), sell(price=10_010)])
def test_an_open_beyond_the_limit_fills_nothing(order):
    assert "beyond the limit" in fill(order, OPENING, TERMS).why


@pytest.mark.parametrize(
    ("order", "opening", "filled"),
    [
        (buy(price=13_000), UP, False),  # nobody sells
        (sell(price=13_000), UP, True),  # and everybody buys
        (sell(price=7_000), DOWN, False),
        (buy(price=7_000), DOWN, True),
        (buy(price=13_000), replace(UP, low=12_990), True),  # the lock was opened
        (sell(price=7_000), replace(DOWN, high=7_010), True),
    ],
)
def test_a_locked_limit_gives_nothing_to_the_side_that_queues(order, opening, filled):
    assert isinstance(fill(order, opening, TERMS), Fill) == filled


def test_a_halted_session_fills_nothing():
    assert "nothing was traded" in fill(buy(), replace(OPENING, volume=0), TERMS).why


def test_a_share_of_the_volume_is_all_that_is_to_be_had():
    thin = replace(OPENING, volume=1_999)
    assert fill(buy(200), thin, TERMS).quantity == 99
    assert fill(buy(200), thin, TERMS, taken=60).quantity == 39
    assert isinstance(fill(buy(1), thin, TERMS, taken=99), NoFill)
    assert isinstance(fill(buy(1), replace(OPENING, volume=19), TERMS), NoFill)


def test_a_quote_has_no_volume_and_limits_none():
    assert fill(buy(1_000_000), replace(OPENING, volume=None), TERMS).quantity == 1_000_000


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (buy(quantity=0), "paper_quantity"),
        (buy(price=0), "paper_price"),
        (buy(price=10_005), "paper_tick"),
        (buy(price=13_010), "paper_limit"),
        (sell(price=6_990), "paper_limit"),
        (buy(price=13_000), None),
        (sell(price=7_000), None),
    ],
)
def test_an_order_off_the_ticks_or_the_limits_is_refused(order, code):
    refused = refusal(order, 10_000, TERMS)
    assert (refused.code if refused else None) == code


def test_the_terms_of_a_day_have_the_tax_of_the_day():
    assert terms_on(date(2025, 12, 30), RULES, "kosdaq", COSTS, "0.05").costs.sell_tax_bps == "15"
    assert terms_on(DAY, RULES, "kosdaq", COSTS, "0.05") == TERMS


PRICES = st.integers(500, 900_000).map(lambda price: price - price % 1_000 if price >= 1_000 else price)


@given(PRICES, st.integers(-2_000, 2_000), st.integers(1, 5_000), st.integers(0, 200_000), st.booleans())
def test_every_fill_is_on_a_tick_within_its_limit_and_the_volume(base, off_bps, quantity, volume, is_buy):
    terms = TERMS
    opened = max(base * (10_000 + off_bps) // 10_000 // 1_000 * 1_000, 500)
    band = terms.band(base)
    opened = min(max(opened, band.lower), band.upper)
    limit = band.upper if is_buy else band.lower
    order = NewOrder("990010", "buy" if is_buy else "sell", quantity, limit)
    opening = Opening("990010", DAY, opened, opened, opened, volume, base)
    made = fill(order, opening, terms)
    if isinstance(made, Fill):
        assert is_on_tick(RULES, made.price, DAY, "kosdaq")
        assert band.lower <= made.price <= band.upper
        assert made.price >= opened if is_buy else made.price <= opened
        assert 0 < made.quantity <= min(quantity, volume // 20)
        if is_buy:
            assert made.amount + made.costs <= largest_cost(order, terms)


@given(st.integers(0, 3_000_000), st.integers(1, 900_000))
def test_what_is_affordable_is_paid_by_the_cash_and_one_more_is_not(cash, price):
    shares = affordable(cash, price, TERMS)
    assert shares == 0 or largest_cost(buy(shares, price), TERMS) <= cash
    assert largest_cost(buy(shares + 1, price), TERMS) > cash


FILLS = st.builds(Fill, st.integers(1, 50), st.integers(100, 20_000), st.integers(0, 99), st.integers(0, 99))


@given(st.lists(st.tuples(st.sampled_from(["buy", "sell"]), FILLS), max_size=12))
def test_an_account_conserves_shares_and_won(trades):
    account = PaperAccount(10_000_000, {"990010": Holding(1_000, Decimal(5_000))})
    for number, (side, made) in enumerate(trades, 1):
        order = PaperOrder(number, DAY, "090000", "990010", side, made.quantity, made.price, fill=made)
        account = account.with_order(order)
    bought = sum(made.quantity if side == "buy" else -made.quantity for side, made in trades)
    paid = sum((made.amount if side == "buy" else -made.amount) + made.costs for side, made in trades)
    assert paper_account.holdings(account)["990010"].quantity == 1_000 + bought
    assert paper_account.cash(account) == 10_000_000 - paid
    assert paper_account.deposit(account, lambda _: False) == 10_000_000
    assert paper_account.totals(account, DAY).amount == sum(made.amount for _, made in trades)


def test_the_average_price_is_that_of_what_was_bought():
    account = PaperAccount(1_000_000, {})
    for number, (side, quantity, price) in enumerate([("buy", 3, 100), ("sell", 1, 500), ("buy", 2, 101)], 1):
        made = Fill(quantity, price, 0, 0)
        account = account.with_order(PaperOrder(number, DAY, "090000", "A", side, quantity, price, fill=made))
    assert paper_account.holdings(account)["A"] == Holding(4, Decimal("100.5000"))
