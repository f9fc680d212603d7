"""How a trading calendar is settled from sources that vote, market rules, and governed overrides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from quantassay.errors import AssayError

SATURDAY = 5
OVERRIDE = "override"


class NoCalendar(AssayError):
    """A market that has no calendar."""

    def __init__(self, market: str, known: Iterable[str]) -> None:
        super().__init__(
            f"spec/11_calendars.yaml has no market {market!r}; it has {', '.join(sorted(known))}: "
            "name one of them, or add the market there"
        )


class UselessOverride(AssayError):
    """An override that decides nothing, or that another one contradicts."""

    def __init__(self, day: str, why: str) -> None:
        super().__init__(f"governance/calendar_overrides.yaml: the override of {day} {why}; correct or remove it")


class SilentSource(AssayError):
    """A voter that is said to know a year in which it has no closure at all."""

    def __init__(self, name: str, year: int) -> None:
        super().__init__(
            f"the calendar source {name} has no closure in {year}, so it does not know that year; "
            "correct its `from` and `until` in spec/11_calendars.yaml"
        )


@dataclass(frozen=True, slots=True)
class Source:
    """One voter: the weekdays that it calls closed, with names, and the dates about which it may speak."""

    name: str
    first: date
    last: date
    closures: Mapping[date, str]

    def __post_init__(self) -> None:
        known = {day.year for day in self.closures}
        for year in range(self.first.year, self.last.year + 1):
            if year not in known:
                raise SilentSource(self.name, year)


@dataclass(frozen=True, slots=True)
class Override:
    """A governed decision about one date; it wins over every source."""

    day: date
    is_open: bool
    name: str


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one date, who calls it closed, and who calls it open; an override is one of the sources.

    `is_open` is None while the sources disagree, or too few speak, and no override rules.
    """

    day: date
    is_open: bool | None
    closed_by: tuple[str, ...]
    open_by: tuple[str, ...]
    name: str


def market_key(calendars: Mapping[str, Any], market: str) -> str:
    """The market of the calendar spec that keeps the sessions of this exchange, such as XNYS for XNAS.

    Raises NoCalendar.
    """
    markets = calendars["markets"]
    if market in markets:
        return market
    for key, row in markets.items():
        if market in row["serves"]:
            return str(key)
    raise NoCalendar(market, {*markets, *(served for row in markets.values() for served in row["serves"])})


def settle(day: date, sources: Iterable[Source], override: Override | None, quorum: int) -> Settled:
    """The vote on one date; a source votes only on dates from its first to its last, and `quorum` of them must.

    The name is the override's, else the first naming source's, in the order of `sources`.
    """
    voters = [source for source in sources if source.first <= day <= source.last]
    closed = tuple(source.name for source in voters if day in source.closures)
    opened = tuple(source.name for source in voters if day not in source.closures)
    names = [source.closures[day] for source in voters if day in source.closures]
    if override is not None and override.is_open:
        return Settled(day, override.is_open, closed, (*opened, OVERRIDE), override.name)
    if override is not None:
        return Settled(day, override.is_open, (*closed, OVERRIDE), opened, override.name)
    agreed = None if (closed and opened) or len(voters) < quorum else not closed
    return Settled(day, agreed, closed, opened, next((name for name in names if name), ""))


def settle_all(
    first: date, last: date, sources: Iterable[Source], overrides: Mapping[date, Override], quorum: int
) -> list[Settled]:
    """Every weekday from `first` to `last`, and each weekend date that an override opens, in order."""
    voters = tuple(sources)
    days = (first + timedelta(offset) for offset in range((last - first).days + 1))
    return [
        settle(day, voters, overrides.get(day), quorum)
        for day in days
        if day.weekday() < SATURDAY or (day in overrides and overrides[day].is_open)
    ]


def ruled(rows: Iterable[Mapping[str, str]], first: date, last: date) -> dict[date, Mapping[str, str]]:
    """The rows of the override file by date, ascending.

    Raises UselessOverride when two rows rule on one date, or a row on a date outside `first` to `last`.
    """
    by_day: dict[date, Mapping[str, str]] = {}
    for row in sorted(rows, key=lambda row: row["date"]):
        day = date.fromisoformat(row["date"])
        if day in by_day:
            raise UselessOverride(row["date"], "stands twice")
        if not first <= day <= last:
            raise UselessOverride(row["date"], f"lies outside the calendar, {first} to {last}")
        by_day[day] = row
    return by_day


def last_weekday_of(year: int) -> date:
    """31 December, or the Friday before it when it falls on a weekend: the exchange's year-end closing."""
    day = date(year, 12, 31)
    return day - timedelta(max(0, day.weekday() - SATURDAY + 1))


def first_sessions(sessions: Iterable[date], first: date) -> list[date]:
    """The first session of each year, of the ascending sessions of a calendar that begins on `first`.

    A year that began before the calendar is left out: its first session is not known.
    """
    firsts: dict[int, date] = {}
    for session in sessions:
        firsts.setdefault(session.year, session)
    return [session for session in firsts.values() if first <= date(session.year, 1, 2)]
