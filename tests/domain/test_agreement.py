"""Two values are compared leaf by leaf, and nothing that differs is missed."""

import pytest

from quantassay.domain.agreement import ABSENT, agree

VALUE = {"a": 1, "b": [{"c": "x"}, {"c": None}], "d/e": True, "empty": []}


def failing(actual, expected=VALUE):
    return {one.pointer: (one.expected, one.actual) for one in agree(actual, expected, "differs") if not one.ok}


def test_equal_values_agree_in_every_leaf():
    judged = list(agree(VALUE, VALUE, "differs"))
    assert [one.pointer for one in judged] == ["/a", "/b", "/b/0/c", "/b/1/c", "/d~1e", "/empty"]
    assert all(one.ok for one in judged)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"a": 2}, {"/a": ("1", "2")}),
        ({"a": True}, {"/a": ("1", "True")}),
        ({"a": 1.0}, {"/a": ("1", "1.0")}),
        ({"b": [{"c": None}, {"c": "x"}]}, {"/b/0/c": ("x", None), "/b/1/c": (None, "x")}),
        ({"b": [{"c": "x"}]}, {"/b": ("{'c': None}", ABSENT)}),
        ({"b": [{"c": "x"}, {"c": None}, {}]}, {"/b": (ABSENT, "{}")}),
        ({"b": "text"}, {"/b": ("[{'c': 'x'}, {'c': None}]", "text")}),
        ({"d/e": False}, {"/d~1e": ("True", "False")}),
        ({"empty": [1]}, {"/empty": (ABSENT, "1")}),
        ({"more": None}, {"/more": (ABSENT, None)}),
    ],
)
def test_what_differs_is_pointed_at(change, expected):
    assert failing({**VALUE, **change}) == expected


def test_a_missing_member_is_absent():
    assert failing({key: VALUE[key] for key in ("b", "d/e", "empty")}) == {"/a": ("1", ABSENT)}


def test_a_list_of_another_length_says_where_it_first_differs():
    (one,) = [one for one in agree([1, 3], [1, 2, 3], "differs") if not one.ok]
    assert one.says == "differs: it has 2 items and not 3, and differs from item 1 on"
