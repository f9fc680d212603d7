"""Render the reports from what is built, and check every number on them."""

import json

import click

from quantassay.harness.workspace import find
from quantassay.jobs import build as building
from quantassay.jobs import desk
from quantassay.jobs import report as job
from quantassay.terminal import Terminal


@click.command("render", help=__doc__)
@click.option(
    "--wait", "wait_s", type=float, default=building.WAIT_S, show_default=True, help="Seconds to wait for another run."
)
@click.option("--accept-rebuild", "accept", multiple=True, metavar="NAME", help="Make an edited report anew.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, wait_s: float, accept: tuple[str, ...], form: str) -> int:
    with building.workspace_held(find(terminal.folder), wait_s):
        pages = job.render_all(desk.built(terminal.folder), accept)
    if form == "json":
        rows = [{"file": p.file, "made": p.made, "problems": [str(x) for x in p.problems]} for p in pages]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    for page in pages if form == "text" else ():
        if terminal.loudness >= 0:
            click.echo(f"{'made' if page.made else 'kept':5} {page.file}")
        for problem in page.problems:
            click.echo(f"  {problem}")
    return 1 if any(page.problems for page in pages) else 0
