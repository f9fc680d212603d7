"""The events of a study: where its signals were, when they could be traded, and what came of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantassay.domain.calibration.studies import Trial
from quantassay.domain.signals import hsms

Days = NDArray[np.int32]
Ints = NDArray[np.int64]
COLUMNS = ("ticker", "session", "open", "close", "volume", "foreign_net_buy")
# Why a signal is no event, in the order in which they are asked: a signal is counted by the first that holds.
REASONS = ("duplicates", "outside", "late", "unfillable", "overlapping")
MILLION = 10**6
# Above this a price in won is a slip; below it no sum of returns can overflow.
MOST_WON = 10**9
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """The complete bars, one a name and session in that order, and beside each bar what a study asks of it.

    `days` are days since 1970; `copies` how often the bar stood in the input; `names` the number of its ticker;
    `entries` the place in `sessions` of the first session after it; `keys` name and place of those bars that are of a
    session, which stand in `rows`; `opens` and `closes` are whole won, 0 where nobody could trade at them.
    """

    bars: pl.DataFrame
    days: Days
    copies: Ints
    names: Ints
    entries: Ints
    sessions: Days
    keys: Ints
    rows: Ints
    opens: Ints
    closes: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a trial found: how many signals, how many of them were left out for which reason, and the events.

    An event is the row of its bar in the market, the rows of its first and last session, and its return in parts per
    million.
    """

    found: int
    left_out: Mapping[str, int]
    rows: Ints
    starts: Ints
    ends: Ints
    returns: Ints


def market(bars: pl.DataFrame, decided: Mapping[str, str | None], sessions: Sequence[str]) -> Market:
    """The bars made ready for studies.

    Args:
        bars: with COLUMNS, in any order; of a name and session that stand twice the first in order of COLUMNS is taken
        decided: each ticker's deciding session (ISO); later bars and other names are not looked at
        sessions: all sessions of the calendar (ISO), ascending
    """
    known, copies = _known(bars, decided)
    days = known["session"].to_physical().to_numpy().astype(np.int32)
    calendar = np.array([date.fromisoformat(day).toordinal() - _EPOCH for day in sessions], dtype=np.int32)
    names = known["ticker"].rle_id().to_numpy().astype(np.int64)
    entries = np.searchsorted(calendar, days, side="right").astype(np.int64)
    places = entries - 1
    rows = np.flatnonzero((places >= 0) & (calendar[places] == days)) if len(calendar) else np.empty(0, np.int64)
    return Market(
        bars=known,
        days=days,
        copies=copies,
        names=names,
        entries=entries,
        sessions=calendar,
        keys=names[rows] * _width(calendar) + places[rows],
        rows=rows,
        opens=_tradable(known, "open"),
        closes=_tradable(known, "close"),
    )


def _known(bars: pl.DataFrame, decided: Mapping[str, str | None]) -> tuple[pl.DataFrame, Ints]:
    ends = pl.DataFrame(
        [(ticker, day) for ticker, day in decided.items() if day is not None],
        schema={"ticker": pl.String, "last": pl.String},
        orient="row",
    ).with_columns(pl.col("last").str.to_date())
    known = (
        bars.select(COLUMNS)
        .join(ends, on="ticker", how="inner", maintain_order="left")
        .filter(pl.col("session") <= pl.col("last"))
        .drop("last")
        .sort("ticker", "session")
    )
    key = pl.struct("ticker", "session")
    if (
        not known.select(
            (pl.col("ticker") == pl.col("ticker").shift()) & (pl.col("session") == pl.col("session").shift())
        )
        .to_series()
        .any()
    ):
        return known, np.ones(known.height, np.int64)
    counted = known.sort(COLUMNS).with_columns(pl.len().over(key).alias("copies"))
    unique = counted.unique(["ticker", "session"], keep="first", maintain_order=True)
    return unique.drop("copies"), unique["copies"].to_numpy().astype(np.int64)


def _tradable(known: pl.DataFrame, column: str) -> Ints:
    """The price in whole won; 0 where it is none, or where no share of the name changed hands on that day."""
    price = pl.col(column)
    whole = price.is_finite() & (price == price.floor()) & (price > 0) & (price <= MOST_WON)
    traded = whole & (pl.col("volume") > 0)
    return known.select(pl.when(traded).then(price).otherwise(0).cast(pl.Int64)).to_series().to_numpy()


def _width(sessions: Days) -> int:
    """More than any place of a session, or of one that lies a horizon behind the last, can be."""
    return 2 * len(sessions) + 1000


def run(bars: Market, trials: Sequence[Trial]) -> Iterator[tuple[int, Found]]:
    """What each trial finds, with its number; not in order, because trials that share work follow each other.

    The return of an event is exit over entry less one, in parts per million, rounded half up.
    """
    results: dict[int, tuple[Ints, Ints]] = {}
    done: dict[Trial, Found] = {}
    ordered = sorted(enumerate(trials), key=lambda item: _figures_key(item[1]))
    for _, group in groupby(ordered, key=lambda item: _figures_key(item[1])):
        members = list(group)
        figures = hsms.figures(bars.bars, members[0][1].rules)
        for number, trial in members:
            if trial not in done:
                if trial.horizon not in results:
                    results[trial.horizon] = _first_and_last(bars, trial.horizon)
                signals = figures.select(hsms.verdict(trial.strategy, trial.rules) == trial.verdict).to_series()
                done[trial] = _found(bars, trial, signals.arg_true().to_numpy().astype(np.int64), results)
            yield number, done[trial]


