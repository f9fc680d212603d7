"""How a date is settled, and that the calendar agrees with what was observed."""

import csv
from datetime import date

import pytest

from quantassay.domain.market.calendars import (
    Override,
    SilentSource,
    Source,
    UselessOverride,
    first_sessions,
    last_weekday_of,
    ruled,
    settle,
    settle_all,
)

FRIDAY, SATURDAY, MONDAY = date(2026, 7, 17), date(2026, 7, 18), date(2026, 7, 20)


def source(name, *closed, first=date(2026, 1, 1), last=date(2026, 12, 31)):
    return Source(name, first, last, {date(2026, 1, 1): "New Year", **dict.fromkeys(closed, f"a day of {name}")})


def test_a_date_is_settled_where_all_agree():
    voters = [source("one", FRIDAY), source("two", FRIDAY)]
    closed = settle(FRIDAY, voters, None, 2)
    assert (closed.is_open, closed.closed_by, closed.name) == (False, ("one", "two"), "a day of one")
    assert settle(MONDAY, voters, None, 2).is_open is True


def test_a_date_is_disputed_where_they_differ():
    settled = settle(FRIDAY, [source("one", FRIDAY), source("two")], None, 2)
    assert (settled.is_open, settled.closed_by, settled.open_by) == (None, ("one",), ("two",))


def test_an_override_wins_over_everyone():
    agreed = [source("one", FRIDAY), source("two", FRIDAY)]
    opened = settle(FRIDAY, agreed, Override(FRIDAY, is_open=True, name="exam"), 2)
    assert (opened.is_open, opened.open_by) == (True, ("override",))
    closed = settle(MONDAY, agreed, Override(MONDAY, is_open=False, name="mourning"), 2)
    assert (closed.is_open, closed.closed_by, closed.name) == (False, ("override",), "mourning")


def test_a_source_votes_only_on_dates_it_knows():
    late = source("late", last=date(2026, 6, 30))
    assert settle(FRIDAY, [source("one", FRIDAY), source("two", FRIDAY), late], None, 2).is_open is False


@pytest.mark.parametrize("voters", [[], [source("one")]])
def test_too_few_voters_settle_nothing(voters):
    assert settle(MONDAY, voters, None, 2).is_open is None


def test_a_voter_without_any_closure_in_a_year_does_not_know_the_year():
    with pytest.raises(SilentSource, match="one has no closure in 2027"):
        source("one", last=date(2027, 12, 31))


def test_a_weekend_is_left_out_unless_an_override_opens_it():
    voters = [source("one"), source("two")]
    days = [row.day for row in settle_all(FRIDAY, MONDAY, voters, {}, 2)]
    assert days == [FRIDAY, MONDAY]
    opened = {SATURDAY: Override(SATURDAY, is_open=True, name="system test")}
    assert [row.is_open for row in settle_all(FRIDAY, MONDAY, voters, opened, 2)] == [True, True, True]


@pytest.mark.parametrize(
    ("year", "day"), [(2023, date(2023, 12, 29)), (2024, date(2024, 12, 31)), (2022, date(2022, 12, 30))]
)
def test_last_weekday_of_a_year(year, day):
    assert last_weekday_of(year) == day


def test_the_first_session_of_a_year_that_began_before_the_calendar_is_not_known():
    sessions = [date(2025, 12, 29), date(2025, 12, 30), date(2026, 1, 2), date(2026, 1, 5)]
    assert first_sessions(sessions, date(2025, 12, 29)) == [date(2026, 1, 2)]
    assert first_sessions(sessions[2:], date(2026, 1, 1)) == [date(2026, 1, 2)]


def test_an_override_that_decides_nothing_is_refused():
    first, last = date(2026, 1, 1), date(2026, 12, 31)
    row = {"date": "2026-07-17", "state": "closed"}
    assert list(ruled([row], first, last)) == [FRIDAY]
    with pytest.raises(UselessOverride, match="2026-07-17 stands twice"):
        ruled([row, row], first, last)
    with pytest.raises(UselessOverride, match="2028-01-03 lies outside the calendar, 2026-01-01 to 2026-12-31"):
        ruled([{"date": "2028-01-03"}], first, last)


# A sample of what was observed; the whole is compared where the real data lie.
OBSERVED_SESSIONS = ("1999-02-12", "1999-12-28", "2000-01-04", "2000-12-26", "2017-10-10", "2020-08-18", "2025-01-31")
OBSERVED_CLOSED = (
    *("1999-02-15", "1999-09-24", "1999-12-29", "1999-12-31", "2000-01-03", "2000-12-27", "2002-07-01", "2015-08-14"),
    *("2017-10-02", "2020-08-17", "2024-04-10", "2024-10-01", "2025-01-27", "2025-06-03", "2025-12-31", "2026-02-18"),
)


def test_the_calendar_knows_days_that_calendars_miss(calendar_data):
    assert set(OBSERVED_SESSIONS) <= set(calendar_data["sessions"])
    closed = {row["date"] for row in calendar_data["closed"]}
    assert set(OBSERVED_CLOSED) <= closed
    assert not closed & set(calendar_data["sessions"])


def test_the_closures_decided_in_2026_come_from_overrides(calendar_data):
    rows = {row["date"]: row for row in calendar_data["closed"]}
    for day in ("2026-06-03", "2026-07-17"):
        assert rows[day]["sources"] == ["exchange", "national", "override"]


def test_open_questions_stay_disputed(calendar_data):
    assert [row["date"] for row in calendar_data["disputed"]] == ["2027-05-03", "2027-07-19"]
    assert {"2027-05-03", "2027-07-19"} <= set(calendar_data["sessions"])


def special(calendar_data):
    return {row["session"]: (row["open"], row["close"], row["kind"]) for row in calendar_data["special_sessions"]}


def test_exam_days_and_late_first_sessions(calendar_data):
    rows = special(calendar_data)
    assert rows["2015-11-12"] == ("10:00", "16:00", "exam_day")
    assert rows["2016-01-04"] == ("10:00", "15:00", "first_session")
    assert rows["2017-01-02"] == ("10:00", "15:30", "first_session")
    assert rows["2017-11-16"] == rows["2017-11-23"] == rows["2026-11-19"] == ("10:00", "16:30", "exam_day")
    assert rows["2027-01-04"] == ("10:00", "15:30", "first_session")
    assert "2000-01-04" not in rows


def test_no_difference_to_27_years_of_observed_sessions(shared, calendar_data):
    path = shared / "data/calendars/xkrx_trading_days_from_ks11_1999_2026-03-20.csv"
    observed = {row["date"] for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())}
    assert len(observed) > 6700
    assert observed == {day for day in calendar_data["sessions"] if day <= max(observed)}


def test_no_difference_to_the_observed_special_sessions(shared, calendar_data):
    path = shared / "data/calendars/xkrx_special_sessions_2000_2026.csv"
    observed = {
        row["d"]: (row["open_kst"], row["close_kst"])
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    }
    assert len(observed) == 53
    ours = {day: hours[:2] for day, hours in special(calendar_data).items() if "2000" < day <= max(observed)}
    assert ours == observed
