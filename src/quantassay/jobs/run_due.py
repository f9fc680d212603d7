"""Run what is due now, each job once for its due time; to be called every minute, by the scheduler or by cron.

Whoever calls it and however often: the row of a job and its due time is claimed once, and the lock of a job is held by
the processes that are at it. A row that says "started" while nobody holds the lock was cut off.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from quantassay.domain.operations import due
from quantassay.domain.operations.due import Do, Due, Seen
from quantassay.domain.trading.clock import Clock
from quantassay.errors import AssayError
from quantassay.harness.workspace import find
from quantassay.jobs import notices, operations, single_owner
from quantassay.jobs.children import LATE, Ended, Start
from quantassay.jobs.operations import Schedule
from quantassay.store.operations import DISPUTED, DONE, FAILED, FILE, INTERRUPTED, MISSED, STARTED, JobRun, Operations

BEAT = "schedule"
# Findings, or a refusal of the market's: the next step may still be worth doing.
_FINDINGS = 1
_TOLD_CHARACTERS = 1_500


@dataclass(frozen=True, slots=True)
class Ran:
    """One job at one due time: what became of it, and what is to be said of it."""

    job: str
    due: datetime
    state: str
    exit_code: int | None
    says: str

    @property
    def is_well(self) -> bool:
        """Whether nobody needs to look."""
        return self.state == DONE


@dataclass(frozen=True, slots=True)
class Place:
    """Where jobs are run and told: the workspace's data, the open file of operations, the clock, the processes."""

    data: Path
    store: Operations
    clock: Clock
    start: Start
    schedule: Schedule


def run_due(folder: Path, clock: Clock, start: Start, wanted: Sequence[str] = ()) -> list[Ran]:
    """Run every job that is due, the earliest first, and tell its end.

    Raises what the workspace has to say, after a notice of it: a schedule that cannot be worked out is silent else.
    """
    data, now = find(folder).data, clock.now()
    try:
        schedule = operations.schedule(folder, wanted)
        with Operations(data) as store:
            place = Place(data, store, clock, start, schedule)
            found = _found(schedule, data, store, now)
            store.beat(BEAT, now, single_owner.me())
            return [ran for one in found if (ran := _done(place, one)) is not None]
    except AssayError as error:
        subject = "the schedule cannot be kept"
        notices.put(data, now, notices.ALARM, subject, str(error), f"schedule {type(error).__name__}")
        raise


def found(folder: Path, clock: Clock, wanted: Sequence[str] = ()) -> list[Due]:
    """What `run_due` would do now; nothing is run or written down. Raises what the workspace has to say."""
    schedule, data, now = operations.schedule(folder, wanted), find(folder).data, clock.now()
    if not (data / FILE).exists():
        return due.due(schedule.calendar, schedule.jobs, {}, now, now)
    with Operations(data) as store:
        return _found(schedule, data, store, now)


def _found(schedule: Schedule, data: Path, store: Operations, now: datetime) -> list[Due]:
    beat = store.beats().get(BEAT)
    since = now if beat is None else beat.first
    seen = {
        (row.job, row.due): Seen(
            row.state, row.attempt, alive=row.state == STARTED and single_owner.is_taken(_lock(data, row.job))
        )
        for row in store.runs(now - due.LOOK_BACK)
    }
    return due.due(schedule.calendar, schedule.jobs, seen, since, now)


def _lock(data: Path, job: str) -> Path:
    return data / "locks" / f"job-{job}.lock"


def _done(place: Place, one: Due) -> Ran | None:
    """What became of it; None where another process has it."""
    now = place.clock.now()
    if one.do is Do.MISSED:
        late = f"nobody ran it within {_minutes(one)} minutes of its time"
        return _left(place, one, MISSED, f"{late}; was the machine off or asleep?")
    if one.do is Do.DISPUTED:
        why = f"the sources of the calendar disagree on {one.session}, so nothing is run"
        return _left(place, one, DISPUTED, f"{why}; rule on the day in governance/calendar_overrides.yaml")
    if one.do is Do.TELL:
        return _cut_off(place, one)
    if now > one.at + one.job.catch_up:
        # What was run before it took so long; the next round says that it was missed.
        return None
    try:
        with single_owner.taken(_lock(place.data, one.job.id), f"the job {one.job.id}", now) as descriptor:
            return _run(place, one, descriptor)
    except single_owner.Owned:
        return None


