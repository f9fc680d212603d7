"""Only complete bars decide: each name's deciding bar is found again, bar by bar, and was over when the run was made.

A bar of an unfinished day has a close that is no close; deciding on it has turned buys into sells and back.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from quantassay.domain.agreement import agree_by_ticker
from quantassay.findings import Judged, judged

RULES = ["R01.3"]
COLUMNS = ("ticker", "session", "volume", "taken_at", "source")
NOTHING = {"session": None, "bars": 0, "source": None, "thin": False, "unfinished": 0}

# The rule of the older program, which the policy `predecessor` keeps.
WEEKDAYS, OPENS, CLOSES, MEAN_OF, FLOOR, RATIO = range(1, 6), "09:00", "15:30", 5, 1000, 0.2

Bar = tuple[str, date, int, datetime | None, str]
Rows = dict[str, dict[str, Any]]


def check(
    evaluation_bars: dict[str, Any],
    bars: pl.DataFrame,
    trading_calendar: dict[str, Any],
    evaluation_bar: dict[str, Any],
    as_of: str,
) -> Iterator[Judged]:
    """Judges the run's day and session, and each name's row field by field against the bars themselves."""
    states = _States(trading_calendar, datetime.fromisoformat(as_of), evaluation_bar["grace_minutes"])
    policy = evaluation_bar["policy"]
    plain = {"policy": policy, "day": states.today.isoformat(), "session": states.latest()}
    for name, right in plain.items():
        actual = evaluation_bars.get(name)
        says = f"{name} does not follow from the time of the run"
        yield judged(f"/{name}", ok=actual == right, says=says, expected=right, actual=actual)
    expected: Rows = {}
    broken: dict[str, str] = {}
    for ticker, series in groupby(bars.select(COLUMNS).iter_rows(), key=lambda bar: bar[0]):
        rows = list(series)
        found = [states.of(bar) for bar in rows]
        end = _end(policy, rows, found, states)
        expected[ticker] = _row(ticker, rows, found, end, evaluation_bar["thin_volume"])
        if end >= 0 and found[end] != "complete":
            broken[ticker] = found[end]
        expected[ticker]["reason"] = _reason(policy, found, end)
    rows = evaluation_bars.get("names", [])
    yield from agree_by_ticker(expected, rows)
    yield from _unfinished(expected, broken, rows)


def _unfinished(expected: Rows, broken: dict[str, str], rows: list[dict[str, Any]]) -> Iterator[Judged]:
    for index, row in enumerate(rows):
        ticker = str(row.get("ticker"))
        if ticker in broken and row.get("session") == expected[ticker]["session"]:
            says = f"{ticker} decides on a bar that is not complete ({broken[ticker]}); use the policy `session`"
            place = f"/names/{index}/session"
            yield judged(place, ok=False, says=says, expected="a complete bar", actual=row["session"])


class _States:
    """What a bar is at the time of the run, told from the calendar's own texts."""

    def __init__(self, calendar: dict[str, Any], now: datetime, grace_minutes: int) -> None:
        self.calendar = calendar
        self.zone = ZoneInfo(calendar["zone"])
        self.now = now.astimezone(self.zone)
        self.today = self.now.date()
        self.grace = timedelta(minutes=grace_minutes)
        self.sessions = set(calendar["sessions"])
        self.special = {row["session"]: row["close"] for row in calendar["special_sessions"]}
        self.known: dict[date, tuple[str, datetime | None]] = {}

    def over_at(self, day: str) -> datetime:
        regular = [row["close"] for row in self.calendar["regular_hours"] if row["from"] <= day]
        close = self.special.get(day) or regular[-1]
        return datetime.fromisoformat(f"{day}T{close}:00").replace(tzinfo=self.zone) + self.grace

    def of_day(self, day: date) -> tuple[str, datetime | None]:
        text = day.isoformat()
        if text > self.today.isoformat():
            return "future", None
        if text < self.calendar["first"]:
            return "complete", None
        if text not in self.sessions:
            return "no_session", None
        over_at = self.over_at(text)
        return "complete" if self.now >= over_at else "session_open", over_at

    def of(self, bar: Bar) -> str:
        day, taken_at = bar[1], bar[3]
        if day not in self.known:
            self.known[day] = self.of_day(day)
        state, over_at = self.known[day]
        if state == "complete" and taken_at is not None and over_at is not None and taken_at < over_at:
            return "taken_early"
        return state

    def latest(self) -> str | None:
        today = self.today.isoformat()
        over = [day for day in self.calendar["sessions"] if day <= today]
        while over and self.now < self.over_at(over[-1]):
            over.pop()
        return over[-1] if over else None


def _end(policy: str, rows: list[Bar], found: list[str], states: _States) -> int:
    """The index of the deciding bar, -1 for none."""
    last = len(rows) - 1
    if policy == "session":
        while last >= 0 and found[last] != "complete":
            last -= 1
        return last
    if policy == "predecessor":
        now = states.now
        is_open = now.isoweekday() in WEEKDAYS and OPENS <= f"{now:%H:%M}" < CLOSES
        volumes = [bar[2] for bar in rows[-MEAN_OF - 1 :]]
        # Floating point on purpose: the comparison is with a program that reckoned so.
        mean = sum(volumes[:-1]) / max(1, len(volumes) - 1)
        is_thin = mean > FLOOR and volumes[-1] < mean * RATIO
        if last > 0 and rows[last][1] == states.today and is_open and is_thin:
            return last - 1
    return last


def _reason(policy: str, found: list[str], end: int) -> str:
    if policy == "session":
        return found[-1]
    return "last_bar" if end == len(found) - 1 else "thin_intraday"


def _row(ticker: str, rows: list[Bar], found: list[str], end: int, thin: dict[str, Any]) -> dict[str, Any]:
    if end < 0:
        return {**NOTHING, "ticker": ticker, "dropped": len(rows)}
    before = [bar[2] for bar in rows[max(0, end - thin["bars"]) : end]]
    mean = Decimal(sum(before)) / len(before) if before else Decimal(0)
    return {
        "ticker": ticker,
        "session": rows[end][1].isoformat(),
        "bars": end + 1,
        "dropped": len(rows) - end - 1,
        "source": rows[end][4],
        "thin": mean > thin["floor"] and rows[end][2] * len(before) < Decimal(thin["ratio"]) * sum(before),
        "unfinished": sum(state in ("taken_early", "session_open") for state in found[:end]),
    }
