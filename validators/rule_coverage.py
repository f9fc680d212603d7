"""Rules and gates name each other, and exemptions name gates that exist.

A rule that nothing checks promises what nobody keeps, and a check that no rule asks for cannot be argued with.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R04.2"]


def check(
    rules: list[dict[str, Any]], gate_units: list[dict[str, Any]], gates: dict[str, list[dict[str, str]]]
) -> Iterator[Judged]:
    """Judges each gate that a rule names, each rule that a gate names, and each exemption from judging something."""
    holds = {unit["name"]: unit["rules"] for unit in gate_units}
    asked = {rule["id"]: rule["enforced_by"] for rule in rules}
    for rule, named in asked.items():
        if not named:
            yield _judged("rules", rule, "no gate holds this rule")
        for index, gate in enumerate(named):
            yield _judged("rules", f"{rule}/enforced_by/{index}", _why_not_held(rule, gate, holds))
    for gate, named in holds.items():
        if not named:
            yield _judged("gate_units", gate, "the gate holds no rule")
        for index, rule in enumerate(named):
            yield _judged("gate_units", f"{gate}/rules/{index}", _why_not_asked(rule, gate, asked))
    for index, entry in enumerate(gates["zero_legal"]):
        known = entry["gate"] in holds
        says = f"there is no gate {entry['gate']}, so nothing is exempt"
        yield judged(f"/zero_legal/{index}/gate", ok=known, says=says, artifact="gates")


def _judged(artifact: str, place: str, wrong: str) -> Judged:
    return judged(f"/{place}", ok=not wrong, says=wrong, artifact=artifact)


def _why_not_held(rule: str, gate: str, holds: dict[str, list[str]]) -> str:
    if gate not in holds:
        return f"enforced_by names {gate}, which is no gate"
    return "" if rule in holds[gate] else f"enforced_by names {gate}, whose RULES do not name {rule}"


def _why_not_asked(rule: str, gate: str, asked: dict[str, list[str]]) -> str:
    if rule not in asked:
        return f"RULES name {rule}, which is no rule"
    return "" if gate in asked[rule] else f"RULES name {rule}, whose enforced_by does not name {gate}"
