"""Say what this installation consists of, and what is missing."""

import json
from dataclasses import asdict

import click

from quantassay.jobs import doctor as job
from quantassay.terminal import Terminal


@click.command("doctor", help=__doc__)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, form: str) -> int:
    lines = job.examine(terminal.folder)
    if form == "json":
        click.echo(json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=2))
    else:
        for line in lines:
            click.echo(f"{line.state:8} {line.subject:16} {line.says}")
    return 2 if any(line.state == "missing" for line in lines) else 0
