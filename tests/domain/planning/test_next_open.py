"""The plan: sells first, buys while cash and places last, every other signal put aside with its reason."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.market.price_rules import PriceRules, is_on_tick
from quantassay.domain.planning.costs import Costs
from quantassay.domain.planning.next_open import Account, Candidate, Market, Skipped, plan, untraded
from quantassay.domain.planning.sizing import shares, sizing

DAY = date(2026, 11, 19)
STEPS = ((2000, 1), (5000, 5), (20000, 10), (50000, 50), (200000, 100), (500000, 500), (None, 1000))
PRICES = PriceRules({"kosdaq": ("t", "l")}, {"t": ((date(2023, 1, 25), STEPS),)}, {"l": ((date(2015, 6, 15), 30),)})
MARKET = Market(PRICES, "kosdaq", DAY, Costs("14.7", "10", "20"))
SPEC = {
    "quantity": {"mode": "cash_per_trade", "fixed": 1},
    "limits": {
        "max_positions": 3,
        "cash_per_trade": 1_500_000,
        "largest_turnover_share": "0.01",
        "cash_buffer": "0.02",
        "max_signal_age_sessions": 1,
    },
    "collar": {"buy": "0.03", "sell": "0.10"},
    "count_on_sells": False,
}
RULES = sizing(SPEC)


def name(ticker, verdict, close=10_000, volume=1_000_000, doubt=None):
    return Candidate(ticker, verdict, close, None if volume is None else Fraction(volume), doubt)


def planned(candidates, cash=10_000_000, held=None, rules=RULES):
    return plan(candidates, Account(cash, held or {}), rules, MARKET)


def sent(made):
    return [(order.side, order.ticker, order.quantity) for order in made.orders]


def codes(made):
    return [(one.ticker, one.side, one.code) for one in made.skipped]


def test_sells_come_first_each_side_in_the_order_of_the_names():
    made = planned(
        [name("A", "buy"), name("B", "sell"), name("C", "none"), name("D", "buy"), name("E", "sell")],
        held={"E": 7, "B": 5},
        rules=replace(RULES, max_positions=4),
    )
    assert sent(made) == [("sell", "B", 5), ("sell", "E", 7), ("buy", "A", 145), ("buy", "D", 145)]
    assert made.positions_after == 2


def test_an_order_says_what_it_may_cost():
    buy, sell = planned([name("A", "buy", 10_005), name("B", "sell", 10_005)], held={"B": 10}).orders[::-1]
    assert (buy.limit_price, sell.limit_price) == (10_300, 9_010)  # 10,305.15 down and 9,004.5 up, to the tick
    assert (buy.band.lower, buy.band.upper) == (7_010, 13_000)
    assert (buy.value, buy.fee, buy.tax, buy.slippage) == (145 * 10_300, 2196, 0, 1451)
    assert (sell.value, sell.fee, sell.tax, sell.slippage) == (90_100, 133, 181, 101)


def test_a_collar_wider_than_the_daily_limit_stops_at_the_limit():
    wide = replace(RULES, buy_collar=Fraction("0.5"), sell_collar=Fraction(1))
    sell, buy = planned([name("A", "buy"), name("B", "sell")], held={"B": 1}, rules=wide).orders
    assert (buy.limit_price, sell.limit_price) == (13_000, 7_000)


def test_what_is_not_held_is_not_sold_and_what_is_held_is_not_bought():
    made = planned([name("A", "sell"), name("B", "buy"), name("C", "sell")], held={"B": 1, "C": 0})
    assert made.orders == ()
    assert codes(made) == [("A", "sell", "not_held"), ("C", "sell", "not_held"), ("B", "buy", "already_held")]
    assert made.positions_after == 1


def test_a_held_name_in_doubt_is_put_aside_whatever_its_verdict():
    names = [
        name("A", "sell", doubt="blocked"),
        name("B", "none", doubt="other_session"),
        name("C", "no_data"),
        name("D", "no_data", close=None, doubt="no_bar"),
    ]
    made = planned(names, held=dict.fromkeys("ABCD", 1))
    assert made.orders == ()
    assert codes(made) == [
        ("A", "sell", "blocked"),
        ("B", "sell", "other_session"),
        ("C", "sell", "no_data"),
        ("D", "sell", "no_bar"),
    ]


def test_a_buy_in_doubt_is_put_aside():
    made = planned([name("A", "buy", doubt="blocked"), name("B", "buy", volume=None), name("C", "buy")])
    assert sent(made) == [("buy", "C", 145)]
    assert codes(made) == [("A", "buy", "blocked"), ("B", "buy", "no_data")]


def test_a_share_dearer_than_the_cash_for_a_trade_is_not_bought():
    made = planned([name("A", "buy", 1_460_000)])
    assert made.skipped == (Skipped("A", "buy", "order_value", 1_503_000, 1_500_000),)
    assert sent(planned([name("A", "buy", 1_456_000)])) == [("buy", "A", 1)]


def test_an_order_may_not_be_too_much_of_a_usual_day():
    assert sent(planned([name("A", "buy", volume=14_500)])) == [("buy", "A", 145)]
    assert planned([name("A", "buy", volume=14_499)]).skipped == (Skipped("A", "buy", "turnover_share", 145, 144),)


def test_places_run_out():
    made = planned([name(ticker, "buy") for ticker in "ABCDE"], held={"X": 1}, cash=10**9)
    assert sent(made) == [("buy", "A", 145), ("buy", "B", 145)]
    assert made.skipped == tuple(Skipped(ticker, "buy", "max_positions", 1, 0) for ticker in "CDE")


def test_cash_runs_out_after_fees_and_buffer_and_a_cheaper_name_may_still_fit():
    need = 145 * 10_300 + 2196
    assert planned([name("A", "buy")], cash=need).skipped == (
        Skipped("A", "buy", "cash", need, need - ceil(need * 0.02)),
    )
    made = planned([name("A", "buy"), name("B", "buy"), name("C", "buy", 1_000_000)], cash=2_700_000)
    assert sent(made) == [("buy", "A", 145), ("buy", "C", 1)]
    assert made.cash_buffer == 54_000
    assert made.cash_reserved == need + 1_030_000 + 1_515


def test_sells_fund_buys_only_where_the_spec_says_so():
    names, held = [name("A", "buy"), name("B", "sell")], {"B": 200, "X": 1, "Y": 1}
    assert codes(planned(names, cash=0, held=held)) == [("A", "buy", "max_positions")]
    counting = replace(RULES, count_on_sells=True)
    made = planned(names, cash=0, held=held, rules=counting)
    assert sent(made) == [("sell", "B", 200), ("buy", "A", 145)]
    assert codes(planned(names, cash=0, held={"B": 165, "X": 1}, rules=counting)) == [("A", "buy", "cash")]


def test_a_fixed_quantity_is_taken_as_it_is():
    fixed = sizing({**SPEC, "quantity": {"mode": "fixed", "fixed": 3}})
    assert shares(10_000, fixed) == 3
    assert sent(planned([name("A", "buy")], rules=fixed)) == [("buy", "A", 3)]
    assert codes(planned([name("A", "buy", 600_000)], rules=fixed)) == [("A", "buy", "order_value")]


candidates = st.lists(
    st.builds(
        name,
        st.sampled_from([f"9000{i}0" for i in range(10)]),
        st.sampled_from(["buy", "sell", "none", "no_data"]),
        st.integers(1, 2_000_000),
        st.integers(0, 10**6) | st.none(),
        st.sampled_from([None, None, "blocked"]),
    ),
    max_size=10,
    unique_by=lambda one: one.ticker,
)


@given(
    candidates,
    st.integers(0, 10**7),
    st.dictionaries(st.sampled_from([f"9000{i}0" for i in range(12)]), st.integers(0, 50), max_size=5),
    st.booleans(),
)
def test_no_plan_breaks_a_limit(names, cash, held, count_on_sells):
    rules = replace(RULES, count_on_sells=count_on_sells)
    made = planned(names, cash, held, rules)
    owned = {ticker for ticker, quantity in held.items() if quantity}
    buys = [order for order in made.orders if order.side == "buy"]
    sells = [order for order in made.orders if order.side == "sell"]
    assert made.orders == (*sells, *buys)
    assert all(order.quantity == held[order.ticker] for order in sells)
    assert not {order.ticker for order in buys} & owned
    for order in made.orders:
        assert order.band.lower <= order.limit_price <= order.band.upper
        assert is_on_tick(PRICES, order.limit_price, DAY, "kosdaq")
        assert order.value == order.quantity * order.limit_price > 0
    for order in buys:
        assert order.value <= rules.cash_per_trade
        assert order.limit_price <= order.reference_close * Fraction("1.03")
    proceeds = sum(order.value - order.fee - order.tax for order in sells) if count_on_sells else 0
    assert made.cash_reserved == sum(order.value + order.fee for order in buys)
    assert not buys or made.cash_reserved <= cash - made.cash_buffer + proceeds
    kept = len(owned) - (len(sells) if count_on_sells else 0)
    assert not buys or kept + len(buys) <= rules.max_positions
    # Every signal, and every held name in doubt, is either ordered or put aside, once.
    spoken = [(one.ticker, one.side) for one in (*made.orders, *made.skipped)]
    assert len(spoken) == len(set(spoken))
    assert {(one.ticker, one.verdict) for one in names if one.verdict in ("buy", "sell")} <= set(spoken)


def entry(ticker, refused=None, **bounds):
    return replace(name(ticker, "none" if refused else "buy"), is_entry=True, refused=refused, **bounds)


def test_a_refused_entry_keeps_its_code_and_takes_nothing():
    made = planned([entry("A", "below_trigger"), entry("B", "quality"), entry("C")], held={"A": 1})
    assert sent(made) == [("buy", "C", 145)]
    assert codes(made) == [("A", "buy", "below_trigger"), ("B", "buy", "quality")]


def test_a_holding_that_is_a_candidate_is_judged_once_on_each_side():
    made = planned([name("A", "sell"), entry("A")], held={"A": 3})
    assert (sent(made), codes(made)) == ([("sell", "A", 3)], [("A", "buy", "already_held")])
    doubtful = planned([name("A", "none", doubt="blocked"), replace(entry("A"), doubt="blocked")], held={"A": 3})
    assert codes(doubtful) == [("A", "sell", "blocked"), ("A", "buy", "already_held")]


def test_a_review_is_no_sell():
    made = planned(
        [name("A", "review"), name("B", "review"), name("C", "review", doubt="blocked")], held={"A": 1, "C": 1}
    )
    assert made.orders == ()
    assert codes(made) == [("A", "sell", "sell_review"), ("B", "sell", "not_held"), ("C", "sell", "blocked")]


def test_a_buy_pays_no_more_than_the_highest_open_and_carries_its_band():
    (order,) = planned([entry("A", open_low=9_900, open_high=10_105)]).orders
    assert (order.limit_price, order.open_low, order.open_high) == (10_100, 9_900, 10_105)
    (order,) = planned([entry("A", open_low=9_900, open_high=99_999)]).orders
    assert (order.limit_price, order.open_high) == (10_300, 99_999)  # the collar still binds


def test_an_entry_that_must_open_above_its_limit_is_put_aside():
    made = planned([entry("A", open_low=10_301, open_high=11_000)])
    assert made.skipped == (Skipped("A", "buy", "band_beyond_limit", 10_301, 10_300),)
    assert sent(planned([entry("A", open_low=10_300, open_high=11_000)])) == [("buy", "A", 145)]


def test_where_nobody_has_rules_every_signal_is_put_aside():
    names = [
        name("A", "sell"),
        name("B", "none"),
        name("C", "review"),
        name("D", "buy"),
        entry("E"),
        entry("F", "quality"),
    ]
    made = untraded(names, Account("12.34", {"A": 1, "C": 2, "X": 0}))
    assert (made.orders, made.cash_buffer, made.cash_reserved, made.positions_after) == ((), 0, 0, 2)
    assert codes(made) == [
        ("A", "sell", "market_not_traded"),
        ("C", "sell", "sell_review"),
        ("D", "buy", "market_not_traded"),
        ("E", "buy", "market_not_traded"),
        ("F", "buy", "quality"),
    ]
