"""The fund that stands for a market: what names are compared with, and whether the market itself is above its mean."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite, nan
from typing import Any

import polars as pl

from quantassay.domain.signals.daily import daily
from quantassay.domain.signals.indicators import sma

# What is wrong with a benchmark: nobody gets a point for strength then.
MISSING, STALE, BLOCKED, UNADJUSTED = "missing", "stale", "blocked", "unadjusted_action"
# What the state of the market does to candidates.
NOTHING, WARN, BLOCK = "none", "warn", "block"


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The benchmark as it stands on the signal session; where it has an issue nothing may be compared with it.

    `closes` by session, `mean` of the last closes (NaN where there are too few).
    """

    ticker: str | None
    name: str | None
    issue: str | None
    closes: Mapping[date, float]
    mean: float

    def close(self, day: date) -> float:
        """The close of a session, NaN where it has none or cannot be relied on."""
        return nan if self.issue else self.closes.get(day, nan)

    def difference(self, own_return: float, first: date | None, last: date) -> tuple[float, float]:
        """The benchmark's return from one close to another, and how much more the name's own was; NaN if not known."""
        begin = nan if first is None else self.close(first)
        compared = self.close(last) / begin - 1.0 if begin > 0 else nan
        return compared, own_return - compared

    def is_above(self, day: date) -> bool | None:
        """Whether the benchmark closed above its mean; None where that is not known."""
        close = self.close(day)
        return close > self.mean if isfinite(close) and isfinite(self.mean) else None


def choose(listed: Sequence[Mapping[str, str]], with_bars: Container[str]) -> Mapping[str, str] | None:
    """The first of the market's benchmarks that has bars."""
    return next((row for row in listed if row["ticker"] in with_bars), None)


def benchmark(row: Mapping[str, str] | None, issue: str | None, bars: pl.DataFrame, mean_bars: int) -> Benchmark:
    """The benchmark of this row, from its own bars up to the signal session, with the mean of its last closes."""
    if row is None:
        return Benchmark(None, None, MISSING, {}, nan)
    own = daily(bars)
    closes = dict(zip(own.frame["session"], own.close.tolist(), strict=True))
    means = sma(own.layout, own.close, mean_bars)
    return Benchmark(row["ticker"], row["name"], issue, closes, float(means[-1]) if len(means) else nan)


def effect(policy: Mapping[str, Any], *, is_above: bool | None) -> str:
    """What the state of the market does to candidates, by the member `market` of 26_daily_bars.yaml."""
    if is_above is None:
        return str(policy["unknown"])
    return NOTHING if is_above else str(policy["below"])
