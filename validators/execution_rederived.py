"""Every run is worked out a second time from the journal, event by event, and the execution report must say the same.

What a report says was traded is believed: a fill that it leaves out is looked for nowhere else.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R16.2"]
SAYS = "is not what the journal says"
AT_BROKER = ("SENT", "ACK", "UNKNOWN", "PARTIAL")
OVER = ("FILLED", "CANCELLED", "REJECTED")
# What may happen to an order in which state, and the state that it brings about where that is always the same.
STEPS: dict[str, tuple[tuple[str, ...], str]] = {
    "sent": (("INTENT",), "SENT"),
    "not_sent": (("SENT",), "INTENT"),
    "withdrawn": (("INTENT",), "CANCELLED"),
    "ack": (("SENT",), "ACK"),
    "unknown": (("SENT",), "UNKNOWN"),
    "found": (("SENT", "UNKNOWN"), "ACK"),
    "rejected": (("SENT", "ACK", "PARTIAL"), "REJECTED"),
    "not_placed": (("SENT", "UNKNOWN"), "REJECTED"),
    "cancel_sent": (("ACK", "PARTIAL"), ""),
    "cancel_answer": (("ACK", "PARTIAL"), ""),
    "cancelled": (("ACK", "PARTIAL"), "CANCELLED"),
    "fill": (AT_BROKER, "PARTIAL"),
}
MOVES = ("sent", "ack", "found", "unknown", "fill", "cancelled", "rejected", "not_placed")
ANSWERS = ("ack", "found", "unknown", "rejected", "not_placed")
BESIDE = ("halt", "resume", "armed", "disarmed", "break", "break_cleared", "external", "clearing")
CERTIFICATE = ("environment", "host", "transactions", "account", "key")
SUMMED = ("planned", "sent", "filled", "reference", "slippage", "expected_slippage", "fee", "tax")
COUNTED = ("lines", "orders", "lines_filled", "lines_part_filled", "lines_open", "bought", "sold", *SUMMED)
Row = dict[str, Any]


def check(
    execution_report: dict[str, Any],
    trading_journal: dict[str, Any],
    trading_reports: dict[str, Any],
    trading_calendar: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each field of the report."""
    zone = ZoneInfo(trading_calendar["zone"])
    events = [
        {**event, "at": datetime.fromisoformat(event["at"]).astimezone(zone).isoformat()}
        for event in trading_journal["events"]
    ]
    orders, wrong = _orders(events)
    runs = _runs(events)
    sessions = sorted({run["begun"]["body"]["session"] for run in runs}, reverse=True)[: trading_reports["sessions"]]
    rows = [
        _run(number, run, orders, runs, events)
        for number, run in enumerate(runs, start=1)
        if run["begun"]["body"]["session"] in sessions
    ][::-1]
    told = execution_report.get("problems")
    same = isinstance(told, list) and [(sorted(one), one.get("seq")) for one in told if isinstance(one, dict)] == [
        (["says", "seq"], seq) for seq in wrong
    ]
    totals = {name: sum(row["totals"][name] for row in rows) for name in COUNTED}
    expected = {
        "head": trading_journal["head"],
        "told": trading_reports["sessions"],
        "sessions": sessions,
        "earlier_runs": len(runs) - len(rows),
        "problems": told if same else [{"seq": seq} for seq in wrong],
        "totals": {**totals, "slippage_bps": _points(totals["slippage"], totals["reference"]), "runs": len(rows)},
        "runs": rows,
    }
    yield from agree(execution_report, expected, SAYS)


# ---- the journal, read by loops


def _orders(events: list[Row]) -> tuple[dict[str, Row], list[int]]:
    """Orders by name, as they stand after all that may happen to one; and the events that may not."""
    orders: dict[str, Row] = {}
    wrong = []
    for event in events:
        kind, body = event["kind"], event["body"]
        if kind == "intent":
            name = f"{body['plan'].removeprefix('sha256:')[:12]}-{body['line']:03d}-{body['attempt']}"
            if event["order"] in orders or name != event["order"]:
                wrong.append(event["seq"])
                continue
            start = {
                "state": "INTENT",
                "filled": 0,
                "amount": 0,
                "estimated": False,
                "number": "",
                "day": "",
                "why": "",
            }
            orders[name] = {**start, "intent": body, "account": event["account"], "events": [event]}
        elif kind in STEPS and not _step(orders.get(event["order"]), event):
            wrong.append(event["seq"])
    return orders, wrong


