"""Print the completion script for a shell.

For bash: eval "$(assay completion bash)"
"""

import click
from click.shell_completion import get_completion_class


@click.command("completion", help=__doc__)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"there is no completion for {shell}")
    click.echo(made(ctx.find_root().command, {}, "assay", "_ASSAY_COMPLETE").source())
    return 0
