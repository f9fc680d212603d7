"""Build the artifacts that are out of date.

A selector is an artifact (with what it needs) or `artifact+` (with what is made of it); none means all. Files that were
downloaded by hand can be imported first; when one of them is refused, nothing is built.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from quantassay.harness.build import Request, Step
from quantassay.harness.lazy import Lazy
from quantassay.jobs import build as job
from quantassay.terminal import Terminal, progress

_Command = TypeVar("_Command", bound=Callable[..., Any])
_IMPORT = Lazy("quantassay.jobs.manual_options:import_and_tell")


def _file(name: str, says: str) -> Callable[[_Command], _Command]:
    return click.option(name, multiple=True, type=click.Path(path_type=Path), metavar="FILE", help=says)


@click.command("build", help=__doc__)
@click.argument("selectors", nargs=-1)
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be built, build nothing.")
@click.option("--why", is_flag=True, help="Say for each artifact what changed.")
@click.option("-j", "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes to build in.")
@click.option("--as-of", default="", metavar="INSTANT", help="The time that everything is built for.")
@click.option("--accept-rebuild", "accept", multiple=True, metavar="NAME", help="Make an edited artifact anew.")
@click.option(
    "--wait", "wait_s", type=float, default=job.WAIT_S, show_default=True, help="Seconds to wait for another run."
)
@_file("--short-csv", "Import these short balances first; may stand several times.")
@_file("--nav-csv", "Import these net asset values first; may stand several times.")
@click.option("--historic", is_flag=True, help="Import them even if they are older than allowed.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(  # noqa: PLR0913, PLR0917 - one parameter an option
    terminal: Terminal, selectors: tuple[str, ...], dry_run: bool, why: bool, jobs: int, as_of: str,
    accept: tuple[str, ...], wait_s: float, short_csv: tuple[Path, ...], nav_csv: tuple[Path, ...], historic: bool,
    form: str,
) -> int:  # fmt: skip
    files = [*(("short_balance", path) for path in short_csv), *(("etf_nav", path) for path in nav_csv)]
    said = {"date": "", "ticker": "", "historic": historic, "again": False, "dry_run": dry_run, "format": "text"}
    refused = max([_imported(terminal, feed, path, said, form) for feed, path in files], default=0)
    if refused:
        click.echo("assay: nothing was built; correct the files that were refused, and build again", err=True)
        return refused
    request = Request(selectors, dry_run, accept, as_of)
    with progress(terminal) as report:
        _, steps = job.artifacts(terminal.folder, request, jobs, wait_s, report)
    if form == "json":
        rows = [{"artifact": s.name, "status": s.status, "why": list(s.why)} for s in steps]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif terminal.loudness >= 0:
        say(steps, why or terminal.loudness > 0)
    return 0


def _imported(terminal: Terminal, feed: str, path: Path, said: dict[str, object], form: str) -> int:
    """Import one file as `assay import` does; its exit code. Beside JSON, what is said goes to standard error."""
    code, words = _IMPORT(terminal.folder, feed, path, said, terminal.loudness)
    if words:
        click.echo(words, err=form == "json")
    return int(code)


def say(steps: list[Step], why: bool) -> None:
    """One line for each artifact that was touched (all with `why`), and a closing line."""
    for step in steps:
        if step.status != "kept" or why:
            click.echo(f"{step.status:9} {step.name}")
            for reason in step.why if why else ():
                click.echo(f"          {reason}")
    counts = {
        status: sum(s.status == status for s in steps) for status in ("built", "unchanged", "kept", "stale", "waiting")
    }
    click.echo(", ".join(f"{count} {status}" for status, count in counts.items() if count) or "nothing to build")
