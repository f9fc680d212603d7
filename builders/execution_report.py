"""Tells of every run what was planned, sent and filled, at which price and cost, and whether the cash agrees."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.domain.trading import execution_figures, run_history
from quantassay.domain.trading.execution_figures import Figures, Fill, Rates
from quantassay.domain.trading.orders import LIVE, TERMINAL, Event, State
from quantassay.domain.trading.run_history import Books, History, Read, Run

_EVENTS = "trading_journal:/events"
_RUN = f"{_EVENTS}/{{seq}}"
_PLANNED = f"{_EVENTS}/{{run_seq}}/body/data/orders/{{line}}"
_FILLS = f"{_EVENTS}/{{fill_seq}}/body"
_FIGURE = [_FILLS, _PLANNED, f"{_EVENTS}/{{run_seq}}/body/data/costs"]
_IN_PLAN = ("line", "ticker", "name", "side", "planned", "reference", "limit_price", "rule", "because/*")
ORIGINS = {
    "/head/*": ["trading_journal:/head"],
    "/told": ["trading_reports:/sessions"],
    "/earlier_runs": [_EVENTS, "trading_reports:/sessions"],
    "/sessions/*": [_EVENTS],
    "/problems/*/seq": ["trading_journal:/problems", f"{_EVENTS}/{{seq}}"],
    "/totals/*": [_EVENTS],
    **{f"/runs/*/{name}": [_RUN] for name in ("seq", "number", "session", "signal_session", "started_at", "starts")},
    "/runs/*/plan_id": [f"{_RUN}/body/plan_id"],
    "/runs/*/certificate/*": [f"{_RUN}/body/certificate"],
    **{f"/runs/*/{name}": [f"{_EVENTS}/{{done_seq}}"] for name in ("done_seq", "done_at", "outcome")},
    "/runs/*/totals/*": [_EVENTS],
    "/runs/*/cash/before/*": [f"{_EVENTS}/{{seq}}/body"],
    "/runs/*/cash/after/*": [f"{_EVENTS}/{{seq}}/body"],
    "/runs/*/cash/*": [_EVENTS],
    "/runs/*/events/*/*": [f"{_EVENTS}/{{seq}}"],
    "/runs/*/lines/*/run_seq": [f"{_EVENTS}/{{run_seq}}"],
    **{f"/runs/*/lines/*/{name}": [_PLANNED] for name in _IN_PLAN},
    **{f"/runs/*/lines/*/{name}": _FIGURE for name in ("sent", "filled", "unfilled", "amount", "average_price")},
    **{f"/runs/*/lines/*/{name}": _FIGURE for name in ("slippage", "slippage_bps", "expected_slippage", "fee", "tax")},
    "/runs/*/lines/*/fill_seq": [f"{_EVENTS}/{{fill_seq}}"],
    "/runs/*/lines/*/orders/*/*": [f"{_EVENTS}/{{seq}}"],
    "/runs/*/lines/*/orders/*/filled": [_FILLS, f"{_EVENTS}/{{seq}}"],
    "/runs/*/lines/*/orders/*/amount": [_FILLS, f"{_EVENTS}/{{seq}}"],
}
# Everything beside the orders that a reader of a run has to know of.
_BESIDE = frozenset({"halt", "resume", "armed", "disarmed", "break", "break_cleared", "external", "clearing"})
LEFT_OUT = "left_out"
_CERTIFICATE = ("environment", "host", "transactions", "account", "key")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a run's plan with the orders that were made for it and what their fills were worth."""

    planned: Mapping[str, Any]
    orders: Sequence[History]
    figures: Figures
    state: str
    why: str | None

    @property
    def filled(self) -> int:
        return sum(one.order.filled for one in self.orders)


def build(
    trading_journal: dict[str, Any], trading_reports: dict[str, Any], trading_calendar: dict[str, Any]
) -> dict[str, Any]:
    """Runs, the newest first, of so many sessions; a run that is not over is told as far as it has come."""
    journal = run_history.read(trading_journal["events"], ZoneInfo(trading_calendar["zone"]))
    sessions = sorted({run.first.body["session"] for run in journal.runs}, reverse=True)
    told = sessions[: trading_reports["sessions"]]
    shown = [(number, run) for number, run in enumerate(journal.runs, 1) if run.first.body["session"] in told]
    rows = [_run(number, run, journal) for number, run in reversed(shown)]
    return {
        "head": trading_journal["head"],
        "told": trading_reports["sessions"],
        "sessions": told,
        "earlier_runs": len(journal.runs) - len(rows),
        "problems": [{"seq": seq, "says": says} for seq, says in journal.problems],
        "totals": _sum([row["totals"] for row in rows]) | {"runs": len(rows)},
        "runs": rows,
    }


