"""From which session on a value may be used: counted in sessions, never too early."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.manual.publication import SessionsEnd, available_from

# Thursday 2026-09-24 and Friday 2026-09-25 are closed.
DAYS = [date(2026, 9, day) for day in (21, 22, 23, 28, 29, 30)]


@pytest.mark.parametrize(
    ("day", "lag", "expected"),
    [
        (21, 2, 23),
        (22, 2, 28),  # two closed days and a weekend in between
        (23, 2, 29),
        (23, 0, 23),
        (25, 0, 28),  # no session: what comes after it
        (25, 2, 30),
    ],
)
def test_the_lag_counts_sessions_and_not_days(day, lag, expected):
    assert available_from(date(2026, 9, day), lag, DAYS) == date(2026, 9, expected)


@pytest.mark.parametrize("days", [DAYS, []])
def test_beyond_the_calendar_is_one_sentence_and_no_guess(days):
    with pytest.raises(SessionsEnd, match=r"calendar ends on 2026-09-30.*spec/11_calendars\.yaml"):
        available_from(date(2026, 9, 30), 1, days)


@given(st.sets(st.integers(0, 60), min_size=8), st.integers(0, 40), st.integers(0, 5))
def test_so_many_sessions_lie_between_and_a_later_one_is_never_available_earlier(offsets, offset, lag):
    start = date(2026, 1, 1)
    sessions = sorted(start + timedelta(days=n) for n in offsets)
    day = start + timedelta(days=offset)
    try:
        found = available_from(day, lag, sessions)
    except SessionsEnd:
        assert len([one for one in sessions if one >= day]) <= lag
        return
    assert found in sessions
    assert len([one for one in sessions if day <= one < found]) == lag
    assert available_from(day, 0, sessions) <= found
