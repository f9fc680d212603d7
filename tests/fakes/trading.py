"""A clock that only goes when it is told to, and a broker in memory whose answers, fills and failures a test scripts.

`broker.say("submit", Unknown("no answer"), taken=True)`: the next order is taken, and nobody is told.
`broker.fills("990010", 0, 40, 60)`: nothing at first, then 40, then 60 shares.
`broker.fail("book", times=2)`: two readings that cannot be read.
"""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from decimal import Decimal

from quantassay.brokers.port import Unreadable
from quantassay.domain.trading.book import (
    Accepted,
    Book,
    Certificate,
    DayOrders,
    MarketState,
    Orderable,
    OrderRow,
    Placed,
    Position,
    Quote,
    Refused,
    Totals,
)

KST = timezone(timedelta(hours=9))
CERTIFICATE = Certificate("rehearsal", "127.0.0.1:18080", "V", "aaaaaaaaaaaa", "bbbbbbbbbbbb")
TICKS = ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500))
READINGS = ("book", "day_orders", "orderable", "quote", "market_state")


class FakeClock:
    """Shows `start` until somebody sleeps; `slept` is how long each sleep was, `at` what happens at later instants."""

    def __init__(self, start):
        self.instant, self.slept, self._at = start, [], []

    def now(self):
        return self.instant

    def sleep(self, seconds):
        if seconds > 0:
            self.slept.append(seconds)
            self.advance(seconds)

    def advance(self, seconds):
        """Let time go by; what was due on the way happens at its instant."""
        end = self.instant + timedelta(seconds=seconds)
        while self._at and self._at[0][0] <= end:
            self.instant, do = self._at.pop(0)
            do()
        self.instant = end

    def at(self, instant, do):
        """Have `do()` called when the clock gets there."""
        self._at.append((instant, do))
        self._at.sort(key=lambda one: one[0])


@dataclass(eq=False)
class Booked:
    """An order as the memory broker has it; `parts` are fills to come, one each time the day's orders are read."""

    number: int
    ticker: str
    side: str
    quantity: int
    price: int
    at: object
    parts: deque
    origin: str = ""
    filled: int = 0
    amount: int = 0
    cancelled: int = 0
    rejected: int = 0
    hidden: int = 0  # readings until it shows anywhere

    @property
    def remaining(self):
        return 0 if self.origin else self.quantity - self.filled - self.cancelled - self.rejected


@dataclass
class Script:
    """What a call answers next: this value (or error) instead of the true one; `taken`: an order is booked even so."""

    answer: object
    taken: bool = False
    shown_after: int = 0


