"""Our own account of what is held, worked out from the journal alone, and how it stands to what the broker says.

What we hold of a name is what the first reading of the account showed, plus our own fills, plus the trades of others
that were recognised; a difference that a person accepted sets it anew. So no later reading can make a break go away:
it goes when the broker says what we say, when the broker's own orders explain it, or when a person accepts it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import accumulate
from typing import Any

from quantassay.domain.trading.book import Book, DayOrders, OrderRow, Side
from quantassay.domain.trading.evidence import bare
from quantassay.domain.trading.orders import LIVE, ORDER_KINDS, Event, Order, after

# The members of a certificate that say which account it is; its key may be renewed, its host may get another name.
_SAME_ACCOUNT = ("environment", "account")


class Kind(StrEnum):
    """How what we say of a name stands to what the broker says."""

    AGREE = "agree"
    OURS_UNFINISHED = "ours_unfinished"
    EXTERNAL = "external"
    BREAK = "break"


@dataclass(frozen=True, slots=True)
class External:
    """What somebody else's order has filled, in all; `number` is the broker's, without leading zeros."""

    ticker: str
    side: Side
    quantity: int
    amount: int
    number: str
    day: str

    @property
    def signed(self) -> int:
        """Shares that it added to the account."""
        return self.quantity if self.side == "buy" else -self.quantity

    @property
    def name(self) -> tuple[str, str]:
        """What makes it this order: numbers begin anew each day."""
        return self.day, self.number

    def body(self) -> dict[str, Any]:
        """The body of the journal's event; a later one of the same order replaces it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Difference:
    """A break as the journal has it: shares by us and by the broker."""

    ours: int
    theirs: int
    why: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal of one account says: shares by name, orders, others' orders, breaks, and the readings.

    `opened` and `last` are the first and the newest reading of the account, None where it was never read.
    """

    held: Mapping[str, int]
    orders: Mapping[str, Order]
    externals: Mapping[tuple[str, str], External]
    breaks: Mapping[str, Difference]
    opened: Event | None
    last: Event | None


@dataclass(frozen=True, slots=True)
class Name:
    """One name: shares by us and by the broker, and why they are what they are to each other.

    `externals` are others' orders that explain what the broker has and that are not in the journal yet.
    """

    ticker: str
    kind: Kind
    ours: int
    theirs: int
    why: str
    externals: tuple[External, ...] = ()


@dataclass(slots=True)
class _Fold:
    held: dict[str, int] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    externals: dict[tuple[str, str], External] = field(default_factory=dict)
    breaks: dict[str, Difference] = field(default_factory=dict)
    opened: Event | None = None
    last: Event | None = None


def book_body(book: Book) -> dict[str, Any]:
    """The body of the journal's event that says what the broker said of the account."""
    ordered = sorted(book.positions, key=lambda one: one.ticker)
    positions = [{**asdict(one), "average_price": str(one.average_price)} for one in ordered]
    told = {name: getattr(book, name) for name in ("cash", "deposit", "equity", "pages")}
    return {"at": book.at.isoformat(), **told, "positions": positions, "certificate": asdict(book.certificate)}


def known(events: Iterable[Event]) -> Known:
    """What the events of one account say, in the order in which they happened. Raises BadHistory."""
    fold = _Fold()
    for event in events:
        if event.kind in ORDER_KINDS:
            _order(fold, event)
        else:
            _other(fold, event)
    held = {ticker: shares for ticker, shares in fold.held.items() if shares}
    return Known(held, fold.orders, fold.externals, fold.breaks, fold.opened, fold.last)


def _order(fold: _Fold, event: Event) -> None:
    before = fold.orders.get(event.order)
    order = fold.orders[event.order] = after(before, event)
    filled = order.filled - (before.filled if before else 0)
    _add(fold, order.intent.ticker, filled if order.intent.side == "buy" else -filled)


def _other(fold: _Fold, event: Event) -> None:
    body = event.body
    match event.kind:
        case "book":
            if fold.opened is None:
                fold.opened = event
                fold.held = {one["ticker"]: one["quantity"] for one in body["positions"]}
            fold.last = event
        case "external":
            one = External(**{name: body[name] for name in External.__dataclass_fields__})
            seen = fold.externals.get(one.name)
            _add(fold, one.ticker, one.signed - (seen.signed if seen else 0))
            fold.externals[one.name] = one
        case "break":
            fold.breaks[body["ticker"]] = Difference(body["ours"], body["theirs"], body["why"])
        case "break_cleared":
            fold.breaks.pop(body["ticker"], None)
            if body.get("adopted") is not None:
                fold.held[body["ticker"]] = body["adopted"]
        case _:
            pass


def _add(fold: _Fold, ticker: str, shares: int) -> None:
    fold.held[ticker] = fold.held.get(ticker, 0) + shares


def same_account(event: Event, book: Book) -> bool:
    """Whether this reading in the journal and this book are of one account of one environment."""
    said, told = event.body["certificate"], asdict(book.certificate)
    return all(said[name] == told[name] for name in _SAME_ACCOUNT)


