"""Keep the desk's times: begin each job at its time of every session, and catch up what a sleep or a restart missed.

TIME is 15:40, open+1m or close+10m in the exchange's time and begins the jobs of that time; JOB@TIME one job at a time
of its own. Without --times all jobs of spec/29_operations.yaml are kept. It runs until it is ended; one a workspace.
"""

import click

from quantassay.jobs import schedule as job
from quantassay.jobs.clock import SystemClock
from quantassay.terminal import Terminal


@click.command("schedule", help=__doc__)
@click.option("--times", "first", multiple=True, metavar="TIME", help="Only the jobs of these times; more may follow.")
@click.argument("more", nargs=-1, metavar="[TIME]...")
@click.option("-n", "--dry-run", is_flag=True, help="Show the next run of each job and keep nothing.")
@click.pass_obj
def command(terminal: Terminal, first: tuple[str, ...], more: tuple[str, ...], dry_run: bool) -> int:
    if more and not first:
        raise click.UsageError(f"{more[0]!r} stands alone; times follow --times, as in --times 15:40 09:01")
    clock, times = SystemClock(), (*first, *more)
    if dry_run:
        for one in job.coming(terminal.folder, clock.now(), times):
            click.echo(job.told(one))
        return 0
    job.serve(terminal.folder, clock, times, click.echo)
    return 0
