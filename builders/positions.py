"""Lists what is held and at which price, on which bar each position is judged, for how long, and what is doubtful."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from quantassay.domain.market.sessions import Calendar, calendar
from quantassay.domain.signals import holdings as held
from quantassay.domain.signals.holdings import Aside, Held
from quantassay.domain.signals.sell_kinds import sessions_held

_HELD = ["account_snapshot:/holdings/{ticker}", "holdings:/holdings/{ticker}"]
_FILE = ["holdings:/holdings/{ticker}", "holdings:/settings"]
ORIGINS = {
    "/session": ["evaluation_bars:/session"],
    "/account/as_of": ["account_snapshot:/as_of"],
    "/rows/*/ticker": _HELD,
    "/rows/*/written": _HELD,
    "/rows/*/name": ["universe:/names/{ticker}/name"],
    "/rows/*/quantity": _HELD,
    "/rows/*/entry_price": ["account_snapshot:/holdings/{ticker}/average_price", "holdings:/holdings/{ticker}"],
    "/rows/*/entry_date": ["holdings:/holdings/{ticker}/entry_date"],
    **{f"/rows/*/{name}": _FILE for name in ("strategy", "tags/*", "notes", "stop_override", "target_override")},
    "/rows/*/session": ["evaluation_bars:/names/{ticker}/session"],
    "/rows/*/sessions_held": ["holdings:/holdings/{ticker}/entry_date", "trading_calendar:/sessions"],
    "/rows/*/days_held": ["holdings:/holdings/{ticker}/entry_date", "evaluation_bars:/day"],
    "/rows/*/doubts/*": ["data_quality:/names/{ticker}/doubts", "trading_calendar:/disputed"],
    "/aside/**": ["account_snapshot:/holdings", "holdings:/holdings"],
}


@dataclass(frozen=True, slots=True)
class _View:
    """What is known of all names beside the positions."""

    cal: Calendar
    today: date
    decided: Mapping[str, str | None]
    quality: Mapping[str, Mapping[str, Any]]
    names: Mapping[str, str]


def build(
    trading_calendar: dict[str, Any],
    evaluation_bars: dict[str, Any],
    data_quality: dict[str, Any],
    universe: dict[str, Any],
    account_snapshot: dict[str, Any] | None,
    holdings: dict[str, Any],
) -> dict[str, Any]:
    """One row an active position of the desk's market, by ticker; `aside` has every other ticker, with the reason."""
    view = _View(
        calendar(trading_calendar),
        date.fromisoformat(evaluation_bars["day"]),
        {row["ticker"]: row["session"] for row in evaluation_bars["names"]},
        {row["ticker"]: row for row in data_quality["names"]},
        {row["ticker"]: row["name"] for row in universe["names"]},
    )
    rows, aside = held.split(holdings, account_snapshot, trading_calendar["currency"], frozenset(view.decided))
    account = account_snapshot if held.source(holdings) == held.ACCOUNT else None
    return {
        "session": evaluation_bars["session"],
        "market": trading_calendar["market"],
        "currency": trading_calendar["currency"],
        "source": held.source(holdings),
        "account": {name: account[name] for name in ("id", "environment", "as_of")} if account else None,
        "rows": [_row(one, view) for one in rows],
        "aside": [_aside(one) for one in aside],
    }


def _row(one: Held, view: _View) -> dict[str, Any]:
    own, decided = one.details, view.decided.get(one.ticker)
    entered = date.fromisoformat(own["entry_date"]) if own.get("entry_date") else None
    return {
        "ticker": one.ticker,
        "written": one.written,
        "name": view.names.get(one.ticker),
        "quantity": held.plain(one.quantity),
        "entry_price": None if one.price is None else held.plain(one.price),
        "entry_date": own.get("entry_date"),
        "strategy": own["strategy"],
        "tags": own["tags"],
        "notes": own.get("notes"),
        "stop_override": _price(own.get("stop_override")),
        "target_override": _price(own.get("target_override")),
        "session": decided,
        "sessions_held": _sessions(entered, decided, view.cal),
        "days_held": None if entered is None else (view.today - entered).days,
        **_doubts(one.ticker, entered, decided, view),
    }


def _price(value: Any) -> int | str | None:
    return None if value is None else held.plain(held.number(value))


def _sessions(entered: date | None, decided: str | None, cal: Calendar) -> int | None:
    """Sessions from the entry's to the deciding one; None where either is not known, or older than the calendar."""
    if entered is None or decided is None or entered < cal.first:
        return None
    return sessions_held(cal.sessions, entered, date.fromisoformat(decided))


def _doubts(ticker: str, entered: date | None, decided: str | None, view: _View) -> dict[str, Any]:
    """What is doubtful about the data, and whether the base price may have been changed since the entry."""
    found = view.quality.get(ticker)
    doubts = set(found["doubts"]) if found else {"no_complete_bar"}
    if decided is not None and date.fromisoformat(decided) in view.cal.disputed:
        doubts.add("disputed_session")
    since = bool(found and any(_is_since(action, entered, decided) for action in found["actions"]))
    if since:
        doubts.add("action_since_entry")
    return {"doubts": sorted(doubts), "base_changed": since}


def _is_since(action: Mapping[str, Any], entered: date | None, decided: str | None) -> bool:
    """Whether a suspected action lies after the entry, up to the deciding bar; a move that is allowed is none."""
    if entered is None or decided is None or action["allowed"] is not None:
        return False
    return entered.isoformat() < str(action["session"]) <= decided


def _aside(one: Aside) -> dict[str, Any]:
    return {
        "ticker": one.ticker,
        "code": one.code,
        "source": one.source,
        "quantity": None if one.quantity is None else held.plain(one.quantity),
        "currency": one.currency,
    }
