"""Mutants: each differs from the original where it says, none touches it, and each kind of wrong is among them."""

import copy
import json
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.harness import canonical, mutations, mutations_table, pointers
from quantassay.harness.compare import ABSENT, same

SCHEMA = {
    "type": "object",
    "required": ["orders"],
    "additionalProperties": False,
    "properties": {
        "orders": {"type": "array", "items": {"$ref": "#/$defs/order"}},
        "held": {"type": "object", "additionalProperties": {"type": "integer"}},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
    },
    "$defs": {
        "order": {
            "type": "object",
            "properties": {
                "code": {"type": "string", "pattern": "^[0-9A-Z]{6}$"},
                "side": {"enum": ["buy", "sell"]},
                "state": {"enum": ["new", "kept", 3]},
                "quantity": {"type": "integer"},
            },
        }
    },
}
DATA = {
    "orders": [
        {"code": "000660", "side": "buy", "state": "new", "quantity": 10},
        {"code": "9000A0", "side": "sell", "state": "kept", "quantity": 250},
    ],
    "held": {"000660": 4, "9000A0": 5},
    "note": None,
}


def at(value, pointer):
    try:
        return pointers.get(value, pointer)
    except pointers.PointerNotFound:
        return ABSENT


def seen(data, schema=None, **more):
    return {(m.operator, m.pointer): m.after for m in mutations.mutants(data, schema, **more)}


leaves = (
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e6, 1e6).map(lambda f: round(f, 3) + 0.0)
    | st.sampled_from(["buy", "000660", "2026-11-18", "9999-12-31", "2026-11-18T15:45:00+09:00", "15:40", "12.50", ""])
)  # fmt: skip
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["ticker", "a/b", "date", "~", "000660"]), inner)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from("abc"), values, min_size=1))
def test_every_mutant_differs_at_its_pointer_and_leaves_the_original_alone(data):
    before = copy.deepcopy(data)
    for mutant in mutations.mutants(data, per_pattern=None):
        assert not same(mutant.data, data)
        assert not same(at(mutant.data, mutant.pointer), at(data, mutant.pointer))
        assert same(mutant.before, at(data, mutant.pointer))
        assert pointers.matches(mutant.pattern, mutant.pointer) or mutant.operator == "extra member"
        canonical.dumps(mutant.data)
    assert same(data, before)


@given(st.dictionaries(st.sampled_from("abc"), values, min_size=1))
def test_the_same_data_gives_the_same_mutants_whatever_the_order_of_its_members(data):
    turned = dict(reversed(data.items()))
    first, second = ([canonical.dumps(m.data) for m in mutations.mutants(d)] for d in (data, turned))
    assert first == second


def test_numbers_dates_and_texts_are_changed_each_in_its_way():
    found = seen(
        {"n": 250, "f": 1.25, "d": "2026-03-01", "t": "2026-11-18T15:45:00Z", "h": "00:00", "m": "12.50", "b": True}
    )
    numbers = ("one more", "one less", "ten times", "hundred times", "hundredth", "other sign")
    assert [found[op, "/n"] for op in numbers] == [251, 249, 2500, 25000, 2, -250]
    assert [found[op, "/f"] for op in numbers] == [2.25, 0.25, 12.5, 125.0, 0.01, -1.25]
    assert [found[op, "/m"] for op in numbers] == ["13.50", "11.50", "125.00", "1250.00", "0.12", "-12.50"]
    assert [found[op, "/d"] for op in ("day earlier", "day later")] == ["2026-02-28", "2026-03-02"]
    assert found["minute later", "/t"] == "2026-11-18T15:46:00Z"
    assert found["day later", "/t"] == "2026-11-19T15:45:00Z"
    assert [found[op, "/h"] for op in ("minute earlier", "minute later")] == ["23:59", "00:01"]
    assert found["flipped", "/b"] is False
    assert found["blanked", "/d"] == ""


def test_zero_and_small_numbers_give_no_mutant_that_is_none():
    found = seen({"n": 0, "f": 0.0})
    assert ("other sign", "/n") not in found
    assert ("ten times", "/f") not in found
    assert found["one more", "/f"] == 1.0


def test_the_schema_tells_tickers_sides_choices_maps_and_nulls():
    found = seen(DATA, SCHEMA)
    assert found["other ticker", "/orders/0/code"] == "9000A0"
    assert found["other ticker", "/orders/1/code"] == "000660"
    assert found["last character", "/orders/0/code"] == "000661"
    assert found["other side", "/orders/0/side"] == "sell"
    assert found["other choice", "/orders/0/state"] == "kept"
    assert found["filled", "/note"] == "x"
    assert found["other key", "/held/000660"] == ABSENT
    assert {m.pattern for m in mutations.mutants(DATA, SCHEMA) if m.pointer.startswith("/held/0")} == {"/held/*"}


