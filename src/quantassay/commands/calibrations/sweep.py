"""Say how many events a study would have, and what came of them, at other values of its threshold.

Without STUDY all studies of spec/31_event_studies.yaml are shown. A value that is looked at counts as tried from then
on: more tries make each result weaker.
"""

from pathlib import Path
from typing import Any

import click

from quantassay.harness import canonical, files
from quantassay.harness.lazy import Lazy
from quantassay.jobs.executors import Place
from quantassay.terminal import Terminal

_LEFT_OUT = ("duplicates", "outside", "late", "unfillable", "overlapping")
_COLUMNS = ("value", "n", "days", "mean", "low", "high", "p", "corrected", "found", *_LEFT_OUT)


@click.command("sweep", help=__doc__)
@click.argument("studies", metavar="[STUDY]...", nargs=-1)
@click.option("--values", default="", metavar="A,B", help="Other values of the one STUDY, with commas between them.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="Processes to work in (default: as the market is large).")
@click.option("--scheduler", default="", metavar="ADDRESS", help="Work on the Dask cluster at tcp://HOST:PORT.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write canonical JSON into this file.")
@click.pass_obj
def command(
    terminal: Terminal, studies: tuple[str, ...], values: str, jobs: int | None, scheduler: str, out: Path | None
) -> int:
    given = [text.strip() for text in values.split(",")] if values else []
    place = Place(jobs or 1, scheduler) if jobs or scheduler else None
    swept = Lazy("quantassay.jobs.sweep_market:run")(terminal.folder, studies, given, place)
    if out is not None:
        files.write(out, canonical.dumps(swept.result))
    if terminal.loudness < 0:
        return 0
    if out is None:
        click.echo("\n".join(_page(swept.result)))
    else:
        count = len(swept.result["studies"])
        click.echo(f"{out} holds {count} {'study' if count == 1 else 'studies'}")
    click.echo(f"{swept.result['trials_total']} values were tried of all studies; p-values are corrected for them all")
    if swept.new:
        said = ", ".join(map(str, swept.new))
        click.echo(f"looked at for the first time, and counted as tried from now on: {said}; next: assay run")
    return 0


def _page(result: dict[str, Any]) -> list[str]:
    """The result as text: a head and a table for each study."""
    lines = []
    for study in result["studies"]:
        signal = study["event"].replace("_", " ").replace("hsms", study["strategy"])
        lines.append(
            f"{study['id']}: {signal}, then {study['direction']} for {study['horizon_sessions']} sessions; signals of "
            f"{study['from']} to {study['to']}, none ends after {study['until']}"
        )
        rows = [_COLUMNS, *(_row(trial) for trial in study["trials"])]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines += ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        lines.append("")
    marks = f"; {' '.join(result['marks'])} bars: no claim can rest on them" if result["marks"] else ""
    return [*lines, f"* is the value in force; returns before costs, as fractions{marks}"]


def _row(trial: dict[str, Any]) -> tuple[str, ...]:
    value = f"{'* ' if trial['current'] else ''}{trial['value']}"
    figures = (trial[name] for name in ("mean_return", "low", "high", "p_value", "adjusted_p"))
    told = (figure if figure is not None else "-" for figure in figures)
    return (
        value,
        str(trial["n"]),
        str(trial["sessions"]),
        *told,
        *(str(trial[name]) for name in ("found", *_LEFT_OUT)),
    )
