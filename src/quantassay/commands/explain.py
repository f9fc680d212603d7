"""Say where a number comes from: artifact, builder, inputs, spec line, raw row.

TARGET is a line of a report (Temp/next_open_plan_v1.md:42, or :42:7 for one number of it) or a place in an artifact
(next_open_plan#/orders/0/quantity).
"""

import json

import click

from quantassay.harness import explain
from quantassay.jobs import explain as job
from quantassay.terminal import Terminal


@click.command("explain", help=__doc__)
@click.argument("target")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, target: str, form: str) -> int:
    found = job.number(terminal.folder, target)
    if form == "json":
        click.echo(json.dumps([one.as_json() for one in found.values], ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(explain.text(found.values)))
    if found.changed:
        says = "changed since this was built, and is shown as it lies there now; run `assay run`"
        click.echo(f"assay: {', '.join(found.changed)} {says}", err=True)
    return 0
