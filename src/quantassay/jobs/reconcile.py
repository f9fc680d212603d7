"""Hold our own account of the holdings against the broker's, write down what differs, and lock it.

A reading that fails changes nothing. Only a person takes a break away, or the broker once it says what we say.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.brokers.port import Broker, Unreadable
from quantassay.domain.market.calendars import market_key
from quantassay.domain.trading import reconcile as judged
from quantassay.domain.trading.book import Book, DayOrders
from quantassay.domain.trading.clock import Clock
from quantassay.domain.trading.orders import Event
from quantassay.domain.trading.reconcile import External, Kind, Known, Name
from quantassay.errors import AssayError
from quantassay.harness.inputs import Inputs
from quantassay.store.journal import Journal

SELF = "assay reconcile"
# Between two readings while an order of ours leaves a name open.
PAUSE_S = 2.0
_SATURDAY = 5
# A name that an order of ours leaves open keeps its break until the order is finished.
_SETTLED = frozenset({Kind.AGREE, Kind.EXTERNAL})
# What a reading says that is no price: prices move all the time, and moving prices are no news.
_MONEY = ("cash", "deposit")
_SHARES = ("ticker", "quantity", "sellable")


class NamedTwice(Unreadable):
    """A book with two rows of one name: nobody can say what is held of it."""

    def __init__(self, ticker: str) -> None:
        super().__init__("the account", f"{ticker} stands in it twice")


class OtherAccount(AssayError):
    """A book of another account than the one that the journal tells of."""

    exit_code = 1

    def __init__(self, account: str, said: Mapping[str, Any], told: Book) -> None:
        now = told.certificate
        super().__init__(
            f"the journal knows {account} as account {said['account']} ({said['environment']}), and the broker answers "
            f"for account {now.account} ({now.environment}); nothing was written: give the other account a name of its "
            "own in spec/20_accounts.yaml"
        )


class OpenBeforeRead(AssayError):
    """An account that was traded before it was ever read."""

    exit_code = 1

    def __init__(self, account: str, orders: list[str]) -> None:
        super().__init__(
            f"{account} was never read, and orders of ours stand there ({', '.join(orders)}); see "
            "`assay orders resolve`, then reconcile"
        )


class NoBreak(AssayError):
    """Nothing to accept."""

    exit_code = 1

    def __init__(self, account: str, name: Name) -> None:
        super().__init__(
            f"{name.ticker} of {account} is no break: we count {name.ours}, the broker {name.theirs} ({name.why}); "
            "there is nothing to accept"
        )


class StillOpen(AssayError):
    """A break of a name for which an order of ours stands."""

    exit_code = 1

    def __init__(self, ticker: str, orders: list[str]) -> None:
        super().__init__(
            f"{ticker} cannot be accepted while an order of ours stands ({', '.join(orders)}); resolve it with "
            "`assay orders resolve`, or take it back with `assay trade cancel-all`"
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """The zone of the exchange, and what spec/35_reconciliation.yaml says."""

    zone: ZoneInfo
    shows_within: timedelta
    look_back_days: int
    book_every: timedelta


@dataclass(frozen=True, slots=True)
class Ground:
    """What is reconciled: an account in a journal. `fence` is the number of a lease where the caller holds one."""

    account: str
    journal: Journal
    clock: Clock
    limits: Limits
    fence: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found: the broker's book, every name by ticker, and which breaks came, stand and went.

    `first` says that the account was read for the first time: what the broker has is what we begin with.
    """

    account: str
    book: Book
    names: tuple[Name, ...]
    first: bool
    new: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()

    @property
    def breaks(self) -> dict[str, str]:
        """Why each name that is in a break is."""
        return {one.ticker: one.why for one in self.names if one.kind is Kind.BREAK}

    @property
    def unfinished(self) -> tuple[str, ...]:
        """The names whose difference an order of ours may explain, and nobody can say yet."""
        return tuple(one.ticker for one in self.names if one.kind is Kind.OURS_UNFINISHED)

    @property
    def externals(self) -> tuple[External, ...]:
        """The trades of others that were recognised now."""
        return tuple(found for one in self.names for found in one.externals)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the broker says now, and what the journal says after that."""

    day: date
    book: Book
    orders: tuple[DayOrders, ...]
    known: Known


def limits(inputs: Inputs) -> Limits:
    """The limits of a desk, from its specs."""
    spec, calendars = inputs.value("reconciliation"), inputs.value("calendars")
    market = calendars["markets"][market_key(calendars, str(inputs.value("desk")["market"]))]
    return Limits(
        ZoneInfo(market["zone"]),
        timedelta(seconds=spec["fills_show_within_s"]),
        spec["look_back_days"],
        timedelta(seconds=spec["book_every_s"]),
    )


def reconcile(ground: Ground, broker: Broker, patience_s: float = 0, *, sparing: bool = False) -> Outcome:
    """Read the broker, hold it against the journal, and write down book, trades of others, and breaks that come or go.

    A name that an order of ours leaves open is read again for as long as `patience_s`. `sparing` writes an unchanged
    book only from time to time. Raises Unreadable, OtherAccount, OpenBeforeRead, BadHistory, Fenced; nothing is written
    then but what had been by a reading before it.
    """
    end = ground.clock.now() + timedelta(seconds=patience_s)
    seen = _read(ground, broker)
    if seen.known.opened is None:
        return _opened(ground, seen)
    names = _names(ground, seen)
    while any(one.kind is Kind.OURS_UNFINISHED for one in names) and ground.clock.now() < end:
        ground.clock.sleep(PAUSE_S)
        seen = _read(ground, broker)
        names = _names(ground, seen)
    if any(one.kind is Kind.BREAK for one in names):
        seen = _further(ground, broker, seen)
        names = _names(ground, seen)
    return _written(ground, seen, names, sparing=sparing)


def looked_at(ground: Ground, broker: Broker) -> Outcome:
    """What `reconcile` would find now; nothing is written. Raises as it does."""
    seen = _read(ground, broker)
    if seen.known.opened is None:
        return Outcome(ground.account, seen.book, (), first=True)
    names = _names(ground, seen)
    if any(one.kind is Kind.BREAK for one in names):
        names = _names(ground, _further(ground, broker, seen))
    return Outcome(ground.account, seen.book, names, first=False)


def accept(ground: Ground, broker: Broker, ticker: str, by: str, why: str) -> Outcome:
    """Take the broker's count of a name for ours, because a person says why it may differ (a split, shares moved).

    Raises NoBreak, StillOpen and what `reconcile` raises.
    """
    seen = _read(ground, broker)
    if seen.known.opened is None:
        return _opened(ground, seen)
    if standing := judged.unfinished(seen.known, ticker):
        raise StillOpen(ticker, standing)
    seen = _further(ground, broker, seen)
    found = next((one for one in _names(ground, seen) if one.ticker == ticker), None)
    name = found or Name(ticker, Kind.AGREE, 0, 0, "neither side holds any")
    if name.kind is not Kind.BREAK:
        raise NoBreak(ground.account, name)
    # What the broker shows until now is part of the count that is taken over.
    for one in judged.foreign(seen.known, seen.orders, ticker):
        _append(ground, "external", one.body())
    if _is_news(seen.known, name):
        _append(ground, "break", _difference(name))
    _append(ground, "break_cleared", {**_difference(name), "why": why, "by": by, "adopted": name.theirs})
    return reconcile(ground, broker)


def _read(ground: Ground, broker: Broker) -> _Reading:
    """The journal is read last: whatever of ours the broker shows was written there before it was sent."""
    day = ground.clock.now().astimezone(ground.limits.zone).date()
    orders = broker.day_orders(day)
    book = broker.book()
    if twice := judged.twice(book):
        raise NamedTwice(twice)
    known = judged.known(ground.journal.events(ground.account))
    if known.last is not None and not judged.same_account(known.last, book):
        raise OtherAccount(ground.account, known.last.body["certificate"], book)
    return _Reading(day, book, (orders,), known)


def _names(ground: Ground, seen: _Reading) -> tuple[Name, ...]:
    return judged.reconcile(seen.known, seen.book, seen.orders, ground.limits.shows_within)


def _further(ground: Ground, broker: Broker, seen: _Reading) -> _Reading:
    """The same reading, with the orders of the days since the account was last read, as many as may be asked for."""
    days = [broker.day_orders(day) for day in _days_before(ground, seen)]
    return _Reading(seen.day, seen.book, (*reversed(days), *seen.orders), seen.known)


def _days_before(ground: Ground, seen: _Reading) -> Iterator[date]:
    """From yesterday back to the day of the last reading, weekdays only: no exchange trades on a weekend."""
    last = seen.known.last
    if last is None:
        return
    until = datetime.fromisoformat(last.body["at"]).astimezone(ground.limits.zone).date()
    asked = 0
    for back in range(1, (seen.day - until).days + 1):
        day = seen.day - timedelta(days=back)
        if day.weekday() < _SATURDAY and asked < ground.limits.look_back_days:
            asked += 1
            yield day


def _opened(ground: Ground, seen: _Reading) -> Outcome:
    """Begin with what the broker has; what others traded on this day is part of it."""
    if orders := [name for name, one in seen.known.orders.items() if one.sent_at]:
        raise OpenBeforeRead(ground.account, orders)
    for one in judged.foreign(seen.known, seen.orders):
        _append(ground, "external", one.body())
    _append(ground, "book", judged.book_body(seen.book))
    held = {one.ticker: one.quantity for one in seen.book.positions if one.quantity}
    names = tuple(Name(one, Kind.AGREE, held[one], held[one], "read for the first time") for one in sorted(held))
    return Outcome(ground.account, seen.book, names, first=True)


def _written(ground: Ground, seen: _Reading, names: tuple[Name, ...], *, sparing: bool) -> Outcome:
    kinds = {one.ticker: one.kind for one in names}
    found = [one for name in names for one in name.externals]
    for one in found:
        _append(ground, "external", one.body())
    new = [one for one in names if one.kind is Kind.BREAK and _is_news(seen.known, one)]
    for name in new:
        _append(ground, "break", _difference(name))
    over = [one for one in names if one.ticker in seen.known.breaks and kinds[one.ticker] in _SETTLED]
    for name in over:
        _append(ground, "break_cleared", {**_difference(name), "by": SELF, "adopted": None})
    if found or new or over or not sparing or _is_due(ground, seen):
        _append(ground, "book", judged.book_body(seen.book))
    return Outcome(
        ground.account,
        seen.book,
        names,
        first=False,
        new=tuple(one.ticker for one in new),
        cleared=tuple(one.ticker for one in over),
    )


def _is_due(ground: Ground, seen: _Reading) -> bool:
    """Whether an unremarkable reading is worth an event: it says something new, or the last one is old."""
    if seen.known.last is None:
        return True
    before, now = seen.known.last.body, judged.book_body(seen.book)
    if seen.book.at - datetime.fromisoformat(before["at"]) >= ground.limits.book_every:
        return True
    return any(before[name] != now[name] for name in _MONEY) or _shares(before) != _shares(now)


def _shares(body: Mapping[str, Any]) -> list[list[Any]]:
    return [[one[name] for name in _SHARES] for one in body["positions"]]


def _is_news(known: Known, name: Name) -> bool:
    stands = known.breaks.get(name.ticker)
    return stands is None or (stands.ours, stands.theirs) != (name.ours, name.theirs)


def _difference(name: Name) -> dict[str, Any]:
    return {"ticker": name.ticker, "ours": name.ours, "theirs": name.theirs, "why": name.why}


def _append(ground: Ground, kind: str, body: Mapping[str, Any]) -> Event:
    return ground.journal.append(ground.clock.now(), kind, account=ground.account, body=body, fence=ground.fence)
