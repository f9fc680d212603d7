"""Where each number on a page came from, and the check that believes neither the page nor its trace.

A trace is a JSON value beside the report. It gives the digest of the page and of each source, and every place on the
page that may hold digits: `values` (an artifact's value in a format), `literals` (words that spec/90_reports.yaml
allows), `images` (charts). Lines and columns count from 1, columns in characters. Pointers start at the whole artifact
file, so `/as_of` and `/data/orders/0/quantity` are both places in it, and the empty pointer is the file itself.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical, charts, formats, pointers
from quantassay.harness.problems import Problem

VERSION = 1
AUDIT_ONLY = "> **AUDIT-ONLY** The gate is not passed. Nothing on this page may be traded."
Envelopes = Mapping[str, Mapping[str, Any]]
# Whatever a reader takes for a digit: decimal digits of all scripts, raised, lowered, circled ones, and fractions.
_DIGIT = r"\d\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2089\u2150-\u218b\u2460-\u249b\u24ea-\u24ff\u2776-\u2793"
# A number as it is read: sign, digits, separators within, and what changes its size when it stands right behind it.
_NUMBER = re.compile(
    rf"(?:(?<![\w)])[+\-\u2212.,]+)?[{_DIGIT}](?:[{_DIGIT}.,:/\u2212\-]*[{_DIGIT}])?[A-Za-z%\u2030\ub9cc\uc5b5\uc870\ucc9c]*"
)
_FIGURES = {"amount", "count", "int", "percent", "price", "ratio"}


class UnknownReport(AssayError):
    """A report without its settings."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"report {name!r} has no entry in spec/90_reports.yaml; add its title there (known: {', '.join(known)})"
        )


@dataclass(frozen=True, slots=True)
class Whole:
    """A list of an artifact that a page shows whole: of every row it shows these members."""

    artifact: str
    pointer: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What spec/90_reports.yaml says of a report; `literals` are the phrases with digits that its template may hold."""

    name: str
    title: str
    needs_numbers: bool
    literals: tuple[str, ...]
    whole: tuple[Whole, ...] = ()

    @property
    def file(self) -> str:
        """The file name of the page."""
        return f"{self.name}_v{VERSION}.md"

    def image(self, id_: str) -> str:
        """The file name of one of its charts."""
        return f"{self.name}_v{VERSION}.{id_}.svg"


def report_of(name: str, reports: Mapping[str, Any]) -> Report:
    """The settings of a report from the value of spec/90_reports.yaml. Raises UnknownReport."""
    known = reports["reports"]
    if name not in known:
        raise UnknownReport(name, sorted(known))
    entry = known[name]
    lists = ((*row["rows"].partition(":"), row["members"]) for row in entry.get("whole", []))
    whole = tuple(Whole(artifact, pointer, tuple(members)) for artifact, _, pointer, members in lists)
    return Report(name, entry["title"], entry["needs_numbers"], tuple(entry["literals"]), whole)


def numbers(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of every number that a reader sees in one line of text."""
    return (match.span() for match in _NUMBER.finditer(text))


def literals(text: str, allowed: Sequence[str]) -> list[tuple[int, str]]:
    """Where the allowed phrases that cover a number stand in one line: (offset, phrase), the longest that fits."""
    found: list[tuple[int, str]] = []
    done = 0
    for start, end in numbers(text):
        for phrase in sorted(allowed, key=len, reverse=True):
            at = text.find(phrase, max(done, end - len(phrase)), start + len(phrase)) if start >= done else -1
            if at >= 0:
                found.append((at, phrase))
                done = at + len(phrase)
                break
    return found


def undeclared(text: str, allowed: Sequence[str]) -> list[tuple[int, str]]:
    """The numbers in one line that no allowed phrase covers: (offset, number)."""
    spans = [(at, at + len(phrase)) for at, phrase in literals(text, allowed)]
    return [(s, text[s:e]) for s, e in numbers(text) if not any(a <= s and e <= z for a, z in spans)]


def written(entry: Mapping[str, Any], envelopes: Envelopes) -> str:
    """What a value entry must look like on the page, from the artifacts alone. Raises AssayError."""
    value = pointers.get(_envelope(entry["artifact"], envelopes), entry["pointer"])
    if entry.get("key") is True:
        value = pointers.split(entry["pointer"])[-1]
    arguments = [
        pointers.get(_envelope(str(a.get("artifact")), envelopes), str(a.get("pointer"))) if isinstance(a, dict) else a
        for a in entry["arguments"]
    ]
    return formats.apply(entry["format"], value, tuple(arguments))


