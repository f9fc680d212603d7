"""Prove that the gates can fail: mutate every artifact and count what is noticed."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from quantassay.harness import build, gate, rulebook
from quantassay.harness import prove as harness
from quantassay.harness.inputs import UnknownName
from quantassay.harness.tampering import check_recorded
from quantassay.jobs import desk
from quantassay.jobs.gate import check_current


@dataclass(frozen=True, slots=True)
class Proof:
    """The counts, and whether no gate was red before and the share caught reaches the floor that governance sets."""

    result: dict[str, Any]
    floor: str
    passed: bool


def prove(
    folder: Path, names: Sequence[str], *, per_pattern: int | None, every_gate: bool, progress: build.Progress | None
) -> Proof:
    """Mutate the named artifacts (none: all) of what is built. Raises Tampered, OutOfDate, UnknownName."""
    inputs = desk.built(folder)
    check_recorded(inputs)
    check_current(inputs)
    built = inputs.artifacts()
    for name in names:
        if name not in built:
            raise UnknownName(name, "assay prove", built)
    governed = inputs.value("gates")
    floor = str(governed["least_share_caught"])
    rules = rulebook.parse(inputs.value("rules"))
    terms = gate.Terms({rule.id: rule.severity for rule in rules}, rulebook.zero_legal(governed))
    failing = rulebook.failing(inputs.value("severities"))
    bench = harness.Bench(tuple(inputs.rooms.validators.values()), inputs, terms, failing)
    wanted = {name: inputs.schema(f"{name}_v{inputs.version(name)}") for name in names or built}
    result = harness.prove(bench, wanted, per_pattern=per_pattern, every_gate=every_gate, progress=progress)
    enough = Decimal(result["share"]) >= Decimal(floor) and result["mutants"] > 0
    return Proof(result, floor, enough and not result["red_before"])
