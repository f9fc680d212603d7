"""The practice broker and its exchange: takes orders, fills them against the tape, keeps every account's books.

It conserves: shares and cash come and go by fills alone, no sell exceeds what is held and free, no buy what the cash
left by all that was traded or is open can pay. What it refuses is a value with the broker's own code. An order at or
through the opening price is filled at once, at that price, up to a share of the session's volume; the rest waits for
the close and lapses. Its books are the truth that a rehearsal is judged by: `orders`, `positions`, `cash`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from quantassay.domain.market import price_rules
from quantassay.domain.market.sessions import State
from quantassay.domain.planning.costs import charge
from quantassay.domain.trading.book import Side
from quantassay.domain.trading.clock import Clock
from quantassay.errors import AssayError
from quantassay.sandbox import accounts
from quantassay.sandbox.accounts import CANCEL, REVISE, Booked, Fill, Lot, Opening
from quantassay.sandbox.tape import Session, Tape

SETTLES_AFTER = 2
FIRST_NUMBER = 12_873


class NoSuchAccount(AssayError):
    """An account that the practice broker does not keep."""

    def __init__(self, known: Iterable[str]) -> None:
        super().__init__(f"the practice broker keeps no such account; it keeps {len(list(known))} of its own")


@dataclass(frozen=True, slots=True)
class Costs:
    """What the practice broker takes, in basis points: a fee of each trade, a tax of each sell of a share."""

    fee_bps: str = "1.5"
    tax_bps: str = "20"


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as it comes in; at the market where the price is 0."""

    ticker: str
    side: Side
    quantity: int
    price: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an order, a cancel or a change is not taken: the broker's code and its words."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Handling:
    """What shall go wrong with an order: at most so many shares are filled at once, or the exchange rejects it."""

    at_once: int | None = None
    rejects: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """An account as it is seen: its opening, its orders, and its fills as far as they are known."""

    opening: Opening
    orders: tuple[Booked, ...]
    fills: tuple[Fill, ...]

    @property
    def lots(self) -> dict[str, Lot]:
        """Names held, or held before and sold out."""
        return accounts.lots(self.opening, self.fills)

    @property
    def cash(self) -> int:
        """Won left once everything is settled."""
        return accounts.cash(self.opening, self.fills)

    def open_sells(self, ticker: str) -> int:
        """Shares of this name that live sell orders still want to sell."""
        return sum(one.remaining for one in self.orders if one.is_live and (one.ticker, one.side) == (ticker, "sell"))


BEFORE_OPEN = Refusal("40570000", "모의투자 장시작전 입니다.")
AFTER_CLOSE = Refusal("40580000", "모의투자 장종료 입니다.")
NO_SESSION = Refusal("40100000", "모의투자 영업일이 아닙니다.")
BEYOND_LIMIT = Refusal("40270000", "모의투자 상/하한가 오류")
OFF_TICK = Refusal("40030000", "모의투자 주문처리가 안되었습니다(호가단위 오류)")
NO_CASH = Refusal("40250000", "모의투자 주문가능금액이 부족합니다.")
NO_SHARES = Refusal("40240000", "모의투자 잔고내역이 없습니다.")
NOTHING_LEFT = Refusal("40330000", "모의투자 정정/취소할 수량이 없습니다.")
UNKNOWN_NAME = Refusal("APBK0656", "해당종목정보가 없습니다.")


