"""Files become values: columns of text, JSON, text; and what they are not."""

from pathlib import Path

import pytest

from quantassay.harness.problems import SpecErrors
from quantassay.harness.reading import UnreadableRaw, raw_file, schema_file
from quantassay.harness.schemas import BadSchema
from quantassay.harness.specs import yaml_file

PATH = Path("data/raw/p.csv")


@pytest.mark.parametrize(
    ("form", "data", "value"),
    [
        ("csv", b"a,b\n1,2\n3,4\n", {"a": ["1", "3"], "b": ["2", "4"]}),
        ("csv", "\ufeff티커,종가\r\n000660,1\r\n".encode(), {"티커": ["000660"], "종가": ["1"]}),
        ("csv", b'a,b\n"x\ny",2\n\n3,4', {"a": ["x\ny", "3"], "b": ["2", "4"]}),
        ("csv", b"a,b\r1,2\r", {"a": ["1"], "b": ["2"]}),
        ("csv", b"a,b\n", {"a": [], "b": []}),
        ("json", b'\xef\xbb\xbf{"b": [1, 2.5], "a": null}', {"b": [1, 2.5], "a": None}),
        ("text", "가\r\n".encode(), "가\r\n"),
    ],
)
def test_a_raw_file_is_read_in_its_format(form, data, value):
    assert raw_file(data, form, PATH) == value


@pytest.mark.parametrize(
    ("form", "data", "why"),
    [
        ("csv", b"", "it has no header"),
        ("csv", b"\n1,2\n", "it has no header"),
        ("csv", b"a,a\n1,2\n", "its header names a column twice"),
        ("csv", b"a,b\n1,2\n\n1,2,3\n", "line 4 has 3 cells and the header has 2"),
        ("csv", b'a,b\n"1\n1",2\n3\n', "line 4 has 1 cells and the header has 2"),
        ("csv", b"a,b\n1," + b"x" * 200_000 + b"\n", "line 2: field larger than field limit"),
        ("csv", b"\xb0\xa1\n", "codec can't decode"),
        ("text", b"\xff", "codec can't decode"),
        ("json", b'{"a": 1, "a": 2}', "'a' stands twice as a key"),
        ("json", b"[NaN]", "NaN is no JSON number"),
        ("json", b"", "Expecting value"),
    ],
)
def test_a_raw_file_that_is_something_else_is_one_sentence(form, data, why):
    with pytest.raises(UnreadableRaw, match=rf"^data/raw/p\.csv cannot be read as {form}: ") as raised:
        raw_file(data, form, PATH)
    assert why in str(raised.value)
    assert str(raised.value).endswith("; correct it, or its format in 00_workspace.yaml")


def test_yaml_is_its_value_and_its_digest_or_all_that_is_wrong():
    schema = {"type": "object", "additionalProperties": False, "properties": {"limit": {"type": "integer"}}}
    assert yaml_file(b"limit: 4\n", schema, "spec/x.yaml")["value"] == {"limit": 4}
    with pytest.raises(SpecErrors) as raised:
        yaml_file(b"limt: 4\nlimit: 1_0\n", schema, "spec/x.yaml")
    assert [str(problem)[:15] for problem in raised.value.problems] == ["spec/x.yaml:1:1", "spec/x.yaml:2:8"]


@pytest.mark.parametrize(
    ("data", "why"), [(b"true", "it is no object"), (b"{", "Expecting"), (b'{"a": 1, "a": 2}', "twice")]
)
def test_a_schema_file_that_holds_no_schema_is_one_sentence(data, why):
    with pytest.raises(BadSchema, match=rf"^the schema spec/schemas/x\.schema\.json is wrong: .*{why}.*; correct it"):
        schema_file(data, "spec/schemas/x.schema.json")
    assert schema_file(b'{"title": "x"}', "x") == {"title": "x"}
