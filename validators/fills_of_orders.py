"""Every fill belongs to an order that was sent, is never more than it, never less than before, at its limit or better.

A fill that belongs to nothing is a trade that nobody decided.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R16.5"]


def check(trading_journal: dict[str, Any]) -> Iterator[Judged]:
    """Judges every sum of fills: its order, its shares, its won."""
    orders: dict[str, dict[str, Any]] = {}
    sent: set[str] = set()
    last: dict[str, dict[str, Any]] = {}
    for event in trading_journal["events"]:
        kind, name, body = event["kind"], event["order"], event["body"]
        if kind == "intent":
            orders.setdefault(name, body)
        if kind == "sent":
            sent.add(name)
        if kind not in ("fill", "cancelled"):
            continue
        place, order = f"/events/{event['seq']}/body", orders.get(name)
        known = order is not None and name in sent
        yield judged(
            f"{place}/filled", ok=known, says=f"{name or 'no order'} is filled, and was never sent", actual=name
        )
        if order is None:
            continue
        before = last.get(name, {"filled": 0, "amount": 0, "estimated": False})
        last[name] = body
        says = f"{body['filled']} shares of {name} are filled after {before['filled']}, of {order['quantity']}"
        inside = before["filled"] <= body["filled"] <= order["quantity"]
        yield judged(f"{place}/filled", ok=inside, says=says, expected=order["quantity"], actual=body["filled"])
        falls = body["amount"] < before["amount"] and not before["estimated"]
        says = f"the fills of {name} came to {before['amount']} won before"
        yield judged(f"{place}/amount", ok=not falls, says=says, expected=before["amount"], actual=body["amount"])
        limit = body["filled"] * order["limit_price"]
        better = body["amount"] <= limit if order["side"] == "buy" else body["amount"] >= limit
        says = f"the fills of {name} came to more than its limit allows, or a sell's to less"
        fits = body["estimated"] or (better and (body["amount"] > 0) == (body["filled"] > 0))
        yield judged(f"{place}/amount", ok=fits, says=says, expected=limit, actual=body["amount"])
