"""Daily bars from the broker, one name at a time: all names of a board are asked for, and the answers put together.

The broker has no answer for a whole board. Which names a board has is told by whoever asks; one that the broker does
not know is named in the answer. One question about a name gives the sessions of some months, so the sessions of one run
cost little more than one of them does.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from quantassay.errors import AssayError
from quantassay.feeds.day_answers import (
    BAD_ANSWER,
    BUSY,
    MOST_ROWS,
    NO_NAMES,
    NO_ROWS,
    WRONG_KEY,
    Answer,
    Clock,
    NoAnswer,
    Question,
    Row,
)
from quantassay.kis import domestic, endpoints
from quantassay.kis.client import Client
from quantassay.kis.unreadable import KisUnreadable, NoSuchName

NAME = "the broker"
# Fewer sessions than the hundred that one answer holds.
_SPAN = timedelta(days=100)
_WRONG_KEY = frozenset({"EGW00103", "EGW00105", "EGW02004", "EGW2004", "EGW02007", "EGW00206", "EGW00210"})
_FIELDS = ("stck_oprc", "stck_hgpr", "stck_lwpr", "stck_clpr", "acml_vol", "acml_tr_pbmn")


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of a board: the span, when it was begun, rows by name and day, and the names that are unknown."""

    first: date
    last: date
    taken_at: datetime
    rows: Mapping[str, Mapping[date, Mapping[str, Any]]]
    unknown: Sequence[str]


class Boards:
    """The broker as a source of boards; `names` gives those of a board as they are known before a session."""

    def __init__(self, client: Client, names: Callable[[str, date], Sequence[str]]) -> None:
        self._client, self._names = client, names
        self._read: dict[str, _Read] = {}

    def ask(self, question: Question, clock: Clock) -> Answer:
        """All bars of a board on a session. Raises NoAnswer."""
        read = self._read.get(question.board)
        if read is None or not read.first <= question.session <= read.last:
            read = self._all(question, clock)
            self._read[question.board] = read
        day = question.session
        rows = {name: by_day[day] for name, by_day in read.rows.items() if day in by_day}
        if not rows:
            raise NoAnswer(NO_ROWS, f"{NAME} has no bar of {question.board} on {day}")
        without = sorted(set(read.rows) - set(rows))
        content = {"session": str(day), "board": question.board, "rows": rows, "without": without}
        data = json.dumps({**content, "unknown": list(read.unknown)}, ensure_ascii=False, sort_keys=True, default=str)
        call = endpoints.DAILY_BARS
        request = {
            "method": call.method,
            "url": f"https://{self._client.certificate.host}{call.path}",
            "tr_id": call.real,
            "FID_ORG_ADJ_PRC": "1",
            "day": question.compact_day,
        }
        return Answer(data.encode(), read.taken_at, request)

    def _all(self, question: Question, clock: Clock) -> _Read:
        board, first = question.board, question.session
        names = self._names(board, first)
        if not names:
            says = f"no bar of the store tells which names {board} has; fetch a session of it from another source first"
            raise NoAnswer(NO_NAMES, says)
        taken_at = clock()
        last = max(first, min(taken_at.date(), first + _SPAN))
        rows: dict[str, Mapping[date, Mapping[str, Any]]] = {}
        unknown: list[str] = []
        for name in names:
            try:
                found = domestic.daily_rows(self._client, name, first, last, adjusted=False)
            except NoSuchName:
                unknown.append(name)
            except KisUnreadable as error:
                raise NoAnswer(WRONG_KEY if error.code in _WRONG_KEY else BUSY, str(error)) from error
            except AssayError as error:
                raise NoAnswer(WRONG_KEY, str(error)) from error
            else:
                rows[name] = {day: row.values for day, row in found.items()}
        return _Read(first, last, taken_at, rows, tuple(unknown))


def rows(data: bytes, question: Question) -> list[Row]:
    """The rows of a kept answer. Raises NoAnswer where it is of another board or day, or no such answer."""
    try:
        value = json.loads(data)
        found = (value["board"], value["session"])
        names: dict[str, dict[str, Any]] = value["rows"]
        read = [Row(name, *(_text(row.get(field)) for field in _FIELDS)) for name, row in sorted(names.items())]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NoAnswer(BAD_ANSWER, f"what was kept of {NAME} for {question.board} is no such answer", data) from None
    if found != (question.board, question.session.isoformat()) or len(read) > MOST_ROWS:
        raise NoAnswer(BAD_ANSWER, f"what was kept of {NAME} is not of {question.board} on {question.session}", data)
    return read


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
