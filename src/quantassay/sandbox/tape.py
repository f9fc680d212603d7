"""What the practice market does: for each name and session its bar, its base price, its limits and its tick.

A session after the last bar of a name is a quiet one: it opens, stays and closes at the last close, with the last
volume, so that a desk can rehearse the session that it plans for. A session between bars is one without trading.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from quantassay.domain.market import price_rules
from quantassay.domain.market.price_rules import PriceRules
from quantassay.domain.market.sessions import Calendar, State, hours, is_session, local_day, state

KINDS_OF_FUNDS = ("etf", "leveraged_etf")


@dataclass(frozen=True, slots=True)
class Name:
    """A paper that the practice market trades; `kind` is one of the price rules' kinds."""

    ticker: str
    name: str
    kind: str

    @property
    def is_fund(self) -> bool:
        """Whether it is a fund: those pay no tax when they are sold."""
        return self.kind in KINDS_OF_FUNDS


@dataclass(frozen=True, slots=True)
class Bar:
    """Prices in won and shares traded in one session."""

    open: int
    high: int
    low: int
    close: int
    volume: int


@dataclass(frozen=True, slots=True)
class Session:
    """One name on one session: the limits are around `base`, the close before; `tick` is the base's."""

    bar: Bar
    base: int
    upper: int
    lower: int
    tick: int

    @property
    def is_halted(self) -> bool:
        """Nothing is traded in it all day."""
        return self.bar.volume == 0

    def is_locked(self, side: str) -> bool:
        """Opens and stays at the limit where this side finds nobody: buyers at the upper one, sellers at the lower."""
        limit = self.upper if side == "buy" else self.lower
        return self.bar.open == self.bar.high == self.bar.low == limit


class Tape:
    """The bars of all names, and the calendar and the price rules that hold for them. It never changes.

    `bars` gives a name's bars by day when it is first asked about.
    """

    def __init__(
        self,
        calendar: Calendar,
        rules: PriceRules,
        names: Iterable[Name],
        bars: Callable[[str], Mapping[date, Bar]],
    ) -> None:
        self.calendar = calendar
        self.rules = rules
        self.names = {one.ticker: one for one in names}
        self._read = bars
        self._bars: dict[str, Mapping[date, Bar]] = {}
        self._days: dict[str, list[date]] = {}
        self._known: dict[tuple[str, date], Session | None] = {}

    def session(self, ticker: str, day: date) -> Session | None:
        """The name on this session; None for an unknown name, and before its first bar."""
        key = ticker, day
        if key not in self._known:
            self._known[key] = self._session(ticker, day)
        return self._known[key]

    def _session(self, ticker: str, day: date) -> Session | None:
        days = self._days_of(ticker)
        if not days or day < days[0]:
            return None
        kind, own = self.names[ticker].kind, self._bars[ticker].get(day)
        before = self._bars[ticker][days[max(0, bisect_left(days, day) - 1)]]
        base = price_rules.round_down(self.rules, before.close, day, kind)
        if own is None:
            own = Bar(base, base, base, base, before.volume if day > days[-1] else 0)
        if day == days[0]:
            base = price_rules.round_down(self.rules, own.open, day, kind)
        band = price_rules.limit_band(self.rules, base, day, kind)
        return Session(own, base, band.upper, band.lower, price_rules.tick(self.rules, base, day, kind))

    def bars(self, ticker: str, first: date, last: date) -> list[tuple[date, Bar]]:
        """The bars from a day to a day, both included, oldest first."""
        days = self._days_of(ticker)
        return [(day, self._bars[ticker][day]) for day in days[bisect_left(days, first) : bisect_right(days, last)]]

    def _days_of(self, ticker: str) -> list[date]:
        if ticker not in self.names:
            return []
        if ticker not in self._days:
            self._bars[ticker] = self._read(ticker)
            self._days[ticker] = sorted(self._bars[ticker])
        return self._days[ticker]

    def state(self, at: datetime) -> State:
        """What the exchange does at this instant; special sessions have their own hours."""
        return state(self.calendar, at)

    def day(self, at: datetime) -> date:
        """The date at the exchange."""
        return local_day(self.calendar, at)

    def closes(self, day: date) -> datetime | None:
        """When this session closes; None where the day is none."""
        return hours(self.calendar, day).close if is_session(self.calendar, day) else None

    def session_from(self, day: date, count: int) -> date:
        """The session that is `count` sessions after (before, where negative) the first one on or after this day."""
        sessions = self.calendar.sessions
        return sessions[max(0, min(len(sessions) - 1, bisect_left(sessions, day) + count))]

    def local(self, at: datetime) -> datetime:
        """The instant in the exchange's zone."""
        return at.astimezone(self.calendar.zone)


def quiet_tape(calendar: Calendar, rules: PriceRules, day: date, names: Mapping[Name, int], volume: int) -> Tape:
    """A tape on which every name opens, stays and closes at its price on this session, as the day before."""
    bars = {
        one.ticker: {at: Bar(price, price, price, price, volume) for at in (day - timedelta(days=1), day)}
        for one, price in names.items()
    }
    return Tape(calendar, rules, names, bars.__getitem__)
