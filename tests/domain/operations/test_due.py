"""What is due: once, late within its window, told beyond it, never on a day that is no session or in dispute."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from quantassay.domain.operations import times
from quantassay.domain.operations.due import Do, Job, Seen, coming, due
from quantassay.domain.operations.silence import silent
from tests.domain.operations.test_times import CAL, EXAM, KST, MONDAY


def job(name="execute", at="open+1m", catch_up_m=30, most_starts=2, **more):
    return Job(name, name, times.session_time(at), timedelta(minutes=catch_up_m), most_starts, **more)


def at(day, hour, minute=0, second=0):
    return datetime(2026, 11, day, hour, minute, second, tzinfo=KST)


TUESDAY_AT_ONE_PAST = at(17, 9, 1)
EXECUTE = (job(),)
EARLIER = at(2, 0)


def found(now, jobs=EXECUTE, seen=None, since=TUESDAY_AT_ONE_PAST - timedelta(hours=1), cal=CAL):
    return [(one.job.id, one.at, one.do) for one in due(cal, jobs, seen or {}, since, now)]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (at(17, 9, 0, 59), []),
        (at(17, 9, 1), [Do.RUN]),
        (at(17, 9, 31), [Do.RUN]),
        (at(17, 9, 31, 1), [Do.MISSED]),
        (at(18, 0), [Do.MISSED]),
    ],
)
def test_it_is_run_from_its_time_until_its_window_ends_and_called_missed_then(now, expected):
    assert [do for _, when, do in found(now) if when == TUESDAY_AT_ONE_PAST] == expected


def test_what_was_due_before_anybody_kept_the_schedule_is_not_called_missed():
    assert found(at(17, 12), since=at(17, 9, 2)) == []
    # A late one is run all the same: it may be the first minute of a new schedule.
    assert found(at(17, 9, 5), since=at(17, 9, 5)) == [("execute", TUESDAY_AT_ONE_PAST, Do.RUN)]


@pytest.mark.parametrize("state", ["done", "failed", "interrupted", "missed", "disputed"])
def test_what_is_on_record_is_never_done_again(state):
    assert found(at(17, 9, 2), seen={("execute", TUESDAY_AT_ONE_PAST): Seen(state, 1, alive=False)}) == []


@pytest.mark.parametrize(
    ("starts", "alive", "now", "expected"),
    [
        (1, True, at(17, 9, 10), []),
        (1, True, at(17, 20), []),
        (1, False, at(17, 9, 10), [Do.AGAIN]),
        (2, False, at(17, 9, 10), [Do.TELL]),
        (1, False, at(17, 9, 32), [Do.TELL]),
    ],
)
def test_a_run_that_was_cut_off_is_begun_again_as_often_as_allowed_and_in_time_or_told(starts, alive, now, expected):
    seen = {("execute", TUESDAY_AT_ONE_PAST): Seen("started", starts, alive)}
    assert [do for _, _, do in found(now, seen=seen)] == expected


def test_after_a_long_sleep_only_the_latest_time_of_a_job_is_run():
    prepare = job("prepare", "close+10m", catch_up_m=1440)
    assert found(at(17, 15, 45), [prepare], since=EARLIER)[-2:] == [
        ("prepare", at(16, 15, 40), Do.MISSED),
        ("prepare", at(17, 15, 40), Do.RUN),
    ]


def test_jobs_come_in_the_order_of_their_times():
    jobs = (job("b", "close", 400), job("a", "open", 800), job("c", "09:00", 800))
    assert [name for name, *_ in found(at(17, 15, 35), jobs)] == ["a", "c", "b"]


def test_an_exam_day_is_later_and_a_holiday_has_nothing():
    assert found(at(19, 9, 2), since=at(19, 0)) == []
    assert found(at(19, 10, 1), since=at(19, 0)) == [("execute", at(19, 10, 1), Do.RUN)]
    assert found(at(20, 9, 1), since=at(20, 0)) == []


def test_a_disputed_day_is_told_and_not_run():
    disputed = replace(CAL, disputed=frozenset({date(2026, 11, 17)}))
    assert found(at(17, 9, 2), cal=disputed) == [("execute", TUESDAY_AT_ONE_PAST, Do.DISPUTED)]
    cut_off = {("execute", TUESDAY_AT_ONE_PAST): Seen("started", 1, alive=False)}
    assert found(at(17, 9, 2), seen=cut_off, cal=disputed) == [("execute", TUESDAY_AT_ONE_PAST, Do.TELL)]


def test_weekdays_are_those_of_the_session():
    only = job(weekdays=frozenset({"wed"}))
    assert found(at(17, 9, 2), [only]) == []
    assert found(at(18, 9, 2), [only], since=EARLIER)[-1] == ("execute", at(18, 9, 1), Do.RUN)
    assert [one.session for one in coming(CAL, [only], at(18, 9, 2))] == [date(2026, 11, 25)]


def test_the_next_runs_are_shown_soonest_first():
    jobs = (job("prepare", "close+10m"), job())
    assert [(one.job.id, one.at) for one in coming(CAL, jobs, at(18, 15, 30))] == [
        ("prepare", at(18, 15, 40)),
        ("execute", at(19, 10, 1)),
    ]
    # Over a holiday and a weekend.
    assert coming(CAL, [job()], at(19, 10, 1))[0].at == at(23, 9, 1)
    assert coming(replace(CAL, disputed=frozenset({EXAM})), [job()], at(18, 20))[0].do is Do.DISPUTED


def test_silence_is_a_sign_of_life_that_is_too_old_or_was_never_given_or_comes_from_the_future():
    now, longest = at(17, 9), timedelta(minutes=5)
    beats = {"a": now - longest, "b": now - longest - timedelta(seconds=1), "d": now + timedelta(hours=1)}
    said = {one.name: one.says(now) for one in silent(("a", "b", "c", "d"), beats, longest, now)}
    assert list(said) == ["b", "c", "d"]
    assert said["b"] == "b has been silent for 5 minutes, since 2026-11-16 23:54 UTC"
    assert said["c"] == "c has never given a sign of life"
    assert MONDAY.weekday() == 0
