"""A verdict in words: for a terminal, as JSON, and as annotations that a CI system shows beside the code."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from quantassay.findings import Finding
from quantassay.harness.gate import GateResult, Verdict
from quantassay.harness.places import Locate
from quantassay.harness.waivers import Waived, Waiver

MOST = 10
WIDTH = 120
_STATES = {"passed": "ok", "warned": "warned", "failed": "FAILED", "vacuous": "EMPTY", "crashed": "CRASHED"}
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def text(verdict: Verdict, locate: Locate, *, record: str, most: int | None = MOST) -> str:
    """A line for each gate, what is wrong below, and the outcome last, where a terminal shows it.

    `record` is the file to look further in; of one gate at most `most` findings are printed (None: all).
    """
    parts = [_table(verdict), *_findings(verdict, locate, most), *_waivers(verdict.waived)]
    return "\n\n".join(["\n".join(part) for part in parts if part] + [summary(verdict, record)]) + "\n"


def summary(verdict: Verdict, record: str) -> str:
    """The outcome in two lines: the counts, and where to look."""
    judged = sum(result.judged for result in verdict.results)
    counts = [_plural(verdict.count(name), name) for name in ("error", "warning", "note")]
    counts += [f"{len(verdict.waived)} waived"] * bool(verdict.waived)
    counts += [_plural(len(verdict.crashed), "gate") + " crashed"] * bool(verdict.crashed)
    gates = _plural(len(verdict.results), "gate")
    return f"{verdict.status}: {', '.join(counts)}; {judged:,} things judged by {gates}\nsee {record}"


def _plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _table(verdict: Verdict) -> list[str]:
    found = {finding.gate for finding in verdict.active}
    rows = []
    for result in verdict.results:
        status = "warned" if result.status == "passed" and result.gate in found else result.status
        rows.append((_STATES[status], f"{result.judged:,}", result.gate, _subject(result)))
    count, name = max(len(row[1]) for row in rows), max(len(row[2]) for row in rows)
    lines = [f"{state:<8}{judged:>{count}}  {gate:<{name}}  {title}" for state, judged, gate, title in rows]
    return [line if len(line) <= WIDTH else line[: WIDTH - 3].rstrip() + "..." for line in lines]


def _subject(result: GateResult) -> str:
    return one_line(result.title if result.zero_legal is None else f"nothing to judge is legal: {result.zero_legal}")


def _findings(verdict: Verdict, locate: Locate, most: int | None) -> Iterator[list[str]]:
    remedies = {rule.id: rule.remedy for rule in verdict.rules}
    for result in verdict.results:
        active = [finding for finding in verdict.active if finding.gate == result.gate]
        if not active and not result.error:
            continue
        lines = [f"{result.gate}: {one_line(result.title)}"]
        if result.error:
            lines.append(f"  crashed  {one_line(result.error)}")
        for finding in active[:most]:
            lines += _finding(finding, locate)
        if most is not None and len(active) > most:
            lines.append(f"  and {len(active) - most:,} more")
        lines += [f"  do: {remedies[rule]}" for rule in dict.fromkeys(f.rule for f in active) if remedies.get(rule)]
        yield lines


def _finding(finding: Finding, locate: Locate) -> list[str]:
    place = locate(finding.artifact, finding.pointer)
    return [
        f"  {finding.severity}  {finding.rule}  {one_line(f'{place} {finding.pointer}').rstrip()}",
        f"      {sentence(finding)}",
    ]


def sentence(finding: Finding) -> str:
    """What is wrong on one line, with what was expected and found where the gate said so."""
    values = [("expected", finding.expected), ("found", finding.actual)]
    told = ", ".join(f"{word} {value}" for word, value in values if value is not None)
    return one_line(f"{finding.says} ({told})" if told else finding.says)


def _waivers(waived: Iterable[Waived]) -> Iterator[list[str]]:
    by_waiver: dict[str, list[Waived]] = {}
    for one in waived:
        by_waiver.setdefault(one.waiver.id, []).append(one)
    lines = [_waiver(found[0].waiver, len(found)) for found in by_waiver.values()]
    yield ["waived", *lines] if lines else []


def _waiver(waiver: Waiver, count: int) -> str:
    words = f"{_plural(count, 'finding')} until {waiver.expires}, approved by {waiver.approver}: {waiver.reason}"
    return f"  {waiver.id}  {waiver.rule}  {one_line(words)}"


def one_line(words: str) -> str:
    """The words on one line; what a terminal or a CI system could take for a command is made visible."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in " ".join(words.split()))


def as_json(record: dict[str, Any], locate: Locate) -> str:
    """The data of a gate record for other programs, each finding with its file, line and column."""
    gates = [
        {**gate, "findings": [{**finding, **_place(locate, finding)} for finding in gate["findings"]]}
        for gate in record["data"]["gates"]
    ]
    return json.dumps({**record["data"], "gates": gates}, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _place(locate: Locate, finding: dict[str, Any]) -> dict[str, Any]:
    place = locate(finding["artifact"], finding["pointer"])
    return {"file": place.file, "line": place.line, "column": place.column}


def annotations(verdict: Verdict, locate: Locate) -> str:
    """One workflow command a finding that counts, and one a crash, as Gitea and GitHub Actions read them."""
    lines = [_annotation(finding, locate) for finding in verdict.active]
    lines += [f"::error title={_property(r.gate)}::{_data(f'the gate crashed: {r.error}')}" for r in verdict.crashed]
    return "".join(f"{line}\n" for line in lines)


def _annotation(finding: Finding, locate: Locate) -> str:
    place = locate(finding.artifact, finding.pointer)
    where = {"file": place.file, "line": place.line, "col": place.column, "title": f"{finding.rule} {finding.gate}"}
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in where.items() if value is not None)
    says = f"{finding.pointer} {sentence(finding)}"
    return f"::{_COMMANDS.get(finding.severity, 'error')} {properties}::{_data(says)}"


def _data(words: str) -> str:
    return one_line(words).replace("%", "%25")


def _property(words: str) -> str:
    return _data(words).replace(":", "%3A").replace(",", "%2C")
