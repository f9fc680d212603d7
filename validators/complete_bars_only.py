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
from quantassay.domain.figures import text
from quantassay.findings import Judged, judged

RULES = ["R01.3"]
COLUMNS = ("ticker", "session", "volume", "taken_at", "source")
NOTHING = {"session": None, "bars": 0, "source": None, "thin": False, "unfinished": 0}

# The rule of the older program, which the policy `predecessor` keeps: hours and holidays of two countries, no others.
WEEKDAYS, END_OF_DAY = range(1, 6), "pykrx/"
KOREA = (ZoneInfo("Asia/Seoul"), "09:00", "15:30")
AMERICA = (ZoneInfo("America/New_York"), "09:30", "16:00")
AMERICAN_HOLIDAYS = {
    2024: ("01-01", "01-15", "02-19", "03-29", "05-27", "06-19", "07-04", "09-02", "11-28", "12-25"),
    2025: ("01-01", "01-20", "02-17", "04-18", "05-26", "06-19", "07-04", "09-01", "11-27", "12-25"),
    2026: ("01-01", "01-19", "02-16", "04-03", "05-25", "06-19", "07-03", "09-07", "11-26", "12-25"),
}

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
    ordered = bars.select(COLUMNS).sort("ticker", "session", maintain_order=True)
    for ticker, series in groupby(ordered.iter_rows(), key=lambda bar: bar[0]):
        told = list(series)
        rows = [(bar[0], bar[1], bar[2] or 0, bar[3], bar[4]) for bar in told]
        found = [states.of(bar) for bar in rows]
        # A bar of a day to come decides by no policy.
        known = rows[: len(rows) - found[::-1].count("future")]
        why = _older(known, states, evaluation_bar["thin_volume"]) if known and policy == "predecessor" else ""
        end = _end(policy, found[: len(known)], why)
        expected[ticker] = _row(ticker, rows, found, end, evaluation_bar["thin_volume"])
        if end >= 0 and found[end] != "complete":
            broken[ticker] = found[end]
        expected[ticker]["reason"] = found[-1] if policy == "session" else why or "last_bar"
        expected[ticker] |= {
            "index": None if end < 0 else end,
            "policy": policy,
            "evidence": _evidence(told, found[-1], states, evaluation_bar["thin_volume"]["bars"]),
            "sources": _sources(told),
        }
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


def _end(policy: str, found: list[str], why: str) -> int:
    """The index of the deciding bar, -1 for none."""
    last = len(found) - 1
    if policy == "session":
        while last >= 0 and found[last] != "complete":
            last -= 1
        return last
    return last - 1 if why else last


def _older(rows: list[Bar], states: _States, thin: dict[str, Any]) -> str:
    """Why the older program leaves out the last bar; empty where that bar decides."""
    american = states.calendar["currency"] == "USD"
    zone, opens, closes = AMERICA if american else KOREA
    now = states.now.astimezone(zone)
    day, source = rows[-1][1], rows[-1][4]
    holiday = american and f"{now:%m-%d}" in AMERICAN_HOLIDAYS.get(now.year, ())
    if len(rows) == 1 or source.startswith(END_OF_DAY) or day != now.date() or now.isoweekday() not in WEEKDAYS:
        return ""
    is_open = opens <= f"{now:%H:%M}" < closes
    if holiday or (not american and not is_open):
        return ""
    volumes = [bar[2] for bar in rows[-thin["bars"] - 1 :]]
    # Floating point on purpose: the comparison is with a program that reckoned so.
    mean = sum(volumes[:-1]) / max(1, len(volumes) - 1)
    is_thin = mean > thin["floor"] and volumes[-1] < mean * float(thin["ratio"])
    if american:
        return "intraday" if is_open else "thin" if is_thin else ""
    return "thin_intraday" if is_thin else ""


def _evidence(rows: list[Bar], state: str, states: _States, bars: int) -> dict[str, Any]:
    """What is shown of the last bar: its state, when it was taken, when its session is over, its volume."""
    _, day, volume, taken_at, _ = rows[-1]
    over_at = None if state in ("no_session", "future") else states.of_day(day)[1]
    before = [bar[2] or 0 for bar in rows[-bars - 1 : -1]]
    return {
        "session": day.isoformat(),
        "state": state,
        "taken_at": taken_at.isoformat() if taken_at else None,
        "over_at": over_at.isoformat() if over_at else None,
        "volume": volume,
        "volume_mean": text(sum(before) / len(before)) if before else None,
        "volume_bars": len(before),
    }


def _sources(rows: list[Bar]) -> list[dict[str, Any]]:
    """Each file or feed of a name that has more than one, with its bars and their first and last date."""
    days: dict[str, list[str]] = {}
    for _, day, _, _, source in rows:
        days.setdefault(source.partition("/")[0], []).append(day.isoformat())
    told = [{"source": one, "bars": len(of), "first": min(of), "last": max(of)} for one, of in days.items()]
    return told if len(told) > 1 else []


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
