"""The strict YAML reader: what it refuses, what it reads, and where it says that things stand."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from quantassay.harness import canonical, pointers, yaml_text
from quantassay.harness.yaml_text import located


def said(text):
    return [f"{line}:{column}: {says}" for (line, column), says in yaml_text.read(text).problems]


REFUSED = """
000660 035720 005930 000270 007 00 -007 08 +5 +.5 0x1F 0o17 0b1 1_000 1__0 1e3 1E3 1e-3 1.5e+3 .5 5. -.5 1_0.5
15:40 15:30:00 -1:30 190:20:30.15 2026-01-02 2026-01-02T15:30:00+09:00 2026-13-45
no No NO on On ON off yes Yes y Y n N True TRUE False Null NULL ~ .inf -.Inf .NaN = <<
""".split()  # noqa: SIM905 - a list of words reads better as words
# Worked out by hand from the tables of YAML 1.1.
TAKEN_FOR = {
    "000660": "the number 432",
    "035720": "the number 15312",
    "000270": "the number 184",
    "005930": "a number",
    "007": "the number 7",
    "+5": "the number 5",
    "15:40": "the number 940",
    "15:30:00": "the number 55800",
    "1e3": "a number",
    "1_000": "the number 1000",
    "0x1F": "the number 31",
    "0b1": "the number 1",
    "no": "the truth value false",
    "on": "the truth value true",
    "y": "something else",
    "2026-01-02": "the date 2026-01-02",
    "2026-13-45": "something else",
}
READ = {
    "null": None, "true": True, "false": False, "0": 0, "-7": -7, "4200000000": 4200000000, "1.10": 1.1, "-0.25": -0.25,
    "9007199254740991": 2**53 - 1, "0.30000000000000004": 0.1 + 0.2, "9000A0": "9000A0", "1,000": "1,000", "buy": "buy",
    "10:30 KST": "10:30 KST", "yes please": "yes please", "삼성전자": "삼성전자", "1.2.3": "1.2.3",
    "2026-1-2": "2026-1-2", "09:00": "09:00",
}  # fmt: skip
NO_DOUBLE = [
    "-0",
    "-0.0",
    "9007199254740992",
    "-9007199254740992",
    "9" * 5000,
    "0.1234567890123456789",
    "1" * 400 + ".0",
]


@pytest.mark.parametrize("scalar", REFUSED)
@pytest.mark.parametrize(("before", "after"), [("a: ", "\n"), ("- ", "\n"), ("{x: [1, ", "]}\n")])
def test_a_scalar_that_readers_disagree_on_is_refused_where_it_stands(scalar, before, after):
    (problem,) = said(before + scalar + after)
    assert problem.startswith(f"1:{len(before) + 1}: {scalar} must be quoted: ")
    quoted = yaml_text.read(f"{before}'{scalar}'{after}")
    assert quoted.problems == []
    assert scalar in [leaf for _, leaf in pointers.walk(quoted.value)]


@pytest.mark.parametrize("scalar", TAKEN_FOR)
def test_the_refusal_tells_what_another_reader_makes_of_it(scalar):
    assert said(f"a: {scalar}") == [
        f'1:4: {scalar} must be quoted: a YAML reader takes it for {TAKEN_FOR[scalar]}; write "{scalar}"'
    ]


@pytest.mark.parametrize("scalar", READ)
def test_what_every_reader_agrees_on_is_read(scalar):
    document = yaml_text.read(f"a: {scalar}")
    assert document.problems == []
    assert (document.value["a"], type(document.value["a"])) == (READ[scalar], type(READ[scalar]))


@pytest.mark.parametrize("number", NO_DOUBLE)
def test_a_number_that_a_double_cannot_hold_is_refused(number):
    (problem,) = said(f"a: {number}")
    assert "is no number that every reader agrees on" in problem
    assert len(problem) < 200


def test_an_odd_scalar_of_any_length_is_refused_in_a_short_sentence():
    for scalar in ["1:" + ":".join(["59"] * 3000), "1_" + "0" * 6000, "1:" + ":".join(["59"] * 500) + ".5"]:
        (problem,) = said(f"a: {scalar}")
        assert "must be quoted" in problem
        assert len(problem) < 200


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: &x 1\nb: *x", ["1:4: the anchor &x is", "2:4: the alias *x is"]),
        ("a: {b: &x [1]}", ["1:8: the anchor &x is"]),
        ("a: !!str 5", ["1:4: the tag tag:yaml.org,2002:str is"]),
        ("a: ! 5", ["1:4: the tag ! is"]),
        ("a: !ruby/object x", ["1:4: the tag !ruby/object is"]),
        ("base: 1\n<<: {a: 1}", ["2:1: the merge key << is"]),
        ("a: 1\nb: 2\na: 3", ["3:1: the key 'a' stands twice; it stands first on line 1"]),
        ("a: 1\n'a': 3", ["2:1: the key 'a' stands twice"]),
        ('x: {"a": 1, a: 2}', ["1:13: the key 'a' stands twice"]),
        ("a:\n  b: 1\n  c: 2\n  b: 3", ["4:3: the key 'b' stands twice; it stands first on line 2"]),
        ("? [a, {b: 1}]\n: 1\nc: 000660", ["1:3: a key must be one word", "3:4: 000660 must"]),
        ("? {a: 1}\n: {b: 1}\n? [c]\n: 2", ["1:3: a key must be one word", "3:3: a key must be one word"]),
        ("*x : 1", ["1:1: a key must be one word"]),
        ("&k a: 1", ["1:1: a key takes no anchor"]),
        ("1: a", ['1:1: the key 1 must be quoted: write "1"']),
        ("true: a", ['1:1: the key true must be quoted: write "true"']),
        ("? \n: a", ["1:2: the key (empty) must be quoted"]),
        ("no: a", ["1:1: no must be quoted: a YAML reader takes it for the truth value false"]),
        ("000660: a", ["1:1: 000660 must be quoted"]),
        ("a: 1\n---\nb: 2", ["2:1: a second document is not allowed"]),
        ("a: 1\n...\n---\nb: 000660", ["3:1: a second document is not allowed"]),
    ],
)
def test_what_is_not_allowed_is_named_where_it_stands(text, problems):
    found = said(text)
    assert len(found) == len(problems), found
    assert [f[: len(p)] for f, p in zip(found, problems, strict=True)] == problems


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\n\tb: 2", (2, 1)),
        ("a: [1, 2", (2, 1)),
        ("a: 1\n b: 2", (2, 3)),
        ("a: 'x", (1, 6)),
        ("a: @x", (1, 4)),
        ("a: x\x00y", (1, 5)),
        ("한글: 1\nb: \x07", (2, 4)),
        ("a: \x7f", (1, 4)),
        ('a: "\\ud800"', (1, 7)),
        ("%YAML 2.0\n---\na: 1", (1, 1)),
        ("{" + "a" * 1100 + ": 1}", (1, 1102)),
    ],
)
def test_text_that_is_no_yaml_is_one_problem_with_a_place(text, place):
    document = yaml_text.read(text)
    ((found, says),) = document.problems
    assert (found, says[:16], document.complete) == (place, "this is not YAML", False)


def test_problems_before_a_syntax_error_are_told_with_it():
    assert [found[:4] for found in said("a: 000660\nb: 15:40\nc: [1\n")] == ["1:4:", "2:4:", "4:1:"]


def test_all_problems_come_in_one_pass():
    text = "a: 000660\nb: &x {c: no, c: 15:40}\n'a': *x\n1: 2026-01-02\n"
    assert [f.split(" ")[0] for f in said(text)] == [
        "1:4:",
        "2:4:",
        "2:11:",
        "2:15:",
        "2:18:",
        "3:1:",
        "3:6:",
        "4:1:",
        "4:4:",
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "\ufeff# x\n"])
def test_an_empty_file_holds_nothing(text):
    document = yaml_text.read(text)
    assert (document.places, document.problems, document.complete) == ({}, [], False)


@pytest.mark.parametrize("deep", ["[" * 10_000, "[" * 100_000 + "]" * 100_000, "{a: " * 10_000])
def test_deep_nesting_is_one_problem(deep):
    (problem,) = said(deep)
    assert "nested deeper than 100 levels" in problem
    assert yaml_text.read("[" * 100 + "]" * 100).problems == []
    block = "\n".join(" " * level + "a:" for level in range(10_000))
    assert said(block) == ["101:101: this is nested deeper than 100 levels; nothing after it was read"]


TEXT = """\
# the desk
orders:
  - ticker: "000660"
    limits: {low: 1, high: [2.5, 3]}
  - ticker: "005930"
