"""What the holiday tables hand to the calendar."""

import json
import os
import subprocess
import sys
from datetime import date

from quantassay.feeds.holiday_tables import holiday_sources

PRINT = "import json; from quantassay.feeds.holiday_tables import *; print(json.dumps(holiday_sources(2024, 2025)))"


def test_only_closed_weekdays_in_order():
    sources = holiday_sources()
    assert set(sources) == {"exchange", "national"}
    for closures in sources.values():
        assert list(closures) == sorted(closures)
        assert all(date.fromisoformat(day).weekday() < 5 for day in closures)


def test_the_exchange_closes_where_the_nation_does_not():
    exchange, national = holiday_sources()["exchange"], holiday_sources()["national"]
    assert exchange["2024-12-31"] == "End of Year Holiday"
    assert {"2024-05-01", "2024-12-31"} <= set(exchange) - set(national)
    assert national["2026-05-01"] == exchange["2026-05-01"]


def test_the_tables_reach_over_the_calendar_s_years():
    sources = holiday_sources()
    assert min(sources["exchange"])[:4] == "2000"
    assert min(sources["national"])[:4] == "1999"
    assert {max(closures)[:4] for closures in sources.values()} == {"2027"}


def test_years_are_the_caller_s_choice():
    assert {day[:4] for closures in holiday_sources(2024, 2025).values() for day in closures} == {"2024", "2025"}


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
