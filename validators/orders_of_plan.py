"""Every order carries out a line of a plan that the gate let out: its name, its side, no more shares, no worse limit.

A plan is what somebody decided and the gate passed; an order beyond it was decided by nobody.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R16.6"]


def check(trading_journal: dict[str, Any]) -> Iterator[Judged]:
    """Judges every start of a run, and every intent against the plan of its run as it stands in the journal."""
    cleared: set[str] = set()
    plans: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
    going: set[tuple[str, str]] = set()
    lines: dict[tuple[Any, ...], list[str]] = {}
    filled: dict[str, int] = {}
    for event in trading_journal["events"]:
        kind, name, body = event["kind"], event["order"], event["body"]
        if kind == "clearing":
            cleared.add(event["account"])
        elif kind == "run_started":
            # What a person clears by hand has no gate before it, and he has said so in the journal.
            let_out = bool(body.get("record")) or event["account"] in cleared
            says = "a plan was begun that no gate record let out"
            yield judged(f"/events/{event['seq']}/body/record", ok=let_out, says=says, actual=body.get("record"))
            going.add((event["account"], body["plan"]))
            if body.get("data"):
                rows = {row["line"]: row for row in body["data"].get("orders", [])}
                plans.setdefault((event["account"], body["plan"]), rows)
        elif kind == "run_done":
            going.discard((event["account"], body["plan"]))
        elif kind in ("fill", "cancelled"):
            filled[name] = body["filled"]
        elif kind == "intent":
            key = (event["account"], body["plan"])
            place, row = f"/events/{event['seq']}/body", plans.get(key, {}).get(body["line"])
            says = f"order {name} was made for a plan that was not being carried out"
            yield judged(f"{place}/plan", ok=key in going, says=says, actual=body["plan"])
            says = f"order {name} is for line {body['line']}, which its plan does not have"
            yield judged(f"{place}/line", ok=row is not None, says=says, actual=body["line"])
            attempts = lines.setdefault((*key, body["line"]), [])
            earlier = sum(filled.get(one, 0) for one in attempts)
            attempts.append(name)
            if row is not None:
                yield from _agrees(place, name, body, row, earlier)


def _agrees(place: str, name: str, body: dict[str, Any], row: dict[str, Any], earlier: int) -> Iterator[Judged]:
    """Whether an order is for what its line says; `earlier` shares of it are filled."""
    for member, planned in (("ticker", "ticker"), ("side", "side"), ("reference_price", "reference_close")):
        says = f"order {name} has another {member.replace('_', ' ')} than its line"
        same = body[member] == row[planned]
        yield judged(f"{place}/{member}", ok=same, says=says, expected=row[planned], actual=body[member])
    left = row["quantity"] - earlier
    says = f"order {name} is for {body['quantity']} shares, and its line has {left} left"
    yield judged(
        f"{place}/quantity", ok=0 < body["quantity"] <= left, says=says, expected=left, actual=body["quantity"]
    )
    limit, planned = body["limit_price"], row["limit_price"]
    says = f"order {name} has a worse limit than its line"
    kept = limit <= planned if row["side"] == "buy" else limit >= planned
    yield judged(f"{place}/limit_price", ok=kept, says=says, expected=planned, actual=limit)
