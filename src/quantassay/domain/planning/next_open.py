"""The orders for the next open: first every sell of a name held, then buys while places and cash last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from math import ceil, floor

from quantassay.domain.market import price_rules
from quantassay.domain.market.price_rules import Band, PriceRules
from quantassay.domain.planning.costs import Costs, charge
from quantassay.domain.planning.sizing import Sizing, shares

BUY, SELL, NO_DATA, REVIEW = "buy", "sell", "no_data", "review"
NOT_TRADED, REVIEWED = "market_not_traded", "sell_review"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One name of the universe: its verdict, its close in won and the mean of its daily volume, where they are known.

    `doubt` is a code that says why no order may be made on this bar; None where there is no doubt. Of an `is_entry`
    only the buy counts: `refused` is the code of why it is none, and the session must open between `open_low` and
    `open_high` for it.
    """

    ticker: str
    verdict: str
    close: int | None
    daily_volume: Fraction | None
    doubt: str | None
    is_entry: bool = False
    refused: str | None = None
    open_low: int | None = None
    open_high: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """Cash in won and shares held by ticker."""

    cash: int
    holdings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Market:
    """The prices and the costs of the day on which the orders are carried out; `kind` is the kind of paper traded."""

    prices: PriceRules
    kind: str
    day: date
    costs: Costs


@dataclass(frozen=True, slots=True)
class Order:
    """A limit order; `value` is quantity times limit price, costs are estimates, all in won.

    `open_low` and `open_high` are the prices between which the session must open for the order to be sent, None for
    any.
    """

    ticker: str
    side: str
    quantity: int
    reference_close: int
    band: Band
    limit_price: int
    value: int
    fee: int
    tax: int
    slippage: int
    open_low: int | None = None
    open_high: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A signal or a holding for which no order is made; the numbers say what was wanted and what was allowed."""

    ticker: str
    side: str
    code: str
    wanted: int | None = None
    allowed: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders in the order of sending, what was skipped, and what is left: cash in won, places in names."""

    orders: tuple[Order, ...]
    skipped: tuple[Skipped, ...]
    cash_buffer: int
    cash_reserved: int
    positions_after: int


@dataclass(frozen=True, slots=True)
class Room:
    """What buys may still take: won, and names."""

    cash: int
    positions: int


def plan(candidates: Sequence[Candidate], account: Account, rules: Sizing, market: Market) -> Plan:
    """The plan for these candidates, in their order. Raises NoPriceRule for a kind or a day without price rules."""
    held = {ticker: quantity for ticker, quantity in account.holdings.items() if quantity > 0}
    sells, skipped = _sells(candidates, held, rules, market)
    buffer = ceil(account.cash * rules.cash_buffer)
    freed = len(sells) if rules.count_on_sells else 0
    proceeds = sum(order.value - order.fee - order.tax for order in sells) if rules.count_on_sells else 0
    room = Room(account.cash - buffer + proceeds, rules.max_positions - len(held) + freed)
    buys: list[Order] = []
    for candidate in (one for one in candidates if one.verdict == BUY or one.refused is not None):
        against = candidate.refused or ("already_held" if candidate.ticker in held else None)
        if against is not None:
            skipped.append(Skipped(candidate.ticker, BUY, against))
            continue
        decided = _buy(candidate, room, rules, market)
        if isinstance(decided, Skipped):
            skipped.append(decided)
        else:
            buys.append(decided)
            room = Room(room.cash - decided.value - decided.fee, room.positions - 1)
    return Plan(
        orders=(*sells, *buys),
        skipped=tuple(skipped),
        cash_buffer=buffer,
        cash_reserved=sum(order.value + order.fee for order in buys),
        positions_after=len(held) + len(buys) - len(sells),
    )


def untraded(candidates: Sequence[Candidate], account: Account) -> Plan:
    """The plan where nobody has rules for the prices or the money: no order, and every signal put aside."""
    skipped = []
    for one in candidates:
        if one.is_entry or one.verdict == BUY:
            skipped.append(Skipped(one.ticker, BUY, one.refused or NOT_TRADED))
        elif one.verdict in (SELL, REVIEW):
            skipped.append(Skipped(one.ticker, SELL, NOT_TRADED if one.verdict == SELL else REVIEWED))
    held = sum(quantity > 0 for quantity in account.holdings.values())
    return Plan(orders=(), skipped=tuple(skipped), cash_buffer=0, cash_reserved=0, positions_after=held)


def _sells(
    candidates: Sequence[Candidate], held: Mapping[str, int], rules: Sizing, market: Market
) -> tuple[list[Order], list[Skipped]]:
    """A sell of the whole holding for each sell signal; a held name in doubt is skipped whatever its verdict."""
    orders, skipped = [], []
    for one in (candidate for candidate in candidates if not candidate.is_entry):
        if one.ticker not in held:
            if one.verdict in (SELL, REVIEW):
                skipped.append(Skipped(one.ticker, SELL, "not_held"))
        elif one.doubt is not None or one.verdict == NO_DATA or one.close is None:
            skipped.append(Skipped(one.ticker, SELL, one.doubt or NO_DATA))
        elif one.verdict == REVIEW:
            skipped.append(Skipped(one.ticker, SELL, REVIEWED))
        elif one.verdict == SELL:
            least = max(ceil(one.close * (1 - rules.sell_collar)), 1)
            price = price_rules.round_up(market.prices, least, market.day, market.kind)
            orders.append(_order(one.ticker, SELL, held[one.ticker], one.close, price, market))
    return orders, skipped


def _buy(one: Candidate, room: Room, rules: Sizing, market: Market) -> Order | Skipped:
    """The buy of this candidate, or the first reason against it with its numbers: won, shares or names."""
    if one.doubt is not None or one.close is None or one.daily_volume is None:
        return Skipped(one.ticker, BUY, one.doubt or NO_DATA)
    most = floor(one.close * (1 + rules.buy_collar))
    if one.open_high is not None:
        most = min(most, one.open_high)
    price = price_rules.round_down(market.prices, most, market.day, market.kind)
    order = _order(one.ticker, BUY, shares(price, rules), one.close, price, market)
    order = replace(order, open_low=one.open_low, open_high=one.open_high)
    for code, wanted, allowed in (
        ("band_beyond_limit", one.open_low or 0, order.limit_price),
        ("order_value", order.value, rules.cash_per_trade),
        ("turnover_share", order.quantity, floor(one.daily_volume * rules.largest_turnover_share)),
        ("max_positions", 1, room.positions),
        ("cash", order.value + order.fee, room.cash),
    ):
        if wanted > allowed:
            return Skipped(one.ticker, BUY, code, wanted, allowed)
    return order


def _order(ticker: str, side: str, quantity: int, close: int, wished: int, market: Market) -> Order:
    band = price_rules.limit_band(market.prices, close, market.day, market.kind)
    price = min(max(wished, band.lower), band.upper)
    value = quantity * price
    return Order(
        ticker=ticker,
        side=side,
        quantity=quantity,
        reference_close=close,
        band=band,
        limit_price=price,
        value=value,
        fee=charge(value, market.costs.fee_bps),
        tax=charge(value, market.costs.sell_tax_bps) if side == SELL else 0,
        slippage=charge(quantity * close, market.costs.slippage_bps),
    )
