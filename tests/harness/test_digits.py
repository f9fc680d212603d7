"""How many digits a float may have is what its schema says, wherever the schema says it."""

import pytest

from quantassay.harness.digits import digits, excess_digits

RATIO = {"type": "number", "x-digits": 4}
SCHEMA = {
    "$defs": {"ratio": RATIO, "row": {"type": "object", "properties": {"share": {"$ref": "#/$defs/ratio"}}}},
    "properties": {
        "direct": {"type": "number", "x-digits": 2},
        "referred": {"$ref": "#/$defs/ratio"},
        "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}},
        "pair": {"prefixItems": [{"type": "number", "x-digits": 1}, RATIO], "items": {"type": "number", "x-digits": 0}},
        "either": {"oneOf": [{"type": "null"}, RATIO]},
        "all": {"allOf": [{"type": "number"}, RATIO]},
        "if": {"if": {"minimum": 1}, "then": {"x-digits": 1}, "else": {"x-digits": 3}},
        "two": {"allOf": [RATIO, {"x-digits": 2}]},
        "a/b": {"type": "number", "x-digits": 5},
        "unsaid": {"type": "number"},
    },
    "patternProperties": {"^x_": {"type": "number", "x-digits": 6}},
    "additionalProperties": {"type": "object", "additionalProperties": RATIO},
}


@pytest.mark.parametrize(
    ("pointer", "stated"),
    [
        ("/direct", 2), ("/referred", 4), ("/rows/7/share", 4), ("/pair/0", 1), ("/pair/1", 4), ("/pair/2", 0),
        ("/either", 4), ("/all", 4), ("/if", 1), ("/two", 2), ("/a~1b", 5), ("/unsaid", None), ("/x_1", 6),
        ("/900010/close", 4), ("/direct/0", None), ("/rows/x", None), ("", None),
    ],
)  # fmt: skip
def test_the_digits_are_found_where_the_schema_states_them(pointer, stated):
    assert digits(SCHEMA, pointer) == stated


def test_each_float_beyond_its_digits_is_told_with_its_place():
    value = {
        "direct": 1.25,
        "referred": 1.23456,
        "rows": [{"share": 0.5}, {"share": 0.12345}],
        "either": 0.1 + 0.2,
        "unsaid": 0.5,
        "pair": [1.5, 2.0, 7.0, 8],
        "x_1": True,
    }
    assert dict(excess_digits(SCHEMA, value)) == {
        "/referred": "is 1.23456, more than the 4 digits that its schema states",
        "/rows/1/share": "is 0.12345, more than the 4 digits that its schema states",
        "/either": "is 0.30000000000000004, more than the 4 digits that its schema states",
        "/unsaid": "is 0.5, and its schema states no x-digits",
    }


def test_without_a_schema_no_float_may_stand():
    assert dict(excess_digits({}, {"a": [1, 1.0]})) == {"/a/1": "is 1.0, and its schema states no x-digits"}
