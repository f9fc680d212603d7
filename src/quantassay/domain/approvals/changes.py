"""What is different in a packet since somebody approved it: which row, which field, from what to what."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST = 120
# What tells one row of a list from another, best first; rows that none of these tells apart go by their position.
NAMED_BY = (
    ("ticker", "side"),
    ("ticker",),
    ("id",),
    ("threshold",),
    ("name",),
    ("spec",),
    ("place",),
    ("session",),
    ("date",),
)
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Change:
    """One difference at a place, a pointer in which a row is known by its name: `/orders/990040 sell/quantity`.

    `before` and `after` are text, cut where it is long, and None where there was nothing.
    """

    place: str
    before: str | None
    after: str | None


def changes(before: Any, after: Any) -> list[Change]:
    """The differences between two JSON values by place; a row that came or went is one, another order of rows too."""
    return sorted(_compared("", before, after), key=lambda one: (one.place, one.before or "", one.after or ""))


def shown(value: Any) -> str | None:
    """The value as text on one line, cut where it is long; None for what was not there."""
    if value is _ABSENT:
        return None
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _compared(place: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            yield from _compared(f"{place}/{name}", before.get(name, _ABSENT), after.get(name, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        yield from _rows(place, before, after)
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield Change(place, shown(before), shown(after))


def _rows(place: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Change]:
    old, new = _by_name(before, after)
    for name in old.keys() | new.keys():
        yield from _compared(f"{place}/{name}", old.get(name, _ABSENT), new.get(name, _ABSENT))
    orders = [[name for name in side if name in other] for side, other in ((old, new), (new, old))]
    if orders[0] != orders[1]:
        yield Change(place, *(shown(order) for order in orders))


def _by_name(before: Sequence[Any], after: Sequence[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The rows of both lists by their names: what tells them apart, a text itself, or else the position."""
    for members in NAMED_BY:
        old, new = ([_name(row, members) for row in rows] for rows in (before, after))
        if _are_names(old) and _are_names(new):
            return dict(zip(old, before, strict=True)), dict(zip(new, after, strict=True))
    return {str(i): row for i, row in enumerate(before)}, {str(i): row for i, row in enumerate(after)}


def _name(row: Any, members: Sequence[str]) -> Any:
    if isinstance(row, dict) and all(isinstance(row.get(name), str) for name in members):
        return " ".join(row[name] for name in members)
    return row if isinstance(row, str) else None


def _are_names(names: Sequence[Any]) -> bool:
    return None not in names and len(set(names)) == len(names)
