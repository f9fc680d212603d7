"""What the desk has to tell its people: deliver what waits, list it, try the channels."""

import json
from dataclasses import asdict
from typing import Any

import click

from quantassay.jobs import deliver_notices as job
from quantassay.jobs.clock import SystemClock
from quantassay.terminal import Terminal

_CHANNELS = click.option(
    "--channel", "channels", multiple=True, metavar="ID", help="Only this channel of spec/29_operations.yaml."
)
_FORM = click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)


@click.group("notices", help=__doc__)
def command() -> None:
    """The commands below."""


@command.command("send")
@_CHANNELS
@click.option("--again", is_flag=True, help="Try everything now, what was refused or given up too.")
@click.pass_obj
def send(terminal: Terminal, channels: tuple[str, ...], again: bool) -> int:
    """Deliver what waits on every channel that is used and allowed.

    Exit code 1 when something could not be delivered.
    """
    return _say(terminal, job.send(terminal.folder, SystemClock(), job.Aim(channels), again=again))


@command.command("test")
@_CHANNELS
@click.pass_obj
def test(terminal: Terminal, channels: tuple[str, ...]) -> int:
    """Send a trial notice on every channel that is used, or on those that are named."""
    done = job.trial(terminal.folder, SystemClock(), channels)
    code = _say(terminal, done)
    return code if done.channels else 1


@command.command("list")
@click.option("--last", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many.")
@_FORM
@click.pass_obj
def list_(terminal: Terminal, last: int, form: str) -> int:
    """The latest notices and how far each has come; exit code 1 where a channel will not have one."""
    found = job.listed(terminal.folder, last)
    if form == "json":
        click.echo(json.dumps([_value(one) for one in found], ensure_ascii=False, indent=2))
    else:
        for one in found:
            click.echo(_line(one))
        if not found:
            click.echo("no notice was left yet")
    return 1 if any(one.is_lost for one in found) else 0


@command.command("show")
@click.argument("number", type=int)
@_FORM
@click.pass_obj
def show(terminal: Terminal, number: int, form: str) -> int:
    """The whole text of one notice, and what each channel said to it."""
    one = job.shown(terminal.folder, number)
    if form == "json":
        click.echo(json.dumps(_value(one), ensure_ascii=False, indent=2))
        return 0
    click.echo(_line(one))
    click.echo(one.notice.text)
    for delivery in one.deliveries:
        says = f": {delivery.says}" if delivery.says else ""
        click.echo(f"  {delivery.channel}: {delivery.state} after {delivery.attempts} attempts{says}")
    return 0


def _say(terminal: Terminal, done: job.Round) -> int:
    if not done.channels and terminal.loudness >= 0:
        click.echo("no channel is used; set `used: true` for one in spec/29_operations.yaml", err=True)
    for name, why in done.unusable.items():
        click.echo(f"{name} cannot be used: {why}", err=True)
    for one in done.told:
        if one.state != "sent":
            click.echo(f"{one.notice.id} {one.channel} {one.state}: {one.says}", err=True)
        elif terminal.loudness >= 0:
            click.echo(f"{one.notice.id} {one.channel} {one.state}: {one.notice.subject}")
    if terminal.loudness >= 0 and not done.told:
        click.echo("nothing to deliver now" + (f"; {done.waiting} wait for their next attempt" if done.waiting else ""))
    return 0 if done.is_well else 1


def _line(one: job.Listed) -> str:
    notice = one.notice
    how = ", ".join(f"{row.channel} {row.state}" for row in one.deliveries) or notice.state
    more = f" (+{notice.repeats})" if notice.repeats else ""
    return f"{notice.id:5} {notice.at:%Y-%m-%d %H:%M:%S} UTC  {notice.kind:6}  {notice.subject}{more}  [{how}]"


def _value(one: job.Listed) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(json.dumps(asdict(one), default=lambda at: at.isoformat()))
    return value
