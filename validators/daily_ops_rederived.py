"""Every day and all that waits for a person are worked out a second time from the journal, and must come out the same.

A halt, a break or an unknown order that a page passes over stands until somebody trades into it.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R16.3"]
SAYS = "is not what the journal says"
LISTED = frozenset(
    {
        *("run_started", "run_done", "armed", "disarmed", "halt", "resume"),
        *("break", "break_cleared", "external", "clearing", "unknown", "found", "not_placed"),
    }
)
COUNTED = LISTED | {
    *("intent", "sent", "not_sent", "withdrawn", "ack", "fill", "cancel_sent", "cancelled", "rejected", "book")
}
SAID = ("ticker", "side", "quantity", "amount", "ours", "theirs", "number", "level", "by", "why")
OF_A_RUN = ("plan_id", "outcome", "continued")
# The states in which an order is at the broker or may be, with the events that lead there and those that lead away.
COMES = {"sent": "SENT", "ack": "ACK", "found": "ACK", "unknown": "UNKNOWN", "fill": "PARTIAL"}
GOES = ("not_sent", "withdrawn", "cancelled", "rejected", "not_placed")
Row = dict[str, Any]


def check(
    daily_ops: dict[str, Any],
    trading_journal: dict[str, Any],
    trading_reports: dict[str, Any],
    trading_calendar: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each field of each day, and of how the desk stands."""
    zone = ZoneInfo(trading_calendar["zone"])
    events = [
        {**event, "at": datetime.fromisoformat(event["at"]).astimezone(zone).isoformat()}
        for event in trading_journal["events"]
    ]
    plans = {
        (e["account"], e["body"]["plan"]): e["body"]["data"]
        for e in reversed(events)
        if e["kind"] == "run_started" and e["body"].get("data")
    }
    days: dict[str, list[Row]] = {}
    for event in events:
        days.setdefault(_day(event), []).append(event)
    listed = sorted(days)[-trading_reports["days"] :][::-1]
    traded = _traded(events, plans)
    now = _now(events)
    expected = {
        "head": trading_journal["head"],
        "zone": trading_calendar["zone"],
        "told": trading_reports["days"],
        "earlier_days": len(days) - len(listed),
        "problems": trading_journal["problems"],
        "now": now,
        "attention": _attention(now),
        "days": [
            {
                "day": day,
                "is_session": day in trading_calendar["sessions"],
                "counts": _counts(days[day]),
                "accounts": _accounts(day, days[day], traded),
                "events": [_listed(event) for event in days[day] if event["kind"] in LISTED],
            }
            for day in listed
        ],
    }
    yield from agree(daily_ops, expected, SAYS)


def _day(event: Row) -> str:
    return str(event["at"][:10])


def _counts(events: list[Row]) -> dict[str, int]:
    counts = dict.fromkeys(COUNTED, 0)
    for event in events:
        if event["kind"] in counts:
            counts[event["kind"]] += 1
    return {**counts, "events": len(events)}


def _listed(event: Row) -> Row:
    named = {name: event["body"].get(name) for name in (*SAID, *OF_A_RUN)}
    placed = {name: event[name] or None for name in ("account", "order")}
    return {"seq": event["seq"], "at": event["at"], "kind": event["kind"], **placed, **named}


# ---- money


def _traded(events: list[Row], plans: dict[tuple[str, str], Row]) -> dict[tuple[str, str], Row]:
    """By day and account what was filled: of each order, what every sum says beyond the one before it."""
    intents: dict[str, Row] = {}
    sums: dict[str, tuple[int, int]] = {}
    found: dict[tuple[str, str], Row] = {}
    for event in events:
        name, body = event["order"], event["body"]
        if event["kind"] == "intent":
            intents.setdefault(name, event)
        if event["kind"] not in ("fill", "cancelled") or name not in intents:
            continue
        shares, amount = sums.get(name, (0, 0))
        if body["filled"] <= shares:
            continue
        sums[name] = (body["filled"], body["amount"])
        intent = intents[name]
        costs = plans.get((intent["account"], intent["body"]["plan"]), {}).get("costs") or {}
        day = found.setdefault((_day(event), intent["account"]), _nothing())
        _add(day, intent["body"], (body["filled"] - shares, body["amount"] - amount), costs)
    return found


def _nothing() -> Row:
    return dict.fromkeys(("bought", "sold", "slippage", "expected_slippage", "fee", "tax", "reference"), 0)


def _add(day: Row, intent: Row, part: tuple[int, int], costs: Row) -> None:
    shares, amount = part
    decided = shares * intent["reference_price"]
    is_buy = intent["side"] == "buy"
    day["bought" if is_buy else "sold"] += amount
    day["reference"] += decided
    day["slippage"] += amount - decided if is_buy else decided - amount
    day["expected_slippage"] += _rated(decided, costs.get("slippage_bps"))
    day["fee"] += _rated(amount, costs.get("fee_bps"))
    day["tax"] += 0 if is_buy else _rated(amount, costs.get("sell_tax_bps"))


