"""Nothing was sent while trading was halted, for an account that was not armed, outside of a run, or for a locked name.

Each of these is somebody's word that orders must wait; an order that does not makes the word worthless.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R16.8"]
# Which events put something in force, which take it away, and what it is of beside the account.
SWITCHES = {"armed": ("armed", ""), "run": ("run_started", "plan"), "break": ("break", "ticker")}
ENDS = {"disarmed": ("armed", ""), "run_done": ("run", "plan"), "break_cleared": ("break", "ticker")}
# These say nothing of whether an order was taken.
SILENT = ("cancel_sent", "cancel_answer")


def check(trading_journal: dict[str, Any]) -> Iterator[Judged]:
    """Judges every sending by all that stood at its moment."""
    halts: set[str] = set()
    on: set[tuple[str, str, str]] = set()
    orders: dict[str, dict[str, Any]] = {}
    unknown: dict[str, tuple[str, str]] = {}
    for event in trading_journal["events"]:
        kind, name, body = event["kind"], event["order"], event["body"]
        if kind in ("halt", "resume"):
            halts = halts | {body["level"]} if kind == "halt" else set()
        if kind == "intent":
            orders.setdefault(name, body)
        if kind == "sent" and name in orders:
            yield from _judged(event, orders[name], (halts, on, unknown))
        _switch(event, on)
        if kind == "unknown" and name in orders:
            unknown[name] = (event["account"], orders[name]["ticker"])
        elif name and kind not in SILENT:
            unknown.pop(name, None)


def _switch(event: dict[str, Any], on: set[tuple[str, str, str]]) -> None:
    """Put in force, or take away, what an event says."""
    for what, (begins, member) in SWITCHES.items():
        if event["kind"] == begins:
            on.add((what, event["account"], event["body"][member] if member else ""))
    if event["kind"] in ENDS:
        what, member = ENDS[event["kind"]]
        on.discard((what, event["account"], event["body"][member] if member else ""))


def _judged(event: dict[str, Any], order: dict[str, Any], stood: tuple[Any, ...]) -> Iterator[Judged]:
    halts, on, unknown = stood
    account, name, ticker = event["account"], event["order"], order["ticker"]
    held = halts & ({"all", "buys"} if order["side"] == "buy" else {"all"})
    waiting = [one for one, other in unknown.items() if other == (account, ticker) and one != name]
    for place, ok, says in (
        ("kind", not held, f"{name} was sent while trading was halted"),
        ("account", ("armed", account, "") in on, f"{name} was sent for {account}, which was not armed"),
        ("order", ("run", account, order["plan"]) in on, f"{name} was sent while its plan was not being carried out"),
        ("body", ("break", account, ticker) not in on, f"{name} was sent while {ticker} was locked by a break"),
        ("seq", not waiting, f"{name} was sent while nobody knew what became of {', '.join(waiting)}"),
    ):
        yield judged(f"/events/{event['seq']}/{place}", ok=ok, says=says)
