"""Settles which days are sessions, when they open and close, and which dates the sources disagree on."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from quantassay.domain.market.calendars import (
    Override,
    Settled,
    Source,
    first_sessions,
    last_weekday_of,
    ruled,
    settle_all,
)

ORIGINS = {
    "/first": ["calendars:/first"],
    "/last": ["calendars:/last"],
    "/regular_hours/**": ["calendars:/regular_hours"],
    "/sessions/*": ["holiday_sources:", "recorded_closures:/closed", "calendar_overrides:/overrides"],
    "/special_sessions/**": ["calendar_overrides:/overrides", "calendars:/first_session_of_year"],
    "/closed/**": ["holiday_sources:", "recorded_closures:/closed", "calendar_overrides:/overrides"],
    "/disputed/**": ["holiday_sources:", "recorded_closures:/closed"],
    "/overrides/**": ["calendar_overrides:/overrides"],
}


def build(
    calendars: dict[str, Any],
    holiday_sources: dict[str, dict[str, str]],
    recorded_closures: dict[str, Any],
    calendar_overrides: dict[str, Any],
) -> dict[str, Any]:
    """The calendar of `calendars`' range, weekday by weekday: unanimous, overridden, or disputed."""
    first, last = date.fromisoformat(calendars["first"]), date.fromisoformat(calendars["last"])
    rows = ruled(calendar_overrides["overrides"], first, last)
    overrides = {day: Override(day, row["state"] == "open", row["name"]) for day, row in rows.items()}
    votes = {**holiday_sources, "recorded": _recorded(recorded_closures)}
    settled = settle_all(first, last, _sources(calendars, votes), overrides, calendars["quorum"])
    sessions = [row.day for row in settled if row.is_open is not False]
    return {
        "market": calendars["market"],
        "zone": calendars["zone"],
        "first": calendars["first"],
        "last": calendars["last"],
        "regular_hours": calendars["regular_hours"],
        "sessions": [day.isoformat() for day in sessions],
        "special_sessions": _special(calendars, sessions, rows),
        "closed": [_closed(row) for row in settled if row.is_open is False],
        "disputed": [_disputed(row) for row in settled if row.is_open is None],
        "overrides": [{key: row[key] for key in ("date", "state", "source")} for row in rows.values()],
    }


def _closed(row: Settled) -> dict[str, Any]:
    return {"date": row.day.isoformat(), "name": row.name, "sources": list(row.closed_by)}


def _disputed(row: Settled) -> dict[str, Any]:
    return {"date": row.day.isoformat(), "closed_by": list(row.closed_by), "open_by": list(row.open_by)}


def _recorded(recorded_closures: Mapping[str, Any]) -> dict[str, str]:
    """The recorded closures by date; this voter gives no names."""
    return {f"{year}-{day}": "" for year, days in recorded_closures["closed"].items() for day in days}


def _sources(calendars: Mapping[str, Any], votes: Mapping[str, Mapping[str, str]]) -> list[Source]:
    market = calendars["market_closures"]
    sources = []
    for row in calendars["sources"]:
        first, last = date.fromisoformat(row["from"]), date.fromisoformat(row["until"])
        closures = {date.fromisoformat(day): name for day, name in votes[row["id"]].items()}
        source = Source(row["id"], first, last, closures)
        if row["id"] == market["source"]:
            added = _market_closures(market, range(first.year, last.year + 1))
            source = replace(source, closures={**added, **closures})
        sources.append(source)
    return sources


def _market_closures(market: Mapping[str, Any], years: Iterable[int]) -> dict[date, str]:
    closures = {}
    for year in years:
        closures[last_weekday_of(year)] = market["last_weekday_of_year"]
        for row in market["yearly"]:
            closures[date.fromisoformat(f"{year}-{row['day']}")] = row["name"]
    return closures


def _special(
    calendars: Mapping[str, Any], sessions: list[date], overrides: Mapping[date, Mapping[str, str]]
) -> list[dict[str, str]]:
    rule = calendars["first_session_of_year"]
    special = {}
    for day in first_sessions(sessions, date.fromisoformat(calendars["first"])):
        if day.isoformat() >= rule["from"]:
            close = [row["close"] for row in calendars["regular_hours"] if row["from"] <= day.isoformat()][-1]
            special[day] = {"open": rule["open"], "close": close, "kind": rule["kind"]}
    for day, row in overrides.items():
        if "open" in row:
            special[day] = {"open": row["open"], "close": row["close"], "kind": row["name"]}
    return [{"session": day.isoformat(), **special[day]} for day in sorted(special)]
