"""Make a new workspace with the standard spec and governance.

The workspace uses the rooms that come with QuantAssay; its own spec and governance are yours to change.
"""

from pathlib import Path

import click

from quantassay.jobs import init as job
from quantassay.terminal import Terminal


@click.command("init", help=__doc__)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--market",
    type=click.Choice(job.MARKETS),
    default=job.MARKETS[0],
    show_default=True,
    help="The market that the desk trades: Korea, New York with Nasdaq, or Shanghai with Shenzhen.",
)
@click.pass_obj
def command(terminal: Terminal, folder: Path, market: str) -> int:
    made = job.init(terminal.folder / folder, market)
    if terminal.loudness < 0:
        return 0
    click.echo(f"{folder}: {len(made)} files made")
    if market == job.MARKETS[0]:
        click.echo(f"next: cd {folder}, then `assay run` for the sample market,")
        click.echo(f"or bring your own bars first: `assay import bars DIR --market {market}`")
    else:
        click.echo(f"next: cd {folder}, then bring your bars: `assay import bars DIR --market {market}`")
    return 0
