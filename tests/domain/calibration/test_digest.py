"""The digest is that of the canonical bytes, as the harness writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.calibration.digest import digest
from quantassay.harness import canonical

LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text() | st.just(0.5)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@given(VALUES)
def test_it_is_the_digest_of_the_harness(value):
    assert digest(value) == canonical.digest(value)


def test_the_order_of_members_does_not_matter_and_everything_else_does():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert len({digest({"a": 1}), digest({"a": 2}), digest({"a": "1"}), digest([])}) == 4


def test_it_is_known():
    # printf '{}\n' | sha256sum
    assert digest({}) == "sha256:ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"


def test_what_is_no_json_has_none():
    with pytest.raises(Exception, match="nan"):
        digest(float("nan"))
