"""Options of the imports by hand, the same as those of the tools, and the exit code of each."""

from pathlib import Path
from typing import Any

import click

from quantassay.jobs import manual_options
from quantassay.jobs.manual_imports import ETF_NAV, LISTING, SHORT_BALANCE
from quantassay.terminal import Terminal


def _command(name: str, feed: str) -> click.Command:
    """The command of a feed, made of the options that its tool has too."""
    options = [
        click.Option([*one.spellings], help=one.help, default="", metavar=one.metavar)
        if one.metavar
        else click.Option([*one.spellings], help=one.help, is_flag=True)
        for one in manual_options.OPTIONS[feed]
    ]

    @click.pass_obj
    def run(terminal: Terminal, /, source: Path, **said: Any) -> int:
        code, words = manual_options.import_and_tell(terminal.folder, feed, source, said, terminal.loudness)
        if words:
            click.echo(words)
        return code

    params = [
        click.Argument(["source"], metavar="FILE", type=click.Path(path_type=Path)),
        *options,
        click.Option(["--format"], type=click.Choice(manual_options.FORMATS), default="text", show_default=True),
    ]
    return click.Command(name, callback=run, params=params, help=manual_options.TITLES[feed])


short_balance = _command("short-balance", SHORT_BALANCE)
etf_nav = _command("etf-nav", ETF_NAV)
listing = _command("listing", LISTING)
