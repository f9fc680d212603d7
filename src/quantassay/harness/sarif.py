"""A verdict as SARIF 2.1.0: every rule, the passed ones too, and each finding with a fingerprint that lasts."""

import json
from typing import Any
from urllib.parse import quote

from quantassay.findings import Finding
from quantassay.harness.gate import Verdict
from quantassay.harness.outputs import sentence
from quantassay.harness.places import Locate
from quantassay.harness.rulebook import UNKNOWN_RULE_SEVERITY
from quantassay.harness.waivers import Waiver

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def dumps(verdict: Verdict, locate: Locate, engine_version: str) -> str:
    """The SARIF log as text; waived findings stay in it, suppressed, with the waiver's reason."""
    return json.dumps(log(verdict, locate, engine_version), ensure_ascii=False, indent=2) + "\n"


def log(verdict: Verdict, locate: Locate, engine_version: str) -> dict[str, Any]:
    """The SARIF log as a JSON value."""
    catalogue = _catalogue(verdict)
    index = {rule["id"]: number for number, rule in enumerate(catalogue)}
    waived = {one.finding: one.waiver for one in verdict.waived}
    findings = [finding for result in verdict.results for finding in result.findings]
    driver = {"name": "QuantAssay", "semanticVersion": engine_version, "rules": catalogue}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(verdict)],
        "results": [_result(finding, locate, index[finding.rule], waived.get(finding)) for finding in findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _catalogue(verdict: Verdict) -> list[dict[str, Any]]:
    known = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.statement},
            "fullDescription": {"text": rule.why},
            "help": {"text": rule.remedy or rule.statement},
            "defaultConfiguration": {"level": rule.severity},
            "properties": {
                "gates": list(rule.enforced_by),
                "judged": verdict.judged_by(rule.id),
                "waivable": rule.waivable,
            },
        }
        for rule in verdict.rules
    ]
    named = {rule.id for rule in verdict.rules}
    broken = sorted({finding.rule for result in verdict.results for finding in result.findings} - named)
    level = {"level": UNKNOWN_RULE_SEVERITY}
    says = {"text": "Not in governance/rules"}
    return known + [{"id": rule, "shortDescription": says, "defaultConfiguration": level} for rule in broken]


def _invocation(verdict: Verdict) -> dict[str, Any]:
    crashes = [
        {"level": "error", "message": {"text": f"{result.gate} crashed: {result.error}"}} for result in verdict.crashed
    ]
    return {
        "executionSuccessful": not crashes,
        "exitCode": verdict.exit_code,
        "toolExecutionNotifications": crashes,
        "properties": {"asOf": verdict.as_of, "status": verdict.status},
    }


def _result(finding: Finding, locate: Locate, rule_index: int, waiver: Waiver | None) -> dict[str, Any]:
    place = locate(finding.artifact, finding.pointer)
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(place.file)}}
    if place.line is not None:
        physical["region"] = {"startLine": place.line, "startColumn": place.column or 1}
    logical = {"fullyQualifiedName": f"{finding.artifact}#{finding.pointer}", "kind": "member"}
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule_index,
        "kind": "fail",
        "level": finding.severity,
        "message": {"text": sentence(finding)},
        "locations": [{"physicalLocation": physical, "logicalLocations": [logical]}],
        "fingerprints": {"assay/v1": finding.fingerprint},
        # SARIF wants this member in every result or in none; empty says that nobody waives it.
        "suppressions": [_suppression(waiver)] if waiver else [],
        "properties": {"gate": finding.gate, "artifact": finding.artifact, "pointer": finding.pointer},
    }


def _suppression(waiver: Waiver) -> dict[str, Any]:
    return {
        "kind": "external",
        "status": "accepted",
        "justification": waiver.reason,
        "properties": {"waiver": waiver.id, "approver": waiver.approver, "expires": waiver.expires.isoformat()},
    }
