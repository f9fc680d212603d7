"""What the sell rules look at and what they answer: a holding, its bars with their indicators, reasons, a verdict.

What comes from the desk (entry price, own stop and target, shares of profit and loss) is exact; indicators are floats.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

import numpy as np

from quantassay.domain.signals.corrections import chosen
from quantassay.domain.signals.daily import Daily
from quantassay.domain.signals.indicators import Floats, atr, ema, rsi, sma

Number = Decimal | float | int


class Effect(StrEnum):
    """What a reason asks for; the first of these that any reason asks for is the action. A note asks for nothing."""

    SELL = "SELL"
    REVIEW = "REVIEW"
    NOTE = "NOTE"


HOLD = "HOLD"


@dataclass(frozen=True, slots=True)
class Reason:
    """One test that fired: the value that it looked at, and what that was compared with."""

    code: str
    effect: Effect
    value: Number | None = None
    threshold: Number | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """A price at which something is to be done, and where it comes from."""

    price: Number
    kind: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done with a holding. `peak` is the row of the highest close since the entry, if that is known."""

    reasons: tuple[Reason, ...]
    stop: Level | None = None
    target: Level | None = None
    peak: int | None = None

    @property
    def action(self) -> str:
        """SELL, REVIEW or HOLD: a sell is never weakened by a review."""
        effects = {reason.effect for reason in self.reasons}
        return next((effect.value for effect in (Effect.SELL, Effect.REVIEW) if effect in effects), HOLD)


@dataclass(frozen=True, slots=True)
class Holding:
    """What the desk says of a position; `unreadable` names the members that are there but cannot be read."""

    entry_price: Decimal | None = None
    entry_date: date | None = None
    strategy: str = ""
    tags: tuple[str, ...] = ()
    stop: Decimal | None = None
    target: Decimal | None = None
    unreadable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """One name's usable bars up to the deciding one, and the indicators on each of them."""

    sessions: tuple[date, ...]
    open: Floats
    close: Floats
    ema_short: Floats
    ema_long: Floats
    trend: Floats
    rsi: Floats
    atr: Floats


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a holding besides its bars.

    `held` is how long it is held up to the deciding bar, in the unit of the rule's time stop, None where that is not
    known. `doubts` says what is wrong with its data; `base_changed` that the base price may have been changed since
    the entry, so that earlier prices cannot be compared with the entry price.
    """

    holding: Holding
    held: int | None = None
    doubts: tuple[str, ...] = ()
    base_changed: bool = False


@dataclass(frozen=True, slots=True)
class Periods:
    """How many bars each indicator looks back."""

    ema_short: int
    ema_long: int
    trend: int
    rsi: int
    atr: int


def own_corrections(asked: str | Sequence[str], known: Mapping[str, str]) -> frozenset[str]:
    """The corrections of one rule that a spec asks for; in a list those of the other rule are passed over."""
    return chosen(asked if isinstance(asked, str) else [one for one in asked if one in known], known)


def holding(row: Mapping[str, Any]) -> Holding:
    """The holding in a row of a holdings file; what cannot be read is named and left out, never taken for 0."""
    unreadable = set()
    read: dict[str, Decimal | None] = {}
    for name in ("entry_price", "stop_override", "target_override"):
        read[name] = price(row.get(name))
        if read[name] is None and row.get(name) is not None:
            unreadable.add(name)
    entered = None
    if row.get("entry_date") is not None:
        try:
            entered = date.fromisoformat(row["entry_date"])
        except (TypeError, ValueError):
            unreadable.add("entry_date")
    return Holding(
        read["entry_price"],
        entered,
        row.get("strategy") or "",
        tuple(row.get("tags") or ()),
        read["stop_override"],
        read["target_override"],
        frozenset(unreadable),
    )


def price(value: Any) -> Decimal | None:
    """A finite price above 0 as its source wrote it; None for anything else."""
    if value is None or isinstance(value, bool):
        return None
    try:
        read = Decimal(value if isinstance(value, str) else repr(value))
    except InvalidOperation:
        return None
    return read if read.is_finite() and read > 0 else None


def bars_by_name(daily: Daily, periods: Periods) -> dict[str, Bars]:
    """The usable bars of each name with their indicators, worked out for all names at once."""
    at = daily.layout
    columns = {
        "open": daily.open,
        "close": daily.close,
        "ema_short": ema(at, daily.close, periods.ema_short),
        "ema_long": ema(at, daily.close, periods.ema_long),
        "trend": sma(at, daily.close, periods.trend),
        "rsi": rsi(at, daily.close, periods.rsi),
        "atr": atr(at, daily.high, daily.low, daily.close, periods.atr),
    }
    starts = np.flatnonzero(at.position == 0).tolist()
    names, sessions = daily.frame["ticker"], daily.frame["session"].to_list()
    found = {}
    for start, end in zip(starts, [*starts, len(sessions)][1:], strict=True):
        own = {name: values[start:end] for name, values in columns.items()}
        found[names[start]] = Bars(tuple(sessions[start:end]), **own)
    return found


def first_since(bars: Bars, at: int, entered: date) -> int | None:
    """The row of the first bar on or after the entry date, up to row `at`; None where there is none."""
    row = bisect_left(bars.sessions, entered, 0, at + 1)
    return row if row <= at else None


def sessions_held(sessions: Sequence[date], entered: date, last: date) -> int:
    """How many sessions lie after the entry's, up to the last: 0 on the day of the entry itself."""
    return max(bisect_right(sessions, last) - bisect_left(sessions, entered) - 1, 0)


