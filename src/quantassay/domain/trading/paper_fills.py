"""How an order of the paper broker fills at the open of its session: all, in part, or not, and what that costs.

Nothing is left to chance: the same order on the same prices fills in the same way, today and after a restart. It errs
against the desk: the price slips, a share of the volume is all that is to be had, and a locked limit gives nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import Any, Final

from quantassay.domain.market.price_rules import Band, NoPrice, PriceRules, is_on_tick, limit_band, round_down, round_up
from quantassay.domain.planning.costs import BASIS_POINTS, Costs, charge, costs_on
from quantassay.domain.trading.book import NewOrder, Refused

BUY: Final = "buy"
# Kinds of paper on whose sale there is no tax.
_FUNDS = frozenset({"etf", "leveraged_etf"})


@dataclass(frozen=True, slots=True)
class Opening:
    """How a name's session opened and went on; `base` is the price that its daily limits stand around.

    `volume` None: only a price is known, as of a quote; then `low` and `high` are that price.
    """

    ticker: str
    day: date
    open: int
    low: int
    high: int
    volume: int | None
    base: int

    @property
    def halted(self) -> bool:
        """Whether nothing was traded."""
        return self.volume == 0


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds on one day: ticks and limits of a kind of paper, costs, and how much of a volume may be had."""

    rules: PriceRules
    kind: str
    day: date
    costs: Costs
    largest_volume_share: Fraction

    def band(self, base: int) -> Band:
        """The lowest and the highest price of the day."""
        return limit_band(self.rules, base, self.day, self.kind)


@dataclass(frozen=True, slots=True)
class Fill:
    """Shares at one price, with the fee and the tax in won."""

    quantity: int
    price: int
    fee: int
    tax: int

    @property
    def amount(self) -> int:
        """What the shares were worth, costs aside."""
        return self.quantity * self.price

    @property
    def costs(self) -> int:
        """Fee and tax."""
        return self.fee + self.tax


@dataclass(frozen=True, slots=True)
class NoFill:
    """Why nothing was filled at the open; the order rests until its session is over."""

    why: str


def terms_on(day: date, rules: PriceRules, kind: str, costs: Mapping[str, Any], largest_volume_share: str) -> Terms:
    """The terms of a day by the value of the spec `costs`. Raises NoSellTax."""
    return Terms(rules, kind, day, costs_on(costs, day), Fraction(largest_volume_share))


def refusal(order: NewOrder, base: int, terms: Terms) -> Refused | None:
    """Why the exchange would not take an order at this price and of this size; None where it would."""
    if order.quantity < 1:
        return Refused("paper_quantity", f"an order is for one share at least, and this one for {order.quantity}")
    try:
        on_tick = is_on_tick(terms.rules, order.limit_price, terms.day, terms.kind)
    except NoPrice as error:
        return Refused("paper_price", str(error))
    if not on_tick:
        return Refused("paper_tick", f"{order.limit_price} won is on no tick")
    band = terms.band(base)
    if not band.lower <= order.limit_price <= band.upper:
        why = f"{order.limit_price} won is outside of the day's limits, {band.lower} to {band.upper} won"
        return Refused("paper_limit", why)
    return None


def fill(order: NewOrder, opening: Opening, terms: Terms, taken: int = 0) -> Fill | NoFill:
    """What an order that stood at the open got; `taken` is what earlier orders had of the session's volume.

    It fills at the opening price, made worse by the slippage of the costs up to the next tick, but never worse than its
    limit or beyond the day's limits.
    """
    if opening.halted:
        return NoFill("nothing was traded in the session")
    is_buy, limit_price = order.side == BUY, order.limit_price
    if (opening.open > limit_price) if is_buy else (opening.open < limit_price):
        return NoFill(f"the session opened at {opening.open} won, beyond the limit of {limit_price} won")
    band = terms.band(opening.base)
    if is_buy and opening.open >= band.upper and opening.low >= band.upper:
        return NoFill(f"the session was locked at its upper limit of {band.upper} won, where nobody sells")
    if not is_buy and opening.open <= band.lower and opening.high <= band.lower:
        return NoFill(f"the session was locked at its lower limit of {band.lower} won, where nobody buys")
    most = order.quantity
    if opening.volume is not None:
        most = floor(opening.volume * terms.largest_volume_share) - taken
    if most < 1:
        return NoFill(f"no more than {terms.largest_volume_share} of the volume is to be had, and that was taken")
    price = _slipped(opening.open, terms, is_buy=is_buy)
    price = min(price, limit_price, band.upper) if is_buy else max(price, limit_price, band.lower)
    return _charged(min(order.quantity, most), price, terms, is_buy=is_buy)


def _slipped(price: int, terms: Terms, *, is_buy: bool) -> int:
    part = Fraction(terms.costs.slippage_bps) / BASIS_POINTS
    if is_buy:
        return round_up(terms.rules, ceil(price * (1 + part)), terms.day, terms.kind)
    return round_down(terms.rules, max(floor(price * (1 - part)), 1), terms.day, terms.kind)


def _charged(quantity: int, price: int, terms: Terms, *, is_buy: bool) -> Fill:
    value = quantity * price
    taxed = not is_buy and terms.kind not in _FUNDS
    return Fill(
        quantity, price, charge(value, terms.costs.fee_bps), charge(value, terms.costs.sell_tax_bps) if taxed else 0
    )


def largest_cost(order: NewOrder, terms: Terms) -> int:
    """What a buy takes at most, the fee included."""
    value = order.quantity * order.limit_price
    return value + charge(value, terms.costs.fee_bps)


def affordable(cash: int, price: int, terms: Terms) -> int:
    """Shares that this cash pays at a limit price, the fee included."""
    if price < 1 or cash < 1:
        return 0
    shares = floor(cash / (price * (1 + Fraction(terms.costs.fee_bps) / BASIS_POINTS)))
    # The fee is rounded up to whole won, which the last share may not leave room for.
    fits = largest_cost(NewOrder("", BUY, shares, price), terms) <= cash
    return shares if fits else shares - 1
