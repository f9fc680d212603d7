"""What belongs to each artifact: specs, code, data and evidence, and whether they fit together as they lie there."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quantassay.harness.rooms import Rooms, Unit

Kind = Callable[[str], str]
CASES = "tests/validators"
# What a cell is called that lacks one of its marks; the first that it lacks counts.
STATES = {"there": "missing", "fresh": "stale", "tied": "not tied"}
_ASKED = ("spec", "governance")
# The parts of a build's key that are the code: what else changed is something that was read.
_CODE = re.compile(r"builder|builder's modules|schema|engine|library .+")


@dataclass(frozen=True, slots=True)
class Made:
    """What is known of an artifact that was built.

    `named` are the digests of its inputs that its file names, `read` those that the build recorded, `builder` the
    digest of the builder that its file names. `changed` are the parts of its key that are no longer what they were,
    `files` its files with the recorded digests, `missing` those that do not lie there so. `content` is the digest by
    which others name it, `sound` tells whether it is that of what lies there.
    """

    named: Mapping[str, str]
    read: Mapping[str, str]
    builder: str
    changed: tuple[str, ...]
    files: Mapping[str, str]
    missing: tuple[str, ...]
    content: str
    sound: bool


@dataclass(frozen=True, slots=True)
class Shop:
    """What the work items are gathered from.

    `kind(name)` tells what a parameter is (as Inputs does), `schemas` are the stems in spec/schemas, `cases` comes from
    `cases` below, and `made` says of each artifact how it was built; one that never was is not among them.
    """

    rooms: Rooms
    kind: Kind
    schemas: Collection[str]
    cases: Mapping[str, Sequence[str]]
    made: Mapping[str, Made] = field(default_factory=dict)

    def inputs_of(self, name: str) -> dict[str, Unit]:
        """Every artifact that this one is made of, however far back, by name."""
        found: dict[str, Unit] = {}
        pending = list(self.rooms.builders[name].parameters)
        while pending:
            one = pending.pop()
            if one in self.rooms.builders and one not in found:
                found[one] = self.rooms.builders[one]
                pending += found[one].parameters
        return found

    def asked_by(self, unit: Unit) -> list[str]:
        """The specs and governance files that the unit itself reads."""
        builders = self.rooms.builders
        return sorted(p for p in unit.parameters if p not in builders and self.kind(p) in _ASKED)


def cases(root: Path, gates: Iterable[str]) -> dict[str, list[str]]:
    """The case files of each gate under `root`/tests/validators; only gates with a passing and a failing one."""
    found: dict[str, list[str]] = {}
    there = _case_files(root)
    for gate in gates:
        names = sorted(there.get(gate, ()))
        passing, failing = ([name for name in names if name.startswith(kind)] for kind in ("pass", "fail"))
        if passing and failing:
            found[gate] = [f"{CASES}/{gate}/{name}" for name in (*passing, *failing)]
    return found


def case_folders(root: Path) -> list[str]:
    """The names of the folders of gate cases under `root`, whether there is a gate of that name or not."""
    return sorted(gate for gate, names in _case_files(root).items() if names)


def _case_files(root: Path) -> dict[str, list[str]]:
    """The JSON files of each folder; listed without asking each file what it is, because every run asks."""
    place = root / CASES
    folders = [entry for entry in os.scandir(place) if entry.is_dir()] if place.is_dir() else []
    return {one.name: [entry.name for entry in os.scandir(one) if entry.name.endswith(".json")] for one in folders}


def collect(shop: Shop) -> list[dict[str, Any]]:
    """The fact `work_items`: one row an artifact, with the four cells of its definition of done.

    A cell has the names that it links, and tells whether it is `there`, `fresh` (made from what lies there now) and
    `tied` (its neighbours name it by digest); `says` holds a sentence for each that is not so.
    """
    return [_item(shop, unit) for unit in shop.rooms.builders.values()]


def _item(shop: Shop, unit: Unit) -> dict[str, Any]:
    name, rooms, made = unit.name, shop.rooms, shop.made.get(unit.name)
    stems = [stem for stem in shop.schemas if re.fullmatch(rf"{name}_v\d+", stem)]
    specs = _yaml(shop, unit, made)
    return {
        "name": name,
        "specs": sorted([*specs["names"], *specs["inherited"]]),
        "reports": [report.name for report in rooms.renderers.values() if name in report.parameters],
        "readers": [other.name for other in rooms.builders.values() if name in other.parameters],
        "cells": {
            "yaml": specs,
            "code": _code(unit, made, max(stems, key=_version, default=None), _gates(shop, name)),
            "data": _data(shop, unit, made),
            "evidence": _evidence(shop, unit, made),
        },
    }


def _version(stem: str) -> int:
    return int(stem.rpartition("_v")[2])


def _gates(shop: Shop, artifact: str) -> list[str]:
    return [gate.name for gate in shop.rooms.validators.values() if artifact in gate.parameters]


def cell(names: Sequence[str], wrong: Mapping[str, Sequence[str]], **more: Any) -> dict[str, Any]:
    """A cell of the matrix: `wrong` holds, under there, fresh and tied, what speaks against each."""
    marks = {mark: not wrong.get(mark) for mark in STATES}
    state = next((word for mark, word in STATES.items() if not marks[mark]), "ok")
    says = [sentence for sentences in wrong.values() for sentence in sentences]
    return {"names": list(names), **more, "state": state, **marks, "says": says}


def _yaml(shop: Shop, unit: Unit, made: Made | None) -> dict[str, Any]:
    behind = shop.inputs_of(unit.name)
    own = shop.asked_by(unit)
    inherited = sorted({name for other in behind.values() for name in shop.asked_by(other)} - set(own))
    wrong: dict[str, list[str]] = {"there": [], "fresh": [], "tied": []}
    if not own and not inherited:
        wrong["there"].append("no spec and no governance file says what it should be")
    for one in (unit, *behind.values()):
        known = made if one is unit else shop.made.get(one.name)
        for name in shop.asked_by(one):
            if known is None or f"input {name}" in known.changed:
                wrong["fresh"].append(f"{name} is not what {one.name} was made from")
            if known is None or name not in known.named or known.named[name] != known.read.get(name):
                wrong["tied"].append(f"{one.name} does not name the {name} that it was made from")
    return cell(own, wrong, inherited=inherited)


def _code(unit: Unit, made: Made | None, schema: str | None, gates: Sequence[str]) -> dict[str, Any]:
    there = [] if schema else ["no schema in spec/schemas states its form"]
    there += [] if gates else ["no gate in validators/ reads it"]
    changed = [part for part in made.changed if _CODE.fullmatch(part)] if made else ["builder"]
    tied = []
    if made is None or made.builder != unit.digest:
        tied.append("it names another builder than the one that lies there")
    if made is None or set(made.named) != set(unit.parameters):
        tied.append("it names other inputs than its builder reads")
    wrong = {"there": there, "fresh": [f"{part} is not what it was made with" for part in changed], "tied": tied}
    return cell([unit.file, *([schema] if schema else [])], wrong, gates=list(gates))


def _data(shop: Shop, unit: Unit, made: Made | None) -> dict[str, Any]:
    if made is None:
        never = ["it was never built"]
        return cell([], {"there": never, "fresh": never, "tied": never}, digest=None)
    tied = [] if made.sound else ["its content is not the one that was recorded"]
    for name in unit.parameters:
        other = shop.made.get(name)
        if name in shop.rooms.builders and (other is None or made.named.get(name) != other.content):
            tied.append(f"it names another {name} than the one that lies there")
    wrong = {
        "there": [f"{file} does not lie there as it was built" for file in made.missing],
        "fresh": [f"{part} is not what it was made from" for part in made.changed],
        "tied": tied,
    }
    return cell(list(made.files), wrong, digest=next(iter(made.files.values()), None))


def _evidence(shop: Shop, unit: Unit, made: Made | None) -> dict[str, Any]:
    """The cases of its gates, and its origin: that the builder as it stands made it. What was judged comes later."""
    tried = [gate for gate in _gates(shop, unit.name) if gate in shop.cases]
    count = sum(len(shop.cases[gate]) for gate in tried)
    wrong = {
        "there": [] if tried else ["no gate that reads it has cases that pass and that fail"],
        "fresh": [] if made and made.builder == unit.digest else ["the builder as it stands did not make it"],
    }
    return cell(tried, wrong, cases=count)
