"""Make the package of what is built, only behind a passed gate.

With --audit-only a package for reading, not for trading, is made of whatever is there: its name, its manifest and
every report in it say so.
"""

from pathlib import Path

import click

from quantassay.jobs import package as job
from quantassay.terminal import Terminal


@click.command("package", help=__doc__)
@click.option("--audit-only", is_flag=True, help="A package that nothing will trade on.")
@click.option("--key", type=click.Path(path_type=Path), help="PEM file with an Ed25519 private key to sign with.")
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="The folder to write to.")
@click.pass_obj
def command(terminal: Terminal, audit_only: bool, key: Path | None, output: Path | None) -> int:
    path = job.make(terminal.folder, audit_only=audit_only, key=key, target=output)
    if terminal.loudness >= 0:
        click.echo(path)
        click.echo(f"check it with: assay verify {path}, or: python verify.py {path.name} (the script lies in it)")
    return 0
