"""When a file that a person downloads is due, and how a feed stands that lives on such files."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from quantassay.domain.market import sessions
from quantassay.domain.market.sessions import Calendar

_WEEK = timedelta(days=7)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


class Feed(StrEnum):
    """How a feed stands: none stands in, no file ever came, files come in time, late, or too late for its consumers."""

    NONE = "none"
    NEVER = "never"
    FRESH = "fresh"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a file is due, always before the open: once a week on `weekday` (0 is Monday), or for each session.

    The file of a due date must hold the session `data_lag` sessions before it, or a later one. A feed is amber from
    `amber_after` due dates missed in a row, red from `red_after`.
    """

    weekday: int | None
    data_lag: int
    amber_after: int
    red_after: int


@dataclass(frozen=True, slots=True)
class Import:
    """A file that came in: its name, the instant, and the newest session in it."""

    file: str
    at: datetime
    last: date


@dataclass(frozen=True, slots=True)
class Standing:
    """How a feed stands at an instant.

    `newest` is the file with the newest session, `files` counts those that had come by then, `later` those that came
    after. `missed` counts the due dates since, whose file did not come; `first_missed` is the oldest of them.
    """

    state: Feed
    newest: Import | None
    files: int
    later: int
    missed: int
    first_missed: date | None
    next_due: date | None


def cadence(spec: Mapping[str, Any]) -> Cadence:
    """The cadence of a row of spec/16_data_gaps_roadmap.yaml."""
    weekday = _WEEKDAYS.index(spec["weekday"]) if spec["every"] == "week" else None
    return Cadence(weekday, spec["data_lag_sessions"], spec["amber_after"], spec["red_after"])


def due_dates(days: Sequence[date], rhythm: Cadence, first: date) -> Iterator[date]:
    """The due dates from `first` on, as far as the sessions `days` reach.

    Each week has one: its weekday, or where that is no session the next session within seven days from it. A week
    without a session has none, and so a holiday raises no alarm.
    """
    position = bisect_left(days, first)
    if rhythm.weekday is None:
        yield from days[position:]
        return
    weeks: set[date] = set()
    for day in days[bisect_left(days, first - _WEEK) :]:
        anchor = day - timedelta(days=(day.weekday() - rhythm.weekday) % 7)
        if anchor not in weeks and (days[0] <= anchor):
            weeks.add(anchor)
            if day >= first:
                yield day


def wanted(days: Sequence[date], rhythm: Cadence, due: date) -> date:
    """The session that the file of this due date must reach."""
    return days[max(bisect_left(days, due) - rhythm.data_lag, 0)]


def standing(cal: Calendar, rhythm: Cadence, imports: Iterable[Import], at: datetime) -> Standing:
    """How a feed with these imports stands at this aware instant. Raises NaiveInstant.

    A due date is over at the open of its session. It is met by data and not by deeds: the same file brought twice, or
    an old one, meets nothing. A file that comes late ends the alarm when it comes.
    """
    arrived = sorted(imports, key=lambda one: (one.last, one.at, one.file))
    known = [one for one in arrived if one.at <= at]
    today, days = sessions.local_day(cal, at), cal.sessions
    newest = known[-1] if known else None
    ahead = due_dates(days, rhythm, today)
    next_due = next((day for day in ahead if sessions.hours(cal, day).open > at), None)
    later = len(arrived) - len(known)
    if newest is None:
        return Standing(Feed.NEVER, None, 0, later, 0, None, next_due)
    missed = [day for day in _over(cal, rhythm, newest.last, at) if wanted(days, rhythm, day) > newest.last]
    first = missed[0] if missed else None
    return Standing(_state(rhythm, len(missed)), newest, len(known), later, len(missed), first, next_due)


def _over(cal: Calendar, rhythm: Cadence, after: date, at: datetime) -> Iterator[date]:
    """The due dates after that day which are over at the instant."""
    for day in due_dates(cal.sessions, rhythm, after):
        if sessions.hours(cal, day).open > at:
            return
        yield day


def _state(rhythm: Cadence, missed: int) -> Feed:
    if missed >= rhythm.red_after:
        return Feed.RED
    return Feed.AMBER if missed >= rhythm.amber_after else Feed.FRESH