class Exchange:
    """The state of the practice market. Make a new one for a known beginning; nothing outlives it.

    `volume_percent` of a session's volume is there for its orders; `zero_rows`: what was sold out is listed until paid.
    """

    def __init__(
        self,
        tape: Tape,
        openings: Iterable[Opening],
        clock: Clock,
        *,
        costs: Costs | None = None,
        volume_percent: int = 10,
        zero_rows: bool = True,
    ) -> None:
        self.tape = tape
        self.clock = clock
        self.costs = costs or Costs()
        self.volume_percent = volume_percent
        self.zero_rows = zero_rows
        self._openings = {one.number: one for one in openings}
        self._orders: dict[str, dict[str, Booked]] = {number: {} for number in self._openings}
        self._fills: dict[str, list[Fill]] = {number: [] for number in self._openings}
        self._live: set[tuple[str, str]] = set()
        self._taken: dict[tuple[str, date], int] = {}
        self._next = FIRST_NUMBER

    # The books.

    @property
    def account_numbers(self) -> tuple[str, ...]:
        """The accounts that are kept here."""
        return tuple(self._openings)

    def orders(self, account: str) -> tuple[Booked, ...]:
        """Every order, cancel and change that was ever booked, oldest first, each with its fills."""
        self.advance()
        return tuple(self._book(account).values())

    def owner(self, number: str) -> str:
        """The account of an order."""
        return next(account for account, book in self._orders.items() if number in book)

    def fills(self, account: str) -> tuple[Fill, ...]:
        """Every fill, oldest first."""
        return tuple(self._fills[self._known(account)])

    def positions(self, account: str) -> dict[str, int]:
        """Shares held by name, none of 0."""
        return {ticker: lot.quantity for ticker, lot in self.view(account).lots.items() if lot.quantity}

    def cash(self, account: str) -> int:
        """Won left once all that was traded is settled."""
        return accounts.cash(self._openings[self._known(account)], self.fills(account))

    def orderable_cash(self, account: str) -> int:
        """The cash without what open buy orders may still take."""
        book = self._book(account)
        live = (book[number] for owner, number in self._live if owner == account)
        return self.cash(account) - sum(self._reserved(order) for order in live if order.side == "buy")

    def view(self, account: str, hidden: int = 0) -> View:
        """The account as it stands, or as it would without its newest fills: a broker's ledger may lag behind."""
        self.advance()
        fills = self.fills(account)
        return View(self._openings[account], self.orders(account), fills[: len(fills) - hidden])

    # What may be asked of it.

    def submit(self, account: str, wish: Wish, handling: Handling | None = None) -> Booked | Refusal:
        """Book an order and match it, or say why it is refused."""
        self.advance()
        session = self.tape.session(wish.ticker, self.today())
        refused = self._closed() or self._misplaced(wish, session) or self._uncovered(account, wish)
        if refused or session is None:
            return refused or UNKNOWN_NAME
        handling = handling or Handling()
        order = self._new(wish)
        if handling.rejects:
            return self._keep(account, replace(order, rejected=order.quantity))
        self._keep(account, order)
        return self.match(account, order.number, handling.at_once)

    def cancel(self, account: str, number: str, quantity: int | None = None) -> Booked | Refusal:
        """Take back what is left of an order, or so many shares of it; the cancel gets a number of its own."""
        self.advance()
        order = self._find(account, number)
        refused = self._closed() or self._untouchable(order, quantity)
        if refused or order is None:
            return refused or NOTHING_LEFT
        count = order.remaining if quantity is None else quantity
        self._keep(account, replace(order, cancelled=order.cancelled + count))
        wish = Wish(order.ticker, order.side, count, 0)
        return self._keep(account, replace(self._new(wish), origin=order.number, change=CANCEL))

    def revise(self, account: str, number: str, quantity: int | None, price: int) -> Booked | Refusal:
        """Give what is left of an order, or so many shares of it, another price; they go on under a new number."""
        self.advance()
        order = self._find(account, number)
        refused = self._closed() or self._untouchable(order, quantity)
        if refused or order is None:
            return refused or NOTHING_LEFT
        count = order.remaining if quantity is None else quantity
        wish = Wish(order.ticker, order.side, count, price)
        self._keep(account, replace(order, cancelled=order.cancelled + count))
        refused = self._misplaced(wish, self.tape.session(wish.ticker, self.today())) or self._uncovered(account, wish)
        if refused:
            self._keep(account, order)
            return refused
        revised = self._keep(account, replace(self._new(wish), origin=order.number, change=REVISE))
        return self.match(account, revised.number)

    def match(self, account: str, number: str, most: int | None = None) -> Booked:
        """Fill an order as far as the session lets it, and no more shares than `most` now."""
        order = self._book(account)[number]
        session = self.tape.session(order.ticker, order.day)
        if session is None or not order.is_live or not _meets(order, session):
            return order
        taken = self._taken.get((order.ticker, order.day), 0)
        room = session.bar.volume * self.volume_percent // 100 - taken
        count = min(order.remaining, room, order.remaining if most is None else most)
        if count <= 0:
            return order
        self._taken[order.ticker, order.day] = taken + count
        fill = self._fill(order, count, session.bar.open)
        self._fills[account].append(fill)
        return self._keep(account, replace(order, fills=(*order.fills, fill)))

    def advance(self) -> None:
        """Let orders lapse whose session is over."""
        if not self._live:
            return
        now = self.clock.now()
        for account, number in sorted(self._live):
            order = self._orders[account][number]
            closes = self.tape.closes(order.day)
            if closes is None or now >= closes:
                self._keep(account, replace(order, lapsed=True))

    def today(self) -> date:
        """The date at the exchange."""
        return self.tape.day(self.clock.now())

    def last_price(self, ticker: str) -> int:
        """What the name costs now: the base before the open, the opening price in session, the close after it; or 0."""
        now = self.clock.now()
        session = self.tape.session(ticker, self.today())
        if session is None:
            return 0
        match self.tape.state(now):
            case State.INTRADAY:
                return session.bar.open
            case State.AFTER_CLOSE:
                return session.bar.close
            case _:
                return session.base

    # How.

    def _known(self, account: str) -> str:
        if account not in self._openings:
            raise NoSuchAccount(self._openings)
        return account

    def _book(self, account: str) -> dict[str, Booked]:
        return self._orders[self._known(account)]

    def _find(self, account: str, number: str) -> Booked | None:
        order = self._book(account).get(number.strip().lstrip("0").zfill(10))
        return None if order is None or order.change == CANCEL else order

    def _keep(self, account: str, order: Booked) -> Booked:
        self._orders[account][order.number] = order
        (self._live.add if order.is_live else self._live.discard)((account, order.number))
        return order

    def _new(self, wish: Wish) -> Booked:
        number, self._next = f"{self._next:010d}", self._next + 1
        now = self.tape.local(self.clock.now())
        return Booked(number, wish.ticker, wish.side, wish.quantity, wish.price, now.date(), f"{now:%H%M%S}")

    def _closed(self) -> Refusal | None:
        closed = {State.PRE_OPEN: BEFORE_OPEN, State.AFTER_CLOSE: AFTER_CLOSE, State.CLOSED: NO_SESSION}
        return closed.get(self.tape.state(self.clock.now()))

    def _misplaced(self, wish: Wish, session: Session | None) -> Refusal | None:
        if session is None:
            return UNKNOWN_NAME
        if wish.price == 0:
            return None
        if not session.lower <= wish.price <= session.upper:
            return BEYOND_LIMIT
        kind = self.tape.names[wish.ticker].kind
        return None if price_rules.is_on_tick(self.tape.rules, wish.price, self.today(), kind) else OFF_TICK

    def _uncovered(self, account: str, wish: Wish) -> Refusal | None:
        if wish.side == "buy":
            wanted = self._reserved(self._probe(wish))
            return NO_CASH if wanted > self.orderable_cash(account) else None
        view = self.view(account)
        free = view.lots[wish.ticker].quantity if wish.ticker in view.lots else 0
        return NO_SHARES if wish.quantity > free - view.open_sells(wish.ticker) else None

    def _probe(self, wish: Wish) -> Booked:
        return Booked("", wish.ticker, wish.side, wish.quantity, wish.price, self.today(), "")

    def _reserved(self, order: Booked) -> int:
        """What the unfilled part of a buy may cost: at the limit, or at the day's upper limit if it has none."""
        session = self.tape.session(order.ticker, order.day)
        price = order.price or (session.upper if session else 0)
        fees = sum(fill.fee for fill in order.fills)
        worst = order.amount + order.remaining * price
        return order.remaining * price + charge(worst, self.costs.fee_bps) - fees

    def _untouchable(self, order: Booked | None, quantity: int | None) -> Refusal | None:
        if order is None or not order.is_live:
            return NOTHING_LEFT
        return NOTHING_LEFT if quantity is not None and not 0 < quantity <= order.remaining else None

    def _fill(self, order: Booked, count: int, price: int) -> Fill:
        """The next fill; costs are those of the whole order so far without what was taken, so parts cost no more."""
        total = order.amount + count * price
        fee = charge(total, self.costs.fee_bps) - sum(fill.fee for fill in order.fills)
        taxed = order.side == "sell" and not self.tape.names[order.ticker].is_fund
        tax = charge(total, self.costs.tax_bps) - sum(fill.tax for fill in order.fills) if taxed else 0
        settles = self.tape.session_from(order.day + timedelta(days=1), SETTLES_AFTER - 1)
        return Fill(order.number, order.ticker, order.side, count, price, fee, tax, order.day, settles)


def _meets(order: Booked, session: Session) -> bool:
    """Whether the order is at or through the opening price, and somebody is on the other side."""
    if session.is_halted or session.is_locked(order.side):
        return False
    if order.price == 0:
        return True
    return order.price >= session.bar.open if order.side == "buy" else order.price <= session.bar.open
