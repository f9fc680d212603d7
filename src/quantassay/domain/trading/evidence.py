"""What the broker's lists, totals and holdings prove about an order, and what they leave open.

The broker gives a new order no name of ours, so an order whose answer was lost is found again by what it was: ticker,
side, shares, price, time. One new row like it proves that it was taken; two are for a person. Where rows are missing,
holdings that moved by exactly the order prove its fill. Nothing ever proves that it was not taken.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Any

from quantassay.domain.trading.book import Book, DayOrders, OrderRow
from quantassay.domain.trading.orders import LIVE, Order

KOREA = timezone(timedelta(hours=9))


@dataclass(frozen=True, slots=True)
class Window:
    """When a row may bear the time of an order, and when holdings may be believed.

    From `skew` before it was sent, because clocks differ, until `skew` and `late` after its answer was due at the
    latest, because requests wait in queues. A cancel that was taken ends an order whose row is missing once the
    holdings are as old as `settle` after it. `zone` is the exchange's.
    """

    skew: timedelta = timedelta(minutes=2)
    late: timedelta = timedelta(minutes=10)
    settle: timedelta = timedelta(minutes=1)
    zone: tzinfo = KOREA

    def span(self, order: Order) -> tuple[datetime, datetime] | None:
        """The first and last instant that a row of the order may bear; None where it was never sent."""
        if order.sent_at is None:
            return None
        return order.sent_at - self.skew, (order.deadline or order.sent_at) + self.late + self.skew


@dataclass(frozen=True, slots=True)
class Reading:
    """What the broker said: the orders of a day, and the account where it was read too."""

    day: DayOrders
    book: Book | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """The one row that can only be the order: it was taken."""

    row: OrderRow


@dataclass(frozen=True, slots=True)
class FilledByHoldings:
    """No row is shown, and the holdings moved by the whole order: it was taken and filled, at about this amount."""

    filled: int
    amount: int
    why: str


@dataclass(frozen=True, slots=True)
class Several:
    """Rows of which none can only be the order: a person decides."""

    rows: tuple[OrderRow, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is proven, least of all that it was not taken: look again."""

    why: str


Finding = Found | FilledByHoldings | Several | Nothing


@dataclass(frozen=True, slots=True)
class Change:
    """What has become of an order: an event for the journal, of this kind and with this body."""

    kind: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Same:
    """Nothing new is proven."""

    why: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """The broker says what cannot be: a person must look."""

    why: str


def look(order: Order, others: Iterable[Order], reading: Reading, window: Window) -> Finding:
    """What a reading proves of an order that nobody knows of whether it was taken (SENT or UNKNOWN).

    `others` are all other orders of the account.
    """
    others = list(others)
    like = _rows_like(order, others, reading.day)
    placed = [(row, _instant(row, reading.day, window)) for row in like]
    span = window.span(order)
    if span is None or not _was_sent_on(order, reading.day.day, window):
        return Nothing("the orders of the day on which it was sent were not read")
    fitting = [row for row, at in placed if at is not None and span[0] <= at <= span[1]]
    odd = [row for row, at in placed if at is None or at > span[1]]
    if len(fitting) == 1 and not odd:
        at = _instant(fitting[0], reading.day, window)
        if at is not None and (rival := _rival(order, others, at, window)):
            why = f"it may as well be order {rival.intent.key.order}, whose number nobody knows"
            return Several(tuple(fitting), why)
        return Found(fitting[0])
    if fitting or odd:
        return Several((*fitting, *odd), _why_several(fitting, odd))
    return _by_holdings(order, others, reading, window)


def progress(order: Order, others: Iterable[Order], reading: Reading, window: Window) -> Change | Same | Doubt:
    """What a reading proves of an order that the broker has given a number (ACK or PARTIAL).

    `others` are all other orders of the account. The change is a fill, a cancelled or a rejected event.
    """
    if not order.number or order.day != reading.day.day.isoformat():
        return Same("the orders of its day were not read")
    number = bare(order.number)
    rows = [row for row in reading.day.rows if bare(row.number) == number and not row.origin]
    if not rows:
        return _without_row(order, list(others), reading, window)
    row = max(rows, key=lambda one: (one.filled, one.cancelled + one.rejected))
    return _by_row(order, row, [one for one in reading.day.rows if one.origin and bare(one.origin) == number])


