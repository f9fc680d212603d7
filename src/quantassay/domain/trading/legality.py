"""What may be added to the journal, judged by the lines before it: each refusal is here, and none depends on a clock.

An order is intended once a key, tried again only for what its last attempt left unfilled, and sent only under the
newest lease, with nothing of its name at the broker, while neither the kill switch nor a break stands in its way.
"""

from dataclasses import dataclass, field
from typing import Self

from quantassay.domain.trading import desk_state
from quantassay.domain.trading.bodies import fault
from quantassay.domain.trading.desk_state import Break, DeskState, Halt, Lease
from quantassay.domain.trading.orders import LIVE, ORDER_KINDS, TERMINAL, BadHistory, Event, Key, Order, after
from quantassay.errors import AssayError

_NUMBERED = frozenset({"ack", "found"})


class NotRecorded(AssayError):
    """A line that may not be added to the journal; it was not, and nothing may be done on it."""

    exit_code = 1


class Wrong(NotRecorded):
    """A line that is not what its kind must be: whoever wrote it is at fault."""

    exit_code = 3

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(f"the journal refuses an event: {kind!r} {why}; nothing was written")


class CannotFollow(NotRecorded):
    """A line that the lines before it rule out."""

    def __init__(self, event: Event, why: str) -> None:
        of = event.order or event.account or "the desk"
        super().__init__(f"the journal refuses the event {event.kind!r} of {of}: it {why}; nothing was written")


class AlreadyIntended(NotRecorded):
    """An order that stands in the journal already: it is never sent a second time."""

    def __init__(self, key: Key) -> None:
        super().__init__(
            f"order {key.order} stands in the journal already (attempt {key.attempt} of line {key.line} of its plan); "
            f"nothing was sent, `assay orders show {key.order}` tells what became of it"
        )


class AttemptOpen(NotRecorded):
    """Another attempt at a line whose last attempt has not left anything to do."""

    def __init__(self, key: Key, why: str) -> None:
        super().__init__(f"attempt {key.attempt} at line {key.line} of the plan is refused: {why}; nothing was sent")


class StillOpen(NotRecorded):
    """An order for a name that has another one at the broker, or perhaps."""

    def __init__(self, ticker: str, other: str, state: str) -> None:
        super().__init__(
            f"{ticker} has order {other} at the broker already ({state}); nothing more is sent for it before that one "
            f"has ended, see `assay orders show {other}`"
        )


class NumberTaken(NotRecorded):
    """A broker's number that another order of that day has."""

    def __init__(self, number: str, day: str, other: str) -> None:
        super().__init__(
            f"the broker's number {number} of {day} belongs to order {other} already; nothing was written, look into "
            f"the broker's own list of orders"
        )


class Fenced(NotRecorded):
    """Somebody else has taken the account over."""

    def __init__(self, account: str, fence: int, lease: Lease | None) -> None:
        now = f"{lease.owner} took it over at {lease.at.isoformat()} with {lease.fence}" if lease else "nobody holds it"
        super().__init__(f"this process may not trade account {account} with the lease {fence}: {now}; it stops here")


class Halted(NotRecorded):
    """The kill switch is thrown."""

    def __init__(self, halt: Halt) -> None:
        what = "nothing is sent" if halt.level == "all" else "no buy is sent"
        super().__init__(
            f"trading is halted by {halt.by} since {halt.at.isoformat()}: {halt.why.rstrip('.')}; {what} before "
            "`assay resume --why TEXT`"
        )


class Locked(NotRecorded):
    """A name of which we and the broker count different shares."""

    def __init__(self, one: Break) -> None:
        super().__init__(
            f"{one.ticker} is locked: we count {one.ours} shares and the broker {one.theirs}; nothing is sent for it "
            "before `assay reconcile` agrees"
        )


