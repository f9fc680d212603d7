"""With what a plan is carried out, and what is known at the moment an order is about to be sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from quantassay.domain.market import sessions
from quantassay.domain.market.price_rules import PriceRules
from quantassay.domain.market.sessions import Calendar
from quantassay.domain.trading import limits
from quantassay.domain.trading.book import Book, Quote
from quantassay.domain.trading.clock import Clock
from quantassay.domain.trading.limits import Check, Edge, Prices, Wish
from quantassay.domain.trading.orders import Order
from quantassay.domain.trading.terms import Terms
from quantassay.jobs import reconcile
from quantassay.jobs.readings import Readings
from quantassay.store.journal import Journal


@dataclass(frozen=True, slots=True)
class Market:
    """The exchange: its calendar, its tables of ticks and daily limits, and which of them count for its papers."""

    calendar: Calendar
    rules: PriceRules
    kind: str


@dataclass(frozen=True, slots=True)
class Work:
    """A plan that is to be carried out for an account: the digest of its file, of its gate record, and the plan itself.

    `reduce_only` leaves buys out. `go_on` makes anew what a person said the broker never had.
    """

    account: str
    plan: str
    record: str
    data: Mapping[str, Any]
    reduce_only: bool = False
    go_on: bool = False

    @property
    def fee_bps(self) -> str:
        """The broker's fee that the plan was made with."""
        return str(self.data["costs"]["fee_bps"])

    @property
    def wishes(self) -> tuple[Wish, ...]:
        """The orders of the plan."""
        return tuple(map(limits.wish, self.data["orders"]))


@dataclass(frozen=True, slots=True)
class Desk:
    """With what a plan is carried out; of these only the journal and the broker know how far it has come."""

    broker: Readings
    journal: Journal
    clock: Clock
    terms: Terms
    market: Market
    reconciling: reconcile.Limits

    def day(self) -> date:
        """The day at the exchange."""
        return sessions.local_day(self.market.calendar, self.clock.now())

    def why_closed(self) -> str:
        """Why nothing may be sent now by the calendar, empty where the session is open."""
        calendar, now = self.market.calendar, self.clock.now()
        day = self.day()
        if day in calendar.disputed:
            return f"the calendar's sources disagree on {day}; settle it in governance/calendar_overrides.yaml"
        state = sessions.state(calendar, now)
        if state is sessions.State.CLOSED:
            return f"{day} is no session of the exchange"
        hours = sessions.hours(calendar, day)
        if state is sessions.State.AFTER_CLOSE:
            return f"the session of {day} closed at {hours.close:%H:%M}"
        begins = hours.open + self.terms.begin_after_open
        if now < begins:
            return f"the session of {day} is traded from {begins:%H:%M} on"
        return "the exchange makes its break" if sessions.in_break(calendar, now) else ""

    def has_closed(self) -> bool:
        """Whether no session is open and none will open any more on this day."""
        calendar, now = self.market.calendar, self.clock.now()
        return sessions.state(calendar, now) in (sessions.State.AFTER_CLOSE, sessions.State.CLOSED)

    def edge(self, work: Work, wish: Wish, quote: Quote, cash: int) -> Edge:
        """What is known about an order of this plan before it is sent."""
        orders, book = self.journal.orders(work.account), self.newest_book()
        today = [order for order in orders.values() if self._is_of(order, self.day())]
        return Edge(
            quote=quote,
            held=book.held(wish.ticker),
            sellable=book.sellable(wish.ticker),
            cash=cash,
            equity=book.equity,
            day_value=sum(order.intent.quantity * order.intent.limit_price for order in today),
            day_orders=len(today),
            locked=self.journal.desk().locked(work.account, orders).get(wish.ticker, ""),
            fee_bps=work.fee_bps,
        )

    def newest_book(self) -> Book:
        """The account as it was last read, read now where it never was. Raises Unreadable."""
        return self.broker.newest or self.broker.book()

    def checks(self, wish: Wish, edge: Edge) -> tuple[Check, ...]:
        """Every limit, held against this order."""
        return limits.checks(wish, edge, self.terms.limits, Prices(self.market.rules, self.market.kind, self.day()))

    def _is_of(self, order: Order, day: date) -> bool:
        return order.sent_at is not None and sessions.local_day(self.market.calendar, order.sent_at) == day
