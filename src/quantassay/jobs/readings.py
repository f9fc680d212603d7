"""The broker with a memory for its newest answers, so that nothing is asked twice that was just said."""

from datetime import date

from quantassay.brokers.port import Broker
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


class Readings:
    """A broker that passes everything on, and keeps the newest book and the newest orders of each day."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._orders: dict[date, DayOrders] = {}
        self._last: date | None = None
        self.newest: Book | None = None

    def of(self, day: date) -> DayOrders:
        """The orders of this day as they were last said; asked for where they never were."""
        return self._orders[day] if day in self._orders else self.day_orders(day)

    def just_said(self, day: date) -> DayOrders | None:
        """The orders of this day where they were the very last thing that was asked."""
        return self._orders[day] if self._last == day else None

    @property
    def certificate(self) -> Certificate:
        """The broker's."""
        return self._broker.certificate

    def book(self) -> Book:
        """Ask, and keep it."""
        self.newest = self._ask().book()
        return self.newest

    def day_orders(self, day: date) -> DayOrders:
        """Ask, and keep it."""
        self._orders[day] = self._ask().day_orders(day)
        self._last = day
        return self._orders[day]

    def orderable(self, ticker: str, price: int) -> Orderable:
        """Ask."""
        return self._ask().orderable(ticker, price)

    def quote(self, ticker: str) -> Quote:
        """Ask."""
        return self._ask().quote(ticker)

    def market_state(self, ticker: str, day: date) -> MarketState:
        """Ask."""
        return self._ask().market_state(ticker, day)

    def submit(self, order: NewOrder) -> Answer:
        """Send."""
        return self._ask().submit(order)

    def cancel(self, placed: Placed, ticker: str) -> Answer:
        """Send."""
        return self._ask().cancel(placed, ticker)

    def _ask(self) -> Broker:
        self._last = None
        return self._broker


class Sparing(Readings):
    """The same broker for whoever reads it next: a day's orders that were just said are not asked for again."""

    def __init__(self, readings: Readings) -> None:
        super().__init__(readings)
        self._readings = readings

    def day_orders(self, day: date) -> DayOrders:
        """What was just said, else ask."""
        return self._readings.just_said(day) or super().day_orders(day)