def _step(order: Row | None, event: Row) -> bool:
    """Let an event happen to its order; whether it may."""
    before, state = STEPS[event["kind"]]
    body = event["body"]
    if order is None or order["state"] not in before:
        return False
    if event["kind"] in ("fill", "cancelled"):
        whole = order["intent"]["quantity"]
        if not order["filled"] <= body["filled"] <= whole:
            return False
        order.update({name: body[name] for name in ("filled", "amount", "estimated")})
        state = "FILLED" if body["filled"] == whole else state
    if event["kind"] in ("ack", "found"):
        order.update(number=body["number"], day=body["day"])
    order["state"] = state or order["state"]
    order["why"] = body.get("why", "")
    order["events"].append(event)
    return True


def _runs(events: list[Row]) -> list[Row]:
    """Plans that were begun, in the order of their first start."""
    runs: dict[tuple[str, str], Row] = {}
    for event in events:
        if event["kind"] not in ("run_started", "run_done"):
            continue
        key = (event["account"], event["body"]["plan"])
        if event["kind"] == "run_started":
            run = runs.setdefault(key, {"key": key, "begun": event, "starts": 0, "plan": {}, "done": None})
            run["starts"], run["done"], run["last"] = run["starts"] + 1, None, event
            run["plan"] = run["plan"] or event["body"].get("data") or {}
        elif key in runs:
            runs[key]["done"] = event
    return list(runs.values())


def _which(order: Row, *kinds: str) -> list[Row]:
    return [event for event in order["events"] if event["kind"] in kinds]


# ---- a run


def _run(number: int, run: Row, orders: dict[str, Row], runs: list[Row], events: list[Row]) -> Row:
    account, digest = run["key"]
    begun, done, plan = run["begun"], run["done"], run["plan"]
    body = begun["body"]
    certificate = {name: (body.get("certificate") or {}).get(name) for name in CERTIFICATE}
    mine = [one for one in orders.values() if (one["account"], one["intent"]["plan"]) == run["key"]]
    lines = [_line(row, mine, run) for row in _planned(plan, mine)]
    end = done["seq"] if done else events[-1]["seq"]
    beside = [
        e for e in events if begun["seq"] < e["seq"] < end and e["kind"] in BESIDE and e["account"] in ("", account)
    ]
    return {
        "number": number,
        "seq": begun["seq"],
        "account": account,
        "environment": certificate["environment"],
        "plan": digest,
        **{name: body.get(name) or None for name in ("plan_id", "record", "session")},
        "signal_session": plan.get("signal_session"),
        "started_at": begun["at"],
        "starts": run["starts"],
        "clearing": plan.get("clearing") is True,
        "reduce_only": run["last"]["body"].get("reduce_only", False),
        "done_seq": done["seq"] if done else None,
        "done_at": done["at"] if done else None,
        "outcome": done["body"]["outcome"] if done else None,
        "certificate": certificate,
        "totals": _totals(lines),
        "cash": _cash(run, mine, orders, runs, events),
        "lines": lines,
        "events": [
            {
                "seq": e["seq"],
                "at": e["at"],
                "kind": e["kind"],
                **{name: e["body"].get(name) for name in ("ticker", "by", "why")},
            }
            for e in beside
        ],
    }


def _planned(plan: Row, mine: list[Row]) -> list[Row]:
    """The lines of the plan, and behind them those that only an order knows."""
    rows = list(plan.get("orders", []))
    for order in mine:
        own = order["intent"]
        if own["line"] not in [row["line"] for row in rows]:
            named = {name: own[name] for name in ("line", "ticker", "side")}
            rows.append({**named, "quantity": 0, "reference_close": own["reference_price"]})
    return rows


