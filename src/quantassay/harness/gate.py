"""The gate: runs every check, counts what it judged, applies the waivers, and writes the record of it all."""

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from quantassay.errors import AssayError
from quantassay.findings import Finding, Judged
from quantassay.harness import canonical, rooms, rulebook, waivers
from quantassay.harness.rooms import Unit
from quantassay.harness.rulebook import Gate, Rule
from quantassay.secrecy import withheld

FAILS_BY_DEFAULT = frozenset({"error"})
JUDGED_NOTHING = "judged nothing"
NO_WAIVERS = "a desk without exceptions needs no waiver"


class NothingToJudge(AssayError):
    """A gate run without a gate."""

    def __init__(self) -> None:
        super().__init__("no gate ran, so nothing was judged; put one in validators/ or allow the standard ones")


class UnlistedRule(AssayError):
    """A gate that judges by a rule which its RULES do not name."""

    def __init__(self, gate: str, rule: str) -> None:
        super().__init__(f"{gate} judges by {rule}, which its RULES do not name; add it, there and in enforced_by")


class NotJudged(AssayError):
    """A gate that yields something else than judgements."""

    def __init__(self, gate: str, value: object) -> None:
        super().__init__(f"{gate} yields a {type(value).__name__}; let it yield judged(...) for each thing")


class Readable(Protocol):
    """What a gate's parameters are read from."""

    def kind(self, name: str) -> str:
        """`artifact`, `table`, `spec`, `governance`, `file`, `handed` or `fact`."""

    def value(self, name: str) -> Any:
        """The value of that name."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a run judges: each rule's severity, and the gates that may judge nothing, with the reason."""

    severities: Mapping[str, str]
    zero_legal: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GateResult:
    """What one gate did: `passed`, `failed`, `vacuous` (judged nothing) or `crashed`.

    `by_rule` counts what it judged by each of its rules; `zero_legal` is the reason that let it judge nothing.
    """

    gate: str
    title: str
    rules: tuple[str, ...]
    judged: int
    findings: tuple[Finding, ...]
    status: str
    error: str | None = None
    by_rule: tuple[tuple[str, int], ...] = ()
    zero_legal: str | None = None
    origin: str = ""
    digest: str = ""

    @property
    def vacuous_findings(self) -> tuple[Finding, ...]:
        """The findings that say that a rule was not judged at all."""
        unjudged = {rule for rule, count in self.by_rule if not count}
        return tuple(finding for finding in self.findings if finding.rule in unjudged)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a gate run: each gate's result after waivers, what still counts, and what is waived until when."""

    status: str
    as_of: str
    results: tuple[GateResult, ...]
    active: tuple[Finding, ...]
    waived: tuple[waivers.Waived, ...]
    waivers: tuple[waivers.WaiverState, ...]
    rules: tuple[Rule, ...]
    failing: frozenset[str]

    @property
    def crashed(self) -> tuple[GateResult, ...]:
        """The gates that could not finish."""
        return tuple(result for result in self.results if result.status == "crashed")

    @property
    def exit_code(self) -> int:
        """0 passed, 1 findings, 3 a gate crashed."""
        if self.crashed:
            return 3
        return 0 if self.status == "passed" else 1

    def count(self, severity: str) -> int:
        """How many findings of this severity still count."""
        return sum(finding.severity == severity for finding in self.active)

    def judged_by(self, rule: str) -> int:
        """How many things were judged by this rule, over all gates."""
        return sum(count for result in self.results for name, count in result.by_rule if name == rule)


def judge(
    units: Sequence[Unit],
    rules: Iterable[Mapping[str, Any]],
    zero_legal: Mapping[str, str],
    one: Callable[[Unit, Terms], GateResult],
) -> list[GateResult]:
    """What `one` says of every gate, whatever the others do. Raises NothingToJudge, DuplicateRule."""
    if not units:
        raise NothingToJudge
    terms = Terms({rule.id: rule.severity for rule in rulebook.parse(rules)}, zero_legal)
    return [one(unit, terms) for unit in units]


