"""What a fill was worth: its average price, what it cost beyond the price that decided, and the fees and taxes on it.

Won are whole, and everything that an account loses is positive. Basis points are of the value at the price that
decided, so that orders of any size compare.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from quantassay.domain.planning.costs import BASIS_POINTS, charge
from quantassay.domain.trading.book import Side

BUY, SELL = "buy", "sell"
_PRICE, _POINTS = Decimal("0.0001"), Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Rates:
    """What trading was expected to cost when the plan was made, in basis points as decimal texts."""

    fee_bps: str
    sell_tax_bps: str
    slippage_bps: str


@dataclass(frozen=True, slots=True)
class Fill:
    """Shares of one order and what they came to in won; `reference` is the price that decided."""

    side: Side
    shares: int
    amount: int
    reference: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What fills were worth in won: value at the price that decided, slippage (also as expected), fees, taxes.

    `value` is what the fills came to, `reference` the same shares at the price that decided.
    """

    value: int = 0
    reference: int = 0
    slippage: int = 0
    expected_slippage: int = 0
    fee: int = 0
    tax: int = 0

    @property
    def costs(self) -> int:
        """Fees and taxes."""
        return self.fee + self.tax

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.value + other.value,
            self.reference + other.reference,
            self.slippage + other.slippage,
            self.expected_slippage + other.expected_slippage,
            self.fee + other.fee,
            self.tax + other.tax,
        )


def rates(plan: Mapping[str, Any]) -> Rates:
    """The rates that a plan was made with; of one that names none, none are estimated."""
    costs = plan.get("costs") or {}
    return Rates(*(costs.get(name) or "0" for name in ("fee_bps", "sell_tax_bps", "slippage_bps")))


def figures(fill: Fill, expected: Rates) -> Figures:
    """What one order's fill was worth. A buy above its reference and a sell below it are slippage against us."""
    reference = fill.shares * fill.reference
    is_sell = fill.side == SELL
    return Figures(
        value=fill.amount,
        reference=reference,
        slippage=reference - fill.amount if is_sell else fill.amount - reference,
        expected_slippage=charge(reference, expected.slippage_bps),
        fee=charge(fill.amount, expected.fee_bps),
        tax=charge(fill.amount, expected.sell_tax_bps) if is_sell else 0,
    )


def total(parts: Iterable[Figures]) -> Figures:
    """The sum; of nothing, zero."""
    return sum(parts, Figures())


def average_price(amount: int, shares: int) -> str | None:
    """Won for a share to four places, half to even; None for no shares."""
    return _text(Fraction(amount, shares), _PRICE) if shares else None


def in_basis_points(won: int, of: int) -> str | None:
    """So many won in basis points of a value, to two places, half to even; None where the value is zero."""
    return _text(Fraction(won * BASIS_POINTS, of), _POINTS) if of else None


def _text(value: Fraction, places: Decimal) -> str:
    """The quotient rounded once, from the exact fraction."""
    scaled = round(value / Fraction(places))
    rounded = (Decimal(scaled) * places).quantize(places, ROUND_HALF_EVEN)
    return str(rounded or abs(rounded))
