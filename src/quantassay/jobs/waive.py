"""Record that a person answers for findings that a gate has made, until a date."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.findings import Finding
from quantassay.harness import files, gate, rulebook, waivers
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.rulebook import Rule
from quantassay.harness.tampering import check_recorded
from quantassay.harness.waivers import Waiver
from quantassay.harness.workspace import find
from quantassay.jobs import desk, governed
from quantassay.jobs.approvals import today
from quantassay.jobs.build import workspace_held
from quantassay.jobs.gate import RECORD

MOST_NAMED = 5
LONGEST_DAYS = 36_600


class UnknownRule(AssayError):
    """A rule that governance does not have."""

    def __init__(self, rule: str, known: Sequence[str]) -> None:
        close = Lazy("difflib:get_close_matches")(rule, known, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        super().__init__(f"governance/rules has no rule {rule!r}; {hint}")


class WaiverRefused(AssayError):
    """A waiver that would be a finding itself."""

    exit_code = 1

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(f"the waiver of {rule} is refused: {why}; nothing was written")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks for: whose findings of which rule at which places, why, and for how many days."""

    rule: str
    artifact: str
    pointer: str
    approver: str
    reason: str
    days: int
    gate: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """The waiver as it was written, its file, the findings that it covers, and the command to run next."""

    waiver: Mapping[str, Any]
    file: str
    covers: tuple[Finding, ...]
    next: str


def waive(folder: Path, wish: Wish) -> Written:
    """Write the waiver; a dry run only says what would be written.

    Raises UnknownRule, WaiverRefused where nobody may waive it or it would cover no finding, Tampered, BadWords.
    """
    workspace = find(folder)
    with contextlib.nullcontext() if wish.dry_run else workspace_held(workspace):
        inputs = desk.built(folder)
        check_recorded(inputs)
        book = rulebook.parse(inputs.value("rules"))
        rule = next((one for one in book if one.id == wish.rule), None)
        if rule is None:
            raise UnknownRule(wish.rule, [one.id for one in book])
        waiver = _waiver(inputs, wish)
        covered = _covered(inputs, waiver, rule)
        file = f"governance/waivers/{waiver['id']}_{wish.rule}.yaml"
        data = governed.document(inputs, waiver, "waiver", file)
        if not wish.dry_run:
            files.write(workspace.root / file, data)
        return Written(waiver, file, covered, governed.next_run(inputs))


def _waiver(inputs: Inputs, wish: Wish) -> dict[str, Any]:
    last = today(inputs) + timedelta(days=min(wish.days, LONGEST_DAYS))
    return {
        "id": governed.next_id("W", [one["id"] for one in inputs.value("waivers")]),
        "rule": wish.rule,
        **({"gate": wish.gate} if wish.gate is not None else {}),
        "artifact": wish.artifact,
        "pointer": wish.pointer,
        "reason": wish.reason,
        "approver": wish.approver,
        "expires": last.isoformat(),
    }


def _covered(inputs: Inputs, written: Mapping[str, Any], rule: Rule) -> tuple[Finding, ...]:
    """The findings of the last gate record that the waiver would cover. Raises WaiverRefused."""
    if not rule.waivable:
        raise WaiverRefused(rule.id, f"nobody may waive it; {rule.remedy[:1].lower()}{rule.remedy[1:].rstrip('.')}")
    if inputs.state.steps.get("gate") is None:
        raise WaiverRefused(rule.id, "nothing was judged yet, so there is no finding to waive; run `assay run`")
    waiver = waivers.parse([written])[0]
    found = list(_findings(inputs))
    covered = [one for one in found if waiver.covers(one)]
    if not covered:
        raise WaiverRefused(rule.id, _dead(waiver, found))
    if all(gate.is_vacuous(one) for one in covered):
        raise WaiverRefused(
            rule.id, f"{covered[0].gate} judged nothing, and that cannot be waived; governance/gates.yaml may allow it"
        )
    for other in waivers.parse(inputs.value("waivers")):
        if other.expires >= waiver.expires and all(other.covers(one) for one in covered):
            raise WaiverRefused(rule.id, f"{other.id} covers the same findings until {other.expires}")
    return tuple(one for one in covered if not gate.is_vacuous(one))


def _findings(inputs: Inputs) -> Sequence[Finding]:
    fields = Finding.__dataclass_fields__
    rows = [row for one in inputs.envelope(RECORD)["data"]["gates"] for row in one["findings"]]
    return [Finding(**{name: row[name] for name in fields}) for row in rows]


def _dead(waiver: Waiver, found: Sequence[Finding]) -> str:
    of_rule = [one for one in found if one.rule == waiver.rule]
    there = [f"{one.artifact} {one.pointer or '(the whole)'} ({one.gate})" for one in of_rule[:MOST_NAMED]]
    there += [f"and {len(of_rule) - MOST_NAMED} more"] * (len(of_rule) > MOST_NAMED)
    if there:
        told = f"its findings of {waiver.rule} are {', '.join(there)}"
    else:
        others = ", ".join(sorted({one.rule for one in found}))
        told = f"it has no finding of {waiver.rule}{f', only of {others}' if others else ' nor of any other rule'}"
    return f"it would cover no finding of the last gate record: {told}"