@dataclass
class MemoryBroker:
    """One account in memory: a whole `Broker`, and its wires laid open.

    `calls` lists (name, arguments) of all that was asked. `watch(moment, name)` is called "before" and "after" each
    call and may raise, as a crash would. `hide_rows`: the day's rows are empty while the totals are right. `lag`:
    readings of the book that still show holdings and cash before a fill. `external(...)` is an order of somebody else.
    """

    clock: object
    cash: int = 10_000_000
    prices: dict = field(default_factory=dict)
    held: dict = field(default_factory=dict)
    certificate: Certificate = CERTIFICATE
    fee_bps: int = 0
    hide_rows: bool = False
    lag: int = 0
    open: bool | None = True
    halted: set = field(default_factory=set)
    watch: object = None

    def __post_init__(self):
        self.calls, self.booked, self.costs = [], [], 0
        self.held, self.deposit = dict(self.held), self.cash
        self._scripts, self._parts, self._rejects = defaultdict(deque), {}, set()
        self._shown, self._number, self._hide = deque(), 0, 0

    # What a test scripts.

    def say(self, call, answer, *, taken=False, shown_after=0):
        """The next `call` gives this answer; `taken`: the order is booked, and shows after so many readings."""
        self._scripts[call].append(Script(answer, taken, shown_after))

    def fail(self, call, times=1, why="HTTP 500"):
        """The next readings of this kind cannot be read."""
        for _ in range(times):
            self.say(call, Unreadable(call, why))

    def fills(self, ticker, *parts):
        """Orders for this name fill so: these shares, one part each time the day's orders are read."""
        self._parts[ticker] = parts

    def reject_later(self, ticker):
        """The next order for this name is accepted, and refused by the exchange when the orders are next read."""
        self._rejects.add(ticker)

    def external(self, ticker, side, quantity, price):
        """Somebody trades by hand in the same account, at once."""
        one = self._book(ticker, side, quantity, price, deque())
        self._fill(one, quantity, price)
        return one

    def orders(self, ticker=None):
        """What was booked, cancels left out."""
        return [one for one in self.booked if not one.origin and ticker in (None, one.ticker)]

    # What a broker does.

    def book(self):
        return self._call("book", (), self._read_book)

    def day_orders(self, day):
        return self._call("day_orders", (day,), lambda: self._read_orders(day))

    def orderable(self, ticker, price):
        return self._call("orderable", (ticker, price), lambda: Orderable(self._free(), self._free() // max(price, 1)))

    def quote(self, ticker):
        return self._call("quote", (ticker,), lambda: self._read_quote(ticker))

    def market_state(self, ticker, day):
        is_open = self.open if day == self._day() else False
        return self._call("market_state", (ticker, day), lambda: MarketState(is_open, "as the test says"))

    def submit(self, order):
        return self._call("submit", (order,), lambda: self._take(order))

    def cancel(self, placed, ticker):
        return self._call("cancel", (placed, ticker), lambda: self._take_back(placed, ticker))

    # How it does it.

    def _call(self, name, arguments, do):
        self.calls.append((name, arguments))
        if self.watch:
            self.watch("before", name)
        script = self._scripts[name].popleft() if self._scripts[name] else None
        if script is None:
            answer = do()
        else:
            answer = script.answer
            if script.taken:
                self._hide = script.shown_after
                do()
                self._hide = 0
        if self.watch:
            self.watch("after", name)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _day(self):
        return self.clock.now().astimezone(KST).date()

    def _free(self):
        held_back = sum(one.remaining * one.price for one in self.booked if one.side == "buy" and not one.hidden)
        return self.cash - held_back

    def _sellable(self, ticker):
        return self.held.get(ticker, 0) - sum(
            one.remaining for one in self.booked if (one.ticker, one.side) == (ticker, "sell")
        )

    def _book(self, ticker, side, quantity, price, parts, origin=""):
        self._number += 1
        at = self.clock.now().astimezone(KST)
        one = Booked(self._number, ticker, side, quantity, price, at, parts, origin, hidden=self._hide)
        self.booked.append(one)
        return one

    def _take(self, order):
        if self.open is False:
            return Refused("40580000", "the session is closed")
        if order.ticker in self.halted:
            return Refused("40990000", "trading of the name is halted")
        if order.ticker not in self.prices:
            return Refused("40200000", "no name of this broker")
        quote = self._read_quote(order.ticker)
        if not quote.lower <= order.limit_price <= quote.upper or order.limit_price % quote.tick:
            return Refused("40270000", "outside of the day's limits, or on no tick")
        if order.side == "sell" and order.quantity > self._sellable(order.ticker):
            return Refused("40240000", "more than may be sold")
        if order.side == "buy" and order.quantity * order.limit_price > self._free():
            return Refused("40250000", "more than may be bought")
        price = self.prices[order.ticker]
        marketable = order.limit_price >= price if order.side == "buy" else order.limit_price <= price
        parts = deque(self._parts.get(order.ticker, ()) if marketable else ())
        one = self._book(order.ticker, order.side, order.quantity, order.limit_price, parts)
        if order.ticker in self._rejects:
            self._rejects.discard(order.ticker)
            one.parts = deque([None])
        elif marketable and self._hide:
            one.parts = one.parts or deque([order.quantity])
        elif marketable and order.ticker not in self._parts:
            self._fill(one, order.quantity, price)
        return Accepted(self.placed(one), one.at.strftime("%H%M%S"))

    def placed(self, one):
        """An order's number as the acknowledgement writes it; the rows write it without the zeros."""
        return Placed(f"{one.number:010d}", "00950", one.at.date())

    def _take_back(self, placed, ticker):
        wanted = [one for one in self.orders(ticker) if str(one.number) == placed.number.lstrip("0")]
        if not wanted or wanted[0].remaining == 0:
            return Refused("40330000", "nothing is left to cancel")
        one = wanted[0]
        left = one.remaining
        one.cancelled += left
        own = self._book(one.ticker, one.side, left, 0, deque(), str(one.number))
        return Accepted(self.placed(own), own.at.strftime("%H%M%S"))

    def _fill(self, one, quantity, price):
        signed = quantity if one.side == "buy" else -quantity
        costs = quantity * price * self.fee_bps // 10_000
        before = dict(self.held), self.cash
        one.filled, one.amount = one.filled + quantity, one.amount + quantity * price
        self.held[one.ticker] = self.held.get(one.ticker, 0) + signed
        self.cash, self.costs = self.cash - signed * price - costs, self.costs + costs
        self._shown.extend([before] * (self.lag - len(self._shown)))

    def catch_up(self):
        """From now on the book shows what there is."""
        self.lag = 0
        self._shown.clear()

    def _read_book(self):
        held, cash = self._shown.popleft() if self._shown else (self.held, self.cash)
        positions = tuple(
            Position(
                ticker,
                f"Name {ticker}",
                quantity,
                max(self._sellable(ticker), 0),
                Decimal(self.prices.get(ticker, 1)),
                self.prices.get(ticker, 1),
            )
            for ticker, quantity in sorted(held.items())
            if quantity
        )
        equity = cash + sum(p.quantity * p.last_price for p in positions)
        pages = max(1, -(-len(positions) // 20))
        return Book(self.clock.now(), positions, cash, self.deposit, equity, pages, self.certificate)

    def _read_orders(self, day):
        hidden = [one for one in self.booked if one.hidden]
        for one in self.booked:
            if one in hidden:
                one.hidden -= 1
            elif one.parts and one.remaining:
                part = one.parts.popleft()
                if part is None:
                    one.rejected = one.remaining
                elif part:
                    self._fill(one, min(part, one.remaining), self.prices[one.ticker])
        seen = [one for one in self.booked if one.at.date() == day and one not in hidden]
        rows = () if self.hide_rows else tuple(map(_row, seen))
        mine = [one for one in seen if not one.origin]
        sums = [sum(getattr(one, of) for one in mine) for of in ("quantity", "filled", "amount")]
        return DayOrders(day, rows, Totals(*sums, self.costs), max(1, -(-len(rows) // 15)))

    def _read_quote(self, ticker):
        if ticker not in self.prices:
            raise Unreadable(ticker, "no name of this broker")
        price = self.prices[ticker]
        tick = next((step for below, step in TICKS if price < below), 1_000)
        upper, lower = price * 13 // 10 // tick * tick, -(-price * 7 // 10 // tick) * tick
        return Quote(ticker, price, price, upper, lower, tick, ticker in self.halted, self.clock.now())


def _row(one):
    return OrderRow(
        str(one.number),
        "00950",
        one.origin,
        one.ticker,
        one.side,
        one.quantity,
        one.price,
        one.at.strftime("%H%M%S"),
        one.filled,
        one.amount,
        one.remaining,
        one.cancelled,
        one.rejected,
    )