def twice(book: Book) -> str | None:
    """A name that stands in the book more than once: such a book cannot be counted with."""
    seen: set[str] = set()
    for one in book.positions:
        if one.ticker in seen:
            return one.ticker
        seen.add(one.ticker)
    return None


def reconcile(journal: Known, book: Book, days: Iterable[DayOrders], shows_within: timedelta) -> tuple[Name, ...]:
    """Every name that is held, expected or in a break, by ticker.

    `days` are the broker's orders of days since the account was first read, as far as they were asked for. A fill shows
    in the holdings only after a while, at the latest `shows_within` it.
    """
    theirs = {one.ticker: one.quantity for one in book.positions if one.quantity}
    foreign = _foreign(journal, days)
    tickers = {*journal.held, *theirs, *journal.breaks, *(one.ticker for one, _ in foreign)}
    return tuple(
        _name(
            (ticker, journal.held.get(ticker, 0), theirs.get(ticker, 0)),
            [order for order in journal.orders.values() if order.intent.ticker == ticker],
            [(one, added) for one, added in foreign if one.ticker == ticker],
            book.at - shows_within,
        )
        for ticker in sorted(tickers)
    )


def foreign(journal: Known, days: Iterable[DayOrders], ticker: str | None = None) -> list[External]:
    """Others' orders that have filled something the journal does not know of yet, oldest first."""
    return [one for one, _ in _foreign(journal, days) if ticker in (None, one.ticker)]


def unfinished(journal: Known, ticker: str) -> list[str]:
    """The names of our orders for this ticker that stand at the broker, or may stand there."""
    return [name for name, one in journal.orders.items() if one.state in LIVE and one.intent.ticker == ticker]


def _name(
    sides: tuple[str, int, int], orders: Sequence[Order], foreign: Sequence[tuple[External, int]], since: datetime
) -> Name:
    ticker, ours, theirs = sides
    gap = theirs - ours
    less, more = _unfinished(orders, since)
    sums = list(accumulate((added for _, added in foreign), initial=0))
    if less == more == 0:
        explained = max((count for count, total in enumerate(sums) if total == gap), default=0)
        if explained:
            found = tuple(one for one, _ in foreign[:explained])
            return Name(ticker, Kind.EXTERNAL, ours, theirs, _told(found), found)
    if gap == 0:
        return Name(ticker, Kind.AGREE, ours, theirs, "both sides say the same")
    if (less or more) and any(-less <= gap - total <= more for total in sums):
        return Name(ticker, Kind.OURS_UNFINISHED, ours, theirs, "an order of ours stands, or has just filled")
    return Name(ticker, Kind.BREAK, ours, theirs, _why_broken(ours, theirs, foreign))


def _unfinished(orders: Sequence[Order], since: datetime) -> tuple[int, int]:
    """How many shares fewer, and more, than we count the broker may have because of our own orders.

    An order that stands may have filled more than we know; a fill younger than `since` may not show yet.
    """
    less = more = 0
    for order in orders:
        to_come = order.remaining if order.state in LIVE else 0
        to_show = order.filled if order.changed_at >= since else 0
        is_buy = order.intent.side == "buy"
        more += to_come if is_buy else to_show
        less += to_show if is_buy else to_come
    return less, more


def _told(found: Sequence[External]) -> str:
    orders = ", ".join(f"{one.side} {one.quantity} (order {one.number} of {one.day})" for one in found)
    return f"traded by somebody else: {orders}"


def _why_broken(ours: int, theirs: int, foreign: Sequence[tuple[External, int]]) -> str:
    rows = "no order that the broker shows explains it"
    if foreign:
        rows = f"{_told([one for one, _ in foreign])}, which does not explain it"
    return f"we count {ours}, the broker {theirs}, and {rows}"


def _foreign(journal: Known, days: Iterable[DayOrders]) -> list[tuple[External, int]]:
    """Others' orders with the shares that they added beyond what the journal knows, oldest first; none without any."""
    ours = {(order.day, bare(order.number)) for order in journal.orders.values() if order.number}
    unnumbered = [order for order in journal.orders.values() if order.sent_at and not order.number]
    found: dict[tuple[str, str, str], tuple[External, int]] = {}
    for day in days:
        for row in day.rows:
            one = External(row.ticker, row.side, row.filled, row.amount, bare(row.number), day.day.isoformat())
            seen = journal.externals.get(one.name)
            added = one.signed - (seen.signed if seen else 0)
            mine = one.name in ours or any(_may_be(order, row, day.day) for order in unnumbered)
            if added and not row.origin and not mine:
                found[one.day, row.time, one.number] = one, added
    return [found[key] for key in sorted(found)]


def _may_be(order: Order, row: OrderRow, day: date) -> bool:
    """Whether the row may be an order of ours whose number nobody told us, one that was given up included."""
    intent = order.intent
    same = (row.ticker, row.side, row.quantity, row.price) == (
        intent.ticker,
        intent.side,
        intent.quantity,
        intent.limit_price,
    )
    # The instant has a zone of its own, so that its date may be the exchange's or the one beside it.
    return same and order.sent_at is not None and abs((order.sent_at.date() - day).days) <= 1
