"""What is different between two artifacts, in the words of the trade: which ticker, which field, from what to what."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical
from quantassay.harness.pointers import join

ABSENT = "(absent)"
LONGEST_SHOWN = 100
MOST_LINES = 40
# What tells one item of a list from another, best first; a list whose items have none of these goes by position.
IDENTITIES = (("ticker", "side"), ("ticker",), ("id",), ("gate",), ("name",), ("session",), ("date",), ("file",))


class NothingToCompare(AssayError):
    """A path that holds no artifact."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is no artifact and holds none; name two artifacts, or two workspaces that are built")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference; `subject` names the items on the way ("900010 buy"), which are `*` in the pointer."""

    artifact: str
    subject: str
    pointer: str
    old: Any
    new: Any

    def __str__(self) -> str:
        where = " ".join(part for part in (self.artifact, self.subject, self.pointer) if part)
        return f"{where}: {shown(self.old)} -> {shown(self.new)}"


def shown(value: Any) -> str:
    """The value on one line, cut where it is long."""
    text = value if value == ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def artifacts(old: Any, new: Any, name: str = "") -> list[Change]:
    """The differences between two JSON values; of two envelopes first those of the data, then the rest."""
    if isinstance(old, dict) and isinstance(new, dict) and "data" in old and "data" in new:
        rest_old, rest_new = ({k: v for k, v in value.items() if k != "data"} for value in (old, new))
        data = _by_subject(_differences(_At(name), old["data"], new["data"]))
        return [*data, *_by_subject(_differences(_At(name), rest_old, rest_new))]
    return _by_subject(_differences(_At(name), old, new))


def _by_subject(changes: Iterable[Change]) -> list[Change]:
    """All that changed for one ticker together; what belongs to none comes last."""
    return sorted(changes, key=lambda change: (not change.subject, change.subject))


def folders(old: Path, new: Path) -> list[Change]:
    """The differences between two artifacts' files, or between those of two workspaces. Raises NothingToCompare."""
    before, after = _read(old), _read(new)
    if old.is_file() and new.is_file():
        (name, one), (_, other) = *before.items(), *after.items()
        return artifacts(one, other, name)
    found: list[Change] = []
    for name in sorted(before.keys() | after.keys()):
        if name not in before or name not in after:
            sides = ["there" if name in side else ABSENT for side in (before, after)]
            found.append(Change(name, "", "", *sides))
        else:
            found += artifacts(before[name], after[name], name)
    return found


def recorded_differences(file: str, before: bytes, after: bytes) -> list[str]:
    """How a file that was edited by hand differs from what was recorded: field by field, or line by line."""
    if before == after:
        return []
    try:
        changes = artifacts(canonical.loads(before), canonical.loads(after))
        lines = [str(change) for change in changes] or ["its layout differs, its content does not"]
    except ValueError:
        lines = list(_lines(file, before, after))
    more = [f"and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return lines[:MOST_LINES] + more


def _lines(file: str, before: bytes, after: bytes) -> Iterator[str]:
    try:
        old, new = before.decode().splitlines(), after.decode().splitlines()
    except UnicodeDecodeError:
        yield f"{file} had {len(before)} bytes and has {len(after)}"
        return
    for kind, *ends in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            was, now = "\n".join(old[ends[0] : ends[1]]), "\n".join(new[ends[2] : ends[3]])
            yield f"line {ends[0] + 1}: {shown(was or ABSENT)} -> {shown(now or ABSENT)}"


def _read(path: Path) -> dict[str, Any]:
    if path.is_file():
        return {path.stem: canonical.read(path)}
    temp = path / "Temp" if (path / "Temp").is_dir() else path
    found = {p.stem: canonical.read(p) for p in sorted(temp.glob("*_v*.json")) if not p.name.endswith(".trace.json")}
    if not found:
        raise NothingToCompare(path)
    return found


@dataclass(frozen=True, slots=True)
class _At:
    """Where a comparison stands."""

    artifact: str
    subject: str = ""
    pointer: str = ""

    def member(self, key: object) -> "_At":
        return _At(self.artifact, self.subject, self.pointer + join(key))

    def item(self, names: Sequence[str]) -> "_At":
        return _At(self.artifact, " ".join([*filter(None, [self.subject]), *names]), f"{self.pointer}/*")

    def change(self, old: Any, new: Any) -> Change:
        return Change(self.artifact, self.subject, self.pointer, old, new)


def _differences(at: _At, old: Any, new: Any) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _pair(at.member(key), old.get(key, ABSENT), new.get(key, ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(at, old, new)
    elif not same(old, new):
        yield at.change(old, new)


def _pair(at: _At, old: Any, new: Any) -> Iterator[Change]:
    if ABSENT in (old, new) and old != new:
        yield at.change(old, new)
    else:
        yield from _differences(at, old, new)


def _lists(at: _At, old: list[Any], new: list[Any]) -> Iterator[Change]:
    identity = _identity(old, new)
    if identity is None:
        for index in range(max(len(old), len(new))):
            sides = [side[index] if index < len(side) else ABSENT for side in (old, new)]
            yield from _pair(at.member(index), *sides)
        return
    before, after = _named(old, identity), _named(new, identity)
    for names in dict.fromkeys([*before, *after]):
        yield from _pair(at.item(names), before.get(names, ABSENT), after.get(names, ABSENT))
    orders = [[names for names in side if names in other] for side, other in ((before, after), (after, before))]
    if orders[0] != orders[1]:
        yield at.change(*([" ".join(names) for names in order] for order in orders))


def _named(items: list[Any], identity: tuple[str, ...]) -> Mapping[tuple[str, ...], Any]:
    return {_name(item, identity): item for item in items}


def _name(item: Any, identity: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(item[key]) for key in identity) if identity else (str(item),)


def _identity(old: list[Any], new: list[Any]) -> tuple[str, ...] | None:
    """The members that name each item in both lists, () for texts that name themselves, None where nothing does."""
    items = [*old, *new]
    if items and all(isinstance(item, str) for item in items):
        return () if all(len(set(side)) == len(side) for side in (old, new)) else None
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    return next(
        (identity for identity in IDENTITIES if _identifies(identity, old) and _identifies(identity, new)), None
    )


def _identifies(identity: tuple[str, ...], items: list[Any]) -> bool:
    if not all(isinstance(item.get(key), str) for item in items for key in identity):
        return False
    return len({_name(item, identity) for item in items}) == len(items)


def same(left: Any, right: Any) -> bool:
    """Whether two JSON values are one: 1 is not true, and 1 is 1.0."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
