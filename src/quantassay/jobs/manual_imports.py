"""Import what a person downloaded by hand: short balances, net asset values of funds, lists of listed companies."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.feeds.issues import Issue
from quantassay.feeds.manual_read import Ask, ListingRead, ManualRead
from quantassay.feeds.markets import market_of
from quantassay.feeds.raw_files import RawFile
from quantassay.harness.inputs import Inputs
from quantassay.harness.lazy import Lazy
from quantassay.jobs import desk, manual_files, quarantine
from quantassay.jobs.build import workspace_held
from quantassay.jobs.manual_batch import Batch, Outcome, Taken, unchanged
from quantassay.jobs.trading_days import TradingDays, trading_days
from quantassay.store import manual_index
from quantassay.store.bars_index import read_index as bars_index

SHORT_BALANCE, ETF_NAV, LISTING = FEEDS = ("short_balance", "etf_nav", "listing")
_READERS = {
    SHORT_BALANCE: Lazy("quantassay.feeds.short_balance:read_short_balance"),
    ETF_NAV: Lazy("quantassay.feeds.etf_nav:read_etf_nav"),
    LISTING: Lazy("quantassay.feeds.listing:read_listing"),
}
_TAKE = {
    SHORT_BALANCE: Lazy("quantassay.jobs.manual_merge:take"),
    ETF_NAV: Lazy("quantassay.jobs.manual_merge:take"),
    LISTING: Lazy("quantassay.jobs.manual_lists:take"),
}
_NEEDED = {
    "manual_feeds": "spec/32_manual_feeds.yaml",
    "desk": "spec/10_desk.yaml",
    "calendars": "spec/11_calendars.yaml",
    "trading_calendar": "builders/trading_calendar.py",
}


class NoManualFeeds(AssayError):
    """A workspace that has not what an import needs."""

    def __init__(self, missing: str) -> None:
        super().__init__(
            f"this workspace has no {missing}, which an import by hand needs; make another with `assay init DIR` and "
            "copy it from there"
        )


class NotADay(AssayError):
    """A --date that is none."""

    def __init__(self, text: str) -> None:
        super().__init__(f"--date {text} is no day; write it like 2026-11-18")


class NotATicker(AssayError):
    """A --ticker that cannot be one."""

    def __init__(self, text: str, form: str) -> None:
        super().__init__(f"--ticker {text} is no code; write {form}, such as 069500")


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may say beside the file, as it was written.

    `date` and `ticker` are for files that do not tell them. `historic` takes a file that is older than allowed;
    `again` takes the values of one that was imported before. `now` is the instant of the import (aware).
    """

    date: str = ""
    ticker: str = ""
    historic: bool = False
    again: bool = False
    dry_run: bool = False
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became, or would become, of one file: as what it was read, and what it changed.

    `facts` counts the values in it (of a list, the names), `added` those that were not known, `corrected` those that
    were known otherwise. `before` is when the same file was imported before, where it brings nothing new.
    """

    read: ManualRead | ListingRead
    loaded: bool
    rows: int
    facts: int
    added: int = 0
    corrected: int = 0
    before: str = ""


@dataclass(frozen=True, slots=True)
class ManualReport:
    """What an import did, or would do. `changed` is False where the store already held all of it."""

    feed: str
    files: tuple[FileReport, ...]
    issues: tuple[Issue, ...]
    changed: bool
    dry_run: bool


def import_short_balance(folder: Path, source: Path, options: Options = Options()) -> ManualReport:
    """Import short balances: one file, or a folder of them, into the workspace of `folder`. See `run`."""
    return run(folder, SHORT_BALANCE, source, options)


def import_etf_nav(folder: Path, source: Path, options: Options = Options()) -> ManualReport:
    """Import net asset values, premiums and tracking errors of funds. See `run`."""
    return run(folder, ETF_NAV, source, options)


def import_listing(folder: Path, source: Path, options: Options = Options()) -> ManualReport:
    """Import a list of listed companies. See `run`."""
    return run(folder, LISTING, source, options)


def run(folder: Path, feed: str, source: Path, options: Options) -> ManualReport:
    """Import a file, or the files of a folder, of one feed.

    A file loads whole or is quarantined whole, each for itself; everything that loads becomes the store's new state
    in one step. The same file again changes nothing.

    Raises:
        NoWorkspace, NoManualFeeds, NothingToImport, NotADay, NotATicker, SpecErrors: wrong use.
        lock.Busy, CannotStore, ManualDamaged, BarsDamaged, SessionsEnd: the store cannot take it.
    """
    inputs = desk.opened(folder)
    now = (options.now or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    ask, days = _ask(inputs, feed, options, now)
    paths, others = manual_files.tables(source)
    data = inputs.workspace.data
    with contextlib.nullcontext() if options.dry_run else workspace_held(inputs.workspace):
        raw = [manual_files.read(path) for path in paths]
        reads = [_READERS[feed](file, ask) for file in raw]
        batch = Batch(feed, now, options.again, days.sure, ask.rules)
        taken = _taken(data, batch, reads)
        if not options.dry_run:
            _store(data, feed, list(zip(raw, reads, strict=True)), taken)
            inputs.cache.save()
    asides = [Issue(name, None, "not_csv", "holds no table and was not read") for name in others]
    found = [issue for read in reads for issue in read.issues] + [*taken.issues, *asides]
    return ManualReport(
        feed=feed,
        files=tuple(_reported(read, outcome) for read, outcome in zip(reads, taken.outcomes, strict=True)),
        issues=tuple(sorted(found, key=lambda issue: issue.order)),
        changed=taken.index is not None,
        dry_run=options.dry_run,
    )


def _ask(inputs: Inputs, feed: str, options: Options, now: datetime) -> tuple[Ask, TradingDays]:
    for name, where in _NEEDED.items():
        if name not in inputs.sources:
            raise NoManualFeeds(where)
    rules = dict(inputs.value("manual_feeds")["feeds"][feed])
    if options.historic:
        rules["largest_age_days"] = None
    market = market_of(inputs.value("desk")["market"])
    if options.ticker and not market.is_ticker(options.ticker):
        raise NotATicker(options.ticker, market.form)
    day = _day(options.date) if options.date else None
    days = trading_days(inputs)
    closes = _closes(inputs.workspace.data, market.key)
    today = now.astimezone(days.zone).date()
    return Ask(options.ticker or None, day, today, days.sessions, rules, closes), days


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotADay(text) from None


def _closes(data: Path, market: str) -> Mapping[tuple[str, date], float]:
    """The closes of the imported bars, whichever bars the desk stands on: those of the sample are of no real name."""
    index = bars_index(data, market)
    closes: Mapping[tuple[str, date], float] = {}
    if index is not None and index.rows:
        closes = Lazy("quantassay.store.closes:of_market", (data, market))()
    return closes


def _taken(data: Path, batch: Batch, reads: list[Any]) -> Taken:
    """What the files change; where all of them are known or refused, nothing heavy is loaded to say so."""
    index = manual_index.read_index(data)
    taken: Taken | None = unchanged(batch, manual_index.read_log(data, index), reads)
    if taken is None:
        taken = _TAKE[batch.feed](data, batch, reads)
    manual_index.check(data, index)
    return taken


def _store(data: Path, feed: str, pairs: list[tuple[RawFile, Any]], taken: Taken) -> None:
    manual_index.clear(data)
    for (file, read), outcome in zip(pairs, taken.outcomes, strict=True):
        if outcome.loaded:
            manual_index.keep_file(data, file.name, file.digest, file.data)
        else:
            issues = [*read.issues, *(issue for issue in taken.issues if issue.file == file.name)]
            quarantine.put(data, feed, file, issues)
    if taken.index is not None:
        manual_index.replace(data, taken.index, taken.parts)


def _reported(read: ManualRead | ListingRead, outcome: Outcome) -> FileReport:
    shown = read if outcome.loaded == read.loaded else replace(read, loaded=outcome.loaded)
    counts = (outcome.rows, outcome.facts, outcome.added, outcome.corrected)
    return FileReport(shown, outcome.loaded, *counts, outcome.before)