def _figures_key(trial: Trial) -> tuple[int, ...]:
    """The parameters that the figures depend on; the others only judge them."""
    rules = trial.rules
    return rules.average_window, rules.momentum_window, rules.volume_window, rules.foreign_window


def _first_and_last(bars: Market, horizon: int) -> tuple[Ints, Ints]:
    """For each bar the rows of the bars at which an event would start and end; -1 where the name has no such bar."""
    width = _width(bars.sessions)
    wanted = bars.names * width + bars.entries
    return _row_of(bars, wanted), _row_of(bars, wanted + horizon)


def _row_of(bars: Market, wanted: Ints) -> Ints:
    if not len(bars.keys):
        return np.full(len(wanted), -1, np.int64)
    at = np.minimum(np.searchsorted(bars.keys, wanted), len(bars.keys) - 1)
    return np.where(bars.keys[at] == wanted, bars.rows[at], -1)


def _found(bars: Market, trial: Trial, rows: Ints, results: Mapping[int, tuple[Ints, Ints]]) -> Found:
    """The signals on these rows, one reason after another taken away."""
    until = _number(trial.until)
    rows = rows[bars.days[rows] <= until]
    found = int(bars.copies[rows].sum())
    left_out = {"duplicates": found - len(rows)}

    def keep(reason: str, holds: NDArray[np.bool_]) -> None:
        nonlocal rows
        left_out[reason] = int(len(rows) - holds.sum())
        rows = rows[holds]

    days = bars.days[rows]
    keep("outside", (days >= _number(trial.first)) & (days <= _number(trial.last)))
    keep("late", bars.entries[rows] + trial.horizon < np.searchsorted(bars.sessions, until, side="right"))
    starts, ends = (both[rows] for both in results[trial.horizon])
    keep("unfillable", (starts >= 0) & (ends >= 0) & (bars.opens[starts] > 0) & (bars.closes[ends] > 0))
    keep("overlapping", _apart(bars, rows, trial.horizon))
    starts, ends = (both[rows] for both in results[trial.horizon])
    entry, leave = bars.opens[starts], bars.closes[ends]
    returns = (2 * MILLION * leave + entry) // (2 * entry) - MILLION
    return Found(found, left_out, rows, starts, ends, returns)


def _number(day: date) -> int:
    return day.toordinal() - _EPOCH


def _apart(bars: Market, rows: Ints, horizon: int) -> NDArray[np.bool_]:
    """Which of the signals are kept when each name takes the first that starts after its last one has ended."""
    kept = np.zeros(len(rows), dtype=np.bool_)
    names = bars.names[rows]
    keys = names * _width(bars.sessions) + bars.entries[rows]
    following = np.searchsorted(keys, keys + horizon + 1)
    # All names take their first at once, then all their second, and so on.
    at = np.flatnonzero(np.diff(names, prepend=-1))
    while len(at):
        kept[at] = True
        to = following[at]
        within = to < len(rows)
        within[within] = names[to[within]] == names[at[within]]
        at = to[within]
    return kept


def frame(bars: Market, found: Found) -> pl.DataFrame:
    """The events as rows: `ticker`, `session`, `entry`, `exit`, `entry_price`, `exit_price` (won), `return_ppm`."""
    start, end = bars.bars["session"].gather(found.starts), bars.bars["session"].gather(found.ends)
    return bars.bars.select(pl.col("ticker", "session").gather(found.rows)).with_columns(
        start.alias("entry"),
        end.alias("exit"),
        pl.Series("entry_price", bars.opens[found.starts]),
        pl.Series("exit_price", bars.closes[found.ends]),
        pl.Series("return_ppm", found.returns),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """What statistics need of a trial: the counts, and for each day with signals the sum and number of its returns."""

    found: int
    left_out: Mapping[str, int]
    days: Days
    sums: Ints
    sizes: Ints

    @property
    def n(self) -> int:
        """How many events there are."""
        return int(self.sizes.sum())


def tally(bars: Market, found: Found) -> Tally:
    """The events of a trial by the day of their signals."""
    return Tally(found.found, found.left_out, *by_day(bars.days[found.rows], found.returns))


def by_day(days: Days, returns: Ints, sizes: Ints | None = None) -> tuple[Days, Ints, Ints]:
    """The days in order, and of each the sum of its returns and their number."""
    unique, of = np.unique(days, return_inverse=True)
    sums, counts = np.zeros(len(unique), np.int64), np.zeros(len(unique), np.int64)
    np.add.at(sums, of, returns)
    np.add.at(counts, of, 1 if sizes is None else sizes)
    return unique, sums, counts


def together(parts: Sequence[Tally]) -> Tally:
    """The tally of one trial over several parts of a market, no name in two of them."""
    days, sums, sizes = (np.concatenate([getattr(p, name) for p in parts]) for name in ("days", "sums", "sizes"))
    left_out = {reason: sum(part.left_out[reason] for part in parts) for reason in REASONS}
    return Tally(sum(part.found for part in parts), left_out, *by_day(days, sums, sizes))


def tallies(
    bars: pl.DataFrame, decided: Mapping[str, str | None], sessions: Sequence[str], trials: Sequence[Trial]
) -> list[Tally]:
    """The tally of each trial over these bars; arguments as for `market`. Other processes are sent this call."""
    ready = market(bars, decided, sessions)
    found = {number: tally(ready, one) for number, one in run(ready, trials)}
    return [found[number] for number in range(len(trials))]