def is_whole(day: DayOrders) -> bool:
    """Whether the day's rows are as many shares as its totals count; the broker is known to leave rows out."""
    shown = {bare(row.number): row.quantity for row in day.rows if not row.origin}
    return sum(shown.values()) >= day.totals.ordered


def bare(number: str) -> str:
    """A broker's number as numbers are compared: without leading zeros."""
    return number.strip().lstrip("0")


def _by_row(order: Order, row: OrderRow, cancels: Sequence[OrderRow]) -> Change | Same | Doubt:
    intent = order.intent
    if (row.ticker, row.side, row.quantity) != (intent.ticker, intent.side, intent.quantity):
        return Doubt(f"the broker's order {row.number} is to {row.side} {row.quantity} of {row.ticker}")
    # Which of the two rows bears the shares that were taken back is not the same everywhere.
    cancelled = row.cancelled or sum(one.cancelled for one in {one.number: one for one in cancels}.values())
    ended = row.filled + cancelled + row.rejected
    if ended > intent.quantity:
        return Doubt(f"filled {row.filled}, cancelled {cancelled} and refused {row.rejected} are more than it has")
    if row.filled < order.filled:
        return Doubt(f"the broker shows {row.filled} filled, and has shown {order.filled}")
    told = _filled(row.filled, row.amount or row.filled * intent.limit_price, estimated=not row.amount and row.filled)
    if row.rejected and not row.filled and ended == intent.quantity:
        return Change("rejected", {"code": "", "why": f"the exchange refused {row.rejected} shares"})
    if ended == intent.quantity and row.filled < intent.quantity:
        return Change("cancelled", {**told, "why": f"cancelled {cancelled}, refused {row.rejected}"})
    if row.filled > order.filled or (order.estimated and row.amount and row.filled):
        return Change("fill", told)
    if not row.remaining:
        return Doubt(f"the broker shows nothing left of it, and only {ended} of {intent.quantity} shares ended")
    return Same(f"{row.filled} of {row.quantity} filled")


def _without_row(order: Order, others: list[Order], reading: Reading, window: Window) -> Change | Same | Doubt:
    """What can be said where the broker's list lacks an order that it has: from holdings and totals."""
    moved = _moved(order, reading.book)
    if moved is None:
        return Same("no row of it is shown, and the holdings tell nothing")
    if not order.filled <= moved <= order.intent.quantity:
        return Same(f"no row of it is shown, and the holdings moved by {moved}, which it does not explain")
    same_day = [one for one in others if _was_sent_on(one, reading.day.day, window)]
    if why := _unproven(order, same_day, reading, moved):
        return Same(f"no row of it is shown, and {why}")
    told = _filled(moved, _amount(order, reading.day, moved), estimated=moved)
    if order.cancel_taken and moved < order.intent.quantity:
        if reading.book is not None and reading.book.at >= order.changed_at + window.settle:
            return Change("cancelled", {**told, "why": "the cancel was taken, and the holdings have moved no further"})
        return Same("its cancel was taken, and a last fill may not show yet")
    if moved > order.filled:
        return Change("fill", told)
    return Same("no row of it is shown, and the holdings have not moved further")


def _by_holdings(order: Order, others: list[Order], reading: Reading, window: Window) -> Finding:
    """A fill of the whole order that only the holdings show."""
    moved, quantity = _moved(order, reading.book), order.intent.quantity
    if moved is None:
        return Nothing("no order like it is shown, and the holdings tell nothing")
    if moved != quantity:
        return Nothing(f"no order like it is shown, and the holdings moved by {moved} of its {quantity} shares")
    same_day = [one for one in others if _was_sent_on(one, reading.day.day, window)]
    if why := _unproven(order, same_day, reading, moved):
        return Nothing(f"no order like it is shown; the holdings moved by {moved}, but {why}")
    why = (
        f"the holdings moved by its {quantity} shares, the day's totals have room for it, and nothing else explains it"
    )
    return FilledByHoldings(quantity, _amount(order, reading.day, quantity), why)


def _moved(order: Order, book: Book | None) -> int | None:
    """Shares by which the holdings moved the order's way since it was intended; None where that cannot be told."""
    before = order.intent.before.get("held")
    if book is None or before is None or (order.sent_at is not None and book.at < order.sent_at):
        return None
    moved = book.held(order.intent.ticker) - before
    return moved if order.intent.side == "buy" else -moved