def judge_one(inputs: Readable, unit: Unit, terms: Terms) -> GateResult:
    """Run one gate; a crash is its result."""
    return tally(unit, _judgements(unit, inputs), subject(unit, inputs), terms)


def _judgements(unit: Unit, inputs: Readable) -> Iterator[Judged]:
    check = rooms.load(unit).check
    yield from check(**{name: inputs.value(name) for name in unit.parameters})


def subject(unit: Unit, inputs: Readable) -> str:
    """What the gate judges where it does not say: the first artifact that it reads, or else its first input."""
    artifacts = [name for name in unit.parameters if inputs.kind(name) in ("artifact", "table")]
    return (artifacts or list(unit.parameters) or [unit.name])[0]


def tally(gate: Gate, judgements: Iterable[Judged], about: str, terms: Terms) -> GateResult:
    """Count the judgements of one gate and make findings of those that are not in order.

    A rule that the gate names and never judges by is a finding too, unless zero is legal for the gate.
    """
    counts = dict.fromkeys(gate.rules, 0)
    findings: list[Finding] = []
    error = None

    def found(rule: str, artifact: str, one: Judged) -> Finding:
        severity = terms.severities.get(rule, rulebook.UNKNOWN_RULE_SEVERITY)
        # Findings are printed, packaged and mailed.
        says, expected, actual = (
            None if text is None else withheld(text) for text in (one.says, one.expected, one.actual)
        )
        return Finding(rule, gate.name, severity, artifact, one.pointer, says or "", expected, actual)

    try:
        for one in judgements:
            if not isinstance(one, Judged):
                raise NotJudged(gate.name, one)
            rule = one.rule or gate.rules[0]
            if rule not in counts:
                raise UnlistedRule(gate.name, rule)
            counts[rule] += 1
            if not one.ok:
                findings.append(found(rule, one.artifact or about, one))
    # A gate is a file that anybody may write: whatever it does, the others are still heard.
    except (Exception, SystemExit) as caught:  # noqa: BLE001
        error = _one_line(caught, gate.name)
    zero = terms.zero_legal.get(gate.name)
    judged = sum(counts.values())
    if error is None and zero is None:
        findings += [found(rule, about, _vacuous(judged)) for rule, count in counts.items() if not count]
    status = "crashed" if error else "vacuous" if not judged and zero is None else "failed" if findings else "passed"
    return GateResult(
        gate.name, gate.title, gate.rules, judged, tuple(findings), status, error,
        tuple(counts.items()), None if judged or error else zero, gate.origin, gate.digest,
    )  # fmt: skip


def is_vacuous(finding: Finding) -> bool:
    """Whether a finding says that a gate, or a rule of it, was not judged at all; nobody may waive it."""
    return finding.says.startswith(JUDGED_NOTHING)


def _vacuous(judged: int) -> Judged:
    what = f"{JUDGED_NOTHING} by this rule" if judged else JUDGED_NOTHING
    says = f"{what}, so it proves nothing; if zero is right, give the reason in governance/gates.yaml"
    return Judged("", ok=False, says=says)


