"""JSON Schema: misspelt schemas, breaches in the words of the trade, and jsonschema as the oracle."""

import json
import socket
import threading
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.harness import pointers
from quantassay.harness.problems import BadSchema, SchemaProblem
from quantassay.harness.schemas import lint, validate

CLOSED = {"type": "object", "additionalProperties": False}
# Each place where a schema may stand inside another.
PLACES = {
    "/minimun": lambda part: part,
    "/items/minimun": lambda part: {"items": part},
    "/prefixItems/1/minimun": lambda part: {"prefixItems": [True, part]},
    "/contains/minimun": lambda part: {"contains": part},
    "/properties/x/minimun": lambda part: {**CLOSED, "properties": {"x": part}},
    "/patternProperties/^a~1b/minimun": lambda part: {**CLOSED, "patternProperties": {"^a/b": part}},
    "/additionalProperties/minimun": lambda part: {"additionalProperties": part},
    "/unevaluatedProperties/minimun": lambda part: {"unevaluatedProperties": part},
    "/unevaluatedItems/minimun": lambda part: {"unevaluatedItems": part},
    "/propertyNames/minimun": lambda part: {"propertyNames": part},
    "/$defs/x/minimun": lambda part: {"$defs": {"x": part}},
    "/dependentSchemas/x/minimun": lambda part: {"dependentSchemas": {"x": part}},
    "/allOf/0/minimun": lambda part: {"allOf": [part]},
    "/anyOf/1/minimun": lambda part: {"anyOf": [True, part]},
    "/oneOf/0/minimun": lambda part: {"oneOf": [part]},
    "/not/minimun": lambda part: {"not": part},
    "/if/minimun": lambda part: {"if": part},
    "/then/minimun": lambda part: {"if": True, "then": part},
    "/else/minimun": lambda part: {"if": True, "else": part},
    "/items/properties/y/allOf/0/minimun": lambda part: {"items": {**CLOSED, "properties": {"y": {"allOf": [part]}}}},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_misspelt_keyword_is_refused_wherever_a_schema_may_stand(place):
    schema = PLACES[place]({"minimun": 30})
    assert list(lint(schema)) == [f"{place} is no keyword; did you mean 'minimum'?"]
    with pytest.raises(BadSchema, match=r"did you mean 'minimum'\?"):
        validate(schema, 12)
    assert list(lint(PLACES[place]({"minimum": 30}))) == []


@pytest.mark.parametrize(
    "schema",
    [
        {**CLOSED, "properties": {"minimun": {"type": "integer"}}},
        {**CLOSED, "patternProperties": {"minimun": True}},
        {"$defs": {"minimun": {"type": "integer"}}},
        {"const": {"minimun": 1}},
        {"enum": [{"minimun": 1}]},
        {"default": {"minimun": 1}, "examples": [{"minimun": 1}]},
        {"required": ["minimun"], "dependentRequired": {"minimun": ["x"]}},
    ],
)
def test_a_name_that_only_looks_like_a_misspelt_keyword_passes(schema):
    assert list(lint(schema)) == []


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"properties": {"a": {}}}, "/ lists properties and does not say additionalProperties"),
        ({"items": {"patternProperties": {"a": {}}}}, "/items lists properties and does not say"),
        ({"properties": {"a": {}}, "additionalProperties": True}, "/ lists properties and lets every other key pass"),
        ({"properties": {"a": {}}, "unevaluatedProperties": {}}, "/ lists properties and lets every other key pass"),
        ({**CLOSED, "properties": {"a": {"properties": {"b": {}}}}}, "/properties/a lists properties and does not say"),
        ({"allOf": [{"properties": {"a": {}}}]}, "/allOf/0 lists properties and does not say"),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            "/$schema is 'http://json-schema.org/draft-07/schema#'",
        ),
        ({"properties": {"a": 5}, "additionalProperties": False}, "/properties/a is no schema"),
        ({"definitions": {}}, "/definitions is no keyword"),
    ],
)
def test_an_open_or_odd_schema_is_refused(schema, says):
    (problem,) = lint(schema)
    assert problem.startswith(says)


