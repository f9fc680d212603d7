"""Keeps the desk's times: begins `assay run-due` at each due time and every minute, and waits for none of it.

The scheduler holds no state of its own. What is due is told by the clock, the calendar and the rows of past runs, so
that after a sleep, a crash or a restart it goes on as if it had been there.
"""

import os
import socket
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from quantassay.domain.operations import due
from quantassay.domain.operations.due import Due
from quantassay.domain.trading.clock import Clock
from quantassay.errors import AssayError
from quantassay.harness.workspace import find
from quantassay.jobs import children, operations, single_owner

TICK_S = 60.0
# A child that is still at it after so long is left to its own limits, and a new one is begun beside it.
_MOST_CHILDREN = 8
NOTICES = ("-q", "notices", "send")
Begin = Callable[[Path, Sequence[str], int], "subprocess.Popen[bytes]"]


@dataclass(frozen=True, slots=True)
class Next:
    """What comes next, soonest first, with the exchange's zone of its times; or why nobody can tell."""

    coming: tuple[Due, ...]
    why: str = ""


def lock(folder: Path) -> Path:
    """The lock of the one scheduler of a workspace."""
    return find(folder).data / "locks" / "schedule.lock"


def coming(folder: Path, now: datetime, wanted: Sequence[str] = ()) -> tuple[Due, ...]:
    """The next run of each job. Raises what the workspace has to say, UnknownTime, BadTime, OutsideCalendar."""
    kept = operations.schedule(folder, wanted)
    return tuple(due.coming(kept.calendar, kept.jobs, now))


@dataclass(slots=True)
class Children:
    """The processes that were begun and not yet looked after."""

    folder: Path
    wanted: tuple[str, ...]
    start: Begin
    running: list[tuple[str, "subprocess.Popen[bytes]", datetime]] = field(default_factory=list)

    def begin(self, what: str, arguments: Sequence[str], now: datetime) -> None:
        """Start one; what it says goes where our own words go."""
        child = self.start(self.folder, arguments, 2)
        self.running.append((what, child, now))

    def look(self, now: datetime, longest: timedelta) -> list[str]:
        """Take leave of those that have ended, end deliveries that take too long; what is to be said of them."""
        said, left = [], []
        for what, child, since in self.running:
            code = child.poll()
            if code is None and what == "notices" and now - since > longest:
                children.end(child)
                said.append(f"{what}: ended, it took longer than {longest.total_seconds():.0f} seconds")
            elif code is None:
                left.append((what, child, since))
            elif code not in (0, 1):
                said.append(f"{what}: exit {code}")
        self.running[:] = left
        return said

    def count(self, what: str) -> int:
        """How many of this kind are at work."""
        return sum(name == what for name, _, _ in self.running)


def serve(
    folder: Path,
    clock: Clock,
    wanted: Sequence[str] = (),
    say: Callable[[str], None] = print,
    goes_on: Callable[[], bool] = lambda: True,
    begin: Begin = children.begin,
) -> None:
    """Keep the times until `goes_on` says no, one scheduler a workspace. Raises Owned, what the spec has to say."""
    with single_owner.taken(lock(folder), "the schedule of this workspace", clock.now()):
        kept = Children(folder, tuple(wanted), begin)
        # What is wrong with the spec at the start ends it; later it is told, and tried again.
        shown = _shown(coming(folder, clock.now(), wanted))
        say(shown)
        _tell_system("READY=1")
        while goes_on():
            now = clock.now()
            for words in kept.look(now, timedelta(seconds=TICK_S * 2)):
                say(words)
            if kept.count("run-due") < _MOST_CHILDREN:
                times = [part for word in kept.wanted for part in ("--times", word)]
                kept.begin("run-due", ["-q", "run-due", *times], now)
            if not kept.count("notices"):
                kept.begin("notices", NOTICES, now)
            _tell_system("WATCHDOG=1")
            after = _next(folder, now, wanted)
            words = after.why or _shown(after.coming)
            if words != shown:
                say(words)
                shown = words
            clock.sleep(_wait(after.coming, clock.now()))


def _next(folder: Path, now: datetime, wanted: Sequence[str]) -> Next:
    try:
        return Next(coming(folder, now, wanted))
    except AssayError as error:
        return Next((), str(error))


def _wait(soonest: Sequence[Due], now: datetime) -> float:
    """Until the next due time, but no longer than a tick: a machine that slept wakes up late by no more."""
    left = (soonest[0].at - now).total_seconds() if soonest else TICK_S
    return min(max(left, 0.05), TICK_S)


def _shown(soonest: Sequence[Due]) -> str:
    return f"next: {told(soonest[0])}" if soonest else "next: no job is kept"


def told(one: Due) -> str:
    """A due time in words, in the exchange's zone."""
    disputed = ", disputed: it will be told and not run" if one.do is due.Do.DISPUTED else ""
    return f"{one.job.id} on {one.at:%a %Y-%m-%d at %H:%M %Z} ({one.job.at}{disputed})"


def _tell_system(words: str) -> None:
    """Tell systemd that we are there, where it asks for it; see docs/operations.md."""
    place = os.environ.get("NOTIFY_SOCKET")
    if not place:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as system:
        system.sendto(words.encode(), "\0" + place[1:] if place.startswith("@") else place)