def drawn(entry: Mapping[str, Any], envelopes: Envelopes) -> bytes:
    """The SVG that an image entry must show, from the artifacts alone. Raises AssayError."""
    rows = pointers.get(_envelope(entry["artifact"], envelopes), entry["pointer"])
    return charts.draw(entry["chart"], rows, entry["arguments"], f"{entry['artifact']}#{entry['pointer']}")


class _NoSource(AssayError):
    def __init__(self, name: str) -> None:
        super().__init__(f"there is no artifact {name!r}")


def _envelope(name: str, envelopes: Envelopes) -> Mapping[str, Any]:
    if name not in envelopes:
        raise _NoSource(name)
    return envelopes[name]


def check(
    markdown: str, trace: Mapping[str, Any], envelopes: Envelopes, report: Report, images: Mapping[str, bytes]
) -> list[Problem]:
    """Everything on the finished page that the artifacts do not bear out, sorted by place.

    Reads the Markdown anew: each number must lie in one traced value, image or allowed phrase; each value must be what
    its format makes of the artifact now; each chart must be what its rows draw. `images` holds the chart files by name.
    """
    for name, of in _SHAPE.items():
        if not isinstance(trace.get(name), of):
            return [Problem(report.file, 1, 1, f"the trace has no {name}; render the page again")]
    lines = markdown.split("\n")
    spans, problems = _spans(trace, report)
    problems.extend(_page_problems(lines, trace, envelopes, report, spans))
    for span in spans:
        problems.extend(_at(report, span, says) for says in _span_problems(span, lines, envelopes, report, images))
    problems.extend(_uncovered(lines, sorted(spans, key=_place), report))
    return sorted(set(problems))


@dataclass(frozen=True, slots=True)
class _Span:
    kind: str
    line: int
    column: int
    text: str
    entry: Mapping[str, Any]

    @property
    def end(self) -> int:
        return self.column + len(self.text)


_SHAPE = {"report": str, "digest": str, "sources": dict, "values": list, "literals": list, "images": list}
_PLACED = {"line": int, "column": int, "text": str}
_POINTED = {**_PLACED, "artifact": str, "pointer": str}
_MEMBERS: Mapping[str, Mapping[str, type]] = {
    "values": {**_POINTED, "format": str, "arguments": list},
    "literals": _PLACED,
    "images": {**_POINTED, "chart": str, "arguments": dict, "file": str, "digest": str},
}


def _spans(trace: Mapping[str, Any], report: Report) -> tuple[list[_Span], list[Problem]]:
    """The entries of the trace as spans, and what is wrong with those that are none, or out of order."""
    spans: list[_Span] = []
    problems: list[Problem] = []
    for kind, members in _MEMBERS.items():
        last = (0, 0)
        for entry in trace[kind]:
            if not isinstance(entry, dict) or any(type(entry.get(name)) is not of for name, of in members.items()):
                problems.append(Problem(report.file, 1, 1, f"the trace has a broken entry in {kind}: {entry!r:.80}"))
                continue
            span = _Span(kind, entry["line"], entry["column"], entry["text"], entry)
            if _place(span) <= last:
                problems.append(_at(report, span, f"the entries of {kind} are not in the order of the page"))
            last = _place(span)
            spans.append(span)
    return spans, problems


def _place(span: _Span) -> tuple[int, int]:
    return span.line, span.column


def _at(report: Report, span: _Span, says: str) -> Problem:
    return Problem(report.file, max(span.line, 1), max(span.column, 1), says)


def _page_problems(
    lines: Sequence[str], trace: Mapping[str, Any], envelopes: Envelopes, report: Report, spans: Sequence[_Span]
) -> Iterator[Problem]:
    for says in _whole_problems(lines, trace, report):
        yield Problem(report.file, 1, 1, says)
    sources = trace["sources"]
    used = {span.entry["artifact"] for span in spans if span.kind != "literals"}
    for name in sorted(used | set(sources)):
        yield from (Problem(report.file, 1, 1, says) for says in _source_problems(name, sources.get(name), envelopes))
    values = [span.entry for span in spans if span.kind == "values"]
    printed = {entry["text"] for entry in values if entry["pointer"].startswith("/marks/")}
    for mark in sorted({mark for name in sources for mark in envelopes.get(name, {}).get("marks", [])}):
        if formats.text(mark) not in printed:
            yield Problem(report.file, 1, 1, f"the page does not say {mark}, which its sources are marked with")
    shown = {(span.entry["artifact"], span.entry["pointer"]) for span in spans if span.kind != "literals"}
    for says in _left_out(report.whole, shown, envelopes):
        yield Problem(report.file, 1, 1, says)
    if report.needs_numbers and not any(e["format"] in _FIGURES and e["pointer"].startswith("/data/") for e in values):
        yield Problem(
            report.file, 1, 1, "the page holds no figure from its artifacts, and spec/90_reports.yaml wants some"
        )