def _line(row: Row, mine: list[Row], run: Row) -> Row:
    own = [order for order in mine if order["intent"]["line"] == row["line"]]
    worth = [_worth(o["intent"]["side"], o["filled"], o["amount"], row["reference_close"], run["plan"]) for o in own]
    filled, amount = sum(o["filled"] for o in own), sum(o["amount"] for o in own if o["filled"])
    sums = {name: sum(one[name] for one in worth) for name in ("slippage", "expected_slippage", "fee", "tax")}
    sent, before = 0, 0
    for order in own:
        if _which(order, "sent") and order["state"] != "INTENT":
            sent = max(sent, before + order["intent"]["quantity"])
        before += order["filled"]
    fills = [_which(order, "fill", "cancelled")[-1]["seq"] for order in own if order["filled"]]
    reason = row.get("reason") or {}
    said: Row = {}
    for one in run["done"]["body"].get("lines", []) if run["done"] else []:
        said = one if one["line"] == row["line"] else said
    state, price = _stands(row["quantity"], filled, own), None
    if filled:
        price = str((Decimal(amount) / filled).quantize(Decimal("0.0001"), ROUND_HALF_EVEN))
    return {
        "line": row["line"],
        "run_seq": run["begun"]["seq"],
        "ticker": row["ticker"],
        "name": row.get("name"),
        "side": row["side"],
        "rule": reason.get("rule"),
        "because": reason.get("because", []),
        "planned": row["quantity"],
        "reference": row["reference_close"],
        "limit_price": row.get("limit_price"),
        "state": "left_out" if state == "not_sent" and said.get("state") == "left_out" else state,
        "why": said.get("why") or None,
        "sent": sent,
        "filled": filled,
        "unfilled": row["quantity"] - filled if row["quantity"] > filled else 0,
        "amount": amount,
        "estimated": True in [order["estimated"] for order in own],
        "average_price": price,
        **sums,
        "slippage_bps": _points(sums["slippage"], filled * row["reference_close"]),
        "fill_seq": fills[-1] if fills else None,
        "orders": [_order(order) for order in own],
    }


def _stands(planned: int, filled: int, own: list[Row]) -> str:
    states = [order["state"] for order in own]
    for state in states:
        if state == "UNKNOWN":
            return "unknown"
    if [state for state in states if state in AT_BROKER]:
        return "open"
    if filled:
        return "part_filled" if filled != planned else "filled"
    if not [order for order in own if _which(order, "sent")] or states[-1] not in OVER:
        return "not_sent"
    return "rejected" if states[-1] == "REJECTED" else "not_filled"


def _order(order: Row) -> Row:
    intent, events = order["intent"], order["events"]
    sent, answers, sums = _which(order, "sent"), _which(order, *ANSWERS), _which(order, "fill", "cancelled")
    unknown, fills = _which(order, "unknown"), _which(order, "fill")
    return {
        "order": events[0]["order"],
        "seq": events[0]["seq"],
        **{name: intent[name] for name in ("attempt", "quantity", "limit_price")},
        **{name: order[name] for name in ("state", "filled", "amount", "estimated")},
        **{name: order[name] or None for name in ("number", "day", "why")},
        "tries": len(sent),
        "intended_at": events[0]["at"],
        "sent_at": sent[-1]["at"] if sent else None,
        "answer": answers[-1]["kind"] if answers else None,
        "answered_at": answers[-1]["at"] if answers else None,
        "unknown_at": unknown[0]["at"] if unknown else None,
        "resolved_by": answers[-1]["body"].get("by") if answers else None,
        "first_filled_at": fills[0]["at"] if fills else None,
        "changed_at": events[-1]["at"],
        "fill_seq": sums[-1]["seq"] if sums else None,
        "cancel_sent": bool(_which(order, "cancel_sent")),
    }


# ---- money


def _worth(side: str, shares: int, amount: int, close: int, plan: Row) -> Row:
    """What fills of one order were worth; nothing for none."""
    if not shares:
        return dict.fromkeys(("reference", "slippage", "expected_slippage", "fee", "tax"), 0)
    rate = {name: Decimal(value or 0) / 10_000 for name, value in (plan.get("costs") or {}).items()}
    value, decided = Decimal(amount), Decimal(shares * close)
    lost = amount - shares * close
    return {
        "reference": shares * close,
        "slippage": lost if side == "buy" else -lost,
        "expected_slippage": _up(decided * rate.get("slippage_bps", Decimal(0))),
        "fee": _up(value * rate.get("fee_bps", Decimal(0))),
        "tax": _up(value * rate.get("sell_tax_bps", Decimal(0))) if side == "sell" else 0,
    }


