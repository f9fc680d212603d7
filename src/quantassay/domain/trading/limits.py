"""What an order must be at the moment it is sent, whoever planned it: one check a rule, each told with its number.

Nothing of the plan's own checks is believed here: the price is held against the plan's reference, against the tables
of ticks and daily limits, and against what the broker says now; the quantity against what is held and what can be paid.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from quantassay.domain.market import price_rules
from quantassay.domain.market.price_rules import PriceRules
from quantassay.domain.planning.costs import charge
from quantassay.domain.trading.book import Quote, Side
from quantassay.domain.trading.terms import Limits

# An order that these refuse was left out as its plan says; any other refusal is a fault that somebody must look at.
DELIBERATE = frozenset({"T16", "T17", "T18"})


@dataclass(frozen=True, slots=True)
class Wish:
    """An order of a plan before it is sent: prices in won. `open_low` and `open_high` bound the open; None: any."""

    line: int
    ticker: str
    side: Side
    quantity: int
    limit_price: int
    reference_price: int
    limit_low: int
    limit_high: int
    open_low: int | None
    open_high: int | None

    @property
    def value(self) -> int:
        """What it is worth at its limit price, in won."""
        return self.quantity * self.limit_price


@dataclass(frozen=True, slots=True)
class Edge:
    """What is known when an order is about to be sent.

    `cash` is what a buy may still cost; `day_value` and `day_orders` are what was sent on this day before; `locked`
    says why nothing may be sent for the name, empty where it may; `fee_bps` is the broker's fee.
    """

    quote: Quote
    held: int
    sellable: int
    cash: int
    equity: int
    day_value: int
    day_orders: int
    locked: str
    fee_bps: str


@dataclass(frozen=True, slots=True)
class Prices:
    """The tables of ticks and daily limits, and which of them count for the name on the day."""

    rules: PriceRules
    kind: str
    day: date


@dataclass(frozen=True, slots=True)
class Check:
    """One rule and what it says of one order."""

    rule: str
    ok: bool
    says: str


def wish(row: dict[str, Any]) -> Wish:
    """The order in a row of a plan's `orders`."""
    return Wish(
        line=row["line"],
        ticker=row["ticker"],
        side=row["side"],
        quantity=row["quantity"],
        limit_price=row["limit_price"],
        reference_price=row["reference_close"],
        limit_low=row["limit_low"],
        limit_high=row["limit_high"],
        open_low=row["open_low"],
        open_high=row["open_high"],
    )


def unpaid(planned: int, budget: int) -> Check:
    """The rule by which a buy is left out for which no money was left."""
    return Check("T18", ok=False, says=f"none of its {planned} shares can be paid for out of {budget:,} won")


def not_wanted() -> Check:
    """The rule by which every buy is left out of a run that only sells."""
    return Check("T16", ok=False, says="only sells are wanted")


def cost(quantity: int, price: int, fee_bps: str) -> int:
    """What a buy may cost in won, fee included."""
    return quantity * price + charge(quantity * price, fee_bps)


def checks(order: Wish, edge: Edge, limits: Limits, prices: Prices) -> tuple[Check, ...]:
    """Every rule that applies to this order, in the order of their numbers.

    Where a price is zero or missing nothing else is worked out from it.
    """
    sound = _sound(order, edge)
    if not sound.ok:
        return (sound,)
    judged = [sound, *(rule(order, edge, limits) for rule in _RULES), _on_table_tick(order, prices)]
    judged += [_on_broker_tick(order, edge, prices)]
    judged += [_sellable(order, edge), _held(order, edge)] if order.side == "sell" else [_payable(order, edge)]
    judged += [_free(order, edge), _open_within(order, edge)]
    return tuple(sorted(judged, key=lambda one: one.rule))


def refused(judged: tuple[Check, ...]) -> tuple[Check, ...]:
    """The rules that the order breaks, those that make it a fault before those that leave it out deliberately."""
    return tuple(sorted((one for one in judged if not one.ok), key=lambda one: (one.rule in DELIBERATE, one.rule)))


def _sound(order: Wish, edge: Edge) -> Check:
    quote = edge.quote
    amounts = (order.quantity, order.limit_price, order.reference_price, quote.last, quote.base, quote.tick)
    ok = quote.ticker == order.ticker and all(one > 0 for one in amounts) and 0 < quote.lower <= quote.upper
    said = f"last {quote.last}, base {quote.base}, limits {quote.lower} to {quote.upper}, tick {quote.tick}"
    return Check(
        "T01", ok, f"the broker's price of {quote.ticker}: {said}; the order: {order.quantity} at {_at(order)}"
    )


