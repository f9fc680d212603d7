"""Say that orders may be sent for an account: no account is traded before somebody has."""

import click

from quantassay.jobs import trade as job
from quantassay.terminal import Terminal


@click.command("arm", help=__doc__)
@click.argument("account")
@click.option("--why", required=True, metavar="TEXT", help="Why, in a sentence.")
@click.option("--by", default="", metavar="NAME", help="Who says so; the login name if unsaid.")
@click.pass_obj
def command(terminal: Terminal, account: str, why: str, by: str) -> int:
    who = job.arm(terminal.folder, account, why, by)
    if terminal.loudness >= 0:
        click.echo(f"{account}: armed by {who}")
    return 0
