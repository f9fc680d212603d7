"""Stop all sending of orders at once, for every process, until somebody resumes it.

A process that has begun long ago obeys as well: it reads the switch in the same step in which it writes down that it is
about to send an order. Orders that stand at the broker stay there: `assay trade cancel-all --send` takes them back.
"""

import click

from quantassay.jobs import halt as job
from quantassay.terminal import Terminal


@click.command("halt", help=__doc__)
@click.option("--why", required=True, metavar="TEXT", help="Why, in a sentence, for whoever finds the desk like this.")
@click.option("--by", default="", metavar="NAME", help="Who does it; the login name unless told.")
@click.option("--buys-only", is_flag=True, help="Stop buys only; sells go on.")
@click.pass_obj
def command(terminal: Terminal, why: str, by: str, buys_only: bool) -> int:
    halt = job.halt(terminal.folder, why, by, buys_only=buys_only)
    if terminal.loudness >= 0:
        what = "nothing is sent" if halt.level == "all" else "no buy is sent"
        click.echo(f"halted by {halt.by} at {halt.at.isoformat(timespec='seconds')}: {halt.why.rstrip('.')}; {what}")
        if buys_only and halt.level == "all":
            click.echo("all sending was halted before, and stays halted; resume first to let sells go on")
        click.echo("next: assay orders, and assay resume --why TEXT when it may go on")
    return 0
