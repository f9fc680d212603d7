"""Times of a session: clock times and minutes from its edges, on usual days, exam days and across midnight."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.market.sessions import Calendar, NotASession, OutsideCalendar
from quantassay.domain.operations import times

KST = ZoneInfo("Asia/Seoul")
# A week with an exam on Thursday: the session opens and closes an hour late. Friday is a holiday.
MONDAY, EXAM = date(2026, 11, 16), date(2026, 11, 19)
WEEK = tuple(MONDAY + timedelta(n) for n in range(4))
CAL = Calendar(
    KST,
    MONDAY - timedelta(7),
    MONDAY + timedelta(20),
    (*(MONDAY - timedelta(7 - n) for n in range(5)), *WEEK, *(MONDAY + timedelta(7 + n) for n in range(5))),
    ((date(2016, 8, 1), time(9, 0), time(15, 30)),),
    {EXAM: (time(10, 0), time(16, 30))},
    frozenset(),
)


@pytest.mark.parametrize(
    ("text", "usual", "on_the_exam"),
    [
        ("15:40", "15:40", "15:40"),
        ("09:01", "09:01", "09:01"),
        ("open", "09:00", "10:00"),
        ("open+1m", "09:01", "10:01"),
        ("open-10m", "08:50", "09:50"),
        ("close+10m", "15:40", "16:40"),
        ("close-5m", "15:25", "16:25"),
    ],
)
def test_a_time_from_an_edge_moves_with_it_and_a_clock_time_does_not(text, usual, on_the_exam):
    when = times.session_time(text)
    assert [f"{times.at(CAL, day, when):%H:%M}" for day in (MONDAY, EXAM)] == [usual, on_the_exam]
    assert f"{times.usual(CAL, when):%H:%M}" == usual
    assert str(when) == text


@pytest.mark.parametrize(
    "text", ["940", "9:01", "24:00", "15:60", "open+1", "open +1m", "close+721m", "noon", "", "\uff115:40"]
)
def test_what_is_no_time_is_refused_with_the_form_of_one(text):
    with pytest.raises(times.BadTime, match=r"such as 15:40, or minutes from the open .* open\+1m"):
        times.session_time(text)


def test_a_day_that_is_no_session_has_no_times():
    with pytest.raises(NotASession):
        times.at(CAL, date(2026, 11, 20), times.session_time("15:40"))


def test_the_times_between_two_instants_leave_out_the_first_and_hold_the_last():
    when = times.session_time("open+1m")
    monday, tuesday = (datetime(2026, 11, day, 9, 1, tzinfo=KST) for day in (16, 17))
    assert list(times.between(CAL, when, monday, tuesday)) == [(WEEK[1], tuesday)]
    # Asked in New York's morning of the day before, it is the same instant.
    there = tuesday.astimezone(ZoneInfo("America/New_York"))
    assert there.day == 16
    assert [day for day, _ in times.between(CAL, when, there - timedelta(1), there)] == [WEEK[1]]


def test_an_offset_may_lead_into_the_evening_before():
    when = times.session_time("open-720m")
    (found,) = times.between(
        CAL, when, datetime(2026, 11, 15, 20, tzinfo=KST), datetime(2026, 11, 15, 23, 59, tzinfo=KST)
    )
    assert found == (MONDAY, datetime(2026, 11, 15, 21, 0, tzinfo=KST))


def test_a_question_beyond_the_calendar_is_refused():
    late = datetime(2027, 1, 1, tzinfo=UTC)
    with pytest.raises(OutsideCalendar):
        list(times.between(CAL, times.session_time("open"), late - timedelta(2), late))


@given(
    st.sampled_from(["open+1m", "15:40", "close+10m", "open-700m"]), st.integers(0, 6 * 24 * 60), st.integers(1, 3000)
)
def test_cutting_a_span_in_two_loses_no_time_and_doubles_none(text, start_m, length_m):
    when, first = times.session_time(text), datetime(2026, 11, 15, tzinfo=KST) + timedelta(minutes=start_m)
    last = first + timedelta(minutes=length_m)
    middle = first + (last - first) / 2
    whole = list(times.between(CAL, when, first, last))
    assert whole == [*times.between(CAL, when, first, middle), *times.between(CAL, when, middle, last)]
