"""What a paper account holds, worked out from what it began with and from its orders and fills alone."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from quantassay.domain.trading.book import OrderRow, Side, Totals
from quantassay.domain.trading.paper_fills import BUY, Fill

BRANCH = "PAPER"
# As a broker prints an average price.
_CENTS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Holding:
    """Shares of a name, and what was paid for one on average, costs aside."""

    quantity: int
    average_price: Decimal


@dataclass(frozen=True, slots=True)
class PaperOrder:
    """An order of the account, or the taking back of one, whose number is then `origin` (0 for an order)."""

    number: int
    day: date
    time: str
    ticker: str
    side: Side
    quantity: int
    price: int
    origin: int = 0
    fill: Fill | None = None
    cancelled: int = 0

    @property
    def filled(self) -> int:
        """Shares filled."""
        return self.fill.quantity if self.fill else 0

    @property
    def remaining(self) -> int:
        """Shares that may still be filled."""
        return 0 if self.origin else self.quantity - self.filled - self.cancelled


@dataclass(frozen=True, slots=True)
class PaperAccount:
    """What the account began with, and all its orders by number."""

    cash: int
    holdings: Mapping[str, Holding]
    orders: tuple[PaperOrder, ...] = ()

    def with_order(self, order: PaperOrder) -> "PaperAccount":
        """The account with this order new, or in place of the one of its number."""
        others = (one for one in self.orders if one.number != order.number)
        return replace(self, orders=tuple(sorted((*others, order), key=lambda one: one.number)))

    def order(self, number: int) -> PaperOrder | None:
        """The order of this number; None also for the taking back of one."""
        return next((one for one in self.orders if one.number == number and not one.origin), None)


def cash(account: PaperAccount) -> int:
    """What is left once everything is settled."""
    return account.cash + sum(_paid(one, fill) for one, fill in _fills(account))


def deposit(account: PaperAccount, is_settled: Callable[[date], bool]) -> int:
    """The balance today: only what was traded on days that are settled has moved it."""
    return account.cash + sum(_paid(one, fill) for one, fill in _fills(account) if is_settled(one.day))


def _fills(account: PaperAccount) -> Iterator[tuple[PaperOrder, Fill]]:
    return ((one, one.fill) for one in account.orders if one.fill is not None)


def _paid(order: PaperOrder, fill: Fill) -> int:
    return (-fill.amount if order.side == BUY else fill.amount) - fill.costs


def holdings(account: PaperAccount) -> dict[str, Holding]:
    """What is held, by ticker; nothing of quantity zero."""
    held = dict(account.holdings)
    for one, fill in _fills(account):
        before = held.get(one.ticker, Holding(0, Decimal(0)))
        if one.side == BUY:
            quantity = before.quantity + fill.quantity
            paid = before.average_price * before.quantity + fill.amount
            held[one.ticker] = Holding(quantity, (paid / quantity).quantize(_CENTS, ROUND_HALF_EVEN))
        else:
            held[one.ticker] = replace(before, quantity=before.quantity - fill.quantity)
    return {ticker: held[ticker] for ticker in sorted(held) if held[ticker].quantity}


def sellable(account: PaperAccount, ticker: str) -> int:
    """Shares held that no resting sell has a claim on."""
    held = holdings(account).get(ticker)
    resting = sum(one.remaining for one in account.orders if one.ticker == ticker and one.side != BUY)
    return (held.quantity if held else 0) - resting


def spendable(account: PaperAccount, largest_cost: Callable[[PaperOrder], int]) -> int:
    """Cash that no resting buy has a claim on; `largest_cost` is what one may still take."""
    resting = (one for one in account.orders if one.side == BUY and one.remaining)
    return cash(account) - sum(largest_cost(one) for one in resting)


def taken(account: PaperAccount, ticker: str, day: date) -> int:
    """Shares of the name's volume on a day that went to this account."""
    return sum(one.filled for one in account.orders if (one.ticker, one.day) == (ticker, day))


def rows(account: PaperAccount, day: date) -> tuple[OrderRow, ...]:
    """The orders of a day as a broker lists them, oldest first."""
    return tuple(_row(one) for one in account.orders if one.day == day)


def totals(account: PaperAccount, day: date) -> Totals:
    """What a day comes to."""
    of_day = [one for one in account.orders if one.day == day and not one.origin]
    fills = [one.fill for one in of_day if one.fill]
    return Totals(
        sum(one.quantity for one in of_day),
        sum(fill.quantity for fill in fills),
        sum(fill.amount for fill in fills),
        sum(fill.costs for fill in fills),
    )


def _row(one: PaperOrder) -> OrderRow:
    return OrderRow(
        number=str(one.number),
        branch=BRANCH,
        origin=str(one.origin or ""),
        ticker=one.ticker,
        side=one.side,
        quantity=one.quantity,
        price=one.price,
        time=one.time,
        filled=one.filled,
        amount=one.fill.amount if one.fill else 0,
        remaining=one.remaining,
        cancelled=one.cancelled,
        rejected=0,
    )
