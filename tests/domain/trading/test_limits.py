"""Every rule at the edge refuses what it must, for a buy and for a sell, and lets the last allowed value through."""

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction

import pytest

from quantassay.domain.market.price_rules import PriceRules
from quantassay.domain.trading import limits
from quantassay.domain.trading.book import Quote
from quantassay.domain.trading.limits import Edge, Prices, Wish
from quantassay.domain.trading.terms import Limits

NOW = datetime(2026, 11, 19, 10, 1, tzinfo=timezone(timedelta(hours=9)))
DAY = date(2026, 11, 19)
LIMITS = Limits(20_000_000, Fraction(1, 2), Fraction(2), 60, {"buy": Fraction("0.05"), "sell": Fraction("0.15")})
TICKS = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (None, 100))
PRICES = Prices(
    PriceRules({"kosdaq": ("t", "l")}, {"t": ((date(2023, 1, 25), TICKS),)}, {"l": ((date(2015, 6, 15), 30),)}),
    "kosdaq",
    DAY,
)
QUOTE = Quote("990010", 10_000, 10_000, 13_000, 7_000, 10, halted=False, at=NOW)
BUY = Wish(3, "990010", "buy", 100, 10_000, 10_000, 7_000, 13_000, None, None)
SELL = replace(BUY, side="sell")
EDGE = Edge(QUOTE, 100, 100, 1_001_470, 10_000_000, 0, 0, "", fee_bps="14.7")


def broken(order, edge=EDGE, rules=LIMITS):
    return {one.rule for one in limits.refused(limits.checks(order, edge, rules, PRICES))}


def quote(**changed):
    return replace(EDGE, quote=replace(QUOTE, **changed))


@pytest.mark.parametrize("order", [BUY, SELL])
def test_an_order_within_every_limit_passes_and_every_rule_of_its_side_was_asked(order):
    judged = limits.checks(order, EDGE, LIMITS, PRICES)
    assert limits.refused(judged) == ()
    own = ["T14"] if order is BUY else ["T12", "T13"]
    others = [f"T{number:02}" for number in (*range(1, 12), 15, 17)]
    assert [one.rule for one in judged] == sorted([*others, *own])
    assert all(one.says for one in judged)


@pytest.mark.parametrize("order", [BUY, SELL])
@pytest.mark.parametrize(
    ("rule", "change", "edge", "rules"),
    [
        ("T01", {"quantity": 0}, EDGE, LIMITS),
        ("T01", {"limit_price": 0}, EDGE, LIMITS),
        ("T01", {"reference_price": 0}, EDGE, LIMITS),
        ("T01", {}, quote(last=0), LIMITS),
        ("T01", {}, quote(base=0), LIMITS),
        ("T01", {}, quote(upper=0, lower=0), LIMITS),
        ("T01", {}, quote(tick=0), LIMITS),
        ("T01", {}, quote(ticker="990020"), LIMITS),
        ("T02", {}, EDGE, replace(LIMITS, largest_order=999_999)),
        ("T03", {}, replace(EDGE, equity=1_960_784), LIMITS),  # 51 % of the equity
        ("T04", {}, replace(EDGE, day_value=19_000_001), LIMITS),
        ("T05", {}, replace(EDGE, day_orders=60), LIMITS),
        ("T06", {"reference_price": 9_520}, EDGE, replace(LIMITS, collar={"buy": Fraction("0.05"), "sell": 0})),
        ("T06", {"reference_price": 10_530}, EDGE, replace(LIMITS, collar={"buy": Fraction("0.05"), "sell": 0})),
        ("T07", {"limit_high": 9_990}, EDGE, LIMITS),
        ("T07", {"limit_low": 10_010}, EDGE, LIMITS),
        ("T08", {}, quote(upper=9_990), LIMITS),
        ("T08", {}, quote(lower=10_010), LIMITS),
        ("T09", {"limit_price": 10_005}, EDGE, LIMITS),
        ("T10", {"limit_price": 10_010}, quote(tick=50), LIMITS),
        ("T11", {}, quote(halted=True), LIMITS),
        ("T15", {}, replace(EDGE, locked="an order of unknown outcome"), LIMITS),
        ("T17", {"open_low": 10_010}, EDGE, LIMITS),
        ("T17", {"open_high": 9_990}, EDGE, LIMITS),
    ],
)
def test_each_rule_refuses_a_buy_and_a_sell(order, rule, change, edge, rules):
    changed = replace(order, **change)
    assert rule in broken(changed, edge, rules)


def test_a_price_of_zero_is_told_alone_because_nothing_follows_from_it():
    assert broken(replace(BUY, quantity=10**9), quote(last=0)) == {"T01"}


@pytest.mark.parametrize("order", [BUY, SELL])
def test_the_last_allowed_value_passes(order):
    assert broken(order, replace(EDGE, equity=2_000_000)) == set()
    assert broken(order, replace(EDGE, day_value=19_000_000, day_orders=59)) == set()
    assert broken(order, rules=replace(LIMITS, largest_order=1_000_000)) == set()
    assert broken(order, quote(upper=10_000, lower=10_000)) == set()
    assert broken(replace(order, open_low=10_000, open_high=10_000)) == set()


def test_a_sell_reaches_further_from_its_reference_than_a_buy():
    assert broken(replace(SELL, reference_price=11_760)) == set()
    assert broken(replace(BUY, reference_price=11_760)) == {"T06"}
    assert broken(replace(SELL, reference_price=11_770)) == {"T06"}


def test_no_more_is_sold_than_is_held_and_may_be_sold():
    assert broken(SELL, replace(EDGE, sellable=99)) == {"T12"}
    assert broken(SELL, replace(EDGE, held=99, sellable=99)) == {"T12", "T13"}
    assert broken(BUY, replace(EDGE, held=0, sellable=0)) == set()


def test_a_buy_is_paid_for_with_its_fee():
    assert broken(BUY, replace(EDGE, cash=1_001_469)) == {"T14"}
    assert broken(SELL, replace(EDGE, cash=0)) == set()


def test_what_is_left_out_on_purpose_is_no_fault():
    assert {limits.not_wanted().rule, limits.unpaid(10, 99).rule, "T17"} == limits.DELIBERATE
    assert limits.unpaid(10, 1_234).says == "none of its 10 shares can be paid for out of 1,234 won"


def test_the_open_counts_where_the_broker_tells_it_and_else_the_last_price():
    opened = quote(open=9_900, last=10_100)
    assert broken(replace(BUY, open_high=10_000), opened) == set()
    assert broken(replace(BUY, open_high=10_000), quote(last=10_100)) == {"T17"}


def test_the_brokers_tick_counts_only_in_the_band_of_the_last_price():
    below = replace(BUY, limit_price=4_990, reference_price=4_990, limit_low=3_500)
    assert broken(below, quote(last=5_010, lower=3_500, tick=10)) == {"T06"} - {"T06"}
    assert broken(replace(below, limit_price=4_995), quote(last=4_980, lower=3_500, tick=10)) == {"T10"}


def test_a_fault_is_told_before_what_is_left_out_deliberately():
    found = limits.refused(limits.checks(replace(BUY, open_low=10_010), quote(halted=True), LIMITS, PRICES))
    assert [one.rule for one in found] == ["T11", "T17"]
