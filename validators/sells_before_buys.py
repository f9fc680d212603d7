"""No buy is sent while a sell of its run is still at the broker, so that buys are paid from cash that is there.

Cash that a sell has yet to bring may never come.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R16.7"]
AT_BROKER = ("sent", "ack", "found", "unknown", "fill")


def check(trading_journal: dict[str, Any]) -> Iterator[Judged]:
    """Judges every buy when it was sent, against all sells of the same run."""
    orders: dict[str, tuple[tuple[str, str], dict[str, Any]]] = {}
    sells: dict[tuple[str, str], list[str]] = {}
    stands: dict[str, str] = {}
    for event in trading_journal["events"]:
        kind, name, body = event["kind"], event["order"], event["body"]
        if kind == "intent":
            run = (event["account"], body["plan"])
            orders.setdefault(name, (run, body))
            if body["side"] == "sell":
                sells.setdefault(run, []).append(name)
        run, order = orders.get(name, (("", ""), {}))
        if kind == "sent" and order.get("side") == "buy":
            open_ = [one for one in sells.get(run, []) if stands.get(one) in AT_BROKER]
            says = f"the buy {name} was sent while {', '.join(open_)} had not ended"
            yield judged(f"/events/{event['seq']}/kind", ok=not open_, says=says)
        if name and kind not in ("cancel_sent", "cancel_answer"):
            stands[name] = "filled" if kind == "fill" and body["filled"] == order.get("quantity") else kind
