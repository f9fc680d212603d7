"""Buys are cut down to the money that is there: the laws, on any plan, any budget and any fee."""

from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.trading.limits import cost
from quantassay.domain.trading.scaling import Buy, adjust_buy_quantities

FEES = st.sampled_from(["0", "1.5", "14.7", "50"])
PLANS = st.lists(st.tuples(st.integers(1, 5_000), st.integers(1, 2_000_000)), min_size=0, max_size=12).map(
    lambda rows: [Buy(f"{i:06}", quantity, price) for i, (quantity, price) in enumerate(rows)]
)


def total(plan, given, fee):
    return sum(cost(count, one.price, fee) for one, count in zip(plan, given, strict=True))


@given(PLANS, st.integers(-1_000, 10**10), FEES)
def test_never_more_than_planned_and_never_more_than_the_budget(plan, budget, fee):
    found = adjust_buy_quantities(plan, budget, fee)
    assert all(0 <= count <= one.quantity for one, count in zip(plan, found, strict=True))
    assert total(plan, found, fee) <= max(budget, 0)


@given(PLANS, st.integers(0, 10**10), FEES)
def test_all_is_bought_that_can_be_paid_and_otherwise_no_further_share_can_be(plan, budget, fee):
    found = adjust_buy_quantities(plan, budget, fee)
    if total(plan, [one.quantity for one in plan], fee) <= budget:
        assert found == tuple(one.quantity for one in plan)
    for i, one in enumerate(plan):
        if found[i] < one.quantity:
            more = [count + (i == j) for j, count in enumerate(found)]
            assert total(plan, more, fee) > budget


@given(PLANS, st.integers(0, 10**10), FEES, st.randoms())
def test_the_order_of_the_lines_does_not_matter(plan, budget, fee, chance):
    shuffled = chance.sample(plan, len(plan))
    one = dict(zip(plan, adjust_buy_quantities(plan, budget, fee), strict=True))
    other = dict(zip(shuffled, adjust_buy_quantities(shuffled, budget, fee), strict=True))
    assert one == other


def test_each_gets_the_same_part_and_the_rest_goes_where_most_is_lacking():
    plan = [Buy("990010", 100, 1_000), Buy("990020", 10, 10_000), Buy("990030", 1, 100_000)]
    assert adjust_buy_quantities(plan, 300_000, "0") == (100, 10, 1)
    assert adjust_buy_quantities(plan, 160_000, "0") == (60, 10, 0)
    assert adjust_buy_quantities(plan, 150_003, "0") == (90, 6, 0)
    assert adjust_buy_quantities(plan, 0, "0") == (0, 0, 0)


def test_a_fee_is_part_of_what_a_share_costs():
    assert adjust_buy_quantities([Buy("990010", 10, 1_000)], 10_000, "10") == (9,)
    assert adjust_buy_quantities([Buy("990010", 10, 1_000)], 10_010, "10") == (10,)
