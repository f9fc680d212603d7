"""Reports: a template places values of canonical artifacts, and every value keeps the place it came from.

A template sees each artifact as a Node. Going down (`.name`, `["name"]`, `for`) gives Nodes; printing needs a format,
`{{ order.quantity|int }}`, whose text travels through Jinja between marks. When the page is done the marks are taken
out, and what they said becomes the trace. Control characters never leave a format, so no data can forge a mark.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from quantassay.errors import AssayError
from quantassay.harness import canonical, charts, formats, pointers, template_lint, trace
from quantassay.harness.inputs import ENGINE_ARTIFACTS
from quantassay.harness.problems import SpecErrors
from quantassay.harness.trace import Envelopes, Report

_NOT_PASSED = "Nothing on this page may be traded; the gate summary says why."
_OPEN, _MIDDLE, _CLOSE = "\x02", "\x1f", "\x03"
_MARKED = re.compile(f"{_OPEN}([^{_MIDDLE}]*){_MIDDLE}([^{_CLOSE}]*){_CLOSE}")
_BLANK_LINES = re.compile(r"\n{3,}")
GATE_RECORD = ENGINE_ARTIFACTS[0]
MARK_WORDS: Mapping[str, str] = MappingProxyType(
    {"SAMPLE": "Made from a simulated market. No price, name or order on this page is real."}
)


class RenderError(AssayError):
    """A template that cannot be filled from the artifacts."""

    def __init__(self, file: str, line: int, why: str) -> None:
        super().__init__(f"{file}:{line}: {why}")


class _CannotPlace(AssayError):
    """What a template asked of a value in vain; RenderError adds the line."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} {why}")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished page, its trace, and its charts by file name."""

    markdown: str
    trace: dict[str, Any]
    images: dict[str, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A value of an artifact, and its pointer in the artifact's file; `key` where the value is a member's own name."""

    artifact: str
    pointer: str
    value: Any
    key: bool = False

    def member(self, name: object) -> "Node":
        """The member of an object by its name, or by a value that is its name."""
        name, value = _plain(name), self.value
        if not isinstance(value, dict) or not isinstance(name, str):
            raise _CannotPlace(self.place, f"is {_kind(value)}; {name!r} cannot be looked up in it")
        if name not in value:
            raise _CannotPlace(self.place, f"has no {name!r}; it has {', '.join(sorted(value)) or 'no members'}")
        return Node(self.artifact, self.pointer + pointers.join(name), value[name])

    def items(self) -> Iterator[tuple["Node", "Node"]]:
        """Name and value of each member of an object, in canonical order."""
        if not isinstance(self.value, dict):
            raise _CannotPlace(self.place, f"is {_kind(self.value)}; |items needs an object")
        for name in sorted(self.value, key=lambda text: text.encode("utf-16-be")):
            yield Node(self.artifact, self.pointer + pointers.join(name), name, key=True), self.member(name)

    def marked(self, name: str, arguments: Sequence[object] = ()) -> "Marked":
        """The value in a format, with what the trace must know of it."""
        try:
            text = formats.apply(name, self.value, tuple(map(_plain, arguments)))
        except formats.FormatError as error:
            raise _CannotPlace(self.place, f"cannot be printed: {error}") from error
        kept = [argument.reference() if isinstance(argument, Node) else argument for argument in arguments]
        entry = {**self.reference(), "format": name, "arguments": kept}
        return Marked("values", text, entry | ({"key": True} if self.key else {}))

    def reference(self) -> dict[str, str]:
        """Where the value stands."""
        return {"artifact": self.artifact, "pointer": self.pointer}

    @property
    def place(self) -> str:
        """Where the value stands, in one word."""
        return f"{self.artifact}#{self.pointer}"

    def __iter__(self) -> Iterator["Node"]:
        if not isinstance(self.value, list):
            raise _CannotPlace(self.place, f"is {_kind(self.value)}; `for` needs a list, or an object with |items")
        return (Node(self.artifact, f"{self.pointer}/{i}", value) for i, value in enumerate(self.value))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == _plain(other))

    __hash__ = None  # type: ignore[assignment]

    def __contains__(self, other: object) -> bool:
        if not isinstance(self.value, list | dict | str):
            raise _CannotPlace(self.place, f"is {_kind(self.value)}; nothing is in it")
        return _plain(other) in self.value

    def __str__(self) -> NoReturn:
        raise _CannotPlace(self.place, "is printed without a format; add |text, |int or another")


