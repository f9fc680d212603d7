"""Make a new workspace with the standard spec and governance.

The workspace uses the rooms that come with QuantAssay; its own spec and governance are yours to change.
"""

from pathlib import Path

import click

from quantassay.jobs import init as job
from quantassay.terminal import Terminal


@click.command("init", help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_obj
def command(terminal: Terminal, folder: Path) -> int:
    made = job.init(terminal.folder / folder)
    if terminal.loudness >= 0:
        click.echo(f"{folder}: {len(made)} files made")
        click.echo(f"next: cd {folder}, then `assay run` for the sample market,")
        click.echo("or bring your own bars first: `assay import bars DIR --market XKRX`")
    return 0
