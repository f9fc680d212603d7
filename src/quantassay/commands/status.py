"""Say what is stale, what is red, and how old each input is."""

import json
from dataclasses import asdict

import click

from quantassay.jobs import status as job
from quantassay.terminal import Terminal


@click.command("status", help=__doc__)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, form: str) -> int:
    rows = job.status(terminal.folder)
    if form == "json":
        click.echo(json.dumps([asdict(row) for row in rows], ensure_ascii=False, indent=2))
    else:
        for row in rows:
            click.echo(f"{row.state:6} {row.kind:9} {row.name:18} {row.says}")
    return 1 if any(row.state == "red" for row in rows) else 0
