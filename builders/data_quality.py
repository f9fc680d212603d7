"""Counts what is missing or wrong in each name's bars and says whether the name may be traded."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl

from quantassay.domain.market import quality
from quantassay.domain.market.corporate_actions import suspected
from quantassay.domain.market.price_rules import price_rules as rules_of
from quantassay.domain.market.sessions import calendar

ORIGINS = {
    "/session": ["evaluation_bars:/session"],
    "/totals/*": ["evaluation_bars:/names", "quality_limits:/verdicts"],
    "/imports/**": ["import_log:/files", "import_log:/issues"],
    "/names/*/bars": ["bars:/{ticker}/{last}/close"],
    "/names/*/first": ["bars:/{ticker}/{first}/close"],
    "/names/*/last": ["bars:/{ticker}/{last}/close"],
    "/names/*/missing": ["bars:/{ticker}/{last}/close", "trading_calendar:/sessions"],
    "/names/*/halted": ["bars:/{ticker}/{last}/volume"],
    "/names/*/off_calendar": ["bars:/{ticker}/{last}/close", "trading_calendar:/sessions"],
    "/names/*/future": ["bars:/{ticker}/{last}/close", "evaluation_bars:/day"],
    "/names/*/stale": ["evaluation_bars:/session", "trading_calendar:/sessions"],
    "/names/*/actions/*/session": ["bars:/{ticker}/{session}/close"],
    "/names/*/actions/*/close": ["bars:/{ticker}/{session}/close"],
    "/names/*/actions/*/previous_session": ["bars:/{ticker}/{previous_session}/close"],
    "/names/*/actions/*/previous_close": ["bars:/{ticker}/{previous_session}/close"],
}


def build(
    bars: pl.DataFrame,
    trading_calendar: dict[str, Any],
    evaluation_bars: dict[str, Any],
    quality_limits: dict[str, Any],
    price_rules: dict[str, Any],
    import_log: dict[str, Any] | None,
) -> dict[str, Any]:
    """One row a ticker with counts, suspected corporate actions, reasons and verdict; totals; what the import refused.

    Bars of days to come are counted and otherwise left out, so that a run for an earlier day does not know the later.
    """
    cal = calendar(trading_calendar)
    limits = quality_limits["corporate_action"]
    rules, kind = rules_of(price_rules), quality_limits["price_kind"]
    actions: dict[str, list[dict[str, Any]]] = {}
    today = date.fromisoformat(evaluation_bars["day"])
    known = bars.filter(pl.col("session") <= today)
    for action in suspected(known, rules, kind, limits["rounding_krw"]).iter_rows(named=True):
        actions.setdefault(action["ticker"], []).append(action)
    counted = quality.counts(bars, cal, today)
    halts = set(bars.filter(quality.is_halted()).select("ticker", pl.col("session").dt.to_string("iso")).iter_rows())
    latest, agreed = date.fromisoformat(evaluation_bars["session"]), quality.undisputed(cal)
    names = []
    for row, decided in zip(counted.iter_rows(named=True), evaluation_bars["names"], strict=True):
        ticker, session = row["ticker"], decided["session"]
        found = actions.get(ticker, [])
        count = {
            **row,
            "first": _text(row["first"]),
            "last": _text(row["last"]),
            "stale": quality.stale(agreed, date.fromisoformat(session) if session else None, latest),
            "actions": [_action(action) for action in found],
        }
        reasons = set(_reasons(count, decided, quality_limits))
        reasons.update(_action_reasons(found, decided, limits["recent_bars"]))
        if (ticker, session) in halts:
            reasons.add("halted")
        verdict = quality.verdict(reasons, quality_limits["verdicts"])
        names.append({**count, "verdict": verdict, "reasons": sorted(reasons)})
    return {
        "session": evaluation_bars["session"],
        "totals": _totals(names),
        "imports": quality.import_summary(import_log),
        "names": names,
    }


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _action(action: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "session": action["session"].isoformat(),
        "previous_session": action["previous_session"].isoformat(),
        "previous_close": quality.exact(action["previous_close"]),
        "close": quality.exact(action["close"]),
    }


def _action_reasons(found: list[dict[str, Any]], decided: Mapping[str, Any], recent_bars: int) -> Iterator[str]:
    for action in found:
        # An action after the deciding bar has a position beyond it, so its age is 0 or less: recent.
        age = decided["bars"] - action["position"]
        yield "corporate_action" if age <= recent_bars else "old_corporate_action"


def _reasons(count: Mapping[str, Any], decided: Mapping[str, Any], limits: Mapping[str, Any]) -> Iterator[str]:
    if decided["session"] is None:
        yield "no_complete_bar"
    if (count["stale"] or 0) > limits["max_stale_sessions"]:
        yield "stale"
    if count["missing"] > limits["max_missing_sessions"]:
        yield "missing"
    yield from (reason for reason in ("off_calendar", "future") if count[reason])
    yield from (reason for reason in ("unfinished", "dropped", "thin") if decided[reason])


def _totals(names: list[dict[str, Any]]) -> dict[str, int]:
    verdicts = Counter(row["verdict"] for row in names)
    return {
        "names": len(names),
        "bars": sum(row["bars"] for row in names),
        **{verdict: verdicts[verdict] for verdict in quality.VERDICTS},
        "actions": sum(len(row["actions"]) for row in names),
    }
