"""Moves from close to close that no trade can have made, and what each of them is likely to be.

Where the exchange has a daily limit, a move beyond it proves that the base price was changed, unless the exchange
allowed it (exceptions, name by name). Where it has none, a move beyond a size is a jump: a suspected split if its ratio
is near that of one, otherwise a large move. In both, a jump that is soon gone again is a spike, and one by about a
hundred a source that changed its unit: neither is a corporate action.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from quantassay.domain.figures import text
from quantassay.domain.market.price_rules import NoPriceRule, PriceRules, limit_percent

# A first sieve in floating point, wide enough to let every true case through to the exact test.
SIEVE = 0.999
NO_LIMITS = "none"
LIMIT, RATIO = "limit", "ratio"
SCALE, SPIKE, LARGE_MOVE = "scale", "spike", "large_move"


@dataclass(frozen=True, slots=True)
class Allowed:
    """An exception of the exchange: from when until when another kind's limits hold for a name, or none; and why."""

    first: date
    last: date | None
    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a market allows from close to close.

    `kind` is that of 19_price_rules.yaml, None where the market has no daily limit; `exceptions` by ticker; `rounding`
    the currency by which a close may be off. `size` is the share from which on a move without a limit is a jump,
    `parts` and `tolerance` say which ratios are those of splits. A jump that is back within `spike_bars` bars to within
    `spike_tolerance` is a spike; one by `scale`, give or take `scale_tolerance`, a change of the unit.
    """

    rules: PriceRules
    kind: str | None
    exceptions: Mapping[str, tuple[Allowed, ...]]
    rounding: Fraction
    size: Fraction
    parts: tuple[int, ...]
    tolerance: Fraction
    spike_bars: int
    spike_tolerance: Fraction
    scale: int
    scale_tolerance: Fraction


@dataclass(frozen=True, slots=True)
class Jump:
    """A move beyond the bounds, from the bar before to the one of `session`.

    `detector` is limit or ratio for a suspected corporate action, else what the jump is: scale, spike, large_move.
    `parts` is the split's ratio ("1/5", "5"); `factor` the lowest and the highest factor that the base price can have
    been changed by; `halted` the halted bars right before; `allowed` why the exchange allows the move; `until` the
    session in which a spike is gone; `position` the bar's place in its name.
    """

    ticker: str
    session: date
    close: float
    previous_session: date
    previous_close: float
    position: int
    detector: str
    parts: str | None = None
    factor: tuple[str | None, str | None] = (None, None)
    halted: int = 0
    allowed: str | None = None
    until: date | None = None


def bounds(
    limits: Mapping[str, Any], market: str, rules: PriceRules, exceptions: Sequence[Mapping[str, Any]]
) -> Bounds:
    """The bounds of a market in the values of 13_quality_limits.yaml and price_limit_exceptions.yaml."""
    by_ticker: dict[str, tuple[Allowed, ...]] = {}
    for row in exceptions:
        last = date.fromisoformat(row["until"]) if row["until"] else None
        one = Allowed(date.fromisoformat(row["from"]), last, row["limits"], row["why"])
        by_ticker[row["ticker"]] = (*by_ticker.get(row["ticker"], ()), one)
    return Bounds(
        rules=rules,
        kind=limits["price_kind"].get(market),
        exceptions=by_ticker,
        rounding=_fraction(limits["rounding"][market]),
        size=_fraction(limits["jump"]["size"]),
        parts=tuple(limits["jump"]["parts"]),
        tolerance=_fraction(limits["jump"]["tolerance"]),
        spike_bars=limits["spike"]["bars"],
        spike_tolerance=_fraction(limits["spike"]["tolerance"]),
        scale=limits["scale"]["factor"],
        scale_tolerance=_fraction(limits["scale"]["tolerance"]),
    )


def jumps(usable: pl.DataFrame, within: Bounds) -> list[Jump]:
    """Every jump of bars whose closes can be compared, by ticker and session.

    `usable` is sorted and has ticker, session, open, high, low, close, volume, position. The exact comparison follows
    the decimals as they were written. A name's first bar has no close before it and is no jump: it may be its listing
    day. Raises UnknownKind.
    """
    if usable.is_empty():
        return []
    places, percents = _sieved(usable, within)
    bars = _Bars(usable)
    found: list[Jump] = []
    ticker, gone = "", -1
    for place, percent in zip(places.tolist(), percents, strict=True):
        jump = bars.jump(place, within, percent)
        if jump is None:
            continue
        if jump.ticker != ticker:
            ticker, gone = jump.ticker, -1
        # The way back of a spike is a part of it.
        if place <= gone and jump.detector != SCALE and jump.allowed is None:
            continue
        if jump.detector == SPIKE and jump.until is not None:
            gone = bars.place_of(place, jump.until)
        found.append(jump)
    return found


def is_beyond(previous: float, close: float, percent: int, rounding: Fraction | int) -> bool:
    """Whether the move from one close to the next is more than the limit allows, exactly as the prices are written.

    Either close may be off by `rounding`, in the direction that makes the move smaller.
    """
    base, price = _fraction(previous), _fraction(close)
    up, down = Fraction(100 + percent, 100), Fraction(100 - percent, 100)
    return price - rounding > (base + rounding) * up or price + rounding < (base - rounding) * down


def split_of(ratio: Fraction, parts: Sequence[int], tolerance: Fraction) -> str | None:
    """The split whose ratio is nearest to this one, if it is within the tolerance of it: "1/5" or "5"."""
    known = {
        text: share for part in parts for text, share in ((f"1/{part}", Fraction(1, part)), (str(part), Fraction(part)))
    }
    near = [(abs(ratio / share - 1), name) for name, share in known.items() if abs(ratio / share - 1) <= tolerance]
    return min(near)[1] if near else None


def _fraction(value: float | str) -> Fraction:
    return Fraction(value) if isinstance(value, str) else Fraction(repr(value))


def _sieved(usable: pl.DataFrame, within: Bounds) -> tuple[NDArray[np.int64], list[int | None]]:
    """The rows whose move may be a jump, and the daily limit of each row's date; None where there is none."""
    days = usable["session"].unique()
    by_day = pl.DataFrame(
        {"session": days, "percent": [_percent(within, day, within.kind) for day in days]},
        schema={"session": pl.Date, "percent": pl.Int64},
    )
    close, before = pl.col("close"), pl.col("close").shift(1)
    same = pl.col("ticker") == pl.col("ticker").shift(1)
    least = pl.coalesce(pl.col("percent") / 100, pl.lit(float(within.size)))
    sieved = (
        usable.lazy()
        .select("ticker", "session", "close", pl.int_range(pl.len(), dtype=pl.Int64).alias("place"))
        .join(by_day.lazy(), on="session", how="left", maintain_order="left")
        .filter(same & ((close - before).abs() >= least * before * SIEVE))
        .select("place", "percent")
        .collect()
    )
    return sieved["place"].to_numpy(), sieved["percent"].to_list()


