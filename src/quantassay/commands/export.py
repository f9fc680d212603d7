"""Export what others read: the account or the settings as JSON, the daily report pages as dated files."""

from pathlib import Path

import click

from quantassay.jobs import export as job
from quantassay.jobs import export_reports
from quantassay.terminal import Terminal

_OUT = click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write there instead of to the terminal."
)
_FORM = click.option("--format", "form", type=click.Choice(["json"]), default="json", show_default=True)


@click.group("export", help=__doc__)
def command() -> None:
    """The commands below."""


@command.command(job.ACCOUNT)
@_OUT
@_FORM
@click.pass_obj
def account_snapshot(terminal: Terminal, out: Path | None, form: str) -> int:  # noqa: ARG001 - JSON is the only form
    """The account that the desk plans for: cash, holdings, environment, and when they were seen."""
    return _say(terminal, out, job.account_snapshot(terminal.folder))


@command.command(job.SETTINGS)
@_OUT
@_FORM
@click.pass_obj
def settings(terminal: Terminal, out: Path | None, form: str) -> int:  # noqa: ARG001 - JSON is the only form
    """The specs that a reviewer signs, each under its name: the desk's choices and those that its plans stand on."""
    return _say(terminal, out, job.desk_settings(terminal.folder))


@command.command("reports")
@click.option("--to", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The folder to write to.")
@click.pass_obj
def reports(terminal: Terminal, to: Path) -> int:
    """The daily report pages with their charts, each called by the date of its market session."""
    for page in export_reports.reports(terminal.folder, to):
        if terminal.loudness >= 0:
            click.echo(f"{page.path}: {'written' if page.written else 'unchanged'}")
    return 0


def _say(terminal: Terminal, out: Path | None, data: bytes) -> int:
    if out is None:
        click.echo(data.decode(), nl=False)
    else:
        changed = job.write(out, data)
        if terminal.loudness >= 0:
            click.echo(f"{out}: {'written' if changed else 'unchanged'}")
    return 0
