"""Tells of every day what was begun, stopped, broken, unknown and traded by hand, and what waits for a person now."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.domain.trading import execution_figures, run_history
from quantassay.domain.trading.execution_figures import Figures, Fill, Rates
from quantassay.domain.trading.orders import LIVE, Event, State
from quantassay.domain.trading.run_history import History, Read

_EVENTS = "trading_journal:/events"
_ROW = f"{_EVENTS}/{{seq}}"
ORIGINS = {
    "/head/*": ["trading_journal:/head"],
    "/told": ["trading_reports:/days"],
    "/earlier_days": [_EVENTS, "trading_reports:/days"],
    "/problems/*": ["trading_journal:/problems"],
    "/now/*/**": [_ROW],
    "/attention/*/*": [_ROW],
    "/days/*/day": [_EVENTS, "trading_calendar:/zone"],
    "/days/*/counts/*": [_EVENTS],
    "/days/*/accounts/*/books": [_EVENTS],
    "/days/*/accounts/*/traded/*": [_EVENTS],
    "/days/*/accounts/*/first/*": [_ROW],
    "/days/*/accounts/*/last/*": [_ROW],
    "/days/*/events/*/*": [_ROW],
}
# What the page tells event by event; orders are told by the execution report, but for what somebody had to settle.
TOLD = (
    "run_started",
    "run_done",
    "armed",
    "disarmed",
    "halt",
    "resume",
    "break",
    "break_cleared",
    "external",
    "clearing",
    "unknown",
    "found",
    "not_placed",
)
_OF_ORDERS = ("intent", "sent", "not_sent", "withdrawn", "ack", "fill", "cancel_sent", "cancelled", "rejected")
_COUNTED = (*TOLD, *_OF_ORDERS, "book")
_SAID = ("ticker", "side", "quantity", "amount", "ours", "theirs", "number", "level", "by", "why")


@dataclass(frozen=True, slots=True)
class _Part:
    """What one fill event added to its order, on its day."""

    day: date
    account: str
    side: str
    figures: Figures


def build(
    trading_journal: dict[str, Any], trading_reports: dict[str, Any], trading_calendar: dict[str, Any]
) -> dict[str, Any]:
    """So many days with an event, the newest first, and how the desk stands after the last of them."""
    journal = run_history.read(trading_journal["events"], ZoneInfo(trading_calendar["zone"]))
    by_day: dict[date, list[Event]] = {}
    for event in journal.events:
        by_day.setdefault(event.at.date(), []).append(event)
    told = sorted(by_day, reverse=True)[: trading_reports["days"]]
    expected = {(run.account, run.plan): execution_figures.rates(run.data) for run in journal.runs}
    parts = [part for history in journal.orders.values() for part in _parts(history, expected)]
    sessions = set(trading_calendar["sessions"])
    now = _now(journal)
    return {
        "head": trading_journal["head"],
        "zone": trading_calendar["zone"],
        "told": trading_reports["days"],
        "earlier_days": len(by_day) - len(told),
        "problems": trading_journal["problems"],
        "now": now,
        "attention": list(_attention(now)),
        "days": [_day(day, by_day[day], parts, is_session=day.isoformat() in sessions) for day in told],
    }


def _parts(history: History, expected: Mapping[tuple[str, str], Rates]) -> Iterator[_Part]:
    """What every fill event added: events hold sums, a day is worth the difference."""
    intent = history.order.intent
    rates = expected.get((intent.key.account, intent.key.plan), execution_figures.rates({}))
    shares = amount = 0
    for event in history.events:
        if event.kind in ("fill", "cancelled") and event.body["filled"] > shares:
            body = event.body
            fill = Fill(intent.side, body["filled"] - shares, body["amount"] - amount, intent.reference_price)
            worth = execution_figures.figures(fill, rates)
            yield _Part(event.at.date(), intent.key.account, intent.side, worth)
            shares, amount = body["filled"], body["amount"]


def _day(day: date, events: Sequence[Event], parts: Sequence[_Part], *, is_session: bool) -> dict[str, Any]:
    kinds = Counter(event.kind for event in events)
    accounts = sorted({event.account for event in events if event.account})
    own = [part for part in parts if part.day == day]
    return {
        "day": day.isoformat(),
        "is_session": is_session,
        "counts": {"events": len(events), **{kind: kinds[kind] for kind in _COUNTED}},
        "accounts": [_account(one, events, [part for part in own if part.account == one]) for one in accounts],
        "events": [_told(event) for event in events if event.kind in TOLD],
    }


def _account(account: str, events: Sequence[Event], parts: Sequence[_Part]) -> dict[str, Any]:
    books = [event for event in events if event.kind == "book" and event.account == account]
    worth = execution_figures.total(part.figures for part in parts)
    sides = {side: execution_figures.total(p.figures for p in parts if p.side == side) for side in ("buy", "sell")}
    return {
        "account": account,
        "books": len(books),
        "first": _book(books[0]) if books else None,
        "last": _book(books[-1]) if books else None,
        "traded": {
            "bought": sides["buy"].value,
            "sold": sides["sell"].value,
            "slippage": worth.slippage,
            "slippage_bps": execution_figures.in_basis_points(worth.slippage, worth.reference),
            "expected_slippage": worth.expected_slippage,
            "fee": worth.fee,
            "tax": worth.tax,
        },
    }


def _book(book: Event) -> dict[str, Any]:
    body = book.body
    said = {name: body.get(name) for name in ("cash", "deposit", "equity")}
    return {"seq": book.seq, "at": book.at.isoformat(), **said, "positions": len(body["positions"])}


def _told(event: Event) -> dict[str, Any]:
    body = event.body
    named = {name: body.get(name) for name in _SAID}
    plan = {"plan_id": body.get("plan_id"), "outcome": body.get("outcome"), "continued": body.get("continued")}
    head = {"seq": event.seq, "at": event.at.isoformat(), "kind": event.kind}
    return {**head, "account": event.account or None, "order": event.order or None, **named, **plan}


def _now(journal: Read) -> dict[str, Any]:
    """How the desk stands after the last event: halt, armed accounts, runs that are not over, open orders, breaks."""
    halt: Event | None = None
    level = ""
    armed: dict[str, Event] = {}
    breaks: dict[tuple[str, str], Event] = {}
    for event in journal.events:
        match event.kind:
            case "halt":
                # A later halt of the buys takes nothing back of one of everything.
                halt, level = event, "all" if level == "all" else event.body["level"]
            case "resume":
                halt, level = None, ""
            case "armed":
                armed[event.account] = event
            case "disarmed":
                armed.pop(event.account, None)
            case "break":
                breaks[event.account, event.body["ticker"]] = event
            case "break_cleared":
                breaks.pop((event.account, event.body["ticker"]), None)
    waiting = [one for one in journal.orders.values() if one.order.state in LIVE]
    return {
        "halt": None if halt is None else _by(halt) | {"level": level},
        "armed": [_by(event) for _, event in sorted(armed.items())],
        "runs": [_unfinished(run.starts[-1]) for run in journal.runs if run.done is None],
        "orders": [_waiting(one) for one in waiting],
        "breaks": [_break(event) for _, event in sorted(breaks.items())],
    }


def _by(event: Event) -> dict[str, Any]:
    named = {"by": event.body["by"], "why": event.body["why"]}
    return {"seq": event.seq, "at": event.at.isoformat(), "account": event.account or None, **named}


def _unfinished(start: Event) -> dict[str, Any]:
    told = {"account": start.account, "plan_id": start.body["plan_id"], "session": start.body["session"]}
    return {"seq": start.seq, "at": start.at.isoformat(), **told}


def _waiting(history: History) -> dict[str, Any]:
    order, last = history.order, history.events[-1]
    return {
        "seq": last.seq,
        "at": last.at.isoformat(),
        "account": order.intent.key.account,
        "order": history.name,
        "ticker": order.intent.ticker,
        "side": order.intent.side,
        "quantity": order.intent.quantity,
        "filled": order.filled,
        "state": order.state.value,
        "number": order.number or None,
    }


def _break(event: Event) -> dict[str, Any]:
    told = {name: event.body[name] for name in ("ticker", "ours", "theirs", "why")}
    return {"seq": event.seq, "at": event.at.isoformat(), "account": event.account, **told}


def _attention(now: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What a person has to do something about, the most urgent first."""
    if now["halt"] is not None:
        yield _asks("halted", now["halt"], now["halt"]["why"])
    unknown = [one for one in now["orders"] if one["state"] == State.UNKNOWN]
    yield from (_asks("unknown_order", one, one["order"]) for one in unknown)
    yield from (_asks("break", one, one["ticker"]) for one in now["breaks"])
    yield from (_asks("run_not_done", one, one["plan_id"]) for one in now["runs"])
    going = {one["account"] for one in now["runs"]}
    known = [one for one in now["orders"] if one["state"] != State.UNKNOWN and one["account"] not in going]
    yield from (_asks("open_order", one, one["order"]) for one in known)


def _asks(code: str, row: Mapping[str, Any], subject: str) -> dict[str, Any]:
    return {"code": code, "seq": row["seq"], "at": row["at"], "account": row["account"], "subject": subject}
