"""Judge what is built with every gate.

Writes Temp/gate_record_v1.json. Exit codes: 0 passed, 1 findings, 3 a gate crashed.
"""

from pathlib import Path

import click

import quantassay
from quantassay.harness import outputs
from quantassay.harness.lazy import Lazy
from quantassay.harness.workspace import find
from quantassay.jobs import build as building
from quantassay.jobs import desk
from quantassay.jobs import gate as job
from quantassay.terminal import Terminal

FORMATS = ["text", "json", "junit", "sarif", "annotations"]


@click.command("gate", help=__doc__)
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write there instead.")
@click.option("--prove", is_flag=True, help="Then prove that the gates can fail, as `assay prove` does.")
@click.option(
    "--wait", "wait_s", type=float, default=building.WAIT_S, show_default=True, help="Seconds to wait for another run."
)
@click.pass_context
def command(ctx: click.Context, form: str, output: Path | None, prove: bool, wait_s: float) -> int:
    terminal: Terminal = ctx.obj
    with building.workspace_held(find(terminal.folder), wait_s):
        judgement = job.judge(desk.built(terminal.folder))
    words = _words(judgement, form)
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(words, encoding="utf-8")
    elif form != "text" or terminal.loudness >= 0 or judgement.verdict.exit_code:
        click.echo(words, nl=not words.endswith("\n"))
    if prove and not judgement.verdict.exit_code:
        parent = ctx.parent
        command = (
            parent.command.get_command(parent, "prove") if parent and isinstance(parent.command, click.Group) else None
        )
        return int(ctx.invoke(command)) if command else 0
    return judgement.verdict.exit_code


def _words(judgement: job.Judgement, form: str) -> str:
    verdict, locate = judgement.verdict, judgement.locate
    if form == "json":
        return outputs.as_json(judgement.record, locate)
    if form == "annotations":
        return outputs.annotations(verdict, locate)
    if form == "text":
        return outputs.text(verdict, locate, record=judgement.file)
    # The XML and SARIF writers are loaded only for those who ask for them.
    more = (quantassay.__version__,) if form == "sarif" else ()
    return str(Lazy(f"quantassay.harness.{form}:dumps", (verdict, locate, *more))())
