"""What the holiday tables hand to the calendars."""

import json
import os
import subprocess
import sys
from datetime import date

from quantassay.feeds.holiday_tables import MARKETS, holiday_sources
from quantassay.feeds.markets import MARKETS as IMPORTABLE

PRINT = "import json; from quantassay.feeds.holiday_tables import *; print(json.dumps(holiday_sources(2024, 2025)))"


def tables():
    return [
        (m, source, table)
        for m, kinds in holiday_sources().items()
        for kind in kinds.values()
        for source, table in kind.items()
    ]


def test_only_weekdays_in_order():
    sources = holiday_sources()
    assert tuple(sources) == MARKETS
    assert set(MARKETS) <= set(IMPORTABLE)
    assert {market: (set(kinds["closed"]), set(kinds["early"])) for market, kinds in sources.items()} == {
        "XKRX": ({"exchange", "national"}, set()),
        "XNYS": ({"exchange"}, {"exchange"}),
        "XSHG": ({"exchange"}, set()),
    }
    for _, _, closures in tables():
        assert list(closures) == sorted(closures)
        assert all(date.fromisoformat(day).weekday() < 5 for day in closures)


def test_the_exchange_closes_where_the_nation_does_not():
    closed = holiday_sources()["XKRX"]["closed"]
    exchange, national = closed["exchange"], closed["national"]
    assert exchange["2024-12-31"] == "End of Year Holiday"
    assert {"2024-05-01", "2024-12-31"} <= set(exchange) - set(national)
    assert national["2026-05-01"] == exchange["2026-05-01"]


def test_closures_that_no_rule_knows_and_half_days():
    new_york = holiday_sources()["XNYS"]
    closed, early = new_york["closed"]["exchange"], new_york["early"]["exchange"]
    mourning = ("2001-09-11", "2001-09-14", "2004-06-11", "2007-01-02", "2012-10-30", "2018-12-05", "2025-01-09")
    assert set(mourning) <= set(closed)
    assert {"2003-12-26", "2024-07-03", "2026-11-27"} <= set(early)
    assert not set(early) & set(closed)
    assert "1:00pm" in early["2026-11-27"]


def test_the_tables_reach_over_the_calendar_s_years():
    sources = holiday_sources()
    first = {market: min(kinds["closed"]["exchange"])[:4] for market, kinds in sources.items()}
    assert first == {"XKRX": "2000", "XNYS": "1999", "XSHG": "2001"}
    assert min(sources["XKRX"]["closed"]["national"])[:4] == "1999"
    assert {max(closures)[:4] for _, _, closures in tables()} == {"2027"}


def test_years_are_the_caller_s_choice():
    found = holiday_sources(2024, 2025)
    days = {day[:4] for kinds in found.values() for kind in kinds.values() for table in kind.values() for day in table}
    assert days == {"2024", "2025"}


def test_names_do_not_follow_the_language_of_the_machine():
    answers = [
        subprocess.run(
            [sys.executable, "-c", PRINT],
            env=os.environ | {"LANG": language, "LANGUAGE": language, "LC_ALL": language},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for language in ("ko_KR.UTF-8", "C")
    ]
    assert answers[0] == answers[1]
    assert json.loads(answers[0]) == holiday_sources(2024, 2025)
