"""Canonical JSON: the bytes of RFC 8785 whichever way they are made, and a clear no to what has none."""

import datetime as dt
import json
import struct
from decimal import Decimal
from pathlib import Path

import numpy as np
import orjson
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from quantassay.harness import canonical, files
from quantassay.harness.canonical import DEEPEST, NotCanonical, UnreadableJson

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "canonical_vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("bits", "text"), VECTORS["numbers"])
def test_the_numbers_of_the_rfc(bits, text):
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    if 2**53 <= abs(number) < 1e21:
        # It would come back as an integer that not every reader can hold.
        with pytest.raises(NotCanonical, match="written as an integer beyond"):
            canonical.dumps(number)
        return
    assert canonical.dumps([number, {"x": number}]) == f'[{text},{{"x":{text}}}]\n'.encode()


@pytest.mark.parametrize("vector", VECTORS["values"], ids=lambda vector: vector["json"][:20])
def test_the_golden_texts(vector):
    assert canonical.dumps(json.loads(vector["json"])).decode() == vector["canonical"] + "\n"


TEXT = st.text() | st.text(
    st.characters(max_codepoint=0x20) | st.sampled_from('"\\/\x7f\x80\u2028\u2029\ud7ff\ue000\uffff😀𐀀')
)
WHOLE = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
FLOATS = (
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not 2**53 <= abs(x) < 1e21).map(lambda x: x + 0.0)
)


def nested(leaves):
    return st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=25)


@given(nested(WHOLE))
@example({"\ue000": 1, "😀": 2, "\uffff": {"𐀀": 1, "\ud7ff": 2}})
def test_values_without_floats_have_the_bytes_of_rfc8785(value):
    assert canonical.dumps(value) == rfc8785.dumps(value) + b"\n"
    assert canonical.digest(value) == files.sha256(rfc8785.dumps(value) + b"\n")


def test_the_options_of_the_fast_writer_are_still_called_so():
    assert canonical.SORTED_WITH_NEWLINE == orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE


@given(nested(WHOLE | FLOATS))
def test_all_values_come_back_from_their_bytes(value):
    data = canonical.dumps(value)
    assert data == rfc8785.dumps(value) + b"\n"
    assert canonical.digest(value) == files.sha256(data)
    assert canonical.loads(data) == value
    assert canonical.dumps(canonical.loads(data)) == data


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 9), min_size=2))
def test_the_order_of_writing_does_not_matter(value):
    assert canonical.digest(value) == canonical.digest(dict(reversed(value.items())))


def holding_itself():
    value = {"a": []}
    value["a"].append(value)
    return value


REFUSED = [
    (float("nan"), "/ is nan"),
    ({"a": [1.5, float("inf")]}, "/a/1 is inf"),
    ({"a": float("-inf")}, "/a is -inf"),
    ({"a/b": {"c~d": -0.0}}, "/a~1b/c~0d is -0.0"),
    ([2**53], "/0 is an integer beyond 2^53 - 1"),
    ([-(2**53)], "/0 is an integer beyond"),
    ([10**5000], "/0 is an integer beyond"),
    ({"a": (1, 2)}, "/a is a tuple, not a JSON value"),
    ({"a": {1, 2}}, "/a is a set, not"),
    ({"a": dt.date(2026, 1, 2)}, "/a is a date, not"),
    ({"a": Decimal("1.1")}, "/a is a Decimal, not"),
    ({"a": b"x"}, "/a is a bytes, not"),
    ({"a": np.int64(5)}, "/a is a int64, not"),
    ({"a": {1: 2}}, "/a/1 has a key that is not text"),
    ({None: 2}, "/None has a key that is not text"),
    ({"a": {("x",): 2}}, "/a/('x',) has a key that is not text"),
    ({"a": ["ok", "x\ud800y"]}, "/a/1 holds 'x\\ud800y', which is no Unicode text"),
    ({"\udfff": 1}, "/\udfff holds '\\udfff', which is no Unicode text"),
    ({"\udfff": 1.5}, "/\udfff holds '\\udfff', which is no Unicode text"),
    (holding_itself(), "is nested deeper than 100 levels, or holds itself"),
]


@pytest.mark.parametrize(("value", "says"), REFUSED, ids=[says for _, says in REFUSED])
def test_what_has_no_canonical_text_is_refused_with_its_place(value, says):
    with pytest.raises(NotCanonical):
        canonical.digest(value)
    with pytest.raises(NotCanonical) as raised:
        canonical.dumps(value)
    assert says in str(raised.value)
    assert len(str(raised.value)) < 600


def test_the_deepest_value_is_still_written():
    value = []
    for _ in range(DEEPEST - 1):
        value = [value]
    assert canonical.loads(canonical.dumps(value)) == value
    with pytest.raises(NotCanonical, match="deeper than 100"):
        canonical.dumps([value])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b'{"a": 1, "a": 2}', "'a' stands twice as a key"),
        (b'{"a": {"b": 1, "\\u0062": 2}}', "'b' stands twice as a key"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b"[-Infinity]", "-Infinity is no JSON number"),
        (b'{"a": 1', "Expecting"),
        (b"", "Expecting value"),
        (b"\xff\xff", "codec can't decode"),
        (b"[" * 100_000, "it is nested too deep"),
    ],
)
def test_json_that_readers_disagree_on_is_not_read(tmp_path, data, why):
    path = tmp_path / "first_v1.json"
    path.write_bytes(data)
    with pytest.raises(UnreadableJson, match="correct it, or make it anew with `assay build`") as raised:
        canonical.read(path)
    assert why in str(raised.value)


def test_a_json_file_that_is_no_file_is_one_sentence(tmp_path):
    for path, why in [(tmp_path, "Is a directory"), (tmp_path / "none", "No such file or directory")]:
        with pytest.raises(UnreadableJson, match=f"{path} cannot be read as JSON: {why};"):
            canonical.read(path)
