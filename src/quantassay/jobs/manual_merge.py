"""What new files of facts change in the store: versions are added, none is ever lost."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from quantassay.domain.manual.versions import BLANK, Change, Key, Stated, Version, changes, taken_back
from quantassay.feeds.issues import Issue
from quantassay.feeds.manual_read import ManualRead
from quantassay.jobs.manual_batch import Batch, Outcome, Taken, corrected_since, counted
from quantassay.store import manual_facts, manual_index

_EXAMPLES = 3


@dataclass(slots=True)
class _Merge:
    """What is known while the files of one import are taken one by one."""

    batch: Batch
    entries: list[dict[str, Any]]
    known: dict[Key, Version]
    stated: dict[Key, tuple[Stated, str]] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def take(self, read: ManualRead) -> Outcome:
        """Add what this file says, or refuse it."""
        if not read.loaded:
            return counted(read, loaded=False)
        before = self.batch.earlier(self.entries, read)
        if before is not None:
            self.issues += corrected_since(self.entries, read)
            return counted(read, loaded=True, before=before["imported_at"])
        days = {fact.session: self.batch.available(fact.session) for fact in read.facts}
        said = {(f.ticker, f.session, f.field): Stated(f.value, f.note, days[f.session]) for f in read.facts}
        if self._contradicts(read, said):
            return counted(read, loaded=False)
        self.stated |= {key: (one, read.file) for key, one in said.items()}
        return self._add(read, said)

    def _contradicts(self, read: ManualRead, said: dict[Key, Stated]) -> bool:
        """Whether another file of this import says otherwise: nobody can tell which of the two is the correction."""
        both = [key for key in said if key in self.stated and BLANK not in (said[key].note, self.stated[key][0].note)]
        other = sorted(key for key in both if said[key] != self.stated[key][0])
        if not other:
            return False
        first, file = other[0], self.stated[other[0]][1]
        says = (
            f"differs from {file}, imported at the same time, in {_values(len(other))}, such as {_place(first)}: "
            f"{_plain(said[first])} here, {_plain(self.stated[first][0])} there; import the right one alone, last"
        )
        self.issues.append(Issue(read.file, _row(read, first), "files_disagree", says))
        return True

    def _add(self, read: ManualRead, said: dict[Key, Stated]) -> Outcome:
        new, gone = changes(self.known, said), taken_back(self.known, said, read.digest)
        rows = {(fact.ticker, fact.session, fact.field): fact.row for fact in read.facts}
        # What a file takes back is of a row of the same file.
        rows |= {change.key: change.before.row for change in gone if change.before is not None}
        for change in (*new, *gone):
            version = Version(change.stated, change.number, read.file, read.digest, rows[change.key])
            self.rows.append(self._row_of(change.key, version))
            self.known[change.key] = version
        corrected = [change for change in new if change.corrects]
        self._tell(read, corrected, gone)
        corrects = Counter(c.before.digest for c in corrected if c.before is not None)
        plain = counted(read, loaded=True)
        outcome = replace(plain, added=len(new) - len(corrected), corrected=len(corrected) + len(gone))
        self.entries.append(self.batch.entry(read, outcome, corrects))
        return outcome

    def _row_of(self, key: Key, version: Version) -> dict[str, Any]:
        value = version.stated.value
        return {
            "feed": self.batch.feed,
            "ticker": key[0],
            "session": key[1],
            "field": key[2],
            "value": None if value is None else plain(value),
            "note": version.stated.note,
            "file": version.file,
            "digest": version.digest,
            "row": version.row,
            "available_from": version.stated.available_from,
            "imported_at": self.batch.now,
            "version": version.number,
        }

    def _tell(self, read: ManualRead, corrected: list[Change], gone: list[Change]) -> None:
        if corrected:
            examples = "; ".join(_example(change) for change in corrected[:_EXAMPLES])
            says = (
                f"says otherwise than before of {_values(len(corrected))}: {examples}"
                f"{'; ...' if len(corrected) > _EXAMPLES else ''}; both are kept, and decisions from now on see the new"
            )
            self.issues.append(Issue(read.file, _row(read, corrected[0].key), "superseded", says))
        if gone:
            days = sorted({change.key[1] for change in gone})
            of = str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
            says = (
                f"is read otherwise than when it was imported before, so {_values(len(gone))} that it gave for {of}, "
                f"such as {_place(gone[0].key)}, are taken back; what was known until now is kept"
            )
            self.issues.append(Issue(read.file, None, "superseded", says))


def take(data: Path, batch: Batch, reads: Sequence[ManualRead]) -> Taken:
    """What these files make of the store's state, in their order. Raises ManualDamaged, SessionsEnd."""
    index = manual_index.read_index(data)
    log = manual_index.read_log(data, index)
    manual_index.check(data, index)
    frame = manual_facts.read(data)
    entries = [dict(one) for one in log.get(batch.feed, [])]
    merge = _Merge(batch, entries, _known(frame, batch.feed, reads))
    outcomes = tuple(merge.take(read) for read in reads)
    if len(entries) == len(log.get(batch.feed, [])):
        return Taken(outcomes, None, {}, tuple(merge.issues))
    says, parts = manual_facts.stored(manual_facts.added(frame, merge.rows)) if merge.rows else ({}, {})
    data_log = manual_index.encode({**log, batch.feed: entries})
    name, digest = manual_index.part("log", data_log)
    state = replace(index, **says, log=name, log_sha256=digest)
    return Taken(outcomes, state, {**parts, name: data_log}, tuple(merge.issues))


def plain(value: Decimal) -> str:
    """The number as decimal text without an exponent, with the digits of the file; zero has no sign."""
    return f"{abs(value) if value == 0 else value:f}"


def _known(frame: pl.DataFrame, feed: str, reads: Sequence[ManualRead]) -> dict[Key, Version]:
    """The latest versions of what these files may change: facts of their days, and facts that they once gave."""
    days: set[date] = {fact.session for read in reads for fact in read.facts}
    digests = {read.digest for read in reads}
    return {
        (row["ticker"], row["session"], row["field"]): Version(
            Stated(None if row["value"] is None else Decimal(row["value"]), row["note"], row["available_from"]),
            row["version"],
            row["file"],
            row["digest"],
            row["row"],
        )
        for row in manual_facts.latest(frame, feed, days, digests).iter_rows(named=True)
    }


def _row(read: ManualRead, key: Key) -> int | None:
    return next((fact.row for fact in read.facts if (fact.ticker, fact.session, fact.field) == key), None)


def _example(change: Change) -> str:
    if change.before is None:
        return ""
    was, now = change.before.stated, change.stated
    if _plain(was) == _plain(now):
        return f"{_place(change.key)} available from {now.available_from}, before from {was.available_from}"
    return f"{_place(change.key)} is {_plain(now)}, before {_plain(was)} ({change.before.file})"


def _place(key: Key) -> str:
    ticker, session, name = key
    return f"{ticker} {session} {name}"


def _plain(stated: Stated) -> str:
    return stated.note or "nothing" if stated.value is None else plain(stated.value)


def _values(count: int) -> str:
    return f"{count} {'value' if count == 1 else 'values'}"