def test_a_part_of_an_object_that_is_closed_around_it_need_not_close_it_again():
    part = {"properties": {"kind": {"const": "a"}}}
    same = {"if": part, "then": part, "else": part, "not": part, "allOf": [part], "anyOf": [part], "oneOf": [part]}
    assert list(lint({**CLOSED, "properties": {"kind": {}}, **same, "dependentSchemas": {"kind": part}})) == []
    assert list(lint({"unevaluatedProperties": False, **same})) == []


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"format": "date-tme"}, "Unknown format: 'date-tme'"),
        ({"pattern": "("}, "is not a"),
        ({"type": "strin"}, "strin"),
        ({"minimum": "3"}, "is not of type"),
        ({"$ref": "#/$defs/none"}, "does not exist"),
        ({"allOf": {"type": "string"}}, "is not of type"),
        ({"properties": [1], "additionalProperties": False}, "is not of type"),
        ({"required": "a"}, "is not of type"),
        ({"$ref": "urn:quantassay:other"}, "Retrieval is disabled"),
        ({"$ref": "file:///etc/hostname"}, "Retrieval is disabled"),
    ],
)
def test_a_schema_that_judges_nothing_is_refused(schema, why):
    with pytest.raises(BadSchema, match=r"the schema toy is wrong: .*; correct it") as raised:
        validate({"title": "toy", **schema}, {})
    assert why in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_remote_reference_asks_no_server():
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)

        def listen():
            try:
                asked.append(server.accept())
            except TimeoutError:
                return

        listener = threading.Thread(target=listen)
        listener.start()
        with pytest.raises(BadSchema, match="Retrieval is disabled"):
            validate({"$ref": f"http://127.0.0.1:{server.getsockname()[1]}/x.json"}, 1)
        listener.join()
    assert asked == []


ORDER = {
    **CLOSED,
    "required": ["side", "quantity"],
    "properties": {
        "side": {"enum": ["buy", "sell"]},
        "quantity": {"type": "integer", "minimum": 1},
        "note": {"type": "string"},
    },
}


BUY = {"side": "buy", "quantity": 1}


def unknown(pointer, key, hint, keyword="additionalProperties"):
    return pointer, keyword, f"the key {key!r} is not known here; {hint}", key


REFERRED = {"$ref": "#/$defs/o", "$defs": {"o": ORDER}}
BELOW = {**CLOSED, "properties": {"a/b": {"$ref": "#/$defs/o"}}, "$defs": {"o": ORDER}}
SPREAD = {"unevaluatedProperties": False, "allOf": [{"properties": {"ticker": {}}}]}


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        (ORDER, {**BUY, "quantiy": 1}, unknown("", "quantiy", "did you mean 'quantity'?")),
        (ORDER, {**BUY, "zzz": 1}, unknown("", "zzz", "known are note, quantity, side")),
        (REFERRED, {**BUY, "nte": ""}, unknown("", "nte", "did you mean 'note'?")),
        (BELOW, {"a/b": {**BUY, "nte": ""}}, unknown("/a~1b", "nte", "did you mean 'note'?")),
        (SPREAD, {"tikcer": 1}, unknown("", "tikcer", "did you mean 'ticker'?", "unevaluatedProperties")),
        (CLOSED, {"a": 1, "b": 2}, ("", "additionalProperties", "no key is allowed here", None)),
        (ORDER, {"side": "buy"}, ("", "required", "the key 'quantity' is missing; add it", None)),
        (ORDER, {**BUY, "note": 660}, ("/note", "type", "660 must be text; write it in quotes", None)),
        (ORDER, {**BUY, "note": True}, ("/note", "type", "true must be text; write it in quotes", None)),
        ({"prefixItems": [True], "items": False}, [1, 2], ("/1", "falseSchema", "no value is allowed here", None)),
        (
            {"propertyNames": {"pattern": "^[a-z]+$"}},
            {"A1": 1},
            ("", "propertyNames", 'the key \'A1\' may not be called so: "A1" does not match "^[a-z]+$"', "A1"),
        ),
        (
            {"oneOf": [ORDER, {"type": "null"}]},
            {"side": "buy", "quantity": 0},
            ("", "oneOf", "fits no allowed form: /quantity: 0 is less than the minimum of 1", None),
        ),
    ],
)
def test_a_breach_is_told_in_a_sentence_at_its_place(schema, value, problem):
    assert validate(schema, value) == [SchemaProblem(*problem)]