def _run(number: int, run: Run, journal: Read) -> dict[str, Any]:
    body, done = run.first.body, run.done
    certificate = body.get("certificate") or {}
    rates = execution_figures.rates(run.data)
    lines = _lines(run, rates)
    last = done.seq if done is not None else journal.events[-1].seq
    return {
        "number": number,
        "seq": run.first.seq,
        "account": run.account,
        "environment": certificate.get("environment"),
        "plan": run.plan,
        "plan_id": body["plan_id"],
        "record": body.get("record") or None,
        "session": body["session"],
        "signal_session": run.data.get("signal_session"),
        "started_at": _at(run.first),
        "starts": len(run.starts),
        "clearing": bool(run.data.get("clearing", False)),
        "reduce_only": run.starts[-1].body.get("reduce_only", False),
        "done_seq": done.seq if done is not None else None,
        "done_at": _at(done),
        "outcome": done.body["outcome"] if done is not None else None,
        "certificate": {name: certificate.get(name) for name in _CERTIFICATE},
        "totals": _totals(lines),
        "cash": _cash(run, journal),
        "lines": [_line(one, run) for one in lines],
        "events": [_beside(one) for one in journal.events if _concerns(one, run, last)],
    }


def _at(event: Event | None) -> str | None:
    return None if event is None else event.at.isoformat()


def _lines(run: Run, rates: Rates) -> list[_Line]:
    """The lines of the plan in their order; an order for a line that the plan has not stands behind them."""
    planned = {row["line"]: row for row in run.data.get("orders", [])}
    ended = {row["line"]: row for row in run.done.body.get("lines", [])} if run.done is not None else {}
    for one in run.orders:
        intent = one.order.intent
        unplanned = {"line": intent.key.line, "ticker": intent.ticker, "side": intent.side, "quantity": 0}
        planned.setdefault(intent.key.line, unplanned | {"reference_close": intent.reference_price})
    found = []
    for row in planned.values():
        own = [one for one in run.orders if one.order.intent.key.line == row["line"]]
        fills = [_fill(row, one) for one in own if one.order.filled]
        worth = execution_figures.total(execution_figures.figures(fill, rates) for fill in fills)
        said = ended.get(row["line"], {})
        state = _state(row["quantity"], own)
        state = LEFT_OUT if (state, said.get("state")) == ("not_sent", LEFT_OUT) else state
        found.append(_Line(row, own, worth, state, said.get("why") or None))
    return found


def _fill(row: Mapping[str, Any], one: History) -> Fill:
    return Fill(one.order.intent.side, one.order.filled, one.order.amount, row["reference_close"])


def _state(planned: int, own: Sequence[History]) -> str:
    """How a line stands: what is still open comes first, then what was filled of it, then why nothing was."""
    states = [one.order.state for one in own]
    if State.UNKNOWN in states:
        return "unknown"
    if any(state in LIVE for state in states):
        return "open"
    if filled := sum(one.order.filled for one in own):
        return "filled" if filled == planned else "part_filled"
    if all(one.first("sent") is None for one in own):
        return "not_sent"
    return "rejected" if states[-1] == State.REJECTED else "not_filled" if states[-1] in TERMINAL else "not_sent"


def _line(one: _Line, run: Run) -> dict[str, Any]:
    row, worth, filled = one.planned, one.figures, one.filled
    reason = row.get("reason") or {}
    fills = [history.last("fill", "cancelled") for history in one.orders if history.order.filled]
    return {
        "line": row["line"],
        "run_seq": run.first.seq,
        "ticker": row["ticker"],
        "name": row.get("name"),
        "side": row["side"],
        "rule": reason.get("rule"),
        "because": list(reason.get("because", [])),
        "planned": row["quantity"],
        "reference": row["reference_close"],
        "limit_price": row.get("limit_price"),
        "state": one.state,
        "why": one.why,
        "sent": run_history.sent_shares(one.orders),
        "filled": filled,
        "unfilled": max(row["quantity"] - filled, 0),
        "amount": worth.value,
        "estimated": any(history.order.estimated for history in one.orders),
        "average_price": execution_figures.average_price(worth.value, filled),
        "slippage": worth.slippage,
        "slippage_bps": execution_figures.in_basis_points(worth.slippage, worth.reference),
        "expected_slippage": worth.expected_slippage,
        "fee": worth.fee,
        "tax": worth.tax,
        "fill_seq": fills[-1].seq if fills and fills[-1] is not None else None,
        "orders": [_order(history) for history in one.orders],
    }


