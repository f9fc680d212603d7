"""What the desk's programs leave for one another: notices and their deliveries, which job ran when, signs of life.

One file, data/workspace.sqlite3. A notice is written and read by different processes, and a job at one due time can be
claimed only once, whoever asks. Instants come in aware and are kept in UTC.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from quantassay.store import sqlite

FILE = "workspace.sqlite3"
NEW, TAKEN, REPEAT, EXPIRED = "new", "taken", "repeat", "expired"
WAITING, SENT, REFUSED, GIVEN_UP = "waiting", "sent", "refused", "given_up"
STARTED, DONE, FAILED, INTERRUPTED, MISSED, DISPUTED = "started", "done", "failed", "interrupted", "missed", "disputed"
_LONGEST_SAYS = 4_000
MIGRATIONS = (
    """
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        text TEXT NOT NULL,
        key TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('new', 'taken', 'repeat', 'expired')),
        repeats INTEGER NOT NULL CHECK (repeats >= 0)
    ) STRICT;
    CREATE INDEX outbox_by_key ON outbox (key, id);
    CREATE TABLE deliveries (
        notice INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
        channel TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'refused', 'given_up')),
        attempts INTEGER NOT NULL,
        since TEXT NOT NULL,
        next_at TEXT NOT NULL,
        says TEXT NOT NULL,
        PRIMARY KEY (notice, channel)
    ) STRICT;
    CREATE TABLE job_runs (
        job TEXT NOT NULL,
        due TEXT NOT NULL,
        state TEXT NOT NULL
            CHECK (state IN ('started', 'done', 'failed', 'interrupted', 'missed', 'disputed')),
        attempt INTEGER NOT NULL,
        owner TEXT NOT NULL,
        started_at TEXT NOT NULL,
        ended_at TEXT,
        exit_code INTEGER,
        says TEXT NOT NULL,
        PRIMARY KEY (job, due)
    ) STRICT;
    CREATE TABLE heartbeats (
        name TEXT PRIMARY KEY,
        first TEXT NOT NULL,
        at TEXT NOT NULL,
        owner TEXT NOT NULL
    ) STRICT;
    """,
)
_NOTICES = "SELECT id, at, kind, subject, text, key, state, repeats FROM outbox"
_DELIVERIES = "SELECT notice, channel, state, attempts, since, next_at, says FROM deliveries"
_RUNS = "SELECT job, due, state, attempt, owner, started_at, ended_at, exit_code, says FROM job_runs"


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice; `repeats` is how often it was put again while it counted as told already."""

    id: int
    at: datetime
    kind: str
    subject: str
    text: str
    key: str
    state: str
    repeats: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """How far one notice has come on one channel; `says` is the last answer, without secrets."""

    notice: int
    channel: str
    state: str
    attempts: int
    since: datetime
    next_at: datetime
    says: str


@dataclass(frozen=True, slots=True)
class JobRun:
    """One job at one due time: there is at most one of them, and `attempt` counts its starts."""

    job: str
    due: datetime
    state: str
    attempt: int
    owner: str
    started_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    says: str


@dataclass(frozen=True, slots=True)
class Beat:
    """The first and the latest sign of life of one program, and who gave it."""

    name: str
    first: datetime
    at: datetime
    owner: str


