"""Record that a person answers for findings of a rule until a date."""

from typing import Any

import click

from quantassay.jobs import waive as job
from quantassay.terminal import Terminal

_SHOWN = 5


@click.command("waive", help=__doc__)
@click.argument("rule")
@click.argument("artifact")
@click.argument("pointer")
@click.option("--by", "approver", required=True, metavar="NAME", help="The person who answers for it.")
@click.option("--reason", required=True, metavar="TEXT", help="Why the breach is accepted, in a sentence.")
@click.option("--days", required=True, type=click.IntRange(min=0), metavar="N", help="For how many days.")
@click.option("--gate", metavar="GATE", help="Only this gate's findings.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be waived, write nothing.")
@click.pass_obj
def command(terminal: Terminal, /, **said: Any) -> int:
    done = job.waive(terminal.folder, job.Wish(**said))
    if terminal.loudness >= 0 or said["dry_run"]:
        click.echo("\n".join(_words(done, dry_run=said["dry_run"])))
    return 0


def _words(done: job.Written, *, dry_run: bool) -> list[str]:
    waiver, count = done.waiver, len(done.covers)
    findings = "1 finding" if count == 1 else f"{count} findings"
    lines = [
        f"{waiver['id']}: {findings} of {waiver['rule']} waived through {waiver['expires']} by {waiver['approver']}"
    ]
    shown = done.covers[:_SHOWN]
    lines += [f"  {one.artifact} {one.pointer} {one.says}".rstrip() for one in shown]
    lines += [f"  and {count - len(shown)} more"] * (count > len(shown))
    if dry_run:
        return [*lines, "nothing was written; waive without --dry-run"]
    return [*lines, f"written: {done.file}", f"next: {done.next}"]
