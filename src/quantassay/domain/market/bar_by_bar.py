"""The bars of a name looked at one by one, in plain numbers: the second path by which gates judge the fast one.

Nothing here is used where artifacts are made. A gate that finds the same faults, jumps and ages by this path has found
them twice.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import polars as pl

from quantassay.domain.figures import exact, text

COLUMNS = ("ticker", "session", "open", "high", "low", "close", "volume")
JUMPS = ("scale", "spike", "large_move")
# No limit of any date is so narrow, and no jump so small: what moves less needs no second look.
NARROWEST = 10

Row = dict[str, Any]


class Bar(NamedTuple):
    """One bar; its place in the name, whether it stood behind a later one, and whether its day is told again."""

    place: int
    day: str
    opened: float | None
    high: float | None
    low: float | None
    close: float | None
    volume: int | None
    late: bool
    again: bool


class Rules(NamedTuple):
    """What the specs say of one market, as they say it."""

    limits: Mapping[str, Any]
    percents: Sequence[tuple[str, int]]
    kinds: Mapping[str, Sequence[tuple[str, int]]]
    exceptions: Mapping[str, Sequence[Mapping[str, Any]]]
    rounding: Fraction


def rules(
    limits: Mapping[str, Any], market: str, price_rules: Mapping[str, Any], exceptions: Mapping[str, Any]
) -> Rules:
    """The rules of a market in the values of the specs."""
    kinds = {
        kind: [(row["from"], row["percent"]) for row in price_rules["limits"][tables["limits"]]]
        for kind, tables in price_rules["kinds"].items()
    }
    own: dict[str, list[Mapping[str, Any]]] = {}
    for row in exceptions["exceptions"]:
        own.setdefault(row["ticker"], []).append(row)
    percents = kinds.get(limits["price_kind"].get(market), [])
    return Rules(limits, percents, kinds, own, Fraction(limits["rounding"][market]))


def series(bars: pl.DataFrame) -> dict[str, list[Bar]]:
    """The bars of each name by session, in ascending order of the names."""
    names: dict[str, list[tuple[str, tuple[Any, ...]]]] = {}
    latest: dict[str, str] = {}
    for ticker, session, *values in bars.select(COLUMNS).iter_rows():
        day = session.isoformat()
        late = day < latest.get(ticker, day)
        latest[ticker] = max(day, latest.get(ticker, day))
        names.setdefault(ticker, []).append((day, (*values, late)))
    told: dict[str, list[Bar]] = {}
    for ticker in sorted(names):
        rows = sorted(names[ticker], key=lambda row: row[0])
        days = [None, *(day for day, _ in rows)]
        told[ticker] = [Bar._make((place, day, *more, day == days[place])) for place, (day, more) in enumerate(rows)]
    return told


def is_halt(bar: Bar) -> bool:
    """Whether nobody could trade on the bar's session."""
    if bar.volume != 0 or bar.close is None or not math.isfinite(bar.close):
        return False
    others = (bar.opened, bar.high, bar.low)
    return all(one == bar.close for one in others) or all(one == 0 for one in others)


def age(index: int | None, bar: Bar) -> int | None:
    """How many bars lie between a bar and the deciding one."""
    return None if index is None else index - bar.place


def is_near(row: Mapping[str, Any], recent_bars: int) -> bool:
    """Whether a place lies within the recent bars."""
    return row["age"] is None or row["age"] < recent_bars


def faults(bars: Sequence[Bar], rounding: Fraction, index: int | None) -> Iterator[tuple[str, Row]]:
    """What is wrong with each bar by itself, and with its place: (kind, row)."""
    width = float(rounding)
    for bar in bars:
        wrong = _wrong(bar, width)
        if wrong is not None:
            kind, column, value = wrong
            yield kind, fault(bar.day, age(index, bar), column=column, value=_told(value))
        if bar.again:
            yield "duplicate", fault(bar.day, age(index, bar))
        if bar.late:
            yield "unsorted", fault(bar.day, age(index, bar))


def fault(day: str, how_old: int | None, **more: Any) -> Row:
    """A row of evidence."""
    nothing = dict.fromkeys(("column", "value", "previous_session", "previous_value", "until"))
    return {"session": day, "age": how_old, **nothing, **more}


def grouped(found: Sequence[tuple[str, Row]], most: int) -> list[Row]:
    """The rows of evidence by kind, the latest of each."""
    kinds = sorted({kind for kind, _ in found})
    of = {kind: [row for other, row in found if other == kind] for kind in kinds}
    return [{"kind": kind, "count": len(of[kind]), "rows": of[kind][-most:]} for kind in kinds]


def _wrong(bar: Bar, rounding: float) -> tuple[str, str, float | None] | None:
    opened, high, low, close, volume = bar.opened, bar.high, bar.low, bar.close, bar.volume
    halted = volume == 0 and opened == high == low == 0
    for column, price in (("open", opened), ("high", high), ("low", low), ("close", close)):
        if price is not None and 0 < price < math.inf:
            continue
        if (column == "open" and price is None) or (halted and column != "close"):
            continue
        return "bad_price", column, price
    if volume is None or volume < 0:
        return "bad_volume", "volume", volume
    if halted or high is None or low is None or close is None:
        return None
    if high < low:
        return "inconsistent", "high", high
    if opened is not None and (opened - high > rounding or low - opened > rounding):
        return "inconsistent", "open", opened
    if close - high > rounding or low - close > rounding:
        return "inconsistent", "close", close
    return None


