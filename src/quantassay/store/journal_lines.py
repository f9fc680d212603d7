"""The lines of the journal on the disk: their layout, the chain that binds them, and what is wrong with either.

The digest of a line is the SHA-256 of the canonical JSON of its event with the digest of the line before it, so that
whoever holds one digest can tell whether anything before it was changed, taken out or put in. Lines taken off the end
leave no trace in a chain: the newest head is kept in a file beside it, and may be kept anywhere else.
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from quantassay.domain.trading import desk_state, legality
from quantassay.domain.trading.desk_state import DeskState
from quantassay.domain.trading.legality import Ledger, NotRecorded
from quantassay.domain.trading.orders import BadHistory, Event
from quantassay.errors import AssayError
from quantassay.store.sqlite import statements

GENESIS = ""
_NAMES = ("seq", "at", "kind", "account", "name", "body", "digest")
MIGRATIONS = (
    """
CREATE TABLE events (
  seq INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  kind TEXT NOT NULL,
  account TEXT NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  digest TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_intent_a_key ON events (
  account, json_extract(body, '$.plan'), json_extract(body, '$.line'), json_extract(body, '$.attempt')
) WHERE kind = 'intent';
CREATE TRIGGER never_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is only added to'); END;
CREATE TRIGGER never_removed BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is only added to'); END;
CREATE TRIGGER one_after_another BEFORE INSERT ON events
WHEN new.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM events)
BEGIN SELECT RAISE(ABORT, 'the journal is only added to at its end'); END;
""",
)
_TEXT = json.JSONEncoder(ensure_ascii=False).encode
# Bytes and no text: a byte that was changed may have left no text at all.
_SELECT = f"SELECT {', '.join(f'CAST({name} AS BLOB)' for name in _NAMES)} FROM events"  # noqa: S608 - our own names


class JournalDamaged(AssayError):
    """A journal that is not as it was written: nothing may be done on what it says."""

    exit_code = 1

    def __init__(self, line: int, why: str) -> None:
        self.why = f"line {line} {why}" if line else why
        super().__init__(
            f"the journal is not as it was written: {self.why}; nothing is traded on it, see "
            "`assay orders check`, and put data/journal.sqlite3 back from a backup"
        )


@dataclass(frozen=True, slots=True)
class Line:
    """An event as it stands on the disk: its texts, and the digest that the line bears."""

    event: Event
    at: str
    body: str
    digest: str


def rows(connection: sqlite3.Connection, after: int = 0, kinds: Collection[str] = ()) -> Iterator[Sequence[Any]]:
    """The raw lines after this number, in order; of these kinds, or of all."""
    of_kind = f" AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
    yield from connection.execute(f"{_SELECT} WHERE seq > ?{of_kind} ORDER BY seq", (after, *kinds))


def read(row: Sequence[Any]) -> Line:
    """The line of these bytes. Raises JournalDamaged."""
    seq = 0
    try:
        seq = int(row[0])
        at, kind, account, name, body, digest = (bytes(one).decode() for one in row[1:])
        event = Event(seq, datetime.fromisoformat(at), kind, account, name, json.loads(body))
    except (ValueError, TypeError) as error:
        raise JournalDamaged(seq, "cannot be read") from error
    return Line(event, at, body, digest)


def follows(line: Line, seq: int, digest: str) -> None:
    """Raise JournalDamaged where the line is not the one after number `seq` with this digest."""
    if line.event.seq != seq + 1:
        raise JournalDamaged(line.event.seq, f"comes after line {seq}")
    if digest_of(line, digest) != line.digest:
        raise JournalDamaged(line.event.seq, f"({line.event.kind}) is not what its digest says")


def insert(connection: sqlite3.Connection, event: Event, previous: str) -> None:
    """Add the event at the end; `previous` is the digest of the line before it."""
    at, body = event.at.isoformat(), canonical(event.body)
    line = Line(event, at, body, "")
    values = (event.seq, at, event.kind, event.account, event.order, body, digest_of(line, previous))
    connection.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def canonical(value: Any) -> str:
    """RFC 8785's text of a value without floats and with plain names, as every body is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def digest_of(line: Line, previous: str) -> str:
    """The digest that the line must bear after one with the digest `previous`; over its very bytes."""
    event = line.event
    texts = {"account": event.account, "at": line.at, "kind": event.kind, "order": event.order, "previous": previous}
    told = {name: _TEXT(text) for name, text in texts.items()}
    told |= {"body": line.body, "seq": str(event.seq)}
    whole = ",".join(f'"{name}":{told[name]}' for name in sorted(told))
    return "sha256:" + hashlib.sha256(f"{{{whole}}}".encode()).hexdigest()


