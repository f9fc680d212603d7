"""How many shares a buy takes, and what limits stop it."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any


@dataclass(frozen=True, slots=True)
class Sizing:
    """What a plan may do, from the spec `next_open`; amounts are won, shares and collars parts of one.

    `fixed` is the number of shares of every buy; None where as many are bought as `cash_per_trade` pays.
    `count_on_sells` lets buys use the cash and the places that the plan's own sells would free.
    """

    fixed: int | None
    max_positions: int
    cash_per_trade: int
    largest_turnover_share: Fraction
    cash_buffer: Fraction
    buy_collar: Fraction
    sell_collar: Fraction
    count_on_sells: bool


def sizing(spec: Mapping[str, Any]) -> Sizing:
    """The sizing in the spec `next_open`."""
    quantity, limits, collar = spec["quantity"], spec["limits"], spec["collar"]
    return Sizing(
        fixed=quantity["fixed"] if quantity["mode"] == "fixed" else None,
        max_positions=limits["max_positions"],
        cash_per_trade=limits["cash_per_trade"],
        largest_turnover_share=Fraction(limits["largest_turnover_share"]),
        cash_buffer=Fraction(limits["cash_buffer"]),
        buy_collar=Fraction(collar["buy"]),
        sell_collar=Fraction(collar["sell"]),
        count_on_sells=spec["count_on_sells"],
    )


def shares(price: int, rules: Sizing) -> int:
    """How many shares a buy at this limit price takes; one at least, though it may then be refused as too large."""
    return rules.fixed if rules.fixed is not None else max(rules.cash_per_trade // price, 1)
