"""May I trade today? Calendar, data, gate, plan, limits, orders, breaks, mode and kill switch on one page.

Exit code 0 only where every row is `ok`; `warn` is not well, and what cannot be told is `no`.
"""

import json
from dataclasses import asdict
from datetime import datetime

import click

from quantassay.jobs import desk
from quantassay.jobs import ready as job
from quantassay.jobs.clock import ShiftedClock, SystemClock
from quantassay.jobs.ready_scene import State
from quantassay.terminal import Terminal


@click.command("ready", help=__doc__)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--offline", is_flag=True, help="Do not ask the broker; its rows are `warn` then.")
@click.option("--at", metavar="INSTANT", help="As if it were this instant; for a rehearsal, it allows nothing.")
@click.pass_obj
def command(terminal: Terminal, form: str, offline: bool, at: str | None) -> int:
    clock = ShiftedClock(datetime.fromisoformat(desk.instant(at))) if at else SystemClock()
    rows = job.ready(terminal.folder, clock, offline=offline)
    well = job.all_is_well(rows)
    if form == "json":
        value = {"ready": well, "at": clock.now().isoformat(timespec="seconds"), "rows": [asdict(row) for row in rows]}
        click.echo(json.dumps(value, ensure_ascii=False, indent=2))
        return 0 if well else 1
    causes: dict[str, str] = {}
    for row in rows:
        first = causes.setdefault(row.says, row.name)
        if terminal.loudness >= 0 or row.state is not State.OK:
            click.echo(f"{row.state:5} {row.name:10} {row.says if first == row.name else f'as {first}'}")
            if row.do and first == row.name:
                click.echo(f"{'':16} -> {row.do}")
    worst = [row.name for row in rows if row.state is not State.OK]
    click.echo("yes: everything is well" if well else f"not yet: {', '.join(worst)}")
    return 0 if well else 1
