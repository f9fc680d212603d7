"""When the exchange is open: every question about a date or an instant that a calendar artifact can answer."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from quantassay.errors import AssayError

REGULAR = "regular"


class State(StrEnum):
    """What the exchange does at an instant. Each state includes its first instant and excludes its last.

    INTRADAY lasts from the open to the close of the regular session, a break inside it included.
    """

    PRE_OPEN = "PRE_OPEN"
    INTRADAY = "INTRADAY"
    AFTER_CLOSE = "AFTER_CLOSE"
    CLOSED = "CLOSED"


class NotASession(AssayError):
    """A day asked about as a session on which the exchange does not trade."""

    def __init__(self, day: date) -> None:
        super().__init__(f"{day} is no session; see trading_calendar for the sessions around it")


class OutsideCalendar(AssayError):
    """A question that the calendar cannot answer because it does not reach so far."""

    def __init__(self, asked: date, first: date, last: date) -> None:
        super().__init__(
            f"the calendar reaches from {first} to {last}, not to {asked}; widen it in spec/11_calendars.yaml"
        )


class NaiveInstant(AssayError):
    """A time without a zone, which is no instant."""

    def __init__(self, instant: datetime) -> None:
        super().__init__(f"{instant.isoformat()} has no zone; write it like {instant.isoformat()}+09:00")


@dataclass(frozen=True, slots=True)
class Hours:
    """The open and the close of one session, aware, in the exchange's zone."""

    open: datetime
    close: datetime


@dataclass(frozen=True, slots=True)
class Calendar:
    """One market's sessions and hours; made by `calendar`, asked by the functions of this module.

    `regular` holds (first date, open, close), ascending; `special` the sessions whose hours differ.
    `disputed` holds sessions on which the sources disagree: nobody may trade on them until an override rules.
    `breaks` holds (first date, start, end) of the break inside a session, `segments` (first date, name, open, close) of
    trading beside the regular session; both ascending. The close of a session is the regular one's, whatever follows.
    """

    zone: ZoneInfo
    first: date
    last: date
    sessions: tuple[date, ...]
    regular: tuple[tuple[date, time, time], ...]
    special: Mapping[date, tuple[time, time]]
    disputed: frozenset[date]
    currency: str = "KRW"
    breaks: tuple[tuple[date, time, time], ...] = ()
    segments: tuple[tuple[date, str, time, time], ...] = ()


def calendar(data: Mapping[str, Any]) -> Calendar:
    """The calendar held by the data of a trading_calendar artifact."""
    return Calendar(
        zone=ZoneInfo(data["zone"]),
        first=date.fromisoformat(data["first"]),
        last=date.fromisoformat(data["last"]),
        sessions=tuple(map(date.fromisoformat, data["sessions"])),
        regular=tuple((date.fromisoformat(row["from"]), *_times(row)) for row in data["regular_hours"]),
        special={date.fromisoformat(row["session"]): _times(row) for row in data["special_sessions"]},
        disputed=frozenset(date.fromisoformat(row["date"]) for row in data["disputed"]),
        currency=data["currency"],
        breaks=tuple((date.fromisoformat(row["from"]), *_times(row, "start", "end")) for row in data["breaks"]),
        segments=tuple((date.fromisoformat(row["from"]), row["name"], *_times(row)) for row in data["segments"]),
    )


def _times(row: Mapping[str, str], first: str = "open", last: str = "close") -> tuple[time, time]:
    return time.fromisoformat(row[first]), time.fromisoformat(row[last])


def instant(text: str) -> datetime:
    """The instant in an ISO text such as an artifact's as_of. Raises NaiveInstant when it has no zone."""
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise NaiveInstant(value)
    return value


def local_day(cal: Calendar, at: datetime) -> date:
    """The date at the exchange at this instant. Raises NaiveInstant."""
    if at.tzinfo is None:
        raise NaiveInstant(at)
    return at.astimezone(cal.zone).date()


def is_session(cal: Calendar, day: date) -> bool:
    """Whether the exchange trades on this day. Raises OutsideCalendar."""
    _within(cal, day)
    position = bisect_left(cal.sessions, day)
    return position < len(cal.sessions) and cal.sessions[position] == day


