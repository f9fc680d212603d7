"""The governance rules as values: what each demands, which gates hold it, and how bad a breach is."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical
from quantassay.harness.rooms import Unit

# A breach of a rule that governance does not know must not pass for a small one.
UNKNOWN_RULE_SEVERITY = "error"


class DuplicateRule(AssayError):
    """One rule id for two rules."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"the rule {rule} stands twice in governance/rules; give one of them another id")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the demand, its reason, what to do about a breach, and the gates that hold it."""

    id: str
    statement: str
    why: str
    remedy: str
    enforced_by: tuple[str, ...]
    severity: str
    waivable: bool


@dataclass(frozen=True, slots=True)
class EngineGate:
    """A gate that is part of the engine, because it judges what no file in validators/ can see."""

    name: str
    title: str
    rules: tuple[str, ...]
    origin: str = "engine"
    digest: str = ""


Gate = Unit | EngineGate

WAIVERS = EngineGate("waivers_in_force", "Every waiver is allowed, in force, and waives something.", ("R04.4",))
# Judged when reports are written and verified, which is after the gate record.
REPORT_TRACE = EngineGate("report_trace", "Every digit on a report page is the value that its trace names.", ("R05.2",))
ENGINE_GATES = (WAIVERS, REPORT_TRACE)
AFTER_THE_RECORD = (REPORT_TRACE,)


def parse(rules: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """The rules of governance/rules in the order of their ids. Raises DuplicateRule."""
    found: dict[str, Rule] = {}
    for rule in rules:
        if rule["id"] in found:
            raise DuplicateRule(rule["id"])
        found[rule["id"]] = Rule(
            id=rule["id"],
            statement=rule["statement"],
            why=rule["why"],
            remedy=rule.get("remedy", ""),
            enforced_by=tuple(rule["enforced_by"]),
            severity=rule["severity"],
            waivable=rule["waivable"],
        )
    return tuple(sorted(found.values(), key=lambda rule: _order(rule.id)))


def _order(rule_id: str) -> list[tuple[int, str]]:
    """R03.10 comes after R03.9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.findall(r"\d+|\D+", rule_id)]


def digest(rules: Iterable[Rule]) -> str:
    """The digest of a set of rules, by which approvals and the gate record know it."""
    return canonical.digest([asdict(rule) | {"enforced_by": list(rule.enforced_by)} for rule in rules])


def failing(severities: Mapping[str, Any]) -> frozenset[str]:
    """The severities whose findings fail a gate, from governance/severities.yaml."""
    return frozenset(level["name"] for level in severities["severities"] if level["fails"])


def zero_legal(gates: Mapping[str, Any]) -> dict[str, str]:
    """The gates that may judge nothing, each with the recorded reason, from governance/gates.yaml."""
    return {entry["gate"]: entry["why"] for entry in gates["zero_legal"]}


def gate_units(units: Iterable[Unit]) -> list[dict[str, Any]]:
    """The fact `gate_units`: every gate, the engine's own included, with the rules that it says it holds."""
    every: list[Gate] = [*units, *ENGINE_GATES]
    return [
        {"name": gate.name, "title": gate.title, "rules": list(gate.rules), "origin": gate.origin}
        for gate in sorted(every, key=lambda gate: gate.name)
    ]
