"""Which series of a name the buy rules read: the adjusted prices where they are as good as the traded ones, else those.

Adjusted prices count only if they reach the deciding bar, leave out no session that the traded ones have, and hold no
bar that was taken before its session was over. Otherwise an average would be made of other days than it says.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, timedelta

import polars as pl

from quantassay.domain.market.sessions import Calendar, hours, is_session

ADJUSTED, RAW = "adjusted", "raw"


def up_to(bars: pl.DataFrame, decided: Mapping[str, date]) -> pl.DataFrame:
    """The bars of these names up to the deciding session of each, sorted, the first of several of one session."""
    last = pl.DataFrame(list(decided.items()), schema={"ticker": pl.String, "last": pl.Date}, orient="row")
    known = bars.join(last, on="ticker", how="inner", maintain_order="left").filter(pl.col("session") <= pl.col("last"))
    ordered = known.drop("last").sort("ticker", "session", maintain_order=True)
    repeated = (pl.col("ticker") == pl.col("ticker").shift()) & (pl.col("session") == pl.col("session").shift())
    return ordered.filter(~repeated.fill_null(value=False))


def adjusted_names(raw: pl.DataFrame, adjusted: pl.DataFrame, cal: Calendar, grace: timedelta) -> frozenset[str]:
    """The names whose adjusted prices the rules may read; the raw bars end on the deciding ones (see `up_to`)."""
    other = _days(adjusted)
    traded = _days(raw.filter(pl.col("ticker").is_in(list(other))))
    early = _taken_early(adjusted, cal, grace)
    return frozenset(
        ticker for ticker, days in other.items() if ticker not in early and _same_days(traded.get(ticker, []), days)
    )


def chosen(raw: pl.DataFrame, adjusted: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """The adjusted bars of these names, the raw bars of all others, sorted by name and session."""
    is_adjusted = pl.col("ticker").is_in(list(names))
    columns = [name for name in raw.columns if name in adjusted.columns]
    parts = [raw.filter(~is_adjusted).select(columns), adjusted.filter(is_adjusted).select(columns)]
    return pl.concat(parts).sort("ticker", "session", maintain_order=True)


def _days(bars: pl.DataFrame) -> dict[str, list[date]]:
    return dict(bars.group_by("ticker", maintain_order=True).agg("session").iter_rows())


def _same_days(traded: list[date], adjusted: list[date]) -> bool:
    """Whether both series hold the same days from where both have begun, so that they end together too."""
    if not traded:
        return False
    begin = max(traded[0], adjusted[0])
    return [day for day in traded if day >= begin] == [day for day in adjusted if day >= begin]


def _taken_early(bars: pl.DataFrame, cal: Calendar, grace: timedelta) -> set[str]:
    """The names with a bar that was taken before its session was over."""
    taken = bars.filter(pl.col("taken_at").is_not_null()).select("ticker", "session", "taken_at")
    over = [
        (day, (hours(cal, day).close + grace).astimezone(UTC))
        for day in taken["session"].unique()
        if cal.first <= day <= cal.last and is_session(cal, day)
    ]
    ends = pl.DataFrame(over, schema={"session": pl.Date, "over_at": pl.Datetime("us", "UTC")}, orient="row")
    early = taken.join(ends, on="session").filter(pl.col("taken_at") < pl.col("over_at"))
    return set(early["ticker"])