def _told(value: float | None) -> str | None:
    if value is None:
        return None
    if math.isnan(value):
        return "not a number"
    return "infinite" if math.isinf(value) else str(exact(value))


def comparable(bars: Sequence[Bar]) -> list[Bar]:
    """One bar a session, with a close above zero."""
    return [bar for bar in bars if not bar.again and bar.close is not None and 0 < bar.close < math.inf]


def jumps(ticker: str, bars: Sequence[Bar], by: Rules, index: int | None) -> Iterator[tuple[str, Row]]:
    """The moves between comparable bars that no trade can have made: (what it is, row of evidence)."""
    gone = -1
    for at in range(1, len(bars)):
        base, close = bars[at - 1].close or 0.0, bars[at].close or 0.0
        if abs(close - base) * NARROWEST < base:
            continue
        found = _jump(ticker, bars, at, by)
        if found is None:
            continue
        kind, percent, allowed, back = found
        if at <= gone and kind != "scale" and allowed is None:
            continue
        if kind == "spike" and back is not None:
            gone = back
        if kind in JUMPS:
            until = bars[back].day if kind == "spike" and back is not None else None
            more = {"previous_session": bars[at - 1].day, "previous_value": exact(base), "until": until}
            yield kind, fault(bars[at].day, age(index, bars[at]), column="close", value=str(exact(close)), **more)
        else:
            yield kind, _action(bars, at, by, (kind, percent, allowed)) | {"age": age(index, bars[at])}


def _jump(
    ticker: str, bars: Sequence[Bar], at: int, by: Rules
) -> tuple[str, int | None, str | None, int | None] | None:
    """What the move is, the limit it broke, why it is allowed, and where a spike is back; None for a lawful move."""
    day, percent, allowed = bars[at].day, _in_force(by.percents, bars[at].day), None
    base, close = Fraction(str(bars[at - 1].close)), Fraction(str(bars[at].close))
    if not _is_beyond(base, close, percent, by):
        return None
    own = [row for row in by.exceptions.get(ticker, ()) if row["from"] <= day <= (row["until"] or day)]
    for row in own:
        if row["limits"] == "none":
            allowed = row["why"]
        else:
            percent = _in_force(by.kinds[row["limits"]], day)
            if not _is_beyond(base, close, percent, by):
                return None
    spike, scale = by.limits["spike"], by.limits["scale"]
    near = Fraction(spike["tolerance"]) * base
    after = range(at + 1, min(at + spike["bars"], len(bars) - 1) + 1)
    back = next((later for later in after if abs(Fraction(str(bars[later].close)) - base) <= near), None)
    units = (base * scale["factor"], base / scale["factor"])
    if allowed is None and any(abs(close - unit) <= Fraction(scale["tolerance"]) * unit for unit in units):
        return "scale", percent, None, back
    if allowed is None and back is not None:
        return "spike", percent, None, back
    if allowed is not None or percent is not None:
        return "limit", percent, allowed, back
    return "ratio" if _split(base, close, by.limits["jump"]) else "large_move", percent, None, back


def _in_force(percents: Sequence[tuple[str, int]], day: str) -> int | None:
    return max(((first, percent) for first, percent in percents if first <= day), default=("", None))[1]


def _is_beyond(base: Fraction, close: Fraction, percent: int | None, by: Rules) -> bool:
    if percent is None:
        return abs(close - base) >= base * Fraction(by.limits["jump"]["size"])
    largest = (base + by.rounding) * (100 + percent) / 100 + by.rounding
    smallest = (base - by.rounding) * (100 - percent) / 100 - by.rounding
    return not smallest <= close <= largest


def _split(base: Fraction, close: Fraction, jump: Mapping[str, Any]) -> str | None:
    """The nearest split within the tolerance."""
    best, name = Fraction(jump["tolerance"]), None
    for part in jump["parts"]:
        for words, expected in ((f"1/{part}", base / part), (str(part), base * part)):
            off = abs(close - expected) / expected
            if off < best or (off == best and (name is None or words < name)):
                best, name = off, words
    return name


def _action(bars: Sequence[Bar], at: int, by: Rules, what: tuple[str, int | None, str | None]) -> Row:
    kind, percent, allowed = what
    bar, before = bars[at], bars[at - 1]
    base, close = before.close or 0.0, bar.close or 0.0
    low = high = None
    whole = bar.high is not None and bar.low is not None and 0 < bar.low <= bar.high
    if kind == "limit" and percent is not None and whole:
        low = text((bar.high or 0.0) * 100 / (100 + percent) / base)
        high = text((bar.low or 0.0) * 100 / (100 - percent) / base)
    halted = 0
    while halted < at and is_halt(bars[at - 1 - halted]):
        halted += 1
    return {
        "session": bar.day,
        "previous_session": before.day,
        "previous_close": exact(base),
        "close": exact(close),
        "detector": kind,
        "ratio": text(close / base),
        "parts": _split(Fraction(str(base)), Fraction(str(close)), by.limits["jump"]) if kind == "ratio" else None,
        "factor_low": low,
        "factor_high": high,
        "halted": halted,
        "allowed": allowed,
    }