def head_file(path: Path) -> Path:
    """The file beside the journal that tells its newest line."""
    return path.with_suffix(".head")


def write_head(path: Path, seq: int, digest: str) -> None:
    """Tell the newest line; after the line is on the disk, so that it never says more than there is."""
    file = head_file(path)
    new = file.with_name(f"{file.name}.{os.getpid()}")
    new.write_text(f"{seq} {digest}\n", encoding="utf-8")
    new.replace(file)


def check_head(connection: sqlite3.Connection, path: Path) -> None:
    """Raise JournalDamaged where the journal lacks the line that the head file tells."""
    # The file before the first look at the lines: it then tells none that they could lack.
    if told := head_fault(read_head(path), connection):
        raise JournalDamaged(0, told)


def read_head(path: Path) -> tuple[int, str] | None:
    """Number and digest in the head file; None where there is none, or it was cut off as the power failed."""
    try:
        seq, digest = head_file(path).read_text(encoding="utf-8").split()
        return int(seq), digest
    except (OSError, ValueError):
        return None


def head_fault(head: tuple[int, str] | None, connection: sqlite3.Connection, told_by: str = "journal.head") -> str:
    """How the journal lacks a line that was seen in it, empty where it has it. `head` may have a part of the digest."""
    if head is None or head[0] == 0:
        return ""
    seq, digest = head
    found = connection.execute("SELECT digest FROM events WHERE seq = ?", (seq,)).fetchone()
    newest = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
    if found is None:
        return f"{told_by} tells line {seq}, and the journal ends with line {newest}: lines were taken off its end"
    if not str(found[0]).removeprefix("sha256:").startswith(digest.removeprefix("sha256:")):
        return f"{told_by} tells another line {seq} than the journal has: lines were taken off and others added"
    return ""


def check(connection: sqlite3.Connection, path: Path, heads: Sequence[tuple[int, str]] = ()) -> list[str]:
    """What is wrong, a sentence each; `heads` are newest lines that were noted elsewhere, beside the head file."""
    file = check_file(connection, path)
    noted = [head_fault(one, connection, "the head that was noted") for one in heads]
    return [*file, *_chain(connection), *filter(None, noted)]


def check_file(connection: sqlite3.Connection, path: Path) -> list[str]:
    """What is wrong with the file and its layout, and whether lines were taken off its end; no line is looked into."""
    head = read_head(path)
    problems = [f"SQLite says: {row[0]}" for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
    problems += _layout(connection)
    told = head_fault(head, connection)
    return problems + [told] * bool(told)


def _layout(connection: sqlite3.Connection) -> list[str]:
    """Triggers and indexes that are not as this journal is laid out."""
    with sqlite3.connect(":memory:") as fresh:
        for script in MIGRATIONS:
            for statement in statements(script):
                fresh.execute(statement)
        wanted = _schema(fresh)
    fresh.close()
    found = {name: sql for name, sql in _schema(connection).items() if name != "migrations"}
    missing = [f"the layout lacks {name}" for name in wanted if name not in found]
    changed = [f"the layout's {name} was changed" for name in wanted if name in found and found[name] != wanted[name]]
    added = [f"the layout has {name}, which is not the journal's" for name in found if name not in wanted]
    return [*missing, *changed, *added]


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL"))


def _chain(connection: sqlite3.Connection) -> list[str]:
    """Every line held against its digest, and against what the lines before it allow."""
    problems: list[str] = []
    ledger, desk = Ledger(), DeskState()
    seq, digest = 0, GENESIS
    for row in rows(connection):
        try:
            line = read(row)
            seq, digest, before = line.event.seq, line.digest, (seq, digest)
            follows(line, *before)
            if canonical(line.event.body) != line.body:
                raise JournalDamaged(seq, "has a body that nobody here writes so")
            legality.check(line.event, ledger, desk)
            desk = desk_state.after(desk, line.event)
            ledger.add(line.event)
        except JournalDamaged as error:
            problems.append(error.why)
        except (NotRecorded, BadHistory) as error:
            problems.append(f"line {line.event.seq} could not have been added: {error}")
    return problems
