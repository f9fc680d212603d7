"""What a comparison with the older programs' answers is: how many rows agree, and what explains each that does not."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import combinations

import polars as pl

# The bars of a symbol in the columns of the bars frame: ticker, session, open, high, low, close, volume, ...
Bars = Callable[[str], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One oracle file compared.

    Of `rows` answers, `same_as_older` are the same with `corrections: none` and `corrected_same` with `all`.
    `explained` counts the others by the corrections that change them, `unexplained` says each that none changes.
    `sentences` tells each correction that may stand in `explained`. `differing` says the rows in which `none` differs.
    """

    rows: int
    same_as_older: int
    corrected_same: int
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)
    sentences: dict[str, str] = field(default_factory=dict)
    differing: list[str] = field(default_factory=list)


def cause(changes: Callable[[frozenset[str]], bool], ids: Iterable[str]) -> str | None:
    """The corrections that change one row's answer: each that does alone, joined by " / "; else the smallest set.

    Args:
        changes: whether the answer with just these corrections differs from the older program's
        ids: the corrections to try

    Returns:
        such as "gap_before", "gap_before / gap_off" (either alone), "gap_before + within_bars" (only together), or None
        where no one, two or three of them change it.
    """
    tried = sorted(ids)
    alone = [one for one in tried if changes(frozenset({one}))]
    if alone:
        return " / ".join(alone)
    for size in (2, 3):
        for together in combinations(tried, size):
            if changes(frozenset(together)):
                return " + ".join(together)
    return None
