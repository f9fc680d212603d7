"""A year of a busy desk in one journal: what it costs to open it, to send one order more, and to check all of it.

    python benchmarks/journal.py

250 sessions of 20 orders (4 lines each) and 40 readings of an account with 20 holdings: 30,000 lines. Times are of the
processor, so that other work on the machine is not counted; what the disk needs to keep a line is not in them.
"""

import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from quantassay.domain.trading.orders import Event, Intent, Key
from quantassay.store import journal_lines
from quantassay.store.journal import Journal
from quantassay.store.sqlite import transaction

SESSIONS, ORDERS, READINGS, HOLDINGS = 250, 20, 40, 20
AT = datetime.fromisoformat("2026-01-05T09:01:00+09:00")
CERTIFICATE = {"environment": "rehearsal", "host": "127.0.0.1:18080", "account": "a" * 12, "key": "b" * 12}


class Year:
    """Lines as they would be added, put into the file without the wait for the disk that each of them has."""

    def __init__(self, journal: Journal) -> None:
        self._connection = journal._connection  # noqa: SLF001 - no journal adds a line without the disk
        self._seq, self._digest = 0, journal_lines.GENESIS

    def write(self) -> None:
        """All of them."""
        with transaction(self._connection):
            for session in range(SESSIONS):
                self._session(session, AT + timedelta(days=session))

    def _session(self, session: int, at: datetime) -> None:
        for line in range(ORDERS):
            for kind, body in _order(session, line, at):
                self._add(at, kind, Key("desk", _plan(session), line, 1).order, body)
        for _ in range(READINGS):
            self._add(at, "book", "", _book(at))

    def _add(self, at: datetime, kind: str, order: str, body: Mapping[str, Any]) -> None:
        self._seq += 1
        journal_lines.insert(self._connection, Event(self._seq, at, kind, "desk", order, body), self._digest)
        row = self._connection.execute("SELECT digest FROM events WHERE seq = ?", (self._seq,)).fetchone()
        self._digest = str(row[0])


def _plan(session: int) -> str:
    return f"sha256:{session:012x}{0:052x}"


def _intent(session: int, line: int) -> Intent:
    key = Key("desk", _plan(session), line, 1)
    before = dict.fromkeys(("held", "sellable", "cash", "ordered", "filled", "amount"), 0)
    return Intent(key, f"99{line:04d}", "buy", 10, 10_050, 10_000, before, CERTIFICATE)


def _order(session: int, line: int, at: datetime) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("intent", _intent(session, line).body()),
        ("sent", {"deadline": at.isoformat()}),
        ("ack", {"number": str(line + 1), "branch": "00950", "day": at.date().isoformat()}),
        ("fill", {"filled": 10, "amount": 100_000, "estimated": False}),
    ]


def _book(at: datetime) -> dict[str, Any]:
    names = [f"99{i:04d}" for i in range(HOLDINGS)]
    rest = {"quantity": 10, "sellable": 10, "average_price": "10050.0000", "last_price": 10_100}
    positions = [{"ticker": name, "name": f"Name {name}", **rest} for name in names]
    told = {"at": at.isoformat(), "cash": 1_000_000, "deposit": 1_000_000, "equity": 3_020_000, "pages": 1}
    return {**told, "positions": positions, "certificate": CERTIFICATE}


def _timed(what: str, work: Callable[[], object]) -> None:
    start = time.process_time()
    work()
    print(f"{what:<28} {(time.process_time() - start) * 1_000:8.1f} ms")


def main() -> None:
    """Make the year, and time what a desk does with it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite3"
        with Journal(path) as journal:
            Year(journal).write()
        with Journal(path) as journal:
            _timed("fold it for the first time", journal.orders)
            print(f"{journal.head()[0]:,} lines, {path.stat().st_size / 2**20:.0f} MiB")
            fence = journal.take(AT, "desk", "the benchmark")
            intent = _intent(SESSIONS, 0)
            _timed("intend one order", lambda: journal.intend(AT, intent, fence))
            _timed("say that it is sent", lambda: journal.send(AT, intent.key.order, fence, AT))
            _timed("read every line", journal.events)
            _timed("read the lines of a kind", lambda: journal.events(kinds=("cancel_sent",)))
            _timed("check all of it", journal.check)


if __name__ == "__main__":
    main()