def test_without_a_schema_names_and_values_tell_them():
    found = seen({"ticker": "000660", "tickers": ["900010"], "side": "SELL", "amount": "123456"})
    assert found["other ticker", "/ticker"] == "900010"
    assert found["other ticker", "/tickers/0"] == "000660"
    assert found["other side", "/side"] == "BUY"
    assert found["one more", "/amount"] == "123457"


def test_shapes_are_broken_in_every_way():
    found = {(m.operator, m.pointer): m.data for m in mutations.mutants({"l": [1, 2, 2], "o": {"a": 1}})}
    assert found["missing item", "/l/0"]["l"] == [2, 2]
    assert found["missing item", "/l/2"]["l"] == [1, 2]
    assert ("missing item", "/l/1") not in found
    assert found["doubled item", "/l/1"]["l"] == [1, 1, 2, 2]
    assert found["swapped neighbours", "/l/0"]["l"] == [2, 1, 2]
    assert found["emptied", "/l"]["l"] == []
    assert found["missing member", "/o/a"]["o"] == {}
    assert found["extra member", f"/o/{mutations.EXTRA}"]["o"] == {"a": 1, mutations.EXTRA: 1}


def test_of_many_alike_a_few_are_chosen_from_first_to_last():
    data = {"rows": [{"n": i} for i in range(101)]}
    few = [m.pointer for m in mutations.mutants(data, per_pattern=3) if m.operator == "one more"]
    assert few == ["/rows/0/n", "/rows/50/n", "/rows/100/n"]
    every = [m for m in mutations.mutants(data, per_pattern=None) if m.operator == "one more"]
    assert len(every) == 101
    assert mutations.evenly([1, 2, 3], 1) == [1]


def test_a_mutant_shares_what_it_does_not_change():
    data = {"a": {"n": 1}, "b": {"deep": [1, 2, 3]}}
    mutant = next(m for m in mutations.mutants(data) if (m.operator, m.pointer) == ("one more", "/a/n"))
    assert mutant.data["b"] is data["b"]


FRAME = pl.DataFrame(
    {
        "ticker": ["000660", "000660", "900010"],
        "session": [date(2026, 11, 17), date(2026, 11, 18), date(2026, 11, 18)],
        "close": [10.5, None, 20.0],
        "small": pl.Series([1, 2, 127], dtype=pl.Int8),
        "cross": [True, False, True],
    }
)


def test_every_mutant_of_a_table_differs_at_its_place():
    found = list(mutations_table.mutants(FRAME, per_pattern=None))
    for mutant in found:
        assert not mutant.data.equals(FRAME)
        if mutant.pattern.startswith("/*/"):
            row, column = pointers.split(mutant.pointer)
            assert mutant.data.schema == FRAME.schema
            assert mutant.data[column][int(row)] == mutant.after
            assert mutant.data.drop(column).equals(FRAME.drop(column))
    operators = {m.operator for m in found}
    assert operators >= {
        "one more", "hundredth", "other sign", "made null", "day later", "other ticker", "last character", "flipped",
        "missing row", "doubled row", "swapped rows", "missing column", "extra column", "emptied",
    }  # fmt: skip


def test_a_cell_cannot_hold_what_its_column_cannot():
    found = [m for m in mutations_table.mutants(FRAME, per_pattern=None) if m.pointer == "/2/small"]
    assert "one more" not in {m.operator for m in found}
    assert "one less" in {m.operator for m in found}


def test_few_cells_of_a_large_table_are_chosen():
    large = pl.DataFrame({"n": range(1000)})
    assert [m.pointer for m in mutations_table.mutants(large, per_pattern=2) if m.operator == "one less"] == [
        "/0/n",
        "/999/n",
    ]
    assert [m.operator for m in mutations_table.mutants(FRAME.clear()) if m.pattern == "/*"] == []


@pytest.mark.parametrize("per_pattern", [1, 4, None])
def test_mutants_can_be_told_apart(per_pattern):
    names = [(m.operator, m.pointer) for m in mutations.mutants(DATA, SCHEMA, per_pattern=per_pattern)]
    assert len(names) == len(set(names))
    assert json.dumps(DATA)
