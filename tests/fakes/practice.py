"""A practice market in a few lines: one session, names with prices, one account. For everybody who tests on `serve`.

exchange = practice_exchange(clock, {"990010": 10_000}, cash=10_000_000, holdings={"990020": (30, 5_000)})
with serve(exchange, limits=NO_LIMITS) as server: ...
"""

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import yaml

from quantassay.domain.market.price_rules import price_rules
from quantassay.domain.market.sessions import Calendar
from quantassay.kis.rehearsal import ACCOUNT
from quantassay.sandbox.accounts import Opening
from quantassay.sandbox.exchange import Costs, Exchange
from quantassay.sandbox.tape import Name, quiet_tape

KST = timezone(timedelta(hours=9))
DAY = date(2026, 11, 18)
EXAM_DAY = date(2026, 11, 19)
HOLIDAYS = (date(2026, 12, 25), date(2026, 12, 31), date(2027, 1, 1))
COSTS = Costs(fee_bps="1.5", tax_bps="20")


def at(clock_time, day=DAY):
    """The instant of this day at which clocks of the exchange show "HH:MM" or "HH:MM:SS"."""
    return datetime.combine(day, time.fromisoformat(clock_time), tzinfo=KST)


@cache
def rules():
    """The price rules of the repository."""
    return price_rules(yaml.safe_load((Path(__file__).parents[2] / "spec/19_price_rules.yaml").read_text()))


@cache
def calendar():
    """November 2026 to January 2027 without weekends and holidays; the 19th of November opens and closes late."""
    first, last = date(2026, 11, 2), date(2027, 1, 29)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return Calendar(
        ZoneInfo("Asia/Seoul"),
        first,
        last,
        tuple(day for day in days if day.weekday() < 5 and day not in HOLIDAYS),
        ((first, time(9), time(15, 30)),),
        {EXAM_DAY: (time(10), time(16, 30))},
        frozenset(),
    )


def practice_tape(prices, day=DAY, volume=1_000_000, kinds=None):
    """Names that open, stay and close at their price; `kinds` says which are no KOSDAQ shares."""
    names = {Name(ticker, f"Name {ticker}", (kinds or {}).get(ticker, "kosdaq")): one for ticker, one in prices.items()}
    return quiet_tape(calendar(), rules(), day, names, volume)


def practice_exchange(clock, prices, *, cash=100_000_000, holdings=None, day=DAY, volume=1_000_000, zero_rows=True):
    """An exchange with the practice account: `holdings` leads from ticker to (shares, average price)."""
    held = {ticker: (shares, Decimal(price)) for ticker, (shares, price) in (holdings or {}).items()}
    return Exchange(
        practice_tape(prices, day, volume), [Opening(ACCOUNT, cash, held)], clock, costs=COSTS, zero_rows=zero_rows
    )
