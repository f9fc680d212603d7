"""Compares a value with what it was worked out to be a second time, leaf by leaf."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from quantassay.findings import Judged, judged

ABSENT = "(absent)"


def agree(actual: Any, expected: Any, says: str, pointer: str = "") -> Iterator[Judged]:
    """Judge every leaf of two JSON values; `says` tells what is wrong with a leaf that differs.

    Lists of different length are one judgement that shows the first items that differ: those behind them say nothing.
    """
    if isinstance(actual, dict) and isinstance(expected, dict):
        for name in sorted({*actual, *expected}):
            place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            yield from agree(actual.get(name, ABSENT), expected.get(name, ABSENT), says, place)
    elif isinstance(actual, list) and isinstance(expected, list):
        if len(actual) == len(expected):
            yield judged(pointer, ok=True, says=says)
            for index, (one, other) in enumerate(zip(actual, expected, strict=True)):
                yield from agree(one, other, says, f"{pointer}/{index}")
        else:
            first, one, other = _first_difference(actual, expected)
            length = f"{says}: it has {len(actual)} items and not {len(expected)}, and differs from item {first} on"
            yield judged(pointer, ok=False, says=length, expected=other, actual=one)
    else:
        same = type(actual) is type(expected) and actual == expected
        yield judged(pointer, ok=same, says=says, expected=expected, actual=actual)


def _first_difference(actual: Sequence[Any], expected: Sequence[Any]) -> tuple[int, Any, Any]:
    pairs = enumerate(zip_longest(actual, expected, fillvalue=ABSENT))
    return next((index, one, other) for index, (one, other) in pairs if one != other)


def agree_part(
    rows: Sequence[Any], expected: Sequence[Any], says: str, pointer: str, owner: tuple[str, str]
) -> Iterator[Judged]:
    """Judge those rows of a list whose member `owner[0]` is `owner[1]`: their number, and each against its own."""
    member, value = owner
    own = [(at, row) for at, row in enumerate(rows) if isinstance(row, dict) and row.get(member) == value]
    if len(own) != len(expected):
        first, one, other = _first_difference([row for _, row in own], expected)
        length = f"{says}: {value} has {len(own)} rows and not {len(expected)}, and differs from its row {first} on"
        yield judged(pointer, ok=False, says=length, expected=other, actual=one)
        return
    yield judged(pointer, ok=True, says=says)
    for (at, row), other in zip(own, expected, strict=True):
        yield from agree(row, other, says, f"{pointer}/{at}")


def agree_by_ticker(expected: dict[str, dict[str, Any]], rows: list[dict[str, Any]]) -> Iterator[Judged]:
    """Judge the rows at `/names`, one a ticker in ascending order, field by field against what they ought to be."""
    tickers = [str(row.get("ticker")) for row in rows]
    for missing in sorted(set(expected) - set(tickers)):
        yield judged("/names", ok=False, says=f"{missing} has bars and no row here", expected=missing)
    for index, (ticker, row) in enumerate(zip(tickers, rows, strict=True)):
        place, right = f"/names/{index}", expected.get(ticker)
        if right is None or (index and tickers[index - 1] >= ticker):
            says = f"{ticker} has no bars" if right is None else f"{ticker} stands twice or out of order"
            yield judged(place, ok=False, says=says, actual=ticker)
            continue
        wrong = [name for name in sorted({*right, *row}) if row.get(name, ...) != right.get(name, ...)]
        if not wrong:
            yield Judged(place, ok=True, says="does not follow from the bars")
        for name in wrong:
            says = f"{ticker}: {name} does not follow from the bars"
            yield judged(f"{place}/{name}", ok=False, says=says, expected=right.get(name), actual=row.get(name))
