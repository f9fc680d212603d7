"""Check a workspace, or a package, against its own records.

Every file, the gate record, the ledger, and every number on every page. Exit code 1 when anything is not as recorded.
"""

import json
from dataclasses import asdict
from pathlib import Path

import click

from quantassay.jobs import verify as job
from quantassay.terminal import Terminal


@click.command("verify", help=__doc__)
@click.argument("package", required=False, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="PEM public key of a package's sender."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def command(terminal: Terminal, package: Path | None, key: Path | None, form: str) -> int:
    checked = job.workspace(terminal.folder) if package is None else job.package(package, key)
    if form == "json":
        click.echo(json.dumps(asdict(checked), ensure_ascii=False, indent=2))
    else:
        for line in (*checked.waivers, *checked.problems):
            click.echo(line)
        if terminal.loudness >= 0 or checked.problems:
            signed = f"signature: {checked.signature}, " if checked.signature else ""
            click.echo(
                f"{checked.files} files and {checked.pages} pages checked, {signed}{len(checked.problems)} problems"
            )
    return 1 if checked.problems else 0