class Operations:
    """The file, open; several processes may have it open at once. Every method raises DatabaseFault."""

    def __init__(self, data: Path, *, busy_s: float = sqlite.BUSY_S) -> None:
        self._connection = sqlite.connect(data / FILE, MIGRATIONS, busy_s=busy_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    # Notices.

    def put(self, at: datetime, kind: str, subject: str, text: str, key: str) -> None:
        """Add a notice; where the newest of its key is still new, that one counts it."""
        with self._changes():
            newest = self._one("SELECT id, state FROM outbox WHERE key = ? ORDER BY id DESC LIMIT 1", (key,))
            if newest is not None and newest[1] == NEW:
                self._do("UPDATE outbox SET repeats = repeats + 1 WHERE id = ?", (newest[0],))
            else:
                row = (_text(at), kind, subject, text, key)
                self._do("INSERT INTO outbox VALUES (NULL, ?, ?, ?, ?, ?, 'new', 0)", row)

    def take(
        self, channels: Sequence[tuple[str, frozenset[str]]], window: timedelta, oldest: datetime, now: datetime
    ) -> int:
        """Turn new notices into deliveries, one for each channel that takes their kind; the number of notices.

        A notice of a key that was told less than `window` before it is a repeat: it is counted and not sent. One of
        before `oldest` is no news any more. A kind that no channel takes goes to all of them. Without channels nothing
        is taken.
        """
        taken = 0
        with self._changes():
            self._do("UPDATE outbox SET state = 'expired' WHERE state = 'new' AND at < ?", (_text(oldest),))
            if not channels:
                return taken
            for notice in list(self._notices("WHERE state = 'new' ORDER BY id")):
                told = self._one(
                    "SELECT id FROM outbox WHERE key = ? AND state = 'taken' AND at > ? ORDER BY id DESC LIMIT 1",
                    (notice.key, _text(notice.at - window)),
                )
                if told is not None:
                    self._do("UPDATE outbox SET repeats = repeats + ? WHERE id = ?", (1 + notice.repeats, told[0]))
                    self._do("UPDATE outbox SET state = 'repeat' WHERE id = ?", (notice.id,))
                    continue
                self._do("UPDATE outbox SET state = 'taken' WHERE id = ?", (notice.id,))
                wanted = [name for name, kinds in channels if notice.kind in kinds] or [name for name, _ in channels]
                for name in wanted:
                    row = (notice.id, name, _text(now), _text(now))
                    self._do("INSERT OR IGNORE INTO deliveries VALUES (?, ?, 'waiting', 0, ?, ?, '')", row)
                taken += 1
        return taken

    def route(self, key: str, channels: Sequence[str], now: datetime) -> None:
        """Have the latest notice of a key that is not a repeat delivered on these channels, whatever else takes it."""
        with self._changes():
            found = self._one(
                "SELECT id FROM outbox WHERE key = ? AND state IN ('new', 'taken') ORDER BY id DESC LIMIT 1", (key,)
            )
            if found is None:
                return
            for name in channels:
                row = (found[0], name, _text(now), _text(now))
                self._do("INSERT OR IGNORE INTO deliveries VALUES (?, ?, 'waiting', 0, ?, ?, '')", row)

    def told_before(self, notice: Notice) -> Notice | None:
        """The notice of the same key that was told before this one."""
        where = "WHERE key = ? AND state = 'taken' AND id < ? ORDER BY id DESC LIMIT 1"
        return next(self._notices(where, (notice.key, notice.id)), None)

    def due(self, now: datetime) -> list[tuple[Notice, Delivery]]:
        """What is to be delivered now, oldest first."""
        rows = self._deliveries("WHERE state = 'waiting' AND next_at <= ? ORDER BY notice, channel", (_text(now),))
        found = {row.notice: self.notice(row.notice) for row in rows}
        return [(notice, row) for row in rows if (notice := found[row.notice]) is not None]

    def record(self, delivery: Delivery) -> None:
        """Put down how far a delivery has come."""
        row = (delivery.state, delivery.attempts, _text(delivery.next_at), delivery.says[:_LONGEST_SAYS])
        self._do(
            "UPDATE deliveries SET state = ?, attempts = ?, next_at = ?, says = ? WHERE notice = ? AND channel = ?",
            (*row, delivery.notice, delivery.channel),
        )

    def again(self, now: datetime) -> int:
        """Let everything that was not sent be tried now, what was refused or given up too; the number of deliveries."""
        return self._do(
            "UPDATE deliveries SET state = 'waiting', attempts = 0, since = ?1, next_at = ?1 WHERE state <> 'sent'",
            (_text(now),),
        )

    def notice(self, number: int) -> Notice | None:
        """The notice of this number."""
        return next(self._notices("WHERE id = ?", (number,)), None)

    def notices(self, last: int = 50) -> list[Notice]:
        """The latest notices, newest first."""
        return list(self._notices("ORDER BY id DESC LIMIT ?", (last,)))

    def deliveries(self, notice: int | None = None) -> list[Delivery]:
        """The deliveries of a notice, or all of them."""
        if notice is None:
            return self._deliveries("ORDER BY notice, channel", ())
        return self._deliveries("WHERE notice = ? ORDER BY channel", (notice,))

    def forget(self, before: datetime) -> int:
        """Drop notices of before an instant with nothing left to deliver, and old runs of jobs; the number of both."""
        at = (_text(before),)
        with self._changes():
            dropped = self._do(
                "DELETE FROM outbox WHERE at < ? AND state <> 'new' AND NOT EXISTS"
                " (SELECT 1 FROM deliveries WHERE notice = outbox.id AND state = 'waiting')",
                at,
            )
            dropped += self._do("DELETE FROM job_runs WHERE due < ? AND state <> 'started'", at)
        return dropped

    # Jobs.

    def claim(self, job: str, due: datetime, owner: str, now: datetime) -> bool:
        """Take a job at its due time; whether this process is the first and only one to do so."""
        return self._add_run(job, due, STARTED, owner, now)

    def claim_again(self, run: JobRun, owner: str, now: datetime) -> bool:
        """Take a job whose run was cut off; whether nobody else has taken it since `run` was read."""
        changed = self._do(
            "UPDATE job_runs SET state = 'started', attempt = attempt + 1, owner = ?, started_at = ?, ended_at = NULL,"
            " exit_code = NULL, says = '' WHERE job = ? AND due = ? AND attempt = ? AND state IN"
            " ('started', 'interrupted')",
            (owner, _text(now), run.job, _text(run.due), run.attempt),
        )
        return changed == 1

    def leave(self, job: str, due: datetime, state: str, says: str, now: datetime) -> bool:
        """Put down that a job did not run at its due time, and why; whether nobody had a row for it before."""
        return self._add_run(job, due, state, "", now, says)

    def finish(self, run: JobRun, state: str, exit_code: int | None, says: str, now: datetime) -> bool:
        """Put down how this start of a run ended; whether it was still the one that counts."""
        changed = self._do(
            "UPDATE job_runs SET state = ?, ended_at = ?, exit_code = ?, says = ?"
            " WHERE job = ? AND due = ? AND attempt = ? AND state = 'started'",
            (state, _text(now), exit_code, says[:_LONGEST_SAYS], run.job, _text(run.due), run.attempt),
        )
        return changed == 1

    def run(self, job: str, due: datetime) -> JobRun | None:
        """The run of a job at a due time."""
        return next(self._runs("WHERE job = ? AND due = ?", (job, _text(due))), None)

    def runs(self, since: datetime | None = None) -> list[JobRun]:
        """The runs that were due since an instant, or all of them, latest first."""
        where = "ORDER BY due DESC, job" if since is None else "WHERE due >= ? ORDER BY due DESC, job"
        return list(self._runs(where, () if since is None else (_text(since),)))

    # Signs of life.

    def beat(self, name: str, at: datetime, owner: str) -> None:
        """Put down that a program was alive at this instant."""
        self._do(
            "INSERT INTO heartbeats VALUES (?1, ?2, ?2, ?3) ON CONFLICT (name) DO UPDATE SET at = ?2, owner = ?3",
            (name, _text(at), owner),
        )

    def beats(self) -> dict[str, Beat]:
        """The signs of life of every program that ever gave one."""
        rows = self._all("SELECT name, first, at, owner FROM heartbeats ORDER BY name", ())
        return {name: Beat(name, _instant(first), _instant(at), owner) for name, first, at, owner in rows}

    # What is under all of it.

    def _add_run(self, job: str, due: datetime, state: str, owner: str, now: datetime, says: str = "") -> bool:
        ended = None if state == STARTED else _text(now)
        row = (job, _text(due), state, 0 if ended else 1, owner, _text(now), ended, says[:_LONGEST_SAYS])
        return self._do("INSERT OR IGNORE INTO job_runs VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?)", row) == 1

    def _changes(self) -> AbstractContextManager[None]:
        return sqlite.transaction(self._connection)

    def _do(self, statement: str, values: tuple[object, ...]) -> int:
        with sqlite.told(self._connection):
            return self._connection.execute(statement, values).rowcount

    def _all(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with sqlite.told(self._connection):
            return self._connection.execute(statement, values).fetchall()

    def _one(self, statement: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        return next(iter(self._all(statement, values)), None)

    def _notices(self, where: str, values: tuple[object, ...] = ()) -> Iterator[Notice]:
        for row in self._all(f"{_NOTICES} {where}", values):
            yield Notice(row[0], _instant(row[1]), *row[2:])

    def _deliveries(self, where: str, values: tuple[object, ...]) -> list[Delivery]:
        rows = self._all(f"{_DELIVERIES} {where}", values)
        return [
            Delivery(notice, channel, state, attempts, _instant(since), _instant(next_at), says)
            for notice, channel, state, attempts, since, next_at, says in rows
        ]

    def _runs(self, where: str, values: tuple[object, ...]) -> Iterator[JobRun]:
        for row in self._all(f"{_RUNS} {where}", values):
            job, due, state, attempt, owner, started, ended, code, says = row
            times = (_instant(started), None if ended is None else _instant(ended))
            yield JobRun(job, _instant(due), state, attempt, owner, *times, code, says)


def _text(at: datetime) -> str:
    # One width and one zone, so that texts sort as instants do.
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
