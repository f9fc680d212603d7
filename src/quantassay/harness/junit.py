"""A verdict as JUnit XML: each gate is a test case, so that any CI system shows what ran and what it judged."""

import re
from xml.etree import ElementTree as ET

from quantassay.findings import Finding
from quantassay.harness.gate import GateResult, Verdict
from quantassay.harness.outputs import sentence
from quantassay.harness.places import Locate

# What XML 1.0 cannot hold in any form.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def dumps(verdict: Verdict, locate: Locate) -> str:
    """The XML text. It holds no duration and no time of day: the same verdict gives the same text."""
    failed = [result for result in verdict.results if _failing(verdict, result)]
    counts = {
        "tests": len(verdict.results),
        "failures": len([result for result in failed if not result.error]),
        "errors": len(verdict.crashed),
        "skipped": 0,
    }
    root = ET.Element("testsuites", {"name": "assay gate", **_texts(counts)})
    suite = ET.SubElement(root, "testsuite", {"name": "gates", "timestamp": verdict.as_of[:19], **_texts(counts)})
    for result in verdict.results:
        _case(suite, result, verdict, locate)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _texts(counts: dict[str, int]) -> dict[str, str]:
    return {name: str(count) for name, count in counts.items()}


def _failing(verdict: Verdict, result: GateResult) -> list[Finding]:
    return [f for f in verdict.active if f.gate == result.gate and f.severity in verdict.failing]


def _case(suite: ET.Element, result: GateResult, verdict: Verdict, locate: Locate) -> None:
    case = ET.SubElement(suite, "testcase", {"name": result.gate, "classname": f"gates.{'.'.join(result.rules)}"})
    properties = ET.SubElement(case, "properties")
    facts = (("title", result.title), ("judged", str(result.judged)), ("status", result.status))
    for name, value in facts:
        ET.SubElement(properties, "property", {"name": name, "value": _clean(value)})
    failing = _failing(verdict, result)
    if result.error:
        ET.SubElement(case, "error", {"type": "crash", "message": _clean(result.error)})
    elif failing:
        # Most readers show one failure a case, so it holds every finding.
        first = f"{len(failing)} finding{'s' * (len(failing) > 1)}: {sentence(failing[0])}"
        failure = ET.SubElement(case, "failure", {"type": failing[0].rule, "message": _clean(first)})
        failure.text = _clean("\n".join(_line(finding, locate) for finding in failing))
    told = [finding for finding in result.findings if finding not in failing or result.error]
    if told:
        waived = {one.finding: one.waiver for one in verdict.waived}
        lines = [_line(f, locate) + (f" [waived by {waived[f].id}]" if f in waived else "") for f in told]
        ET.SubElement(case, "system-out").text = _clean("\n".join(lines))


def _line(finding: Finding, locate: Locate) -> str:
    place = locate(finding.artifact, finding.pointer)
    return f"{finding.severity} {finding.rule} {place} {finding.pointer} {sentence(finding)}"


def _clean(words: str) -> str:
    return _NOT_XML.sub("\ufffd", words)