def test_a_breach_of_a_pattern_tells_what_the_schema_says_of_the_value():
    kind = {"type": "string", "pattern": "^[A-Z]+$", "description": "Capital letters."}
    schema = {"type": "object", "additionalProperties": False, "properties": {"a": {"items": {"$ref": "#/$defs/k"}}}}
    (problem,) = validate({**schema, "$defs": {"k": kind}}, {"a": ["A", "b"]})
    assert (problem.pointer, problem.says) == ("/a/1", '"b" does not match "^[A-Z]+$": Capital letters')


def test_all_breaches_come_in_one_pass_and_sorted():
    found = validate({"type": "array", "items": ORDER}, [{"side": "hold", "quantity": 0, "x": 1, "a": 2}, {"note": 1}])
    assert [(p.pointer, p.keyword, p.key) for p in found] == [
        ("/0", "additionalProperties", "a"),
        ("/0", "additionalProperties", "x"),
        ("/0/quantity", "minimum", None),
        ("/0/side", "enum", None),
        ("/1", "required", None),
        ("/1", "required", None),
        ("/1/note", "type", None),
    ]


def test_the_sentence_about_a_large_value_stays_readable():
    (problem,) = validate({"type": "string"}, ["x" * 10_000])
    assert len(problem.says) < 400


# The oracle. Known differences, where jsonschema is wrong or loose, and how ours answers:
DIFFERENT = [
    ({"multipleOf": 0.01}, 19.99, [], [("", "multipleOf")]),
    ({"multipleOf": 0.05}, 1.15, [], [("", "multipleOf")]),
    ({"type": "number"}, float("nan"), [("", "type")], []),
    ({"maximum": 5}, float("inf"), [], [("", "maximum")]),
    ({"pattern": "^a$"}, "a\n", [("", "pattern")], []),
    ({"pattern": r"^\d$"}, "٣", [("", "pattern")], []),
    ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, [("", "required")], [("", "dependentRequired")]),
    ({"propertyNames": {"pattern": "^b"}}, {"a": 1}, [("", "propertyNames")], [("", "pattern")]),
    ({**CLOSED, "properties": {"a": False}}, {"a": 1}, [("/a", "falseSchema")], [("", None)]),
]


def ours(schema, value):
    return sorted({(p.pointer, p.keyword) for p in validate(schema, value)})


def oracle(schema, value):
    checker = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    errors = checker.iter_errors(value)
    return sorted({(pointers.join(*error.absolute_path), error.validator) for error in errors})


@pytest.mark.parametrize(("schema", "value", "we_say", "oracle_says"), DIFFERENT)
def test_the_known_differences_from_jsonschema(schema, value, we_say, oracle_says):
    assert ours(schema, value) == we_say
    assert oracle(schema, value) == oracle_says


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            "date-time",
            ["2026-11-18T15:45:00+09:00", "2026-11-18T06:45:00Z"],
            ["2026-11-18", "2026-11-18T25:00:00Z", "x"],
        ),
        ("date", ["2026-11-18", "2024-02-29"], ["2026-02-29", "2026-1-2", "20261118"]),
        ("time", ["15:45:00+09:00", "06:45:00Z"], ["15:45", "25:00:00Z"]),
        ("ipv4", ["127.0.0.1"], ["127.0.0.256"]),
        ("regex", ["^a$"], ["("]),
    ],
)
def test_formats_are_checked(kind, good, bad):
    assert [ours({"format": kind}, text) for text in good] == [[]] * len(good)
    assert [ours({"format": kind}, text) for text in bad] == [[("", "format")]] * len(bad)


