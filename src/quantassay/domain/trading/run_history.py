"""The journal read back: which run every order belongs to, what happened to it and when, which books stood around it.

Rows are the journal's own, in their order. What cannot follow what was before is told as a problem and left out, so
that a page can be made of a journal that is wrong: its gate says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from quantassay.domain.trading import orders
from quantassay.domain.trading.orders import LIVE, ORDER_KINDS, Event, Order

# Events that end an order's stay at the broker, or change what is filled of it.
_MOVES = frozenset({"fill", "cancelled", "rejected", "not_placed", "ack", "found", "unknown", "sent"})


@dataclass(slots=True)
class History:
    """An order and every event about it; `order` is how it stands after the last of them that made sense."""

    name: str
    order: Order
    events: list[Event] = field(default_factory=list)

    def first(self, *kinds: str) -> Event | None:
        """The first event of these kinds."""
        return next((event for event in self.events if event.kind in kinds), None)

    def last(self, *kinds: str) -> Event | None:
        """The last event of these kinds."""
        return next((event for event in reversed(self.events) if event.kind in kinds), None)


@dataclass(slots=True)
class Run:
    """A plan that was begun for an account: each start, the last end, the plan itself, its orders."""

    account: str
    plan: str
    starts: list[Event]
    done: Event | None = None
    orders: list[History] = field(default_factory=list)

    @property
    def data(self) -> Mapping[str, Any]:
        """The plan as it stood in the first start that holds it; empty where none does."""
        return next((one.body["data"] for one in self.starts if one.body.get("data")), {})

    @property
    def first(self) -> Event:
        """Its first start."""
        return self.starts[0]


@dataclass(frozen=True, slots=True)
class Read:
    """A whole journal: its events, orders by name, runs in the order of their first start, and what makes no sense."""

    events: Sequence[Event]
    orders: Mapping[str, History]
    runs: Sequence[Run]
    problems: Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Books:
    """The readings of the account around a run, None where there is none; `why` says why they do not compare."""

    before: Event | None
    after: Event | None
    why: str | None


def read(rows: Iterable[Mapping[str, Any]], zone: tzinfo) -> Read:
    """The journal of these rows (seq, at, kind, account, order, body), with all times in this zone."""
    events = [event(row, zone) for row in rows]
    told: dict[str, History] = {}
    runs: dict[tuple[str, str], Run] = {}
    problems: list[tuple[int, str]] = []
    for one in events:
        if one.kind in ORDER_KINDS:
            problem = _ordered(told, one)
            problems += [(one.seq, problem)] if problem else []
        elif one.kind == "run_started":
            run = runs.setdefault((one.account, one.body["plan"]), Run(one.account, one.body["plan"], []))
            run.starts.append(one)
            run.done = None
        elif one.kind == "run_done" and (one.account, one.body["plan"]) in runs:
            runs[one.account, one.body["plan"]].done = one
    for history in told.values():
        key = history.order.intent.key
        if (key.account, key.plan) in runs:
            runs[key.account, key.plan].orders.append(history)
    return Read(events, told, list(runs.values()), problems)


def event(row: Mapping[str, Any], zone: tzinfo) -> Event:
    """A row of the journal as an event."""
    at = datetime.fromisoformat(row["at"]).astimezone(zone)
    return Event(row["seq"], at, row["kind"], row["account"], row["order"], row["body"])


def _ordered(told: dict[str, History], one: Event) -> str:
    """Add an event to the history of its order; why it makes no sense, empty where it does."""
    known = told.get(one.order)
    try:
        order = orders.after(known.order if known else None, one)
    except (orders.BadHistory, KeyError) as error:
        return str(error) if isinstance(error, orders.BadHistory) else f"event {one.seq} lacks {error}"
    if known is None:
        told[one.order] = History(one.order, order, [one])
    else:
        known.order = order
        known.events.append(one)
    return ""


def sent_shares(histories: Iterable[History]) -> int:
    """How many shares of one line were given to the broker: what is tried again counts once."""
    most = filled = 0
    for one in histories:
        if one.first("sent") is not None and one.order.state != orders.State.INTENT:
            most = max(most, filled + one.order.intent.quantity)
        filled += one.order.filled
    return most


def books_around(run: Run, journal: Read) -> Books:
    """The last reading of the account before the run's first order, and the first one after the last thing that moved.

    They do not compare where an order is still open, an amount was inferred, somebody else traded in between, or
    either is missing.
    """
    own = [one for history in run.orders for one in history.events if one.kind in _MOVES]
    sent = [one.seq for one in own if one.kind == "sent"]
    if not sent:
        return Books(None, None, "nothing_sent")
    of_account = [one for one in journal.events if one.account == run.account]
    readings = [one for one in of_account if one.kind == "book"]
    before = next((one for one in reversed(readings) if one.seq < min(sent)), None)
    last = max(one.seq for one in own)
    after = next((one for one in readings if one.seq > last), None)
    if before is None or after is None:
        return Books(before, after, "open" if _is_open(run) else "no_book")
    between = [one for one in of_account if before.seq < one.seq < after.seq]
    if _is_open(run) or _live_at(after.seq, run.account, journal):
        return Books(before, after, "open")
    if any(one.kind == "external" for one in between):
        return Books(before, after, "external")
    if any(one.kind in ("fill", "cancelled") and one.body["estimated"] for one in between):
        return Books(before, after, "estimated")
    return Books(before, after, None)


def _is_open(run: Run) -> bool:
    return any(history.order.state in LIVE for history in run.orders)


def _live_at(seq: int, account: str, journal: Read) -> bool:
    """Whether an order of the account was at the broker, or might be, when this event was written."""
    for history in journal.orders.values():
        if history.order.intent.key.account != account:
            continue
        before = [one for one in history.events if one.seq < seq]
        whole = len(before) == len(history.events)
        state = history.order.state if whole else orders.fold(before)[history.name].state if before else None
        if state in LIVE:
            return True
    return False


def filled_between(history: History, first: int, last: int) -> tuple[int, int]:
    """Shares and won that were filled of an order after event `first` and before event `last`."""
    sums = [(one.seq, one.body) for one in history.events if one.kind in ("fill", "cancelled")]
    shares = amount = 0
    for seq, body in sums:
        if seq <= first:
            shares, amount = body["filled"], body["amount"]
    end = [(body["filled"], body["amount"]) for seq, body in sums if seq < last]
    now = end[-1] if end else (0, 0)
    return now[0] - shares, now[1] - amount