def _rated(won: int, points: str | None) -> int:
    return int((Decimal(won) * Decimal(points or 0) / 10_000).to_integral_value(ROUND_CEILING))


def _accounts(day: str, events: list[Row], traded: dict[tuple[str, str], Row]) -> list[Row]:
    rows = []
    for account in sorted({event["account"] for event in events} - {""}):
        books = [event for event in events if event["kind"] == "book" and event["account"] == account]
        sums = dict(traded.get((day, account), _nothing()))
        decided = sums.pop("reference")
        points = None
        if decided:
            exact = (Decimal(sums["slippage"]) * 10_000 / decided).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
            points = str(exact or abs(exact))
        row = {"account": account, "books": len(books), "traded": {**sums, "slippage_bps": points}}
        rows.append(row | {"first": _book(books[:1]), "last": _book(books[-1:])})
    return rows


def _book(books: list[Row]) -> Row | None:
    for book in books:
        money = {name: book["body"].get(name) for name in ("cash", "deposit", "equity")}
        return {"seq": book["seq"], "at": book["at"], **money, "positions": len(book["body"]["positions"])}
    return None


# ---- how the desk stands


def _now(events: list[Row]) -> Row:
    switches = [event for event in events if event["kind"] in ("halt", "resume")]
    resumed = max((event["seq"] for event in switches if event["kind"] == "resume"), default=0)
    halts = [event for event in switches if event["seq"] > resumed]
    levels = {event["body"]["level"] for event in halts}
    arms = _last(events, ("armed", "disarmed"), ())
    breaks = _last(events, ("break", "break_cleared"), ("ticker",))
    runs: dict[tuple[str, str], Row] = {}
    begun: list[tuple[str, str]] = []
    for event in events:
        if event["kind"] in ("run_started", "run_done"):
            key = (event["account"], event["body"]["plan"])
            begun += [key] if event["kind"] == "run_started" and key not in begun else []
            runs[key] = event
    return {
        "halt": {**_short(halts[-1], "by", "why"), "level": "all" if "all" in levels else "buys"} if halts else None,
        "armed": [_short(one, "by", "why") for one in arms if one["kind"] == "armed"],
        "runs": [_short(runs[key], "plan_id", "session") for key in begun if runs[key]["kind"] == "run_started"],
        "orders": _waiting(events),
        "breaks": [_short(one, "ticker", "ours", "theirs", "why") for one in breaks if one["kind"] == "break"],
    }


def _last(events: list[Row], kinds: tuple[str, str], names: tuple[str, ...]) -> list[Row]:
    """The last event of two kinds for each account (and member of its body), in the order of these."""
    last = {}
    for event in events:
        if event["kind"] in kinds:
            last[(event["account"], *(event["body"][name] for name in names))] = event
    return [last[key] for key in sorted(last)]


def _short(event: Row, *names: str) -> Row:
    head = {"seq": event["seq"], "at": event["at"], "account": event["account"] or None}
    return {**head, **{name: event["body"][name] for name in names}}


def _waiting(events: list[Row]) -> list[Row]:
    """Orders that are at the broker, or may be, in the order of their intents."""
    orders: dict[str, Row] = {}
    for event in events:
        kind, body = event["kind"], event["body"]
        if kind == "intent":
            orders.setdefault(event["order"], {"intent": event, "state": "", "filled": 0, "number": None})
        order = orders.get(event["order"])
        if order is None:
            continue
        order["last"] = event
        if kind in COMES:
            order["state"] = COMES[kind]
        if kind in GOES:
            order["state"] = ""
        if "filled" in body:
            order["filled"] = body["filled"]
            order["state"] = "" if body["filled"] == order["intent"]["body"]["quantity"] else order["state"]
        if kind in ("ack", "found"):
            order["number"] = body["number"]
    return [_open(name, order) for name, order in orders.items() if order["state"]]


def _open(name: str, order: Row) -> Row:
    intent = order["intent"]
    return {
        "account": intent["account"],
        "order": name,
        **{member: order["last"][member] for member in ("seq", "at")},
        **{member: intent["body"][member] for member in ("ticker", "side", "quantity")},
        **{member: order[member] for member in ("filled", "state", "number")},
    }


def _attention(now: Row) -> list[Row]:
    rows = [("halted", now["halt"], "why")] if now["halt"] else []
    rows += [("unknown_order", one, "order") for one in now["orders"] if one["state"] == "UNKNOWN"]
    rows += [("break", one, "ticker") for one in now["breaks"]]
    rows += [("run_not_done", one, "plan_id") for one in now["runs"]]
    busy = [one["account"] for one in now["runs"]]
    idle = [one for one in now["orders"] if one["state"] != "UNKNOWN" and one["account"] not in busy]
    rows += [("open_order", one, "order") for one in idle]
    head = ("seq", "at", "account")
    return [{"code": code, **{name: row[name] for name in head}, "subject": row[member]} for code, row, member in rows]
