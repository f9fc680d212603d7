"""Bring data from outside into the workspace; bad files go to quarantine with the reason."""

import importlib

import click

# Each is loaded when it is asked for: the imports of a market need what those by hand do not.
_COMMANDS = {
    "bars": "market:bars",
    "universe": "market:universe",
    "quotes": "market:quotes",
    "holidays": "holidays:holidays",
    "short-balance": "manual:short_balance",
    "etf-nav": "manual:etf_nav",
    "listing": "manual:listing",
}


class Imports(click.Group):
    """What can be imported, by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order in which a desk needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command of this name, loaded now; None where there is none."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(f"quantassay.commands.imports.{module}"), name)
        return command


@click.group("import", cls=Imports, help=__doc__)
def command() -> None:
    """The commands of `_COMMANDS`."""
