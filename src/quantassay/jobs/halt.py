"""The kill switch: stop all sending, or all buying, for every process at once, until a person lets it go on."""

import getpass
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from quantassay.domain.trading.clock import Clock
from quantassay.domain.trading.desk_state import Halt, Level
from quantassay.errors import AssayError
from quantassay.harness.workspace import find
from quantassay.jobs import notices
from quantassay.jobs.clock import SystemClock
from quantassay.store.journal import Journal, journal_file


class NoReason(AssayError):
    """A halt or resume that says nothing to whoever finds it."""

    def __init__(self, option: str) -> None:
        super().__init__(f"{option} says nothing; write a sentence for whoever finds the desk like this")


class NotHalted(AssayError):
    """There is nothing to resume."""

    exit_code = 1

    def __init__(self) -> None:
        super().__init__("trading is not halted; nothing was written")


@dataclass(frozen=True, slots=True)
class Resumed:
    """The halt that was ended, and by whom and when."""

    halt: Halt
    by: str
    at: datetime


def halt(folder: Path, why: str, by: str = "", *, buys_only: bool = False, clock: Clock | None = None) -> Halt:
    """Throw the switch; the halt that is in force then. One that is in force is never weakened by this.

    Every process reads it in the same step in which it writes that it is about to send an order. Raises NoWorkspace,
    NoReason, NoActor, DatabaseFault, JournalDamaged.
    """
    level: Level = "buys" if buys_only else "all"
    body = {"by": actor(by), "why": said(why, "--why"), "level": level}
    data = find(folder).data
    with Journal(journal_file(data)) as journal:
        at = journal.append((clock or SystemClock()).now(), "halt", body=body).at
        # Somebody may have resumed it in between.
        found = journal.desk().halt or Halt(at, body["by"], body["why"], level)
    what = "no order is sent" if found.level == "all" else "no buy is sent"
    notices.put(data, found.at, notices.ALARM, "trading is halted", f"{what}: {found.why} ({found.by})")
    return found


def resume(folder: Path, why: str, by: str = "", *, clock: Clock | None = None) -> Resumed:
    """Let trading go on. Raises NotHalted, NoWorkspace, NoReason, NoActor, DatabaseFault, JournalDamaged."""
    body = {"by": actor(by), "why": said(why, "--why")}
    data = find(folder).data
    with Journal(journal_file(data)) as journal:
        before = journal.desk().halt
        if before is None:
            raise NotHalted
        at = journal.append((clock or SystemClock()).now(), "resume", body=body).at
    notices.put(data, at, notices.REPORT, "trading goes on", f"{body['why']} ({body['by']})")
    return Resumed(before, body["by"], at)


class NoActor(AssayError):
    """Nobody knows who this is."""

    def __init__(self) -> None:
        super().__init__("this machine has no login name for you; say who you are with --by NAME")


def actor(by: str) -> str:
    """Who does this: the name that was given, else the login name. Raises NoActor."""
    if name := by.strip():
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        raise NoActor from None


def said(text: str, option: str) -> str:
    """The words, without spaces around them. Raises NoReason where there are none."""
    if not text.strip():
        raise NoReason(option)
    return text.strip()
