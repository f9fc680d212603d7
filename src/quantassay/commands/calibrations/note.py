"""Write the next change note: which thresholds get which status, by whom and why.

The value, the claim and the digest of its events are copied into the note, which names the digest of the note before.
What the rules would refuse is refused, and nothing is written. The status in spec/30_calibration.yaml is set to match.
"""

from typing import Any

import click

from quantassay.domain.calibration.registry import STATUSES
from quantassay.jobs import calibration_note as job
from quantassay.terminal import Terminal


@click.command("note", help=__doc__)
@click.argument("thresholds", metavar="THRESHOLD...", nargs=-1, required=True)
@click.option("--to", "status", required=True, type=click.Choice(STATUSES), help="The status that they get.")
@click.option("--author", required=True, metavar="NAME", help="The person who answers for it.")
@click.option("--reason", required=True, metavar="TEXT", help="Why, in a sentence.")
@click.option("--sample-note", metavar="TEXT", help="What sample was looked at, and what it showed.")
@click.option("--backtest-note", metavar="TEXT", help="What the backtest was, and what it showed.")
@click.option("--date", "day", metavar="DAY", help="The day of the note; without it the day of the last build.")
@click.option("-n", "--dry-run", is_flag=True, help="Print the note, write nothing.")
@click.pass_obj
def command(terminal: Terminal, /, **said: Any) -> int:
    done = job.write(terminal.folder, job.Wish(**said))
    if terminal.loudness >= 0 or said["dry_run"]:
        click.echo("\n".join(_words(done, dry_run=said["dry_run"])))
    return 0


def _words(done: job.Written, *, dry_run: bool) -> list[str]:
    if dry_run:
        edits = [f"would set {edit}" for edit in done.edits]
        return [f"# {done.file}", *done.text.splitlines(), *edits, "nothing was written; note without --dry-run"]
    return [f"written: {done.file}", *(f"set: {edit}" for edit in done.edits), f"next: {done.next}"]
