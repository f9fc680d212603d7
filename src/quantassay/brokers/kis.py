"""KIS as a broker: one account at its real or virtual server, or at the practice server of this machine.

What KIS cannot be read of is unreadable, and what became of an order that KIS did not answer is unknown; neither is
ever an empty account or an order that was not placed.
"""

import contextlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from quantassay.brokers.port import Unreadable
from quantassay.domain.trading.book import (
    Answer,
    Book,
    Certificate,
    DayOrders,
    MarketState,
    NewOrder,
    NotSent,
    Orderable,
    Placed,
    Quote,
)
from quantassay.errors import AssayError
from quantassay.kis import domestic
from quantassay.kis.client import Client
from quantassay.kis.token import KOREA
from quantassay.kis.unreadable import KisUnreadable

# The server's clock may be so far ahead of this machine's.
_AHEAD = timedelta(seconds=60)


class KisBroker:
    """One account at KIS: a `Broker`. Nothing is opened before the first question."""

    def __init__(self, client: Client, book_age_s: int) -> None:
        """`book_age_s`: so many seconds ago the order book may have moved, for the market to count as open."""
        self._client, self._book_age = client, timedelta(seconds=book_age_s)
        self._days: dict[date, bool] = {}

    def __repr__(self) -> str:
        return f"KisBroker({self._client!r})"

    @property
    def certificate(self) -> Certificate:
        """Under which account of which server everything here happens."""
        return self._client.certificate

    def book(self) -> Book:
        """Holdings and money, every page of them. Raises Unreadable."""
        with _whole():
            return domestic.balance(self._client)

    def day_orders(self, day: date) -> DayOrders:
        """The orders of a day, every page of them. Raises Unreadable."""
        with _whole():
            return domestic.day_orders(self._client, day)

    def orderable(self, ticker: str, price: int) -> Orderable:
        """What may be bought at this limit price without credit. Raises Unreadable."""
        with _whole():
            return domestic.orderable(self._client, ticker, price)

    def quote(self, ticker: str) -> Quote:
        """The price now. Raises Unreadable, also for a name that KIS does not know."""
        with _whole():
            return domestic.price(self._client, ticker)

    def market_state(self, ticker: str, day: date) -> MarketState:
        """Open where the order book of this name has just moved, closed where it is of another day.

        The real server also says which days are sessions. A book that merely lies still is no sign either way, for a
        name that few trade; nor is one that cannot be read.
        """
        now = self._client.clock.now().astimezone(KOREA)
        if now.date() != day:
            return MarketState(open=False, why=f"in Korea it is {now.date()}, and not {day}")
        try:
            if not self._is_session(day):
                return MarketState(open=False, why=f"KIS says that the exchange is closed on {day}")
            moved = domestic.order_book(self._client, ticker).time
        except KisUnreadable as error:
            return MarketState(open=None, why=str(error))
        at = _on(day, moved)
        told = f"the order book of {ticker} moved at {at:%H:%M:%S}"
        if at > now + _AHEAD:
            return MarketState(open=False, why=f"{told} of an earlier day, and not today")
        if now - at > self._book_age:
            return MarketState(open=None, why=f"{told} for the last time")
        return MarketState(open=True, why=told)

    def submit(self, order: NewOrder) -> Answer:
        """Send a new order, once."""
        try:
            return domestic.order(self._client, order)
        except AssayError as error:
            return _held_back(error)

    def cancel(self, placed: Placed, ticker: str) -> Answer:  # noqa: ARG002 - KIS knows an order by its number alone
        """Ask for all that is left of an order to be taken back, once."""
        try:
            return domestic.cancel(self._client, placed)
        except AssayError as error:
            return _held_back(error)

    def _is_session(self, day: date) -> bool:
        if self.certificate.environment != "real":
            return True
        if day not in self._days:
            # KIS wants to be asked this once a day.
            self._days[day] = domestic.open_on(self._client, day)
        return self._days[day]


def _held_back(error: AssayError) -> NotSent:
    # The client raises before it has sent anything, and never after.
    return NotSent("", str(error))


def _on(day: date, moved: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(moved), KOREA)


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except KisUnreadable as error:
        raise Unreadable(error.what, error.why) from error