def _one_line(error: BaseException, gate: str) -> str:
    """The error on one line, with the line of the gate's own file that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).name == f"{gate}.py"]
    says = " ".join(str(error).split())
    place = f" (validators/{gate}.py:{own[-1].lineno})" if own else ""
    return f"{type(error).__name__}{': ' if says else ''}{says}{place}"


def conclude(
    results: Sequence[GateResult],
    rules: Iterable[Mapping[str, Any]],
    waivers_given: Iterable[Mapping[str, Any]],
    as_of: str,
    *,
    failing: frozenset[str] = FAILS_BY_DEFAULT,
) -> Verdict:
    """Apply the waivers of the day of `as_of` (ISO, with zone) and say whether the gate is passed.

    `failing` holds the severities that fail it (`rulebook.failing`).
    Raises DuplicateRule, DuplicateWaiver, NothingToJudge.
    """
    if not results:
        raise NothingToJudge
    book = rulebook.parse(rules)
    ruling = waivers.rule_on(
        [finding for result in results for finding in result.findings],
        waivers.parse(waivers_given),
        book,
        datetime.fromisoformat(as_of).date(),
        frozenset(finding for result in results for finding in result.vacuous_findings),
    )
    terms = Terms({rule.id: rule.severity for rule in book}, {rulebook.WAIVERS.name: NO_WAIVERS})
    own = tally(rulebook.WAIVERS, waivers.judge(ruling.states, book), waivers.ARTIFACT, terms)
    active = (*ruling.active, *own.findings)
    failed = {finding.gate for finding in active if finding.severity in failing}
    settled = tuple(_settled(result, failed) for result in (*results, own))
    passed = not failed and all(result.status != "crashed" for result in settled)
    return Verdict(
        "passed" if passed else "failed", as_of, settled, active, ruling.waived, ruling.states, book, failing
    )


def _settled(result: GateResult, failed: set[str]) -> GateResult:
    """The result with its status after waivers: warnings and waived findings alone do not fail a gate."""
    if result.status in ("crashed", "vacuous"):
        return result
    return replace(result, status="failed" if result.gate in failed else "passed")


def record(
    verdict: Verdict, judged_digests: Mapping[str, str], as_of: str, marks: Iterable[str], engine: str
) -> dict[str, Any]:
    """The envelope of the artifact gate_record v1; `judged_digests` holds each judged artifact's content digest."""
    waived = {one.finding: one.waiver.id for one in verdict.waived}
    digests = dict(sorted(judged_digests.items()))
    rules_digest = rulebook.digest(verdict.rules)
    source = canonical.sha256(Path(__file__).read_bytes())
    inputs = [{"name": name, "kind": "artifact", "digest": digest} for name, digest in digests.items()]
    return {
        "artifact": "gate_record",
        "version": 1,
        "as_of": as_of,
        "marks": sorted(marks),
        "provenance": {
            "builder": {"file": "engine:gate", "digest": source, "origin": "engine"},
            "engine": engine,
            "inputs": [*inputs, {"name": "rules", "kind": "governance", "digest": rules_digest}],
            "libraries": [],
        },
        "origins": {},
        "data": {
            "status": verdict.status,
            "counts": _counts(verdict),
            "gates": [_gate_row(result, waived) for result in verdict.results],
            "rules": [_rule_row(verdict, rule) for rule in verdict.rules],
            "waivers": [_waiver_row(state) for state in verdict.waivers],
            "judged": digests,
            "rules_digest": rules_digest,
        },
    }


def _counts(verdict: Verdict) -> dict[str, int]:
    return {
        "gates": len(verdict.results),
        "judged": sum(result.judged for result in verdict.results),
        "errors": verdict.count("error"),
        "warnings": verdict.count("warning"),
        "notes": verdict.count("note"),
        "waived": len(verdict.waived),
        "crashed": len(verdict.crashed),
    }


def _gate_row(result: GateResult, waived: Mapping[Finding, str]) -> dict[str, Any]:
    facts = ("gate", "title", "origin", "digest", "judged", "status", "error", "zero_legal")
    findings = [{**asdict(one), "fingerprint": one.fingerprint, "waiver": waived.get(one)} for one in result.findings]
    return {name: getattr(result, name) for name in facts} | {"rules": list(result.rules), "findings": findings}


def _rule_row(verdict: Verdict, rule: Rule) -> dict[str, Any]:
    judged = verdict.judged_by(rule.id)
    return {
        "id": rule.id,
        "statement": rule.statement,
        "severity": rule.severity,
        "waivable": rule.waivable,
        "gates": list(rule.enforced_by),
        "judged": judged,
        "evaluated": judged > 0,
    }


def _waiver_row(state: waivers.WaiverState) -> dict[str, Any]:
    return {
        **asdict(state.waiver),
        "expires": state.waiver.expires.isoformat(),
        "state": state.state,
        "days_left": state.days_left,
        "findings": state.findings,
    }
