"""A builder makes an artifact of what it was given, or one sentence with its file and line; nothing in between."""

import pytest

from quantassay.harness.inputs import Inputs
from quantassay.harness.produce import BadArtifact, BuilderFailed, ReachedOutside, produce
from quantassay.harness.rooms import BadUnit
from quantassay.harness.workspace import find

SCHEMA = """{
  "additionalProperties": false,
  "properties": {"share": {"type": "number", "x-digits": 2}, "all": {"items": {"type": "number"}}}
}"""


@pytest.fixture
def make(toy):
    """A function that runs one builder with this body, and gives what it produced."""

    def run(body, top="", schema=SCHEMA, parameters=""):
        toy.write("spec/schemas/first_v1.schema.json", schema)
        toy.builder("first", parameters, body, top)
        inputs = Inputs(find(toy.root))
        return produce(inputs.rooms.builders["first"], inputs, "2026-01-05T10:00:00+09:00")

    run.toy = toy
    return run


TABLE = "from quantassay.domain.table import Table\nimport polars as pl\n"
REFUSED = [
    ("return {'share': float('nan')}", "/data/share is nan; round it, or write it as text"),
    ("return {'all': [1, float('inf')]}", "/data/all/1 is inf"),
    ("return {'share': -0.0}", "/data/share is -0.0"),
    ("return {'n': 2**53}", "/data/n is an integer beyond 2^53 - 1"),
    ("return {'n': (1, 2)}", "/data/n is a tuple, not a JSON value"),
    ("return {'n': {1: 2}}", "/data/n/1 has a key that is not text"),
    ("return {'t': '\\ud800'}", "/data/t holds '\\ud800', which is no Unicode text"),
    ("import datetime\nreturn {'n': datetime.date(2026, 1, 2)}", "/data/n is a date, not a JSON value"),
    ("from decimal import Decimal\nreturn {'n': Decimal('1.1')}", "/data/n is a Decimal, not"),
    ("x = {}\nx['x'] = x\nreturn x", "or holds itself"),
    ("return [1]", "`build` returned a list; return a dict or a Table"),
    ("return None", "`build` returned a NoneType; return a dict or a Table"),
    ("yield 1", "`build` returned a generator; return a dict or a Table"),
    (
        "return {'share': 0.123}",
        "/data/share is 0.123, more than the 2 digits that its schema states; round it where it is made",
    ),
    (
        "return {'all': [0.5] * 8, 'share': 1.234}",
        "/data/all/4 is 0.5, and its schema states no x-digits (and 4 more); round it",
    ),
]


@pytest.mark.parametrize(("body", "says"), REFUSED, ids=[says[:50] for _, says in REFUSED])
def test_what_is_no_artifact_is_one_sentence(make, body, says):
    with pytest.raises(BadArtifact, match=r"^builders/first\.py made no artifact: ") as raised:
        make(body)
    assert says in str(raised.value)
    assert raised.value.exit_code == 2


def test_origins_that_are_no_json_are_told(make):
    with pytest.raises(BadArtifact, match=r"/origins/\*\* is a set, not a JSON value"):
        make("return {}", "ORIGINS = {'**': {'limits:'}}")


REACHES = {
    "import pathlib\npathlib.Path('/etc/hostname').read_text()": r"open /etc/hostname",
    "with open('data/secret.csv') as file:\n    file.read()": r"open .*data/secret\.csv",
    "import os\nos.listdir('/etc')": r"os\.listdir /etc",
    "open('new.txt', 'w').close()": r"write .*new\.txt",
    "import socket\nsocket.socket().close()": r"socket\.__new__",
    "import subprocess\nsubprocess.run(['true'])": r"subprocess\.Popen",
    "import sqlite3\nsqlite3.connect(':memory:').close()": r"sqlite3\.connect",
}


@pytest.mark.parametrize("reach", REACHES)
def test_a_builder_that_reaches_outside_is_reported(make, reach, monkeypatch):
    make.toy.write("data/secret.csv", "x")
    monkeypatch.chdir(make.toy.root)
    with pytest.raises(
        ReachedOutside, match=rf"^builders/first\.py reached outside of what it was given: .*{REACHES[reach]}"
    ) as raised:
        make(f"{reach}\nreturn {{}}")
    assert str(raised.value).endswith("; name it as a parameter instead")


def test_reaching_outside_is_seen_while_the_file_is_loaded_too(make):
    with pytest.raises(ReachedOutside, match="open /etc/hostname"):
        make("return {'host': HOST}", "import pathlib\nHOST = pathlib.Path('/etc/hostname').read_text()")


def test_a_builder_may_import_warn_and_use_time_zones(make):
    body = """import warnings, zoneinfo, datetime, colorsys
warnings.warn('careful', UserWarning, stacklevel=1)
return {'at': datetime.datetime(2026, 1, 2, tzinfo=zoneinfo.ZoneInfo('Asia/Seoul')).isoformat()}"""
    with pytest.warns(UserWarning, match="careful"):
        assert b'"at":"2026-01-02T00:00:00+09:00"' in make(body).files["Temp/first_v1.json"]


@pytest.mark.parametrize(
    ("body", "top", "says"),
    [
        (
            "return {'x': 1 / 0}",
            "",
            r"^builders/first\.py:5:1: building first failed: ZeroDivisionError: division by zero$",
        ),
        (
            "return helper()",
            "def helper():\n    raise KeyError('close')",
            r"^builders/first\.py:3:1: building first failed: KeyError: 'close'$",
        ),
        ("import json\nreturn json.loads('{')", "", r"^builders/first\.py:6:1: building first failed: JSONDecodeError"),
        ("raise SystemExit(0)", "", r"^builders/first\.py:5:1: building first failed: SystemExit: 0$"),
        ("return build()", "", r"^builders/first\.py:5:1: building first failed: RecursionError"),
    ],
)
def test_a_builder_that_breaks_is_our_fault_with_its_line_and_a_log(make, body, top, says):
    with pytest.raises(BuilderFailed, match=says) as raised:
        make(body, top)
    assert raised.value.exit_code == 3
    assert raised.value.log.startswith("Traceback")


def test_a_builder_that_cannot_be_loaded_is_named_with_its_line(make):
    with pytest.raises(BadUnit, match=r"^builders/first\.py:2:1: loading it failed: ModuleNotFoundError"):
        make("return {}", "import nowhere_at_all")


def test_what_a_builder_prints_does_not_get_into_the_answer(make, capsys):
    make("print('debug')\nreturn {}")
    assert tuple(capsys.readouterr()) == ("", "debug\n")


def test_a_table_is_its_rows_and_a_sidecar(make):
    made = make("return Table(pl.DataFrame({'k': ['b', 'a'], 'x': [1, 2]}), ('k',))", TABLE)
    assert (sorted(made.files), made.table) == (["Temp/first_v1.json", "Temp/first_v1.parquet"], True)
    assert b'"key":["k"],"rows":2' in made.files["Temp/first_v1.json"]
    assert b'"libraries":[{"name":"polars","version":"' in made.files["Temp/first_v1.json"]


def test_the_content_is_the_data_and_the_marks_and_not_who_made_it(make):
    one, other = make("return {'n': 1}"), make("# why\nreturn {'n': 1}")
    assert one.files != other.files
    assert one.content == other.content
    assert make("return {'n': 2}").content != one.content
