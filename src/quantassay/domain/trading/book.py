"""What crosses a broker's edge: what it says of an account, of a day's orders and of a price, and how it answers.

Amounts are whole won, prices that are averages are Decimal, times are aware. Nothing here is ever half of an answer: a
reading that lacks a page or a field is an error of whoever read it, and never a smaller value.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

Side = Literal["buy", "sell"]
Environment = Literal["sample", "paper", "rehearsal", "virtual", "real"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Under which account of which server something was said or sent; `account` and `key` are fingerprints.

    `transactions` is the letter that every account transaction begins with (V, T; empty for the paper broker).
    """

    environment: Environment
    host: str
    transactions: str
    account: str
    key: str


@dataclass(frozen=True, slots=True)
class Position:
    """What is held of one name: all of it, and what of it may be sold now."""

    ticker: str
    name: str
    quantity: int
    sellable: int
    average_price: Decimal
    last_price: int


@dataclass(frozen=True, slots=True)
class Book:
    """An account as its broker has it: holdings (none of quantity zero) and money, from all `pages` of the answer.

    `cash` is what is left once all that was traded is settled; `deposit` is today's balance, which unsettled buys have
    not reduced yet and which is never spent by.
    """

    at: datetime
    positions: tuple[Position, ...]
    cash: int
    deposit: int
    equity: int
    pages: int
    certificate: Certificate

    def held(self, ticker: str) -> int:
        """Shares held of this name, 0 where it is not among the holdings."""
        return next((p.quantity for p in self.positions if p.ticker == ticker), 0)

    def sellable(self, ticker: str) -> int:
        """Shares of this name that may be sold now."""
        return next((p.sellable for p in self.positions if p.ticker == ticker), 0)


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A limit order that is to be sent."""

    ticker: str
    side: Side
    quantity: int
    limit_price: int


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that the broker has a number for (compared without leading zeros); `day` is the exchange's."""

    number: str
    branch: str
    day: date


@dataclass(frozen=True, slots=True)
class Accepted:
    """The broker took it, under this number. That is not a fill."""

    placed: Placed
    at: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The broker refused it for good, in its own words."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """It is certain that nothing was processed (no connection, throttled, token): it may be sent again after a wait."""

    code: str
    why: str
    wait_s: float = 0


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether it was taken: it must be looked for, and is never sent again."""

    why: str


Answer = Accepted | Refused | NotSent | Unknown


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order as the broker lists it. `origin` is the number that a cancel or change refers to, empty otherwise.

    `remaining`, `cancelled` and `rejected` are shares; `time` is HHMMSS of the exchange. A sum of rows with an empty
    origin is quantity = filled + remaining + cancelled + rejected.
    """

    number: str
    branch: str
    origin: str
    ticker: str
    side: Side
    quantity: int
    price: int
    time: str
    filled: int
    amount: int
    remaining: int
    cancelled: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What the broker counts for a day, whatever rows it shows: shares ordered and filled, amount and costs in won."""

    ordered: int
    filled: int
    amount: int
    costs: int


@dataclass(frozen=True, slots=True)
class DayOrders:
    """All orders of a day from all pages. `rows` may lack orders that `totals` count: no row proves nothing."""

    day: date
    rows: tuple[OrderRow, ...]
    totals: Totals
    pages: int


@dataclass(frozen=True, slots=True)
class Quote:
    """A price as the broker has it now: last, base of the daily limits, the limits, the tick, and whether it trades.

    `open` is the session's first price, 0 where the broker does not tell it or there is none yet.
    """

    ticker: str
    last: int
    base: int
    upper: int
    lower: int
    tick: int
    halted: bool
    at: datetime
    open: int = 0


@dataclass(frozen=True, slots=True)
class Orderable:
    """How much may be bought: the money without credit, and the shares at the price that was asked for."""

    cash: int
    quantity: int


@dataclass(frozen=True, slots=True)
class MarketState:
    """Whether the broker's market is open now; None where the broker gives no sign either way."""

    open: bool | None
    why: str


Evidence = Mapping[str, object]