@dataclass(slots=True)
class Ledger:
    """Every order by its name, in the order in which they were intended, and two answers about all of them at once.

    `live` is the order that stands at the broker, or may, by account and ticker; `numbers` tells whose a broker's
    number is, by account, day and number without leading zeros.
    """

    orders: dict[str, Order] = field(default_factory=dict)
    live: dict[tuple[str, str], str] = field(default_factory=dict)
    numbers: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def copy(self) -> Self:
        """The same, to be added to by somebody else."""
        return type(self)(dict(self.orders), dict(self.live), dict(self.numbers))

    def after(self, event: Event) -> Order | None:
        """The order that the event is about, as it is after it; None where it is about none. Raises BadHistory."""
        if event.kind not in ORDER_KINDS:
            return None
        before = self.orders.get(event.order)
        if before is not None and before.intent.key.account != event.account:
            raise BadHistory(event, f"is of another account than its order, {before.intent.key.account}")
        return after(before, event)

    def add(self, event: Event) -> None:
        """Take the event in. Raises BadHistory."""
        order = self.after(event)
        if order is None:
            return
        self.orders[event.order] = order
        place = event.account, order.intent.ticker
        if order.state in LIVE:
            self.live[place] = event.order
        elif self.live.get(place) == event.order:
            del self.live[place]
        if event.kind in _NUMBERED:
            self.numbers[event.account, order.day, order.number.lstrip("0")] = event.order


def check(event: Event, ledger: Ledger, desk: DeskState) -> None:
    """Raise where the event may not be added after what these orders and this desk have been through.

    Raises Wrong, CannotFollow, AlreadyIntended, AttemptOpen, StillOpen, NumberTaken, Fenced, Halted, Locked.
    """
    if event.at.tzinfo is None:
        raise Wrong(event.kind, "has a time without a zone")
    if told := fault(event.kind, event.body):
        raise Wrong(event.kind, told)
    if event.kind in ORDER_KINDS:
        _check_order(event, ledger, desk)
    try:
        ledger.after(event)
        desk_state.after(desk, event)
    except BadHistory as error:
        raise CannotFollow(event, error.why) from error


def fenced(account: str, fence: int, desk: DeskState) -> None:
    """Raise Fenced where the token is not the newest of the account."""
    if fence != desk.fence(account):
        raise Fenced(account, fence, desk.leases.get(account))


def _check_order(event: Event, ledger: Ledger, desk: DeskState) -> None:
    if not event.account or not event.order:
        raise Wrong(event.kind, "names no account or no order")
    if event.kind == "intent":
        _may_intend(event, ledger)
    elif event.kind == "sent":
        _may_send(event, ledger, desk)
    elif event.kind in _NUMBERED:
        _has_own_number(event, ledger)


def _may_intend(event: Event, ledger: Ledger) -> None:
    body = event.body
    key = Key(event.account, body["plan"], body["line"], body["attempt"])
    if event.order in ledger.orders:
        raise AlreadyIntended(key)
    if key.attempt > 1:
        _may_try_again(event, key, ledger)
    _stands_alone(event.account, event.order, body["ticker"], ledger)


def _may_try_again(event: Event, key: Key, ledger: Ledger) -> None:
    last = ledger.orders.get(Key(key.account, key.plan, key.line, key.attempt - 1).order)
    if last is None:
        raise AttemptOpen(key, f"there was no attempt {key.attempt - 1}")
    if last.state not in TERMINAL:
        raise AttemptOpen(key, f"attempt {key.attempt - 1} has not ended, it is {last.state}")
    if (event.body["ticker"], event.body["side"]) != (last.intent.ticker, last.intent.side):
        raise AttemptOpen(key, f"attempt {key.attempt - 1} was to {last.intent.side} {last.intent.ticker}")
    if event.body["quantity"] > last.remaining:
        wanted = event.body["quantity"]
        raise AttemptOpen(key, f"attempt {key.attempt - 1} left {last.remaining} shares to do, not {wanted}")


def _may_send(event: Event, ledger: Ledger, desk: DeskState) -> None:
    order = ledger.orders.get(event.order)
    if order is None:
        raise CannotFollow(event, "belongs to an order that was never intended")
    if "fence" in event.body:
        fenced(event.account, event.body["fence"], desk)
    ticker = order.intent.ticker
    if desk.halt is not None and desk.halt.stops(order.intent.side):
        raise Halted(desk.halt)
    if (event.account, ticker) in desk.breaks:
        raise Locked(desk.breaks[event.account, ticker])
    _stands_alone(event.account, event.order, ticker, ledger)


def _stands_alone(account: str, name: str, ticker: str, ledger: Ledger) -> None:
    other = ledger.live.get((account, ticker), name)
    if other != name:
        raise StillOpen(ticker, other, ledger.orders[other].state)


def _has_own_number(event: Event, ledger: Ledger) -> None:
    number, day = event.body["number"].lstrip("0"), event.body["day"]
    other = ledger.numbers.get((event.account, day, number), event.order)
    if other != event.order:
        raise NumberTaken(number, day, other)