def _percent(within: Bounds, day: date, kind: str | None) -> int | None:
    """The limit of a kind on a date; None where it has none, or none that goes back so far."""
    if kind is None:
        return None
    try:
        return limit_percent(within.rules, day, kind)
    except NoPriceRule:
        return None


class _Bars:
    """The bars as columns, to look at a few of them and their neighbours."""

    def __init__(self, usable: pl.DataFrame) -> None:
        self.frame = usable
        self.tickers, self.sessions = usable["ticker"], usable["session"]
        self.closes = usable["close"].to_numpy()
        self.count = len(self.closes)

    def jump(self, place: int, within: Bounds, percent: int | None) -> Jump | None:
        """What the move to the bar at `place` is; None where it is none beyond the bounds."""
        bar, before = self.frame.row(place, named=True), self.frame.row(place - 1, named=True)
        base, close = before["close"], bar["close"]
        if not _is_jump(base, close, within, percent):
            return None
        allowed, percent, lawful = _exception(bar, base, within, percent)
        if lawful:
            return None
        ratio, until = _fraction(close) / _fraction(base), self._back(place, within)
        parts = split_of(ratio, within.parts, within.tolerance)
        if allowed is not None:
            detector = LIMIT
        elif any(abs(ratio / unit - 1) <= within.scale_tolerance for unit in (within.scale, Fraction(1, within.scale))):
            detector = SCALE
        elif until is not None:
            detector = SPIKE
        elif percent is not None:
            detector = LIMIT
        else:
            detector = LARGE_MOVE if parts is None else RATIO
        return Jump(
            ticker=bar["ticker"],
            session=bar["session"],
            close=close,
            previous_session=before["session"],
            previous_close=base,
            position=bar["position"],
            detector=detector,
            parts=parts if detector == RATIO else None,
            factor=_factor(bar, base, percent) if detector == LIMIT else (None, None),
            halted=self._halted(place),
            allowed=allowed if detector == LIMIT else None,
            until=until if detector == SPIKE else None,
        )

    def place_of(self, place: int, session: date) -> int:
        """Where this later session of the same name stands."""
        while self.sessions[place] != session:
            place += 1
        return place

    def _back(self, place: int, within: Bounds) -> date | None:
        """The first session within the spike's bars whose close is back near the close before the jump."""
        base = _fraction(float(self.closes[place - 1]))
        for later in range(place + 1, min(place + within.spike_bars, self.count - 1) + 1):
            if self.tickers[later] != self.tickers[place]:
                return None
            if abs(_fraction(float(self.closes[later])) - base) <= base * within.spike_tolerance:
                session: date = self.sessions[later]
                return session
        return None

    def _halted(self, place: int) -> int:
        """How many bars right before this one nobody could trade on."""
        return sum(1 for _ in self._halts(place))

    def _halts(self, place: int) -> Iterator[int]:
        for earlier in range(place - 1, -1, -1):
            bar = self.frame.row(earlier, named=True)
            others = {bar["open"], bar["high"], bar["low"]}
            if (
                self.tickers[earlier] != self.tickers[place]
                or bar["volume"] != 0
                or others not in ({bar["close"]}, {0})
            ):
                return
            yield earlier


def _exception(
    bar: Mapping[str, Any], base: float, within: Bounds, percent: int | None
) -> tuple[str | None, int | None, bool]:
    """Why the exchange allows a move without any limit, the limit in force, and whether the move keeps to that one."""
    allowed = None
    for one in within.exceptions.get(bar["ticker"], ()):
        if not (one.first <= bar["session"] and (one.last is None or bar["session"] <= one.last)):
            continue
        if one.kind == NO_LIMITS:
            allowed = one.why
            continue
        percent = _percent(within, bar["session"], one.kind)
        if not _is_jump(base, bar["close"], within, percent):
            return None, percent, True
    return allowed, percent, False


def _is_jump(base: float, close: float, within: Bounds, percent: int | None) -> bool:
    if percent is not None:
        return is_beyond(base, close, percent, within.rounding)
    return abs(_fraction(close) - _fraction(base)) >= within.size * _fraction(base)


def _factor(bar: Mapping[str, Any], base: float, percent: int | None) -> tuple[str | None, str | None]:
    """Between which factors the base price of the day can lie, if its whole range kept to the limit around it."""
    high, low = bar["high"], bar["low"]
    if percent is None or high is None or low is None or not 0 < low <= high:
        return None, None
    return text(high * 100 / (100 + percent) / base), text(low * 100 / (100 - percent) / base)
