"""Import bars and universe lists: what is good goes into the store, what is bad into quarantine, all into the log."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from quantassay.errors import AssayError
from quantassay.feeds import sample_market
from quantassay.feeds.csv_bars import BarsRead, FileRead, Prices, read_bars
from quantassay.feeds.issues import HARMLESS, Issue
from quantassay.feeds.markets import market_of
from quantassay.feeds.raw_files import SourceMissing, list_source, read_file, read_files
from quantassay.feeds.universe_csv import read_universe
from quantassay.harness import canonical, lock
from quantassay.jobs import quarantine
from quantassay.jobs.imported import ensure_sample, import_log, keep_universe, universe_import
from quantassay.store import bars
from quantassay.store.bars_index import (
    SAMPLE,
    BarsIndex,
    CannotStore,
    NoBars,
    adjusted_key,
    clear_parts,
    read_index,
)

__all__ = [
    "BarNotFound",
    "ImportReport",
    "NotAnInstant",
    "ensure_sample",
    "explain_adjusted_bar",
    "explain_bar",
    "import_bars",
    "import_log",
    "import_universe",
    "universe_import",
    "write_sample",
]

WAIT_S = 10.0
# Where it is already tomorrow: no bar and no list can be of a later date anywhere.
_EASTERNMOST = timedelta(hours=14)
# Notes about what a file replaced; they stay with it when the same file comes again.
_REPLACED = ("history_shortened", "superseded")
_VALUES = ("open", "high", "low", "close", "volume", "foreign_net_buy")


class NotAnInstant(AssayError):
    """A time of taking that cannot be."""

    def __init__(self, taken_at: str, why: str) -> None:
        super().__init__(f"--taken-at {taken_at} {why}; write it like 2026-11-18T10:13:00+09:00")


class BarNotFound(AssayError):
    """A pointer to a bar that the store does not hold."""

    def __init__(self, market: str, pointer: str) -> None:
        super().__init__(
            f"there is no bar {pointer} of {market}; write /ticker/session/column, as /005930/2026-11-18/close"
        )


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do: counts of files, the names loaded and quarantined, rows loaded, all issues.

    `rows` counts bars, or names of a universe list. `changed` is False where the store already held all of it.
    """

    files: int
    loaded: tuple[str, ...]
    quarantined: tuple[str, ...]
    rows: int
    issues: tuple[Issue, ...]
    changed: bool


def import_bars(  # noqa: PLR0913 - the keywords may be left out
    data_dir: Path,
    source: Path,
    market: str,
    taken_at: datetime | None = None,
    now: datetime | None = None,
    *,
    prices: Prices = Prices.RAW,
    dry_run: bool = False,
) -> ImportReport:
    """Import a folder of bar files, or one file, into the market's raw series or into its adjusted one.

    Files load or are quarantined one by one; a file that loads replaces all bars of its ticker; one that is refused
    leaves them. The store and the log change together or not at all.

    Args:
        data_dir: the workspace's data folder
        source: a folder of .csv files, or one file
        market: market key
        taken_at: when the bars were taken (aware); marks the bars of that date
        now: the time of the import (aware); a bar dated later than that anywhere on earth is refused
        prices: which series is filled, and from which columns; the other one stays as it is
        dry_run: say what would happen, write nothing

    Raises:
        UnknownMarket, SourceMissing, NotAnInstant: wrong use.
        lock.Busy, CannotStore, BarsDamaged: the store cannot take it.
    """
    place = market_of(market)
    key = market if prices is Prices.RAW else adjusted_key(market)
    if taken_at is not None and taken_at.tzinfo is None:
        raise NotAnInstant(taken_at.isoformat(), "has no zone")
    if taken_at is not None and now is not None and taken_at > now:
        raise NotAnInstant(taken_at.isoformat(), "has not come yet")
    paths, others = list_source(source)
    with contextlib.nullcontext() if dry_run else held(data_dir):
        read = read_bars(read_files(paths), place, taken_at, _latest(now), prices=prices)
        asides = [Issue(name, None, "not_csv", "is no .csv file and was not read") for name in others]
        if taken_at is not None and read.frame["taken_at"].null_count() == read.frame.height:
            says = f"no bar that loaded is of the date of {taken_at.isoformat()}, so --taken-at marks nothing"
            asides.append(Issue(source.name, None, "taken_at_unused", says))
        frame, log, notes = _merged(data_dir, key, read, keep_taken=taken_at is None)
        changed = _state(bars.content_digest(frame), log) != _current(read_index(data_dir, key))
        if not dry_run:
            clear_parts(data_dir, key)
            _set_aside(data_dir, key, read)
            bars.replace(data_dir, key, frame, log)
    issues = sorted([*read.issues, *notes, *asides], key=lambda issue: issue.order)
    return ImportReport(
        files=len(read.files),
        loaded=tuple(file.name for file in read.files if file.loaded),
        quarantined=tuple(file.name for file in read.files if not file.loaded),
        rows=sum(file.rows for file in read.files if file.loaded),
        issues=tuple(issues),
        changed=changed,
    )


