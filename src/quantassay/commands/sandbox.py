"""Run a practice server of the broker on this machine, with faults on demand.

It answers like KIS's virtual server, for one account of this desk, on the desk's own bars, and keeps nothing. On a
sample desk its clock begins with the session that the desk plans for; say --at for another instant.
"""

import importlib
from pathlib import Path

import click

from quantassay.errors import AssayError
from quantassay.terminal import Terminal

_EXTRA = ("starlette", "uvicorn")


class NoSandbox(AssayError):
    """The libraries that the practice server runs on are not installed."""

    def __init__(self) -> None:
        super().__init__("the practice server needs the extra `sandbox`: `pip install quantassay[sandbox]`")


@click.command("sandbox", help=__doc__)
@click.option("--port", type=click.IntRange(1, 65535), help="Listen there (default: spec/28_brokers.yaml).")
@click.option("--faults", type=click.Path(path_type=Path), metavar="PLAN", help="What shall go wrong, and when.")
@click.option("--at", default="", metavar="INSTANT", help="What its clock shows at first.")
@click.option("--account", default="", metavar="ID", help="Whose cash and holdings (default: the rehearsal account).")
@click.pass_obj
def command(terminal: Terminal, port: int | None, faults: Path | None, at: str, account: str) -> int:
    try:
        job = importlib.import_module("quantassay.sandbox.rehearse")
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] in _EXTRA:
            raise NoSandbox from None
        raise
    wanted = job.Wanted(port or 0, faults, at, account)
    job.run(terminal.folder, wanted, click.echo, tell=terminal.loudness >= 0)
    return 0
