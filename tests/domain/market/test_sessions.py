"""Questions about dates and instants, at each edge."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.market import sessions
from quantassay.domain.market.sessions import NaiveInstant, NotASession, OutsideCalendar, State

EXAM = date(2026, 11, 19)


def seoul(text):
    return datetime.fromisoformat(f"{text}+09:00")


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2026-11-18T08:59:59", State.PRE_OPEN),
        ("2026-11-18T09:00:00", State.INTRADAY),
        ("2026-11-18T15:29:59", State.INTRADAY),
        ("2026-11-18T15:30:00", State.AFTER_CLOSE),
        ("2026-11-18T23:59:59", State.AFTER_CLOSE),
        ("2026-11-19T09:59:59", State.PRE_OPEN),
        ("2026-11-19T10:00:00", State.INTRADAY),
        ("2026-11-19T16:29:59", State.INTRADAY),
        ("2026-11-19T16:30:00", State.AFTER_CLOSE),
        ("2026-11-21T10:00:00", State.CLOSED),
        ("2026-12-25T10:00:00", State.CLOSED),
        ("2016-07-29T15:00:00", State.AFTER_CLOSE),
        ("2016-08-01T15:00:00", State.INTRADAY),
        ("2026-01-02T09:30:00", State.PRE_OPEN),
    ],
)
def test_states_include_their_first_instant(xkrx, at, state):
    assert sessions.state(xkrx, seoul(at)) is state


def test_the_exchange_s_zone_decides_and_not_the_caller_s(xkrx):
    assert sessions.local_day(xkrx, datetime(2026, 11, 17, 15, 30, tzinfo=UTC)) == date(2026, 11, 18)
    assert sessions.state(xkrx, datetime(2026, 11, 18, 0, 0, tzinfo=UTC)) is State.INTRADAY


def test_hours_of_a_special_session(xkrx):
    hours = sessions.hours(xkrx, EXAM)
    assert (hours.open, hours.close) == (seoul("2026-11-19T10:00:00"), seoul("2026-11-19T16:30:00"))


@pytest.mark.parametrize(
    ("at", "session"),
    [
        ("2026-11-18T08:59:59", "2026-11-18"),
        ("2026-11-18T09:00:00", "2026-11-19"),
        ("2026-11-18T15:45:00", "2026-11-19"),
        ("2026-11-19T09:30:00", "2026-11-19"),
        ("2026-11-19T10:00:00", "2026-11-20"),
        ("2026-11-20T16:00:00", "2026-11-23"),
        ("2026-12-30T16:00:00", "2027-01-04"),
        ("2026-07-16T16:00:00", "2026-07-20"),
    ],
)
def test_the_next_session_to_open(xkrx, at, session):
    assert sessions.next_to_open(xkrx, seoul(at)) == date.fromisoformat(session)


@pytest.mark.parametrize(
    ("at", "grace", "session"),
    [
        ("2026-11-18T15:29:59", 0, "2026-11-17"),
        ("2026-11-18T15:30:00", 0, "2026-11-18"),
        ("2026-11-18T15:39:59", 10, "2026-11-17"),
        ("2026-11-18T15:40:00", 10, "2026-11-18"),
        ("2026-11-19T16:39:59", 10, "2026-11-18"),
        ("2026-11-22T12:00:00", 10, "2026-11-20"),
    ],
)
def test_the_latest_complete_session(xkrx, at, grace, session):
    found = sessions.last_complete(xkrx, seoul(at), timedelta(minutes=grace))
    assert found == date.fromisoformat(session)


def test_only_a_session_that_is_over_is_complete(xkrx):
    at = seoul("2026-11-20T18:00:00")
    assert sessions.is_complete(xkrx, date(2026, 11, 20), at)
    assert not sessions.is_complete(xkrx, date(2026, 11, 15), at), "a Sunday"
    assert not sessions.is_complete(xkrx, date(2026, 11, 23), at), "a day to come"


def test_neighbours_of_a_holiday(xkrx):
    christmas = date(2026, 12, 25)
    assert sessions.session_before(xkrx, christmas) == date(2026, 12, 24)
    assert sessions.session_after(xkrx, christmas) == date(2026, 12, 28)
    assert sessions.sessions_between(xkrx, date(2026, 12, 24), christmas) == (date(2026, 12, 24),)
    assert sessions.sessions_between(xkrx, christmas, date(2026, 12, 24)) == ()


def test_what_cannot_be_answered_is_an_error(xkrx):
    with pytest.raises(NotASession, match="2026-12-25 is no session"):
        sessions.hours(xkrx, date(2026, 12, 25))
    with pytest.raises(OutsideCalendar, match="from 1999-01-04 to 2027-12-31, not to 2028-01-03"):
        sessions.is_session(xkrx, date(2028, 1, 3))
    with pytest.raises(OutsideCalendar):
        sessions.session_after(xkrx, date(2027, 12, 30))
    with pytest.raises(OutsideCalendar):
        sessions.session_before(xkrx, date(1999, 1, 4))
    with pytest.raises(NaiveInstant, match=r"2026-11-18T09:00:00 has no zone"):
        sessions.state(xkrx, datetime(2026, 11, 18, 9, 0))  # noqa: DTZ001
    with pytest.raises(NaiveInstant):
        sessions.instant("2026-11-18T09:00:00")


def test_an_instant_keeps_its_zone():
    assert sessions.instant("2026-11-18T15:45:00+09:00") == datetime(2026, 11, 18, 6, 45, tzinfo=UTC)


INSTANTS = st.datetimes(datetime(2000, 1, 10), datetime(2027, 12, 20), timezones=st.just(UTC))  # noqa: DTZ001


@given(at=INSTANTS, minutes=st.integers(0, 60))
def test_complete_sessions_and_sessions_to_come_never_overlap(xkrx, at, minutes):
    complete = sessions.last_complete(xkrx, at, timedelta(minutes=minutes))
    coming = sessions.next_to_open(xkrx, at)
    assert sessions.hours(xkrx, complete).close + timedelta(minutes=minutes) <= at < sessions.hours(xkrx, coming).open
    # At most the session that is running, or in its grace, lies between.
    assert len(sessions.sessions_between(xkrx, complete, coming)) in (2, 3)


@given(day=st.dates(date(1999, 1, 5), date(2027, 12, 29)))
def test_before_and_after_are_each_other_s_inverse(xkrx, day):
    after = sessions.session_after(xkrx, day)
    before = sessions.session_before(xkrx, after)
    assert before == (day if sessions.is_session(xkrx, day) else sessions.session_before(xkrx, day))


def test_every_session_has_hours_in_the_day(xkrx):
    for session in xkrx.sessions:
        hours = sessions.hours(xkrx, session)
        assert time(9) <= hours.open.time() < hours.close.time() <= time(16, 30)
