"""The assay command: options in, one job, exit code out."""

import gc
import importlib
import io
import os
import sys
from pathlib import Path

import click

from quantassay import __version__
from quantassay.errors import AssayError, InternalError
from quantassay.secrecy import withheld
from quantassay.terminal import Terminal

COLLECT_AFTER = 100_000
COMMANDS = Path(__file__).parent / "commands"
# Neither passed nor findings nor wrong use: the shell's own codes for a run that somebody ended.
STOPPED, CUT_OFF = 130, 141
# Set by the shell's completion script, which click makes and answers.
COMPLETION = "_ASSAY_COMPLETE"


class Commands(click.Group):
    """The commands are the files in commands/; a file is loaded only when its command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The files in commands/, as they are spoken."""
        return sorted(_spoken(path.stem) for path in COMMANDS.glob("*.py") if path.stem != "__init__")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a file, loaded now; None where there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        stem = cmd_name.replace("-", "_")
        name = stem if (COMMANDS / f"{stem}.py").exists() else f"{stem}_"
        command: click.Command = importlib.import_module(f"quantassay.commands.{name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name; a misspelt one is told the closest."""
        if self.get_command(ctx, args[0]) is None:
            close = importlib.import_module("difflib").get_close_matches(args[0], self.list_commands(ctx), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else "; `assay --help` lists them"
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command with its short help, none of them loaded."""
        rows = [(name, short_help(name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _spoken(stem: str) -> str:
    return stem.rstrip("_").replace("_", "-")


def short_help(name: str) -> str:
    """The first sentence of a command's file, read without loading it."""
    stem = name.replace("-", "_")
    path = next(p for p in (COMMANDS / f"{stem}.py", COMMANDS / f"{stem}_.py") if p.exists())
    with path.open(encoding="utf-8") as file:
        return file.readline().strip().strip('"').removesuffix(".")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "-C",
    "--workspace",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    envvar="ASSAY_WORKSPACE",
    help="The workspace, or a folder in it (default: here, or $ASSAY_WORKSPACE).",
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
@click.option("-v", "--verbose", is_flag=True, help="Say more: each step and why.")
@click.version_option(__version__, prog_name="assay")
@click.pass_context
def command(ctx: click.Context, folder: Path, quiet: bool, verbose: bool) -> None:
    """Validation gates and reports for a quant desk: specs in, evidence out.

    Exit codes: 0 passed, 1 findings, 2 wrong use or wrong spec, 3 our fault.
    """
    ctx.obj = Terminal(folder, verbose - quiet)


def main() -> None:
    """Run the command and leave with its exit code; no traceback reaches the user."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A file name or a terminal may be of another encoding; a character that it lacks must not end the run.
            stream.reconfigure(errors="backslashreplace")
    # Most of a short run is loading modules, none of which becomes garbage.
    gc.set_threshold(COLLECT_AFTER)
    code = run(sys.argv[1:])
    _drop_unwritable_output()
    # Every file is closed by now, and taking the interpreter down piece by piece costs a tenth of a run without work.
    os._exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of `assay ARGUMENTS`."""
    try:
        if COMPLETION in os.environ:
            command.main(arguments, prog_name="assay")
        code = _invoke(arguments)
        sys.stdout.flush()
        return code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("assay: stopped", err=True)
        return STOPPED
    except BrokenPipeError:
        return _cut_off()
    except AssayError as error:
        click.echo(f"assay: {error}", err=True)
        if error.exit_code == InternalError.exit_code:
            _log(getattr(error, "log", "") or _traceback())
        return error.exit_code
    except OSError as error:
        click.echo(f"assay: {error.filename or 'a file'} cannot be used: {error.strerror or error}", err=True)
        _drop_unwritable_output()
        return AssayError.exit_code
    except Exception as error:  # noqa: BLE001 - the last door: what nobody foresaw becomes exit code 3 and a log
        click.echo(f"assay: this is our fault: {type(error).__name__}: {withheld(str(error))}", err=True)
        _log(_traceback())
        return InternalError.exit_code


def _invoke(arguments: list[str]) -> int:
    # Not command.main(), which makes exit code 1, and so findings, of a reader that had enough.
    try:
        with command.make_context("assay", list(arguments)) as context:
            return int(command.invoke(context) or 0)
    except click.exceptions.Exit as left:
        return left.exit_code


def _cut_off() -> int:
    """Whoever read our output has had enough; nothing was said to the end, so nothing has passed."""
    _drop_unwritable_output()
    return CUT_OFF


def _drop_unwritable_output() -> None:
    """Send what cannot be written nowhere; Python would try again as it ends, and end with a code of its own."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _traceback() -> str:
    return str(importlib.import_module("traceback").format_exc())


def _log(text: str) -> None:
    text = f"quantassay {__version__}, Python {sys.version}\n{withheld(text)}"
    try:
        descriptor, name = importlib.import_module("tempfile").mkstemp(prefix="assay-", suffix=".log")
        os.write(descriptor, text.encode(errors="backslashreplace"))
        os.close(descriptor)
    except OSError:
        click.echo(f"assay: no log could be written; send this with what you did\n{text}", err=True)
    else:
        click.echo(f"assay: the details are in {name}; send them with what you did", err=True)
