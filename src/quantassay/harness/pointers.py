"""JSON pointers (RFC 6901): read a value, walk the leaves, name a place."""

import re
from collections.abc import Iterator
from typing import Any

from quantassay.errors import AssayError

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")


MOST_NAMED = 12


class PointerNotFound(AssayError):
    """A pointer that leads nowhere."""

    def __init__(self, pointer: str, step: str, value: Any) -> None:
        there = "it is a plain value"
        if isinstance(value, dict):
            there = f"there are {', '.join(list(value)[:MOST_NAMED])}{', ...' if len(value) > MOST_NAMED else ''}"
        elif isinstance(value, list):
            there = f"there are {len(value)} items, 0 to {len(value) - 1}" if value else "the list is empty"
        super().__init__(f"{pointer or '/'} leads nowhere: there is no {step!r}, {there}")


def join(*steps: object) -> str:
    """The pointer made of these steps, escaped."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def split(pointer: str) -> tuple[str, ...]:
    """The unescaped steps of a pointer; the empty pointer has none."""
    if not pointer:
        return ()
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("/").split("/"))


def get(value: Any, pointer: str) -> Any:
    """The value at `pointer`. Raises PointerNotFound."""
    for step in split(pointer):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            raise PointerNotFound(pointer, step, value)
    return value


def walk(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its pointer, in document order; an empty object or list is a leaf."""
    if isinstance(value, dict) and value:
        for key, member in value.items():
            yield from walk(member, pointer + join(key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from walk(item, f"{pointer}/{index}")
    else:
        yield pointer, value


def matches(pattern: str, pointer: str) -> bool:
    """Whether a pattern (`*` = any one step, a final `**` = any depth) covers the pointer."""
    wanted, steps = split(pattern), split(pointer)
    if wanted and wanted[-1] == "**":
        wanted = wanted[:-1]
        steps = steps[: len(wanted)] if len(steps) >= len(wanted) else steps
    return len(wanted) == len(steps) and all(w in ("*", s) for w, s in zip(wanted, steps, strict=True))