def keywords(kind, **options):
    return st.fixed_dictionaries({"type": st.just(kind)}, optional=options)


SMALL = st.integers(0, 4)
NAMES = st.sampled_from(["a", "b", "c", "a/b"])
SCALARS = st.one_of(
    keywords("integer", minimum=SMALL, maximum=SMALL, multipleOf=st.integers(1, 3), exclusiveMinimum=SMALL),
    keywords("number", minimum=st.floats(-2, 2), exclusiveMaximum=st.floats(-2, 2)),
    keywords("string", minLength=SMALL, maxLength=SMALL, pattern=st.sampled_from(["^[ab]", "b$", "^[0-9A-Z]{6}$"]),
             format=st.sampled_from(["date", "date-time"])),
    st.lists(st.sampled_from(["a", 1, None, True, 1.5, [], {}]), min_size=1, unique_by=repr).map(lambda x: {"enum": x}),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}, {}, {"const": 1}]),
)  # fmt: skip


def objects(inner):
    return st.fixed_dictionaries(
        {"type": st.just("object"), "additionalProperties": st.just(False) | SCALARS.filter(bool)},
        optional={
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "minProperties": SMALL,
            "maxProperties": SMALL,
        },
    )


def containers(inner):
    return st.one_of(
        objects(inner),
        keywords("array", items=inner, minItems=SMALL, maxItems=SMALL, uniqueItems=st.booleans(), contains=inner,
                 prefixItems=st.lists(inner, min_size=1, max_size=2)),
        st.fixed_dictionaries({}, optional={"allOf": st.lists(inner, min_size=1, max_size=2), "not": inner}),
        st.fixed_dictionaries({}, optional=dict.fromkeys(("anyOf", "oneOf"), st.lists(inner, min_size=1, max_size=3))),
        st.fixed_dictionaries({"if": inner, "then": inner}, optional={"else": inner}),
    )  # fmt: skip


SCHEMAS = st.recursive(SCALARS, containers, max_leaves=8)
TEXTS = st.sampled_from(
    ["", "a", "ab", "b", "000660", "9000A0", "2026-11-18", "2026-11-18T15:45:00+09:00", "abcde", "한글"]
)
NUMBERS = st.integers(-3, 5) | st.floats(-3, 5).map(lambda x: round(x, 2))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=10,
)


@given(SCHEMAS, VALUES)
def test_ours_and_jsonschema_find_the_same_breaches(schema, value):
    assert ours(schema, value) == oracle(schema, value)


def test_a_member_that_no_two_items_may_share_is_found_wherever_the_list_is():
    rows = {"type": "array", "x-unique": "id", "items": {"type": "object"}}
    schema = {"$ref": "#/$defs/whole", "$defs": {"whole": {**CLOSED, "properties": {"a": {"items": rows}}}}}
    assert list(lint(schema)) == []
    value = {"a": [[{"id": "x"}, {"id": "y"}, {"id": "x"}, {}, {}, {"id": 1}, {"id": 1}], [{"id": "x"}]]}
    assert validate(schema, value) == [
        SchemaProblem("/a/0/2/id", "x-unique", "id 'x' stands twice, first in item 1; leave one of them out")
    ]


SPECS = Path(__file__).parents[2] / "spec" / "schemas"


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.schema.json")), ids=lambda path: path.name.partition(".")[0])
def test_the_house_own_schemas_can_be_used(path):
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert list(lint(schema)) == []
    validate(schema, None)
    jsonschema.Draft202012Validator.check_schema(schema)
