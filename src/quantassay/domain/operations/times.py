"""Times of day as a schedule writes them: a clock time of the exchange, or minutes from the open or the close."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from quantassay.domain.market import sessions
from quantassay.domain.market.sessions import Calendar
from quantassay.errors import AssayError

OPEN, CLOSE = "open", "close"
LONGEST_MINUTES = 720
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_FROM = re.compile(r"(open|close)(?:([+-])(\d{1,3})m)?")


class BadTime(AssayError):
    """A text that is no time of a schedule."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{text!r} is no time of a session; write a clock time of the exchange such as 15:40, or minutes from the "
            f"open or the close such as open+1m or close-10m, {LONGEST_MINUTES} at most"
        )


@dataclass(frozen=True, slots=True)
class SessionTime:
    """A time of every session; `clock` is set for a clock time, else `edge` and `offset`."""

    text: str
    clock: time | None
    edge: str
    offset: timedelta

    def __str__(self) -> str:
        return self.text


def session_time(text: str) -> SessionTime:
    """The time that the text says. Raises BadTime."""
    if found := _CLOCK.fullmatch(text):
        return SessionTime(text, time(int(found[1]), int(found[2])), "", timedelta())
    found = _FROM.fullmatch(text)
    if found is None or int(found[3] or 0) > LONGEST_MINUTES:
        raise BadTime(text)
    minutes = int(found[3] or 0) * (-1 if found[2] == "-" else 1)
    return SessionTime(text, None, found[1], timedelta(minutes=minutes))


def at(cal: Calendar, session: date, when: SessionTime) -> datetime:
    """The instant of this time in a session: of a late open, `open+1m` is late too. Raises NotASession."""
    hours = sessions.hours(cal, session)
    if when.clock is not None:
        return datetime.combine(session, when.clock, tzinfo=cal.zone)
    return (hours.open if when.edge == OPEN else hours.close) + when.offset


def usual(cal: Calendar, when: SessionTime) -> time:
    """The clock time on a session of regular hours, by the hours that are in force at the calendar's end."""
    if when.clock is not None:
        return when.clock
    _, opens, closes = cal.regular[-1]
    on_any_day = datetime.combine(cal.last, opens if when.edge == OPEN else closes) + when.offset
    return on_any_day.time()


def between(cal: Calendar, when: SessionTime, first: datetime, last: datetime) -> Iterator[tuple[date, datetime]]:
    """The sessions whose instant of this time lies after `first` and not after `last`, with the instant.

    Raises OutsideCalendar, NaiveInstant.
    """
    # An offset may lead into the day before or after its session.
    early = sessions.local_day(cal, first) - timedelta(days=1)
    late = sessions.local_day(cal, last) + timedelta(days=1)
    # The calendar's own end is no reason to answer nothing for the days within it.
    for session in sessions.sessions_between(cal, early, min(late, cal.last)):
        due = at(cal, session, when)
        if first < due <= last:
            yield session, due
