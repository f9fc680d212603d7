"""What stands for each line of a plan: which orders were made for it, and whether one more may be.

An order that reached the broker, or that may have, is the line's last: it is never made again. One that certainly did
not may be made anew, under the next number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quantassay.domain.trading.book import Side
from quantassay.domain.trading.limits import Wish
from quantassay.domain.trading.orders import LIVE, TERMINAL, Order, State


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a plan with the orders that were made for it, oldest first, by their names in the journal."""

    wish: Wish
    orders: tuple[tuple[str, Order], ...]

    @property
    def name(self) -> str:
        """The name of its newest order, empty where none was made."""
        return self.orders[-1][0] if self.orders else ""

    @property
    def order(self) -> Order | None:
        """Its newest order, None where none was made."""
        return self.orders[-1][1] if self.orders else None

    @property
    def filled(self) -> int:
        """Shares filled of it, by all its orders."""
        return sum(order.filled for _, order in self.orders)


def lines(wishes: Sequence[Wish], account: str, plan: str, orders: Mapping[str, Order]) -> tuple[Line, ...]:
    """Every line of the plan, in the plan's order."""
    made: dict[int, list[tuple[str, Order]]] = {}
    for name, order in orders.items():
        key = order.intent.key
        if (key.account, key.plan) == (account, plan):
            made.setdefault(key.line, []).append((name, order))
    for found in made.values():
        found.sort(key=lambda one: one[1].intent.key.attempt)
    return tuple(Line(wish, tuple(made.get(wish.line, ()))) for wish in wishes)


def next_attempt(line: Line, *, go_on: bool = False) -> int | None:
    """The number of the order that may be made for the line now; None where none may.

    With `go_on` an order of which a person said that the broker never had it may be made anew.
    """
    if line.order is None:
        return 1
    if line.order.state not in TERMINAL:
        return None
    anew = was_never_sent(line.order) or (go_on and line.order.given_up)
    return line.order.intent.key.attempt + 1 if anew else None


def most(line: Line) -> int:
    """How many shares may be ordered for the line: never more than planned, or than the order before left."""
    return min(line.wish.quantity, line.order.remaining) if line.order is not None else line.wish.quantity


def was_never_sent(order: Order) -> bool:
    """Whether the order was taken back before it was sent."""
    return order.state is State.CANCELLED and order.sent_at is None


def is_filled(line: Line) -> bool:
    """Whether all that was ordered for the line is filled, which may be less than was planned and never more."""
    return line.order is not None and line.order.state is State.FILLED


def live(orders: Mapping[str, Order], side: Side | None = None) -> dict[str, Order]:
    """The orders that stand at the broker, or may stand there."""
    return {name: order for name, order in orders.items() if order.state in LIVE and side in (None, order.intent.side)}
