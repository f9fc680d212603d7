from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.planning.costs import charge
from quantassay.kis.rehearsal import ACCOUNT
from quantassay.sandbox.accounts import Opening
from quantassay.sandbox.exchange import Costs, Exchange, Handling, NoSuchAccount, Refusal, Wish
from quantassay.sandbox.tape import Bar, Name, Tape
from tests.fakes.practice import COSTS, DAY, EXAM_DAY, at, calendar, practice_exchange, practice_tape, rules
from tests.fakes.trading import FakeClock

PRICES = {"990010": 10_000, "990020": 50_000}


def exchange(clock=None, **changed):
    told = {"cash": 1_000_000, "holdings": {"990020": (30, 48_000)}, **changed}
    return practice_exchange(clock or FakeClock(at("09:00:05")), PRICES, **told)


def buy(ticker="990010", quantity=10, price=10_000):
    return Wish(ticker, "buy", quantity, price)


def sell(ticker="990020", quantity=10, price=50_000):
    return Wish(ticker, "sell", quantity, price)


def test_an_order_through_the_opening_price_is_filled_at_it_and_paid_with_costs():
    market = exchange()
    done = market.submit(ACCOUNT, buy(price=10_500))
    assert [(fill.quantity, fill.price, fill.fee, fill.tax) for fill in done.fills] == [(10, 10_000, 15, 0)]
    assert market.positions(ACCOUNT) == {"990020": 30, "990010": 10}
    assert market.cash(ACCOUNT) == 1_000_000 - 100_000 - 15


def test_a_sell_pays_fee_and_tax_and_a_fund_pays_no_tax():
    market = exchange()
    fill = market.submit(ACCOUNT, sell(price=49_900)).fills[0]
    assert (fill.price, fill.fee, fill.tax) == (50_000, 75, 1_000)
    assert market.cash(ACCOUNT) == 1_000_000 + 500_000 - 75 - 1_000
    tape = practice_tape({"990500": 10_000}, kinds={"990500": "etf"})
    funds = Exchange(tape, [Opening(ACCOUNT, 0, {"990500": (5, 9_000)})], FakeClock(at("09:01")), costs=COSTS)
    assert funds.submit(ACCOUNT, sell("990500", 5, 10_000)).fills[0].tax == 0


def test_an_order_short_of_the_opening_price_rests_and_lapses_with_the_session():
    clock = FakeClock(at("09:00:05"))
    market = exchange(clock)
    number = market.submit(ACCOUNT, buy(price=9_900)).number
    assert market.orderable_cash(ACCOUNT) == 1_000_000 - 99_000 - 15
    clock.advance(6.5 * 3600)
    (order,) = market.orders(ACCOUNT)
    assert (order.number, order.lapsed, order.remaining, order.is_live) == (number, True, 10, False)
    assert market.orderable_cash(ACCOUNT) == market.cash(ACCOUNT) == 1_000_000


def test_only_a_share_of_the_sessions_volume_is_there_for_all_orders_together():
    market = exchange(volume=100, cash=10_000_000)
    assert [market.submit(ACCOUNT, buy(quantity=8)).filled for _ in range(3)] == [8, 2, 0]


def test_an_order_filled_in_parts_costs_what_it_would_at_once():
    market = exchange()
    order = market.submit(ACCOUNT, buy(quantity=3), Handling(at_once=1))
    assert [market.match(ACCOUNT, order.number, 1).filled for _ in range(3)] == [2, 3, 3]
    assert [fill.fee for fill in market.fills(ACCOUNT)] == [2, 1, 2]  # 1.5, 3 and 4.5 won, rounded up


