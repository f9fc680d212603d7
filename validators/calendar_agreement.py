"""The trading calendar is what its sources, the market's rules and the governed overrides make it, date by date.

A day wrongly taken for a session, or a close at the wrong hour, moves every signal and every order behind it.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from quantassay.domain.remembered import remembered
from quantassay.findings import Judged, judged

RULES = ["R01.1"]
FRIDAY, WEEKEND = 5, (6, 7)
NEW_YEAR = (1, 2)
LISTS = ("sessions", "special_sessions", "closed", "disputed", "overrides")


def check(
    trading_calendar: dict[str, Any],
    calendars: dict[str, Any],
    holiday_sources: dict[str, dict[str, str]],
    recorded_closures: dict[str, Any],
    calendar_overrides: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each plain field, and each row of each list against the row that ought to stand for its date."""
    for name in ("market", "zone", "first", "last", "regular_hours"):
        says = f"{name} is not what the calendar spec says"
        actual = trading_calendar.get(name)
        yield judged(f"/{name}", ok=actual == calendars[name], says=says, expected=calendars[name], actual=actual)
    expected = _expected(calendars, holiday_sources, recorded_closures, calendar_overrides)
    for name in LISTS:
        yield from _compare(name, expected[name], trading_calendar.get(name, []))


def _compare(name: str, expected: dict[str, Any], rows: list[Any]) -> Iterator[Judged]:
    found = set()
    previous = ""
    for index, row in enumerate(rows):
        day = row if isinstance(row, str) else row.get("date", row.get("session", ""))
        right = expected.get(day)
        ok = row == right and day > previous
        found.add(day)
        previous = max(previous, day)
        says = "does not follow from the sources" if row != right else "stands twice or out of order"
        if ok:
            yield Judged(f"/{name}/{index}", ok, says)
        else:
            yield judged(f"/{name}/{index}", ok=False, says=f"{day} {says}", expected=right, actual=row)
    for day, right in expected.items():
        if day not in found:
            yield judged(f"/{name}", ok=False, says=f"{day} is missing", expected=right)


@remembered
def _expected(
    spec: dict[str, Any],
    holiday_sources: dict[str, dict[str, str]],
    recorded: dict[str, Any],
    overrides: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """Each list of the artifact by date, decided one date at a time from the texts of the inputs."""
    ruled = {row["date"]: row for row in overrides["overrides"]}
    lists: dict[str, dict[str, Any]] = {name: {} for name in LISTS}
    day, last = date.fromisoformat(spec["first"]), date.fromisoformat(spec["last"])
    # Of a year that began before the calendar the first session is not known.
    opened_year = day.year if (day.month, day.day) > NEW_YEAR else None
    while day <= last:
        text = day.isoformat()
        closers, openers, names = _votes(day, spec, holiday_sources, recorded)
        rule = ruled.get(text)
        if rule:
            lists["overrides"][text] = {"date": text, "state": rule["state"], "source": rule["source"]}
        if day.isoweekday() in WEEKEND and (not rule or rule["state"] == "closed"):
            pass
        elif rule and rule["state"] == "closed":
            lists["closed"][text] = {"date": text, "name": rule["name"], "sources": [*closers, "override"]}
        elif closers and not openers and len(closers) >= spec["quorum"] and not rule:
            lists["closed"][text] = {"date": text, "name": names[0] if names else "", "sources": closers}
        else:
            agreed = not closers and len(openers) >= spec["quorum"]
            if not rule and not agreed:
                lists["disputed"][text] = {"date": text, "closed_by": closers, "open_by": openers}
            lists["sessions"][text] = text
            special = _special(day, spec, rule, is_first=opened_year != day.year)
            if special:
                lists["special_sessions"][text] = special
            opened_year = day.year
        day += timedelta(1)
    return lists


def _votes(
    day: date, spec: dict[str, Any], holiday_sources: dict[str, dict[str, str]], recorded: dict[str, Any]
) -> tuple[list[str], list[str], list[str]]:
    """Who calls this date closed, who calls it open, and the names that the closers give it."""
    text = day.isoformat()
    closers: list[str] = []
    openers: list[str] = []
    names: list[str] = []
    for source in spec["sources"]:
        if not source["from"] <= text <= source["until"]:
            continue
        name = None
        if source["id"] == "recorded":
            name = "" if text[5:] in recorded["closed"].get(text[:4], ()) else None
        elif text in holiday_sources[source["id"]]:
            name = holiday_sources[source["id"]][text]
        if name is None and source["id"] == spec["market_closures"]["source"]:
            name = _market_closure(day, spec["market_closures"])
        (openers if name is None else closers).append(source["id"])
        if name:
            names.append(name)
    return closers, openers, names


def _market_closure(day: date, market: dict[str, Any]) -> str | None:
    for row in market["yearly"]:
        if row["day"] == day.isoformat()[5:]:
            return str(row["name"])
    # The last weekday of a year is the one whose next weekday lies in another year.
    next_weekday = day + timedelta(3 if day.isoweekday() == FRIDAY else 1)
    if next_weekday.year != day.year:
        return str(market["last_weekday_of_year"])
    return None


def _special(day: date, spec: dict[str, Any], rule: dict[str, str] | None, *, is_first: bool) -> dict[str, str] | None:
    text = day.isoformat()
    if rule and "open" in rule:
        return {"session": text, "open": rule["open"], "close": rule["close"], "kind": rule["name"]}
    first = spec["first_session_of_year"]
    if is_first and text >= first["from"]:
        close = max((row for row in spec["regular_hours"] if row["from"] <= text), key=lambda row: row["from"])["close"]
        return {"session": text, "open": first["open"], "close": close, "kind": first["kind"]}
    return None
