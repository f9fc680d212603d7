"""What every broker does: says what is held, what was ordered and what a price is, takes an order, takes it back.

Readings are whole or an error (`Unreadable`): a broker that cannot be read is never an empty account. Sending is one
attempt and one answer: a value, never an exception, so that no outcome is lost on its way up.
"""

from datetime import date
from typing import Protocol

from quantassay.domain.trading.book import (
    Answer,
    Book,
    Certificate,
    DayOrders,
    MarketState,
    NewOrder,
    Orderable,
    Placed,
    Quote,
)
from quantassay.errors import AssayError


class Unreadable(AssayError):
    """Something that the broker should have said could not be read whole."""

    exit_code = 1

    def __init__(self, what: str, why: str) -> None:
        super().__init__(f"{what} could not be read from the broker: {why}; nothing is concluded from it, try again")


class Broker(Protocol):
    """One account at one broker."""

    @property
    def certificate(self) -> Certificate:
        """Under which account of which server everything here happens."""
        ...

    def book(self) -> Book:
        """Holdings and money, every page of them. Raises Unreadable."""
        ...

    def day_orders(self, day: date) -> DayOrders:
        """The orders of a day of the exchange, every page of them. Raises Unreadable."""
        ...

    def orderable(self, ticker: str, price: int) -> Orderable:
        """What may be bought at this limit price. Raises Unreadable."""
        ...

    def quote(self, ticker: str) -> Quote:
        """The price now. Raises Unreadable, also for a name that the broker does not know."""
        ...

    def market_state(self, ticker: str, day: date) -> MarketState:
        """Whether the broker trades on this day and now, judged by this name."""
        ...

    def submit(self, order: NewOrder) -> Answer:
        """Send a new order, once."""
        ...

    def cancel(self, placed: Placed, ticker: str) -> Answer:
        """Ask for all that is left of an order to be taken back, once."""
        ...
