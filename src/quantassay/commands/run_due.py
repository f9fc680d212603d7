"""Run the jobs that are due now, each once for its due time; for cron or a systemd timer, every minute.

What was missed while the machine was off is run late if there is still time, and told otherwise. With `assay schedule`
running it is not needed. Exit code 1 when a job did not end well.
"""

import click

from quantassay.jobs import run_due as job
from quantassay.jobs import schedule
from quantassay.jobs.children import starter
from quantassay.jobs.clock import SystemClock
from quantassay.terminal import Terminal


@click.command("run-due", help=__doc__)
@click.option("--times", "first", multiple=True, metavar="TIME", help="Only the jobs of these times; more may follow.")
@click.argument("more", nargs=-1, metavar="[TIME]...")
@click.option("-n", "--dry-run", is_flag=True, help="Say what is due, run and write nothing.")
@click.option("--deliver", is_flag=True, help="Afterwards send the notices that wait.")
@click.pass_obj
def command(terminal: Terminal, first: tuple[str, ...], more: tuple[str, ...], dry_run: bool, deliver: bool) -> int:
    if more and not first:
        raise click.UsageError(f"{more[0]!r} stands alone; times follow --times, as in --times 15:40 09:01")
    clock, times, start = SystemClock(), (*first, *more), starter(terminal.folder)
    if dry_run:
        for one in job.found(terminal.folder, clock, times):
            click.echo(f"{one.do}: {schedule.told(one)}")
        return 0
    done = job.run_due(terminal.folder, clock, start, times)
    for ran in done:
        if terminal.loudness >= 0 or not ran.is_well:
            click.echo(f"{ran.job} of {ran.due:%Y-%m-%d %H:%M %Z}: {ran.state}")
        if terminal.loudness > 0 or not ran.is_well:
            click.echo(ran.says, err=True)
    if deliver:
        sent = start(schedule.NOTICES, schedule.TICK_S * 2)
        if sent.said:
            click.echo(sent.said, err=True)
    return 0 if all(ran.is_well for ran in done) else 1
