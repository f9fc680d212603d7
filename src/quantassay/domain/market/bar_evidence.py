"""What the choice of a deciding bar rests on: the state of the name's last bar, its hours, its volume, its sources."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from quantassay.domain.figures import text
from quantassay.domain.market.evaluation import COMPLETE, SESSION_OPEN, TAKEN_EARLY, Rule, judged
from quantassay.domain.market.sessions import Calendar, hours

_IN_SESSION = (COMPLETE, SESSION_OPEN, TAKEN_EARLY)


def of_last_bars(bars: pl.DataFrame, cal: Calendar, at: datetime, chosen: Rule) -> dict[str, dict[str, Any]]:
    """By ticker: session, state, taken_at, over_at, volume, volume_mean and volume_bars of the name's last bar.

    `over_at` is when the bar's session is over, the grace included; None on a date without a session, or of a day to
    come, or older than the calendar. `volume_mean` is the mean of the `volume_bars` bars before it, as text; a volume
    that is missing counts as 0. `bars` is sorted by ticker and session.
    """
    tails = judged(bars.group_by("ticker", maintain_order=True).tail(chosen.thin.bars + 1), cal, at, chosen.grace)
    rows = tails.group_by("ticker", maintain_order=True).agg(
        pl.col("session", "state", "taken_at").last(), pl.col("volume").alias("volumes")
    )
    found = {}
    for row in rows.iter_rows(named=True):
        *before, volume = row["volumes"]
        found[row["ticker"]] = {
            "session": row["session"].isoformat(),
            "state": row["state"],
            "taken_at": row["taken_at"].astimezone(UTC).isoformat() if row["taken_at"] else None,
            "over_at": _over_at(cal, row["session"], row["state"], chosen.grace),
            "volume": volume,
            "volume_mean": text(sum(one or 0 for one in before) / len(before)) if before else None,
            "volume_bars": len(before),
        }
    return found


def mixed_sources(bars: pl.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Of names whose bars come from more than one source: each source with its bars, first and last session.

    A source is a file, or the feed before the slash in the bar's own (`pykrx/...`). Each bar is judged by its own
    session and its own time of taking, whatever source it came from; this shows where a fallback begins and ends.
    """
    source = pl.col("source").str.split("/").list.first()
    mixed = bars.group_by("ticker").agg(source.n_unique().alias("count")).filter(pl.col("count") > 1)
    if mixed.is_empty():
        return {}
    rows = (
        bars.filter(pl.col("ticker").is_in(mixed["ticker"].implode()))
        .group_by("ticker", source.alias("source"), maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("bars"),
            pl.col("session").min().dt.to_string("iso").alias("first"),
            pl.col("session").max().dt.to_string("iso").alias("last"),
        )
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row.pop("ticker"), []).append(row)
    return found


def _over_at(cal: Calendar, day: date, state: str, grace: timedelta) -> str | None:
    if state not in _IN_SESSION or day < cal.first:
        return None
    return (hours(cal, day).close + grace).isoformat()
