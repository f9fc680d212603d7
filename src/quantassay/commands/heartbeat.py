"""Tell which of the desk's programs gave a sign of life and when; silence is an alarm.

With --check a silence is told at once, by the channels that spec/29_operations.yaml names for it. Exit code 1 when one
of the watched programs is silent.
"""

import click

from quantassay.jobs import heartbeat as job
from quantassay.jobs.clock import SystemClock
from quantassay.terminal import Terminal


@click.command("heartbeat", help=__doc__)
@click.option("--check", is_flag=True, help="Tell a silence at once; to be run apart from the scheduler.")
@click.pass_obj
def command(terminal: Terminal, check: bool) -> int:
    clock = SystemClock()
    found = job.check(terminal.folder, clock) if check else job.heard(terminal.folder, clock)
    if terminal.loudness >= 0:
        for one in found.beats:
            click.echo(f"{one.name}: {one.at:%Y-%m-%d %H:%M:%S} UTC, by {one.owner}")
    for silence in found.silent:
        click.echo(silence.says(found.at), err=True)
    if found.told:
        click.echo(found.told, err=True)
    return 1 if found.silent else 0