def _up(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))


def _points(won: int, of: int) -> str | None:
    if not of:
        return None
    points = (Decimal(won) * 10_000 / of).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    return str(points or abs(points))


def _totals(lines: list[Row]) -> Row:
    states = [line["state"] for line in lines]
    totals = {name: sum(line[name] for line in lines) for name in SUMMED if name != "reference"}
    reference = sum(line["filled"] * line["reference"] for line in lines)
    return {
        **totals,
        "lines": len(lines),
        "orders": sum(len(line["orders"]) for line in lines),
        "lines_filled": states.count("filled"),
        "lines_part_filled": states.count("part_filled"),
        "lines_open": states.count("open") + states.count("unknown"),
        "bought": sum(line["amount"] for line in lines if line["side"] == "buy"),
        "sold": sum(line["amount"] for line in lines if line["side"] == "sell"),
        "reference": reference,
        "slippage_bps": _points(totals["slippage"], reference),
    }


def _cash(run: Row, mine: list[Row], orders: dict[str, Row], runs: list[Row], events: list[Row]) -> Row:
    told = {"before": None, "after": None, **dict.fromkeys(("bought", "sold", "costs", "estimated_costs"))}
    moved = [event["seq"] for order in mine for event in _which(order, *MOVES)]
    first = min((event["seq"] for order in mine for event in _which(order, "sent")), default=None)
    if first is None:
        return {**told, "why": "nothing_sent"}
    account = run["key"][0]
    near = [event for event in events if event["account"] == account]
    earlier = [event for event in near if event["kind"] == "book" and event["seq"] < first]
    later = [event for event in near if event["kind"] == "book" and event["seq"] > max(moved)]
    told |= {"before": _book(earlier[-1:]), "after": _book(later[:1])}
    if [order for order in mine if order["state"] in AT_BROKER]:
        return {**told, "why": "open"}
    if not earlier or not later:
        return {**told, "why": "no_book"}
    one, other = earlier[-1]["seq"], later[0]["seq"]
    own = [order for order in orders.values() if order["account"] == account]
    if [order for order in own if _was(order, other) in AT_BROKER]:
        return {**told, "why": "open"}
    between = [event for event in near if one < event["seq"] < other]
    if "external" in [event["kind"] for event in between]:
        return {**told, "why": "external"}
    if [e for e in between if e["kind"] in ("fill", "cancelled") and e["body"]["estimated"]]:
        return {**told, "why": "estimated"}
    plans = {found["key"]: found["plan"] for found in runs}
    money = {"buy": [0, 0], "sell": [0, 0]}
    for order in own:
        (before, paid), (after, amount) = _sums(order, one + 1), _sums(order, other)
        intent = order["intent"]
        worth = _worth(intent["side"], after - before, amount - paid, 1, plans.get((account, intent["plan"]), {}))
        money[intent["side"]][0] += amount - paid
        money[intent["side"]][1] += worth["fee"] + worth["tax"]
    (bought, buying), (sold, selling) = money["buy"], money["sell"]
    costs = earlier[-1]["body"]["cash"] - bought + sold - later[0]["body"]["cash"]
    return {**told, "why": None, "bought": bought, "sold": sold, "costs": costs, "estimated_costs": buying + selling}


def _was(order: Row, seq: int) -> str:
    """The state of an order before an event."""
    past: Row = {**order, "state": "", "filled": 0, "events": []}
    for event in order["events"]:
        if event["seq"] < seq and (event["kind"] == "intent" or not _step(past, event)):
            past["state"] = "INTENT"
    return str(past["state"])


def _sums(order: Row, seq: int) -> tuple[int, int]:
    """Shares and won that were filled of an order before an event."""
    sums = [event["body"] for event in _which(order, "fill", "cancelled") if event["seq"] < seq]
    return (sums[-1]["filled"], sums[-1]["amount"]) if sums else (0, 0)


def _book(found: list[Row]) -> Row | None:
    if not found:
        return None
    said = found[0]["body"]
    money = {name: said.get(name) for name in ("cash", "deposit", "equity", "pages")}
    return {"seq": found[0]["seq"], "at": found[0]["at"], **money, "positions": len(said["positions"])}
