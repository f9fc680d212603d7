"""What an account of the practice broker holds and owes: worked out from its opening and its fills, always anew."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from quantassay.domain.trading.book import Side

CANCEL, REVISE = "cancel", "revise"


@dataclass(frozen=True, slots=True)
class Opening:
    """An account when practice began: its number (8-2 digits), its cash in won, and (shares, average price) held."""

    number: str
    cash: int
    holdings: Mapping[str, tuple[int, Decimal]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fill:
    """Some shares of an order that were traded. The money moves on `settles`; `fee` and `tax` are in won."""

    number: str
    ticker: str
    side: Side
    quantity: int
    price: int
    fee: int
    tax: int
    day: date
    settles: date

    @property
    def amount(self) -> int:
        """Price times shares."""
        return self.quantity * self.price

    @property
    def money(self) -> int:
        """What it adds to the cash, costs included."""
        gross = self.amount if self.side == "sell" else -self.amount
        return gross - self.fee - self.tax


@dataclass(frozen=True, slots=True)
class Booked:
    """An order as it stands in the books of the practice broker, with all its fills.

    `change` is what a row with an `origin` asks of that order. `price` is 0 for an order at the market; `lapsed`: the
    session ended with shares of it unfilled.
    """

    number: str
    ticker: str
    side: Side
    quantity: int
    price: int
    day: date
    time: str
    origin: str = ""
    change: str = ""
    fills: tuple[Fill, ...] = ()
    cancelled: int = 0
    rejected: int = 0
    lapsed: bool = False

    @property
    def filled(self) -> int:
        """Shares filled."""
        return sum(fill.quantity for fill in self.fills)

    @property
    def amount(self) -> int:
        """Won traded, without costs."""
        return sum(fill.amount for fill in self.fills)

    @property
    def remaining(self) -> int:
        """Shares that are neither filled, nor cancelled, nor rejected; a cancel has none."""
        return 0 if self.change == CANCEL else self.quantity - self.filled - self.cancelled - self.rejected

    @property
    def is_live(self) -> bool:
        """Whether it can still be filled or taken back."""
        return self.remaining > 0 and not self.lapsed


@dataclass(frozen=True, slots=True)
class Lot:
    """Shares held of one name and what they cost, fees aside."""

    quantity: int
    cost: Decimal

    @property
    def average(self) -> Decimal:
        """Cost of a share, four decimals; 0 where none is held."""
        if not self.quantity:
            return Decimal("0.0000")
        return (self.cost / self.quantity).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def lots(opening: Opening, fills: Iterable[Fill]) -> dict[str, Lot]:
    """Every name that is or was held, in the order in which they came; a name that was sold out has 0 shares."""
    held = {ticker: Lot(quantity, average * quantity) for ticker, (quantity, average) in opening.holdings.items()}
    for fill in fills:
        before = held.get(fill.ticker, Lot(0, Decimal(0)))
        if fill.side == "buy":
            held[fill.ticker] = Lot(before.quantity + fill.quantity, before.cost + fill.amount)
        else:
            left = before.quantity - fill.quantity
            held[fill.ticker] = Lot(left, before.cost * left / before.quantity)
    return held


def cash(opening: Opening, fills: Iterable[Fill], settled_by: date | None = None) -> int:
    """The cash once everything is settled, or once all that settles up to a day is."""
    moved = (fill.money for fill in fills if settled_by is None or fill.settles <= settled_by)
    return opening.cash + sum(moved)