@pytest.mark.parametrize(
    ("bar", "side", "filled"),
    [
        (Bar(13_000, 13_000, 13_000, 13_000, 5_000), "buy", 0),  # locked at the upper limit: nobody sells
        (Bar(13_000, 13_000, 13_000, 13_000, 5_000), "sell", 5),
        (Bar(7_000, 7_000, 7_000, 7_000, 5_000), "sell", 0),
        (Bar(7_000, 7_000, 7_000, 7_000, 5_000), "buy", 5),
        (Bar(13_000, 13_000, 12_500, 12_800, 5_000), "buy", 5),  # at the limit and off it again
        (Bar(10_000, 10_000, 10_000, 10_000, 0), "buy", 0),  # halted
    ],
)
def test_a_locked_or_halted_name_is_not_filled(bar, side, filled):
    flat = Bar(10_000, 10_000, 10_000, 10_000, 5_000)
    bars = {DAY - timedelta(days=1): flat, DAY: bar}
    tape = Tape(calendar(), rules(), [Name("990010", "A name", "kosdaq")], {"990010": bars}.__getitem__)
    market = Exchange(tape, [Opening(ACCOUNT, 10_000_000, {"990010": (5, 9_000)})], FakeClock(at("09:01")))
    assert market.submit(ACCOUNT, Wish("990010", side, 5, 13_000 if side == "buy" else 7_000)).filled == filled


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (buy(price=13_010), "40270000"),  # above the upper limit of 13,000
        (buy(price=6_990), "40270000"),
        (buy(price=9_995), "40030000"),  # off the tick of 10
        (buy(quantity=100), "40250000"),  # 1,000,000 won cannot pay the fee as well
        (buy("990999"), "APBK0656"),
        (sell(quantity=31), "40240000"),
        (sell("990010", 1, 10_000), "40240000"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_no_trace(wish, code):
    market = exchange()
    assert market.submit(ACCOUNT, wish).code == code
    assert market.orders(ACCOUNT) == ()


@pytest.mark.parametrize(
    ("instant", "code"),
    [
        (at("08:59:59"), "40570000"),
        (at("15:30"), "40580000"),
        (at("10:00", DAY + timedelta(days=3)), "40100000"),
        (at("09:30", EXAM_DAY), "40570000"),  # opens at 10 on the day of the exam
        (at("16:29", EXAM_DAY), None),
        (at("16:30", EXAM_DAY), "40580000"),
        (at("15:29:59"), None),
    ],
)
def test_the_hours_are_those_of_the_desks_calendar(instant, code):
    done = exchange(FakeClock(instant)).submit(ACCOUNT, buy())
    assert (done.code if isinstance(done, Refusal) else None) == code


def test_shares_and_cash_that_are_bound_cannot_be_used_twice():
    market = exchange(cash=200_000)
    market.submit(ACCOUNT, sell(quantity=20, price=55_000))
    assert market.submit(ACCOUNT, sell(quantity=11, price=55_000)).code == "40240000"
    market.submit(ACCOUNT, buy(quantity=15, price=9_900))
    assert market.submit(ACCOUNT, buy(quantity=6, price=9_900)).code == "40250000"
    assert market.submit(ACCOUNT, buy(quantity=5, price=9_900)).number


def test_a_market_order_is_reckoned_at_the_upper_limit_and_filled_at_the_open():
    market = exchange(cash=130_010)
    assert market.submit(ACCOUNT, buy(quantity=10, price=0)).code == "40250000"  # 130,000 and a fee of 20
    assert market.submit(ACCOUNT, buy(quantity=9, price=0)).amount == 90_000


def test_a_cancel_takes_what_is_left_and_has_a_number_of_its_own():
    market = exchange(volume=40, cash=10_000_000)
    order = market.submit(ACCOUNT, buy(quantity=10))
    assert order.filled == 4
    cancel = market.cancel(ACCOUNT, order.number.lstrip("0"))
    original, row = market.orders(ACCOUNT)
    assert (original.filled, original.cancelled, original.remaining, original.is_live) == (4, 6, 0, False)
    assert (row.number, row.origin, row.change, row.remaining) == (cancel.number, order.number, "cancel", 0)
    assert market.cancel(ACCOUNT, order.number).code == "40330000"
    assert market.cancel(ACCOUNT, cancel.number).code == "40330000"
    assert market.orderable_cash(ACCOUNT) == market.cash(ACCOUNT)


def test_a_cancel_after_the_close_is_refused_as_closed():
    clock = FakeClock(at("15:29"))
    market = exchange(clock)
    number = market.submit(ACCOUNT, buy(price=9_900)).number
    clock.advance(120)
    assert market.cancel(ACCOUNT, number).code == "40580000"


def test_a_changed_order_goes_on_under_a_new_number_at_its_new_price():
    market = exchange()
    order = market.submit(ACCOUNT, buy(price=9_900))
    assert market.revise(ACCOUNT, order.number, None, 20_000).code == "40270000"
    assert market.orders(ACCOUNT)[0].is_live
    revised = market.revise(ACCOUNT, order.number, None, 10_000)
    assert (revised.origin, revised.filled, revised.change) == (order.number, 10, "revise")
    assert market.orders(ACCOUNT)[0].cancelled == 10
    assert market.positions(ACCOUNT)["990010"] == 10


def test_money_settles_two_sessions_later():
    clock = FakeClock(at("09:01", DAY + timedelta(days=2)))  # a Friday
    market = exchange(clock, day=DAY + timedelta(days=2))
    fill = market.submit(ACCOUNT, buy()).fills[0]
    assert fill.settles == DAY + timedelta(days=6)  # the Tuesday


def test_what_is_rejected_binds_nothing_and_fills_nothing():
    market = exchange()
    order = market.submit(ACCOUNT, buy(), Handling(rejects=True))
    assert (order.rejected, order.remaining, order.filled) == (10, 0, 0)
    assert market.orderable_cash(ACCOUNT) == 1_000_000


def test_a_session_after_the_last_bar_is_a_quiet_one_and_one_without_a_bar_has_no_trading():
    bars = {DAY: Bar(100, 120, 90, 110, 7), DAY + timedelta(days=2): Bar(115, 115, 115, 115, 9)}
    tape = Tape(calendar(), rules(), [Name("1", "A", "kosdaq")], {"1": bars}.__getitem__)
    assert tape.session("1", DAY - timedelta(days=1)) is None
    assert tape.session("1", EXAM_DAY).is_halted
    assert tape.session("1", EXAM_DAY).bar.open == 110
    later = tape.session("1", DAY + timedelta(days=5))
    assert (later.bar, later.base) == (Bar(115, 115, 115, 115, 9), 115)


def test_an_account_that_is_not_kept_is_said_so():
    with pytest.raises(NoSuchAccount, match="keeps no such account"):
        exchange().cash("50000000-01")


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("buy"), st.integers(1, 60), st.sampled_from([0, 9_000, 9_990, 10_000, 12_000])),
        st.tuples(st.just("sell"), st.integers(1, 60), st.sampled_from([0, 9_000, 10_000, 11_000])),
        st.tuples(st.just("cancel"), st.integers(0, 9), st.none()),
        st.tuples(st.just("revise"), st.integers(0, 9), st.sampled_from([9_500, 10_000])),
        st.tuples(st.just("part"), st.integers(2, 60), st.sampled_from([9_990, 10_000, 12_000])),
        st.tuples(st.just("match"), st.integers(0, 9), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 40_000), st.none()),
    ),
    max_size=25,
)


