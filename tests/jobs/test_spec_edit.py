"""One text of a YAML file is replaced and nothing else; where that is not certain, nothing is."""

import pytest

from quantassay.harness.problems import SpecErrors
from quantassay.jobs.spec_edit import CannotEdit, scalar

FILE = b"""# What holds.
rows:
  - {id: "a", status: 'OLD'}   # OLD stays here
  - id: "b"
    status: "OLD"              # and "OLD" here
    also: OLD
"""


@pytest.mark.parametrize(
    ("pointer", "line", "column", "old", "new"),
    [
        ("/rows/0/status", 3, 23, b"status: 'OLD'}", b"status: 'NEW'}"),
        ("/rows/1/status", 5, 13, b'status: "OLD"  ', b'status: "NEW"  '),
        ("/rows/1/also", 6, 11, b"also: OLD", b"also: NEW"),
    ],
)
def test_one_text_is_replaced_in_its_own_quotes(pointer, line, column, old, new):
    assert scalar(FILE, "x.yaml", pointer, "NEW") == (FILE.replace(old, new), line, column)


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf" + FILE, FILE.replace(b"\n", b"\r\n")])
def test_mark_and_line_ends_are_kept(data):
    edited, line, _ = scalar(data, "x.yaml", "/rows/1/status", "NEW")
    assert (edited, line) == (data.replace(b'status: "OLD"', b'status: "NEW"'), 5)


@pytest.mark.parametrize(
    "data",
    [
        b'status: "O\\x4cD"\n',  # the same text in other characters
        b"status: >-\n  OLD\n",
        b"# a line end of YAML\xc2\x85\nstatus: OLD",
        b"# a line end of YAML\xc2\x85\nstatus: OLD\nother: OLD\n",
    ],
)
def test_what_is_laid_out_otherwise_is_left_to_a_person(data):
    with pytest.raises(CannotEdit, match=r"x\.yaml:\d+: OLD cannot safely be replaced there; write NEW by hand"):
        scalar(data, "x.yaml", "/status", "NEW")


def test_a_text_that_needs_quotes_is_not_put_where_there_are_none():
    with pytest.raises(CannotEdit):
        scalar(b"status: OLD\n", "x.yaml", "/status", "true")


def test_a_file_that_is_no_yaml_says_so():
    with pytest.raises(SpecErrors):
        scalar(b"status: [\n", "x.yaml", "/status", "NEW")
