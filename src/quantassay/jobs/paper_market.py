"""The market as the paper broker is told of it: the desk's own bars, else quotes that a person saw, and its costs."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from quantassay.domain.market import sessions
from quantassay.domain.market.price_rules import PriceRules, price_rules
from quantassay.domain.market.sessions import Calendar, Hours, OutsideCalendar
from quantassay.domain.trading.paper_fills import Opening, Terms, terms_on
from quantassay.errors import AssayError
from quantassay.feeds import sample_market
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy
from quantassay.jobs import imported, imported_quotes, market
from quantassay.store.bars_index import SAMPLE

_BARS = Lazy("quantassay.store.bars:read_or_empty")
_COLUMNS = ("session", "open", "low", "high", "close", "volume")
# Sessions for which the sample market goes on after its last bar.
_SAMPLE_GOES_ON = 10


class NoPaperMarket(AssayError):
    """A market in which the paper broker cannot trade."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the paper broker cannot trade {name}: spec/13_quality_limits.yaml names no kind of paper for it, so its "
            "ticks and limits are not known"
        )


class NotWholeWon(AssayError):
    """A price that no order could carry."""

    def __init__(self, ticker: str, day: date, price: Decimal) -> None:
        super().__init__(
            f"the price of {ticker} on {day} is {price}, and won have no parts; the paper broker needs bars as they "
            "were traded, so import those"
        )


@dataclass(frozen=True, slots=True)
class Traded:
    """One bar: prices in whole won, volume in shares."""

    session: date
    open: int
    low: int
    high: int
    close: int
    volume: int


class PaperMarket:
    """What `brokers.paper.Market` asks for, from the inputs of a built desk; nothing is read before it is needed."""

    def __init__(self, inputs: Inputs, paper: Mapping[str, Any]) -> None:
        self._inputs, self._paper = inputs, paper
        self._choice = market.chosen(inputs)
        self._bars: dict[str, list[Traded]] = {}
        kind = inputs.value("quality_limits")["price_kind"].get(self._choice.market)
        if kind is None:
            raise NoPaperMarket(self._choice.market)
        self._kind = str(kind)

    def opening(self, ticker: str, day: date) -> Opening | None:
        """How the session opened: by its bar, else by the earliest quote that was taken while it ran."""
        base = self.base(ticker, day)
        if base is None:
            return None
        bar = next((one for one in self._of(ticker) if one.session == day), None)
        if bar is not None:
            return Opening(ticker, day, bar.open, bar.low, bar.high, bar.volume, base)
        price = self._quoted(ticker, day)
        return None if price is None else Opening(ticker, day, price, price, price, None, base)

    def base(self, ticker: str, day: date) -> int | None:
        """The last close before this day; None for a name without one."""
        return next((one.close for one in reversed(self._of(ticker)) if one.session < day), None)

    def name(self, ticker: str) -> str:
        """What the name is called, by the imported list of names; the ticker where it is not on it."""
        return self._names.get(ticker, ticker)

    def hours(self, day: date) -> Hours | None:
        """From when to when the session of this day runs; None where there is none, or the calendars disagree."""
        try:
            is_open = sessions.is_session(self._calendar, day) and day not in self._calendar.disputed
        except OutsideCalendar:
            return None
        return sessions.hours(self._calendar, day) if is_open else None

    def today(self, at: datetime) -> date:
        """The day at the exchange."""
        return sessions.local_day(self._calendar, at)

    def is_settled(self, traded: date, day: date) -> bool:
        """Whether so many sessions have begun since as the exchange takes to settle a trade."""
        passed = sessions.sessions_between(self._calendar, traded, day)
        return len(passed) > int(self._paper["settlement_sessions"])

    def terms(self, day: date) -> Terms:
        """Ticks, limits and costs of this day."""
        costs = self._inputs.value("costs")
        return terms_on(day, self._rules, self._kind, costs, self._paper["largest_volume_share"])

    # ---- what it is made of

    @cached_property
    def _calendar(self) -> Calendar:
        return sessions.calendar(self._inputs.value("trading_calendar"))

    @cached_property
    def _rules(self) -> PriceRules:
        return price_rules(self._inputs.value("price_rules"))

    @cached_property
    def _names(self) -> dict[str, str]:
        listed, _ = imported.universe_import(self._inputs.workspace.data, self._choice.key)
        return {one["ticker"]: one["name"] for one in listed["names"]} if listed else {}

    @cached_property
    def _frame(self) -> Any:
        return _BARS(self._inputs.workspace.data, self._choice.key)

    @cached_property
    def _later(self) -> dict[str, list[Traded]]:
        """How the sample goes on after its last session, which is when its plan is for; empty on a real market."""
        found: dict[str, list[Traded]] = {}
        if self._choice.key != SAMPLE:
            return found
        spec = self._inputs.value("sample_market")
        last = date.fromisoformat(spec["as_of"][:10])
        days = self._calendar.sessions
        before, after = bisect_right(days, last), days[bisect_right(days, last) :][:_SAMPLE_GOES_ON]
        for bar in sample_market.following(spec, days[:before], after):
            one = Traded(bar.session, bar.open, bar.low, bar.high, bar.close, bar.volume)
            found.setdefault(bar.ticker, []).append(one)
        return found

    def _of(self, ticker: str) -> list[Traded]:
        """All bars of a name, oldest first."""
        if ticker not in self._bars:
            rows = self._frame.filter(self._frame["ticker"] == ticker).select(*_COLUMNS).iter_rows()
            stored = [_traded(ticker, row) for row in rows if None not in row]
            self._bars[ticker] = [*stored, *self._later.get(ticker, [])]
        return self._bars[ticker]

    def _quoted(self, ticker: str, day: date) -> int | None:
        """The price of the quote in use, where it was seen while the session of this day ran."""
        hours = self.hours(day)
        quotes, _ = imported_quotes.quotes_import(self._inputs.workspace.data, self._choice.market)
        if hours is None or quotes is None:
            return None
        for one in quotes["quotes"]:
            taken_at = datetime.fromisoformat(one["taken_at"])
            if one["ticker"] == ticker and hours.open <= taken_at < hours.close:
                return _won(ticker, day, Decimal(str(one["price"])))
        return None


def _traded(ticker: str, row: tuple[Any, ...]) -> Traded:
    session, *prices, volume = row
    opened, low, high, close = (_won(ticker, session, Decimal(str(price))) for price in prices)
    # Without trading some sources give no price but the close.
    return Traded(session, *((opened, low, high) if volume else (close, close, close)), close, volume)


def _won(ticker: str, day: date, price: Decimal) -> int:
    if price != int(price):
        raise NotWholeWon(ticker, day, price)
    return int(price)
