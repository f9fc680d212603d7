"""A file of governance is written so that it reads back as what was meant, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.harness.inputs import Inputs
from quantassay.harness.workspace import find
from quantassay.harness.yaml_text import read
from quantassay.jobs import governed

WAIVER = {
    "id": "W001",
    "rule": "R01.1",
    "artifact": "plan",
    "pointer": "/orders/*",
    "reason": "Halted for the merger; the exit is wanted.",
    "approver": "Kim Mina",
    "expires": "2026-11-30",
}


@pytest.fixture
def inputs(toy):
    return Inputs(find(toy.root))


def test_the_next_id_follows_the_highest():
    assert governed.next_id("A", []) == "A001"
    assert governed.next_id("A", ["A002", "A011", "A003"]) == "A012"
    assert governed.next_id("W", ["W999"]) == "W1000"


@pytest.mark.parametrize(
    "reason",
    [
        'He said "no": wait, # or not',
        "000660 and 15:40",
        "김미나가 읽고 동의했습니다 - 전부 보았음",
        "two\nlines\tof text",
    ],
)
def test_what_a_person_says_reads_back_as_it_was_said(inputs, reason):
    value = WAIVER | {"reason": reason.ljust(20, ".")}
    document = read(governed.document(inputs, value, "waiver", "x.yaml").decode())
    assert (document.value, document.problems) == (value, [])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"reason": "short"}, "short"),
        ({"approver": ""}, "approver"),
        ({"pointer": "orders"}, "pointer"),
        ({"x": "1"}, "'x'"),
    ],
)
def test_what_its_schema_refuses_is_not_written(inputs, change, why):
    with pytest.raises(governed.BadWords, match=why):
        governed.document(inputs, WAIVER | change, "waiver", "governance/waivers/W001_R01.1.yaml")


def test_a_character_that_yaml_reads_as_another_is_refused(inputs):
    with pytest.raises(governed.BadWords, match="a character in it means something else in YAML"):
        governed.document(inputs, WAIVER | {"reason": "A line end of another\x85kind stands here."}, "waiver", "x.yaml")


@given(text=st.text(min_size=20, max_size=40))
def test_any_text_is_written_rightly_or_refused(tmp_path_factory, text):
    # In a folder of its own: a marker in the folder of all tests would make every one of them lie in a workspace.
    marker = tmp_path_factory.getbasetemp() / "governed/spec/00_workspace.yaml"
    marker.parent.mkdir(parents=True, exist_ok=True)
    marker.write_text('name: toy\nas_of: "2026-01-05T10:00:00+09:00"\nrooms: {standard: false, own: true}\n')
    value = WAIVER | {"reason": text}
    try:
        data = governed.document(Inputs(find(marker.parent.parent)), value, "waiver", "x.yaml")
    except governed.BadWords:
        return
    assert read(data.decode()).value == value
