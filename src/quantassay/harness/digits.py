"""How many digits a number of an artifact may have: its schema says so with `x-digits`."""

import re
from collections.abc import Iterator
from typing import Any

from quantassay.harness import pointers


def digits(schema: dict[str, Any], pointer: str) -> int | None:
    """The `x-digits` that the schema states for the number at this pointer; None if it states none."""
    found = [part["x-digits"] for part in _at(schema, schema, pointers.split(pointer)) if "x-digits" in part]
    return min(found) if found else None


def _at(root: dict[str, Any], schema: Any, steps: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Every subschema that speaks of the value at these steps."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield from _at(root, pointers.get(root, schema["$ref"].removeprefix("#")), steps)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(keyword, ()):
            yield from _at(root, part, steps)
    for keyword in ("then", "else"):
        yield from _at(root, schema.get(keyword), steps)
    if not steps:
        yield schema
        return
    step, rest = steps[0], steps[1:]
    named = [schema["properties"][step]] if step in schema.get("properties", {}) else []
    named += [part for pattern, part in schema.get("patternProperties", {}).items() if re.search(pattern, step)]
    for part in named or [schema.get("additionalProperties")]:
        yield from _at(root, part, rest)
    if step.isdigit():
        prefix = schema.get("prefixItems", [])
        yield from _at(root, prefix[int(step)] if int(step) < len(prefix) else schema.get("items"), rest)


def excess_digits(schema: dict[str, Any], value: Any) -> Iterator[tuple[str, str]]:
    """(pointer, what is wrong) for each float that has more digits than its schema states, or no statement."""
    for pointer, leaf in pointers.walk(value):
        if isinstance(leaf, float):
            stated = digits(schema, pointer)
            if stated is None:
                yield pointer, f"is {leaf!r}, and its schema states no x-digits"
            elif round(leaf, stated) != leaf:
                yield pointer, f"is {leaf!r}, more than the {stated} digits that its schema states"
