"""Which numbers and dates of an artifact say where they come from, worked out from the builder's ORIGINS."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from quantassay.harness import pointers

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?|[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Six digits in quotes are a ticker: an identity and not an amount.
_TICKER = re.compile(r"[0-9]{6}")
_REFERENCE = re.compile(r"([a-z][a-z0-9_]*):(/.*)?", re.DOTALL)


def is_number(leaf: Any) -> bool:
    """Whether a leaf needs an origin: a number, or a text that is a decimal, a date or a time of day."""
    if isinstance(leaf, bool):
        return False
    if isinstance(leaf, str):
        return bool(_DATE.fullmatch(leaf) or (_DECIMAL.fullmatch(leaf) and not _TICKER.fullmatch(leaf)))
    return isinstance(leaf, int | float)


def coverage(
    artifact: str, data: Any, origins: Mapping[str, Sequence[str]], inputs: Collection[str]
) -> list[dict[str, Any]]:
    """One row for each kind of number in an artifact's data: how many there are, how many have no origin.

    `inputs` are the names that the builder reads; `unknown` lists references to anything else. Numbers at the same
    place of different rows are one kind (`/orders/*/quantity`); `pointer` is the first of them, the first without
    an origin where there is one.
    """
    found: dict[str, list[str]] = {}
    for kind, pointer in _numbers(data, "", ""):
        found.setdefault(kind, []).append(pointer)
    return [_row(artifact, kind, places, origins, inputs) for kind, places in found.items()]


def table_coverage(
    artifact: str, columns: Iterable[str], origins: Mapping[str, Sequence[str]], inputs: Collection[str]
) -> list[dict[str, Any]]:
    """The same for a table: a row for each of these columns of numbers, dates or times, at the place `/*/<column>`."""
    places = ["/*" + pointers.join(column) for column in columns]
    return [_row(artifact, place, [place], origins, inputs) for place in places]


def _numbers(value: Any, kind: str, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, member in value.items():
            step = pointers.join(key)
            yield from _numbers(member, kind + step, pointer + step)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _numbers(item, f"{kind}/*", f"{pointer}/{index}")
    elif is_number(value):
        yield kind, pointer


def _row(
    artifact: str, kind: str, places: Sequence[str], origins: Mapping[str, Sequence[str]], inputs: Collection[str]
) -> dict[str, Any]:
    given = [pattern for pattern, references in origins.items() if references]
    covered = any(pointers.matches(pattern, kind) for pattern in given)
    bare = [] if covered else [p for p in places if not any(pointers.matches(pattern, p) for pattern in given)]
    named = [r for pattern in origins if pointers.matches(pattern, kind) for r in origins[pattern]]
    return {
        "artifact": artifact,
        "kind": kind,
        "pointer": (bare or places)[0],
        "numbers": len(places),
        "bare": len(bare),
        "unknown": sorted({reference for reference in named if not _is_known(reference, inputs)}),
    }


def _is_known(reference: str, inputs: Collection[str]) -> bool:
    match = _REFERENCE.fullmatch(reference)
    return match is not None and match[1] in inputs
