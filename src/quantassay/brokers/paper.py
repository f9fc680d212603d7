"""The paper broker: orders fill at the open of their session, by the desk's own bars and costs, and nobody is paid.

What it holds is kept in a database, so it is the same account after a restart. An order whose session has no price yet
rests, and fills as it would have at the open once there is one; what is left when the session is over lapses.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Protocol

from quantassay.brokers.port import Unreadable
from quantassay.domain.market.price_rules import tick
from quantassay.domain.market.sessions import Hours
from quantassay.domain.trading import paper_account, paper_fills
from quantassay.domain.trading.book import (
    Accepted,
    Answer,
    Book,
    Certificate,
    DayOrders,
    MarketState,
    NewOrder,
    NotSent,
    Orderable,
    Placed,
    Position,
    Quote,
    Refused,
)
from quantassay.domain.trading.clock import Clock
from quantassay.domain.trading.paper_account import BRANCH, PaperAccount, PaperOrder
from quantassay.domain.trading.paper_fills import BUY, Fill, Opening, Terms
from quantassay.errors import AssayError
from quantassay.store.paper_book import Change, PaperBook

_AGAIN_S = 1.0
_NO_BARS = "there are no bars of it"


class Market(Protocol):
    """What the paper broker is told of the market: never anything of a session that has not opened for its clock."""

    def opening(self, ticker: str, day: date) -> Opening | None:
        """How the session opened for this name; None where no price of it is known yet."""
        ...

    def base(self, ticker: str, day: date) -> int | None:
        """The last close before this day; None for a name without one."""
        ...

    def name(self, ticker: str) -> str:
        """What the name is called."""
        ...

    def hours(self, day: date) -> Hours | None:
        """From when to when the session of this day runs; None where there is none, or the calendars disagree."""
        ...

    def today(self, at: datetime) -> date:
        """The day at the exchange."""
        ...

    def is_settled(self, traded: date, day: date) -> bool:
        """Whether what was traded on the one day is paid by the other."""
        ...

    def terms(self, day: date) -> Terms:
        """What holds on this day."""
        ...


@dataclass(frozen=True, slots=True)
class PaperBroker:
    """One paper account: a `Broker`. `opening` is what the account begins with, the first time it is used."""

    certificate: Certificate
    account: str
    opening: PaperAccount
    kept: PaperBook
    market: Market
    clock: Clock

    def book(self) -> Book:
        """Holdings at the price of the last session that has opened, and money. Raises Unreadable."""
        with self._reading("the account") as (_, account):
            day = self._today()
            positions = tuple(
                self._position(account, ticker, one) for ticker, one in paper_account.holdings(account).items()
            )
            cash = paper_account.cash(account)
            return Book(
                at=self.clock.now(),
                positions=positions,
                cash=cash,
                deposit=paper_account.deposit(account, lambda traded: self.market.is_settled(traded, day)),
                equity=cash + sum(one.quantity * one.last_price for one in positions),
                pages=1,
                certificate=self.certificate,
            )

    def day_orders(self, day: date) -> DayOrders:
        """The orders of a day. Raises Unreadable."""
        with self._reading("the orders") as (_, account):
            return DayOrders(day, paper_account.rows(account, day), paper_account.totals(account, day), 1)

    def orderable(self, ticker: str, price: int) -> Orderable:
        """What may be bought at this limit price, the fee kept back. Raises Unreadable."""
        with self._reading("the money") as (_, account):
            if self.market.base(ticker, self._today()) is None:
                raise Unreadable(_priced(ticker), _NO_BARS)
            cash = max(self._spendable(account), 0)
            return Orderable(cash, paper_fills.affordable(cash, price, self.market.terms(self._today())))

    def quote(self, ticker: str) -> Quote:
        """The price at which the session opened. Raises Unreadable where it has not, or the name has no bars."""
        day, what = self._today(), _priced(ticker)
        with _whole(what):
            base, found = self.market.base(ticker, day), self._opening(ticker, day)
            if base is None:
                raise Unreadable(what, _NO_BARS)
            if found is None:
                raise Unreadable(what, f"no price of {day} is known; import its bars, or quotes seen in the session")
            terms = self.market.terms(day)
            band = terms.band(base)
            step = tick(terms.rules, found.open, day, terms.kind)
            first, at = found.open, self.clock.now()
            return Quote(ticker, first, base, band.upper, band.lower, step, found.halted, at, first)

    def market_state(self, ticker: str, day: date) -> MarketState:
        """Open while the session of the desk's own calendar runs: there is nobody else to ask."""
        closed = self._closed(day)
        runs = f"the calendar's session of {day} runs, and for {ticker} on paper there is no other sign"
        return MarketState(open=not closed, why=closed.why if closed else runs)

    def submit(self, order: NewOrder) -> Answer:
        """Take an order, or refuse it as the exchange would."""
        try:
            with self._changing() as (change, account):
                day = self._today()
                refused = self._closed(day) or self._refused(account, order, day)
                if refused:
                    return refused
                at = self._time()
                number = len(account.orders) + 1
                new = PaperOrder(number, day, at, order.ticker, order.side, order.quantity, order.limit_price)
                if not account.orders:
                    change.begin(self.opening, self.clock.now().isoformat())
                change.write(new)
                self._advance(change, account.with_order(new))
                return Accepted(_placed(new), at)
        except AssayError as error:
            # The transaction is rolled back: nothing of it happened.
            return NotSent("paper_book", str(error), _AGAIN_S)

    def cancel(self, placed: Placed, ticker: str) -> Answer:
        """Take back all that is left of an order."""
        try:
            with self._changing() as (change, account):
                number = placed.number.lstrip("0")
                order = account.order(int(number)) if number.isdigit() else None
                if order is None or (order.ticker, order.day) != (ticker, placed.day):
                    return Refused("paper_unknown", f"there is no order {placed.number} of {ticker} on {placed.day}")
                if not order.remaining:
                    return Refused("paper_done", "nothing is left of the order")
                own = replace(
                    order,
                    number=len(account.orders) + 1,
                    time=self._time(),
                    quantity=order.remaining,
                    price=0,
                    origin=order.number,
                    fill=None,
                    cancelled=0,
                )
                change.write(replace(order, cancelled=order.remaining))
                change.write(own)
                return Accepted(_placed(own), own.time)
        except AssayError as error:
            # The transaction is rolled back: nothing of it happened.
            return NotSent("paper_book", str(error), _AGAIN_S)

    # ---- how it does it

    @contextlib.contextmanager
    def _reading(self, what: str) -> Iterator[tuple[Change, PaperAccount]]:
        with _whole(what), self._changing() as both:
            yield both

    @contextlib.contextmanager
    def _changing(self) -> Iterator[tuple[Change, PaperAccount]]:
        """The account as it is at this instant, in a transaction; nothing is written for one that never traded."""
        with self.kept.change(self.account) as change:
            yield change, self._advance(change, change.read() or self.opening)

    def _advance(self, change: Change, account: PaperAccount) -> PaperAccount:
        """Fill what rests and has a price by now, in the order of the numbers; let lapse what is over."""
        for order in account.orders:
            if not order.remaining:
                continue
            after = self._filled(account, order)
            if after.remaining and self._is_over(order):
                after = replace(after, cancelled=after.remaining)
            if after != order:
                change.write(after)
                account = account.with_order(after)
        return account

    def _filled(self, account: PaperAccount, order: PaperOrder) -> PaperOrder:
        """There is one open a session, so an order that got a part of what it wanted gets no more."""
        found = None if order.fill else self._opening(order.ticker, order.day)
        if found is None:
            return order
        had = paper_account.taken(account, order.ticker, order.day)
        wanted = NewOrder(order.ticker, order.side, order.quantity, order.price)
        made = paper_fills.fill(wanted, found, self.market.terms(order.day), had)
        return replace(order, fill=made) if isinstance(made, Fill) else order

    def _is_over(self, order: PaperOrder) -> bool:
        """Whether nothing can fill any more: the session is over and its price was known, or another day has come."""
        hours = self.market.hours(order.day)
        if self._today() > order.day or hours is None:
            return True
        return self.clock.now() >= hours.close and self._opening(order.ticker, order.day) is not None

    def _opening(self, ticker: str, day: date) -> Opening | None:
        hours = self.market.hours(day)
        return self.market.opening(ticker, day) if hours and self.clock.now() >= hours.open else None

    def _closed(self, day: date) -> Refused | None:
        hours, now = self.market.hours(day), self.clock.now()
        if day != self._today() or hours is None:
            return Refused("paper_no_session", f"{day} is no session now")
        if now < hours.open:
            return Refused("paper_before_open", f"the session of {day} opens at {hours.open:%H:%M}")
        if now >= hours.close:
            return Refused("paper_after_close", f"the session of {day} was over at {hours.close:%H:%M}")
        return None

    def _refused(self, account: PaperAccount, order: NewOrder, day: date) -> Refused | None:
        base, found = self.market.base(order.ticker, day), self._opening(order.ticker, day)
        if base is None:
            return Refused("paper_unknown_name", f"there are no bars of {order.ticker}")
        if found and found.halted:
            return Refused("paper_halted", f"{order.ticker} is not traded in the session of {day}")
        terms = self.market.terms(day)
        refused = paper_fills.refusal(order, base, terms)
        if refused:
            return refused
        if order.side == BUY:
            needed, there = paper_fills.largest_cost(order, terms), self._spendable(account)
            if needed > there:
                return Refused("paper_cash", f"{needed} won may be needed, and {there} won are free")
            return None
        there = paper_account.sellable(account, order.ticker)
        if order.quantity > there:
            return Refused("paper_shares", f"{order.quantity} shares are to be sold, and {there} may be")
        return None

    def _spendable(self, account: PaperAccount) -> int:
        def largest(one: PaperOrder) -> int:
            rest = NewOrder(one.ticker, one.side, one.remaining, one.price)
            return paper_fills.largest_cost(rest, self.market.terms(one.day))

        return paper_account.spendable(account, largest)

    def _position(self, account: PaperAccount, ticker: str, held: paper_account.Holding) -> Position:
        day = self._today()
        found, base = self._opening(ticker, day), self.market.base(ticker, day)
        price = found.open if found else base
        if price is None:
            raise Unreadable(_priced(ticker), _NO_BARS)
        may = paper_account.sellable(account, ticker)
        return Position(ticker, self.market.name(ticker), held.quantity, may, held.average_price, price)

    def _today(self) -> date:
        return self.market.today(self.clock.now())

    def _time(self) -> str:
        hours = self.market.hours(self._today())
        now = self.clock.now()
        return (now.astimezone(hours.open.tzinfo) if hours else now).strftime("%H%M%S")


@contextlib.contextmanager
def _whole(what: str) -> Iterator[None]:
    """Whatever stands in the way of a reading makes it unreadable."""
    try:
        yield
    except Unreadable:
        raise
    except AssayError as error:
        raise Unreadable(what, str(error)) from error


def _priced(ticker: str) -> str:
    return f"the price of {ticker}"


def _placed(order: PaperOrder) -> Placed:
    return Placed(f"{order.number:010d}", BRANCH, order.day)
