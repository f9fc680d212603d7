"""Makes the practice market of a workspace: its calendar, bars and costs, and one of its accounts to rehearse with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from quantassay.domain.market import sessions
from quantassay.domain.market.price_rules import price_rules
from quantassay.domain.market.sessions import Calendar
from quantassay.domain.planning.costs import costs_on
from quantassay.errors import AssayError
from quantassay.feeds import sample_market
from quantassay.harness.inputs import Inputs
from quantassay.jobs import desk, imported, market
from quantassay.jobs.clock import ShiftedClock, SystemClock
from quantassay.jobs.paper_market import NoPaperMarket, NotWholeWon
from quantassay.kis.rehearsal import ACCOUNT
from quantassay.sandbox.accounts import Opening
from quantassay.sandbox.exchange import Costs, Exchange
from quantassay.sandbox.tape import Bar, Name, Tape
from quantassay.store import bars
from quantassay.store.bars_index import SAMPLE

REHEARSAL = "rehearsal"
# Sessions for which the sample market goes on after its last bar.
SAMPLE_GOES_ON = 10
# A rehearsal of a sample desk begins so long after the open of the session that it plans for.
AFTER_OPEN = timedelta(seconds=5)
_COLUMNS = ("session", "open", "high", "low", "close", "volume")


class NoSuchRehearsal(AssayError):
    """An account to rehearse with that the desk does not have."""

    def __init__(self, wanted: str, known: list[str]) -> None:
        asked = f"no account {wanted!r}" if wanted else f"no account of the environment {REHEARSAL}"
        super().__init__(
            f"spec/20_accounts.yaml has {asked}; it has {', '.join(known)}: name one with --account, or add one"
        )


class NotInWon(AssayError):
    """An account in another money than the practice market's."""

    def __init__(self, account: str, currency: str) -> None:
        super().__init__(f"the account {account} is kept in {currency}, and the practice server trades in KRW only")


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a practice server of this workspace is made of, and how it says so."""

    exchange: Exchange
    account: str
    begins: datetime
    cash: int
    holdings: int
    names: int
    port: int
    is_sample: bool


def rehearsal(folder: Path, account: str, at: str) -> Rehearsal:
    """The practice market of a built workspace, with one of its accounts.

    Its clock begins at the instant; without one it is this machine's, or begins with the session that a sample desk
    plans for. Raises BadInstant, NotBuilt, NoSuchRehearsal, NotInWon, NoPaperMarket, NotWholeWon.
    """
    inputs = desk.built(folder)
    calendar = sessions.calendar(inputs.value("trading_calendar"))
    chosen = _account(inputs, account)
    begins = _begins(inputs, calendar, at)
    clock = ShiftedClock(begins) if begins else SystemClock()
    now = clock.now().astimezone(calendar.zone)
    costs = costs_on(inputs.value("costs"), now.date())
    held = {
        one["ticker"]: (one["quantity"], Decimal(str(one["average_price"])))
        for one in chosen["holdings"]
        if one["quantity"]
    }
    tape = tape_of(inputs, calendar)
    opening = Opening(ACCOUNT, int(chosen["cash"]), held)
    exchange = Exchange(tape, [opening], clock, costs=Costs(costs.fee_bps, costs.sell_tax_bps))
    port = inputs.value("brokers")["kis"][REHEARSAL]["port"]
    is_sample = market.chosen(inputs).key == SAMPLE
    return Rehearsal(exchange, chosen["id"], now, opening.cash, len(held), len(tape.names), port, is_sample)


def _account(inputs: Inputs, wanted: str) -> Mapping[str, Any]:
    accounts: list[dict[str, Any]] = inputs.value("accounts")["accounts"]
    key, value = ("id", wanted) if wanted else ("environment", REHEARSAL)
    found = next((one for one in accounts if one[key] == value), None)
    if found is None:
        raise NoSuchRehearsal(wanted, [one["id"] for one in accounts])
    if found["currency"] != "KRW":
        raise NotInWon(found["id"], found["currency"])
    return found


def _begins(inputs: Inputs, calendar: Calendar, at: str) -> datetime | None:
    """When the server's clock begins; None where it is this machine's."""
    if at:
        return datetime.fromisoformat(desk.instant(at)).astimezone(calendar.zone)
    if market.chosen(inputs).key != SAMPLE:
        return None
    as_of = datetime.fromisoformat(inputs.value("sample_market")["as_of"])
    return sessions.hours(calendar, sessions.next_to_open(calendar, as_of)).open + AFTER_OPEN


def tape_of(inputs: Inputs, calendar: Calendar) -> Tape:
    """The desk's own bars; the sample market goes on after its last one as it was simulated.

    Raises NoPaperMarket, and NotWholeWon when a name with such a price is asked about.
    """
    chosen = market.chosen(inputs)
    kind = inputs.value("quality_limits")["price_kind"].get(chosen.market)
    if kind is None:
        raise NoPaperMarket(chosen.market)
    source = _Bars(inputs, chosen.key, calendar)
    names = [Name(ticker, source.names.get(ticker, ticker), str(kind)) for ticker in source.tickers]
    read: Callable[[str], Mapping[date, Bar]] = source.of
    return Tape(calendar, price_rules(inputs.value("price_rules")), names, read)


class _Bars:
    """The bars of a workspace, a name at a time."""

    def __init__(self, inputs: Inputs, key: str, calendar: Calendar) -> None:
        self._inputs, self._key, self._calendar = inputs, key, calendar
        self._frame = bars.read_or_empty(inputs.workspace.data, key)
        listed, _ = imported.universe_import(inputs.workspace.data, key)
        self.names = {one["ticker"]: one["name"] for one in listed["names"]} if listed else {}

    @property
    def tickers(self) -> list[str]:
        """Every name that has a bar."""
        return sorted(self._frame["ticker"].unique())

    def of(self, ticker: str) -> dict[date, Bar]:
        """The bars of a name by day."""
        rows = self._frame.filter(self._frame["ticker"] == ticker).select(*_COLUMNS).iter_rows()
        stored = {row[0]: _bar(ticker, row) for row in rows if None not in row}
        return {**stored, **self._later.get(ticker, {})}

    @cached_property
    def _later(self) -> dict[str, dict[date, Bar]]:
        if self._key != SAMPLE:
            return {}
        spec, days = self._inputs.value("sample_market"), self._calendar.sessions
        last = date.fromisoformat(spec["as_of"][:10])
        after = [day for day in days if day > last][:SAMPLE_GOES_ON]
        found: dict[str, dict[date, Bar]] = {}
        for bar in sample_market.following(spec, [day for day in days if day <= last], after):
            found.setdefault(bar.ticker, {})[bar.session] = Bar(bar.open, bar.high, bar.low, bar.close, bar.volume)
        return found


def _bar(ticker: str, row: tuple[Any, ...]) -> Bar:
    day, *prices, volume = row
    opened, high, low, close = (_won(ticker, day, Decimal(str(price))) for price in prices)
    # Without trading some sources give no price but the close.
    return Bar(opened, high, low, close, volume) if volume else Bar(close, close, close, close, 0)


def _won(ticker: str, day: date, price: Decimal) -> int:
    if price != int(price):
        raise NotWholeWon(ticker, day, price)
    return int(price)
