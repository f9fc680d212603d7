"""What an import by hand says when it is done: the same words for the command and for the tool."""

import json
from collections.abc import Iterator
from typing import Any

from quantassay.feeds.issues import Issue
from quantassay.jobs.manual_batch import span
from quantassay.jobs.manual_imports import FileReport, ManualReport
from quantassay.secrecy import withheld

_SHOWN = 3
_NOUNS = {"listing": "names"}


def exit_code(report: ManualReport) -> int:
    """1 where a file was refused."""
    return 0 if all(file.loaded for file in report.files) else 1


def text(report: ManualReport, loudness: int = 0) -> str:
    """The report in lines; `loudness` -1 says only what went wrong, 1 also how each file was read."""
    if loudness < 0 and exit_code(report) == 0:
        return ""
    return "\n".join(_lines(report, loudness))


def as_json(report: ManualReport) -> str:
    """The report as JSON."""
    value = {
        "feed": report.feed,
        "files": [_file_json(file) for file in report.files],
        "changed": report.changed,
        "dry_run": report.dry_run,
        "issues": [{**issue.to_json(), "harmless": issue.harmless} for issue in report.issues],
    }
    return json.dumps(value, ensure_ascii=False, indent=2)


def _lines(report: ManualReport, loudness: int) -> Iterator[str]:
    would = "would be " if report.dry_run else ""
    noun = _NOUNS.get(report.feed, "values")
    loaded = [file.facts for file in report.files if file.loaded]
    yield (
        f"{len(report.files)} files read: {len(loaded)} {would}loaded with {sum(loaded)} {noun}, "
        f"{len(report.files) - len(loaded)} {would}quarantined"
    )
    for file in report.files:
        yield from _file(file, noun)
        if report.dry_run or loudness > 0:
            yield from _reading(file)
        if not file.loaded:
            yield from _refusal(report, file.read.file, loudness)
    yield from _notes(report, loudness)
    yield _next(report)


def _file(file: FileReport, noun: str) -> Iterator[str]:
    if not file.loaded:
        return
    if file.before:
        yield f"  {file.read.file}: imported before, on {file.before}; it brings nothing new"
        return
    days = " to ".join(dict.fromkeys(day for day in span(file.read) if day))
    yield (
        f"  {file.read.file}: {file.read.layout} ({days}), {file.rows} rows, {file.facts} {noun}: "
        f"{file.added} new, {file.corrected} corrected"
    )


def _reading(file: FileReport) -> Iterator[str]:
    """How the file was read: container, layout, what became of each column, the first rows."""
    read = file.read
    if read.form:
        yield f"    read as: {read.form}{f', {read.layout}' if read.layout else ''}"
    for header, field in read.mapping:
        yield f"    column:  {withheld(header)} -> {field or 'not kept'}"
    for row in read.preview:
        yield f"    row:     {' | '.join(map(withheld, row))}"


def _refusal(report: ManualReport, name: str, loudness: int) -> Iterator[str]:
    harmful = [issue for issue in report.issues if issue.file == name and not issue.harmless]
    shown = harmful if loudness > 0 else harmful[:_SHOWN]
    yield from (f"  {_place(issue)}: {issue.code}: {issue.says}" for issue in shown)
    if len(shown) < len(harmful):
        yield f"  {name}: and {len(harmful) - len(shown)} more; -v shows them"


def _notes(report: ManualReport, loudness: int) -> Iterator[str]:
    refused = {file.read.file for file in report.files if not file.loaded}
    notes = [issue for issue in report.issues if issue.harmless and issue.file not in refused]
    if loudness > 0:
        yield from (f"  note {_place(issue)}: {issue.code}: {issue.says}" for issue in notes)
        return
    for code in dict.fromkeys(issue.code for issue in notes):
        alike = [issue for issue in notes if issue.code == code]
        more = f" (and {len(alike) - 1} more of this kind; -v shows them)" if len(alike) > 1 else ""
        yield f"  note {_place(alike[0])}: {code}: {alike[0].says}{more}"


def _next(report: ManualReport) -> str:
    if report.dry_run:
        if exit_code(report):
            return "nothing was written; do what is said above first"
        return f"nothing was written; {'import without --dry-run' if report.changed else 'nothing would change'}"
    if exit_code(report):
        return (
            "next: do what is said above and import these files again; copies and reasons are in "
            "data/imports/quarantine, delete there what you do not want"
        )
    return "next: assay run" if report.changed else "nothing changed: the store held all of it already"


def _place(issue: Issue) -> str:
    return issue.file if issue.row is None else f"{issue.file}:{issue.row}"


def _file_json(file: FileReport) -> dict[str, Any]:
    read, (first, last) = file.read, span(file.read)
    return {
        "file": read.file,
        "digest": read.digest,
        "form": read.form,
        "layout": read.layout,
        "mapping": [[withheld(header), field] for header, field in read.mapping],
        "preview": [list(map(withheld, row)) for row in read.preview],
        "first": first,
        "last": last,
        "loaded": file.loaded,
        "rows": file.rows,
        "facts": file.facts,
        "added": file.added,
        "corrected": file.corrected,
        "imported_before": file.before or None,
    }
