"""Which bar of each name decides, by the session that it belongs to and never by its volume."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import polars as pl

from quantassay.domain.market import predecessor
from quantassay.domain.market.predecessor import Thin
from quantassay.domain.market.sessions import Calendar, hours, is_complete, is_session, last_complete, local_day

COMPLETE = "complete"
SESSION_OPEN = "session_open"
TAKEN_EARLY = "taken_early"
NO_SESSION = "no_session"
FUTURE = "future"
LAST_BAR = "last_bar"


@dataclass(frozen=True, slots=True)
class Rule:
    """The evaluation bar spec: policy `session`, `predecessor` or `last_bar`."""

    policy: str
    grace: timedelta
    thin: Thin


def rule(spec: dict[str, Any]) -> Rule:
    """The rule in the value of 12_evaluation_bar.yaml."""
    thin = spec["thin_volume"]
    return Rule(
        spec["policy"],
        timedelta(minutes=spec["grace_minutes"]),
        Thin(thin["bars"], thin["floor"], Fraction(Decimal(thin["ratio"]))),
    )


def judged(bars: pl.DataFrame, cal: Calendar, at: datetime, grace: timedelta) -> pl.DataFrame:
    """The bars with a column `state`: complete, session_open, taken_early, no_session or future.

    A bar of the time before the calendar counts as complete. `bars` needs session and taken_at.
    """
    today = local_day(cal, at)
    days = bars.select("session").unique()
    rows = []
    for day in days["session"]:
        over_at = None
        if day > today:
            state = FUTURE
        elif day < cal.first:
            state = COMPLETE
        elif not is_session(cal, day):
            state = NO_SESSION
        else:
            state = COMPLETE if is_complete(cal, day, at, grace) else SESSION_OPEN
            over_at = (hours(cal, day).close + grace).astimezone(UTC)
        rows.append((day, state, over_at))
    schema: dict[str, Any] = {"session": pl.Date, "state": pl.String, "over_at": pl.Datetime("us", "UTC")}
    dated = bars.join(pl.DataFrame(rows, schema=schema, orient="row"), on="session", how="left", maintain_order="left")
    early = (pl.col("state") == COMPLETE) & (pl.col("taken_at") < pl.col("over_at")).fill_null(value=False)
    return dated.with_columns(state=pl.when(early).then(pl.lit(TAKEN_EARLY)).otherwise("state")).drop("over_at")


def evaluate(bars: pl.DataFrame, cal: Calendar, at: datetime, chosen: Rule) -> pl.DataFrame:
    """One row a ticker: session (null where no bar is complete), bars, dropped, reason, source, thin, unfinished.

    `bars` is sorted by ticker and session. A bar on a date that is no session, or of a day to come, never decides.
    """
    # The other columns would be copied three times over, and a number that ascends is grouped far faster than a name.
    needed = bars.select(pl.col("ticker").rle_id().alias("name"), "ticker", "session", "volume", "taken_at", "source")
    states = judged(needed, cal, at, chosen.grace).with_columns(pl.col("name").set_sorted())
    ends = _ends(states, cal, at, chosen)
    kept = states.join(ends.select("name", "end"), on="name", maintain_order="left")
    kept = kept.filter(pl.col("session") <= pl.col("end")).with_columns(pl.col("name").set_sorted())
    early = pl.col("state").is_in([TAKEN_EARLY, SESSION_OPEN]) & (pl.col("session") < pl.col("end"))
    decided = kept.group_by("name", maintain_order=True).agg(
        pl.len().alias("bars"), pl.col("source").last(), early.sum().alias("unfinished")
    )
    return (
        ends.join(decided, on="name", how="left", maintain_order="left")
        .join(_thin(kept, chosen.thin), on="name", how="left", maintain_order="left")
        .with_columns(pl.col("bars", "unfinished").fill_null(0), pl.col("thin").fill_null(value=False))
        .select(
            "ticker",
            pl.col("end").alias("session"),
            pl.col("bars").cast(pl.Int64),
            (pl.col("rows") - pl.col("bars")).cast(pl.Int64).alias("dropped"),
            "reason",
            "source",
            "thin",
            pl.col("unfinished").cast(pl.Int64),
        )
    )


def last_session(cal: Calendar, at: datetime, chosen: Rule) -> str:
    """The latest session that was over at this instant, the rule's grace included, as ISO text."""
    return last_complete(cal, at, chosen.grace).isoformat()


def _ends(states: pl.DataFrame, cal: Calendar, at: datetime, chosen: Rule) -> pl.DataFrame:
    """One row a ticker in order: its number `name`, ticker, end (the deciding session or null), reason, rows."""
    grouped = states.group_by("name", maintain_order=True)
    ticker, rows = pl.col("ticker").first(), pl.len().alias("rows")
    if chosen.policy == "session":
        complete = pl.col("session").filter(pl.col("state") == COMPLETE).last()
        return grouped.agg(ticker, complete.alias("end"), pl.col("state").last().alias("reason"), rows)
    known = pl.col("state") != FUTURE
    if chosen.policy == LAST_BAR:
        last = pl.col("session").filter(known).last().alias("end")
        return grouped.agg(ticker, last, rows).with_columns(pl.lit(LAST_BAR).alias("reason"))
    # The old rule knew one series at a time; it is here to be compared with, so it stays plain.
    tails = grouped.agg(
        ticker,
        rows,
        pl.col("session").filter(known).tail(chosen.thin.bars + 1).alias("sessions"),
        pl.col("volume").filter(known).tail(chosen.thin.bars + 1).alias("volumes"),
        pl.col("source").filter(known).last(),
    )
    ends = []
    for row in tails.iter_rows(named=True):
        days = [day.strftime("%Y%m%d") for day in row["sessions"]]
        why = predecessor.dropped_for(
            days,
            row["volumes"],
            currency=cal.currency,
            provider=predecessor.provider(row["source"]),
            now=at,
            thin=chosen.thin,
        )
        end = row["sessions"][-2 if why else -1] if row["sessions"] else None
        ends.append((row["name"], row["ticker"], end, why or LAST_BAR, row["rows"]))
    schema = {"name": pl.UInt32, "ticker": pl.String, "end": pl.Date, "reason": pl.String, "rows": pl.UInt32}
    return pl.DataFrame(ends, schema=schema, orient="row")


def _thin(kept: pl.DataFrame, thin: Thin) -> pl.DataFrame:
    """name, thin: judged on the last of the kept bars, in whole numbers."""
    tails = kept.group_by("name", maintain_order=True).tail(thin.bars + 1)
    volume = pl.col("volume").fill_null(0)
    last, before = volume.last(), volume.slice(0, pl.len() - 1)
    count, total = before.len().cast(pl.Int64), before.sum()
    above = (count > 0) & (total > thin.floor * count)
    below = last * thin.ratio.denominator * count < total * thin.ratio.numerator
    return tails.group_by("name", maintain_order=True).agg((above & below).alias("thin"))
