"""Proves that the gates can fail: does small wrongs to each artifact and counts those that some gate notices."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import Any, Protocol

from quantassay.errors import AssayError
from quantassay.findings import Judged
from quantassay.harness import gate, mutations, mutations_table, rooms, rulebook
from quantassay.harness.gate import GateResult
from quantassay.harness.mutations import Mutant
from quantassay.harness.rooms import Unit

# Facts that are worked out from the artifacts themselves, so that a gate that reads them reads every artifact.
OF_EVERY_ARTIFACT = frozenset({"artifact_data", "artifact_schema_errors", "origin_coverage"})
LONGEST_SHOWN = 120
Progress = Callable[[int, int, str], None]


class UnsteadyGate(AssayError):
    """A gate whose word proves nothing."""

    def __init__(self, gate_name: str, artifact: str) -> None:
        super().__init__(
            f"{gate_name} judges {artifact} otherwise when it is given the same data once more; "
            "make it depend on its parameters alone"
        )


class Replaceable(gate.Readable, Protocol):
    """What gates read from, with one artifact's data put in the place of another's."""

    def with_artifact(self, name: str, data: Any) -> "Replaceable":
        """The same, with that artifact's data replaced."""


@dataclass(frozen=True, slots=True)
class Bench:
    """The gates, what they read, and how they judge: all that it takes to see what a wrong is noticed by."""

    units: Sequence[Unit]
    inputs: Replaceable
    terms: gate.Terms
    failing: frozenset[str] = gate.FAILS_BY_DEFAULT

    def readers(self, artifact: str) -> list[Unit]:
        """The gates that can see the artifact: first those that read it, the least laborious first."""
        seeing = [unit for unit in self.units if {artifact, *OF_EVERY_ARTIFACT} & set(unit.parameters)]
        return sorted(seeing, key=lambda unit: (artifact not in unit.parameters, *self._labour(unit), unit.name))

    def _labour(self, unit: Unit) -> tuple[int, int]:
        large = sum(self.inputs.kind(name) in ("handed", "table") for name in unit.parameters)
        return large, len(unit.parameters)

    def judge(self, unit: Unit, inputs: Replaceable, *, until_wrong: bool = False) -> GateResult:
        """What a gate makes of the inputs; `until_wrong` ends it at its first failing breach, which costs less."""
        judgements = self._until_wrong(unit, inputs) if until_wrong else self._judgements(unit, inputs)
        return gate.tally(unit, judgements, gate.subject(unit, inputs), self.terms)

    def _judgements(self, unit: Unit, inputs: Replaceable) -> Iterator[Judged]:
        yield from rooms.load(unit).check(**{name: inputs.value(name) for name in unit.parameters})

    def _until_wrong(self, unit: Unit, inputs: Replaceable) -> Iterator[Judged]:
        for one in self._judgements(unit, inputs):
            yield one
            if not one.ok and self.terms.severities.get(one.rule or unit.rules[0]) in self.failing:
                return

    def failures(self, result: GateResult) -> set[str]:
        """The breaches in a result that fail a gate, and the crash if it crashed."""
        found = {finding.fingerprint for finding in result.findings if finding.severity in self.failing}
        return found | ({"crash"} if result.status == "crashed" else set())


@dataclass(slots=True)
class _Count:
    """How many mutants there were and how many were killed; how many put another value in a place, and were read."""

    mutants: int = 0
    killed: int = 0
    values: int = 0
    read: int = 0

    def add(self, *, killed: bool, value: bool = False, read: bool = False) -> None:
        self.mutants += 1
        self.killed += killed
        self.values += value
        self.read += value and read


@dataclass(slots=True)
class _Tally:
    total: _Count = field(default_factory=_Count)
    gates: dict[str, _Count] = field(default_factory=dict)
    pointers: dict[str, _Count] = field(default_factory=dict)
    survivors: list[dict[str, str]] = field(default_factory=list)


