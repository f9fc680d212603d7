"""Record that a person approved a packet, or allowed an account, a data source or a credential.

An approval of a packet holds while the packet, the rules and the bars behind it stay what they are.
"""

from pathlib import Path
from typing import Any

import click

from quantassay.jobs import approve as job
from quantassay.terminal import Terminal


@click.command("approve", help=__doc__)
@click.argument("what", metavar="PACKET")
@click.option("--by", "approver", required=True, metavar="NAME", help="The person who approves.")
@click.option("--proposer", metavar="NAME", help="The person who proposed it.")
@click.option("--reason", required=True, metavar="TEXT", help="Why, in a sentence.")
@click.option(
    "--days", type=click.IntRange(min=0), metavar="N", help="How long; as long as governance allows if unsaid."
)
@click.option("--key", type=click.Path(path_type=Path), help="PEM file with the approver's Ed25519 private key.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be approved, write nothing.")
@click.pass_obj
def command(terminal: Terminal, /, **said: Any) -> int:
    done = job.approve(terminal.folder, job.Wish(**said))
    if terminal.loudness >= 0 or said["dry_run"]:
        click.echo("\n".join(_words(done, dry_run=said["dry_run"])))
    return 0


def _words(done: job.Approved, *, dry_run: bool) -> list[str]:
    one = done.approval
    what = one["name"] if one["subject"] == "packet" else f"the {one['subject'].replace('_', ' ')} {one['name']}"
    proposed = f", proposed by {one['proposer']}" if "proposer" in one else ""
    facts = [("holds", f"{one['granted']} through {one['expires']}, in the workspace {one['workspace']}")]
    if "content" in one:
        facts += [
            ("", "and only while these stay what they are:"),
            ("content", one["content"]),
            ("rules", one["rules"]),
            ("bars", f"{one['data_cut']['bars']}, as of {one['data_cut']['as_of']}"),
            ("in it", done.holds),
        ]
    facts += [("marks", ", ".join(done.marks))] * bool(done.marks)
    signed = f"with the key {one['signature']['keyid'][:16]}" if "signature" in one else "no"
    lines = [f"{one['id']}: {what} is approved by {one['approver']}{proposed}"]
    lines += [f"  {name:<8} {value}" for name, value in [*facts, ("signed", signed)]]
    if dry_run:
        return [*lines, "nothing was written; approve without --dry-run"]
    lines += [f"written: {file}" for file in done.files]
    if one["subject"] == "credential":
        lines.append(f"{one['name']} is used only while governance/credentials.yaml says `allowed`")
    return [*lines, f"next: {done.next}"]
