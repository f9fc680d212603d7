"""The checks on each file's bars as a series: the same date twice, order, gaps, runs of zeros."""

import polars as pl

from quantassay.feeds.csv_text import capped
from quantassay.feeds.issues import Issue

# The longest closures of Seoul and Shanghai leave eleven days between two sessions; the calendar judges shorter ones.
LONGEST_CLOSURE_DAYS = 11
# A month of sessions on which foreigners bought exactly nothing, at the start of a file.
ZERO_RUN = 20
VALUES = ("open", "high", "low", "close", "volume", "foreign_net_buy")


def settle(bars: pl.DataFrame, names: list[str]) -> tuple[pl.DataFrame, list[Issue]]:
    """One bar a file and session, sorted, and what was noticed on the way.

    `bars` has the columns file (index into `names`), row, session and VALUES, in file order. Rows of the same date with
    different values are issues and leave the frame; equal ones become the first of them.
    """
    issues = _unsorted(bars, names)
    doubled = bars.filter(pl.struct("file", "session").is_duplicated())
    if not doubled.is_empty():
        doubled = doubled.with_columns(pl.struct(VALUES).n_unique().over("file", "session").alias("versions"))
        issues += _doubles(doubled, names)
    once = bars.unique(["file", "session"], keep="first", maintain_order=True).sort("file", "session")
    return once, issues + _gaps(once, names) + _zero_runs(once, names)


def _unsorted(bars: pl.DataFrame, names: list[str]) -> list[Issue]:
    backwards = bars.filter(pl.col("session") < pl.col("session").shift(1).over("file"))
    steps = backwards.group_by("file", maintain_order=True).agg(pl.col("row").first(), pl.len())
    return [
        Issue(names[file], row, "unsorted", f"the bars were sorted; dates that stood after a later one: {count}")
        for file, row, count in steps.iter_rows()
    ]


def _doubles(doubled: pl.DataFrame, names: list[str]) -> list[Issue]:
    """`doubled` holds every row of a date that occurs more than once, with the number of different `versions` of it."""
    conflicts: dict[int, list[Issue]] = {}
    repeats: dict[int, list[int]] = {}
    first: dict[tuple[int, object], int] = {}
    for row in doubled.iter_rows(named=True):
        file, session = row["file"], row["session"]
        earlier = first.setdefault((file, session), row["row"])
        if earlier == row["row"]:
            continue
        if row["versions"] > 1:
            says = f"gives other values for {session} than line {earlier}; remove the wrong one"
            conflicts.setdefault(file, []).append(Issue(names[file], row["row"], "date_conflict", says))
        else:
            repeats.setdefault(file, []).append(row["row"])
    issues = [issue for found in conflicts.values() for issue in capped(found)]
    for file, rows in repeats.items():
        issues.append(
            Issue(names[file], rows[0], "duplicate_row", f"bars that stand there again with equal values: {len(rows)}")
        )
    return issues


def _gaps(bars: pl.DataFrame, names: list[str]) -> list[Issue]:
    days = (pl.col("session") - pl.col("session").shift(1).over("file")).dt.total_days()
    wide = bars.with_columns(days.alias("days")).filter(pl.col("days") > LONGEST_CLOSURE_DAYS)
    widest = wide.group_by("file", maintain_order=True).agg(
        pl.len(), pl.col("days").max().alias("most"), pl.col("row", "session").sort_by("days", descending=True).first()
    )
    return [
        Issue(
            names[row["file"]],
            row["row"],
            "gap",
            f"gaps of more than {LONGEST_CLOSURE_DAYS} days: {row['len']}; the longest, {row['most']} days, "
            f"ends on {row['session']}",
        )
        for row in widest.iter_rows(named=True)
    ]


def _zero_runs(bars: pl.DataFrame, names: list[str]) -> list[Issue]:
    """Files whose foreign figures begin with a run of zeros: most sources write 0 where they do not know."""
    known = bars.filter(pl.col("foreign_net_buy").is_not_null())
    running = known.filter((pl.col("foreign_net_buy") != 0).cum_sum().over("file") == 0)
    runs = running.group_by("file", maintain_order=True).agg(
        pl.len(), pl.col("row").first(), pl.col("session").last().alias("until")
    )
    return [
        Issue(
            names[row["file"]],
            row["row"],
            "foreign_zero_run",
            f"the first {row['len']} foreign figures, to {row['until']}, are all 0: they may mean unknown",
        )
        for row in runs.filter(pl.col("len") >= ZERO_RUN).iter_rows(named=True)
    ]