def _order(history: History) -> dict[str, Any]:
    order, intent = history.order, history.order.intent
    answer, fill = history.last("ack", "found", "unknown", "rejected", "not_placed"), history.last("fill", "cancelled")
    return {
        "order": history.name,
        "seq": history.events[0].seq,
        "attempt": intent.key.attempt,
        "quantity": intent.quantity,
        "limit_price": intent.limit_price,
        "state": order.state.value,
        "tries": sum(event.kind == "sent" for event in history.events),
        "number": order.number or None,
        "day": order.day or None,
        "intended_at": _at(history.events[0]),
        "sent_at": _at(history.last("sent")),
        "answer": answer.kind if answer is not None else None,
        "answered_at": _at(answer),
        "unknown_at": _at(history.first("unknown")),
        "resolved_by": answer.body.get("by") if answer is not None else None,
        "first_filled_at": _at(history.first("fill")),
        "changed_at": _at(history.events[-1]),
        "fill_seq": fill.seq if fill is not None else None,
        "filled": order.filled,
        "amount": order.amount,
        "estimated": order.estimated,
        "cancel_sent": history.first("cancel_sent") is not None,
        "why": order.why or None,
    }


def _totals(lines: Sequence[_Line]) -> dict[str, Any]:
    states, worth = Counter(line.state for line in lines), execution_figures.total(line.figures for line in lines)
    sides = {
        side: execution_figures.total(line.figures for line in lines if line.planned["side"] == side)
        for side in (execution_figures.BUY, execution_figures.SELL)
    }
    counts = {
        "lines": len(lines),
        "orders": sum(len(line.orders) for line in lines),
        "lines_filled": states["filled"],
        "lines_part_filled": states["part_filled"],
        "lines_open": states["open"] + states["unknown"],
        "planned": sum(line.planned["quantity"] for line in lines),
        "sent": sum(run_history.sent_shares(line.orders) for line in lines),
        "filled": sum(line.filled for line in lines),
        "bought": sides["buy"].value,
        "sold": sides["sell"].value,
        "reference": worth.reference,
        "slippage": worth.slippage,
        "expected_slippage": worth.expected_slippage,
        "fee": worth.fee,
        "tax": worth.tax,
    }
    return counts | {"slippage_bps": execution_figures.in_basis_points(worth.slippage, worth.reference)}


def _sum(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The totals of all runs together."""
    names = list(_totals([]))
    summed = {name: sum(part[name] for part in parts) for name in names if name != "slippage_bps"}
    return summed | {"slippage_bps": execution_figures.in_basis_points(summed["slippage"], summed["reference"])}


def _cash(run: Run, journal: Read) -> dict[str, Any]:
    """The cash before and after, and what went between beside the fills: the costs as the broker counts them."""
    books = run_history.books_around(run, journal)
    told = {"why": books.why, "before": _book(books.before), "after": _book(books.after)}
    if books.why is not None or books.before is None or books.after is None:
        return told | dict.fromkeys(("bought", "sold", "costs", "estimated_costs"))
    worth = _between(run.account, books, journal)
    bought, sold = worth["buy"].value, worth["sell"].value
    costs = books.before.body["cash"] - bought + sold - books.after.body["cash"]
    estimated = worth["buy"].costs + worth["sell"].costs
    return told | {"bought": bought, "sold": sold, "costs": costs, "estimated_costs": estimated}


def _between(account: str, books: Books, journal: Read) -> dict[str, Figures]:
    """What was filled in the account between two readings, of whichever run, by side."""
    first, last = (one.seq if one is not None else 0 for one in (books.before, books.after))
    plans = {(run.account, run.plan): execution_figures.rates(run.data) for run in journal.runs}
    found = {execution_figures.BUY: Figures(), execution_figures.SELL: Figures()}
    for history in journal.orders.values():
        intent = history.order.intent
        shares, amount = run_history.filled_between(history, first, last)
        if intent.key.account == account and shares:
            rates = plans.get((account, intent.key.plan), execution_figures.rates({}))
            fill = Fill(intent.side, shares, amount, intent.reference_price)
            found[intent.side] += execution_figures.figures(fill, rates)
    return found


def _book(book: Event | None) -> dict[str, Any] | None:
    if book is None:
        return None
    body = book.body
    said = {name: body.get(name) for name in ("cash", "deposit", "equity", "pages")}
    return {"seq": book.seq, "at": _at(book), **said, "positions": len(body["positions"])}


def _concerns(event: Event, run: Run, last: int) -> bool:
    """Whether something beside the orders happened to the account, or to the whole desk, while the run lasted."""
    return event.kind in _BESIDE and event.account in ("", run.account) and run.first.seq < event.seq < last


def _beside(event: Event) -> dict[str, Any]:
    body = event.body
    return {
        "seq": event.seq,
        "at": _at(event),
        "kind": event.kind,
        "ticker": body.get("ticker"),
        "by": body.get("by"),
        "why": body.get("why"),
    }
