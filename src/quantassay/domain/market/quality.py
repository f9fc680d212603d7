"""What the bars of each name are worth: counts of what is missing or wrong, and a verdict."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import polars as pl

from quantassay.domain.market.sessions import Calendar

VERDICTS = ("ok", "warning", "blocked")


def undisputed(cal: Calendar) -> list[date]:
    """The sessions on which the sources agree: only these can be missed."""
    return [day for day in cal.sessions if day not in cal.disputed]


def is_halted() -> pl.Expr:
    """Whether nobody could trade on a bar's session: no volume, and prices all equal, or all 0 but the close."""
    others = ("open", "high", "low")
    equal = pl.all_horizontal(pl.col(name) == pl.col("close") for name in others)
    zeros = pl.all_horizontal(pl.col(name) == 0 for name in others)
    stands_still = (pl.col("volume") == 0) & pl.col("close").is_finite() & (equal | zeros)
    return stands_still.fill_null(value=False)


def counts(rows: pl.DataFrame, cal: Calendar, today: date) -> pl.DataFrame:
    """One row a ticker, in order: bars, first, last, missing, halted, off_calendar, future.

    `rows` are bars by ticker and session, with `repeated` for a further bar of a session (see `bar_faults.ordered`);
    `today` is the date at the exchange. Bars of days to come are counted in `future` and nowhere else, so first and
    last may be null. Bars older than the calendar are not off it.
    """
    sessions = undisputed(cal)
    day, known = pl.col("session"), pl.col("session") <= today
    marked = rows.select(
        "ticker",
        pl.when(known).then(day).alias("day"),
        known.alias("bars"),
        (~known).alias("future"),
        (known & is_halted()).alias("halted"),
        (known & is_off(cal)).alias("off_calendar"),
        (known & day.is_in(sessions) & ~pl.col("repeated")).alias("expected"),
    )
    grouped = marked.group_by("ticker", maintain_order=True).agg(
        pl.col("day").min().alias("first"),
        pl.col("day").max().alias("last"),
        pl.col("bars", "future", "halted", "off_calendar", "expected").sum().cast(pl.Int64),
    )
    spans = [
        bisect_right(sessions, last) - bisect_left(sessions, first) if first else 0
        for first, last in grouped.select("first", "last").iter_rows()
    ]
    missing = pl.Series(spans, dtype=pl.Int64) - pl.col("expected")
    return grouped.with_columns(missing.alias("missing")).drop("expected")


def is_off(cal: Calendar) -> pl.Expr:
    """Whether a bar's date is no session of the calendar; dates before its first are not judged."""
    day = pl.col("session")
    return ~day.is_in(list(cal.sessions)) & (day >= cal.first)


def stale(sessions: list[date], decided: date | None, latest: date) -> int | None:
    """How many of these sessions lie after the deciding bar's, up to the latest; None where no bar decides."""
    if decided is None:
        return None
    return max(0, bisect_right(sessions, latest) - bisect_right(sessions, decided))


def verdict(reasons: Iterable[str], verdicts: Mapping[str, str]) -> str:
    """The worst that any of the reasons means: ok, warning or blocked."""
    return max((verdicts[reason] for reason in reasons), key=VERDICTS.index, default="ok")


def import_summary(import_log: Mapping[str, Any] | None) -> dict[str, Any]:
    """How many files were loaded, which were refused and why, and how often each issue was noticed."""
    log = import_log or {"files": [], "issues": []}
    codes: dict[str, set[str]] = {}
    tally: dict[str, int] = {}
    for issue in log["issues"]:
        codes.setdefault(issue["file"], set()).add(issue["code"])
        tally[issue["code"]] = tally.get(issue["code"], 0) + 1
    refused = sorted(file["file"] for file in log["files"] if not file["loaded"])
    return {
        "loaded": sum(file["loaded"] for file in log["files"]),
        "refused": [{"file": file, "codes": sorted(codes.get(file, ()))} for file in refused],
        "issues": [{"code": code, "count": tally[code]} for code in sorted(tally)],
    }
