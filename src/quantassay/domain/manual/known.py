"""Which facts a decision sees: what was public on its day, in the version that the desk had by then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from quantassay.domain.market import sessions
from quantassay.domain.market.sessions import Calendar

BANNED, BLANK = "banned", "blank"


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of one name on one session, in one of its versions, and the row of the file that it stands in.

    `value` is decimal text as in the file, None where the file has none; `note` then says why ("blank", "banned").
    `available_from` is the first day on which a decision may use it, `imported_at` when this version came in.
    """

    feed: str
    ticker: str
    session: date
    field: str
    value: str | None
    note: str
    file: str
    digest: str
    row: int
    available_from: date
    imported_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Decision:
    """When a decision is made: the instant, its day at the exchange, and the last session that is over by then."""

    at: datetime
    day: date
    session: date


Seen = Mapping[tuple[str, str, str], tuple[Fact, ...]]


def decision(cal: Calendar, at: datetime) -> Decision:
    """The decision at this aware instant. Raises NaiveInstant, OutsideCalendar."""
    return Decision(at, sessions.local_day(cal, at), sessions.last_complete(cal, at))


def facts(rows: Iterable[Mapping[str, Any]]) -> tuple[Fact, ...]:
    """The facts in the rows of the frame `manual_facts`."""
    return tuple(Fact(**{name: row[name] for name in Fact.__slots__}) for row in rows)


def is_public(fact: Fact, made: Decision) -> bool:
    """Whether the fact could be known when the decision was made: its session was over, its day of use had come.

    The session is asked as well, because a value that may be used on its own day is none before the close.
    """
    return fact.available_from <= made.day and fact.session <= made.session


def version_at(versions: Iterable[Fact], at: datetime) -> Fact:
    """The version that a decision at this instant uses: the newest that had been imported.

    Where none had been, the first: a history that is imported later was public on its day all the same. A correction
    counts only from its import, since nobody could know it before.
    """
    known = sorted(versions, key=lambda fact: fact.version)
    return next((fact for fact in reversed(known) if fact.imported_at <= at), known[0])


def is_withdrawn(fact: Fact) -> bool:
    """Whether this version takes the value back, because its file was read again, for another day.

    A blank never replaces a value otherwise.
    """
    return fact.note == BLANK and fact.version > 1


def seen(known: Iterable[Fact], made: Decision) -> Seen:
    """What the decision sees by (feed, ticker, field): one fact a session, the latest session first."""
    versions: dict[tuple[str, str, str], dict[date, list[Fact]]] = {}
    for fact in known:
        if is_public(fact, made):
            days = versions.setdefault((fact.feed, fact.ticker, fact.field), {})
            days.setdefault(fact.session, []).append(fact)
    there = {
        key: [version_at(days[day], made.at) for day in sorted(days, reverse=True)] for key, days in versions.items()
    }
    kept = {key: tuple(fact for fact in facts if not is_withdrawn(fact)) for key, facts in there.items()}
    return {key: facts for key, facts in kept.items() if facts}


def age(cal: Calendar, session: date, made: Decision) -> int:
    """How many sessions have ended since the one that a fact is of, when the decision is made."""
    return len(sessions.sessions_between(cal, session, made.session)) - sessions.is_session(cal, session)
