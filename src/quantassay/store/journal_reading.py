"""The journal for those who only look back: a digest of all that stands in it, its lines as rows, and what is wrong.

Nothing here refuses a journal that is damaged: what can be read is told, and so is what cannot.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from quantassay.domain.trading.bodies import fault
from quantassay.store import journal_lines
from quantassay.store.journal_lines import MIGRATIONS, JournalDamaged, Line
from quantassay.store.sqlite import connect, told, transaction


def content(path: Path) -> tuple[str, int]:
    """The digest of every byte of every line, and the number of the last line. Raises DatabaseFault."""
    digest, last = hashlib.sha256(), 0
    with _open(path) as connection:
        for row in journal_lines.rows(connection):
            digest.update(repr(tuple(row)).encode())
            last = max(last, _number(row[0]))
    return f"sha256:{digest.hexdigest()}", last


def read(path: Path, last: int) -> dict[str, Any]:
    """The lines up to number `last` as rows, the head, and a sentence for each thing that is wrong.

    A line that cannot be read, or whose body is not of its kind, is told among the problems and is no row. Whether the
    lines are a chain, and could follow each other, is for the gates. Raises DatabaseFault.
    """
    lines: list[Line] = []
    with _open(path) as connection:
        problems = journal_lines.check_file(connection, path)
        for row in journal_lines.rows(connection):
            if _number(row[0]) <= last:
                try:
                    lines.append(_line(row))
                except JournalDamaged as error:
                    problems.append(error.why)
    head = {"seq": lines[-1].event.seq, "digest": lines[-1].digest} if lines else {"seq": 0, "digest": None}
    return {"events": [as_row(line) for line in lines], "head": head, "problems": problems}


def as_row(line: Line) -> dict[str, Any]:
    """A line as builders and gates read it."""
    event = line.event
    return {
        "seq": event.seq,
        "at": line.at,
        "kind": event.kind,
        "account": event.account,
        "order": event.order,
        "body": dict(event.body),
        "digest": line.digest,
    }


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, seen as of one instant."""
    with closing(connect(path, MIGRATIONS)) as connection, told(connection), transaction(connection, write=False):
        yield connection


def _line(row: Any) -> Line:
    """The line of a raw row, whose body is of its kind. Raises JournalDamaged."""
    line = journal_lines.read(row)
    if told := fault(line.event.kind, line.event.body):
        raise JournalDamaged(line.event.seq, f"({line.event.kind}) {told}")
    return line


def _number(value: Any) -> int:
    """The number of a raw line, 0 where it is none."""
    try:
        return int(value)
    except ValueError:
        return 0