def _unproven(order: Order, others: Sequence[Order], reading: Reading, shares: int) -> str:
    """Why a move of the holdings by so many shares does not prove that they are the order's, empty where it does.

    `others` are our other orders of the day.
    """
    day, intent = reading.day, order.intent
    of_name = [one for one in others if one.intent.ticker == intent.ticker]
    if other := next((one for one in of_name if one.filled or one.state in LIVE), None):
        return f"order {other.intent.key.order} may explain it"
    rows = _unowned(others, day, own=order.number)
    if row := next((one for one in rows if one.ticker == intent.ticker and one.filled), None):
        return f"order {row.number}, which is not ours, may explain it"
    if is_whole(day):
        return "the day's list is whole without it"
    if "filled" not in intent.before:
        return "the day's totals before it were not read"
    added = day.totals.filled - intent.before["filled"]
    # Fills of our other orders of the day lie before the first reading of the totals, or after it.
    room = sum(one.filled + (one.remaining if one.state in LIVE else 0) for one in others)
    if not shares <= added <= shares + room:
        return f"the day's totals count {added} shares filled since then"
    return ""


def _amount(order: Order, day: DayOrders, shares: int) -> int:
    """What so many shares cost or brought, as well as it can be told: by the totals if they count nothing else."""
    before, limit = order.intent.before, shares * order.intent.limit_price
    if day.totals.filled - before.get("filled", 0) != shares or "amount" not in before:
        return limit
    amount = day.totals.amount - before["amount"]
    is_possible = 0 < amount <= limit if order.intent.side == "buy" else amount >= limit
    return amount if is_possible else limit


def _rows_like(order: Order, others: Iterable[Order], day: DayOrders) -> list[OrderRow]:
    """New orders that are what the order is, each once, although the broker may list it twice."""
    intent = order.intent
    wanted = (intent.ticker, intent.side, intent.quantity, intent.limit_price)
    rows = _unowned(others, day)
    return [row for row in rows if (row.ticker, row.side, row.quantity, row.price) == wanted]


def _unowned(others: Iterable[Order], day: DayOrders, own: str = "") -> list[OrderRow]:
    """Rows of new orders that none of our orders owns, each number once and as far on as it is shown."""
    owned = {bare(one.number) for one in others if one.number and one.day == day.day.isoformat()}
    owned |= {bare(own)} - {""}
    found: dict[str, OrderRow] = {}
    for row in day.rows:
        number = bare(row.number)
        if row.origin or number in owned:
            continue
        known = found.get(number)
        if known is None or row.filled > known.filled:
            found[number] = row
    return list(found.values())


def _instant(row: OrderRow, day: DayOrders, window: Window) -> datetime | None:
    """When the broker took the order; None where it does not say a time."""
    text = row.time.strip()
    if len(text) != len("HHMMSS") or not text.isdecimal():
        return None
    try:
        of_day = time(int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        return None
    return datetime.combine(day.day, of_day, window.zone)


def _rival(order: Order, others: Iterable[Order], at: datetime, window: Window) -> Order | None:
    """Another order of ours like it that has no number, and that a row of this time may be as well."""
    for other in others:
        mine, its, span = order.intent, other.intent, window.span(other)
        like = (its.ticker, its.side, its.quantity, its.limit_price) == (
            mine.ticker,
            mine.side,
            mine.quantity,
            mine.limit_price,
        )
        # The broker's own refusal is an answer; that a person gave an order up is none.
        may_stand = other.given_up or other.filled or other.state in LIVE
        if like and not other.number and may_stand and span is not None and span[0] <= at <= span[1]:
            return other
    return None


def _was_sent_on(order: Order, day: date, window: Window) -> bool:
    return order.sent_at is not None and order.sent_at.astimezone(window.zone).date() == day


def _filled(filled: int, amount: int, *, estimated: object) -> dict[str, Any]:
    return {"filled": filled, "amount": amount if filled else 0, "estimated": bool(estimated)}


def _why_several(fitting: Sequence[OrderRow], odd: Sequence[OrderRow]) -> str:
    numbers = ", ".join(row.number for row in (*fitting, *odd))
    if len(fitting) + len(odd) > 1:
        return f"orders {numbers} are all like it"
    return f"order {numbers} is like it, but its time is not one that this order can have"
