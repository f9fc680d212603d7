"""What the numbers of the specs rest on: their status, their change notes, and what other values would have done."""

import importlib
from pathlib import Path

import click

_FOLDER = Path(__file__).parent / "calibrations"


class Calibrations(click.Group):
    """The commands are the files in calibrations/; a file is loaded only when its command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The files by name."""
        return sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != "__init__")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a file, loaded now; None where there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"quantassay.commands.calibrations.{cmd_name}").command
        return command


@click.group("calibration", cls=Calibrations, help=__doc__)
def command() -> None:
    """The commands of the folder."""
