"""Send a plan's orders, each once; say for which accounts; take back what stands.

Nothing is sent without --send.
"""

import importlib
from pathlib import Path

import click

_FOLDER = Path(__file__).parent / "trades"


class Trades(click.Group):
    """The commands are the files in trades/; a file is loaded only when its command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The files by name, as they are spoken."""
        return sorted(path.stem.replace("_", "-") for path in _FOLDER.glob("*.py") if path.stem != "__init__")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a file, loaded now; None where there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        stem = cmd_name.replace("-", "_")
        command: click.Command = importlib.import_module(f"quantassay.commands.trades.{stem}").command
        return command


@click.group("trade", cls=Trades, help=__doc__)
def command() -> None:
    """The commands of the folder."""
