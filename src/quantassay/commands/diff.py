"""Say what differs between two artifacts or two workspaces, ticker by ticker."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from quantassay.harness import compare
from quantassay.terminal import Terminal


@click.command("diff", help=__doc__)
@click.argument("old", type=click.Path(path_type=Path, exists=True))
@click.argument("new", type=click.Path(path_type=Path, exists=True))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, old: Path, new: Path, form: str) -> int:
    changes = compare.folders(old, new)
    if form == "json":
        click.echo(json.dumps([asdict(change) for change in changes], ensure_ascii=False, indent=2))
    else:
        for change in changes:
            click.echo(change)
        if terminal.loudness >= 0:
            click.echo(f"{len(changes)} differences")
    return 1 if changes else 0
