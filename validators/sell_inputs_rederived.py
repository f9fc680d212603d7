"""Everything said of a holding beside its bars is looked up a second time in the imported facts, field by field.

A ratio of another name, a change that was taken against the wrong day, or a gap that is passed over in silence sells
or keeps a holding for a reason that is none.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from quantassay.domain.agreement import agree
from quantassay.findings import Judged

RULES = ["R11.1"]
SAYS = "is not what the imported facts and the roadmap of gaps give"
WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
ROW = ("file", "digest", "row", "version")
FIELDS = {"tracking_error": "tracking_error_percent", "aum": "aum"}
FUND = ("premium", *FIELDS)


def check(
    qualitative_sell_inputs: dict[str, Any],
    as_of: str,
    manual_facts: pl.DataFrame,
    listing_import: dict[str, Any] | None,
    data_gaps_roadmap: dict[str, Any],
    trading_calendar: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each field but the account's own: for the names that stand there, what is known of them at `as_of`."""
    clock = _Clock(as_of, trading_calendar)
    feeds = [_feed(data_gaps_roadmap, feed, clock) for feed in ("short_balance", "etf_nav")]
    listing = listing_import if listing_import and listing_import["as_of"] <= clock.day else None
    names = {row["ticker"]: row["name"] for row in listing["names"]} if listing else {}
    held = [row for row in qualitative_sell_inputs["holdings"] if isinstance(row, dict)]
    tickers = [str(row.get("ticker")) for row in held]
    facts = _visible(manual_facts.filter(pl.col("ticker").is_in(tickers)), clock)
    rows = [
        {"ticker": ticker, "quantity": row.get("quantity"), **_holding(ticker, names, facts, (feeds, clock))}
        for ticker, row in zip(tickers, held, strict=True)
    ]
    expected = {
        "as_of": as_of,
        "day": clock.day,
        "last_session": clock.last,
        "account": qualitative_sell_inputs.get("account"),
        "feeds": feeds,
        "listing": {"as_of": listing["as_of"], "file": listing["file"], "names": len(names)} if listing else None,
        "holdings": rows,
        "imports": _imports(rows, listed=bool(listing)),
    }
    yield from agree(qualitative_sell_inputs, expected, SAYS)


class _Clock:
    """The moment of the decision against the calendar; days are texts, which sort as days do."""

    def __init__(self, as_of: str, calendar: dict[str, Any]) -> None:
        self.moment = datetime.fromisoformat(as_of)
        self.zone = ZoneInfo(calendar["zone"])
        self.day = self.moment.astimezone(self.zone).date().isoformat()
        self.special = {row["session"]: row for row in calendar["special_sessions"]}
        self.regular = calendar["regular_hours"]
        self.sessions = [day for day in calendar["sessions"] if day <= self.day]
        ended = self.sessions[:-1] if self.sessions[-1] == self.day and not self.passed("close") else self.sessions
        self.last = ended[-1]

    def passed(self, what: str) -> bool:
        """Whether today's open, or close, has come."""
        hours = self.special.get(self.day) or [row for row in self.regular if row["from"] <= self.day][-1]
        return self.moment >= datetime.fromisoformat(f"{self.day}T{hours[what]}").replace(tzinfo=self.zone)

    def between(self, first: str, last: str) -> int:
        """How many sessions after the first there are up to the last."""
        return sum(first < day <= last for day in self.sessions)


def _feed(roadmap: dict[str, Any], feed: str, clock: _Clock) -> dict[str, Any]:
    gap = next(gap for gap in roadmap["gaps"] if gap["manual"]["feed"] == feed)
    standing = next(one["standing"] for one in gap["consumers"] if one["artifact"] == "qualitative_sell_inputs")
    oldest, rhythm = None, gap["manual"]["cadence"]
    if rhythm is not None:
        due = clock.sessions
        if rhythm["every"] == "week":
            weeks: dict[date, str] = {}
            for text in clock.sessions:
                day = date.fromisoformat(text)
                weeks.setdefault(day - timedelta((day.weekday() - WEEK.index(rhythm["weekday"])) % 7), text)
            due = [text for monday, text in weeks.items() if monday.isoformat() >= clock.sessions[0]]
        due = [text for text in due if text < clock.day or clock.passed("open")]
        if len(due) >= rhythm["red_after"]:
            at = clock.sessions.index(due[-rhythm["red_after"]]) - rhythm["data_lag_sessions"]
            oldest = clock.sessions[max(at, 0)]
    return {"feed": feed, "gap": gap["id"], "standing": standing, "oldest_usable": oldest}


Facts = Mapping[tuple[str, str, str], dict[str, dict[str, Any]]]


def _visible(frame: pl.DataFrame, clock: _Clock) -> Facts:
    """By feed, ticker and field: the row of each session that could be known, in the version that was there."""
    found: dict[tuple[str, str, str], dict[str, dict[str, Any]]] = {}
    for row in sorted(frame.iter_rows(named=True), key=lambda row: row["version"]):
        session = row["session"].isoformat()
        if row["available_from"].isoformat() > clock.day or session > clock.last:
            continue
        days = found.setdefault((row["feed"], row["ticker"], row["field"]), {})
        if session not in days or row["imported_at"] <= clock.moment:
            days[session] = row | {"session": session, "available_from": row["available_from"].isoformat()}
    # A blank that is no first version is a value taken back.
    for days in found.values():
        for session in [day for day, row in days.items() if row["note"] == "blank" and row["version"] > 1]:
            del days[session]
    return {key: days for key, days in found.items() if days}