"a/b~c": |
  long
  text
flow: [ {x: 1},
        [ 2, "세" , 3 ] ]
empty:
last: x
"""
PLACES = {
    "": (2, 1), "/orders": (3, 3), "/orders/0": (3, 5), "/orders/0/ticker": (3, 13), "/orders/0/limits": (4, 13),
    "/orders/0/limits/low": (4, 19), "/orders/0/limits/high": (4, 28), "/orders/0/limits/high/0": (4, 29),
    "/orders/0/limits/high/1": (4, 34), "/orders/1": (5, 5), "/orders/1/ticker": (5, 13), "/a~1b~0c": (6, 10),
    "/flow": (9, 7), "/flow/0": (9, 9), "/flow/0/x": (9, 13), "/flow/1": (10, 9), "/flow/1/0": (10, 11),
    "/flow/1/1": (10, 14), "/flow/1/2": (10, 20), "/empty": (11, 7), "/last": (12, 7),
}  # fmt: skip
KEYS = {
    "/orders": (2, 1), "/orders/0/ticker": (3, 5), "/orders/0/limits": (4, 5), "/orders/0/limits/low": (4, 14),
    "/orders/0/limits/high": (4, 22), "/orders/1/ticker": (5, 5), "/a~1b~0c": (6, 1), "/flow": (9, 1),
    "/flow/0/x": (9, 10), "/empty": (11, 1), "/last": (12, 1),
}  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_value_and_key_has_its_place(end):
    document = yaml_text.read(TEXT.replace("\n", end))
    assert document.problems == []
    assert (document.places, document.keys) == (PLACES, KEYS)
    assert document.value["a/b~c"] == "long\ntext\n"


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_an_excerpt_is_the_line_that_the_place_names(separator):
    text = separator.join(["a: 1", "b: 000660", "c: 2"])
    (problem,) = located("x.yaml", text, yaml_text.read(text).problems)
    assert (problem.line, problem.column, problem.excerpt) == (2, 4, "b: 000660")


# What is written in JSON's manner, each text quoted, is read as the same value, in flow and in block.

FINITE = st.floats(allow_nan=False, allow_infinity=False).map(lambda x: x + 0.0)
LEAVES = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | FINITE | st.text()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=100), inner), max_leaves=20
)


def quoted(text):
    """In double quotes, with all escaped but what YAML prints as it is."""
    plain = [c if (" " <= c <= "~" and c not in '"\\') or "가" <= c <= "힣" else f"\\U{ord(c):08x}" for c in text]
    return f'"{"".join(plain)}"'


def scalar(value):
    if isinstance(value, float):
        return f"{value:.400f}".rstrip("0") + "0"
    return (
        quoted(value) if isinstance(value, str) else {None: "null", True: "true", False: "false"}.get(value, str(value))
    )


def flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(k)}: {flow(v)}" for k, v in value.items()) + "}"
    return f"[{', '.join(map(flow, value))}]" if isinstance(value, list) else scalar(value)


def block(value, margin=""):
    if not value or not isinstance(value, dict | list):
        return f" {flow(value)}\n"
    heads = [f"{quoted(k)}:" for k in value] if isinstance(value, dict) else ["-"] * len(value)
    members = value.values() if isinstance(value, dict) else value
    return "\n" + "".join(f"{margin}{head}{block(m, margin + '  ')}" for head, m in zip(heads, members, strict=True))


@given(VALUES)
def test_quoted_values_are_read_as_they_were_written(value):
    for text in (flow(value), block(value)):
        document = yaml_text.read(text)
        refused = [says for _, says in document.problems]
        if not refused:
            assert document.value == value
            assert set(document.places) >= {pointer for pointer, _ in pointers.walk(value)}
            canonical.dumps(document.value)
        # A double is refused only where its decimal text is not what the double prints.
        assert all("is no number that every reader agrees on" in says for says in refused)


@given(st.text(alphabet=st.sampled_from(list("aA0179+-.:_eExob~ yYnNtTrRuUfFlLsSiI=<,")), min_size=1, max_size=9))
def test_a_plain_scalar_is_refused_or_means_the_same_to_yaml_1_1(text):
    """What the reader accepts, PyYAML reads as the same value."""
    document = yaml_text.read(f"- {text}")
    if not document.problems and document.complete:
        (value,) = document.value
        if not isinstance(value, dict | list):
            assert yaml.safe_load(f"- {text}") == [value]
