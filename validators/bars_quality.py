"""The quality of each name's bars is counted again, bar by bar, and its verdict follows from the counts.

A base price that was changed, a hole or a bar from nowhere moves every average behind it, and the name with it.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from quantassay.domain.agreement import agree_by_ticker
from quantassay.domain.market import bar_by_bar
from quantassay.domain.market.bar_by_bar import Bar, Rules
from quantassay.domain.remembered import remembered
from quantassay.findings import Judged, judged

RULES = ["R01.4", "R01.6", "R01.10", "R01.11"]
STRAY = ("off_calendar", "future")
# A recent one of these spoils the averages, an old one is told.
SPOILING = ("scale", "spike", "bad_price", "bad_volume", "inconsistent", "duplicate")
# Of the totals those that the gate of the adjusted series judges.
ADJUSTED = ("adjusted", "adjusted_changes", "adjusted_unchanged", "adjusted_only")

Row = dict[str, Any]


def check(  # noqa: PLR0913, PLR0917 - what it names is what it reads
    data_quality: dict[str, Any],
    bars: pl.DataFrame,
    trading_calendar: dict[str, Any],
    evaluation_bars: dict[str, Any],
    quality_limits: dict[str, Any],
    price_rules: dict[str, Any],
    price_limit_exceptions: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each name's row field by field and the totals (R01.4), and that no bar lies off the calendar (R01.6).

    That every doubt is told with its place (R01.10), and blocks where the spec says so (R01.11), is judged for each
    name by itself, so that one wrong row is one finding. What is told of adjusted bars another gate judges.
    """
    found = _expected(bars, trading_calendar, evaluation_bars, quality_limits, price_rules, price_limit_exceptions)
    rows = data_quality.get("names", [])
    told = {row.get("ticker"): row.get("adjusted") for row in rows}
    expected = {ticker: _judged(row, told.get(ticker), quality_limits) for ticker, row in found.items()}
    yield from agree_by_ticker(expected, rows)
    right = {
        "session": evaluation_bars["session"],
        "market": trading_calendar["market"],
        "currency": trading_calendar["currency"],
    }
    for name, value in right.items():
        actual = data_quality.get(name)
        says = f"{name} is not the one of the calendar and of the deciding bars"
        yield judged(f"/{name}", ok=actual == value, says=says, expected=value, actual=actual)
    totals, actual = _totals(expected), data_quality.get("totals", {})
    shown = {name: value for name, value in actual.items() if name not in ADJUSTED}
    yield judged("/totals", ok=shown == totals, says="the totals do not follow", expected=totals, actual=shown)
    for index, row in enumerate(rows):
        yield from _doubts(index, row, expected.get(str(row.get("ticker"))), quality_limits["verdicts"])


def _doubts(index: int, row: Row, right: Row | None, verdicts: Mapping[str, str]) -> Iterator[Judged]:
    ok = all(row.get(name) == 0 for name in STRAY)
    says = f"{row.get('ticker')} has bars on dates that are no sessions, or of days to come; correct its file"
    yield Judged(f"/names/{index}", ok=ok, says=says, rule="R01.6")
    if right is None:
        return
    hidden = sorted(set(right["reasons"]) - set(row.get("reasons") or ()))
    says = f"{row['ticker']} does not show what is wrong with its bars: {', '.join(hidden)}"
    yield Judged(f"/names/{index}/reasons", ok=not hidden, says=says, rule="R01.10")
    blocked = any(verdicts.get(reason) == "blocked" for reason in right["reasons"])
    says = f"{row['ticker']} may be traded, and its bars are in doubt: {', '.join(right['reasons'])}"
    yield Judged(f"/names/{index}/verdict", ok=not blocked or row.get("verdict") == "blocked", says=says, rule="R01.11")


@remembered
def _expected(
    bars: pl.DataFrame,
    trading_calendar: dict[str, Any],
    evaluation_bars: dict[str, Any],
    quality_limits: dict[str, Any],
    price_rules: dict[str, Any],
    price_limit_exceptions: dict[str, Any],
) -> dict[str, Row]:
    """The row that each name ought to have, but for its verdict and what its adjusted bars say."""
    market = trading_calendar["market"]
    rules = bar_by_bar.rules(quality_limits, market, price_rules, price_limit_exceptions)
    days = _Days(trading_calendar, evaluation_bars, market)
    decided = {row["ticker"]: row for row in evaluation_bars["names"]}
    return {ticker: _row(ticker, own, days, decided[ticker], rules) for ticker, own in bar_by_bar.series(bars).items()}


