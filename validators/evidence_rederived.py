"""Every event and every figure of the studies is worked out again, name by name and signal by signal.

A threshold that rests on events which never were, or were counted twice, has been tested by nobody.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cache
from hashlib import sha256
from typing import Any

import numpy as np
import polars as pl

from quantassay.domain.agreement import agree
from quantassay.domain.remembered import remembered
from quantassay.findings import Judged, judged

RULES = ["R08.3"]
SAYS = "is not what the bars and the study give"
COLUMNS = ["study", "ticker", "session", "entry", "exit", "entry_price", "exit_price", "return_ppm"]
TYPES = [pl.String, pl.String, pl.Date, pl.Date, pl.Date, pl.Int64, pl.Int64, pl.Int64]
NEEDS = {
    "buy": {"hsms1": ("above", "rising", "busy"), "hsms2": ("above", "rising", "busy", "bought")},
    "sell": {"hsms1": ("below", "falling"), "hsms2": ("below", "falling", "sold")},
}
COUNTS = ("found", "duplicates", "outside", "late", "unfillable", "overlapping")
ONE = 10**6
DEAREST = 10**9
Mask = np.ndarray[Any, np.dtype[np.bool_]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


def check(
    calibration_evidence: dict[str, Any],
    calibration_events: pl.DataFrame,
    bars: pl.DataFrame,
    evaluation_bars: dict[str, Any],
    trading_calendar: dict[str, Any],
    calibration_studies: dict[str, Any],
) -> Iterator[Judged]:
    """Judges every field of the evidence, and the columns and rows of the events."""
    expected, events = _expected(bars, evaluation_bars, trading_calendar, calibration_studies)
    yield from agree(calibration_evidence, expected, SAYS)
    for one in _events(calibration_events, events):
        yield Judged(one.pointer, one.ok, one.says, one.expected, one.actual, "calibration_events")


def _events(actual: pl.DataFrame, expected: pl.DataFrame) -> Iterator[Judged]:
    columns, wanted = dict(actual.schema), dict(expected.schema)
    right = list(columns.items()) == list(wanted.items())
    yield judged("", ok=right, says="has other columns than events have", expected=wanted, actual=columns)
    if not right:
        return
    if actual.equals(expected):
        yield judged("", ok=True, says="")
        return
    rows, others = actual.rows(), expected.rows()
    at = next((n for n, (one, other) in enumerate(zip(rows, others, strict=False)) if one != other), None)
    if at is None:
        at = min(len(rows), len(others))
    yield judged(f"/{at}", ok=False, says=SAYS, expected=[*others, None][at], actual=[*rows, None][at])


@dataclass(slots=True)
class _Trial:
    """What a study asks at one value, and what was found so far; studies that ask the same share it."""

    event: str
    strategy: str
    horizon: int
    rules: Mapping[str, Any]
    window: tuple[date, date, date]
    listed: bool = False
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    events: list[tuple[Any, ...]] = field(default_factory=list)
    days: dict[date, tuple[int, int]] = field(default_factory=dict)


@remembered
def _expected(
    bars: pl.DataFrame,
    evaluation_bars: dict[str, Any],
    trading_calendar: dict[str, Any],
    calibration_studies: dict[str, Any],
) -> tuple[dict[str, Any], pl.DataFrame]:
    """The whole evidence, and the events in order of study, ticker and session."""
    sessions = [date.fromisoformat(day) for day in trading_calendar["sessions"]]
    ends = {row["ticker"]: row["session"] for row in evaluation_bars["names"] if row["session"] is not None}
    asked: dict[str, _Trial] = {}
    trials = []
    for study in calibration_studies["studies"]:
        window = _window(study, trading_calendar["first"], evaluation_bars["session"])
        for one in study["values"]:
            rules = {**calibration_studies["rules"], study["threshold"].split(".")[1]: one["value"]}
            trial = _Trial(study["event"].split("_")[1], study["strategy"], study["horizon_sessions"], rules, window)
            trial = asked.setdefault(repr(trial), trial)
            trials.append(trial)
    # Only now, so that the studies of one question find each other.
    for trial, (_, one) in zip(trials, _values(calibration_studies), strict=True):
        trial.listed = trial.listed or one["source"] == "in_force"
    for own in bars.sort("ticker", "session").partition_by("ticker", maintain_order=True):
        ticker = own["ticker"][0]
        if ticker in ends:
            name = _Name(ticker, own.head(bisect_right(own["session"], date.fromisoformat(ends[ticker]))), sessions)
            for trial in asked.values():
                _follow(trial, name)
    rows = sorted(
        (study["id"], *event)
        for trial, (study, one) in zip(trials, _values(calibration_studies), strict=True)
        if one["source"] == "in_force"
        for event in trial.events
    )
    frame = pl.DataFrame(rows, schema=dict(zip(COLUMNS, TYPES, strict=True)), orient="row")
    return _evidence(calibration_studies, trials), frame


def _values(studies: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Each study with each of its values."""
    for study in studies["studies"]:
        yield from ((study, one) for one in study["values"])


