"""Every past signal is worked out again in plain numbers from the bars up to its own day.

A history that knew later bars promises results that nobody can have.
"""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

import polars as pl

from quantassay.domain.remembered import remembered
from quantassay.findings import Judged, judged

RULES = ["R02.2"]
COLUMNS = {"ticker": pl.String(), "session": pl.Date(), "hsms1": pl.String(), "hsms2": pl.String()}


def check(
    signal_history: pl.DataFrame, bars: pl.DataFrame, evaluation_bars: dict[str, Any], hsms: dict[str, Any]
) -> Iterator[Judged]:
    """Judges the columns, the order of the rows, and the rows of each name."""
    columns = dict(signal_history.schema)
    right = list(columns.items()) == list(COLUMNS.items())
    yield judged("", ok=right, says="has other columns than the history has", expected=COLUMNS, actual=columns)
    if not right:
        return
    misplaced = _misplaced(signal_history)
    says = "is not in order of ticker and session, or stands twice"
    yield judged(f"/{misplaced or 0}", ok=misplaced is None, says=says)
    if misplaced is not None:
        return
    held = _by_ticker(signal_history)
    for ticker, expected in _expected(bars, evaluation_bars, hsms).items():
        at, own = held.pop(ticker, (0, signal_history.clear()))
        days = (day.isoformat() for day in own["session"].to_list())
        actual = list(zip(days, own["hsms1"].to_list(), own["hsms2"].to_list(), strict=True))
        yield _agree(ticker, at, actual, expected)
    for ticker, (at, _) in held.items():
        yield judged(f"/{at}/ticker", ok=False, says=f"{ticker} is no name that has a deciding bar")


@remembered
def _expected(
    bars: pl.DataFrame, evaluation_bars: dict[str, Any], hsms: dict[str, Any]
) -> dict[str, list[tuple[str, str, str]]]:
    """Session and both verdicts of each complete bar, by name."""
    raw = _by_ticker(bars)
    found = {}
    for row in evaluation_bars["names"]:
        _, known = raw.get(row["ticker"], (0, bars.clear()))
        sessions = [day.isoformat() for day in known["session"].to_list()]
        count = sum(row["session"] is not None and day <= row["session"] for day in sessions)
        found[row["ticker"]] = list(zip(sessions[:count], *_told(known.head(count), hsms), strict=True))
    return found


def _misplaced(history: pl.DataFrame) -> int | None:
    """The first row that does not come after the one before it."""
    ticker, session = pl.col("ticker").fill_null(""), pl.col("session")
    later = (ticker > ticker.shift()) | ((ticker == ticker.shift()) & (session > session.shift()))
    wrong = history.select(~later.fill_null(value=False)).to_series().slice(1).arg_true()
    return wrong[0] + 1 if len(wrong) else None


def _by_ticker(frame: pl.DataFrame) -> dict[Any, tuple[int, pl.DataFrame]]:
    """The rows of each ticker, which stand together, and the number of the first."""
    found, at = {}, 0
    for ticker, count in frame.group_by("ticker", maintain_order=True).len().iter_rows():
        found[ticker] = (at, frame.slice(at, count))
        at += count
    return found


def _agree(ticker: str, at: int, actual: Sequence[tuple[Any, ...]], expected: Sequence[tuple[Any, ...]]) -> Judged:
    """One judgement for all rows of a name, the first of which is row `at`; it points to the first that differs."""
    if actual == expected:
        return judged(f"/{at}", ok=True, says="")
    for row, want in zip(actual, expected, strict=False):
        if row != want:
            says = f"{ticker} on {want[0]} has other verdicts than its bars up to that day give"
            return judged(f"/{at}", ok=False, says=says, expected=want, actual=row)
        at += 1
    says = f"{ticker} has {len(actual)} rows and {len(expected)} complete bars"
    return judged(f"/{at}", ok=False, says=says, expected=len(expected), actual=len(actual))


def _told(bars: pl.DataFrame, hsms: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Both verdicts of each bar of one name, each from its own bar and those before it."""
    closes = [int(c) if c is not None and c % 1 == 0 else None for c in bars["close"].to_list()]
    volumes, foreign = bars["volume"].to_list(), bars["foreign_net_buy"].to_list()
    back, level = hsms["momentum_window"], hsms["foreign_level"]
    band = Fraction(hsms["sell_band"]) / hsms["average_window"]
    busy = Fraction(hsms["volume_multiple"]) / hsms["volume_window"]
    totals = _sums(closes, hsms["average_window"])
    above = _compare(closes, totals, Fraction(1, hsms["average_window"]))
    below = _compare(totals, closes, 1 / band)
    earlier = [None] * back + closes[:-back]
    rising, falling = _compare(closes, earlier, Fraction(1)), _compare(earlier, closes, Fraction(1))
    loud = _compare(volumes, _sums(volumes, hsms["volume_window"]), busy)
    bought = _sums(foreign, hsms["foreign_window"])
    buying = [None if net is None else net > level for net in bought]
    selling = [None if net is None else net < level for net in bought]
    first = map(_verdict, zip(above, rising, loud, strict=False), zip(below, falling, strict=False))
    second = map(_verdict, zip(above, rising, loud, buying, strict=False), zip(below, falling, selling, strict=False))
    return list(first), list(second)


def _sums(values: Sequence[int | None], size: int) -> list[int | None]:
    """The sum of the last `size` values at each place; None while one is missing or unknown."""
    total = [0, *accumulate(value or 0 for value in values)]
    unknown = [0, *accumulate(value is None for value in values)]
    ends = range(size, len(values) + 1)
    known = [total[end] - total[end - size] if unknown[end] == unknown[end - size] else None for end in ends]
    return [None] * min(size - 1, len(values)) + known


def _compare(left: Sequence[int | None], right: Sequence[int | None], factor: Fraction) -> list[bool | None]:
    """Whether each left value is above `factor` times its right one; None where one of them is unknown."""
    up, down = factor.numerator, factor.denominator
    pairs = zip(left, right, strict=False)
    return [None if one is None or other is None else one * down > other * up for one, other in pairs]


def _verdict(buys: tuple[bool | None, ...], sells: tuple[bool | None, ...]) -> str:
    if True in sells:
        return "sell"
    if None in sells or (None in buys and False not in buys):
        return "no_data"
    return "none" if False in buys else "buy"
