"""What trading costs: the broker's fee on both sides, the tax on sells by date, and the slippage to expect."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any

from quantassay.errors import AssayError

BASIS_POINTS = 10_000


class NoSellTax(AssayError):
    """A day for which no tax on sells is written down."""

    def __init__(self, day: date, first: str) -> None:
        super().__init__(f"the tax on sells is known from {first} on and not for {day}; add its row to 18_costs.yaml")


@dataclass(frozen=True, slots=True)
class Costs:
    """The rates of one day as decimal texts, in basis points of an order's value."""

    fee_bps: str
    slippage_bps: str
    sell_tax_bps: str


def costs_on(spec: Mapping[str, Any], day: date) -> Costs:
    """The rates in force on this day by the spec `costs`: of the tax rows the one that began last. Raises NoSellTax."""
    rows = sorted(spec["sell_tax"], key=lambda row: str(row["from"]))
    begun = [row for row in rows if row["from"] <= day.isoformat()]
    if not begun:
        raise NoSellTax(day, rows[0]["from"])
    return Costs(spec["fee_bps"], spec["slippage_bps"], begun[-1]["bps"])


def charge(value: int, rate_bps: str) -> int:
    """So many basis points of a value in won, rounded up: an estimate never promises less than it may cost."""
    return ceil(value * Fraction(rate_bps) / BASIS_POINTS)
