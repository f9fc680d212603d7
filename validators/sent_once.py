"""No order is sent twice: one intent a key, one order a name at a time, and nothing again that may have been taken.

A broker that knows no name of ours for an order carries out every copy that it is given.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R16.4"]
AT_BROKER = ("sent", "ack", "found", "unknown", "fill")
# What may have become of an order for it to be sent: it was written down, or it is certain that nothing was processed.
WAITS = ("intent", "not_sent")


def check(trading_journal: dict[str, Any]) -> Iterator[Judged]:
    """Judges every intent, every sending and every number that a broker gave."""
    stands: dict[str, str] = {}
    names: dict[str, tuple[str, str]] = {}
    same: dict[tuple[str, str], set[str]] = {}
    whole: dict[str, int] = {}
    keys: dict[tuple[Any, ...], str] = {}
    numbers: dict[tuple[str, str, str], str] = {}
    leases: dict[str, int] = {}
    for event in trading_journal["events"]:
        place, kind, name, body = f"/events/{event['seq']}", event["kind"], event["order"], event["body"]
        if kind == "lease":
            leases[event["account"]] = body["fence"]
        if kind == "intent":
            key = (event["account"], body["plan"], body["line"], body["attempt"])
            says = f"order {name} has the key of {keys.get(key, name)}: it would be sent twice"
            yield judged(f"{place}/order", ok=key not in keys and name not in stands, says=says, actual=name)
            before = keys.get((*key[:3], body["attempt"] - 1))
            over = body["attempt"] == 1 if before is None else stands[before] not in (*AT_BROKER, *WAITS)
            says = f"order {name} is attempt {body['attempt']} while the one before it is not over"
            yield judged(f"{place}/body/attempt", ok=over, says=says, actual=body["attempt"])
            keys.setdefault(key, name)
            names[name], whole[name] = (event["account"], body["ticker"]), body["quantity"]
        if kind == "sent":
            waits = stands.get(name) in WAITS
            says = f"order {name} was sent although it was not written down, or may have been taken already"
            yield judged(f"{place}/kind", ok=waits, says=says, actual=stands.get(name))
            own = names.get(name, ("", ""))
            others = sorted(same.get(own, set()) - {name})
            says = f"order {name} was sent while {', '.join(others)} stood for the same name"
            yield judged(f"{place}/order", ok=not others, says=says)
            fence, newest = body.get("fence"), leases.get(event["account"])
            says = f"order {name} was sent under the lease {fence}, and somebody had taken {newest}"
            yield judged(f"{place}/body/fence", ok=fence in (None, newest), says=says, expected=newest, actual=fence)
        if kind in ("ack", "found"):
            number = (event["account"], body["day"], body["number"].lstrip("0"))
            says = f"the broker's number {body['number']} is that of {numbers.get(number)} as well"
            yield judged(f"{place}/body/number", ok=numbers.setdefault(number, name) == name, says=says)
        if name and kind not in ("cancel_sent", "cancel_answer"):
            is_whole = kind == "fill" and body["filled"] == whole.get(name)
            stands[name] = "filled" if is_whole else kind
            at_broker = same.setdefault(names.get(name, ("", "")), set())
            (at_broker.add if stands[name] in AT_BROKER else at_broker.discard)(name)
