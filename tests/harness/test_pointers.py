"""JSON pointers: what they name, and what leads nowhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.harness import pointers
from quantassay.harness.pointers import PointerNotFound

# RFC 6901, section 5.
DOCUMENT = {
    "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8,
}  # fmt: skip
NAMED = {
    "": DOCUMENT, "/foo": ["bar", "baz"], "/foo/0": "bar", "/": 0, "/a~1b": 1, "/c%d": 2, "/e^f": 3, "/g|h": 4,
    "/i\\j": 5, '/k"l': 6, "/ ": 7, "/m~0n": 8,
}  # fmt: skip


@pytest.mark.parametrize("pointer", NAMED)
def test_the_examples_of_the_rfc(pointer):
    assert pointers.get(DOCUMENT, pointer) == NAMED[pointer]
    assert pointers.join(*pointers.split(pointer)) == pointer


@pytest.mark.parametrize("step", ["2", "-", "-1", "00", "01", "1 ", "²", "٣", "x", "", "9" * 5000])
def test_what_is_no_index_of_a_list_leads_nowhere(step):
    with pytest.raises(PointerNotFound, match="leads nowhere"):
        pointers.get(DOCUMENT, f"/foo/{step}")


def test_nothing_lies_below_a_leaf():
    with pytest.raises(PointerNotFound):
        pointers.get(DOCUMENT, "/a~1b/0")


JSON = st.recursive(
    st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x), max_leaves=30
)


@given(JSON)
def test_every_leaf_is_found_under_its_pointer(value):
    leaves = list(pointers.walk(value))
    assert all(pointers.get(value, pointer) == leaf for pointer, leaf in leaves)
    assert len({pointer for pointer, _ in leaves}) == len(leaves)


@pytest.mark.parametrize(
    ("pattern", "covered", "not_covered"),
    [
        (
            "/orders/*/price",
            ["/orders/0/price", "/orders/x/price"],
            ["/orders/price", "/orders/0/1/price", "/orders/0"],
        ),
        ("/orders/**", ["/orders/0", "/orders/0/price/x", "/orders"], ["/order", "/ordersx/0", ""]),
        ("/**", ["", "/a", "/a/b"], []),
        ("", [""], ["/a"]),
        ("/a~1b/*", ["/a~1b/x"], ["/a/b/x"]),
    ],
)
def test_a_pattern_covers_one_step_with_a_star_and_any_depth_with_two(pattern, covered, not_covered):
    assert all(pointers.matches(pattern, pointer) for pointer in covered)
    assert not any(pointers.matches(pattern, pointer) for pointer in not_covered)
