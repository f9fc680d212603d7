"""From a number on a page back to the spec line and the raw row that it came from.

A builder's ORIGINS say, for places of its artifact, which inputs the values there are made from. The references are
followed through every artifact on the way until they end at a spec, or at something handed in from outside.
"""

import json
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import pointers, trace

_LINE = re.compile(r"(?P<file>.+?):(?P<line>[0-9]+)(:(?P<column>[0-9]+))?")
_FIELD = re.compile(r"\{([^{}]*)\}")
_ROWS = 5  # raw rows shown of one reference
_VALUE_WIDTH = 100


class NothingThere(AssayError):
    """A line, or a column of it, without a value."""

    def __init__(self, report: str, line: int, known: Sequence[int]) -> None:
        near = ", ".join(str(n) for n in sorted(known, key=lambda n: (abs(n - line), n))[:3])
        super().__init__(
            f"{report}:{line} holds no value of an artifact there; the nearest lines that do: {near or 'none'}"
        )


class UnknownPlace(AssayError):
    """What was asked for is neither a line of a report nor a place in an artifact."""

    def __init__(self, target: str) -> None:
        super().__init__(
            f"{target!r} names no place; give REPORT.md:LINE, REPORT.md:LINE:COLUMN, or ARTIFACT#/pointer/into/its/data"
        )


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of the workspace: the artifacts, and who can tell where their inputs lie.

    `file(name)` is an artifact's path; `spec_line(name, pointer)` gives (file, line, column, value) of a place in a
    spec or governance file; `raw_rows(name, pointer)` gives lines on what was handed in, of a table or of a plain file.
    Both may raise an AssayError for a place that is not there; it becomes part of the explanation.
    """

    envelopes: trace.Envelopes
    file: Callable[[str], str]
    spec_line: Callable[[str, str], tuple[str, int, int, Any]]
    raw_rows: Callable[[str, str], list[str]]


@dataclass(frozen=True, slots=True)
class Step:
    """One place on the way back. `kind`: artifact, spec, raw, or open (a reference that leads no further, with why)."""

    kind: str
    reference: str
    where: str
    value: Any = None
    lines: tuple[str, ...] = ()
    origins: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """A value on a page, or in an artifact when `where` is empty: its text, its format, what made it, its way back."""

    where: str
    text: str
    format: str
    step: Step
    made_by: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """The same for a machine."""
        return {
            "where": self.where,
            "text": self.text,
            "format": self.format,
            "builder": self.made_by.get("builder"),
            "inputs": self.made_by.get("inputs", []),
            "value": _as_json(self.step),
        }


def split(target: str) -> tuple[str, int, int | None] | tuple[str, str]:
    """(report file, line, column) of `REPORT.md:42:3`, or (artifact, pointer into the file) of `plan#/orders/0/price`.

    A pointer behind a bare name starts at the artifact's data, behind a .json file at the file. Raises UnknownPlace.
    """
    name, hash_, pointer = target.partition("#")
    if hash_ and name and (not pointer or pointer.startswith("/")):
        stem = name.rpartition("/")[2]
        if stem.endswith(".json"):
            return re.sub(r"_v[0-9]+\.json$|\.json$", "", stem), pointer
        return name, "/data" + pointer
    match = _LINE.fullmatch(target)
    if match is None:
        raise UnknownPlace(target)
    return match["file"], int(match["line"]), int(match["column"]) if match["column"] else None


def explain_line(
    report: str, page: Mapping[str, Any], line: int, column: int | None, context: Context
) -> list[Explained]:
    """Every value on a line of a report, or the one at the column. `page` is its trace. Raises NothingThere."""
    entries = sorted((*page["values"], *page["images"]), key=lambda entry: (entry["line"], entry["column"]))
    here = [
        entry
        for entry in entries
        if entry["line"] == line and (column is None or 0 <= column - entry["column"] < max(len(entry["text"]), 1))
    ]
    if not here:
        raise NothingThere(report, line, sorted({entry["line"] for entry in entries}))
    return [_of_entry(report, entry, context) for entry in here]


def explain_place(artifact: str, pointer: str, context: Context) -> Explained:
    """A value of an artifact by its pointer into the file. Raises UnknownPlace, PointerNotFound."""
    if artifact not in context.envelopes:
        raise UnknownPlace(f"{artifact}#{pointer}")
    value = pointers.get(context.envelopes[artifact], pointer)
    return Explained("", _short(value), "", _way_back(artifact, pointer, context, {}), _made_by(artifact, context))


def _of_entry(report: str, entry: Mapping[str, Any], context: Context) -> Explained:
    name = entry.get("format") or entry["chart"]
    given = entry["arguments"] if isinstance(entry["arguments"], list) else []
    said = [f"{a['artifact']}#{a['pointer']}" if isinstance(a, dict) else str(a) for a in given]
    return Explained(
        f"{report}:{entry['line']}:{entry['column']}",
        entry["text"],
        f"{name}({', '.join(said)})" if said else name,
        _way_back(entry["artifact"], entry["pointer"], context, {}),
        _made_by(entry["artifact"], context),
    )


def _made_by(artifact: str, context: Context) -> Mapping[str, Any]:
    provenance: Mapping[str, Any] = context.envelopes[artifact]["provenance"]
    return provenance


def _way_back(artifact: str, pointer: str, context: Context, passed: dict[str, None]) -> Step:
    """A value of an artifact and its origins; a place is entered once, so the way neither loops nor repeats itself."""
    envelope = context.envelopes[artifact]
    place = f"{artifact}#{pointer}"
    where = f"{context.file(artifact)}#{pointer}"
    value = pointers.get(envelope, pointer)
    if place in passed:
        return Step("artifact", place, where, value, ("explained above",))
    passed[place] = None
    if pointer != "/data" and not pointer.startswith("/data/"):
        return Step("artifact", place, where, value, ("written by the build itself",))
    inside = pointer.removeprefix("/data")
    references = _references(envelope["origins"], inside)
    if not references:
        return Step("artifact", place, where, value, ("its builder names no origin for this place",))
    around = _around(envelope["data"], inside)
    origins = tuple(_origin(reference, artifact, around, context, passed) for reference in references)
    return Step("artifact", place, where, value, (), origins)


def _references(origins: Mapping[str, Sequence[str]], pointer: str) -> list[str]:
    """The references of the closest pattern for a place; for an object or a list without one, those of its members."""
    fitting = [pattern for pattern in origins if pointers.matches(pattern, pointer)]
    if fitting:
        return list(origins[max(fitting, key=_closeness)])
    steps = pointers.split(pointer)
    below = [
        pattern
        for pattern in origins
        if pointers.matches(pointers.join(*pointers.split(pattern)[: len(steps)]), pointer)
    ]
    return list(dict.fromkeys(reference for pattern in below for reference in origins[pattern]))


def _closeness(pattern: str) -> tuple[bool, int, int]:
    """Patterns without `**` before those with it, then the one with more steps by name."""
    steps = pointers.split(pattern)
    return "**" not in steps, len([step for step in steps if step != "*"]), len(steps)


def _origin(
    reference: str, reader: str, around: Sequence[dict[str, Any]], context: Context, passed: dict[str, None]
) -> Step:
    """What a reference in the ORIGINS of `reader` stands for; its fields come from the objects around the value."""
    name, _, template = reference.partition(":")
    inputs = context.envelopes[reader]["provenance"]["inputs"]
    kind = next((entry["kind"] for entry in inputs if entry["name"] == name), None)
    steps, missing = _filled(template, around)
    pointer = pointers.join(*(step for step, _ in steps))
    if kind is None:
        return Step("open", reference, "", lines=(f"{name} is no input of {reader}",))
    if missing:
        return Step("open", reference, "", lines=(f"one for each {' and '.join(missing)}",))
    try:
        if kind == "artifact":
            return _way_back(name, "/data" + _walk(context.envelopes[name]["data"], steps), context, passed)
        if kind in ("spec", "governance"):
            file, line, column, value = context.spec_line(name, _in_spec(name, pointer, steps, context))
            return Step("spec", f"{name}:{pointer}", f"{file}:{line}:{column}", value)
        rows = _first(context.raw_rows(name, pointer))
    except AssayError as error:
        return Step("open", f"{name}:{pointer}", "", lines=(str(error),))
    behind: tuple[Step, ...] = ()
    if kind == "table" and pointer and f"{name}:{pointer}" not in passed:
        passed[f"{name}:{pointer}"] = None
        cell = pointers.join("0", steps[-1][0])
        further = _references(context.envelopes[name]["origins"], cell)
        behind = tuple(_origin(one, name, around, context, passed) for one in further)
    return Step("raw", f"{name}:{pointer}", "", None, rows, behind)


def _in_spec(name: str, pointer: str, steps: Sequence[tuple[str, str | None]], context: Context) -> str:
    """The pointer in a spec; where a field picks an item of a list, that of the item."""
    if all(field is None for _, field in steps):
        return pointer
    try:
        return _walk(context.spec_line(name, "")[3], steps)
    except AssayError:
        return pointer  # a folder of files, or no such item: the pointer itself says what is missing


def _filled(template: str, around: Sequence[dict[str, Any]]) -> tuple[list[tuple[str, str | None]], list[str]]:
    """The steps of a reference, each with the field that filled it, and the fields that are nowhere around."""
    filled: list[tuple[str, str | None]] = []
    missing: list[str] = []
    for step in pointers.split(template):
        text = step
        fields = _FIELD.findall(step)
        for field in fields:
            value = next((str(one[field]) for one in around if _is_scalar(one.get(field))), None)
            missing += [field] if value is None else []
            text = text.replace(f"{{{field}}}", value or "")
        filled.append((text, fields[0] if fields else None))
    return filled, missing


def _is_scalar(value: object) -> bool:
    return value is not None and not isinstance(value, dict | list)


def _around(data: Any, pointer: str) -> list[dict[str, Any]]:
    """The objects that a value lies in, the closest first."""
    found = [data]
    for step in pointers.split(pointer):
        found.append(pointers.get(found[-1], pointers.join(step)))
    return [value for value in reversed(found) if isinstance(value, dict)]


def _walk(data: Any, steps: Sequence[tuple[str, str | None]]) -> str:
    """The pointer that the steps lead to; in a list, a step filled from a field picks the item with that value there.

    Raises PointerNotFound.
    """
    pointer, value = "", data
    for step, field in steps:
        if step == "*":
            break
        at = step
        if isinstance(value, list) and field is not None:
            at = next((str(i) for i, item in enumerate(value) if _is_named(item, field, step)), step)
        value = pointers.get(value, pointers.join(at))
        pointer += pointers.join(at)
    return pointer


def _is_named(item: Any, field: str, name: str) -> bool:
    """Whether the item is the one of this name; what others call by a field of theirs may have the name as its `id`."""
    return str(item.get(field, item.get("id"))) == name if isinstance(item, dict) else str(item) == name


def _first(rows: Sequence[str]) -> tuple[str, ...]:
    more = len(rows) - _ROWS
    return (*rows[:_ROWS], f"and {more} more") if more > 0 else tuple(rows)


def text(found: Sequence[Explained]) -> list[str]:
    """The explanations as text, one step a line, indented by depth; who made an artifact stands once."""
    lines: list[str] = []
    for explained, following in zip(found, [*found[1:], None], strict=True):
        head = f'{explained.where}  "{explained.text}"  {explained.format}' if explained.where else explained.text
        lines += [head, *("  " + line for line in _step_lines(explained.step)), ""]
        if following is None or following.made_by != explained.made_by:
            builder = explained.made_by["builder"]
            lines.append(f"built by {builder['file']} {builder['digest']}")
            lines += [f"  from {i['name']} ({i['kind']}) {i['digest']}" for i in explained.made_by["inputs"]]
    return lines


def _step_lines(step: Step) -> Iterator[str]:
    shown = f" = {_short(step.value)}" if step.kind in ("artifact", "spec") else ""
    where = f"{step.where} {step.reference}" if step.kind == "spec" else step.where or step.reference
    yield where + shown
    for line in step.lines:
        yield f"  {line}"
    if step.origins:
        yield "  comes from"
    for origin in step.origins:
        for line in _step_lines(origin):
            yield f"    {line}"


def _short(value: Any) -> str:
    if isinstance(value, dict | list) and value:
        return f"{len(value)} member{'s' if len(value) > 1 else ''}"
    return textwrap.shorten(json.dumps(value, ensure_ascii=False), _VALUE_WIDTH, placeholder="...")


def _as_json(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "reference": step.reference,
        "where": step.where,
        "value": _short(step.value) if isinstance(step.value, dict | list) else step.value,
        "lines": list(step.lines),
        "origins": [_as_json(origin) for origin in step.origins],
    }
