"""The closures of the Korean exchange as the `holidays` package lists them: two of the calendar's voters."""

from datetime import date

import holidays

FIRST_YEAR = 1999
LAST_YEAR = 2027
SATURDAY = 5
# Without a language the names would follow the one that the package's authors chose for each country.
LANGUAGE = "en_US"


def holiday_sources(first_year: int = FIRST_YEAR, last_year: int = LAST_YEAR) -> dict[str, dict[str, str]]:
    """Closed weekdays by source: {"exchange" | "national": {"YYYY-MM-DD": name}}, ascending.

    `exchange` is the table of the Korea Exchange, which says nothing before 2000; `national` the public holidays.
    """
    years = range(first_year, last_year + 1)
    return {
        "exchange": _weekdays(holidays.financial_holidays("XKRX", years=years, language=LANGUAGE)),
        "national": _weekdays(holidays.country_holidays("KR", years=years, language=LANGUAGE)),
    }


def _weekdays(table: dict[date, str]) -> dict[str, str]:
    return {day.isoformat(): table[day] for day in sorted(table) if day.weekday() < SATURDAY}
