"""An exchange's calendar from the holiday tables alone, for comparisons that have no workspace."""

from datetime import date, timedelta
from typing import NamedTuple

import holidays

from quantassay.domain.market.sessions import Calendar, calendar

SATURDAY = 5
MARGIN = timedelta(10)


class Exchange(NamedTuple):
    """Where it is, its usual hours, and when it closes on a half day; local times."""

    market: str
    currency: str
    zone: str
    opens: str
    closes: str
    half_day: str | None


XKRX = Exchange("XKRX", "KRW", "Asia/Seoul", "09:00", "15:30", None)
XNYS = Exchange("XNYS", "USD", "America/New_York", "09:30", "16:00", "13:00")


def around(exchange: Exchange, first: date, last: date) -> Calendar:
    """The sessions from a little before `first` to a little after `last`."""
    first, last = first - MARGIN, last + MARGIN
    years = range(first.year, last.year + 1)
    closed = holidays.financial_holidays(exchange.market, years=years)
    span = [first + timedelta(step) for step in range((last - first).days + 1)]
    sessions = [day.isoformat() for day in span if day.weekday() < SATURDAY and day not in closed]
    halves = (
        holidays.financial_holidays(exchange.market, years=years, categories=("half_day",)) if exchange.half_day else {}
    )
    special = [
        {"session": day.isoformat(), "open": exchange.opens, "close": exchange.half_day, "kind": "early_close"}
        for day in sorted(halves)
    ]
    return calendar(
        {
            "market": exchange.market,
            "currency": exchange.currency,
            "zone": exchange.zone,
            "first": first.isoformat(),
            "last": last.isoformat(),
            "sessions": sessions,
            "regular_hours": [{"from": first.isoformat(), "open": exchange.opens, "close": exchange.closes}],
            "special_sessions": [row for row in special if row["session"] in sessions],
            "disputed": [],
            "breaks": [],
            "segments": [],
        }
    )
