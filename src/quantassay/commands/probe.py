"""Ask once more for data that was refused before, and record the outcome as a new attempt on the gap.

Without GAP it lists the gaps, the last attempt on each, and whether the transcripts are as they were recorded.
It never logs in, asks each request once, and follows no redirect. Where there is no network it records nothing.
"""

import json
from dataclasses import asdict

import click

from quantassay.jobs import probe as job
from quantassay.terminal import Terminal


@click.command("probe", help=__doc__)
@click.argument("gap", required=False)
@click.option("--by", default=job.PROBER, show_default=True, metavar="NAME", help="Who makes the attempt.")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be asked, ask and write nothing.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, gap: str | None, by: str, dry_run: bool, form: str) -> int:
    if gap is None:
        return _list(terminal, form)
    if dry_run:
        _say_plan(job.plan(terminal.folder, gap), form)
        return 0
    done = job.probe(terminal.folder, gap, by)
    if form == "json":
        said = {"attempt": done.value, "file": done.file, "transcript": done.transcript, "advice": done.advice}
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
    elif terminal.loudness >= 0:
        for one in done.value["answers"]:
            click.echo(f"{one['request']}: {one['says']}")
        click.echo(f"{done.value['outcome']}: {done.advice}")
        click.echo(f"recorded: {done.file}, transcript {done.transcript}")
        click.echo("next: assay run")
    return 0


def _say_plan(plan: job.Plan, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(asdict(plan), ensure_ascii=False, indent=2))
        return
    click.echo(f"{plan.gap} {plan.title}")
    if plan.probe["session_page"] is not None:
        click.echo(f"  GET  {plan.probe['session_page']} (opens a session)")
    for request in plan.probe["requests"]:
        click.echo(f"  POST {request['url']} ({request['id']})")
        for name, value in request["form"].items():
            click.echo(f"         {name}={value}")
        refusal = request["refusal"]
        click.echo(f"       recorded: HTTP {refusal['status']} {refusal['body']}")
    limits = plan.limits
    click.echo(
        f"  each once, no redirect followed, {limits['connect_s']} s to connect, {limits['answer_s']} s to answer"
    )
    click.echo(f"  login {plan.login}")
    click.echo("nothing was asked; probe without --dry-run")


def _list(terminal: Terminal, form: str) -> int:
    found = job.known(terminal.folder)
    code = 1 if any(one.changed for one in found) else 0
    if form == "json":
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=2))
        return code
    for one in found:
        probe = "probe" if one.can_probe else "-"
        click.echo(f"{one.gap:4} {probe:6} {one.last or 'never tried':27} {one.title}")
        if one.missing:
            click.echo(f"       not on this machine: transcripts of {', '.join(one.missing)}")
        if one.changed:
            click.echo(f"       changed since they were recorded: transcripts of {', '.join(one.changed)}")
    return code