def import_universe(
    data_dir: Path,
    source: Path,
    market: str,
    session: date | None = None,
    now: datetime | None = None,
    *,
    dry_run: bool = False,
) -> ImportReport:
    """Import one universe list; a list that cannot be used, also an empty one, is quarantined and none takes its place.

    `session` overrides the date in the file's name. Raises UnknownMarket, SourceMissing, lock.Busy, CannotStore.
    """
    place = market_of(market)
    if not source.is_file():
        raise SourceMissing(source, "is no file")
    with contextlib.nullcontext() if dry_run else held(data_dir):
        file = read_file(source)
        read = read_universe(file, place, session, _latest(now))
        names = [{field: getattr(name, field) for field in name.__slots__} for name in read.names]
        changed = False
        if read.session is None:
            if not dry_run:
                quarantine.put(data_dir, market, file, read.issues)
        else:
            listed = {"session": read.session.isoformat(), "file": read.file, "names": names}
            before = universe_import(data_dir, market, read.session)[1]
            changed = before != canonical.digest(listed)
            if not dry_run:
                keep_universe(data_dir, market, listed)
    loaded, refused = ((read.file,), ()) if read.loaded else ((), (read.file,))
    return ImportReport(1, loaded, refused, len(names), read.issues, changed)


def explain_bar(data_dir: Path, market: str, pointer: str) -> list[str]:
    """The raw row behind `/{ticker}/{session}/{column}`, in lines. Raises BarNotFound, NoBars, BarsDamaged."""
    steps = pointer.strip("/").split("/")
    ticker, session, column = (*steps, "", "", "")[:3]
    found = bars.read(data_dir, market).filter(
        (pl.col("ticker") == ticker) & (pl.col("session").dt.to_string("iso") == session)
    )
    if found.is_empty() or len(steps) not in (2, 3) or (column and column not in bars.SCHEMA):
        raise BarNotFound(market, pointer)
    bar = found.row(0, named=True)
    log, _ = import_log(data_dir, market)
    digest = next((f["digest"] for f in log["files"] if f["loaded"] and f["file"] == bar["source"]), "sha256:unknown")
    values = ", ".join(f"{name} {_plain(bar[name])}" for name in _VALUES)
    origin = "simulated by spec/40_sample_market.yaml" if market == SAMPLE else f"file {digest[:19]}"
    lines = [f"{market} {ticker} {session}: {values}", f"{bar['source']} line {bar['row']} ({origin})"]
    if column:
        lines.insert(0, f"{column} = {_plain(bar[column])}")
    if bar["taken_at"] is not None:
        lines.append(f"taken at {bar['taken_at'].isoformat()}")
    return lines


def explain_adjusted_bar(data_dir: Path, key: str, pointer: str) -> list[str]:
    """The same in the adjusted series, which a name need not have: then that is what there is to say of it."""
    try:
        return explain_bar(data_dir, key, pointer)
    except (NoBars, BarNotFound):
        return [f"{key}: no adjusted bar {pointer} was imported"]


def write_sample(data_dir: Path, spec: Mapping[str, Any], sessions: Sequence[date], recipe: str) -> None:
    """Simulate the sample market and put it, its log and its universe list into the store."""
    simulated = sample_market.simulate(spec, sessions)
    prices = dict.fromkeys(("open", "high", "low", "close"), pl.Int64())
    schema = {name: prices.get(name, bars.SCHEMA[name]) for name in sample_market.SampleBar._fields}
    frame = pl.DataFrame(simulated, schema=schema, orient="row").with_columns(
        pl.format("sample:{}", "ticker").alias("source"),
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("ticker").alias("row"),
    )
    counts = frame.group_by("ticker", "source").len().sort("ticker")
    files = [
        {"file": source, "ticker": ticker, "rows": rows, "loaded": True, "digest": recipe}
        for ticker, source, rows in counts.iter_rows()
    ]
    names = sample_market.universe(spec, simulated)
    last = max(bar.session for bar in simulated)
    keep_universe(data_dir, SAMPLE, {"session": last.isoformat(), "file": "sample", "names": names})
    bars.replace(data_dir, SAMPLE, frame, canonical.dumps({"files": files, "issues": []}), recipe)


@contextlib.contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Hold the workspace's lock, so that no build reads while the store changes. Raises lock.Busy, CannotStore."""
    path = data_dir / "locks" / "build.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError as error:
        raise CannotStore(path, error.strerror or str(error)) from error
    with lock.held(path, WAIT_S):
        yield


def _latest(now: datetime | None) -> date:
    return date.max if now is None else (now.astimezone(UTC) + _EASTERNMOST).date()


def _plain(value: Any) -> str:
    """A value as a person writes it; whole prices without a point."""
    return "unknown" if value is None else f"{value:.15g}" if isinstance(value, float) else str(value)


