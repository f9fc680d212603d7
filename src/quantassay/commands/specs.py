"""Check YAML files: the workspace's specs and governance, or any folder against a schema."""

import json
from pathlib import Path

import click

from quantassay.harness import canonical, specs
from quantassay.harness.problems import Problem
from quantassay.jobs import check_specs
from quantassay.terminal import Terminal


@click.group("specs", help=__doc__)
def command() -> None:
    """The commands below."""


@command.command("check")
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--schema", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A JSON Schema for all the files."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_obj
def check(terminal: Terminal, folder: Path | None, schema: Path | None, form: str) -> int:
    """Check the workspace's YAML; with FOLDER, the files in it against --schema."""
    if (folder is None) != (schema is None):
        raise click.UsageError("give a folder and --schema, or neither for the workspace's own files")
    if folder is None or schema is None:
        paths, problems = check_specs.workspace(terminal.folder)
    else:
        paths = sorted(folder.glob("*.yaml")) if folder.is_dir() else [folder]
        problems = specs.check(paths, canonical.read(schema))
        if not paths:
            raise click.UsageError(f"{folder} holds no .yaml file; nothing was checked")
    _say(terminal, form, len(paths), problems)
    return 2 if problems else 0


def _say(terminal: Terminal, form: str, count: int, problems: list[Problem]) -> None:
    if form == "json":
        rows = [{"file": p.file, "line": p.line, "column": p.column, "says": p.says} for p in problems]
        click.echo(json.dumps({"files": count, "problems": rows}, ensure_ascii=False, indent=2))
        return
    for problem in problems:
        click.echo(problem)
    if terminal.loudness >= 0 or problems:
        click.echo(f"{count} files checked, {len(problems)} problems")