def _at(order: Wish) -> str:
    return f"{order.limit_price} (reference {order.reference_price})"


def _value(order: Wish, _: Edge, limits: Limits) -> Check:
    ok = order.value <= limits.largest_order
    return Check("T02", ok, f"worth {order.value:,} won, at most {limits.largest_order:,}")


def _share(order: Wish, edge: Edge, limits: Limits) -> Check:
    ok = edge.equity > 0 and order.value <= limits.largest_share * edge.equity
    most = _percent(limits.largest_share)
    return Check("T03", ok, f"worth {order.value:,} of {edge.equity:,} won of equity, at most {most}")


def _turnover(order: Wish, edge: Edge, limits: Limits) -> Check:
    total, most = edge.day_value + order.value, limits.largest_day_turnover * edge.equity
    return Check("T04", total <= most, f"makes {total:,} won ordered today, at most {int(most):,}")


def _number(_: Wish, edge: Edge, limits: Limits) -> Check:
    ok = edge.day_orders < limits.most_day_orders
    return Check("T05", ok, f"is order {edge.day_orders + 1} of the day, at most {limits.most_day_orders}")


def _collar(order: Wish, _: Edge, limits: Limits) -> Check:
    width = limits.collar[order.side]
    ok = abs(order.limit_price - order.reference_price) <= width * order.reference_price
    return Check("T06", ok, f"{order.limit_price} within {_percent(width)} of the reference {order.reference_price}")


def _plan_band(order: Wish, _: Edge, __: Limits) -> Check:
    ok = order.limit_low <= order.limit_price <= order.limit_high
    return Check("T07", ok, f"{order.limit_price} within {order.limit_low} and {order.limit_high}, the plan's limits")


def _broker_band(order: Wish, edge: Edge, _: Limits) -> Check:
    price, low, high = order.limit_price, edge.quote.lower, edge.quote.upper
    return Check("T08", low <= price <= high, f"{price} within {low} and {high}, the broker's limits")


def _trading(_: Wish, edge: Edge, __: Limits) -> Check:
    told = "the broker says that its trading is halted" if edge.quote.halted else "it is not halted"
    return Check("T11", not edge.quote.halted, told)


_RULES: tuple[Callable[[Wish, Edge, Limits], Check], ...] = (
    _value, _share, _turnover, _number, _collar, _plan_band, _broker_band, _trading,
)  # fmt: skip


def _on_table_tick(order: Wish, prices: Prices) -> Check:
    step = price_rules.tick(prices.rules, order.limit_price, prices.day, prices.kind)
    return Check("T09", order.limit_price % step == 0, f"{order.limit_price} on the tick of {step} for {prices.kind}")


def _on_broker_tick(order: Wish, edge: Edge, prices: Prices) -> Check:
    """The broker tells the tick of the last price: it counts for an order in the same band of the table."""
    last, step = edge.quote.last, edge.quote.tick
    of_last, of_order = (
        price_rules.tick(prices.rules, price, prices.day, prices.kind) for price in (last, order.limit_price)
    )
    if of_last != of_order:
        return Check("T10", ok=True, says=f"the broker's tick is that of {last}, which is in another band")
    return Check("T10", order.limit_price % step == 0, f"{order.limit_price} on the broker's tick of {step}")


def _sellable(order: Wish, edge: Edge) -> Check:
    return Check("T12", order.quantity <= edge.sellable, f"sells {order.quantity}, {edge.sellable} may be sold")


def _held(order: Wish, edge: Edge) -> Check:
    return Check("T13", order.quantity <= edge.held, f"sells {order.quantity}, {edge.held} are held")


def _payable(order: Wish, edge: Edge) -> Check:
    most = cost(order.quantity, order.limit_price, edge.fee_bps)
    return Check("T14", most <= edge.cash, f"may cost {most:,} won with its fee, {edge.cash:,} are free")


def _free(_: Wish, edge: Edge) -> Check:
    return Check("T15", not edge.locked, edge.locked or "the name is not locked")


def _open_within(order: Wish, edge: Edge) -> Check:
    price, word = (edge.quote.open, "opened") if edge.quote.open > 0 else (edge.quote.last, "is")
    low, high = order.open_low, order.open_high
    ok = (low is None or price >= low) and (high is None or price <= high)
    return Check("T17", ok, f"{word} at {price}, wanted {_bound(low, 'any')} to {_bound(high, 'any')}")


def _bound(price: int | None, otherwise: str) -> str:
    return otherwise if price is None else str(price)


def _percent(part: Fraction) -> str:
    hundredths = int(part * 10_000)
    return f"{hundredths // 100}.{hundredths % 100:02} %"
