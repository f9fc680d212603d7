"""Prove that the gates can fail: do small wrongs to each artifact and count those that some gate notices.

Nothing is written. Exit code 1 when the share caught is below the floor in governance/gates.yaml.
"""

import json

import click

from quantassay.jobs import prove as job
from quantassay.terminal import Terminal, progress

MOST_NAMED = 10


@click.command("prove", help=__doc__)
@click.argument("artifacts", nargs=-1)
@click.option("--per-pattern", type=click.IntRange(0), default=4, show_default=True,
              help="Mutants of one kind for one field; 0 tries all.")  # fmt: skip
@click.option("--every-gate", is_flag=True, help="Show each mutant to every gate, not only until one notices.")
@click.option("--survivors", type=click.IntRange(0), default=20, show_default=True, help="How many to print.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(
    terminal: Terminal, artifacts: tuple[str, ...], per_pattern: int, every_gate: bool, survivors: int, form: str
) -> int:
    with progress(terminal) as report:
        proof = job.prove(
            terminal.folder, artifacts, per_pattern=per_pattern or None, every_gate=every_gate, progress=report
        )
    if form == "json":
        click.echo(json.dumps(proof.result, ensure_ascii=False, indent=2, sort_keys=True))
    elif terminal.loudness >= 0 or not proof.passed:
        _say(proof, survivors)
    return 0 if proof.passed else 1


def _say(proof: job.Proof, most: int) -> None:
    result = proof.result
    for name, count in result["per_gate"].items():
        click.echo(f"{count['killed']:>7} caught of {count['shown']:>7} shown  {name}")
    for one in result["survivors"][:most]:
        click.echo(f"survived: {one['artifact']}#{one['pointer']} {one['operator']}: {one['from']} -> {one['to']}")
    if len(result["survivors"]) > most:
        click.echo(f"and {len(result['survivors']) - most} more; see them with --format json")
    for name in ("red_before", "unread_fields", "unevaluated_rules"):
        if result[name]:
            more = " ..." if len(result[name]) > MOST_NAMED else ""
            click.echo(f"{name.replace('_', ' ')}: {', '.join(result[name][:MOST_NAMED])}{more}")
    state = "reached" if proof.passed else "NOT reached"
    caught = f"{result['killed']} of {result['mutants']} mutants caught: {result['share']}"
    click.echo(f"{caught}; the floor {proof.floor} is {state}")