def prove(
    bench: Bench,
    artifacts: Mapping[str, dict[str, Any] | None],
    *,
    per_pattern: int | None = 4,
    every_gate: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Mutate each named artifact (with its JSON Schema, or None) and count what the gates notice.

    A mutant is killed when a gate crashes, or finds a failing breach, that it did not on the artifact as it is; a
    warning kills nothing. A field is unread when no gate that reads its artifact noticed another value in it. Unless
    `every_gate`, the first gate that kills a mutant ends its trial, so `per_gate` counts for each gate the mutants
    that it was shown. `red_before` names the gates that failed before anything was changed: they prove less than
    they could. `per_pattern` as in `mutations.mutants`. Raises UnsteadyGate.
    """
    tally = _Tally(gates={unit.name: _Count() for unit in bench.units})
    before = {unit.name: bench.judge(unit, bench.inputs) for unit in bench.units}
    accepted = {name: bench.failures(result) for name, result in before.items()}
    for number, (name, schema) in enumerate(artifacts.items()):
        if progress is not None:
            progress(number, len(artifacts), name)
        # The gates that are about this artifact first, and of them always the one that noticed last.
        readers = sorted(bench.readers(name), key=lambda unit: gate.subject(unit, bench.inputs) != name)
        _check_steady(bench, name, readers, accepted)
        for mutant in _mutants(bench, name, schema, per_pattern):
            inputs = bench.inputs.with_artifact(name, mutant.data)
            noticed = ((unit, _notices(bench, unit, inputs, accepted[unit.name])) for unit in readers)
            killer = _try(tally, name, mutant, noticed, every_gate=every_gate)
            if killer is not None and name in killer.parameters:
                readers.remove(killer)
                readers.insert(0, killer)
    red = sorted(name for name, breaches in accepted.items() if breaches)
    return {**_result(bench, tally, before.values()), "red_before": red}


def _check_steady(bench: Bench, artifact: str, readers: Iterable[Unit], accepted: Mapping[str, set[str]]) -> None:
    """The control of the experiment: the artifact as it is, put in its own place, must be noticed by no gate."""
    same = bench.inputs.with_artifact(artifact, bench.inputs.value(artifact))
    for unit in readers:
        if _notices(bench, unit, same, accepted[unit.name]):
            raise UnsteadyGate(unit.name, artifact)


def _notices(bench: Bench, unit: Unit, inputs: Replaceable, accepted: set[str]) -> bool:
    # A gate that has failed before may fail at the old place first, so it is heard to its end.
    return bool(bench.failures(bench.judge(unit, inputs, until_wrong=not accepted)) - accepted)


def _mutants(bench: Bench, name: str, schema: dict[str, Any] | None, per_pattern: int | None) -> Iterator[Mutant]:
    if bench.inputs.kind(name) == "table":
        return mutations_table.mutants(bench.inputs.value(name), per_pattern=per_pattern)
    return mutations.mutants(bench.inputs.value(name), schema, per_pattern=per_pattern)


def _try(
    tally: _Tally, artifact: str, mutant: Mutant, noticed: Iterable[tuple[Unit, bool]], *, every_gate: bool
) -> Unit | None:
    """Show the mutant to one gate after another and count what happens; the first that noticed it, if any did."""
    killed = read = False
    killer = None
    for unit, by_this in noticed:
        tally.gates[unit.name].add(killed=by_this)
        killed = killed or by_this
        killer = unit if by_this and killer is None else killer
        read = read or (by_this and artifact in unit.parameters)
        if killed and not every_gate:
            break
    for count in (tally.total, tally.pointers.setdefault(f"{artifact}#{mutant.pattern}", _Count())):
        count.add(killed=killed, value=mutant.operator not in mutations.SHAPES, read=read)
    if not killed:
        place = {"artifact": artifact, "pointer": mutant.pointer, "operator": mutant.operator}
        tally.survivors.append({**place, "from": _shown(mutant.before), "to": _shown(mutant.after)})
    return killer


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."


def _result(bench: Bench, tally: _Tally, before: Iterable[GateResult]) -> dict[str, Any]:
    judged = {rule for result in before for rule, count in result.by_rule if count}
    # What the engine's own gates judge is judged elsewhere: waivers at the end of the gate, traces with the reports.
    judged |= {rule for engine_gate in rulebook.ENGINE_GATES for rule in engine_gate.rules}
    return {
        "mutants": tally.total.mutants,
        "killed": tally.total.killed,
        "share": share(tally.total.killed, tally.total.mutants),
        "survivors": tally.survivors,
        "per_gate": {name: {"shown": c.mutants, "killed": c.killed} for name, c in sorted(tally.gates.items())},
        "per_pointer": {
            place: {"mutants": c.mutants, "killed": c.killed, "share": share(c.killed, c.mutants)}
            for place, c in tally.pointers.items()
        },
        "unread_fields": [place for place, count in tally.pointers.items() if count.values and not count.read],
        "unevaluated_rules": sorted(bench.terms.severities.keys() - judged),
    }


def share(killed: int, mutants: int) -> str:
    """The share killed to four places, never rounded up; none of none is 0."""
    return str((Decimal(killed) / max(mutants, 1)).quantize(Decimal("0.0001"), ROUND_DOWN))