def hours(cal: Calendar, session: date) -> Hours:
    """Open and close of a session. Raises NotASession."""
    if not is_session(cal, session):
        raise NotASession(session)
    opens, closes = cal.special.get(session) or _regular(cal, session)
    return Hours(
        datetime.combine(session, opens, tzinfo=cal.zone),
        datetime.combine(session, closes, tzinfo=cal.zone),
    )


def _regular(cal: Calendar, session: date) -> tuple[time, time]:
    position = bisect_right(cal.regular, session, key=lambda row: row[0])
    return cal.regular[position - 1][1:]


def state(cal: Calendar, at: datetime) -> State:
    """What the exchange does at this instant."""
    today = local_day(cal, at)
    if not is_session(cal, today):
        return State.CLOSED
    today_hours = hours(cal, today)
    if at < today_hours.open:
        return State.PRE_OPEN
    return State.INTRADAY if at < today_hours.close else State.AFTER_CLOSE


def in_break(cal: Calendar, at: datetime) -> bool:
    """Whether the exchange makes its break inside the session at this instant; the session goes on after it."""
    today = local_day(cal, at)
    rows = [row for row in cal.breaks if row[0] <= today]
    if not rows or state(cal, at) is not State.INTRADAY:
        return False
    _, start, end = rows[-1]
    return start <= at.astimezone(cal.zone).time() < end


def segment(cal: Calendar, at: datetime) -> str | None:
    """Which part of a session's day trades at this instant: `regular`, the name of a segment beside it, or None.

    The regular session wins where it runs late into another segment; its break is a part of it (see `in_break`).
    """
    now = state(cal, at)
    if now is State.CLOSED or now is State.INTRADAY:
        return REGULAR if now is State.INTRADAY else None
    local = at.astimezone(cal.zone)
    in_force = {name: (opens, closes) for first, name, opens, closes in cal.segments if first <= local.date()}
    return next((name for name, (opens, closes) in in_force.items() if opens <= local.time() < closes), None)


def session_before(cal: Calendar, day: date) -> date:
    """The last session before this day, whether or not the day is one. Raises OutsideCalendar."""
    _within(cal, day)
    position = bisect_left(cal.sessions, day)
    if position == 0:
        raise OutsideCalendar(day - timedelta(1), cal.first, cal.last)
    return cal.sessions[position - 1]


def session_after(cal: Calendar, day: date) -> date:
    """The first session after this day, whether or not the day is one. Raises OutsideCalendar."""
    _within(cal, day)
    position = bisect_right(cal.sessions, day)
    if position == len(cal.sessions):
        raise OutsideCalendar(day + timedelta(1), cal.first, cal.last)
    return cal.sessions[position]


def next_to_open(cal: Calendar, at: datetime) -> date:
    """The first session whose open is after this instant: the one that orders made now can still catch."""
    today = local_day(cal, at)
    if is_session(cal, today) and at < hours(cal, today).open:
        return today
    return session_after(cal, today)


def last_complete(cal: Calendar, at: datetime, grace: timedelta = timedelta()) -> date:
    """The latest session that is over at this instant, `grace` after its close included."""
    today = local_day(cal, at)
    return today if is_complete(cal, today, at, grace) else session_before(cal, today)


def is_complete(cal: Calendar, day: date, at: datetime, grace: timedelta = timedelta()) -> bool:
    """Whether `day` is a session that is over, `grace` after its close included, at this instant."""
    today = local_day(cal, at)
    if day > today or not is_session(cal, day):
        return False
    return day < today or at >= hours(cal, day).close + grace


def sessions_between(cal: Calendar, first: date, last: date) -> tuple[date, ...]:
    """The sessions from `first` to `last`, both included; none when `last` comes first. Raises OutsideCalendar."""
    _within(cal, first)
    _within(cal, last)
    return cal.sessions[bisect_left(cal.sessions, first) : bisect_right(cal.sessions, last)]


def _within(cal: Calendar, day: date) -> None:
    if not cal.first <= day <= cal.last:
        raise OutsideCalendar(day, cal.first, cal.last)
