"""List every unit of the rooms: where it comes from, what it reads, its digest."""

import json

import click

from quantassay.jobs import desk
from quantassay.terminal import Terminal


@click.command("rooms", help=__doc__)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, form: str) -> int:
    inputs = desk.built(terminal.folder)
    units = list(inputs.rooms.all())
    reads = {u.path: [p for p in u.parameters if u.room != "renderers" or p in inputs.sources] for u in units}
    if form == "json":
        rows = [
            {"room": u.room, "name": u.name, "title": u.title, "origin": u.origin, "file": u.file, "digest": u.digest,
             "reads": reads[u.path], "rules": list(u.rules)}
            for u in units
        ]  # fmt: skip
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    room = ""
    for unit in units:
        if unit.room != room:
            room = unit.room
            click.echo(f"{room}/")
        click.echo(f"  {unit.name:30} {unit.origin:9} {unit.digest[7:19]}  {unit.title}")
        if terminal.loudness > 0:
            click.echo(f"  {'':30} reads {', '.join(reads[unit.path]) or 'nothing'}")
    return 0
