"""Take back every order of ours that stands for an account, also while the desk is halted.

Without --send it only lists them. Exit code 1 while one stands.
"""

from typing import Any

import click

from quantassay.jobs import trade as job
from quantassay.jobs.watching import Standing
from quantassay.terminal import Terminal


@click.command("cancel-all", help=__doc__)
@click.option("--account", default="", metavar="ID", help="An account of spec/20_accounts.yaml; the desk's if unsaid.")
@click.option("--broker", type=click.Choice(["paper", "kis"]), help="Must be that of the account; it decides itself.")
@click.option("--send", is_flag=True, help="Send the cancels.")
@click.option("--at", default="", metavar="INSTANT", help="The time to rehearse at; not where the broker is real.")
@click.pass_obj
def command(terminal: Terminal, /, **said: Any) -> int:
    left = job.cancel_all(terminal.folder, job.Wish(**said))
    if terminal.loudness >= 0 or left:
        click.echo("\n".join(_words(left, sent=said["send"])))
    return 1 if left else 0


def _words(left: tuple[Standing, ...], *, sent: bool) -> list[str]:
    lines = [_line(one) for one in left]
    if not left:
        return ["no order of ours stands"]
    return [*lines, "these still stand: see `assay orders`" if sent else "take them back with --send"]


def _line(one: Standing) -> str:
    intent = one.order.intent
    what = f"{intent.side} {one.order.remaining} of {intent.quantity} {intent.ticker} at {intent.limit_price:,}"
    return f"{one.name}: {one.order.state} {what}{f': {one.why}' if one.why else ''}"