def of_the_entry(bars: Bars, case: Case, since: int | None, fixed: frozenset[str]) -> Iterable[Reason]:
    """What there is to say about the entry date; `since` is the row of the first bar on or after it."""
    own = case.holding
    if own.entry_date is None:
        if "entry_date" not in own.unreadable:
            yield Reason("entry_date_missing", Effect.NOTE)
    elif since is None:
        if "entry_date" in fixed:
            yield Reason("entry_after_bar", Effect.REVIEW)
    elif since == 0 and own.entry_date < bars.sessions[0]:
        yield Reason("entry_before_bars", Effect.NOTE)


def gains(close: Decimal, entry: Decimal, part: Decimal) -> bool:
    """Whether the profit is at least this part of the entry price; exact, for both have fewer than 28 digits."""
    return close - entry >= part * entry


def loses(close: Decimal, entry: Decimal, part: Decimal) -> bool:
    """Whether the loss is at least this part of the entry price, exactly."""
    return entry - close >= part * entry


def unknown(figures: Mapping[str, float]) -> Iterable[Reason]:
    """A review for each of these indicators that is not known."""
    for name, value in figures.items():
        if not np.isfinite(value):
            yield Reason(f"unknown_{name}", Effect.REVIEW)


def of_the_data(case: Case, fixed: frozenset[str]) -> Iterable[Reason]:
    """Reviews for doubts about the data and for members of the holding that cannot be read, as far as corrected."""
    if case.doubts and "data_doubts" in fixed:
        yield Reason("doubtful_data", Effect.REVIEW)
    if "entry_date" in fixed and "entry_date" in case.holding.unreadable:
        yield Reason("entry_date_unreadable", Effect.REVIEW)


def of_overrides(case: Case, close: Decimal, fixed: frozenset[str]) -> Iterable[Reason]:
    """A sell for the desk's own stop or target that the close has reached, a review for one that cannot be read."""
    own = case.holding
    if "stop_override" in fixed:
        if "stop_override" in own.unreadable:
            yield Reason("stop_override_unreadable", Effect.REVIEW)
        if own.stop is not None and close <= own.stop:
            yield Reason("stop_override_hit", Effect.SELL, close, own.stop)
    if "target_override" in fixed:
        if "target_override" in own.unreadable:
            yield Reason("target_override_unreadable", Effect.REVIEW)
        if own.target is not None and close >= own.target:
            yield Reason("target_override_hit", Effect.SELL, close, own.target)


def too_few(told: list[Reason], at: int, least: int, case: Case, fixed: frozenset[str]) -> Verdict:
    """The verdict on a holding with too few bars for any rule but the desk's own stop and target."""
    own = case.holding
    stop = Level(own.stop, "override") if own.stop is not None and "stop_override" in fixed else None
    target = Level(own.target, "override") if own.target is not None and "target_override" in fixed else None
    return Verdict((*told, Reason("few_bars", Effect.REVIEW, at + 1, least)), stop, target)


# What both rules have put right in the same way.
SHARED = {
    "stop_override": "A stop of the desk's own sells at or below it; one that cannot be read asks for a review.",
    "target_override": "A target of the desk's own sells at or above it; one that cannot be read asks for a review.",
    "time_in_sessions": "The time stop counts sessions up to the deciding bar, not days up to the day of the run.",
    "entry_date": "An entry date that cannot be read, or lies after the deciding bar, asks for a review.",
    "unknown_figures": "A price or an indicator that is not known asks for a review.",
    "data_doubts": "A doubt about the data, such as a suspected corporate action, makes a review of a hold.",
}
