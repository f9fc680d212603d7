"""Which lines of a plan may still have an order made for them."""

import json
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from quantassay.domain.trading import lines, terms
from quantassay.domain.trading.lines import Line
from quantassay.domain.trading.orders import Intent, Key, Order, State
from quantassay.harness import specs
from tests.fakes.execution import OPEN, Rig, buy, sell


def order(line, state, attempt=1, quantity=10, **more):
    key = Key("desk", "p", line, attempt)
    intent = Intent(key, "990010", "buy", quantity, 1_000, 1_000, {}, {})
    return key.order, Order(intent, state, OPEN, **{"sent_at": OPEN, **more})


@pytest.fixture
def wishes(tmp_path):
    return Rig(tmp_path, [sell(1, "990020", 3, 500), buy(2, "990010", 10, 1_000)]).work().wishes


def test_each_line_has_its_own_orders_oldest_first(wishes):
    first, second = order(2, State.CANCELLED, sent_at=None), order(2, State.FILLED, 2, filled=10)
    other = order(2, State.ACK)[1]
    other = replace(other, intent=replace(other.intent, key=Key("other", "p", 2, 1)))
    found = lines.lines(wishes, "desk", "p", dict([second, first, ("x", other)]))
    assert [one.wish.line for one in found] == [1, 2]
    assert found[0].orders == ()
    assert found[1].orders == (first, second)
    assert (found[1].name, found[1].filled) == (second[0], 10)


@pytest.mark.parametrize(
    ("orders", "attempt", "going_on"),
    [
        ([], 1, 1),
        ([order(2, State.INTENT, sent_at=None)], None, None),
        ([order(2, State.SENT)], None, None),
        ([order(2, State.UNKNOWN)], None, None),
        ([order(2, State.ACK)], None, None),
        ([order(2, State.FILLED, filled=10)], None, None),
        ([order(2, State.CANCELLED)], None, None),  # it was at the broker
        ([order(2, State.CANCELLED, sent_at=None)], 2, 2),  # it never left
        ([order(2, State.REJECTED)], None, None),
        ([order(2, State.REJECTED, given_up=True)], None, 2),  # a person says that the broker never had it
    ],
)
def test_what_reached_the_broker_or_may_have_is_the_last_order_of_its_line(wishes, orders, attempt, going_on):
    line = Line(wishes[1], tuple(orders))
    assert lines.next_attempt(line) == attempt
    assert lines.next_attempt(line, go_on=True) == going_on


def test_an_order_made_anew_is_never_larger_than_the_one_before(wishes):
    assert lines.most(Line(wishes[1], ())) == 10
    assert lines.most(Line(wishes[1], (order(2, State.CANCELLED, quantity=4, sent_at=None),))) == 4


ROOT = Path(__file__).parents[3]


def test_the_terms_are_those_of_the_spec_and_its_waits_fit_together():
    schema = json.loads((ROOT / "spec/schemas/trading.schema.json").read_bytes())
    plan = specs.load(ROOT / "spec/17_next_open.yaml", None).value["collar"]
    found = terms.terms(specs.load(ROOT / "spec/27_trading.yaml", schema).value)
    assert found.limits.largest_share == Fraction(1, 2)
    assert found.fills["sell"] == timedelta(seconds=300)
    assert found.poll == timedelta(seconds=1)
    # What the plan's own collar lets through must pass the one at the edge.
    assert all(Fraction(plan[side]) <= found.limits.collar[side] for side in ("buy", "sell"))
    # A cancel without a row is believed only once the holdings have settled.
    assert found.confirm > found.looking.settle
