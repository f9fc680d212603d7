"""Which jobs are to be run now: each at most once for its due time, late ones within their window, others told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from quantassay.domain.market import sessions
from quantassay.domain.market.sessions import Calendar
from quantassay.domain.operations import times
from quantassay.domain.operations.times import SessionTime

# How far back a time that nobody kept is looked for.
LOOK_BACK = timedelta(days=7)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Do(StrEnum):
    """What is to be done about a job at a due time."""

    RUN = "run"
    # Its run was cut off, and it may be begun once more.
    AGAIN = "again"
    # Its run was cut off, and a person decides.
    TELL = "tell"
    # Nobody ran it while there was time.
    MISSED = "missed"
    # The sources of the calendar disagree on the day.
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True)
class Job:
    """One job of the schedule: what it does, when, how late it may begin, how often a cut-off run is begun again."""

    id: str
    does: str
    at: SessionTime
    catch_up: timedelta
    most_starts: int
    weekdays: frozenset[str] = frozenset(WEEKDAYS)


@dataclass(frozen=True, slots=True)
class Seen:
    """What is on record of a job at a due time; `alive` while the process that runs it holds its lock."""

    state: str
    starts: int
    alive: bool


@dataclass(frozen=True, slots=True)
class Due:
    """A job at a due time, and what is to be done about it."""

    job: Job
    session: date
    at: datetime
    do: Do


def due(
    cal: Calendar, jobs: Sequence[Job], seen: Mapping[tuple[str, datetime], Seen], since: datetime, now: datetime
) -> list[Due]:
    """What is to be done now, in the order of due times.

    `seen` is by job and due time, `since` when anybody first kept this schedule: what was due before it is not called
    missed. Of several late times of one job only the latest is run. Raises OutsideCalendar, NaiveInstant.
    """
    found: list[Due] = []
    for job in jobs:
        of_job = [
            (session, at)
            for session, at in times.between(cal, job.at, now - LOOK_BACK, now)
            if WEEKDAYS[session.weekday()] in job.weekdays
        ]
        latest = of_job[-1][1] if of_job else None
        for session, at in of_job:
            do = _do(job, seen.get((job.id, at)), in_time=now <= at + job.catch_up and at == latest)
            if do is not None and session in cal.disputed:
                do = {Do.RUN: Do.DISPUTED, Do.AGAIN: Do.TELL}.get(do, do)
            if do is None or (do is Do.MISSED and at < since):
                continue
            found.append(Due(job, session, at, do))
    return sorted(found, key=lambda one: (one.at, one.job.id))


def _do(job: Job, seen: Seen | None, *, in_time: bool) -> Do | None:
    if seen is None:
        return Do.RUN if in_time else Do.MISSED
    if seen.state != "started" or seen.alive:
        return None
    return Do.AGAIN if in_time and seen.starts < job.most_starts else Do.TELL


def coming(cal: Calendar, jobs: Sequence[Job], now: datetime) -> list[Due]:
    """The next due time of each job after this instant, soonest first; disputed sessions are named as such.

    Raises OutsideCalendar where the calendar ends before the next session, NaiveInstant.
    """
    found = []
    for job in jobs:
        day = sessions.local_day(cal, now) - timedelta(days=1)
        while True:
            day = sessions.session_after(cal, day)
            at = times.at(cal, day, job.at)
            if at > now and WEEKDAYS[day.weekday()] in job.weekdays:
                found.append(Due(job, day, at, Do.DISPUTED if day in cal.disputed else Do.RUN))
                break
    return sorted(found, key=lambda one: (one.at, one.job.id))