def _state(content: str, log: bytes) -> tuple[str, str]:
    return content, canonical.sha256(log)


def _current(index: BarsIndex | None) -> tuple[str, str] | None:
    return None if index is None else (index.content, index.log_sha256)


def _set_aside(data_dir: Path, market: str, read: BarsRead) -> None:
    for file in read.files:
        if file.refused is not None:
            issues = [issue for issue in read.issues if issue.file == file.name]
            quarantine.put(data_dir, market, file.refused, issues)


def _merged(
    data_dir: Path, market: str, read: BarsRead, *, keep_taken: bool
) -> tuple[pl.DataFrame, bytes, list[Issue]]:
    """The market's bars and log after this import, and what the new files changed in the old bars."""
    held = bars.read_or_empty(data_dir, market)
    old, _ = import_log(data_dir, market)
    known = {entry["ticker"]: entry["digest"] for entry in old["files"] if entry["loaded"]}
    loaded = [file for file in read.files if file.loaded]
    again = {file.ticker for file in loaded if known.get(file.ticker) == file.digest}
    # The same bytes say nothing new, so the time at which they were once known to be taken stays.
    fresh = read.frame.filter(~pl.col("ticker").is_in(again)) if keep_taken else read.frame
    tickers = fresh["ticker"].unique().implode()
    notes = _differences(held.filter(pl.col("ticker").is_in(tickers)), fresh)
    frame = pl.concat([held.filter(~pl.col("ticker").is_in(tickers)), fresh]).sort(bars.KEY)
    repeated = {file.name for file in loaded if file.ticker in again}
    kept = [i for i in old["issues"] if i["file"] in repeated and i["code"] in _REPLACED]
    log = _log(data_dir, old, read.files, [*kept, *(issue.to_json() for issue in (*read.issues, *notes))])
    return frame, log, notes


def _differences(held: pl.DataFrame, fresh: pl.DataFrame) -> list[Issue]:
    """What the fresh bars of each ticker change in those held: other values, sessions gone."""
    names = dict(fresh.select("ticker", "source").unique().iter_rows())
    both = held.join(fresh, on=bars.KEY, how="left", suffix="_new", coalesce=True)
    gone = pl.col("source_new").is_null()
    differs = ~gone & pl.any_horizontal(*(pl.col(name).ne_missing(pl.col(f"{name}_new")) for name in _VALUES))
    counted = both.group_by("ticker").agg(
        pl.len().alias("old"),
        differs.sum().alias("differ"),
        gone.sum().alias("gone"),
        pl.col("session").filter(gone).max().alias("last_gone"),
        pl.col("session").filter(differs).min().alias("first_differing"),
    )
    rows = dict(fresh.group_by("ticker").len().iter_rows())
    notes = []
    for row in counted.sort("ticker").iter_rows(named=True):
        name, new = names[row["ticker"]], rows[row["ticker"]]
        if row["differ"]:
            differing = f"{row['differ']} have other values, first {row['first_differing']}"
            says = f"replaced {row['old']} bars by {new}; {differing}"
            notes.append(Issue(name, None, "superseded", says))
        if row["gone"]:
            says = f"replaced {row['old']} bars by {new}; {row['gone']} sessions are gone, the last {row['last_gone']}"
            notes.append(Issue(name, None, "history_shortened", says))
    return notes


def _log(
    data_dir: Path, old: Mapping[str, Any], reads: Sequence[FileRead], found: Sequence[Mapping[str, Any]]
) -> bytes:
    """The log after these files: a file that loads ends what was said of its ticker, a refused one stands beside it."""
    loaded = {read.ticker for read in reads if read.loaded}
    names = {read.name for read in reads}
    stay = [
        entry
        for entry in old["files"]
        if entry["ticker"] not in loaded
        and (
            entry["loaded"]
            or (entry["file"] not in names and quarantine.holds(data_dir, entry["file"], entry["digest"]))
        )
    ]
    new = [{"file": r.name, "ticker": r.ticker, "rows": r.rows, "loaded": r.loaded, "digest": r.digest} for r in reads]
    files = sorted([*stay, *new], key=lambda entry: (entry["file"], not entry["loaded"]))
    good = {entry["file"] for entry in files if entry["loaded"]}
    bad = {entry["file"] for entry in files if not entry["loaded"]}
    still_good = {entry["file"] for entry in stay if entry["loaded"]}
    # What does no harm belongs to the file that loaded, what does to the one that was refused.
    kept = [
        issue
        for issue in old["issues"]
        if (issue["code"] in HARMLESS and issue["file"] in still_good)
        or (issue["file"] in bad and issue["file"] not in names)
    ]
    added = [issue for issue in found if not (issue["code"] in HARMLESS and issue["file"] in still_good)]
    issues = [issue for issue in (*kept, *added) if issue["file"] in good | bad]
    issues.sort(key=lambda issue: Issue(**issue).order)
    return canonical.dumps({"files": files, "issues": issues})
