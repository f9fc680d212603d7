"""No sell input was published, or corrected, after the decision that is to be made on it.

What only became known later looks like foresight in every test, and is not there on the day.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from quantassay.findings import Judged, judged

RULES = ["R11.2"]
FIELDS = {
    "short_balance_ratio": "short_balance",
    "premium": "etf_nav",
    "tracking_error": "etf_nav",
    "aum": "etf_nav",
}


def check(
    qualitative_sell_inputs: dict[str, Any],
    as_of: str,
    manual_facts: pl.DataFrame,
    manual_feeds: dict[str, Any],
    trading_calendar: dict[str, Any],
) -> Iterator[Judged]:
    """Judges the moment, and each row that is pointed at: its publication, the end of its session, its version."""
    made = qualitative_sell_inputs.get("as_of")
    yield judged("/as_of", ok=made == as_of, says="is not the moment of the run", expected=as_of, actual=made)
    moment = datetime.fromisoformat(as_of)
    day = moment.astimezone(ZoneInfo(trading_calendar["zone"])).date()
    lags = {feed: rules.get("publication_lag_sessions", 0) for feed, rules in manual_feeds["feeds"].items()}
    versions = _versions(qualitative_sell_inputs, manual_facts)
    for place, feed, key, version in _uses(qualitative_sell_inputs):
        session = key[-1]
        earliest = _published(session, lags[feed], trading_calendar)
        over = session < day.isoformat() or (session == day.isoformat() and moment >= _close(session, trading_calendar))
        says = f"the value of {session} is not out before {earliest}, and the decision is of {day}"
        yield judged(place, ok=over and earliest <= day.isoformat(), says=says, expected=f"by {day}", actual=earliest)
        there = versions.get(key, {})
        had = [number for number, came in there.items() if came <= moment]
        right = max(had) if had else min(there, default=None)
        says = f"the decision at {as_of} had version {right} of this value, and not version {version}"
        yield judged(f"{place}/version", ok=version == right, says=says, expected=right, actual=version)


def _uses(inputs: dict[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...], Any]]:
    """(where, feed, (feed, ticker, field, session), version) of each row of a file that a value points at."""
    for index, row in enumerate(inputs["holdings"]):
        ticker, place = str(row.get("ticker")), f"/holdings/{index}"
        for name, feed in FIELDS.items():
            one = row.get(name) or {}
            if one.get("session"):
                key = (feed, ticker, str(one.get("field")), str(one["session"]))
                yield f"{place}/{name}", feed, key, one.get("version")
                if one.get("worked_out"):
                    key = (feed, ticker, "close", str(one["session"]))
                    yield f"{place}/{name}/worked_out", feed, key, one["worked_out"].get("version")
        change = row.get("short_balance_change") or {}
        if change.get("previous_session"):
            key = ("short_balance", ticker, "balance_ratio", str(change["previous_session"]))
            yield f"{place}/short_balance_change", "short_balance", key, change.get("version")


def _versions(inputs: dict[str, Any], facts: pl.DataFrame) -> dict[tuple[str, ...], dict[int, datetime]]:
    """When each version of each value of the names held came in."""
    tickers = [str(row.get("ticker")) for row in inputs["holdings"]]
    found: dict[tuple[str, ...], dict[int, datetime]] = {}
    for row in facts.filter(pl.col("ticker").is_in(tickers)).iter_rows(named=True):
        key = (row["feed"], row["ticker"], row["field"], row["session"].isoformat())
        found.setdefault(key, {})[row["version"]] = row["imported_at"]
    return found


def _published(session: str, lag: int, calendar: dict[str, Any]) -> str:
    """The first session on which a decision may know a value of this one; a disputed date counts for none."""
    disputed = {row["date"] for row in calendar["disputed"]}
    ahead = [day for day in calendar["sessions"] if day >= session and day not in disputed]
    return str(ahead[lag]) if lag < len(ahead) else "9999-12-31"


def _close(session: str, calendar: dict[str, Any]) -> datetime:
    special = [row for row in calendar["special_sessions"] if row["session"] == session]
    regular = [row for row in calendar["regular_hours"] if row["from"] <= session]
    hours = [*regular, *special][-1]
    day = date.fromisoformat(session)
    return datetime.fromisoformat(f"{day}T{hours['close']}").replace(tzinfo=ZoneInfo(calendar["zone"]))