@given(moves=MOVES, volume=st.sampled_from([50, 1_000_000]), fee=st.sampled_from(["0", "1.5", "14.7"]))
def test_cash_and_shares_are_conserved_and_never_negative(moves, volume, fee):
    clock = FakeClock(at("09:00:05"))
    tape = practice_tape({"990010": 10_000}, volume=volume)
    opening = Opening(ACCOUNT, 300_000, {"990010": (20, 9_000)})
    market = Exchange(tape, [opening], clock, costs=Costs(fee, "20"))
    for kind, number, price in moves:
        known = [order.number for order in market.orders(ACCOUNT)]
        target = known[number % len(known)] if known else "1"
        match kind:
            case "wait":
                clock.advance(number)
            case "cancel":
                market.cancel(ACCOUNT, target)
            case "part":
                market.submit(ACCOUNT, Wish("990010", "buy", number, price), Handling(at_once=number // 2))
            case "match" if known:
                market.match(ACCOUNT, target, number)
            case "match":
                pass
            case "revise":
                market.revise(ACCOUNT, target, None, price)
            case side:
                market.submit(ACCOUNT, Wish("990010", side, number, price))
        assert _books_hold(market, opening, fee)


def _books_hold(market, opening, fee):
    orders, fills = market.orders(ACCOUNT), market.fills(ACCOUNT)
    held = 20 + sum(fill.quantity if fill.side == "buy" else -fill.quantity for fill in fills)
    assert market.positions(ACCOUNT).get("990010", 0) == held >= 0
    assert market.cash(ACCOUNT) == opening.cash + sum(fill.money for fill in fills) >= 0
    assert market.orderable_cash(ACCOUNT) >= 0
    assert market.view(ACCOUNT).open_sells("990010") <= held
    assert sorted(fills, key=repr) == sorted((fill for order in orders for fill in order.fills), key=repr)
    for order in orders:
        if order.change != "cancel":
            assert order.quantity == order.filled + order.remaining + order.cancelled + order.rejected
            assert sum(fill.fee for fill in order.fills) == charge(order.amount, fee)
    assert len({order.number for order in orders}) == len(orders)
    return True
