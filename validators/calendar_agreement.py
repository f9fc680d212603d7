"""The trading calendar is what its sources, the market's rules and the governed overrides make it, date by date.

A day wrongly taken for a session, or a close at the wrong hour, moves every signal and every order behind it.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from quantassay.domain.remembered import remembered
from quantassay.findings import Judged, judged

RULES = ["R01.1", "R01.7"]
FRIDAY, WEEKEND = 5, (6, 7)
NEW_YEAR = (1, 2)
PLAIN = ("zone", "currency", "first", "last", "regular_hours")
# Lists of the spec of which the artifact keeps these members.
PARTS = {"breaks": ("from", "start", "end"), "segments": ("from", "name", "open", "close")}
LISTS = ("sessions", "special_sessions", "closed", "disputed", "overrides")

Tables = dict[str, dict[str, dict[str, dict[str, str]]]]


def check(
    trading_calendar: dict[str, Any],
    calendars: dict[str, Any],
    desk: dict[str, Any],
    holiday_sources: Tables,
    recorded_closures: dict[str, Any],
    calendar_overrides: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each plain field, and each row of each list against the row that ought to stand for its date."""
    markets = calendars["markets"]
    market = next((key for key, row in markets.items() if desk["market"] in (key, *row["serves"])), None)
    if market is None:
        says = f"the calendar spec has no market {desk['market']}, which the desk trades"
        yield judged("/market", ok=False, says=says, actual=trading_calendar.get("market"), rule="R01.7")
        return
    spec = markets[market]
    plain = {"market": market, **{name: spec[name] for name in PLAIN}}
    for name, members in PARTS.items():
        plain[name] = [dict(zip(members, map(row.get, members), strict=True)) for row in spec[name]]
    for name, right in plain.items():
        actual = trading_calendar.get(name)
        says = f"{name} is not what the calendar spec says of {market}"
        yield judged(f"/{name}", ok=actual == right, says=says, expected=right, actual=actual, rule="R01.7")
    expected = _expected(calendars, market, holiday_sources, recorded_closures, calendar_overrides)
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
    calendars: dict[str, Any],
    market: str,
    holiday_sources: Tables,
    recorded_closures: dict[str, Any],
    calendar_overrides: dict[str, Any],
) -> dict[str, dict[str, Any]]:
    """Each list of the artifact by date, decided one date at a time from the texts of the inputs."""
    spec, tables = calendars["markets"][market], holiday_sources[market]
    recorded = recorded_closures["markets"][market]
    ruled = {row["date"]: row for row in calendar_overrides["overrides"] if row["market"] == market}
    lists: dict[str, dict[str, Any]] = {name: {} for name in LISTS}
    day, last = date.fromisoformat(spec["first"]), date.fromisoformat(spec["last"])
    # Of a year that began before the calendar the first session is not known.
    opened_year = day.year if (day.month, day.day) > NEW_YEAR else None
    while day <= last:
        text, rule = day.isoformat(), ruled.get(day.isoformat())
        closers, openers, names = _votes(day, spec, tables["closed"], recorded["closed"])
        if rule:
            lists["overrides"][text] = {"date": text, "state": rule["state"], "source": rule["source"]}
        if day.isoweekday() in WEEKEND and (not rule or rule["state"] == "closed"):
            pass
        elif rule and rule["state"] == "closed":
            lists["closed"][text] = {"date": text, "name": rule["name"], "sources": [*closers, "override"]}
        elif closers and not openers and len(closers) >= spec["quorum"] and not rule:
            lists["closed"][text] = {"date": text, "name": names[0] if names else "", "sources": closers}
        else:
            early, against = _early(text, spec, tables["early"], recorded["early"], rule)
            unsure = {"date": text, "closed_by": closers, "open_by": [*openers, "override"] if rule else openers}
            if early is None:
                lists["disputed"][text] = {**unsure, "early_by": against}
            elif not rule and (closers or len(openers) < spec["quorum"]):
                lists["disputed"][text] = unsure
            lists["sessions"][text] = text
            special = _special(text, spec, rule, is_first=opened_year != day.year, early=bool(early))
            if special:
                lists["special_sessions"][text] = special
            opened_year = day.year
        day += timedelta(1)
    return lists


def _votes(
    day: date, spec: dict[str, Any], tables: dict[str, dict[str, str]], recorded: dict[str, list[str]]
) -> tuple[list[str], list[str], list[str]]:
    """Who calls this date closed, who calls it open, and the names that the closers give it."""
    text, own = day.isoformat(), spec["market_closures"]
    closers: list[str] = []
    openers: list[str] = []
    names: list[str] = []
    for source in spec["sources"]:
        if not source["from"] <= text <= source["until"]:
            continue
        name = _said(source["id"], text, tables, recorded)
        if name is None and own and source["id"] == own["source"]:
            name = _market_closure(day, own)
        (openers if name is None else closers).append(source["id"])
        if name:
            names.append(name)
    return closers, openers, names


def _said(source: str, text: str, tables: dict[str, dict[str, str]], recorded: dict[str, list[str]]) -> str | None:
    """The name under which a source lists this date, None where it does not list it."""
    if source == "recorded":
        return "" if text[5:] in recorded.get(text[:4], ()) else None
    return tables.get(source, {}).get(text)


def _market_closure(day: date, market: dict[str, Any]) -> str | None:
    for row in market["yearly"]:
        if row["day"] == day.isoformat()[5:]:
            return str(row["name"])
    # The last weekday of a year is the one whose next weekday lies in another year.
    next_weekday = day + timedelta(3 if day.isoweekday() == FRIDAY else 1)
    if next_weekday.year != day.year:
        return str(market["last_weekday_of_year"])
    return None


def _early(
    text: str,
    spec: dict[str, Any],
    tables: dict[str, dict[str, str]],
    recorded: dict[str, list[str]],
    rule: dict[str, str] | None,
) -> tuple[bool | None, list[str]]:
    """Whether the session closes early, None where that is not settled, and who says that it does."""
    told = spec["early_closes"]
    if told is None or (rule is not None and "open" in rule):
        return False, []
    asked = [row for row in spec["sources"] if row["id"] in told["sources"]]
    voters = [row["id"] for row in asked if row["from"] <= text <= row["until"]]
    early = [one for one in voters if _said(one, text, tables, recorded) is not None]
    if len(voters) < spec["quorum"] or 0 < len(early) < len(voters):
        return None, early
    return bool(early), early


def _special(
    text: str, spec: dict[str, Any], rule: dict[str, str] | None, *, is_first: bool, early: bool
) -> dict[str, str] | None:
    if rule and "open" in rule:
        return {"session": text, "open": rule["open"], "close": rule["close"], "kind": rule["name"]}
    regular = max((row for row in spec["regular_hours"] if row["from"] <= text), key=lambda row: row["from"])
    first, half = spec["first_session_of_year"], spec["early_closes"]
    if early:
        return {"session": text, "open": regular["open"], "close": half["close"], "kind": half["kind"]}
    if first and is_first and text >= first["from"]:
        return {"session": text, "open": first["open"], "close": regular["close"], "kind": first["kind"]}
    return None