def _window(study: Mapping[str, Any], first: str, last: str) -> tuple[date, date, date]:
    """From, to and until: nothing before the calendar, nothing after the claim or the last session that is over."""
    until = last if study["made_on"] is None or study["made_on"] > last else study["made_on"]
    begins = first if study["from"] is None or study["from"] < first else study["from"]
    ends = until if study["to"] is None or study["to"] > until else study["to"]
    return date.fromisoformat(begins), date.fromisoformat(ends), date.fromisoformat(until)


class _Name:
    """The bars of one name, what each condition says on them, and where an event would begin and end."""

    def __init__(self, ticker: str, own: pl.DataFrame, sessions: Sequence[date]) -> None:
        self.ticker, self.sessions = ticker, sessions
        self.copies = dict(own.group_by("session").len().iter_rows()) if own["session"].is_duplicated().any() else {}
        if self.copies:
            columns = ["session", "open", "close", "volume", "foreign_net_buy"]
            own = own.sort(columns).unique("session", keep="first", maintain_order=True)
        self.days: list[date] = own["session"].to_list()
        closes = own["close"].to_list()
        volumes = own["volume"].to_list()
        self.row = {day: at for at, day in enumerate(self.days)}
        self.opens = [_price(*pair) for pair in zip(own["open"].to_list(), volumes, strict=True)]
        self.closes = [_price(*pair) for pair in zip(closes, volumes, strict=True)]
        self.places = [bisect_right(sessions, day) for day in self.days]
        whole = [int(one) if one is not None and one % 1 == 0 else None for one in closes]
        self.series = {"close": _series(whole), "volume": _series(volumes)}
        self.series["foreign"] = _series(own["foreign_net_buy"].to_list())
        self.total = cache(self._total)
        self.holds = cache(self._holds)
        self.results = cache(self._results)

    def _total(self, series: str, size: int) -> tuple[Ints, Mask]:
        """The sum of the last `size` values on each bar, and whether all of them are there and known."""
        values, known = self.series[series]
        sums, good = np.zeros(len(values), np.int64), np.zeros(len(values), np.bool_)
        if size <= len(values):
            behind = np.concatenate([[0], np.cumsum(values)])
            sums[size - 1 :] = behind[size:] - behind[:-size]
            count = np.concatenate([[0], np.cumsum(known)])
            good[size - 1 :] = count[size:] - count[:-size] == size
        return sums, good

    def _holds(self, condition: str, size: int, than: str | int) -> Mask:
        """Where the condition is known to hold."""
        if condition in ("above", "below"):
            (closes, _), (sums, known) = self.series["close"], self.total("close", size)
            part = Fraction(than)
            left, right = closes * size * part.denominator, sums * part.numerator
            return known & (left > right if condition == "above" else left < right)
        if condition in ("rising", "falling"):
            values, known = self.series["close"]
            found = np.zeros(len(values), np.bool_)
            now, before = values[size:], values[:-size]
            both = known[size:] & known[:-size]
            found[size:] = both & (now > before if condition == "rising" else now < before)
            return found
        if condition == "busy":
            (volumes, _), (sums, known) = self.series["volume"], self.total("volume", size)
            part = Fraction(than)
            return known & (volumes * size * part.denominator > sums * part.numerator)
        sums, known = self.total("foreign", size)
        return known & (sums > int(than) if condition == "bought" else sums < int(than))

    def _results(self, horizon: int) -> list[tuple[date, date, int, int, int] | None]:
        """For each bar the days and prices at which an event would begin and end, and its return; None without them."""
        found: list[tuple[date, date, int, int, int] | None] = []
        for begin in self.places:
            result = None
            if begin + horizon < len(self.sessions):
                entry, leave = self.sessions[begin], self.sessions[begin + horizon]
                start, end = self.row.get(entry), self.row.get(leave)
                paid = self.opens[start] if start is not None else None
                got = self.closes[end] if end is not None else None
                if paid is not None and got is not None:
                    result = (entry, leave, paid, got, (2 * ONE * got + paid) // (2 * paid) - ONE)
            found.append(result)
        return found

    def signals(self, verdict: str, strategy: str, rules: Mapping[str, Any]) -> list[int]:
        """The bars with this verdict: a sell where one of its conditions holds, a buy where all do and no sell."""
        asked = {
            "above": (rules["average_window"], 1),
            "below": (rules["average_window"], rules["sell_band"]),
            "rising": (rules["momentum_window"], 0),
            "falling": (rules["momentum_window"], 0),
            "busy": (rules["volume_window"], rules["volume_multiple"]),
            "bought": (rules["foreign_window"], rules["foreign_level"]),
            "sold": (rules["foreign_window"], rules["foreign_level"]),
        }
        sell = np.logical_or.reduce([self.holds(name, *asked[name]) for name in NEEDS["sell"][strategy]])
        if verdict == "sell":
            return list(map(int, np.flatnonzero(sell)))
        buy = np.logical_and.reduce([self.holds(name, *asked[name]) for name in NEEDS["buy"][strategy]])
        return list(map(int, np.flatnonzero(buy & ~sell)))


def _series(values: Sequence[int | None]) -> tuple[Ints, Mask]:
    known = np.array([value is not None for value in values], np.bool_)
    return np.array([value or 0 for value in values], np.int64), known


def _price(price: float | None, volume: int | None) -> int | None:
    """What a share cost, if any changed hands, in whole won."""
    if price is None or not volume or volume < 0 or not 0 < price <= DEAREST or price % 1:
        return None
    return int(price)


def _follow(trial: _Trial, name: _Name) -> None:
    """Put each signal of a name where it belongs, in order of their days."""
    first, last, until = trial.window
    days, places, counts = name.days, name.places, trial.counts
    signals = name.signals(trial.event, trial.strategy, trial.rules)
    seen = signals[: bisect_left(signals, bisect_right(days, until))]
    counts["found"] += sum(name.copies.get(days[at], 1) for at in seen) if name.copies else len(seen)
    counts["duplicates"] += sum(name.copies.get(days[at], 1) - 1 for at in seen) if name.copies else 0
    inside = seen[bisect_left(seen, bisect_left(days, first)) : bisect_left(seen, bisect_right(days, last))]
    counts["outside"] += len(seen) - len(inside)
    over = bisect_right(name.sessions, until) - trial.horizon
    in_time = inside[: bisect_left(inside, bisect_left(places, over))]
    counts["late"] += len(inside) - len(in_time)
    results = name.results(trial.horizon)
    done = [at for at in in_time if results[at] is not None]
    counts["unfillable"] += len(in_time) - len(done)
    free_from = overlapping = 0
    for at in done:
        result = results[at]
        if result is None or places[at] < free_from:
            overlapping += 1
            continue
        free_from = places[at] + trial.horizon + 1
        total, many = trial.days.get(days[at], (0, 0))
        trial.days[days[at]] = (total + result[-1], many + 1)
        if trial.listed:
            trial.events.append((name.ticker, days[at], *result))
    counts["overlapping"] += overlapping


def _evidence(studies: Mapping[str, Any], trials: Sequence[_Trial]) -> dict[str, Any]:
    recipe = studies["bootstrap"]
    figures = [
        _figures(trial.days, study["direction"], recipe)
        for trial, (study, _) in zip(trials, _values(studies), strict=True)
    ]
    corrected = _corrected([p for _, p in figures], studies["trials_total"])
    told = [
        {"value": one["value"], "current": one["source"] == "in_force", **figures[n][0], "adjusted_p": corrected[n]}
        for n, (_, one) in enumerate(_values(studies))
    ]
    rows = []
    for study in studies["studies"]:
        own = [n for n, (other, _) in enumerate(_values(studies)) if other is study]
        at = next(n for n in own if told[n]["current"])
        begins, ends, until = (day.isoformat() for day in trials[at].window)
        kept = ("id", "threshold", "event", "strategy", "direction", "horizon_sessions")
        rows.append(
            {
                **{name: study[name] for name in kept},
                "from": begins,
                "to": ends,
                "until": until,
                **trials[at].counts,
                **figures[at][0],
                "adjusted_p": corrected[at],
                "digest": _digest(trials[at].events),
                "trials": [told[n] for n in own],
            }
        )
    return {
        **{name: recipe[name] for name in ("resamples", "level", "seed", "least_sessions")},
        "correction": studies["correction"],
        "trials_total": studies["trials_total"],
        "studies": rows,
    }


def _figures(
    days_found: Mapping[date, tuple[int, int]], direction: str, recipe: Mapping[str, Any]
) -> tuple[dict[str, Any], Fraction | None]:
    """n, days, mean, interval and p-value of what a trial found, and the p-value exactly."""
    days = [days_found[day] for day in sorted(days_found)]
    total, many = sum(one for one, _ in days), sum(count for _, count in days)
    low = high = p_value = None
    if len(days) >= recipe["least_sessions"]:
        drawn = _drawn(days, recipe)
        against = sum(one <= 0 if direction == "up" else one >= 0 for one, _ in drawn)
        p_value = Fraction(1 + against, 1 + recipe["resamples"])
        means = sorted(_rounded(Fraction(*one)) for one in drawn)
        outside = (1 - Fraction(recipe["level"])) / 2 * len(means)
        low, high = means[max(-(-outside // 1), 1) - 1], means[-(-(len(means) - outside) // 1) - 1]
    told = {
        "n": many,
        "sessions": len(days),
        "mean_return": _text(_rounded(Fraction(total, many))) if many else None,
        "low": _text(low),
        "high": _text(high),
        "p_value": None if p_value is None else _text(_rounded(p_value * ONE)),
    }
    return told, p_value


def _drawn(days: Sequence[tuple[int, int]], recipe: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Sum and number of the returns of each drawing of as many days, by how often it holds each day.

    Each day comes from 64 raw bits of PCG64: its number is the upper half of these, times the number of days, divided
    by two to the thirty-second.
    """
    raw = np.random.PCG64(recipe["seed"])
    sums, many = (np.array(values, np.int64) for values in zip(*days, strict=True))
    found: list[tuple[int, int]] = []
    for first in range(0, recipe["resamples"], 500):
        rows = min(500, recipe["resamples"] - first)
        chosen = (raw.random_raw((rows, len(days))) // np.uint64(2**32)) * np.uint64(len(days)) // np.uint64(2**32)
        flat = chosen.astype(np.int64) + np.arange(rows)[:, None] * len(days)
        often = np.bincount(flat.ravel(), minlength=rows * len(days)).reshape(rows, len(days))
        found += zip((often @ sums).tolist(), (often @ many).tolist(), strict=True)
    return found


def _corrected(p_values: Sequence[Fraction | None], tried: int) -> list[str | None]:
    """Holm: the smallest p-value times the number tried, the next times one less, and none below the one before it."""
    order = sorted((n for n, p in enumerate(p_values) if p is not None), key=lambda n: (p_values[n], n))
    found: list[str | None] = [None] * len(p_values)
    for rank, at in enumerate(order):
        passed = [(tried - j) * (p_values[n] or Fraction(0)) for j, n in enumerate(order[: rank + 1])]
        found[at] = _text(_rounded(min(max(passed), Fraction(1)) * ONE))
    return found


def _rounded(value: Fraction) -> int:
    """The nearest whole number; a half goes up."""
    return (value + Fraction(1, 2)).__floor__()


def _text(number: int | None) -> str | None:
    if number is None:
        return None
    sign = "-" if number < 0 else ""
    return f"{sign}{abs(number) // ONE}.{abs(number) % ONE:06d}"


def _digest(events: Sequence[tuple[Any, ...]]) -> str:
    """Of the rows as canonical JSON, one line."""
    said = cache(date.isoformat)
    rows = (
        f'["{ticker}","{said(day)}","{said(entry)}","{said(leave)}",{paid},{got},{gain}]'
        for ticker, day, entry, leave, paid, got, gain in events
    )
    return "sha256:" + sha256(f"[{','.join(rows)}]\n".encode()).hexdigest()
