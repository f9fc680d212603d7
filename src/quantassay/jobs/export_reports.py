"""Put the daily report pages into a folder, each under the date of its market session and beside it its charts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import files, formats, lock, pointers, trace
from quantassay.harness.inputs import Inputs
from quantassay.harness.rooms import Unit
from quantassay.harness.tampering import check_recorded
from quantassay.harness.workspace import find
from quantassay.jobs import desk, report
from quantassay.jobs.build import WAIT_S, workspace_held

LOCK = ".export.lock"


class NothingToExport(AssayError):
    """A desk without a daily report."""

    def __init__(self) -> None:
        super().__init__("no report of this desk is a daily one; say what its file is called in spec/90_reports.yaml")


class NotBorneOut(AssayError):
    """A page that says something else than its artifacts, or is not there."""

    exit_code = 1

    def __init__(self, problem: object) -> None:
        super().__init__(f"{problem}; nothing was exported, run `assay run` first")


class NoSessionDate(AssayError):
    """A daily page whose artifact does not say which session it is for."""

    exit_code = 1

    def __init__(self, place: str, value: object) -> None:
        super().__init__(f"{place} is {value!r} and no session's date, so its page has no name; nothing was exported")


@dataclass(frozen=True, slots=True)
class Exported:
    """Where a page lies now, and whether it was written; else the same page lay there already."""

    path: Path
    written: bool


@dataclass(frozen=True, slots=True)
class _Page:
    """A page as Temp/ has it: `prefix` begins the names of its charts."""

    kind: str
    session: str
    prefix: str
    text: str
    charts: Mapping[str, bytes]

    def under(self, stem: str) -> dict[str, bytes]:
        """The files of the page by their names, the page itself last: once it is there, so are its charts."""
        name = f"{stem}.{self.kind}"
        charts = {name + file.removeprefix(self.prefix): data for file, data in self.charts.items()}
        text = self.text.replace(f"]({self.prefix}.", f"]({name}.")
        return {**charts, f"{name}.md": text.encode()}


def reports(folder: Path, to: Path, wait_s: float = WAIT_S) -> list[Exported]:
    """Write each daily page of the workspace of `folder` into `to`, without ever writing over another page.

    A page is called SESSION.KIND.md, or SESSION-1.KIND.md and so on where a different one has the name. Raises
    NoWorkspace, Busy, Tampered, NothingToExport, NotBorneOut, NoSessionDate, Unwritable.
    """
    with workspace_held(find(folder), wait_s):
        inputs = desk.built(folder)
        check_recorded(inputs)
        pages = list(_pages(inputs))
    if not pages:
        raise NothingToExport
    with lock.held(to / LOCK, wait_s):
        return [_put(to, page) for page in pages]


def _pages(inputs: Inputs) -> Iterator[_Page]:
    settings = inputs.value("reports")
    for unit in inputs.rooms.renderers.values():
        exported = settings["reports"].get(unit.name, {}).get("exported")
        if exported is not None:
            yield _page(inputs, unit, trace.report_of(unit.name, settings), exported)


def _page(inputs: Inputs, unit: Unit, page: trace.Report, exported: Mapping[str, str]) -> _Page:
    if problems := report.check(inputs, unit):
        raise NotBorneOut(problems[0])
    artifact, _, pointer = exported["session"].partition(":")
    session: Any = pointers.get(inputs.envelope(artifact), f"/data{pointer}")
    try:
        day = formats.date(session)
    except formats.FormatError:
        raise NoSessionDate(exported["session"], session) from None
    temp, prefix = inputs.workspace.temp, page.file.removesuffix(".md")
    charts = {path.name: files.read(path) for path in sorted(temp.glob(f"{prefix}.*.svg"))}
    return _Page(exported["kind"], day, prefix, files.read(temp / page.file).decode(), charts)


def _put(to: Path, page: _Page) -> Exported:
    stems = chain([page.session], (f"{page.session}-{number}" for number in count(1)))
    for made in map(page.under, stems):
        path = to / list(made)[-1]
        free = not path.exists()
        if free:
            for name, data in made.items():
                files.write(to / name, data)
        if free or all(files.digest(to / name) == files.sha256(data) for name, data in made.items()):
            return Exported(path, written=free)
    raise NothingToExport
