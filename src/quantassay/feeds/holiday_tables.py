"""The closures and early closes of the exchanges as the `holidays` package lists them: voters of the calendars."""

from collections.abc import Mapping
from datetime import date

import holidays

FIRST_YEAR = 1999
LAST_YEAR = 2027
SATURDAY = 5
# Without a language the names would follow the one that the package's authors chose for each country.
LANGUAGE = "en_US"
# The exchanges with a table of sessions that close early.
_HALF_DAYS = ("XNYS",)
# Where public holidays are a source of their own.
_NATIONS = {"XKRX": "KR"}
MARKETS = ("XKRX", "XNYS", "XSHG")

Table = dict[str, str]


def holiday_sources(first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR) -> dict[str, dict[str, dict[str, Table]]]:
    """Weekdays by market, kind and source: {market: {"closed" | "early": {source: {"YYYY-MM-DD": name}}}}, ascending.

    `exchange` is the table of the exchange itself, which says nothing before 2000 in Korea and 2001 in Shanghai;
    `national` the public holidays. `early` holds sessions that end before the regular close.
    """
    years = range(first_year, last_year + 1)
    found: dict[str, dict[str, dict[str, Table]]] = {}
    for market in MARKETS:
        closed = {"exchange": _weekdays(holidays.financial_holidays(market, years=years, language=LANGUAGE))}
        if market in _NATIONS:
            nation = holidays.country_holidays(_NATIONS[market], years=years, language=LANGUAGE)
            closed["national"] = _weekdays(nation)
        early = {}
        if market in _HALF_DAYS:
            half = holidays.financial_holidays(market, years=years, categories=("half_day",), language=LANGUAGE)
            early["exchange"] = _weekdays(half)
        found[market] = {"closed": closed, "early": early}
    return found


def _weekdays(table: Mapping[date, str]) -> Table:
    return {day.isoformat(): table[day] for day in sorted(table) if day.weekday() < SATURDAY}
