"""The journal in SQLite: what was done about orders, in one chain of lines that are only ever added to.

A line is on the disk when it was added, so an order is written down before it is sent. What cannot follow the lines
before it is refused, in the same transaction as everything that decides it: the kill switch, the newest lease, what
became of the orders. So processes that began at different times obey the same lines.
"""

import contextlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from quantassay.domain.trading import desk_state, legality
from quantassay.domain.trading.desk_state import DeskState
from quantassay.domain.trading.legality import (
    AlreadyIntended,
    AttemptOpen,
    CannotFollow,
    Fenced,
    Halted,
    Locked,
    NotRecorded,
    NumberTaken,
    StillOpen,
    Wrong,
)
from quantassay.domain.trading.orders import Event, Intent, Order
from quantassay.store import journal_lines as lines
from quantassay.store.journal_lines import GENESIS, MIGRATIONS, JournalDamaged, Line
from quantassay.store.sqlite import connect, transaction

__all__ = [
    "FILE",
    "AlreadyIntended",
    "AttemptOpen",
    "CannotFollow",
    "Fenced",
    "Halted",
    "Journal",
    "JournalDamaged",
    "Line",
    "Locked",
    "NotRecorded",
    "NumberTaken",
    "StillOpen",
    "Wrong",
    "journal_file",
    "lines_of",
]

FILE = "journal.sqlite3"
_BY_METHOD = {"intent": "intend", "sent": "send", "lease": "take"}


def journal_file(data: Path) -> Path:
    """Where the journal of a workspace lies, by its data folder."""
    return data / FILE


def lines_of(data: Path) -> list[Line]:
    """Every line of a workspace's journal, none where there is no journal yet. Raises JournalDamaged, DatabaseFault."""
    if not journal_file(data).exists():
        return []
    with Journal(journal_file(data)) as journal:
        return journal.lines()


class Journal:
    """One connection to the journal in this file; each process and each thread has its own.

    Everything raises DatabaseFault where the file cannot be used, and JournalDamaged or BadHistory where what lies in
    it cannot be: nothing is added to such a journal. What may not be added is refused as `domain/trading/legality.py`
    says; every refusal is a NotRecorded, and then nothing was written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path, MIGRATIONS)
        self._file = _identity(path)
        self._head = (0, GENESIS)
        self._ledger = legality.Ledger()
        self._desk = DeskState()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def append(
        self,
        at: datetime,
        kind: str,
        *,
        account: str = "",
        order: str = "",
        body: Mapping[str, Any] | None = None,
        fence: int | None = None,
    ) -> Event:
        """Add a line. With `fence`, only while that is the newest lease of the account.

        Raises Wrong for a body that is none and for kinds that have a method of their own, Fenced, NumberTaken,
        CannotFollow.
        """
        if kind in _BY_METHOD:
            raise Wrong(kind, f"is added by {_BY_METHOD[kind]}() only")
        return self._add(Event(0, at, kind, account, order, dict(body or {})), fence)

    def take(self, at: datetime, account: str, owner: str) -> int:
        """A new lease of the account for this owner: its token. Whoever held an older one may not send any more."""
        with self._writing():
            fence = self._desk.fence(account) + 1
            self._insert(Event(0, at, "lease", account, "", {"owner": owner, "fence": fence}))
        return fence

    def intend(self, at: datetime, intent: Intent, fence: int) -> Event:
        """Put an order on the disk that is to be sent.

        Raises AlreadyIntended where this key stands there already, Fenced, AttemptOpen where the attempt before it has
        not ended or left less to do, StillOpen where another order for the name is at the broker.
        """
        event = Event(0, at, "intent", intent.key.account, intent.key.order, intent.body())
        return self._add(event, fence)

    def send(self, at: datetime, order: str, fence: int, deadline: datetime) -> Event:
        """Say that the order is about to be sent, and is answered by the deadline at the latest. Call before sending.

        Raises Halted, Fenced, Locked, StillOpen, and CannotFollow where it is no order that waits to be sent.
        """
        account = _account(self._known(), order)
        body = {"deadline": deadline.isoformat(), "fence": fence}
        return self._add(Event(0, at, "sent", account, order, body), fence)

    def events(self, account: str | None = None, after: int = 0, *, kinds: Collection[str] = ()) -> list[Event]:
        """The events after this number, of one account and of the whole desk, or of all accounts.

        With `kinds` only those, which on a long journal is a good deal faster.
        """
        return [line.event for line in self.lines(account, after, kinds=kinds)]

    def lines(self, account: str | None = None, after: int = 0, *, kinds: Collection[str] = ()) -> list[Line]:
        """The same as lines, each with its digest."""
        with transaction(self._connection, write=False):
            self._catch_up()
            found = [lines.read(row) for row in lines.rows(self._connection, after, kinds)]
        return [one for one in found if account is None or one.event.account in (account, "")]

    def orders(self, account: str | None = None) -> dict[str, Order]:
        """The orders of one account, or of all, by name in the order in which they were intended."""
        known = self._known()
        return {name: one for name, one in known.items() if account in (None, one.intent.key.account)}

    def desk(self) -> DeskState:
        """How the desk stands: kill switch, armed accounts, runs, breaks, readings, leases."""
        self._known()
        return self._desk

    def head(self) -> tuple[int, str]:
        """Number and digest of the newest line; 0 and an empty digest where there is none."""
        self._known()
        return self._head

    def check(self, heads: Sequence[tuple[int, str]] = ()) -> list[str]:
        """What is wrong with the journal, a sentence each: file, layout, chain, what follows what, what is missing.

        `heads` are newest lines as they were noted elsewhere: number and digest, or the beginning of it.
        """
        with transaction(self._connection, write=False):
            return lines.check(self._connection, self.path, heads)

    def _known(self) -> dict[str, Order]:
        with transaction(self._connection, write=False):
            self._catch_up()
        return self._ledger.orders

    def _add(self, event: Event, fence: int | None) -> Event:
        with self._writing():
            if fence is not None:
                legality.fenced(event.account, fence, self._desk)
            return self._insert(event)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        """All that is decided and added within is one step, against the newest lines."""
        if _identity(self.path) != self._file:
            raise JournalDamaged(0, "another file was put in its place while this process was at work")
        with transaction(self._connection):
            self._catch_up()
            yield
        self._known()
        # A head that cannot be written lags: it then says less, and nothing false.
        with contextlib.suppress(OSError):
            lines.write_head(self.path, *self._head)

    def _insert(self, event: Event) -> Event:
        seq, previous = self._head
        event = replace(event, seq=seq + 1)
        legality.check(event, self._ledger, self._desk)
        lines.insert(self._connection, event, previous)
        return event

    def _catch_up(self) -> None:
        """Fold the lines that were added since, by whomever; what is folded is on the disk."""
        seq, digest = self._head
        if seq == 0:
            lines.check_head(self._connection, self.path)
        ledger, desk = self._ledger, self._desk
        for row in lines.rows(self._connection, seq):
            if ledger is self._ledger:
                # What was known stays as it was where a line cannot follow.
                ledger = ledger.copy()
            line = lines.read(row)
            lines.follows(line, seq, digest)
            desk = desk_state.after(desk, line.event)
            ledger.add(line.event)
            seq, digest = line.event.seq, line.digest
        self._head, self._ledger, self._desk = (seq, digest), ledger, desk


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _account(orders: Mapping[str, Order], name: str) -> str:
    """The account of an order. Raises Wrong where there is none of this name."""
    if name not in orders:
        raise Wrong("sent", f"names no order of the journal, {name!r}")
    return orders[name].intent.key.account
