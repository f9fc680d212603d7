"""What fetched bars change in the store: new ones come in, unfinished ones give way, a changed past is told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from quantassay.feeds.day_bars import DayRead
from quantassay.feeds.issues import Issue
from quantassay.harness import canonical
from quantassay.jobs import quarantine
from quantassay.jobs.fetched_answers import Kept
from quantassay.jobs.imported import import_log
from quantassay.store import bars
from quantassay.store.bars_index import clear_parts, read_index

DIFFERS, REPLACED = "bar_differs", "superseded"
_VALUES = ("open", "high", "low", "close", "volume")
Loaded = tuple[Kept, DayRead]


@dataclass(frozen=True, slots=True)
class Settled:
    """From when on a bar of a session is finished, whatever the hour of its own day: `at` in the exchange's `zone`."""

    zone: ZoneInfo
    at: time

    def instants(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Each session of the frame with its instant."""
        days = frame["session"].unique().sort()
        at = [datetime.combine(day, self.at, self.zone).astimezone(UTC) for day in days]
        return pl.DataFrame({"session": days, "settled_at": pl.Series(at, dtype=pl.Datetime("us", "UTC"))})

    def holds(self, kept: Kept) -> bool:
        """Whether an answer was taken late enough for its bars to be finished."""
        return kept.taken_at >= datetime.combine(kept.question.session, self.at, self.zone)


@dataclass(frozen=True, slots=True)
class Stored:
    """What was stored: bars that are new, that finished unfinished ones, that were replaced; what was noticed."""

    new: int
    finished: int
    replaced: int
    issues: tuple[Issue, ...]
    changed: bool


def store(data: Path, market: str, loaded: Sequence[Loaded], settled: Settled, *, replace: bool) -> Stored:
    """Merge the answers into the market's bars, refused rows into quarantine, all into the log, in one step.

    The caller holds the workspace's lock. A bar that is there already stays: an equal one with the source that it has,
    a different one unless it was taken too early, or `replace` is said; the difference is an issue either way.

    Raises CannotStore, BarsDamaged.
    """
    clear_parts(data, market)
    before = read_index(data, market)
    frame = bars.read_or_empty(data, market)
    new = finished = replaced = 0
    noticed: list[Issue] = []
    for part in _rounds(loaded):
        fresh = pl.concat([read.frame for _, read in part])
        frame, counts, told = _merged(frame, fresh, settled.instants(fresh), replace=replace)
        new, finished, replaced = new + counts[0], finished + counts[1], replaced + counts[2]
        noticed += told
    for _, read in loaded:
        for _, file in read.refused:
            quarantine.put(data, market, file, [issue for issue in read.issues if issue.file == file.name])
    issues = [issue for _, read in loaded for issue in read.issues] + noticed
    after = bars.replace(data, market, frame, _log(data, market, loaded, issues))
    return Stored(new, finished, replaced, tuple(sorted(issues, key=lambda one: one.order)), after != before)


def _rounds(loaded: Sequence[Loaded]) -> Iterator[list[Loaded]]:
    """The answers in order of time, so that no round has two of one board and session."""
    waiting = sorted(loaded, key=lambda one: (one[0].taken_at, one[0].file))
    while waiting:
        seen: set[tuple[str, str]] = set()
        this: list[Loaded] = []
        later: list[Loaded] = []
        for one in waiting:
            of = (one[0].note["board"], one[0].note["session"])
            (later if of in seen else this).append(one)
            seen.add(of)
        yield this
        waiting = later


def _merged(
    held: pl.DataFrame, fresh: pl.DataFrame, instants: pl.DataFrame, *, replace: bool
) -> tuple[pl.DataFrame, tuple[int, int, int], list[Issue]]:
    """The bars after these, counts of bars new, finished and replaced, and what differs."""
    # A name that moved to the other board on this day may stand in both.
    fresh = fresh.unique(bars.KEY, keep="first", maintain_order=True)
    both = fresh.join(held, on=bars.KEY, how="left", suffix="_held").join(instants, on="session", how="left")
    was = pl.col("source_held").is_not_null()
    early = (pl.col("taken_at_held") < pl.col("settled_at")).fill_null(value=False)
    too_early = pl.col("taken_at") < pl.col("settled_at")
    later = (pl.col("taken_at") > pl.col("taken_at_held")).fill_null(value=False)
    differs = pl.any_horizontal(*(pl.col(name).ne_missing(pl.col(f"{name}_held")) for name in _VALUES))
    both = both.with_columns(
        (~was).alias("is_new"),
        (was & early & later).alias("finishes"),
        (was & differs & ~early & ~too_early).alias("differs"),
    )
    taken = both.filter(pl.col("is_new") | pl.col("finishes") | (pl.col("differs") & replace))
    # These sources know nothing of foreign buying: what a finished bar had of it stays.
    foreign = pl.coalesce("foreign_net_buy", pl.when(~early).then("foreign_net_buy_held"))
    rows = taken.with_columns(foreign.alias("foreign_net_buy")).select(bars.SCHEMA.names())
    frame = pl.concat([held.join(rows.select(bars.KEY), on=bars.KEY, how="anti"), rows]).sort(bars.KEY)
    counts = tuple(int(taken[name].sum()) for name in ("is_new", "finishes", "differs"))
    return frame, (counts[0], counts[1], counts[2]), list(_differences(both.filter("differs"), replace=replace))


def _differences(differing: pl.DataFrame, *, replace: bool) -> Iterator[Issue]:
    for row in (
        differing.group_by("source").agg(pl.len(), pl.all().sort_by(*bars.KEY).first()).sort("source").to_dicts()
    ):
        changes = [
            f"{name} {row[f'{name}_held']:.15g}, now {row[name]:.15g}"
            for name in _VALUES
            if row[name] is not None and row[f"{name}_held"] is not None and row[name] != row[f"{name}_held"]
        ]
        what = f"bars with other values than {row['source_held']}: {row['len']}; first {row['ticker']} {row['session']}"
        done = (
            "the new ones are kept" if replace else "the old ones stay; look which are right, --replace takes the new"
        )
        yield Issue(row["source"], None, REPLACED if replace else DIFFERS, f"{what} ({', '.join(changes)}); {done}")


def _log(data: Path, market: str, loaded: Sequence[Loaded], issues: Sequence[Issue]) -> bytes:
    """The import log after these answers: a newer one ends what was said of refused rows of its board and session."""
    old, _ = import_log(data, market)
    again = {(kept.note["board"], kept.note["session"]) for kept, _ in loaded}
    stay = [entry for entry in old["files"] if entry["loaded"] or _is_open(data, entry, again)]
    new = [entry for kept, read in loaded for entry in _entries(kept, read)]
    files = sorted([*stay, *new], key=lambda entry: (entry["file"], not entry["loaded"]))
    named = {entry["file"] for entry in files}
    overtaken = {entry["file"] for entry in old["files"] if _of(entry) in again}
    kept_issues = [
        issue
        for issue in old["issues"]
        if issue["file"] in named and not (issue["code"] == DIFFERS and issue["file"] in overtaken)
    ]
    every = [*kept_issues, *(issue.to_json() for issue in issues)]
    every.sort(key=lambda issue: Issue(**issue).order)
    return canonical.dumps({"files": files, "issues": every})


def _is_open(data: Path, entry: Mapping[str, Any], again: set[tuple[str, str]]) -> bool:
    """Whether a refused file still waits for somebody: nobody has dismissed it, and no newer answer speaks of it."""
    return _of(entry) not in again and quarantine.holds(data, entry["file"], entry["digest"])


def _of(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    return (entry["fetch"]["board"], entry["fetch"]["session"]) if "fetch" in entry else None


def _entries(kept: Kept, read: DayRead) -> Iterator[dict[str, Any]]:
    note = {"digest": kept.note["digest"], "fetch": kept.provenance()}
    yield {"file": kept.file, "ticker": None, "rows": read.frame.height, "loaded": True, **note}
    for ticker, file in read.refused:
        note = {"digest": file.digest, "fetch": kept.provenance()}
        yield {"file": file.name, "ticker": ticker, "rows": 1, "loaded": False, **note}
