"""A table is rows named by a key; its digest is of its values, whatever the file format made of them."""

import datetime as dt
import io
from decimal import Decimal
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.harness import tables
from quantassay.harness.tables import BadTable

FULL = {
    "ticker": ["9000A0", "900010"],
    "session": [dt.date(2026, 11, 18), None],
    "close": [1.5, None],
    "cash": [Decimal("1.10"), None],
    "volume": [2**62, None],
    "traded": [True, None],
    "at": [dt.datetime(2026, 11, 18, 6, 45, tzinfo=dt.UTC), None],
    "opens": [dt.time(9), None],
    "for": [dt.timedelta(minutes=5), None],
}


def encode(columns, *key):
    return tables.encode("bars", SimpleNamespace(frame=pl.DataFrame(columns), key=key))


def test_rows_come_back_sorted_by_their_key():
    data, parquet = encode(FULL, "ticker")
    frame = pl.read_parquet(io.BytesIO(parquet))
    assert (data["rows"], data["key"], list(data["columns"])) == (2, ["ticker"], list(FULL))
    assert frame.equals(pl.DataFrame(FULL).sort("ticker"))
    assert data["columns"]["close"]["type"] == "Float64"
    assert {name: tables.column_digest(frame[name]) for name in frame.columns} == {
        name: facts["digest"] for name, facts in data["columns"].items()
    }


def test_no_rows_are_a_table_too():
    data, parquet = tables.encode("bars", SimpleNamespace(frame=pl.DataFrame(FULL).clear(), key=("ticker",)))
    assert data["rows"] == 0
    assert pl.read_parquet(io.BytesIO(parquet)).height == 0


@given(st.permutations(range(50)), st.integers(1, 50))
def test_neither_the_order_of_rows_nor_their_chunks_change_a_byte(order, cut):
    frame = pl.DataFrame({"k": order, "x": [value / 4 for value in order], "t": [f"{value:06}" for value in order]})
    in_chunks = pl.concat([frame[:cut], frame[cut:]], rechunk=False)
    whole = tables.encode("bars", SimpleNamespace(frame=frame.sort("k"), key=("k",)))
    assert tables.encode("bars", SimpleNamespace(frame=in_chunks, key=("k",))) == whole


@pytest.mark.parametrize("column", [name for name in FULL if name != "ticker"])
def test_one_other_value_is_another_digest(column):
    frame = pl.DataFrame(FULL)
    changed = frame.with_columns(pl.lit(None, frame.schema[column]).alias(column))
    before, after = (tables.encode("bars", SimpleNamespace(frame=f, key=("ticker",)))[0] for f in (frame, changed))
    assert [name for name in FULL if before["columns"][name] != after["columns"][name]] == [column]
    assert before["digest"] != after["digest"]


def test_the_last_bit_of_a_number_counts():
    assert encode({"k": [1], "x": [0.3]}, "k")[0]["digest"] != encode({"k": [1], "x": [0.1 + 0.2]}, "k")[0]["digest"]
    assert encode({"k": [1], "x": [1.0]}, "k")[0]["digest"] != encode({"k": [1], "x": [1]}, "k")[0]["digest"]


@pytest.mark.parametrize(
    ("columns", "key", "says"),
    [
        ({"k": [1, 1]}, ["k"], "has two rows with the same k"),
        ({"k": ["a", "a"], "d": [1, 1]}, ["k", "d"], "has two rows with the same k, d"),
        ({"k": [None, None], "x": [1, 2]}, ["x", "k", "z"], "has no column z"),
        ({"k": [1]}, [], r"has no column \(no key is named\)"),
        ({"k": [1], "x": [float("nan")]}, ["k"], "has a number that is not finite in x; use null"),
        ({"k": [1], "x": [float("inf")]}, ["k"], "has a number that is not finite in x"),
        ({"k": [1], "x": [[1.0]]}, ["k"], r"holds List\(Float64\) in x; a column holds numbers, text"),
        ({"k": [1], "x": [{"a": 1}]}, ["k"], r"holds Struct\(.*\) in x"),
        ({"k": [1], "x": [b"a"]}, ["k"], "holds Binary in x"),
        ({"k": [1], "x": [None]}, ["k"], "holds Null in x"),
        ({"k": [1], "x": pl.Series(["a"], dtype=pl.Categorical)}, ["k"], "holds Categorical in x"),
    ],
)
def test_a_table_without_a_canonical_content_is_refused(columns, key, says):
    with pytest.raises(BadTable, match=f"^the table bars {says}.*; correct its builder$"):
        encode(columns, *key)


def test_a_frame_that_is_not_read_yet_is_no_table():
    with pytest.raises(BadTable, match="holds a LazyFrame and not a DataFrame"):
        tables.encode("bars", SimpleNamespace(frame=pl.DataFrame(FULL).lazy(), key=("ticker",)))
