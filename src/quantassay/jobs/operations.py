"""What spec/29_operations.yaml asks for, as values: the jobs of a session, what each of them runs, and how to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from quantassay.domain.market.sessions import Calendar
from quantassay.domain.operations import times
from quantassay.domain.operations.due import WEEKDAYS, Job
from quantassay.errors import AssayError
from quantassay.harness.inputs import Inputs
from quantassay.jobs import desk, trading_days

FILE = "spec/29_operations.yaml"
ALWAYS = "always"


class NoOperations(AssayError):
    """A workspace that says nothing of when its programs run."""

    def __init__(self, name: str) -> None:
        super().__init__(f"this workspace has no {name}; copy it from a new desk made with `assay init DIR`")


class TwiceNamed(AssayError):
    """Two entries of one name, of which nobody could tell which is meant."""

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"{FILE} names the {what} {name!r} twice; give each a name of its own")


class UnknownTime(AssayError):
    """A time that was asked for, and no job of the spec has."""

    def __init__(self, wanted: str, jobs: Sequence[Job], cal: Calendar) -> None:
        there = ", ".join(f"{job.id} {times.usual(cal, job.at):%H:%M} ({job.at})" for job in jobs)
        super().__init__(
            f"no job of {FILE} runs at {wanted}; there are {there}; to run one of them at another time, name it: "
            f"{jobs[0].id if jobs else 'JOB'}@{wanted}"
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """The jobs that are kept, the calendar that they go by, and the entries of the spec by job."""

    jobs: tuple[Job, ...]
    calendar: Calendar
    entries: Mapping[str, Mapping[str, Any]]


def spec(inputs: Inputs) -> Mapping[str, Any]:
    """The spec. Raises NoOperations, TwiceNamed, and what the file has to say."""
    if "operations" not in inputs.sources:
        raise NoOperations(FILE)
    value: dict[str, Any] = inputs.value("operations")
    for what, entries in (("job", value["jobs"]), ("channel", value["notices"]["channels"])):
        names = [entry["id"] for entry in entries]
        for name in names:
            if names.count(name) > 1:
                raise TwiceNamed(what, name)
    return value


def schedule(folder: Path, wanted: Sequence[str] = ()) -> Schedule:
    """What is kept in the workspace of `folder`: all jobs, or those of the times that are wanted.

    Raises NoOperations, TwiceNamed, UnknownTime, BadTime, and what the workspace has to say.
    """
    inputs = desk.opened(folder)
    entries = {entry["id"]: entry for entry in spec(inputs)["jobs"]}
    if "desk" not in inputs.sources:
        raise NoOperations("spec/10_desk.yaml")
    calendar = trading_days.market_calendar(inputs)
    # So that it need not be made anew the next minute.
    inputs.cache.save()
    jobs = [_job(entry) for entry in entries.values()]
    return Schedule(tuple(chosen(jobs, calendar, wanted) if wanted else jobs), calendar, entries)


def _job(entry: Mapping[str, Any]) -> Job:
    return Job(
        entry["id"],
        entry["does"],
        times.session_time(entry["at"]),
        timedelta(minutes=entry["catch_up_m"]),
        entry["most_starts"],
        frozenset(entry.get("weekdays", WEEKDAYS)),
    )


def chosen(jobs: Sequence[Job], cal: Calendar, wanted: Sequence[str]) -> list[Job]:
    """The jobs that the words name: `15:40` or `open+1m` those of that time, `prepare@16:05` that job at that time.

    A job whose usual time is 09:01 because it runs at open+1m goes on doing so. Raises UnknownTime, BadTime.
    """
    found: dict[str, Job] = {}
    for word in wanted:
        name, mark, text = word.rpartition("@")
        when = times.session_time(text)
        if mark:
            mine = [replace(job, at=when) for job in jobs if job.id == name]
        else:
            mine = [job for job in jobs if str(job.at) == text or times.usual(cal, job.at) == when.clock]
        if not mine:
            raise UnknownTime(word, jobs, cal)
        found |= {job.id: job for job in mine}
    return list(found.values())


def steps(entry: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """The assay commands that a job runs, in order. Nothing but `send: true` in the spec sends an order."""
    match entry["does"]:
        case "execute":
            return (("trade", "next-open", *(["--send"] if entry["send"] is True else [])),)
        case "prepare":
            return (*([("fetch", "bars")] if entry["fetch"] else []), ("run",))
        case does:
            return ((does,),)
