"""Let orders be sent again after a halt."""

import click

from quantassay.jobs import halt as job
from quantassay.terminal import Terminal


@click.command("resume", help=__doc__)
@click.option("--why", required=True, metavar="TEXT", help="Why it may go on, in a sentence.")
@click.option("--by", default="", metavar="NAME", help="Who does it; the login name unless told.")
@click.pass_obj
def command(terminal: Terminal, why: str, by: str) -> int:
    done = job.resume(terminal.folder, why, by)
    if terminal.loudness >= 0:
        was = done.halt
        click.echo(f"resumed by {done.by}; it was halted by {was.by} since {was.at.isoformat(timespec='seconds')}")
        click.echo("next: assay ready")
    return 0
