"""JSON Schema (Draft 2020-12): checks values, and checks the schemas themselves for misspelt keywords."""

import difflib
import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jsonschema_rs

from quantassay.harness import pointers, schema_parts
from quantassay.harness.problems import BadSchema, SchemaProblem
from quantassay.secrecy import withheld, withheld_digits

_ONE = ("additionalProperties", "items", "contains", "not", "if", "then", "else", "propertyNames")
_ONE_MORE = ("unevaluatedItems", "unevaluatedProperties")
_MANY = ("allOf", "anyOf", "oneOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "$defs", "dependentSchemas")
_PLAIN = (
    "$schema", "$id", "$ref", "$anchor", "$comment", "title", "description", "default", "examples",
    "deprecated", "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum",
    "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems",
    "maxContains", "minContains", "maxProperties", "minProperties", "required", "dependentRequired", "format",
    "x-digits", "x-unique", "x-unit",
)  # fmt: skip
KEYWORDS = frozenset((*_ONE, *_ONE_MORE, *_MANY, *_NAMED, *_PLAIN))
# Of a list of objects: the member whose value no two of them may share, which JSON Schema itself cannot say.
_UNIQUE = "x-unique"
# A breach of one of these is about an amount, which is no account number however long it is.
_OF_AMOUNTS = ("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "multipleOf")
# Any of these says what an object may hold; these below judge the same object as the schema that they stand in.
_CLOSES = ("additionalProperties", "unevaluatedProperties")
_SAME_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas")
DRAFT = "https://json-schema.org/draft/2020-12/schema"
LONGEST_MESSAGE = 300
MOST_NAMES = 20


def lint(schema: Any, pointer: str = "", *, closed: bool = False) -> Iterator[str]:
    """What is wrong with the schema itself: unknown keywords, another draft, objects that do not say what they hold.

    `closed` tells that a schema around this one, for the same object, has said it.
    """
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield f"{pointer or '/'} is no schema"
        return
    for keyword in schema:
        if keyword not in KEYWORDS:
            yield f"{pointer}/{keyword} is no keyword{_did_you_mean(keyword, KEYWORDS)}"
    if schema.get("$schema", DRAFT) != DRAFT:
        yield f"{pointer}/$schema is {schema['$schema']!r}; write {DRAFT!r}"
    if not closed and ("properties" in schema or "patternProperties" in schema):
        if not any(keyword in schema for keyword in _CLOSES):
            yield f"{pointer or '/'} lists properties and does not say additionalProperties"
        elif any(schema.get(keyword) in (True, {}) for keyword in _CLOSES):
            yield f"{pointer or '/'} lists properties and lets every other key pass; say false, or what it may hold"
    closed = closed or any(keyword in schema for keyword in _CLOSES)
    for keyword, place, part in _parts(schema, pointer):
        yield from lint(part, place, closed=closed and keyword in _SAME_PLACE)


def _parts(schema: dict[str, Any], pointer: str) -> Iterator[tuple[str, str, Any]]:
    for keyword, value in schema.items():
        if keyword in _ONE or keyword in _ONE_MORE:
            yield keyword, f"{pointer}/{keyword}", value
        elif keyword in _MANY and isinstance(value, list):
            yield from ((keyword, f"{pointer}/{keyword}/{index}", part) for index, part in enumerate(value))
        elif keyword in _NAMED and isinstance(value, dict):
            yield from ((keyword, pointer + pointers.join(keyword, name), part) for name, part in value.items())


@lru_cache(maxsize=256)
def _validator(text: str, name: str) -> jsonschema_rs.Validator:
    schema = json.loads(text)
    if problems := list(lint(schema)):
        raise BadSchema(name, problems)
    try:
        return jsonschema_rs.Draft202012Validator(
            schema, validate_formats=True, ignore_unknown_formats=False, offline=True
        )
    except ValueError as error:
        raise BadSchema(name, [str(error).splitlines()[0]]) from error


def validate(schema: dict[str, Any], value: Any) -> list[SchemaProblem]:
    """Every breach in one pass, sorted by place; none repeats what may be a credential or an account number.

    Raises BadSchema when the schema itself is wrong.
    """
    name = schema.get("$id", schema.get("title", "(unnamed)"))
    text = json.dumps(schema, sort_keys=True)
    validator = _validator(text, str(name))
    found = {problem for error in validator.iter_errors(value) for problem in _problems(schema, error)}
    if _UNIQUE in text:
        found.update(_repeated(schema_parts.root(schema), value, ""))
    ordered = sorted(found, key=lambda p: (p.pointer, p.keyword, p.key or "", p.says))
    return [one for one, after in zip(ordered, [*ordered[1:], None], strict=False) if not _says_more(after, one)]


def _says_more(after: SchemaProblem | None, one: SchemaProblem) -> bool:
    """Whether a problem is told once more with what its schema says of the value: two parts may ask for one pattern."""
    return after is not None and after.pointer == one.pointer and after.says.startswith(f"{one.says}: ")


def _problems(schema: dict[str, Any], error: Any) -> Iterator[SchemaProblem]:
    place = pointers.join(*error.instance_path)
    keyword, facts = error.kind.name, error.kind.as_dict()
    if keyword in _CLOSES:
        known = _known_names(schema, error.schema_path)
        for name in facts["unexpected"]:
            says = f"the key {withheld_digits(repr(name))} is not known here{_did_you_mean(name, known)}"
            yield SchemaProblem(place, keyword, says, name)
    elif keyword == "falseSchema":
        # The library's shape of "no keys at all", which names none of them.
        closes = [step for step in error.schema_path[-1:] if step in _CLOSES]
        yield SchemaProblem(
            place, closes[0] if closes else keyword, f"no {'key' if closes else 'value'} is allowed here"
        )
    elif keyword == "propertyNames":
        name = facts["error"].instance
        says = f"the key {withheld_digits(repr(name))} may not be called so: {_message(facts['error'])}"
        yield SchemaProblem(place, keyword, says, name)
    elif keyword == "required":
        yield SchemaProblem(place, keyword, f"the key {facts['property']!r} is missing; add it")
    elif keyword == "type" and facts["types"] == ["string"] and isinstance(error.instance, int | float | bool):
        shown = withheld_digits(json.dumps(error.instance))
        yield SchemaProblem(place, keyword, f"{shown} must be text; write it in quotes")
    elif keyword in ("oneOf", "anyOf") and (best := _closest(facts["context"])):
        yield SchemaProblem(place, keyword, f"fits no allowed form: {best}")
    elif keyword == "pattern" and (meant := _around(schema, error.schema_path).get("description")):
        # Few people read a pattern; what the schema says of the value tells them what to write.
        yield SchemaProblem(place, keyword, f"{_message(error)}: {meant.rstrip('.')}")
    else:
        yield SchemaProblem(place, keyword, _message(error))


def _repeated(parts: schema_parts.Parts, value: Any, pointer: str) -> Iterator[SchemaProblem]:
    """The items whose `x-unique` member has the value of an item before them."""
    if isinstance(value, list):
        for member in {part[_UNIQUE] for part in parts.parts if _UNIQUE in part}:
            first: dict[str, int] = {}
            for index, item in enumerate(value):
                own = item.get(member) if isinstance(item, dict) else None
                if isinstance(own, str) and first.setdefault(own, index) != index:
                    says = f"{member} {withheld_digits(repr(own))} stands twice, first in item {first[own] + 1}"
                    yield SchemaProblem(f"{pointer}/{index}/{member}", _UNIQUE, f"{says}; leave one of them out")
    elif not isinstance(value, dict):
        return
    for step, below in enumerate(value) if isinstance(value, list) else value.items():
        yield from _repeated(schema_parts.part_of(parts, step)[0], below, pointer + pointers.join(step))


def _message(error: Any) -> str:
    """The library's sentence, which quotes the whole value: without credentials, and cut where it is long."""
    text: str = (withheld if error.kind.name in _OF_AMOUNTS else withheld_digits)(error.message)
    half = LONGEST_MESSAGE // 2
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:half]} ... {text[-half:]}"


def _closest(context: list[list[Any]]) -> str | None:
    """The message of the alternative that came furthest: the deepest error, the fewest of them."""
    alternatives = [errors for errors in context if errors]
    if not alternatives:
        return None
    errors = min(alternatives, key=lambda e: (-max(len(x.instance_path) for x in e), len(e)))
    deepest = max(errors, key=lambda x: len(x.instance_path))
    place = pointers.join(*deepest.instance_path)
    return f"{place + ': ' if place else ''}{_message(deepest)}"


def _known_names(schema: Any, path: list[Any]) -> list[str]:
    return list(_named(_around(schema, path)))


def _around(schema: Any, path: list[Any]) -> dict[str, Any]:
    """The schema that holds the keyword at this path."""
    for step in path[:-1]:
        schema = schema[step]
    return dict(schema)


def _named(schema: dict[str, Any]) -> Iterator[str]:
    """The keys that a schema names for its object, itself or in the schemas inside it for the same object."""
    yield from schema.get("properties", ())
    for keyword, _, part in _parts(schema, ""):
        if keyword in _SAME_PLACE and isinstance(part, dict):
            yield from _named(part)


def _did_you_mean(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; known are {', '.join(sorted(known))}" if 0 < len(known) <= MOST_NAMES else ""