def _left_out(lists: Sequence[Whole], shown: set[tuple[str, str]], envelopes: Envelopes) -> Iterator[str]:
    """The rows of lists which the page is to show whole, and of which it shows too little."""
    for one in lists:
        pointer = f"/data{one.pointer}"
        try:
            rows = pointers.get(_envelope(one.artifact, envelopes), pointer)
        except AssayError as error:
            rows = str(error)
        if not isinstance(rows, list):
            says = rows if isinstance(rows, str) else "it is no list"
            yield f"spec/90_reports.yaml wants all of {one.artifact}:{one.pointer} on the page: {says}"
            continue
        for i, name in ((i, name) for i in range(len(rows)) for name in one.members):
            if (one.artifact, f"{pointer}/{i}/{name}") not in shown:
                yield f"the page leaves out {name!r} of {one.artifact}#{pointer}/{i}, and is to show every row"


def _whole_problems(lines: Sequence[str], trace: Mapping[str, Any], report: Report) -> Iterator[str]:
    if lines[0] != f"# {report.title}":
        yield f"the page does not open with its title {report.title!r}"
    if trace["report"] != report.name:
        yield f"the trace is of report {trace['report']!r}"
    if trace["digest"] != canonical.sha256("\n".join(lines).encode()):
        yield "the page was changed after it was rendered; render it again"
    if trace.get("audit_only") and AUDIT_ONLY not in lines:
        yield "the page is for audit only and does not say so"


def _source_problems(name: str, digest: object, envelopes: Envelopes) -> Iterator[str]:
    if digest is None:
        yield f"{name} is used on the page and is not among the sources of its trace"
    elif name not in envelopes:
        yield f"{name} is a source of the page, and there is no such artifact"
    elif _digest(envelopes[name]) != digest:
        yield f"{name} is no longer the artifact that the page was rendered from; render the page again"


def _digest(envelope: Mapping[str, Any]) -> str:
    try:
        return canonical.digest(envelope)
    except canonical.NotCanonical as error:
        return str(error)


def _span_problems(
    span: _Span, lines: Sequence[str], envelopes: Envelopes, report: Report, images: Mapping[str, bytes]
) -> Iterator[str]:
    if not 1 <= span.line <= len(lines) or span.column < 1 or "\n" in span.text:
        yield f"the trace points outside the page, at {span.line}:{span.column}"
        return
    shown = lines[span.line - 1][span.column - 1 : span.end - 1]
    if shown != span.text:
        yield f"the page says {shown!r} where the trace says {span.text!r}"
    try:
        if span.kind == "values":
            wanted = written(span.entry, envelopes)
            if wanted != shown:
                yield f"the page says {shown!r}, {span.entry['artifact']}#{span.entry['pointer']} says {wanted!r}"
        elif span.kind == "images":
            yield from _image_problems(span, envelopes, report, images)
        elif span.text not in report.literals:
            yield f"{span.text!r} is no literal that spec/90_reports.yaml allows"
    except AssayError as error:
        yield str(error)


def image_text(title: str, file: str) -> str:
    """How a chart stands on the page."""
    return f"![{formats.text(title)}]({file})"


def _image_problems(span: _Span, envelopes: Envelopes, report: Report, images: Mapping[str, bytes]) -> Iterator[str]:
    entry, file = span.entry, span.entry["file"]
    wanted, title = drawn(entry, envelopes), entry["arguments"]["title"]
    for _, number in undeclared(title, report.literals):
        yield f"the title of {file} holds {number!r}, which is no literal that spec/90_reports.yaml allows"
    if span.text != image_text(title, file):
        yield f"the page shows {span.text!r} in place of {file}"
    if file not in images:
        yield f"{file} is missing; render the page again"
    elif images[file] != wanted or canonical.sha256(wanted) != entry["digest"]:
        yield f"{file} is not what {entry['artifact']}#{entry['pointer']} draws; render the page again"


def _uncovered(lines: Sequence[str], spans: Sequence[_Span], report: Report) -> Iterator[Problem]:
    """Overlapping spans, and the numbers on the page that lie in none of them."""
    on_line: dict[int, list[_Span]] = {}
    for span in spans:
        earlier = on_line.setdefault(span.line, [])
        if earlier and span.column < earlier[-1].end:
            yield _at(report, span, f"{span.text!r} overlaps {earlier[-1].text!r} in the trace")
        earlier.append(span)
    for row, text in enumerate(lines, start=1):
        for start, end in numbers(text):
            if not any(s.column - 1 <= start and end <= s.end - 1 for s in on_line.get(row, ())):
                yield Problem(report.file, row, start + 1, f"{text[start:end]!r} has no origin in one artifact value")