def _minutes(one: Due) -> int:
    return int(one.job.catch_up.total_seconds() // 60)


def _left(place: Place, one: Due, state: str, says: str) -> Ran | None:
    if not place.store.leave(one.job.id, one.at, state, says, place.clock.now()):
        return None
    return _tell(place, one, Ran(one.job.id, one.at, state, None, says))


def _cut_off(place: Place, one: Due) -> Ran | None:
    """A run that ended without a word and is not begun again: told once, for a person to look at."""
    row = place.store.run(one.job.id, one.at)
    if row is None:
        return None
    says = f"its run was cut off (start {row.attempt}, {row.owner}) and is not begun again; see what it has done"
    if one.job.does == "execute":
        says += " with `assay orders list`"
    if not place.store.finish(row, INTERRUPTED, None, says, place.clock.now()):
        return None
    return _tell(place, one, Ran(one.job.id, one.at, INTERRUPTED, None, says))


def _run(place: Place, one: Due, descriptor: int) -> Ran | None:
    """Claim the row and do the steps; the lock is held."""
    store, now = place.store, place.clock.now()
    if one.do is Do.AGAIN:
        before = store.run(one.job.id, one.at)
        if before is None or not store.claim_again(before, single_owner.me(), now):
            return None
        says = f"its run was cut off (start {before.attempt}, {before.owner}) and is begun again"
        key = f"job {one.job.id} {one.at.isoformat()} start {before.attempt}"
        notices.put(place.data, now, notices.ALARM, _subject(one, "begun again"), says, key)
    elif not store.claim(one.job.id, one.at, single_owner.me(), now):
        return None
    row = store.run(one.job.id, one.at)
    if row is None or row.state != STARTED:
        return None
    return _ended(place, one, row, _steps(place, one, descriptor))


def _steps(place: Place, one: Due, descriptor: int) -> list[tuple[str, Ended]]:
    entry = place.schedule.entries[one.job.id]
    ends: list[tuple[str, Ended]] = []
    for arguments in operations.steps(entry):
        try:
            end = place.start(arguments, entry["longest_m"] * 60, (descriptor,))
        except OSError as error:
            end = Ended(LATE, f"it could not be started: {error.strerror or error}")
        ends.append((" ".join(arguments), end))
        if end.code not in (0, _FINDINGS):
            break
    return ends


def _ended(place: Place, one: Due, row: JobRun, ends: Sequence[tuple[str, Ended]]) -> Ran | None:
    worst = max((end.code for _, end in ends), key=lambda code: (code != 0, code < 0, code))
    says = "\n".join(f"assay {words}: {_words(end)}\n{end.said}".strip() for words, end in ends)
    state = DONE if worst == 0 else FAILED
    if not place.store.finish(row, state, worst, says, place.clock.now()):
        return None
    return _tell(place, one, Ran(one.job.id, one.at, state, worst, says))


def _words(end: Ended) -> str:
    if end.code == LATE:
        return "ended by the clock, or not started"
    return f"ended by signal {-end.code}" if end.code < 0 else f"exit {end.code}"


def _subject(one: Due, what: str) -> str:
    return f"{one.job.id} of {one.at:%Y-%m-%d %H:%M}: {what}"


def _tell(place: Place, one: Due, ran: Ran) -> Ran:
    entry: Mapping[str, Any] = place.schedule.entries[one.job.id]
    if not ran.is_well or entry["tells"] == operations.ALWAYS:
        kind = notices.REPORT if ran.is_well else notices.ALARM
        text = ran.says if len(ran.says) <= _TOLD_CHARACTERS else f"... {ran.says[-_TOLD_CHARACTERS:]}"
        key = f"job {one.job.id} {one.at.isoformat()} {ran.state}"
        notices.put(place.data, place.clock.now(), kind, _subject(one, ran.state), text, key)
    return ran
