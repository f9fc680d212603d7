"""Each name of the account has one row of sell inputs with its shares, by ticker, and no other name has one.

A holding that is left out is never looked at again, and one that is not held can only mislead.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R11.1"]


def check(qualitative_sell_inputs: dict[str, Any], account_snapshot: dict[str, Any]) -> Iterator[Judged]:
    """Judges the account, the list of names, and the shares of each."""
    account = {name: account_snapshot[name] for name in ("id", "environment", "as_of")}
    shown = qualitative_sell_inputs.get("account")
    yield judged("/account", ok=shown == account, says="is not the account", expected=account, actual=shown)
    shares: dict[str, Decimal] = {}
    for lot in account_snapshot["holdings"]:
        shares[lot["ticker"]] = shares.get(lot["ticker"], Decimal(0)) + Decimal(lot["quantity"])
    rows = qualitative_sell_inputs["holdings"]
    tickers = [row.get("ticker") for row in rows]
    says = "the rows are not the names held, each once and by ticker"
    yield judged("/holdings", ok=tickers == sorted(shares), says=says, expected=sorted(shares), actual=tickers)
    for index, row in enumerate(rows):
        held, quantity = shares.get(str(row.get("ticker"))), row.get("quantity")
        # A whole number of shares is a number, a fraction of one is text.
        whole = held is not None and held == held.to_integral_value()
        ok = type(quantity) is (int if whole else str) and held is not None and Decimal(quantity) == held
        says = f"so many shares of {row.get('ticker')} are not held"
        yield judged(f"/holdings/{index}/quantity", ok=ok, says=says, expected=held, actual=quantity)
