"""Comparing artifacts: by ticker where there is one, by place otherwise, and nothing where nothing differs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.harness import canonical, compare, mutations


def lines(old, new, name="plan"):
    return [str(change) for change in compare.artifacts(old, new, name)]


def order(ticker, side="buy", **more):
    return {"ticker": ticker, "side": side, **more}


def test_orders_are_compared_by_ticker_and_side_wherever_they_stand():
    old = {"orders": [order("900010", quantity=10), order("900020", quantity=5), order("900010", "sell", quantity=1)]}
    new = {"orders": [order("900030", quantity=7), order("900010", quantity=12), order("900010", "sell", quantity=1)]}
    assert lines(old, new) == [
        "plan 900010 buy /orders/*/quantity: 10 -> 12",
        'plan 900020 buy /orders/*: {"quantity": 5, "side": "buy", "ticker": "900020"} -> (absent)',
        'plan 900030 buy /orders/*: (absent) -> {"quantity": 7, "side": "buy", "ticker": "900030"}',
    ]


def test_another_order_of_the_same_items_is_a_difference():
    old, new = ({"orders": [order(t) for t in tickers]} for tickers in (["A", "B"], ["B", "A"]))
    assert lines(old, new) == ['plan /orders: ["A buy", "B buy"] -> ["B buy", "A buy"]']


def test_lists_without_names_go_by_place():
    assert lines({"l": [1, 2, 3]}, {"l": [1, 5]}) == ["plan /l/1: 2 -> 5", "plan /l/2: 3 -> (absent)"]
    twice = [order("A", n=1), order("A", n=1)]
    assert lines({"l": twice}, {"l": [twice[0], order("A", n=2)]}) == ["plan /l/1/n: 1 -> 2"]


def test_texts_name_themselves():
    assert lines({"names": ["a", "b"]}, {"names": ["b", "c"]}) == [
        'plan a /names/*: "a" -> (absent)',
        'plan c /names/*: (absent) -> "c"',
    ]


def test_all_of_one_ticker_stands_together():
    old = {
        "orders": [order("900010", n=1), order("900020", n=1)],
        "signals": [{"ticker": "900010", "on": True}],
        "cash": 5,
    }
    new = {
        "orders": [order("900010", n=2), order("900020", n=2)],
        "signals": [{"ticker": "900010", "on": False}],
        "cash": 6,
    }
    assert [c.subject for c in compare.artifacts(old, new)] == ["900010", "900010 buy", "900020 buy", ""]


def test_data_comes_before_provenance():
    old, new = ({"data": {"z": n}, "as_of": str(n), "artifact": "plan"} for n in (1, 2))
    assert lines(old, new) == ["plan /z: 1 -> 2", 'plan /as_of: "1" -> "2"']


def test_long_values_are_cut():
    assert len(lines({"a": "x" * 500}, {"a": "y" * 500})[0]) < 250


names = st.sampled_from(["a", "b", "ticker", "side"])
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["A", "B", "buy"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(names, values), st.dictionaries(names, values))
def test_there_are_differences_exactly_where_the_bytes_differ(old, new):
    assert bool(compare.artifacts(old, new)) == (canonical.dumps(old) != canonical.dumps(new))
    assert compare.artifacts(old, json.loads(canonical.dumps(old))) == []


def test_every_mutant_of_a_plan_is_seen():
    data = {
        "orders": [order("900010", quantity=10, reason="r"), order("900020", quantity=5, reason="s")],
        "cash": "1.5",
    }
    for mutant in mutations.mutants(data, per_pattern=None):
        assert compare.artifacts(data, mutant.data)


def test_what_was_edited_by_hand_is_told_field_by_field_or_line_by_line():
    before = canonical.dumps({"data": {"orders": [order("900010", quantity=10)]}})
    after = before.replace(b"10,", b"90,").replace(b":10", b":90")
    assert compare.recorded_differences("Temp/x_v1.json", before, after) == ["900010 buy /orders/*/quantity: 10 -> 90"]
    assert compare.recorded_differences("x", before, before) == []
    assert compare.recorded_differences("x", before, before[:-1]) == ["its layout differs, its content does not"]
    assert compare.recorded_differences("x", b"# A\n\none\ntwo\n", b"# A\n\none\n2\nthree\n") == [
        'line 4: "two" -> "2\\nthree"'
    ]
    assert compare.recorded_differences("x.md", b"a\n", b"a\nb\n") == ['line 2: (absent) -> "b"']
    assert compare.recorded_differences("x.parquet", b"\xff\x00", b"\xff") == ["x.parquet had 2 bytes and has 1"]
    many = compare.recorded_differences("x", canonical.dumps(list(range(90))), canonical.dumps([0.5] * 90))
    assert len(many) == compare.MOST_LINES + 1
    assert many[-1] == "and 50 more"


def test_workspaces_and_files_are_compared(tmp_path):
    for side, quantity in (("old", 1), ("new", 2)):
        temp = tmp_path / side / "Temp"
        temp.mkdir(parents=True)
        (temp / "plan_v1.json").write_bytes(canonical.dumps({"data": {"n": quantity}}))
        (temp / "plan_v1.trace.json").write_bytes(b"{}")
        (temp / f"{side}_v1.json").write_bytes(b"{}")
    old, new = tmp_path / "old", tmp_path / "new"
    assert [str(c) for c in compare.folders(old, new)] == [
        'new_v1: (absent) -> "there"',
        'old_v1: "there" -> (absent)',
        "plan_v1 /n: 1 -> 2",
    ]
    assert [str(c) for c in compare.folders(old / "Temp/plan_v1.json", new / "Temp/plan_v1.json")] == [
        "plan_v1 /n: 1 -> 2"
    ]
    assert compare.folders(old, old) == []


def test_nothing_to_compare_is_said(tmp_path):
    with pytest.raises(compare.NothingToCompare, match="holds none"):
        compare.folders(tmp_path, tmp_path)
