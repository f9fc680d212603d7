"""The quality of each name's bars is counted again, bar by bar, and its verdict follows from the counts.

A base price that was changed, a hole or a bar from nowhere moves every average behind it, and the name with it.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from itertools import groupby
from typing import Any

import polars as pl

from quantassay.domain.agreement import agree_by_ticker
from quantassay.domain.remembered import remembered
from quantassay.findings import Judged, judged

RULES = ["R01.4", "R01.6"]
COLUMNS = ("ticker", "session", "open", "high", "low", "close", "volume")
STRAY = ("off_calendar", "future")

Bar = tuple[str, date, float, float, float, float, int]


def check(
    data_quality: dict[str, Any],
    bars: pl.DataFrame,
    trading_calendar: dict[str, Any],
    evaluation_bars: dict[str, Any],
    quality_limits: dict[str, Any],
    price_rules: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each name's row field by field and the totals (R01.4), and that no bar lies off the calendar (R01.6)."""
    expected = _expected(bars, trading_calendar, evaluation_bars, quality_limits, price_rules)
    rows = data_quality.get("names", [])
    yield from agree_by_ticker(expected, rows)
    for name, right in (("session", evaluation_bars["session"]), ("totals", _totals(expected))):
        actual = data_quality.get(name)
        says = f"{name} does not follow from the bars"
        yield judged(f"/{name}", ok=actual == right, says=says, expected=right, actual=actual)
    for index, row in enumerate(rows):
        ok = all(row.get(name) == 0 for name in STRAY)
        says = f"{row.get('ticker')} has bars on dates that are no sessions, or of days to come; correct its file"
        yield Judged(f"/names/{index}", ok=ok, says=says, rule="R01.6")


@remembered
def _expected(
    bars: pl.DataFrame,
    trading_calendar: dict[str, Any],
    evaluation_bars: dict[str, Any],
    quality_limits: dict[str, Any],
    price_rules: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """The row that each name ought to have."""
    days = _Days(trading_calendar, evaluation_bars, _percents(price_rules, quality_limits["price_kind"]))
    decided = {row["ticker"]: row for row in evaluation_bars["names"]}
    series = groupby(bars.select(COLUMNS).iter_rows(), key=lambda bar: bar[0])
    return {ticker: _row(list(own), days, decided[ticker], quality_limits) for ticker, own in series}


class _Days:
    """The dates that matter: the sessions, today, the latest complete session, the daily limit of each date."""

    def __init__(self, calendar: dict[str, Any], evaluation: dict[str, Any], percents: list[tuple[str, int]]) -> None:
        disputed = {row["date"] for row in calendar["disputed"]}
        self.first = calendar["first"]
        self.sessions = set(calendar["sessions"])
        self.agreed = [day for day in calendar["sessions"] if day not in disputed]
        self.today = evaluation["day"]
        self.latest = evaluation["session"]
        self.percents = percents

    def percent(self, day: str) -> int:
        return max((first, percent) for first, percent in self.percents if first <= day)[1]

    def from_to(self, first: str, last: str) -> list[str]:
        """The agreed sessions from one date to another, both included."""
        return self.agreed[bisect_left(self.agreed, first) : bisect_right(self.agreed, last)]


def _percents(price_rules: dict[str, Any], kind: str) -> list[tuple[str, int]]:
    return [(row["from"], row["percent"]) for row in price_rules["limits"][price_rules["kinds"][kind]["limits"]]]


def _row(rows: list[Bar], days: _Days, decided: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    texts = [bar[1].isoformat() for bar in rows if bar[1].isoformat() <= days.today]
    future = len(rows) - len(texts)
    ticker, rows, known = rows[0][0], rows[: len(texts)], set(texts)
    end = decided["session"]
    row: dict[str, Any] = {
        "ticker": ticker,
        "bars": len(rows),
        "first": texts[0] if texts else None,
        "last": texts[-1] if texts else None,
        "missing": sum(day not in known for day in days.from_to(texts[0], texts[-1])) if texts else 0,
        "halted": sum(map(_is_halt, rows)),
        "off_calendar": sum(days.first <= text and text not in days.sessions for text in texts),
        "future": future,
        "stale": None if end is None else sum(day > end for day in days.from_to(end, days.latest)),
    }
    row["actions"] = _actions(rows, texts, days, limits["corporate_action"]["rounding_krw"])
    reasons = _reasons(row, rows, texts, decided, limits)
    verdicts = {limits["verdicts"][reason] for reason in reasons}
    row["reasons"] = sorted(reasons)
    row["verdict"] = next((verdict for verdict in ("blocked", "warning") if verdict in verdicts), "ok")
    return row


def _is_halt(bar: Bar) -> bool:
    _, _, opened, high, low, close, volume = bar
    return volume == 0 and ((opened == high == low == close) or (opened == high == low == 0))


def _actions(rows: list[Bar], texts: list[str], days: _Days, rounding: int) -> list[dict[str, Any]]:
    actions = []
    for index in range(1, len(rows)):
        base, close = rows[index - 1][5], rows[index][5]
        # Within a tenth of the base no limit of any date can have been broken.
        if base <= 0 or close <= 0 or abs(close - base) * 10 < base:
            continue
        percent = days.percent(texts[index])
        move = Fraction(str(close)) - Fraction(str(base))
        if abs(move) > Fraction(str(base)) * percent / 100 + rounding:
            dates = {"session": texts[index], "previous_session": texts[index - 1]}
            actions.append({**dates, "previous_close": _price(base), "close": _price(close)})
    return actions


def _price(value: float) -> int | str:
    return int(value) if value.is_integer() else str(value)


def _reasons(
    row: dict[str, Any], rows: list[Bar], texts: list[str], decided: dict[str, Any], limits: dict[str, Any]
) -> set[str]:
    facts = {
        "no_complete_bar": decided["session"] is None,
        "stale": (row["stale"] or 0) > limits["max_stale_sessions"],
        "missing": row["missing"] > limits["max_missing_sessions"],
        "off_calendar": row["off_calendar"] > 0,
        "future": row["future"] > 0,
        "unfinished": decided["unfinished"] > 0,
        "dropped": decided["dropped"] > 0,
        "thin": decided["thin"],
        "halted": decided["session"] in texts and _is_halt(rows[texts.index(decided["session"])]),
    }
    reasons = {reason for reason, holds in facts.items() if holds}
    recent = limits["corporate_action"]["recent_bars"]
    for action in row["actions"]:
        since = sum(action["session"] <= text <= (decided["session"] or "") for text in texts)
        reasons.add("corporate_action" if since <= recent else "old_corporate_action")
    return reasons


def _totals(expected: dict[str, dict[str, Any]]) -> dict[str, int]:
    rows = expected.values()
    verdicts = Counter(row["verdict"] for row in rows)
    return {
        "names": len(expected),
        "bars": sum(row["bars"] for row in rows),
        "ok": verdicts["ok"],
        "warning": verdicts["warning"],
        "blocked": verdicts["blocked"],
        "actions": sum(len(row["actions"]) for row in rows),
    }