def _plain(value: object) -> Any:
    return value.value if isinstance(value, Node) else value


@dataclass(frozen=True, slots=True)
class Marked:
    """Text for the page, with its future trace entry."""

    kind: str
    text: str
    entry: dict[str, Any]

    def __str__(self) -> str:
        head = json.dumps({"kind": self.kind, **self.entry})
        return f"{_OPEN}{head}{_MIDDLE}{self.text}{_CLOSE}"


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", type(None): "null", str: "text"}.get(
        type(value), "a number or true/false"
    )


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja in which a name after a dot is always a member of the data, never of Python."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return obj.member(attribute) if isinstance(obj, Node) else super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return obj.member(argument) if isinstance(obj, Node) else super().getitem(obj, argument)


def _finalize(value: object) -> str:
    if isinstance(value, Marked | Node):
        return str(value)
    raise _CannotPlace(repr(value), "does not come from an artifact, so it cannot be printed")


def _format(name: str) -> Callable[..., Marked]:
    def placed(value: object, *arguments: object) -> Marked:
        if isinstance(value, Node):
            return value.marked(name, arguments)
        raise _CannotPlace(f"|{name}", "needs one value of an artifact; a value takes one format")

    return placed


def _chart(name: str) -> Callable[..., Marked]:
    def placed(value: object, *, id: object, **arguments: Any) -> Marked:  # noqa: A002
        id_ = _plain(id)
        if not charts.is_id(id_):
            raise _CannotPlace(repr(id_), f"is no id for {name}; use small letters, digits and underscores")
        if isinstance(value, Node):
            entry = {**value.reference(), "chart": name, "arguments": arguments}
            svg = charts.draw(name, value.value, arguments, value.place).decode()
            return Marked("images", "", {**entry, "id": id_, "svg": svg})
        raise _CannotPlace(name, "needs one list of an artifact")

    return placed


def _is_none(value: object) -> bool:
    return isinstance(value, Node) and value.value is None


def _items(value: object) -> Iterator[tuple[Node, Node]]:
    if isinstance(value, Node):
        return value.items()
    raise _CannotPlace("|items", "needs one object of an artifact")


