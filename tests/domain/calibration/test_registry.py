"""Registered thresholds and the numbers of a spec: every number is seen, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.calibration import registry

ROW = {
    "id": "hsms.volume_multiple",
    "pointer": "hsms:/volume_multiple",
    "unit": "ratio",
    "kind": "signal",
    "owner": "Trading desk",
    "status": "EXPERT_PRIOR",
    "review_on": "2027-02-20",
}


@pytest.mark.parametrize("number", [0, -3, 1.5, "0.99", "-0.02", "14", "000660", " 7 ", "+5", ".5", "5.", "1e3"])
def test_a_number_is_a_number_however_it_is_written(number):
    assert registry.is_number(number)


@pytest.mark.parametrize("other", [True, None, "", "2026-11-18", "09:00", "hsms2", "1,000", "7 %", "-", "0x10", [], {}])
def test_a_date_a_time_a_word_and_a_switch_are_no_numbers(other):
    assert not registry.is_number(other)


def test_every_number_is_found_with_its_pointer():
    spec = {"a": 1, "b": {"c/d": "0.5", "e~f": ["x", {"g": 2}]}, "on": "2026-11-18", "yes": True}
    assert dict(registry.numbers(spec)) == {"/a": 1, "/b/c~1d": "0.5", "/b/e~0f/1/g": 2}


def test_a_number_without_a_parent_has_the_empty_pointer():
    assert list(registry.numbers("7")) == [("", "7")]


@given(
    st.recursive(
        st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
    )
)
def test_there_are_as_many_numbers_as_the_value_holds(value):
    def count(part):
        members = part.values() if isinstance(part, dict) else part if isinstance(part, list) else None
        return int(isinstance(part, int)) if members is None else sum(map(count, members))

    found = list(registry.numbers(value))
    assert len(found) == len(dict(found)) == count(value)


def test_a_threshold_has_its_spec_its_place_and_its_claim():
    claim = {"made_on": "2026-11-13", "sample_n": 45, "mean_return": "0.0041"}
    one, two = registry.thresholds({"thresholds": [ROW, {**ROW, "study": "hsms_buy", "claim": claim}]})
    assert (one.spec, one.place, one.pointer) == ("hsms", "/volume_multiple", ROW["pointer"])
    assert (one.study, one.claim) == (None, None)
    assert (two.study, two.claim) == ("hsms_buy", registry.Claim("2026-11-13", 45, "0.0041"))


@pytest.mark.parametrize(
    ("spec_values", "value"),
    [
        ({"hsms": {"volume_multiple": "1.10"}}, "1.10"),
        ({"hsms": {"volume_multiple": 2}}, "2"),
        ({"hsms": {"volume_multiple": 1e-7}}, "0.0000001"),
        ({"hsms": {"volume_multiple": "many"}}, None),
        ({"hsms": {}}, None),
        ({}, None),
    ],
)
def test_the_value_of_a_threshold_is_plain_decimal_text(spec_values, value):
    (threshold,) = registry.thresholds({"thresholds": [ROW]})
    assert registry.value_of(threshold, spec_values) == value


def test_the_statuses_rise():
    ranks = [registry.RANK[status] for status in (registry.EXPERT_PRIOR, registry.PROVISIONAL, registry.CALIBRATED)]
    assert ranks == [0, 1, 2]
