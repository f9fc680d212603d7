"""What a list of holidays from outside says that the trading calendar does not know yet, statement by statement."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

# A service lists exchanges where it should name the day.
_NOISE = frozenset({"amex", "nyse", "nasdaq", "nas", "nys", "ams", "sse", "szse", "krx", "아멕스", "뉴욕", "나스닥"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One row of such a list: what it says of one date.

    `is_open` is None where it says neither. `fetched` rows come as a broker's service sent them and were never looked
    at by a person. `useless` says why a row can say nothing, empty where it can.
    """

    key: str
    day: date | None
    is_open: bool | None
    note: str
    fetched: bool = False
    useless: str = ""


@dataclass(frozen=True, slots=True)
class News:
    """What became of the statements: to be written, known already, ignored and refused, the latter two with why."""

    new: tuple[Statement, ...]
    known: int
    ignored: tuple[tuple[str, str], ...]
    refused: tuple[tuple[str, str], ...]


def weigh(statements: Sequence[Statement], calendar: Mapping[str, Any], overrides: Iterable[Mapping[str, str]]) -> News:
    """What each statement adds to this calendar (the data of a trading_calendar artifact) and its overrides.

    New is a closure of a session, an opening of a closed day, and either of a disputed date: only with a note, and what
    a service sent opens no closed day. A statement that another one, or an override, contradicts is refused.
    """
    ruled = {row["date"]: row for row in overrides}
    settled = _settled(calendar, ruled)
    said: dict[date | None, set[bool | None]] = {}
    for one in statements:
        if not _useless(one, calendar):
            said.setdefault(one.day, set()).add(one.is_open)
    new: dict[date, Statement] = {}
    known = 0
    ignored: list[tuple[str, str]] = []
    refused: list[tuple[str, str]] = []
    for one in statements:
        day = one.day.isoformat() if one.day else ""
        if why := _useless(one, calendar):
            ignored.append((one.key, why))
        elif why := _contradiction(one, ruled.get(day), said[one.day]):
            refused.append((one.key, why))
        elif one.day is None or one.day in new or one.is_open is settled.get(day):
            known += 1
        elif not one.note:
            ignored.append((one.key, f"{_told(one)} without a note, so nobody knows why"))
        elif one.is_open and one.fetched and day in settled:
            ignored.append((one.key, "a row that a service sent opens no day that the calendar has closed"))
        else:
            new[one.day] = one
    return News(tuple(new[day] for day in sorted(new)), known, tuple(ignored), tuple(refused))


def _settled(calendar: Mapping[str, Any], ruled: Mapping[str, Mapping[str, str]]) -> dict[str, bool]:
    """Whether each date of the calendar is a session; dates on which the sources disagree are left out."""
    first, last = date.fromisoformat(calendar["first"]), date.fromisoformat(calendar["last"])
    days = ((first + timedelta(n)).isoformat() for n in range((last - first).days + 1))
    sessions = set(calendar["sessions"])
    unsure = {row["date"] for row in calendar["disputed"]} - ruled.keys()
    return {day: day in sessions for day in days if day not in unsure}


def _useless(one: Statement, calendar: Mapping[str, Any]) -> str:
    """Why this statement can say nothing; empty where it can."""
    if one.useless or one.day is None:
        return one.useless or "is no date"
    if one.is_open is None:
        return "says neither that the exchange is open nor why it is closed"
    if one.note.lower() in _NOISE:
        return f"the note {one.note!r} names an exchange and no event"
    if not calendar["first"] <= one.day.isoformat() <= calendar["last"]:
        return f"lies outside the calendar, {calendar['first']} to {calendar['last']}"
    return ""


def _contradiction(one: Statement, ruling: Mapping[str, str] | None, said: set[bool | None]) -> str:
    if len(said) > 1:
        return "is open in one row of the file and closed in another; correct the file"
    if ruling is not None and (ruling["state"] == "open") != one.is_open:
        rules = f"{ruling['state']} ({ruling['name']}; {ruling['source']})"
        return f"{_told(one)}, and governance/calendar_overrides.yaml says {rules}; correct the one that is wrong"
    return ""


def _told(one: Statement) -> str:
    return "is said to be open" if one.is_open else "is said to be closed"
