"""How sure a mean is: its interval and its p-value from days drawn anew, and what many tries take from them.

The percentile bootstrap (Efron, "Bootstrap methods: another look at the jackknife", 1979) over clusters (Cameron,
Gelbach and Miller, "Bootstrap-based improvements for inference with clustered errors", 2008): names that signal on one
day go through the same market and are no independent events, so a day is drawn with all of its events. The correction
is Holm's ("A simple sequentially rejective multiple test procedure", 1979). All numbers are whole, so that any other
way to work them out comes to the same ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
MILLION = 10**6
# Draws that are held in memory at once.
_AT_ONCE = 2_000_000
_HALF = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How it is drawn: `resamples` times from `seed`; the interval holds `level`; too few days give none."""

    resamples: int
    level: Fraction
    seed: int
    least_sessions: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """The ends of the interval in parts per million, and the share of means that contradict the direction."""

    low: int
    high: int
    p_value: Fraction


def recipe(spec: Mapping[str, Any]) -> Recipe:
    """The recipe in `bootstrap` of the spec event_studies, whose level is a text."""
    return Recipe(spec["resamples"], Fraction(spec["level"]), spec["seed"], spec["least_sessions"])


def mean(total: int, count: int) -> int | None:
    """The mean of returns in parts per million, rounded half up; None of none."""
    return (2 * total + count) // (2 * count) if count else None


def drawn(sums: Ints, sizes: Ints, how: Recipe, direction: str) -> Drawn | None:
    """The interval and p-value of a mean; None where there are too few days to say anything.

    Of each drawing the mean is rounded half up to parts per million. With B drawings in ascending order the ends of the
    interval are those of rank ceil(a * B) and ceil((1 - a) * B), a = (1 - level) / 2. The p-value is one-sided:
    (k + 1) / (B + 1), where k drawings have a mean that is not in the direction (Davison and Hinkley, "Bootstrap
    Methods and their Application", 1997, section 4.2).

    Args:
        sums: the sum of the returns of each day, in parts per million, days ascending
        sizes: how many events each day has, at least one
        how: the recipe
        direction: `up` or `down`
    """
    if len(sums) < how.least_sessions:
        return None
    totals, counts = _resampled(sums, sizes, how)
    against = int((totals <= 0).sum() if direction == "up" else (totals >= 0).sum())
    means = np.sort((2 * totals + counts) // (2 * counts))
    tail = (1 - how.level) / 2
    low, high = (max(ceil(share * how.resamples), 1) - 1 for share in (tail, 1 - tail))
    return Drawn(int(means[low]), int(means[high]), Fraction(against + 1, how.resamples + 1))


def _resampled(sums: Ints, sizes: Ints, how: Recipe) -> tuple[Ints, Ints]:
    """The sum and number of the returns in each drawing.

    The raw 64 bits of PCG64 are what numpy promises never to change; the upper 32 bits of each, times the number of
    days, choose a day by their own upper bits.
    """
    generator = np.random.PCG64(how.seed)
    days = len(sums)
    totals, counts = np.empty(how.resamples, np.int64), np.empty(how.resamples, np.int64)
    step = max(_AT_ONCE // days, 1)
    for first in range(0, how.resamples, step):
        rows = min(step, how.resamples - first)
        raw = generator.random_raw(rows * days) >> _HALF
        chosen = ((raw * np.uint64(days)) >> _HALF).astype(np.int64).reshape(rows, days)
        totals[first : first + rows] = sums[chosen].sum(axis=1)
        counts[first : first + rows] = sizes[chosen].sum(axis=1)
    return totals, counts


def holm(p_values: Sequence[Fraction | None], tried: int) -> list[Fraction | None]:
    """The p-values corrected for `tried` values tried, at least as many as there are p-values here.

    In ascending order p(1) <= p(2) <= ... the i-th becomes the largest of (tried - j + 1) * p(j) for j <= i, at most 1.
    A value without a p-value stays without one and counts as tried.
    """
    corrected: list[Fraction | None] = [None] * len(p_values)
    known = [(p, at) for at, p in enumerate(p_values) if p is not None]
    largest = Fraction(0)
    for rank, (p, at) in enumerate(sorted(known)):
        largest = min(max(largest, (tried - rank) * p), Fraction(1))
        corrected[at] = largest
    return corrected


def decimal(share: Fraction | None) -> str | None:
    """A share as text of six digits after the point, rounded half up."""
    return (
        None
        if share is None
        else millionths((2 * share.numerator * MILLION + share.denominator) // (2 * share.denominator))
    )


def millionths(number: int | None) -> str | None:
    """Parts per million as a decimal text: -1234 is -0.001234."""
    if number is None:
        return None
    whole, part = divmod(abs(number), MILLION)
    return f"{'-' if number < 0 else ''}{whole}.{part:06}"
