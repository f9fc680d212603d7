"""Render the reports from what is built, and read them again with other eyes."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from functools import partial
from typing import Any

from quantassay.harness import build, canonical, code, files, trace
from quantassay.harness.inputs import ENGINE_ARTIFACTS, Inputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.problems import Problem
from quantassay.harness.rooms import Unit
from quantassay.harness.tampering import check_recorded
from quantassay.harness.trace import Report

# Jinja2 is loaded only where a page is made; it is read again without it.
_RENDER = Lazy("quantassay.harness.render:render")
# Every page names the gate record, whatever else it shows.
RECORD = ENGINE_ARTIFACTS[0]


@dataclass(frozen=True, slots=True)
class Page:
    """One report: its file, whether it was made anew, and what the check of its numbers found."""

    name: str
    file: str
    made: bool
    problems: tuple[Problem, ...]


def render_all(inputs: Inputs, accept: Iterable[str] = ()) -> list[Page]:
    """Every report of the workspace, each checked after it is written; an edited one named in `accept` is made anew.

    The caller holds the lock. Raises Tampered, NotBuilt, RenderError, SpecErrors, UnknownReport.
    """
    check_recorded(inputs, accept)
    for unit in inputs.rooms.renderers.values():
        for name in unit.parameters:
            if name in inputs.rooms.builders:
                inputs.digest(name)
    pages = [_page(inputs, unit) for unit in inputs.rooms.renderers.values()]
    _drop_unknown(inputs)
    build.settle(inputs)
    return pages


def _settings(inputs: Inputs, name: str) -> Report:
    return trace.report_of(name, inputs.value("reports"))


def _sources(inputs: Inputs) -> list[str]:
    return [*inputs.artifacts(), *inputs.engine_artifacts()]


def _page(inputs: Inputs, unit: Unit) -> Page:
    report, key = _settings(inputs, unit.name), page_key(inputs, unit)
    step = f"report:{unit.name}"
    record = inputs.state.steps.get(step)
    made = record is None or record["key"] != key or not _in_place(inputs, record)
    if made:
        _make(inputs, unit, report, step, key)
    file = (inputs.workspace.temp / report.file).relative_to(inputs.workspace.root).as_posix()
    # The same page of the same artifacts was read already; `assay verify` and `assay package` read it anyway.
    done = inputs.state.steps[step]
    known = canonical.digest({"key": done["key"], "outputs": done["outputs"]})
    found = inputs.remember(f"page {known}", partial(_read, inputs, unit))
    return Page(unit.name, file, made, tuple(Problem(*one) for one in found))


def _read(inputs: Inputs, unit: Unit) -> list[tuple[object, ...]]:
    return [astuple(problem) for problem in check(inputs, unit)]


def page_key(inputs: Inputs, unit: Unit) -> dict[str, str]:
    """Everything that a page's bytes depend on, by name."""
    used = [name for name in _sources(inputs) if name in unit.parameters or name == RECORD]
    return {
        "engine": code.engine(),
        "template": unit.digest,
        "settings": canonical.digest(inputs.value("reports")["reports"].get(unit.name)),
        **{f"input {name}": inputs.file_digest(name) for name in used},
    }


def _in_place(inputs: Inputs, record: dict[str, Any]) -> bool:
    return all(files.digest(inputs.workspace.root / file) == digest for file, digest in record["outputs"].items())


def _make(inputs: Inputs, unit: Unit, report: Report, step: str, key: dict[str, str]) -> None:
    envelopes = {name: inputs.envelope(name) for name in _sources(inputs)}
    rendered = _RENDER(report, unit.file, unit.path.read_bytes().decode(), envelopes)
    made = {
        f"Temp/{report.file}": rendered.markdown.encode(),
        f"Temp/{report.name}_v1.trace.json": canonical.dumps(rendered.trace),
        **{f"Temp/{file}": data for file, data in rendered.images.items()},
    }
    outputs = {file: files.sha256(data) for file, data in made.items()}
    build.put(inputs, step, {"key": key, "outputs": outputs}, made)


def check(inputs: Inputs, unit: Unit) -> list[Problem]:
    """What the page says that the artifacts do not bear out; the page is read as it lies there."""
    temp, report = inputs.workspace.temp, _settings(inputs, unit.name)
    page, trace_path = temp / report.file, temp / f"{report.name}_v1.trace.json"
    missing = [path.name for path in (page, trace_path) if not path.exists()]
    if missing:
        are = "are" if missing[1:] else "is"
        return [Problem(report.file, 1, 1, f"{' and '.join(missing)} {are} missing; run `assay render`")]
    envelopes = {name: inputs.envelope(name) for name in _sources(inputs)}
    images = {path.name: path.read_bytes() for path in sorted(temp.glob(f"{report.name}_v1.*.svg"))}
    try:
        markdown, traced = page.read_bytes().decode(), canonical.read(trace_path)
    except (UnicodeDecodeError, canonical.UnreadableJson) as error:
        return [Problem(report.file, 1, 1, f"the page or its trace cannot be read: {error}")]
    if not isinstance(traced, dict):
        return [Problem(report.file, 1, 1, f"{trace_path.name} holds no trace; render the page again")]
    return trace.check(markdown, traced, envelopes, report, images)


def _drop_unknown(inputs: Inputs) -> None:
    known = {f"report:{name}" for name in inputs.rooms.renderers}
    for step in [s for s in inputs.state.steps if s.startswith("report:") and s not in known]:
        for file in inputs.state.steps.pop(step)["outputs"]:
            (inputs.workspace.root / file).unlink(missing_ok=True)
