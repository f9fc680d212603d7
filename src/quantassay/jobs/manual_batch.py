"""The files of one import by hand: which of them say something new, and what the log is to say of each."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from quantassay.domain.manual.publication import available_from
from quantassay.feeds.issues import Issue
from quantassay.feeds.manual_read import ListingRead, ManualRead
from quantassay.store.manual_index import ManualIndex

Read = ManualRead | ListingRead
Log = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: whether it loads, its rows and facts, how many facts are new, how many correct others.

    `before` is the instant of an earlier import of the same file, where this one brings nothing.
    """

    loaded: bool
    rows: int
    facts: int
    added: int = 0
    corrected: int = 0
    before: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """The outcome of each file, and the store's new state with the bytes of its files; None where it stays as it is."""

    outcomes: tuple[Outcome, ...]
    index: ManualIndex | None
    parts: Mapping[str, bytes]
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """What the files of one import have in common.

    `again` takes files that are known as if they were new. `sessions` are the days that are surely sessions, `rules`
    the feed's entry of spec/32_manual_feeds.yaml.
    """

    feed: str
    now: datetime
    again: bool
    sessions: tuple[date, ...]
    rules: Mapping[str, Any]

    def available(self, session: date) -> date:
        """The first day on which a decision may use a value of this session. Raises SessionsEnd."""
        return available_from(session, self.rules["publication_lag_sessions"], self.sessions)

    def content(self, read: Read) -> str:
        """The digest of what a file says, as it is read today: for another day, or by other rules, it is another."""
        return "sha256:" + hashlib.sha256("\n".join(self._said(read)).encode()).hexdigest()

    def _said(self, read: Read) -> Iterator[str]:
        if isinstance(read, ListingRead):
            yield str(read.as_of)
            yield from (f"{n.ticker}|{n.name}|{n.market}|{n.listed_on}|{n.sector}" for n in read.names)
            return
        days = {fact.session: self.available(fact.session) for fact in read.facts}
        for fact in read.facts:
            yield f"{fact.ticker}|{fact.session}|{fact.field}|{fact.value}|{fact.note}|{days[fact.session]}"

    def earlier(self, entries: Iterable[Mapping[str, Any]], read: Read) -> Mapping[str, Any] | None:
        """The import that this file would repeat: the last of the same bytes, if it was read the same; else None."""
        if self.again:
            return None
        last = next((one for one in reversed(list(entries)) if one["digest"] == read.digest), None)
        return last if last is not None and last["content"] == self.content(read) else None

    def entry(self, read: Read, outcome: Outcome, corrects: Mapping[str, int]) -> dict[str, Any]:
        """What the log says of a file that brings something; `corrects` counts by digest the facts of other files."""
        first, last = span(read)
        return {
            "file": read.file,
            "digest": read.digest,
            "content": self.content(read),
            "form": read.form,
            "layout": read.layout,
            "imported_at": self.now.isoformat(),
            "first": first,
            "last": last,
            "rows": outcome.rows,
            "facts": outcome.facts,
            "added": outcome.added,
            "corrected": outcome.corrected,
            "corrects": dict(corrects),
        }


def span(read: Read) -> tuple[str | None, str | None]:
    """The first and the last day that a file speaks of."""
    first, last = (read.as_of, read.as_of) if isinstance(read, ListingRead) else (read.first, read.last)
    return first.isoformat() if first else None, last.isoformat() if last else None


def counted(read: Read, *, loaded: bool, before: str = "") -> Outcome:
    """The outcome of a file that changes nothing."""
    if isinstance(read, ListingRead):
        return Outcome(loaded, len(read.names), len(read.names), before=before)
    return Outcome(loaded, len({fact.row for fact in read.facts}), len(read.facts), before=before)


def unchanged(batch: Batch, log: Log, reads: Iterable[Read]) -> Taken | None:
    """The outcome where every file is refused or repeats an earlier import; None where one brings something."""
    entries = log.get(batch.feed, ())
    outcomes, issues = [], []
    for read in reads:
        before = batch.earlier(entries, read) if read.loaded else None
        if read.loaded and before is None:
            return None
        outcomes.append(counted(read, loaded=read.loaded, before=before["imported_at"] if before else ""))
        issues += corrected_since(entries, read) if before else []
    return Taken(tuple(outcomes), None, {}, tuple(issues))


def corrected_since(entries: Sequence[Mapping[str, Any]], read: Read) -> list[Issue]:
    """The note that a file imported before has been corrected by another; none where it has not."""
    last = max(place for place, one in enumerate(entries) if one["digest"] == read.digest)
    since = [one for one in entries[last + 1 :] if one["corrects"].get(read.digest)]
    if not since:
        return []
    count = sum(one["corrects"][read.digest] for one in since)
    says = (
        f"was imported before, and {since[-1]['file']} has corrected {count} of its values since; they stay corrected: "
        "to go back to what this file says, import it with --again"
    )
    return [Issue(read.file, None, "superseded", says)]
