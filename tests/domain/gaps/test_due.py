"""Files are due before the open of sessions; a feed is as old as its newest session, as late as the calendar says."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.gaps.due import Cadence, Feed, Import, cadence, due_dates, standing, wanted
from quantassay.domain.market.sessions import Calendar

SEOUL = ZoneInfo("Asia/Seoul")
MONDAYS = Cadence(weekday=0, data_lag=3, amber_after=1, red_after=2)
DAILY = Cadence(weekday=None, data_lag=1, amber_after=1, red_after=5)
# September and October 2026: the autumn holiday closes 24 and 25 September and 5 and 9 October.
CLOSED = {date(2026, 9, 24), date(2026, 9, 25), date(2026, 10, 5), date(2026, 10, 9)}


def day(text):
    return date.fromisoformat(f"2026-{text}")


def weekdays(first, last, closed=CLOSED):
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    return tuple(one for one in days if one.weekday() < 5 and one not in closed)


def calendar(days, special=None):
    return Calendar(
        zone=SEOUL,
        first=days[0],
        last=days[-1],
        sessions=days,
        regular=((days[0], time(9), time(15, 30)),),
        special=special or {},
        disputed=frozenset(),
    )


DAYS = weekdays(day("09-01"), day("10-30"))
CAL = calendar(DAYS)


def at(text, clock="08:59"):
    return datetime.fromisoformat(f"2026-{text}T{clock}").replace(tzinfo=SEOUL)


def came(last, when, file="balance.csv"):
    return Import(file, at(when, "08:00"), day(last))


def test_the_cadence_of_the_spec_is_read():
    row = {"every": "week", "weekday": "Wednesday", "data_lag_sessions": 3, "amber_after": 1, "red_after": 2}
    assert cadence(row) == Cadence(2, 3, 1, 2)
    assert cadence(row | {"every": "session", "weekday": None}).weekday is None


def test_a_monday_without_a_session_moves_and_a_week_without_any_has_no_due_date():
    due = [f"{one:%m-%d}" for one in due_dates(DAYS, MONDAYS, day("09-14"))]
    assert due == ["09-14", "09-21", "09-28", "10-06", "10-12", "10-19", "10-26"]
    shut = CLOSED | set(weekdays(day("09-28"), day("10-02")))
    due = [f"{one:%m-%d}" for one in due_dates(weekdays(day("09-01"), day("10-30"), shut), MONDAYS, day("09-21"))]
    assert due == ["09-21", "10-06", "10-12", "10-19", "10-26"]


def test_due_dates_begin_in_the_middle_of_a_week():
    assert next(due_dates(DAYS, MONDAYS, day("10-06"))) == day("10-06")
    assert next(due_dates(DAYS, MONDAYS, day("10-07"))) == day("10-12")
    assert list(due_dates(DAYS, DAILY, day("10-24"))) == [*weekdays(day("10-26"), day("10-30"))]
    assert list(due_dates(DAYS, MONDAYS, day("11-02"))) == []
    # The week in which the calendar begins may have had its session before.
    assert next(due_dates(DAYS, MONDAYS, day("09-01"))) == day("09-07")


@given(
    closed=st.sets(st.sampled_from(weekdays(date(2026, 1, 1), date(2026, 6, 30), set()))),
    weekday=st.integers(0, 4),
    first=st.dates(date(2026, 1, 1), date(2026, 6, 30)),
)
def test_each_week_with_a_session_has_one_due_date_its_first_from_the_weekday_on(closed, weekday, first):
    days = weekdays(date(2026, 1, 1), date(2026, 6, 30), closed)
    if not days:
        return
    due = list(due_dates(days, Cadence(weekday, 3, 1, 2), first))
    anchors = [one - timedelta((one.weekday() - weekday) % 7) for one in due]
    assert all(before < after for before, after in pairwise(anchors))
    assert set(due) <= set(days)
    for one, anchor in zip(due, anchors, strict=True):
        assert not [other for other in days if anchor <= other < one]
        assert one >= first
    weeks = {one - timedelta((one.weekday() - weekday) % 7) for one in days if one >= first}
    started = {anchor for anchor in weeks if anchor < first and any(anchor <= one < first for one in days)}
    assert set(anchors) == {anchor for anchor in weeks - started if anchor >= days[0]}


def test_a_file_must_be_as_new_as_publication_allows():
    assert wanted(DAYS, MONDAYS, day("09-14")) == day("09-09")
    assert wanted(DAYS, MONDAYS, day("09-28")) == day("09-21")
    assert wanted(DAYS, DAILY, day("09-28")) == day("09-23")
    assert wanted(DAYS, MONDAYS, day("09-02")) == DAYS[0]


@pytest.mark.parametrize(
    ("instant", "state", "missed", "first", "next_due"),
    [
        (at("09-14"), Feed.FRESH, 0, None, "09-14"),
        (at("09-20", "12:00"), Feed.FRESH, 0, None, "09-21"),
        (at("09-21"), Feed.FRESH, 0, None, "09-21"),
        (at("09-21", "09:00"), Feed.AMBER, 1, "09-21", "09-28"),
        (at("09-28", "08:59"), Feed.AMBER, 1, "09-21", "09-28"),
        (at("09-28", "09:00"), Feed.RED, 2, "09-21", "10-06"),
        (at("10-05", "23:00"), Feed.RED, 2, "09-21", "10-06"),
        (at("10-06", "09:00"), Feed.RED, 3, "09-21", "10-12"),
    ],
)
def test_a_feed_ages_from_due_date_to_due_date(instant, state, missed, first, next_due):
    now = standing(CAL, MONDAYS, [came("09-09", "09-14")], instant)
    assert (now.state, now.missed) == (state, missed)
    assert now.first_missed == (day(first) if first else None)
    assert now.next_due == day(next_due)


def test_an_old_file_or_the_same_again_meets_no_due_date():
    again = [came("09-09", "09-14"), came("09-09", "09-21", "again.csv"), came("09-15", "09-21", "too_old.csv")]
    assert standing(CAL, MONDAYS, again, at("09-21", "10:00")).state is Feed.AMBER
    new = [*again, came("09-16", "09-21", "new.csv")]
    now = standing(CAL, MONDAYS, new, at("09-21", "10:00"))
    assert (now.state, now.newest, now.files) == (Feed.FRESH, new[-1], 4)


def test_a_history_that_comes_afterwards_makes_nothing_older():
    new, history = came("09-16", "09-21", "new.csv"), came("03-10", "09-22", "history.csv")
    assert standing(CAL, MONDAYS, [new, history], at("09-23")).newest == new
    twice = came("09-16", "09-22", "again.csv")
    assert standing(CAL, MONDAYS, [twice, new], at("09-23")).newest == twice


def test_a_file_that_comes_late_ends_the_alarm_when_it_comes():
    files = [came("09-09", "09-14"), Import("late.csv", at("09-22", "11:00"), day("09-18"))]
    assert standing(CAL, MONDAYS, files, at("09-22", "10:59")).state is Feed.AMBER
    before = standing(CAL, MONDAYS, files, at("09-22", "10:59"))
    assert (before.files, before.later) == (1, 1)
    after = standing(CAL, MONDAYS, files, at("09-22", "11:00"))
    assert (after.state, after.files, after.later) == (Feed.FRESH, 2, 0)


def test_before_the_first_file_nothing_is_late():
    never = standing(CAL, MONDAYS, [], at("10-20"))
    assert (never.state, never.newest, never.missed, never.next_due) == (Feed.NEVER, None, 0, day("10-26"))
    ahead = standing(CAL, MONDAYS, [came("10-14", "10-21")], at("10-20"))
    assert (ahead.state, ahead.files, ahead.later) == (Feed.NEVER, 0, 1)


def test_a_daily_file_is_due_before_each_open():
    file = [came("09-22", "09-23")]
    assert standing(CAL, DAILY, file, at("09-23", "23:00")).state is Feed.FRESH
    # 24 and 25 September are holidays.
    assert standing(CAL, DAILY, file, at("09-27", "23:00")).state is Feed.FRESH
    assert standing(CAL, DAILY, file, at("09-28", "09:00")).state is Feed.AMBER
    assert standing(CAL, DAILY, file, at("10-02", "09:00")).state is Feed.RED


def test_a_late_open_gives_an_hour_more():
    late = calendar(DAYS, {day("09-21"): (time(10), time(16, 30))})
    assert standing(late, MONDAYS, [came("09-09", "09-14")], at("09-21", "09:59")).state is Feed.FRESH
    assert standing(late, MONDAYS, [came("09-09", "09-14")], at("09-21", "10:00")).state is Feed.AMBER


def test_the_day_is_that_of_the_exchange_and_the_calendar_may_end():
    # Monday 08:30 in Seoul is Sunday in London.
    sunday = datetime(2026, 9, 20, 23, 30, tzinfo=UTC)
    assert standing(CAL, MONDAYS, [came("09-09", "09-14")], sunday).next_due == day("09-21")
    over = standing(CAL, MONDAYS, [came("10-21", "10-26")], at("11-20"))
    assert (over.state, over.next_due) == (Feed.FRESH, None)


@given(
    data=st.lists(st.tuples(st.sampled_from(DAYS[3:]), st.integers(0, 10)), max_size=5),
    hours=st.integers(0, 24 * 60),
    rhythm=st.sampled_from([MONDAYS, DAILY]),
)
def test_time_alone_never_mends_a_feed_and_a_newer_file_never_harms_it(data, hours, rhythm):
    files = [Import(f"{n}.csv", datetime.combine(last, time(20), SEOUL) + timedelta(lag), last)
             for n, (last, lag) in enumerate(data)]  # fmt: skip
    order = [Feed.FRESH, Feed.AMBER, Feed.RED]
    now = at("09-01", "00:00") + timedelta(hours=hours)
    known = [one for one in files if one.at <= now]
    here, later = (standing(CAL, rhythm, known, now + timedelta(hours=n)) for n in (0, 50))
    if here.state is not Feed.NEVER:
        assert order.index(later.state) >= order.index(here.state)
        newer = Import("new.csv", now, max(one.last for one in known) + timedelta(1))
        assert standing(CAL, rhythm, [*known, newer], now).missed <= here.missed
        assert here.missed >= len([here.first_missed] if here.first_missed else [])
