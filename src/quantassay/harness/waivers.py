"""Waivers: findings that somebody answers for until a date; one that is stale, forbidden or useless is a finding."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from quantassay.errors import AssayError
from quantassay.findings import Finding, Judged, judged
from quantassay.harness import pointers
from quantassay.harness.rulebook import Rule

# The name under which a waiver is the place of a finding.
ARTIFACT = "waivers"


class DuplicateWaiver(AssayError):
    """One waiver id for two waivers."""

    def __init__(self, waiver: str) -> None:
        super().__init__(f"the waiver {waiver} stands twice in governance/waivers; give one of them another id")


@dataclass(frozen=True, slots=True)
class Waiver:
    """What is waived (rule, artifact, pointer pattern, and a gate if only one is meant), why, by whom, until when."""

    id: str
    rule: str
    artifact: str
    pointer: str
    reason: str
    approver: str
    expires: date
    gate: str | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether this finding is one that the waiver names."""
        return (
            finding.rule == self.rule
            and finding.artifact == self.artifact
            and self.gate in (None, finding.gate)
            and pointers.matches(self.pointer, finding.pointer)
        )


@dataclass(frozen=True, slots=True)
class WaiverState:
    """A waiver on a day: `active`, `expired`, `unused` or `refused`; days left (0 on the last); findings it covers."""

    waiver: Waiver
    state: str
    days_left: int
    findings: int


@dataclass(frozen=True, slots=True)
class Waived:
    """A finding that a waiver takes out of the count, and the waiver."""

    finding: Finding
    waiver: Waiver


@dataclass(frozen=True, slots=True)
class Ruling:
    """Which findings still count, which are waived, and how each waiver stands."""

    active: tuple[Finding, ...]
    waived: tuple[Waived, ...]
    states: tuple[WaiverState, ...]


def parse(waivers: Iterable[Mapping[str, Any]]) -> tuple[Waiver, ...]:
    """The waivers of governance/waivers in the order of their ids. Raises DuplicateWaiver."""
    found: dict[str, Waiver] = {}
    for waiver in waivers:
        if waiver["id"] in found:
            raise DuplicateWaiver(waiver["id"])
        found[waiver["id"]] = Waiver(**{**waiver, "expires": date.fromisoformat(waiver["expires"])})
    return tuple(found[name] for name in sorted(found))


def rule_on(
    findings: Sequence[Finding],
    waivers: Sequence[Waiver],
    rules: Sequence[Rule],
    today: date,
    beyond: frozenset[Finding],
) -> Ruling:
    """Apply the waivers that are allowed and in force; `beyond` are findings that nobody may waive.

    A waiver holds through the day on which it expires. The first waiver that covers a finding takes it;
    every waiver that covers one counts as used.
    """
    waivable = {rule.id for rule in rules if rule.waivable}
    states = []
    taken: dict[int, Waiver] = {}
    for waiver in waivers:
        covered = [i for i, finding in enumerate(findings) if finding not in beyond and waiver.covers(finding)]
        days_left = (waiver.expires - today).days
        state = _state(waiver, waivable, days_left, len(covered))
        states.append(WaiverState(waiver, state, days_left, len(covered)))
        if state == "active":
            for i in covered:
                taken.setdefault(i, waiver)
    return Ruling(
        active=tuple(finding for i, finding in enumerate(findings) if i not in taken),
        waived=tuple(Waived(findings[i], taken[i]) for i in sorted(taken)),
        states=tuple(states),
    )


def _state(waiver: Waiver, waivable: set[str], days_left: int, covered: int) -> str:
    if waiver.rule not in waivable:
        return "refused"
    if days_left < 0:
        return "expired"
    return "active" if covered else "unused"


def judge(states: Iterable[WaiverState], rules: Sequence[Rule]) -> Iterator[Judged]:
    """One judgement a waiver."""
    known = {rule.id for rule in rules}
    for state in states:
        wrong = "" if state.state == "active" else _says(state, is_known=state.waiver.rule in known)
        yield judged(pointers.join(state.waiver.id), ok=not wrong, says=wrong, artifact=ARTIFACT)


def _says(state: WaiverState, *, is_known: bool) -> str:
    waiver = state.waiver
    if state.state == "refused":
        return f"waives {waiver.rule}, " + (
            "which nobody may waive" if is_known else "which governance/rules does not know"
        )
    if state.state == "expired":
        returned = f"{state.findings} findings are back" if state.findings != 1 else "1 finding is back"
        return f"expired on {waiver.expires}; {returned}"
    return f"covers no finding: nothing at {waiver.artifact}{waiver.pointer} breaks {waiver.rule} any more"
