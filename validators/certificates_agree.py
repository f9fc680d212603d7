"""Every order was sent under the certificate of its run, and an account stays the same account of the same environment.

Host, kind of transaction, account and key that do not belong together are how a rehearsal reaches real money.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R16.9"]
# What the transactions of each environment begin with: nothing leaves the desk in the first two.
LETTERS = {"sample": "", "paper": "", "rehearsal": "V", "virtual": "V", "real": "T"}


def check(trading_journal: dict[str, Any]) -> Iterator[Judged]:
    """Judges the certificate of every run, every order and every reading of an account."""
    runs: dict[tuple[str, str], Any] = {}
    accounts: dict[str, tuple[Any, Any]] = {}
    for event in trading_journal["events"]:
        kind, account, body = event["kind"], event["account"], event["body"]
        if kind not in ("run_started", "intent", "book"):
            continue
        place, own = f"/events/{event['seq']}/body/certificate", body.get("certificate") or {}
        if kind == "run_started":
            runs[account, body["plan"]] = own
        if kind == "intent":
            run = runs.get((account, body["plan"]))
            says = f"order {event['order']} bears another certificate than its run"
            yield judged(place, ok=bool(own) and own == run, says=says, expected=run, actual=own)
        named = (own.get("environment"), own.get("account"))
        known = accounts.setdefault(account, named)
        says = f"{account} was another account, or one of another environment, before"
        yield judged(f"{place}/account", ok=named == known, says=says, expected=known, actual=named)
        letter = LETTERS.get(str(own.get("environment")))
        says = f"the transactions are not those of the environment {own.get('environment')}"
        right = letter is not None and own.get("transactions") == letter
        yield judged(f"{place}/transactions", ok=right, says=says, expected=letter, actual=own.get("transactions"))
