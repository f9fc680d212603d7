"""Settles which days are sessions, when they open and close, and which dates the sources disagree on."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from quantassay.domain.market.calendars import (
    Override,
    Settled,
    Source,
    first_sessions,
    last_weekday_of,
    market_key,
    ruled,
    settle,
    settle_all,
)

_SPEC = "calendars:/markets/{market}"
_VOTES = ["holiday_sources:/{market}", "recorded_closures:/markets/{market}"]
_RULED = "calendar_overrides:/overrides"
ORIGINS = {
    "/first": [f"{_SPEC}/first"],
    "/last": [f"{_SPEC}/last"],
    "/regular_hours/**": [f"{_SPEC}/regular_hours"],
    "/breaks/**": [f"{_SPEC}/breaks"],
    "/segments/**": [f"{_SPEC}/segments"],
    "/sessions/*": [*_VOTES, _RULED],
    "/special_sessions/**": [_RULED, f"{_SPEC}/first_session_of_year", f"{_SPEC}/early_closes", *_VOTES],
    "/closed/**": [*_VOTES, _RULED],
    "/disputed/**": _VOTES,
    "/overrides/**": [_RULED],
}
_COPIED = ("zone", "currency", "first", "last", "regular_hours")
_BREAK, _SEGMENT = ("from", "start", "end"), ("from", "name", "open", "close")

# market -> "closed" or "early" -> source -> date -> name
Votes = Mapping[str, Mapping[str, Mapping[str, Mapping[str, str]]]]


def build(
    calendars: dict[str, Any],
    desk: dict[str, Any],
    holiday_sources: Votes,
    recorded_closures: dict[str, Any],
    calendar_overrides: dict[str, Any],
) -> dict[str, Any]:
    """The calendar of the desk's market, weekday by weekday: unanimous, overridden, or disputed. Raises NoCalendar."""
    market = market_key(calendars, desk["market"])
    spec = calendars["markets"][market]
    first, last = date.fromisoformat(spec["first"]), date.fromisoformat(spec["last"])
    rows = ruled([row for row in calendar_overrides["overrides"] if row["market"] == market], first, last)
    overrides = {day: Override(day, row["state"] == "open", row["name"]) for day, row in rows.items()}
    votes = _votes(market, holiday_sources, recorded_closures)
    settled = settle_all(first, last, _sources(spec, votes["closed"]), overrides, spec["quorum"])
    opened = [row for row in settled if row.is_open is not False]
    early = {row.day: row for row in _early(spec, votes["early"], opened) if "open" not in rows.get(row.day, ())}
    return {
        "market": market,
        **{name: spec[name] for name in _COPIED},
        "breaks": [{key: row[key] for key in _BREAK} for row in spec["breaks"]],
        "segments": [{key: row[key] for key in _SEGMENT} for row in spec["segments"]],
        "sessions": [row.day.isoformat() for row in opened],
        "special_sessions": _special(spec, [row.day for row in opened], early, rows),
        "closed": [_closed(row) for row in settled if row.is_open is False],
        "disputed": list(_disputed(opened, early)),
        "overrides": [{key: row[key] for key in ("date", "state", "source")} for row in rows.values()],
    }


def _closed(row: Settled) -> dict[str, Any]:
    return {"date": row.day.isoformat(), "name": row.name, "sources": list(row.closed_by)}


def _disputed(opened: Iterable[Settled], early: Mapping[date, Settled]) -> Iterator[dict[str, Any]]:
    """The dates that are no settled session, and the sessions of which it is not settled whether they close early."""
    for row in opened:
        told = {"date": row.day.isoformat(), "closed_by": list(row.closed_by), "open_by": list(row.open_by)}
        hours = early.get(row.day)
        if hours is not None and hours.is_open is None:
            yield {**told, "early_by": list(hours.closed_by)}
        elif row.is_open is None:
            yield told


def _votes(market: str, tables: Votes, recorded: Mapping[str, Any]) -> dict[str, dict[str, Mapping[str, str]]]:
    """What each source says of the market, by date: whole closures and early ones. The record gives no names."""
    return {
        kind: {
            **tables[market][kind],
            "recorded": {
                f"{year}-{day}": "" for year, days in recorded["markets"][market][kind].items() for day in days
            },
        }
        for kind in ("closed", "early")
    }


def _sources(spec: Mapping[str, Any], votes: Mapping[str, Mapping[str, str]]) -> list[Source]:
    market = spec["market_closures"]
    sources = list(_voters(spec, votes, [row["id"] for row in spec["sources"]]))
    if market is None:
        return sources
    return [replace(one, closures=_with(market, one)) if one.name == market["source"] else one for one in sources]


def _with(market: Mapping[str, Any], source: Source) -> dict[date, str]:
    """The closures of a source with the market's own; where both name a date, the source's name stays."""
    return {**_market_closures(market, range(source.first.year, source.last.year + 1)), **source.closures}


def _voters(spec: Mapping[str, Any], votes: Mapping[str, Mapping[str, str]], names: Iterable[str]) -> Iterator[Source]:
    for row in spec["sources"]:
        if row["id"] in names:
            first, last = date.fromisoformat(row["from"]), date.fromisoformat(row["until"])
            said = votes.get(row["id"], {})
            yield Source(row["id"], first, last, {date.fromisoformat(day): name for day, name in said.items()})


def _market_closures(market: Mapping[str, Any], years: Iterable[int]) -> dict[date, str]:
    closures = {}
    for year in years:
        closures[last_weekday_of(year)] = market["last_weekday_of_year"]
        for row in market["yearly"]:
            closures[date.fromisoformat(f"{year}-{row['day']}")] = row["name"]
    return closures


def _early(
    spec: Mapping[str, Any], votes: Mapping[str, Mapping[str, str]], opened: Iterable[Settled]
) -> Iterator[Settled]:
    """The vote on an early close, on each session where it is not settled that there is none."""
    rule = spec["early_closes"]
    if rule is None:
        return
    voters = list(_voters(spec, votes, rule["sources"]))
    for row in opened:
        vote = settle(row.day, voters, None, spec["quorum"])
        if vote.is_open is not True:
            yield vote


def _special(
    spec: Mapping[str, Any],
    sessions: list[date],
    early: Mapping[date, Settled],
    overrides: Mapping[date, Mapping[str, str]],
) -> list[dict[str, str]]:
    special: dict[date, dict[str, str]] = {}
    late = spec["first_session_of_year"]
    for day in first_sessions(sessions, date.fromisoformat(spec["first"])) if late else ():
        if day.isoformat() >= late["from"]:
            special[day] = {"open": late["open"], "close": _regular(spec, day)["close"], "kind": late["kind"]}
    for day, vote in early.items():
        # While it is not settled the later close stands: a bar taken after it is complete either way.
        if vote.is_open is False:
            rule = spec["early_closes"]
            special[day] = {"open": _regular(spec, day)["open"], "close": rule["close"], "kind": rule["kind"]}
    for day, row in overrides.items():
        if "open" in row:
            special[day] = {"open": row["open"], "close": row["close"], "kind": row["name"]}
    return [{"session": day.isoformat(), **special[day]} for day in sorted(special)]


def _regular(spec: Mapping[str, Any], day: date) -> Mapping[str, str]:
    hours: Mapping[str, str] = [row for row in spec["regular_hours"] if row["from"] <= day.isoformat()][-1]
    return hours
