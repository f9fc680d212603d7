"""Cut buys down to the money that is there: never more of a name than planned, never another name.

Each gets the same part of what was planned, rounded down; what is left is spent on those that lack most of their part.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from quantassay.domain.trading.limits import cost


@dataclass(frozen=True, slots=True)
class Buy:
    """Shares that were planned of a name, and the most that one may cost, in won."""

    ticker: str
    quantity: int
    price: int


def adjust_buy_quantities(planned: Sequence[Buy], budget: int, fee_bps: str) -> tuple[int, ...]:
    """How many shares of each to order, so that all of them together, fees included, cost no more than the budget.

    All that was planned where the budget pays for it. Otherwise no further share of any can be paid for.
    """
    whole = sum(cost(one.quantity, one.price, fee_bps) for one in planned)
    if whole <= max(budget, 0):
        return tuple(one.quantity for one in planned)
    # Each fee is rounded up to a won, so a part of all costs may be one won dearer for each order than that part.
    part = Fraction(max(0, budget - len(planned)), whole)
    given = [int(one.quantity * part) for one in planned]
    left = budget - sum(cost(count, one.price, fee_bps) for count, one in zip(given, planned, strict=True))
    wanting = sorted(range(len(planned)), key=lambda i: (_lacks(planned[i], given[i], part), planned[i].ticker))
    for most in (1, None):
        for i in wanting:
            more = _affordable(planned[i], given[i], left, fee_bps, most)
            left -= _price_of(planned[i], given[i], more, fee_bps)
            given[i] += more
    return tuple(given)


def _lacks(one: Buy, given: int, part: Fraction) -> Fraction:
    """What it lacks of its part in won, as a negative amount so that the largest comes first."""
    return (given - one.quantity * part) * one.price


def _affordable(one: Buy, given: int, left: int, fee_bps: str, most: int | None) -> int:
    """The most further shares, within the plan, that what is left pays for."""
    room = one.quantity - given if most is None else min(most, one.quantity - given)
    return bisect_right(range(1, room + 1), left, key=lambda more: _price_of(one, given, more, fee_bps))


def _price_of(one: Buy, given: int, more: int, fee_bps: str) -> int:
    """What so many further shares add to the cost."""
    return cost(given + more, one.price, fee_bps) - cost(given, one.price, fee_bps)
