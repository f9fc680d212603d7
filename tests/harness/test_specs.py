"""Specs: YAML and schema together, every problem at its own place, one value for one digest."""

import pytest

from quantassay.harness import specs
from quantassay.harness.problems import SpecErrors

SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["ticker", "limits"],
    "properties": {
        "ticker": {"type": "string", "pattern": "^[0-9A-Z]{6}$"},
        "opens": {"type": "string", "pattern": r"^\d\d:\d\d$"},
        "limits": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "largest_share": {"type": "number", "maximum": 1},
                "days": {"type": "integer", "minimum": 1},
            },
        },
    },
}
GOOD = 'ticker: "000660"\nopens: "15:40"\nlimits:\n  largest_share: 0.25\n  days: 20\n'


@pytest.fixture
def spec(tmp_path):
    def write(text):
        path = tmp_path / "10_toy.yaml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def problems(path):
    spec, found = specs.read(path, SCHEMA, "spec/10_toy.yaml")
    assert spec is None
    return [f"{p.line}:{p.column}: {p.says}" for p in found]


def test_a_good_spec_has_value_digest_and_places(spec):
    read = specs.load(spec(GOOD), SCHEMA)
    assert read.value == {"ticker": "000660", "opens": "15:40", "limits": {"largest_share": 0.25, "days": 20}}
    assert (read.places["/limits/days"], read.keys["/limits/days"]) == ((5, 9), (5, 3))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (GOOD.replace("days", "dyas"), ["5:3: the key 'dyas' is not known here; did you mean 'days'?"]),
        (GOOD.replace("limits", "limts"), ["1:1: the key 'limits' is missing", "3:1: the key 'limts' is not known"]),
        (GOOD.replace('"000660"', '"00066"'), ["1:9: /ticker: "]),
        (GOOD.replace('"000660"', "660"), ["1:9: /ticker: 660 must be text; write it in quotes"]),
        (GOOD.replace('"000660"', "000660"), ["1:9: 000660 must be quoted"]),
        (GOOD.replace("20", "0").replace("0.25", "1.5"), ["4:18: /limits/largest_share: 1.5", "5:9: /limits/days: 0"]),
        # Each is told once and by the reader that knows more of it; the rest of the file is judged all the same.
        ("ticker: 000660\nopens: 15:40\nlimits: {days: 1_000, dyas: no}\nx: 1\n",
         ["1:9: 000660", "2:8: 15:40", "3:16: 1_000", "3:23: the key 'dyas'", "3:29: no must", "4:1: the key 'x'"]),
        ("[1, 2]", ["1:1: [1,2] is not of type"]),
        ("", ["1:1: this file is empty; write the spec or remove the file"]),
        ("# nothing yet\n", ["1:1: this file is empty"]),
        ("---\n", ["2:1: null is not of type"]),
        (b"ticker: \xb0\xa1\n", ["1:9: this is not UTF-8 (invalid start byte); save it as UTF-8"]),
        (b"\xef\xbb\xbfa: 1\nb: \xff\n", ["2:4: this is not UTF-8"]),
        ("\ufeff" + GOOD.replace("days", "dyas"), ["5:3: the key 'dyas'"]),
        (GOOD + "a: [\n", ["7:1: this is not YAML"]),
    ],
)  # fmt: skip
def test_each_problem_is_told_once_at_its_place(spec, text, found):
    told = problems(spec(text))
    assert [t[: len(f)] for t, f in zip(told, found, strict=False)] == found, told
    assert len(told) == len(found), told


def test_a_file_that_cannot_be_read_is_a_problem_like_any_other(tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "dangling.yaml").symlink_to(tmp_path / "nowhere")
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "wrong.yaml").write_text(GOOD.replace("days", "dyas"))
    found = [f"{p.file.rpartition('/')[2]}: {p.says}" for p in specs.check(tmp_path.glob("*.yaml"), SCHEMA)]
    assert [f.partition(";")[0] for f in found] == [
        "dangling.yaml: this cannot be read: No such file or directory",
        "folder.yaml: this cannot be read: Is a directory",
        "wrong.yaml: the key 'dyas' is not known here",
    ]


def test_loading_raises_all_problems_with_excerpts(spec):
    path = spec("ticker: 000660\nlimits: {days: 15:40}\n")
    with pytest.raises(SpecErrors) as raised:
        specs.load(path, SCHEMA, "spec/10_toy.yaml")
    assert str(raised.value).splitlines() == [
        'spec/10_toy.yaml:1:9: 000660 must be quoted: a YAML reader takes it for the number 432; write "000660"',
        "    ticker: 000660",
        "            ^",
        'spec/10_toy.yaml:2:16: 15:40 must be quoted: a YAML reader takes it for the number 940; write "15:40"',
        "    limits: {days: 15:40}",
        "                   ^",
    ]


@pytest.mark.parametrize(
    "layout",
    [
        "b: [1, 2.0]\na: {z: 1, x: 0.5}\n",
        "# why\na:\n  x: 0.50\n  'z': 1.0\n\nb:\n- 1\n- 2\n",
        '{"b": [1, 2], "a": {"x": 0.5, "z": 1}}',
    ],
)
def test_one_content_is_one_value_and_one_digest_in_any_layout(spec, layout):
    read = specs.load(spec(layout), None)
    # Also what a builder can see of it: the order of keys, and 1 that is not 1.0.
    assert repr(read.value) == "{'a': {'x': 0.5, 'z': 1}, 'b': [1, 2]}"
    assert read.digest == specs.load(spec("a: {x: 0.5, z: 1}\nb: [1, 2]"), None).digest


KEY = "PS" + "fakeKey0123456789abcdefghijklmnopqr"
BARE = "50123456" + "01"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f'a: "{KEY}"\n', "1:4"),
        (f'a:\n  - b: {{c: "token={KEY}"}}\n', "2:12"),
        (f'"{KEY}": 3\n', "1:1"),
        (f"a: 3\naccount_no: {BARE}\n", "2:13"),
        (f'a: "{BARE}"\n', "1:4"),
        (f"a: |\n  first\n  password={KEY}\n", "1:4"),
    ],
)
def test_a_credential_in_a_key_or_a_value_is_refused_at_its_place_and_not_repeated(spec, text, place):
    read, found = specs.read(spec(text), None, "spec/10_toy.yaml")
    assert read is None
    (problem,) = found
    assert f"{problem.line}:{problem.column}" == place
    assert "this holds a" in problem.says
    assert "take it out" in problem.says
    assert KEY not in str(problem)
    assert BARE not in str(problem)


@pytest.mark.parametrize("text", [f"cash: {BARE}\n", f"# {KEY}\na: 1\n", "a: null\nb: true\nc: 0.5\n"])
def test_an_amount_and_a_comment_are_not(spec, text):
    assert specs.read(spec(text), None, "spec/10_toy.yaml")[1] == []
