"""Walk from a number back to the artifact, the builder, its inputs, the spec line and the raw row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical, explain, pointers, specs
from quantassay.harness.explain import Explained
from quantassay.harness.inputs import FOLDERS, Inputs, schema_stem
from quantassay.harness.tampering import check_recorded
from quantassay.jobs import desk


class NoReport(AssayError):
    """A report that was never rendered."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} has no trace beside it; name a report in Temp/, or run `assay render`")


class NotOneFile(AssayError):
    """A place in a folder of governance that is not in one of its files."""

    def __init__(self, folder: str, wanted: str, count: int) -> None:
        here = f"governance/{folder}/ holds {count} file{'' if count == 1 else 's'}"
        super().__init__(f"{here}, none of them of {wanted}" if wanted else here)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The values, each with its way back, and the inputs shown on it that are no longer what was built from."""

    values: tuple[Explained, ...]
    changed: tuple[str, ...]


def number(folder: Path, target: str) -> Explanation:
    """What stands behind `REPORT.md:LINE[:COLUMN]` or `ARTIFACT#/pointer`.

    Raises Tampered, UnknownPlace, NothingThere, NoReport, NotBuilt, PointerNotFound.
    """
    inputs = desk.built(folder)
    check_recorded(inputs)
    values = _explained(inputs, target)
    shown = {step.reference.partition(":")[0] for one in values for step in _steps(one.step)}
    return Explanation(tuple(values), tuple(sorted(shown & _changed(inputs))))


def _steps(step: explain.Step) -> Iterator[explain.Step]:
    yield step
    for origin in step.origins:
        yield from _steps(origin)


def _changed(inputs: Inputs) -> set[str]:
    """The inputs that some artifact was built from as they were before."""
    read = [(part, digest) for name in inputs.artifacts() for part, digest in inputs.record(name)["key"].items()]
    named = [(part.removeprefix("input "), digest) for part, digest in read if part.startswith("input ")]
    return {name for name, digest in named if name in inputs.sources and inputs.digest(name) != digest}


def _explained(inputs: Inputs, target: str) -> list[Explained]:
    context = _context(inputs)
    place = explain.split(target)
    if isinstance(place[1], str):
        if place[0] in inputs.rooms.builders:
            inputs.digest(place[0])
        return [explain.explain_place(place[0], place[1], context)]
    file, line, column = place
    name = Path(file).name.removesuffix(".md")
    trace = inputs.workspace.temp / f"{name}.trace.json"
    if not trace.exists():
        raise NoReport(Path(file))
    return explain.explain_line(file, canonical.read(trace), line, column, context)


def _context(inputs: Inputs) -> explain.Context:
    names = [*inputs.artifacts(), *inputs.engine_artifacts()]
    here = inputs.workspace.root

    def file(name: str) -> str:
        return inputs.artifact_path(name).relative_to(here).as_posix()

    def spec_line(name: str, pointer: str) -> tuple[str, int, int, Any]:
        path, pointer = _file_of(inputs, name, pointer)
        spec = specs.load(path, None, inputs.workspace.relative(path))
        value = pointers.get(spec.value, pointer)
        return spec.file, *spec.places[pointer], value

    def raw_rows(name: str, pointer: str) -> list[str]:
        handed = inputs.handed.get(name)
        if handed is not None and handed.explain is not None:
            return handed.explain(pointer)
        return [f"{name}: {inputs.kind(name)}, digest {inputs.digest(name)}"]

    return explain.Context({name: inputs.envelope(name) for name in names}, file, spec_line, raw_rows)


def _file_of(inputs: Inputs, name: str, pointer: str) -> tuple[Path, str]:
    """The file behind a place, and the pointer inside it: in a folder, the first step is the id of a file's thing.

    Raises NotOneFile.
    """
    source = inputs.source(name)
    if source.format != "folder":
        return source.paths[0], pointer
    wanted, *steps = pointers.split(pointer) or ("",)
    for path in source.paths:
        if inputs.yaml(path, schema_stem(name))["value"].get("id") == wanted:
            return path, pointers.join(*steps)
    raise NotOneFile(FOLDERS[name][0], wanted, len(source.paths))


def account_line(path: Path, number: int, pointer: str) -> list[str]:
    """Where a value of the account snapshot stands in 20_accounts.yaml; a ticker stands for its holding."""
    spec = specs.load(path, None, f"spec/{path.name}")
    place = pointers.join("accounts", number)
    holdings = pointers.get(spec.value, place)["holdings"]
    for step in pointers.split(pointer):
        at: object = step
        if place.endswith("/holdings"):
            at = next((i for i, holding in enumerate(holdings) if holding["ticker"] == step), None)
            if at is None:
                return [f"{spec.file}: {step} is not held"]
        place += pointers.join(at)
    value = pointers.get(spec.value, place)
    line, column = spec.places[place]
    return [f"{spec.file}:{line}:{column} {value if not isinstance(value, list | dict) else ''}".rstrip()]


def universe_line(listed: Mapping[str, Any] | None, pointer: str) -> list[str]:
    """The row of the imported list behind a place in it; a ticker stands for its row."""
    if listed is None:
        return ["no universe list was imported"]
    room, *steps = pointers.split(pointer) or [""]
    if room != "names" or not steps:
        return [f"{listed['file']}: {len(listed['names'])} names of {listed['session']}"]
    row = next((one for one in listed["names"] if one["ticker"] == steps[0]), None)
    if row is None:
        return [f"{listed['file']}: {steps[0]} is not in it"]
    return [f"{listed['file']} line {row['row']}: " + ", ".join(f"{k} {v}" for k, v in row.items() if k != "row")]


def import_line(log: Mapping[str, Any], _pointer: str) -> list[str]:
    """What the import log counts."""
    loaded = sum(file["loaded"] for file in log["files"])
    return [f"{loaded} files loaded, {len(log['files']) - loaded} quarantined, {len(log['issues'])} issues noted"]


def as_said(words: str, _pointer: str) -> list[str]:
    """What has no parts to point into is told whole."""
    return [words]
