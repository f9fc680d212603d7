"""The settings that a reviewer signs: which specs they are, and each value of them as a line."""

import pytest

from quantassay.domain.settings import Line, lines, settings

SPECS = {
    "accounts": {"accounts": []},
    "calibration": {"plans": [{"specs": ["next_open", "hsms"]}, {"specs": ["costs", "hsms"]}], "covers": ["accounts"]},
    "costs": {"fee_bps": "14.7"},
    "desk": {"market": "XKRX"},
    "hsms": {"window": 20},
    "next_open": {"limits": {"max_positions": 8}},
}


def test_the_settings_are_the_desk_and_every_spec_that_a_plan_stands_on():
    assert settings(SPECS, SPECS["calibration"]) == {
        name: SPECS[name] for name in ("desk", "next_open", "hsms", "costs")
    }
    assert list(settings(SPECS, SPECS["calibration"])) == ["desk", "next_open", "hsms", "costs"]


def test_a_spec_that_is_gone_and_a_desk_without_plans_are_no_crash():
    assert list(settings({"desk": {}}, {"plans": [{"specs": ["costs"]}]})) == ["desk"]
    assert list(settings({"desk": {}}, {"plans": []})) == ["desk"]


def test_every_value_is_a_line_whatever_the_order_of_the_members():
    value = {"b": {"c/d": "0.03"}, "a": [{"from": "2026-01-01", "bps": 20}, True], "none": None}
    right = [
        Line("a.0.bps", "/a/0/bps", "20"),
        Line("a.0.from", "/a/0/from", "2026-01-01"),
        Line("a.1", "/a/1", "yes"),
        Line("b.c/d", "/b/c~1d", "0.03"),
        Line("none", "/none", "(none)"),
    ]
    assert list(lines(value)) == list(lines(dict(reversed(value.items())))) == right


@pytest.mark.parametrize(
    ("value", "text"), [([], "(empty)"), ({}, "(empty)"), (False, "no"), (0, "0"), (1, "1"), ("", "")]
)
def test_what_is_empty_is_a_line_too(value, text):
    assert list(lines({"a~b": value})) == [Line("a~b", "/a~0b", text)]
    assert list(lines(value)) == [Line("", "", text)]
