"""Which parts of a JSON Schema speak of one place inside a value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from quantassay.harness import pointers


@dataclass(frozen=True, eq=False)
class Parts:
    """The subschemas that may apply at a place, and the whole schema for its references; equal only to itself."""

    whole: dict[str, Any]
    parts: tuple[dict[str, Any], ...]

    @property
    def unknown(self) -> bool:
        """Whether the schema says nothing about the place."""
        return not self.parts

    @cached_property
    def types(self) -> frozenset[str]:
        """The JSON types that any part names."""
        named = [part.get("type", ()) for part in self.parts]
        return frozenset(kind for kinds in named for kind in ([kinds] if isinstance(kinds, str) else kinds))

    @cached_property
    def choices(self) -> tuple[Any, ...]:
        """The values that any part lists."""
        return tuple(value for part in self.parts for value in (*part.get("enum", ()), *_const(part)))

    @cached_property
    def patterns(self) -> tuple[str, ...]:
        """The patterns that any part demands of a text."""
        return tuple(part["pattern"] for part in self.parts if "pattern" in part)

    @cached_property
    def is_ticker(self) -> bool:
        """Whether a pattern takes six capitals and digits and not small letters or a longer text."""
        return any(re.search(p, "0A0A0A") and not re.search(p, "0a0a0a0") for p in self.patterns)


def _const(part: dict[str, Any]) -> tuple[Any, ...]:
    return (part["const"],) if "const" in part else ()


def root(schema: dict[str, Any] | None) -> Parts:
    """The parts that speak of the whole value; none where there is no schema."""
    return Parts(schema or {}, tuple(_spread(schema, schema)) if schema else ())


@lru_cache(maxsize=4096)
def part_of(parent: Parts, step: str | int) -> tuple[Parts, bool]:
    """The parts that speak of one member or item, and whether the member's key is data (a map) and not a name."""
    found: list[dict[str, Any]] = []
    named, is_map = False, False
    for part in parent.parts:
        if isinstance(step, int):
            first = part.get("prefixItems", [])
            below = [first[step]] if step < len(first) else [part.get("items")]
        elif step in part.get("properties", {}):
            below, named = [part["properties"][step]], True
        else:
            below = [sub for pattern, sub in part.get("patternProperties", {}).items() if re.search(pattern, step)]
            below = below or [part.get("additionalProperties")]
            is_map = is_map or any(isinstance(sub, dict) for sub in below)
        found += [more for sub in below if isinstance(sub, dict) for more in _spread(parent.whole, sub)]
    return Parts(parent.whole, tuple(found)), is_map and not named


def _spread(whole: dict[str, Any], part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The part, what it refers to, and its alternatives."""
    yield part
    if part.get("$ref", "").startswith("#"):
        yield from _spread(whole, pointers.get(whole, part["$ref"][1:]))
    for keyword in ("allOf", "anyOf", "oneOf"):
        for sub in part.get(keyword, ()):
            yield from _spread(whole, sub)