def _holding(
    ticker: str, names: dict[str, str], facts: Facts, view: tuple[list[dict[str, Any]], _Clock]
) -> dict[str, Any]:
    (short, fund), clock = view
    speaks = any(feed == "etf_nav" and of == ticker for feed, of, _ in facts)
    because = ("contradiction" if speaks else "listing") if ticker in names else "etf_nav" if speaks else "nothing"
    kind = {"listing": "stock", "etf_nav": "etf"}.get(because, "unknown")
    balances = facts.get(("short_balance", ticker, "balance_ratio"), {})
    ratio = _reading(balances.get(max(balances, default="")), short, clock)
    nothing = _nothing("not_applicable", None) if kind == "stock" else _nothing("unknown", fund["gap"])
    of_fund = dict.fromkeys(FUND, nothing)
    if kind == "etf":
        of_fund["premium"] = _premium(ticker, facts, fund, clock)
        for name, field in FIELDS.items():
            days = facts.get(("etf_nav", ticker, field), {})
            of_fund[name] = _reading(days.get(max(days, default="")), fund, clock)
    return {
        "name": names.get(ticker),
        "kind": kind,
        "kind_because": because,
        "short_balance_ratio": ratio,
        "short_balance_change": _change(balances, ratio, short, clock),
        **of_fund,
        "premium": {"worked_out": None, **of_fund["premium"]},
    }


def _reading(row: dict[str, Any] | None, feed: dict[str, Any], clock: _Clock) -> dict[str, Any]:
    if row is None:
        return _nothing("unknown", feed["gap"])
    state = "known" if row["value"] is not None else "banned" if row["note"] == "banned" else "blank"
    if feed["standing"] == "red" or row["session"] < (feed["oldest_usable"] or ""):
        state = "stale"
    return {
        "value": row["value"] if state == "known" else None,
        "state": state,
        "gap": None if state == "known" else feed["gap"],
        **{name: row[name] for name in ("field", "session", "available_from", *ROW)},
        "age_sessions": clock.between(row["session"], clock.last),
    }


def _nothing(state: str, gap: str | None) -> dict[str, Any]:
    names = ("value", "field", "session", "available_from", "age_sessions", *ROW)
    return {**dict.fromkeys(names), "state": state, "gap": gap}


def _change(
    balances: dict[str, dict[str, Any]], ratio: dict[str, Any], feed: dict[str, Any], clock: _Clock
) -> dict[str, Any]:
    earlier = [day for day, row in balances.items() if row["value"] is not None and day < (ratio["session"] or "")]
    change = dict.fromkeys(("value", "gap", "session", "previous_value", "previous_session", "sessions", *ROW))
    change["state"] = ratio["state"] if ratio["state"] != "known" else "known" if earlier else "unknown"
    if change["state"] != "known":
        return change | {"gap": feed["gap"]}
    before = balances[max(earlier)]
    places = max(len(text.partition(".")[2]) for text in (ratio["value"], before["value"]))
    moved = int((Fraction(ratio["value"]) - Fraction(before["value"])) * 10**places)
    return change | {
        "value": f"{Decimal(moved).scaleb(-places):f}",
        "session": ratio["session"],
        "previous_value": before["value"],
        "previous_session": before["session"],
        "sessions": clock.between(before["session"], ratio["session"]),
        **{name: before[name] for name in ROW},
    }


def _premium(ticker: str, facts: Facts, feed: dict[str, Any], clock: _Clock) -> dict[str, Any]:
    given, navs, closes = (facts.get(("etf_nav", ticker, field), {}) for field in ("premium_percent", "nav", "close"))
    for day in sorted({*given, *navs}, reverse=True):
        value = given.get(day, {}).get("value")
        nav, close = (Fraction(days[day]["value"] or 0) if day in days else Fraction(0) for days in (navs, closes))
        can = nav > 0 and closes.get(day, {}).get("value") is not None
        if value is None and can:
            hundredths = round((close - nav) * 10_000 / nav)
            found = _reading(navs[day] | {"value": f"{Decimal(hundredths).scaleb(-2):f}"}, feed, clock)
            shown = {"close": closes[day]["value"], "asset_value": navs[day]["value"]}
            row = {name: closes[day][name] for name in ROW}
            return found | {"worked_out": {**shown, **row} if found["state"] == "known" else None}
        if day in given:
            return _reading(given[day], feed, clock)
    return _nothing("unknown", feed["gap"])


def _imports(rows: list[dict[str, Any]], *, listed: bool) -> list[dict[str, Any]]:
    wanted: dict[tuple[str, str], list[str]] = {}
    for feed in ("short_balance", "etf_nav"):
        wanted |= {(feed, why): [] for why in ("stale", "unknown", "no_earlier")}
    stranger = ("listing", "not_listed" if listed else "no_list")
    wanted |= {stranger: [], ("listing", "contradiction"): []}
    for row in rows:
        ratio, change = row["short_balance_ratio"]["state"], row["short_balance_change"]["state"]
        states = [row[name]["state"] for name in FUND] if row["kind"] == "etf" else []
        asked = [("short_balance", ratio), *(("etf_nav", state) for state in dict.fromkeys(states))]
        if (ratio, change) == ("known", "unknown"):
            asked.append(("short_balance", "no_earlier"))
        asked.append({"nothing": stranger}.get(row["kind_because"], ("listing", row["kind_because"])))
        for one in asked:
            if one in wanted:
                wanted[one].append(row["ticker"])
    return [{"feed": feed, "why": why, "tickers": tickers} for (feed, why), tickers in wanted.items() if tickers]