def _environment() -> _Environment:
    environment = _Environment(
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        autoescape=False,  # Markdown is escaped by the formats, and nothing is printed without one
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters = {**{name: _format(name) for name in formats.FORMATS}, "items": _items}
    environment.tests = {"none": _is_none}
    environment.globals = {name: _chart(name) for name in charts.CHARTS}
    return environment


_JINJA = _environment()


def render(report: Report, file: str, source: str, envelopes: Envelopes, *, audit_only: bool = False) -> Rendered:
    """The page of a template: title, banners, the template's text, and the digests of its sources.

    `file` names the template in messages; of `envelopes` (whole artifact files by name) the page uses those that the
    template names, and the gate record when there is one. Raises SpecErrors (lint), RenderError.
    """
    problems = template_lint.lint(file, source, report.literals, sorted(envelopes))
    if problems:
        raise SpecErrors(problems)
    used = sorted({*template_lint.variables(source), GATE_RECORD} & set(envelopes))
    body = _fill(file, source, {name: envelopes[name] for name in used}).strip("\n")
    banners, footer = _banners(envelopes, used, audit_only=audit_only), _footer(envelopes, used)
    page = "\n".join([f"# {report.title}", "", *banners, body, "", *footer, ""])
    rendered = _settle(report, file, _BLANK_LINES.sub("\n\n", page))
    rendered.trace.update(
        report=report.name,
        template=canonical.sha256(source.encode()),
        audit_only=audit_only,
        sources={name: canonical.digest(envelopes[name]) for name in used},
    )
    return rendered


def _fill(file: str, source: str, envelopes: Envelopes) -> str:
    nodes = {name: Node(name, "/data", envelope["data"]) for name, envelope in envelopes.items()}
    try:
        code = _JINJA.compile(source, name=file, filename=file)
        template = jinja2.Template.from_code(_JINJA, code, _JINJA.make_globals(None), None)
        return template.render(nodes)
    except (AssayError, jinja2.TemplateError) as error:
        raise RenderError(file, _line(error, file), str(error)) from error


def _line(error: BaseException, file: str) -> int:
    """The template line that was being filled."""
    line, frame = getattr(error, "lineno", None) or 1, error.__traceback__
    while frame is not None:
        if frame.tb_frame.f_code.co_filename == file:
            line = frame.tb_lineno
        frame = frame.tb_next
    return int(line)


def _banners(envelopes: Envelopes, used: Sequence[str], *, audit_only: bool) -> list[str]:
    """What a reader must know first: marks, the gate's outcome, waivers in force, the moment of the data."""
    lines = [trace.AUDIT_ONLY, ""] if audit_only else []
    marks: dict[str, Node] = {}
    moments: dict[str, Node] = {}
    for name in used:
        envelope = envelopes[name]
        moments.setdefault(envelope["as_of"], Node(name, "/as_of", envelope["as_of"]))
        for i, mark in enumerate(envelope["marks"]):
            marks.setdefault(mark, Node(name, f"/marks/{i}", mark))
    for mark, node in sorted(marks.items()):
        lines.append(f"> **{node.marked('text')}** {MARK_WORDS.get(mark, '')}".rstrip() + "\n")
    if GATE_RECORD in used:
        record = Node(GATE_RECORD, "/data", envelopes[GATE_RECORD]["data"])
        status = record.member("status")
        if status != "passed":
            lines.append(f"> **GATE {status.marked('text')}** {_NOT_PASSED}\n")
        lines.extend(_waiver(waiver) for waiver in record.member("waivers") if waiver.member("state") == "active")
    lines.append(f"As of {', '.join(str(node.marked('instant')) for _, node in sorted(moments.items()))}.\n")
    return lines


def _waiver(waiver: Node) -> str:
    def shown(member: str, name: str) -> str:
        return str(waiver.member(member).marked(name))

    where = f"rule {shown('rule', 'code')} in {shown('artifact', 'code')}"
    until = f"until {shown('expires', 'date')}, by {shown('approver', 'text')}"
    return f"> **WAIVED** {shown('id', 'code')}: {where}, {until}: {shown('reason', 'text')}\n"


def _footer(envelopes: Envelopes, used: Sequence[str]) -> list[str]:
    """The sources of the page; the digest of a file is the fingerprint of the value at its empty pointer."""
    rows = [
        f"| {Node(name, '/artifact', name).marked('code')} "
        f"| {Node(name, '/version', envelopes[name]['version']).marked('int')} "
        f"| {Node(name, '', envelopes[name]).marked('fingerprint')} |"
        for name in used
    ]
    return [
        "---",
        "",
        "Every number above comes from these artifacts.",
        "",
        "| Artifact | Version | Digest |",
        "|---|---|---|",
        *rows,
    ]


def _settle(report: Report, file: str, page: str) -> Rendered:
    """Take the marks out of the page and write down what they said."""
    entries: dict[str, list[dict[str, Any]]] = {"values": [], "literals": [], "images": []}
    images: dict[str, bytes] = {}
    lines = []
    for row, marked in enumerate(page.split("\n"), start=1):
        line, bare, end = "", "", 0
        for match in _MARKED.finditer(marked):
            before = marked[end : match.start()]
            end = match.end()
            line, bare = line + before, bare + before
            entry, text = json.loads(match.group(1)), match.group(2)
            kind = entry.pop("kind")
            if kind == "images":
                text = _image(report, file, entry, images)
            entries[kind].append({"line": row, "column": len(line) + 1, "text": text, **entry})
            line, bare = line + text, bare + _CLOSE * len(text)
        line, bare = line + marked[end:], bare + marked[end:]
        # What is left once the values are blanked out is the template's own text.
        for at, phrase in trace.literals(bare, report.literals):
            entries["literals"].append({"line": row, "column": at + 1, "text": phrase})
        lines.append(line)
    markdown = "\n".join(lines)
    return Rendered(markdown, {"digest": canonical.sha256(markdown.encode()), **entries}, images)


def _image(report: Report, file: str, entry: dict[str, Any], images: dict[str, bytes]) -> str:
    """Keep a chart, complete its entry, and give the link to it."""
    name, drawn = report.image(entry.pop("id")), entry.pop("svg").encode()
    if images.setdefault(name, drawn) != drawn:
        raise RenderError(file, 1, f"two charts have the file {name}; give them different ids")
    entry |= {"file": name, "digest": canonical.sha256(drawn)}
    return trace.image_text(entry["arguments"]["title"], name)
