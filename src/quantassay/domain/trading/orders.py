"""What became of each order, worked out from the journal's events and from nothing else.

    INTENT -> SENT -> ACK | UNKNOWN -> PARTIAL -> FILLED | CANCELLED | REJECTED

An order is on disk before it is sent. UNKNOWN is left only by evidence that it was taken, or by a person; that it was
not found is no evidence. An event that cannot follow the ones before it is an error: the journal is wrong.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from quantassay.domain.trading.book import Side
from quantassay.errors import AssayError


class State(StrEnum):
    """Where an order stands."""

    INTENT = "INTENT"
    SENT = "SENT"
    ACK = "ACK"
    UNKNOWN = "UNKNOWN"
    PARTIAL = "PARTIAL"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"


TERMINAL = frozenset({State.FILLED, State.CANCELLED, State.REJECTED})
# At the broker, or it may be: nothing else may be sent for the name while one of these stands.
LIVE = frozenset({State.SENT, State.ACK, State.UNKNOWN, State.PARTIAL})


class BadHistory(AssayError):
    """An event that cannot follow the events before it."""

    def __init__(self, event: "Event", why: str) -> None:
        self.why = why
        super().__init__(
            f"the journal's event {event.seq} ({event.kind} of {event.order or event.account or 'the desk'}) {why}; "
            "nothing is traded on it, see `assay orders check`"
        )


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the journal: `account` and `order` are empty where the event is about neither."""

    seq: int
    at: datetime
    kind: str
    account: str
    order: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """What makes an order this one: account, digest of the plan's file, line of the plan, and the attempt (from 1)."""

    account: str
    plan: str
    line: int
    attempt: int

    @property
    def order(self) -> str:
        """The name of the order in the journal."""
        return f"{self.plan.removeprefix('sha256:')[:12]}-{self.line:03d}-{self.attempt}"


@dataclass(frozen=True, slots=True)
class Intent:
    """An order that is about to be sent, and what the broker said before it: the ground for finding it again.

    `before` holds whole numbers of the last reading: held, sellable, cash, ordered, filled, amount (the last three of
    the day's totals).
    """

    key: Key
    ticker: str
    side: Side
    quantity: int
    limit_price: int
    reference_price: int
    before: Mapping[str, int]
    certificate: Mapping[str, str]

    def body(self) -> dict[str, Any]:
        """The body of the event that puts it on disk."""
        return {
            "plan": self.key.plan,
            "line": self.key.line,
            "attempt": self.key.attempt,
            "ticker": self.ticker,
            "side": self.side,
            "quantity": self.quantity,
            "limit_price": self.limit_price,
            "reference_price": self.reference_price,
            "before": dict(self.before),
            "certificate": dict(self.certificate),
        }


@dataclass(frozen=True, slots=True)
class Order:
    """An order as the journal tells it. `filled` and `amount` (won) are sums; `estimated`: the amount was inferred.

    `deadline` is the instant after which no answer to the request can come; `cancelling`: a cancel was sent;
    `cancel_taken`: the broker took it; `given_up`: a person said that it was never placed.
    """

    intent: Intent
    state: State
    changed_at: datetime
    sent_at: datetime | None = None
    deadline: datetime | None = None
    number: str = ""
    branch: str = ""
    day: str = ""
    filled: int = 0
    amount: int = 0
    estimated: bool = False
    cancelling: bool = False
    why: str = ""
    cancel_taken: bool = False
    given_up: bool = False

    @property
    def remaining(self) -> int:
        """Shares that are not filled."""
        return self.intent.quantity - self.filled


# Which states an event may find, by its kind.
_MAY_FOLLOW: Mapping[str, frozenset[State]] = {
    "sent": frozenset({State.INTENT}),
    "not_sent": frozenset({State.SENT}),
    "withdrawn": frozenset({State.INTENT}),
    "ack": frozenset({State.SENT}),
    "unknown": frozenset({State.SENT}),
    "found": frozenset({State.SENT, State.UNKNOWN}),
    "fill": frozenset({State.SENT, State.ACK, State.UNKNOWN, State.PARTIAL}),
    "cancel_sent": frozenset({State.ACK, State.PARTIAL}),
    "cancel_answer": frozenset({State.ACK, State.PARTIAL}),
    "cancelled": frozenset({State.ACK, State.PARTIAL}),
    "rejected": frozenset({State.SENT, State.ACK, State.PARTIAL}),
    "not_placed": frozenset({State.SENT, State.UNKNOWN}),
}
ORDER_KINDS = frozenset({"intent", *_MAY_FOLLOW})


def fold(events: Iterable[Event]) -> dict[str, Order]:
    """Every order by its name, in the order in which they were intended. Raises BadHistory."""
    orders: dict[str, Order] = {}
    for event in events:
        if event.kind in ORDER_KINDS:
            orders[event.order] = after(orders.get(event.order), event)
    return orders


def after(order: Order | None, event: Event) -> Order:
    """The order once this event has happened to it. Raises BadHistory."""
    if event.kind == "intent":
        if order is not None:
            raise BadHistory(event, "is an intent that stands there already")
        return _intended(event)
    if order is None:
        raise BadHistory(event, "belongs to an order that was never intended")
    if order.state not in _MAY_FOLLOW[event.kind]:
        raise BadHistory(event, f"cannot follow the state {order.state}")
    return _changed(order, event)


def _intended(event: Event) -> Order:
    body = event.body
    key = Key(event.account, body["plan"], body["line"], body["attempt"])
    if key.order != event.order:
        raise BadHistory(event, f"does not bear the name of its key, {key.order}")
    intent = Intent(
        key,
        body["ticker"],
        body["side"],
        body["quantity"],
        body["limit_price"],
        body["reference_price"],
        body["before"],
        body["certificate"],
    )
    return Order(intent, State.INTENT, event.at)


def _changed(order: Order, event: Event) -> Order:
    body = event.body
    order = replace(order, changed_at=event.at, why=body.get("why", ""))
    match event.kind:
        case "sent":
            return replace(order, state=State.SENT, sent_at=event.at, deadline=datetime.fromisoformat(body["deadline"]))
        case "not_sent":
            return replace(order, state=State.INTENT, sent_at=None, deadline=None)
        case "withdrawn":
            return replace(order, state=State.CANCELLED)
        case "ack" | "found":
            return replace(order, state=State.ACK, number=body["number"], branch=body["branch"], day=body["day"])
        case "unknown":
            return replace(order, state=State.UNKNOWN)
        case "cancel_sent":
            return replace(order, cancelling=True)
        case "cancel_answer":
            return replace(order, cancelling=body["taken"], cancel_taken=body["taken"])
        case "rejected" | "not_placed":
            return replace(order, state=State.REJECTED, given_up=event.kind == "not_placed")
        case _:
            return _filled(order, event)


def _filled(order: Order, event: Event) -> Order:
    """After a fill (a sum, never a part), or a cancel that tells how much was filled before it."""
    filled, amount = event.body["filled"], event.body["amount"]
    if not order.filled <= filled <= order.intent.quantity:
        raise BadHistory(event, f"says {filled} filled after {order.filled}, of {order.intent.quantity}")
    state = State.FILLED if filled == order.intent.quantity else State.PARTIAL
    if event.kind == "cancelled" and state is not State.FILLED:
        state = State.CANCELLED
    return replace(order, state=state, filled=filled, amount=amount, estimated=event.body["estimated"])