class _Days:
    """The dates that matter: the sessions, today, the latest complete session."""

    def __init__(self, calendar: dict[str, Any], evaluation: dict[str, Any], market: str) -> None:
        disputed = {row["date"] for row in calendar["disputed"]}
        self.first = calendar["first"]
        self.sessions = set(calendar["sessions"])
        self.agreed = [day for day in calendar["sessions"] if day not in disputed]
        self.today = evaluation["day"]
        self.latest = evaluation["session"]
        self.market = market

    def from_to(self, first: str, last: str) -> list[str]:
        """The agreed sessions from one date to another, both included."""
        return self.agreed[bisect_left(self.agreed, first) : bisect_right(self.agreed, last)]

    def is_off(self, day: str) -> bool:
        return self.first <= day and day not in self.sessions


def _row(ticker: str, rows: Sequence[Bar], days: _Days, decided: Row, rules: Rules) -> Row:
    known = [bar for bar in rows if bar.day <= days.today]
    limits, there, index, end = rules.limits, {bar.day for bar in known}, decided["index"], decided["session"]
    absent = [day for day in days.from_to(known[0].day, known[-1].day) if day not in there] if known else []
    stray = [bar.day for bar in known if days.is_off(bar.day)]
    future = [bar.day for bar in rows[len(known) :]]
    jumps = list(bar_by_bar.jumps(ticker, bar_by_bar.comparable(known), rules, index))
    actions = [row for kind, row in jumps if kind in ("limit", "ratio")]
    faults = [*bar_by_bar.faults(known, rules.rounding, index), *((k, r) for k, r in jumps if k in bar_by_bar.JUMPS)]
    lonely = [("missing", absent), ("off_calendar", stray), ("future", future)]
    shown = faults + [(kind, bar_by_bar.fault(day, None)) for kind, dates in lonely for day in dates]
    row: Row = {
        "ticker": ticker,
        "bars": len(known),
        "first": known[0].day if known else None,
        "last": known[-1].day if known else None,
        "missing": len(absent),
        "halted": sum(map(bar_by_bar.is_halt, known)),
        "off_calendar": len(stray),
        "future": len(future),
        "stale": None if end is None else sum(day > end for day in days.from_to(end, days.latest)),
        "actions": actions,
        "faults": bar_by_bar.grouped(shown, limits["faults"]["evidence_rows"]),
    }
    plain = {
        "no_complete_bar": end is None,
        "stale": (row["stale"] or 0) > limits["max_stale_sessions"][days.market],
        "missing": row["missing"] > limits["max_missing_sessions"][days.market],
        "off_calendar": bool(stray),
        "future": bool(future),
        "unfinished": decided["unfinished"] > 0,
        "dropped": decided["dropped"] > 0,
        "thin": decided["thin"],
        "halted": any(bar.day == end and bar_by_bar.is_halt(bar) for bar in rows),
    }
    row["reasons"] = {reason for reason, holds in plain.items() if holds} | _of_faults(faults, actions, limits)
    return row


def _of_faults(faults: Sequence[tuple[str, Row]], actions: Sequence[Row], limits: Mapping[str, Any]) -> set[str]:
    recent, reasons = limits["faults"]["recent_bars"], set()
    for kind, row in faults:
        near = bar_by_bar.is_near(row, recent)
        if kind in SPOILING:
            reasons.add(kind if near else "old_fault")
        elif kind == "unsorted" or near:
            reasons.add(kind)
    for row in actions:
        near = bar_by_bar.is_near(row, limits["corporate_action"]["recent_bars"])
        reasons.add("limit_exception" if row["allowed"] else "corporate_action" if near else "old_corporate_action")
    return reasons


def _judged(row: Row, adjusted: Any, limits: Mapping[str, Any]) -> Row:
    """The row with what is told of its adjusted bars, and the verdict of all of it."""
    more = adjusted.get("reasons") if isinstance(adjusted, dict) else None
    known = [reason for reason in more if isinstance(reason, str)] if isinstance(more, list) else []
    reasons = {*row["reasons"], *known}
    verdicts = {limits["verdicts"].get(reason) for reason in reasons}
    verdict = next((one for one in ("blocked", "warning") if one in verdicts), "ok")
    doubts = sorted(reason for reason in reasons if limits["verdicts"].get(reason) == "blocked")
    return {**row, "adjusted": adjusted, "reasons": sorted(reasons), "doubts": doubts, "verdict": verdict}


def _totals(expected: dict[str, Row]) -> Row:
    rows = expected.values()
    verdicts = Counter(row["verdict"] for row in rows)
    reasons = Counter(reason for row in rows for reason in row["reasons"])
    return {
        "names": len(expected),
        "bars": sum(row["bars"] for row in rows),
        "ok": verdicts["ok"],
        "warning": verdicts["warning"],
        "blocked": verdicts["blocked"],
        "actions": sum(len(row["actions"]) for row in rows),
        "reasons": [{"reason": reason, "names": reasons[reason]} for reason in sorted(reasons)],
    }
