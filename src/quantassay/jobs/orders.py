"""The orders of the journal: what became of each, and what a person decides where nobody else can say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from quantassay.brokers.port import Broker, Unreadable
from quantassay.domain.trading import evidence
from quantassay.domain.trading.book import OrderRow
from quantassay.domain.trading.clock import Clock
from quantassay.domain.trading.evidence import Change, FilledByHoldings, Finding, Found, Nothing, Reading, Window
from quantassay.domain.trading.orders import TERMINAL, Event, Order, State
from quantassay.domain.trading.terms import terms
from quantassay.errors import AssayError
from quantassay.harness.inputs import Inputs
from quantassay.harness.workspace import find
from quantassay.jobs import connect, desk
from quantassay.jobs.clock import SystemClock
from quantassay.jobs.halt import actor, said
from quantassay.store.journal import Journal, journal_file

# In doubt: nobody knows whether the broker has it.
DOUBTED = (State.SENT, State.UNKNOWN)


class NoOrder(AssayError):
    """An order that the journal does not have, or a beginning that several have."""

    def __init__(self, name: str, found: Sequence[str]) -> None:
        told = f"{len(found)} orders begin with it: {', '.join(found[:5])}" if found else "`assay orders` lists them"
        super().__init__(f"the journal has no order {name!r}; {told}")


class NothingInDoubt(AssayError):
    """An order of which it is known whether the broker has it."""

    exit_code = 1

    def __init__(self, name: str, order: Order) -> None:
        super().__init__(f"order {name} is {order.state}: there is nothing to decide; nothing was written")


class TooEarly(AssayError):
    """An order that may still be answered, or still arrive."""

    exit_code = 1

    def __init__(self, name: str, until: datetime, what: str) -> None:
        super().__init__(
            f"order {name} may still {what} until {until.isoformat(timespec='seconds')}; nothing was written, decide "
            "after that"
        )


class NoSuchRow(AssayError):
    """A number that the broker does not show for an order like this one."""

    exit_code = 1

    def __init__(self, number: str, why: str) -> None:
        super().__init__(f"the broker's order {number} is refused: {why}; nothing was written")


class ShownByBroker(AssayError):
    """An order that was never placed, says a person, and that the broker shows."""

    exit_code = 1

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"order {name} cannot be given up: {why}; nothing was written")


@dataclass(frozen=True, slots=True)
class Listed:
    """Orders by name, how many the journal has in all, and how many of those are in doubt."""

    orders: Mapping[str, Order]
    count: int
    doubted: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One order, and every event about it."""

    name: str
    order: Order
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person decides about an order: it is this one of the broker's, or it was never placed, or nothing yet."""

    order: str
    placed: str = ""
    not_placed: bool = False
    why: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The evidence, and the order as it stands now; `unread` says why there is none, `decided` that it was written."""

    name: str
    order: Order
    finding: Finding
    unread: str
    decided: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """How many lines the journal has, the digest of the newest, and what is wrong; None where there is no journal."""

    count: int
    digest: str
    problems: tuple[str, ...]


def listed(folder: Path, account: str = "", *, everything: bool = False) -> Listed:
    """The orders that have not ended and those of the newest plan of each account, or all of them."""
    path = journal_file(find(folder).data)
    if not path.exists():
        return Listed({}, 0, 0)
    with Journal(path) as journal:
        orders = journal.orders(account or None)
    newest = {one.intent.key.account: one.intent.key.plan for one in orders.values()}
    shown = {
        name: one
        for name, one in orders.items()
        if everything or one.state not in TERMINAL or newest[one.intent.key.account] == one.intent.key.plan
    }
    return Listed(shown, len(orders), sum(one.state in DOUBTED for one in orders.values()))


def show(folder: Path, name: str) -> Shown:
    """One order by its name, or by the beginning of it that no other has. Raises NoOrder."""
    path = journal_file(find(folder).data)
    if not path.exists():
        raise NoOrder(name, [])
    with Journal(path) as journal:
        orders = journal.orders()
        whole = _named(orders, name)
        events = journal.events(orders[whole].intent.key.account)
    return Shown(whole, orders[whole], tuple(event for event in events if event.order == whole))


def check(folder: Path, heads: Sequence[tuple[int, str]] = ()) -> Checked | None:
    """Hold the journal against its own chain and its head file, and against heads that were noted elsewhere."""
    path = journal_file(find(folder).data)
    if not path.exists():
        return None
    with Journal(path) as journal:
        problems = journal.check(heads)
        seq, digest = (0, "") if problems else journal.head()
    return Checked(seq, digest, tuple(problems))


def resolve(folder: Path, wish: Wish, *, clock: Clock | None = None, broker: Broker | None = None) -> Resolved:
    """Show what speaks for an order that is in doubt, and write down what a person decides, if anything.

    `broker` is asked in place of the account's own. Raises NoOrder, NothingInDoubt, TooEarly, NoSuchRow,
    ShownByBroker, NoReason, NumberTaken.
    """
    inputs, clock = desk.built(folder), clock or SystemClock()
    path = journal_file(inputs.workspace.data)
    if not path.exists():
        raise NoOrder(wish.order, [])
    window = terms(inputs.value("trading")).looking
    with Journal(path) as journal:
        orders = journal.orders()
        name = _named(orders, wish.order)
        order = orders[name]
        _is_in_doubt(name, order, clock.now())
        others = [one for other, one in orders.items() if other != name and _same_account(one, order)]
        reading, unread = _read(inputs, order, clock, broker, window)
        finding = evidence.look(order, others, reading, window) if reading else Nothing(unread)
        events = _decided(wish, (name, order), reading, (finding, clock.now(), window))
        for kind, body in events:
            journal.append(clock.now(), kind, account=order.intent.key.account, order=name, body=body)
        if wish.placed and reading is not None:
            _follow(journal, name, others, reading, (clock.now(), window))
        return Resolved(name, journal.orders()[name], finding, unread, decided=bool(events))


def _named(orders: Mapping[str, Order], name: str) -> str:
    found = [one for one in orders if one.startswith(name)] if name else []
    if name in orders:
        return name
    if len(found) != 1:
        raise NoOrder(name, found)
    return found[0]


def _same_account(one: Order, other: Order) -> bool:
    return one.intent.key.account == other.intent.key.account


def _is_in_doubt(name: str, order: Order, now: datetime) -> None:
    if order.state not in DOUBTED:
        raise NothingInDoubt(name, order)
    if order.state is State.SENT and order.deadline is not None and now < order.deadline:
        raise TooEarly(name, order.deadline, "be answered")


def _read(
    inputs: Inputs, order: Order, clock: Clock, broker: Broker | None, window: Window
) -> tuple[Reading | None, str]:
    """What the broker says now of the day on which the order was sent; None and why where it says nothing."""
    day = (order.sent_at or clock.now()).astimezone(window.zone).date()
    try:
        asked = broker or connect.broker(inputs, order.intent.key.account, clock)
        return Reading(asked.day_orders(day), asked.book(), clock.now()), ""
    except Unreadable as error:
        return None, str(error)
    except AssayError as error:
        return None, f"the broker cannot be asked: {error}"


def _decided(
    wish: Wish, which: tuple[str, Order], reading: Reading | None, ground: tuple[Finding, datetime, Window]
) -> list[tuple[str, dict[str, object]]]:
    """The event of the journal that a decision makes, none where nothing was decided."""
    finding, now, window = ground
    name, order = which
    if not wish.placed and not wish.not_placed:
        return []
    person: dict[str, object] = {"by": actor(wish.by), "why": said(wish.why, "--why")}
    if wish.placed:
        row = _row(wish.placed, order, reading) if reading is not None else None
        day = (order.sent_at or now).astimezone(window.zone).date().isoformat()
        number, branch = (row.number, row.branch) if row else (wish.placed, "")
        return [("found", {"number": number, "branch": branch, "day": day, "how": "person", **person})]
    span = window.span(order)
    if span is not None and now < span[1]:
        raise TooEarly(name, span[1], "arrive at the broker")
    if isinstance(finding, Found):
        raise ShownByBroker(name, f"the broker's order {finding.row.number} can only be this one; use --placed")
    if isinstance(finding, FilledByHoldings):
        raise ShownByBroker(name, finding.why)
    return [("not_placed", {**person, "seen": finding.why})]


def _row(number: str, order: Order, reading: Reading) -> OrderRow | None:
    """The broker's row of this number, if it is like the order; None where rows are missing. Raises NoSuchRow."""
    wanted, intent = evidence.bare(number), order.intent
    rows = [row for row in reading.day.rows if evidence.bare(row.number) == wanted and not row.origin]
    if not rows and not evidence.is_whole(reading.day):
        return None
    if not rows:
        raise NoSuchRow(number, f"it shows no new order of that number on {reading.day.day}")
    row = rows[0]
    if (row.ticker, row.side, row.quantity) != (intent.ticker, intent.side, intent.quantity):
        raise NoSuchRow(number, f"it is to {row.side} {row.quantity} of {row.ticker}, and not like this one")
    return row


def _follow(
    journal: Journal, name: str, others: Sequence[Order], reading: Reading, ground: tuple[datetime, Window]
) -> None:
    """Write down at once what has become of an order that a person found."""
    now, window = ground
    order = journal.orders()[name]
    change = evidence.progress(order, others, reading, window)
    if isinstance(change, Change):
        journal.append(now, change.kind, account=order.intent.key.account, order=name, body=change.body)
