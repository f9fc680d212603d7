"""What belongs to each artifact: specs, builder, schema, gates, reports and evidence, gathered from the rooms."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from quantassay.harness.rooms import Rooms, Unit

Kind = Callable[[str], str]


def cases(root: Path, gates: Iterable[str]) -> dict[str, list[str]]:
    """The case files of each gate under `root`/tests/validators; only gates with a passing and a failing one."""
    found: dict[str, list[str]] = {}
    for gate in gates:
        folder = root / "tests" / "validators" / gate
        passing, failing = sorted(folder.glob("pass*.json")), sorted(folder.glob("fail*.json"))
        if passing and failing:
            found[gate] = [path.relative_to(root).as_posix() for path in (*passing, *failing)]
    return found


def collect(
    rooms: Rooms,
    kind: Kind,
    schemas: Collection[str],
    gate_cases: Mapping[str, Sequence[str]],
    built_by: Mapping[str, str],
) -> list[dict[str, Any]]:
    """The fact `work_items`: one row an artifact.

    `kind(name)` tells what a parameter is (as Inputs does), `schemas` are the stems in spec/schemas, `gate_cases` comes
    from `cases`, and `built_by` is the builder's digest in each artifact's envelope: it is evidence only while it is
    that of the builder as it stands.
    """
    return [_item(unit, rooms, kind, schemas, gate_cases, built_by) for unit in rooms.builders.values()]


def _item(
    unit: Unit,
    rooms: Rooms,
    kind: Kind,
    schemas: Collection[str],
    gate_cases: Mapping[str, Sequence[str]],
    built_by: Mapping[str, str],
) -> dict[str, Any]:
    gates = [gate.name for gate in rooms.validators.values() if unit.name in gate.parameters]
    versions = [
        int(stem.removeprefix(f"{unit.name}_v")) for stem in schemas if re.fullmatch(rf"{unit.name}_v\d+", stem)
    ]
    evidence = [file for gate in gates for file in gate_cases.get(gate, ())]
    if built_by.get(unit.name) == unit.digest:
        evidence.append("provenance")
    return {
        "name": unit.name,
        "builder": unit.file,
        "schema": f"{unit.name}_v{max(versions)}" if versions else None,
        "specs": sorted(_specs(unit, rooms, kind, set())),
        "gates": gates,
        "reports": [report.name for report in rooms.renderers.values() if unit.name in report.parameters],
        "evidence": evidence,
    }


def _specs(unit: Unit, rooms: Rooms, kind: Kind, seen: set[str]) -> set[str]:
    """The specs that the artifact stands on, its inputs' specs included."""
    found: set[str] = set()
    for name in unit.parameters:
        if name in seen:
            continue
        seen.add(name)
        if name in rooms.builders:
            found |= _specs(rooms.builders[name], rooms, kind, seen)
        elif kind(name) in ("spec", "governance"):
            found.add(name)
    return found
