"""Build, gate and render: the main job.

Each part runs only where something changed. Exit code 1 when the gate is not passed or a page is not borne out.
"""

import json

import click

from quantassay.harness import outputs
from quantassay.harness.build import Request
from quantassay.jobs import build as building
from quantassay.jobs import run as job
from quantassay.terminal import Terminal, progress


@click.command("run", help=__doc__)
@click.option("--as-of", default="", metavar="INSTANT", help="The time that everything is built for.")
@click.option("--accept-rebuild", "accept", multiple=True, metavar="NAME", help="Make an edited file's artifact anew.")
@click.option(
    "--wait", "wait_s", type=float, default=building.WAIT_S, show_default=True, help="Seconds to wait for another run."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, as_of: str, accept: tuple[str, ...], wait_s: float, form: str) -> int:
    with progress(terminal) as report:
        outcome = job.run(terminal.folder, Request(accept=accept, as_of=as_of), wait_s, report)
    if form == "json":
        click.echo(json.dumps(_facts(outcome), ensure_ascii=False, indent=2))
    elif terminal.loudness >= 0 or not outcome.passed:
        click.echo(_words(outcome))
    if outcome.crashed:
        return 3
    return 0 if outcome.passed else 1


def _facts(outcome: job.Outcome) -> dict[str, object]:
    return {
        "passed": outcome.passed,
        "as_of": outcome.inputs.state.as_of,
        "artifacts": [{"name": s.name, "status": s.status, "why": list(s.why)} for s in outcome.steps],
        "gate": outcome.inputs.envelope("gate_record")["data"]["counts"],
        "reports": [{"file": p.file, "made": p.made, "problems": [str(x) for x in p.problems]} for p in outcome.pages],
    }


def _words(outcome: job.Outcome) -> str:
    lines = []
    if outcome.idle:
        lines.append("nothing has changed: everything is kept")
    else:
        counts = {status: sum(s.status == status for s in outcome.steps) for status in ("built", "unchanged", "kept")}
        lines.append("artifacts: " + ", ".join(f"{n} {status}" for status, n in counts.items() if n))
    if outcome.judgement is not None:
        judgement = outcome.judgement
        lines += ["", outputs.text(judgement.verdict, judgement.locate, record=judgement.file)]
    else:
        record = outcome.inputs.envelope("gate_record")["data"]
        counts = record["counts"]
        judged = f"{counts['judged']:,} things judged by {counts['gates']} gates"
        lines.append(f"gate: {record['status']} ({judged}), unchanged")
        if record["status"] != "passed":
            lines.append("  `assay gate` says what is wrong")
    for page in outcome.pages:
        lines.append(f"report: {page.file}{'' if page.made else ' (kept)'}")
        lines += [f"  {problem}" for problem in page.problems]
    lines.append(f"as of {outcome.inputs.state.as_of}: {'PASSED' if outcome.passed else 'NOT PASSED'}")
    return "\n".join(lines)
