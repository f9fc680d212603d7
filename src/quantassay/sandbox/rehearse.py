"""Runs the practice server of a workspace until somebody ends it, and tells each request and the books at the end."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quantassay.jobs.clock import SystemClock
from quantassay.kis.rehearsal import ACCOUNT
from quantassay.sandbox.exchange import Exchange
from quantassay.sandbox.faults import read_plan
from quantassay.sandbox.reply import Logged
from quantassay.sandbox.serve import Server, serve
from quantassay.sandbox.workspace import Rehearsal, rehearsal


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for on the command line; `port` 0 is the one of spec/28_brokers.yaml."""

    port: int = 0
    faults: Path | None = None
    at: str = ""
    account: str = ""


def run(folder: Path, wanted: Wanted, say: Callable[[str], object], *, tell: bool) -> None:
    """Serve until interrupted; `tell`: every request is said. Raises what `rehearsal`, `read_plan` and `serve` do."""
    plan = read_plan(wanted.faults) if wanted.faults else ()
    made = rehearsal(folder, wanted.account, wanted.at)
    heard: Callable[[Logged], object] | None = (lambda one: say(line(made.exchange, one))) if tell else None
    with serve(made.exchange, wanted.port or made.port, faults=plan, wall=SystemClock(), heard=heard) as server:
        for text in _greeting(server, made, len(plan)):
            say(text)
        _until_ended()
        say(books(server.exchange))


def _until_ended() -> None:
    """Wait for ctrl-c or for a signal to end, also where a shell began it with ctrl-c switched off."""
    ended = threading.Event()
    before = {one: signal.signal(one, lambda *_: ended.set()) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        ended.wait()
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _greeting(server: Server, made: Rehearsal, faults: int) -> list[str]:
    begins = made.begins.isoformat(timespec="seconds")
    says = [
        f"practice server at {server.url}; its clock shows {begins}",
        f"account {made.account}: {made.cash:,} won, {made.holdings} holdings; {made.names} names trade",
    ]
    if faults:
        says.append(f"{faults} rows of faults will strike")
    hint = f" --at {begins}" if made.is_sample else ""
    return [*says, f"next, elsewhere: assay trade next-open --account {made.account}{hint}; ctrl-c here ends it"]


def line(exchange: Exchange, one: Logged) -> str:
    """A request in one line: when, what, for which name, how it was answered, and what struck it."""
    when = exchange.tape.local(one.at)
    ticker = one.asked.get("PDNO") or one.asked.get("FID_INPUT_ISCD") or ""
    struck = f" ({', '.join(one.faults)})" if one.faults else ""
    return f"{when:%H:%M:%S} {one.call:12} {ticker:8} {one.outcome}{struck}"


def books(exchange: Exchange) -> str:
    """What the account has come to; nothing of it is kept."""
    orders = [one for one in exchange.orders(ACCOUNT) if not one.origin]
    filled = sum(one.filled == one.quantity for one in orders)
    held = len(exchange.positions(ACCOUNT))
    cash = exchange.cash(ACCOUNT)
    return f"{len(orders)} orders, {filled} of them filled; {held} holdings, {cash:,} won; nothing of it is kept"
