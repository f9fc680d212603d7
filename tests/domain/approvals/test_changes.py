"""What changed in a packet is found row by row, and two values without a change are one value."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.approvals.changes import LONGEST, changes
from quantassay.domain.calibration.digest import digest

PLAN = {
    "account": {"id": "desk", "cash": 1000},
    "orders": [
        {"ticker": "990040", "side": "sell", "quantity": 70, "limit": "1720.5"},
        {"ticker": "990040", "side": "buy", "quantity": 5, "limit": None},
        {"ticker": "0007C0", "side": "buy", "quantity": 30, "limit": None},
    ],
    "sell_signals": ["990040", "990190"],
    "levels": [1, 2],
    "halted": False,
}
GONE = '{"limit": null, "quantity": 30, "side": "buy", "ticker": "0007C0"}'
ORDER = '["990040 sell", "990040 buy", "0007C0 buy"]'
TURNED = '["0007C0 buy", "990040 buy", "990040 sell"]'


def found(edit, plan=PLAN):
    after = copy.deepcopy(plan)
    edit(after)
    return [(one.place, one.before, one.after) for one in changes(plan, after)]


def test_nothing_changed_is_no_change():
    assert found(lambda _: None) == []


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        (lambda p: p["orders"][0].update(quantity=71), [("/orders/990040 sell/quantity", "70", "71")]),
        (lambda p: p["orders"][1].update(limit="9"), [("/orders/990040 buy/limit", "null", '"9"')]),
        (lambda p: p["orders"].pop(2), [("/orders/0007C0 buy", GONE, None)]),
        (lambda p: p["orders"].reverse(), [("/orders", ORDER, TURNED)]),
        (lambda p: p["sell_signals"].remove("990040"), [("/sell_signals/990040", '"990040"', None)]),
        (lambda p: p["levels"].append(3), [("/levels/2", None, "3")]),
        (lambda p: p.update(halted=0), [("/halted", "false", "0")]),
        (lambda p: p["account"].update(cash=1000.0), []),
        (lambda p: p.update(levels={"0": 1, "1": 2}), [("/levels", "[1, 2]", '{"0": 1, "1": 2}')]),
        (lambda p: p["account"].pop("id"), [("/account/id", '"desk"', None)]),
    ],
)
def test_a_change_is_named_by_its_row_and_field(edit, expected):
    assert found(edit) == expected


def test_rows_that_no_name_tells_apart_go_by_position():
    twice = {"orders": [{"ticker": "990040", "quantity": 1}, {"ticker": "990040", "quantity": 2}]}
    assert found(lambda p: p["orders"][1].update(quantity=3), twice) == [("/orders/1/quantity", "2", "3")]


def test_a_long_value_is_cut():
    (one,) = changes({"text": "a" * 500}, {"text": "b" * 500})
    assert (len(one.before), one.before[-3:]) == (LONGEST, "...")


def test_the_order_of_the_changes_does_not_hang_on_the_order_of_members():
    before, after = {"b": 1, "a": 1, "c": [1]}, {"c": [2], "a": 2, "b": 2}
    assert [one.place for one in changes(before, after)] == ["/a", "/b", "/c/0"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "ticker", "x"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(JSON, JSON)
def test_there_is_a_change_exactly_where_the_digests_differ(before, after):
    assert bool(changes(before, after)) == (digest(before) != digest(after))


@given(JSON, JSON)
def test_back_is_the_same_changes_turned_round(before, after):
    there = {(one.place, one.before, one.after) for one in changes(before, after)}
    assert {(one.place, one.after, one.before) for one in changes(after, before)} == there
