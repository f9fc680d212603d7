"""The calendars of New York and Shanghai, against recorded sessions and their own rules; questions to all three."""

import csv
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from quantassay.domain.market import sessions
from quantassay.domain.market.calendars import NoCalendar, market_key

CLOSED_BY_NO_RULE = (
    *("2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14", "2004-06-11", "2007-01-02", "2012-10-29", "2012-10-30"),
    *("2018-12-05", "2025-01-09"),
)
# Of the years that the recorded file does not reach; the exchange publishes them for three years.
EARLY_SINCE_2023 = {
    *("2023-07-03", "2023-11-24", "2024-07-03", "2024-11-29", "2024-12-24", "2025-07-03", "2025-11-28", "2025-12-24"),
    *("2026-11-27", "2026-12-24", "2027-11-26"),
}


def recorded(shared, market):
    """{day: (open, close, break) in the exchange's own time} of the sessions that another project has on record."""
    zone = ZoneInfo({"xnys": "America/New_York", "xshg": "Asia/Shanghai"}[market])
    text = (shared / f"data/calendars/{market}.csv").read_text(encoding="utf-8")

    def local(instant):
        return datetime.fromisoformat(instant).astimezone(zone).strftime("%H:%M") if instant else None

    rows = csv.reader(text.splitlines()[1:])
    return {row[0][:10]: tuple(map(local, row[1:])) for row in rows}


def ours(calendar, data, last):
    """The same of our calendar, up to this day."""
    pause = [(row["start"], row["end"]) for row in data["breaks"]][-1:] or [(None, None)]
    found = {}
    for day in calendar.sessions:
        if day.isoformat() <= last:
            hours = sessions.hours(calendar, day)
            found[day.isoformat()] = (f"{hours.open:%H:%M}", f"{hours.close:%H:%M}", *pause[0])
    return found


def test_new_york_is_what_was_recorded_hours_and_early_closes(shared, calendar_of, xnys):
    known = recorded(shared, "xnys")
    expected = {day: row for day, row in known.items() if day >= "2000"}
    assert (len(expected), max(known)) == (5796, "2023-01-13")
    assert ours(xnys, calendar_of("XNYS"), max(known)) == expected


def test_shanghai_is_what_was_recorded_lunch_breaks_included(shared, calendar_of, xshg):
    known = recorded(shared, "xshg")
    expected = {day: row for day, row in known.items() if day >= "2001"}
    assert (len(expected), max(known)) == (6304, "2026-12-31")
    assert ours(xshg, calendar_of("XSHG"), max(known)) == expected


def test_new_york_s_own_closures_and_early_closes(calendar_of, xnys):
    data = calendar_of("XNYS")
    closed = {row["date"]: row["sources"] for row in data["closed"]}
    assert {tuple(closed[day]) for day in CLOSED_BY_NO_RULE} == {("exchange", "recorded")}
    assert (data["disputed"], data["overrides"], data["segments"]) == ([], [], [])
    early = {row["session"]: (row["open"], row["close"], row["kind"]) for row in data["special_sessions"]}
    assert set(early.values()) == {("09:30", "13:00", "early_close")}
    assert {day for day in early if day > "2023"} == EARLY_SINCE_2023
    assert sessions.is_session(xnys, date(2026, 6, 18))
    assert not sessions.is_session(xnys, date(2026, 6, 19))


def test_no_date_of_shanghai_is_settled_by_one_voter(calendar_of):
    data = calendar_of("XSHG")
    days = [date(2027, 1, 1) + timedelta(n) for n in range(365)]
    assert [row["date"] for row in data["disputed"]] == [day.isoformat() for day in days if day.weekday() < 5]
    named = {row["date"]: row["closed_by"] for row in data["disputed"]}
    assert (named["2027-02-08"], named["2027-02-11"]) == (["exchange"], [])


def test_what_the_markets_trade_in_and_who_keeps_their_sessions(spec, calendar_of):
    calendars = spec("spec/11_calendars.yaml")
    assert {market: calendar_of(market)["currency"] for market in calendars["markets"]} == {
        "XKRX": "KRW",
        "XNYS": "USD",
        "XSHG": "CNY",
    }
    keys = {one: market_key(calendars, one) for one in ("XKRX", "XNYS", "XNAS", "XSHG", "XSHE")}
    assert keys == {"XKRX": "XKRX", "XNYS": "XNYS", "XNAS": "XNYS", "XSHG": "XSHG", "XSHE": "XSHG"}
    with pytest.raises(NoCalendar, match=r"has no market 'XTKS'; it has XKRX, XNAS, XNYS, XSHE, XSHG: name one"):
        market_key(calendars, "XTKS")


# Instants. New York changes its clocks on Sundays: the sessions before and after are an hour apart in UTC.

CHANGES = [
    *(("2024-03-08", 14.5, "2024-03-11", 13.5), ("2024-11-01", 13.5, "2024-11-04", 14.5)),
    *(("2025-03-07", 14.5, "2025-03-10", 13.5), ("2025-10-31", 13.5, "2025-11-03", 14.5)),
    *(("2026-03-06", 14.5, "2026-03-09", 13.5), ("2026-10-30", 13.5, "2026-11-02", 14.5)),
]


def utc(day, hours):
    return datetime.combine(date.fromisoformat(day), time(), tzinfo=UTC) + timedelta(hours=hours)


@pytest.mark.parametrize(("before", "opens_before", "after", "opens_after"), CHANGES)
def test_the_sessions_around_a_change_of_clocks(xnys, before, opens_before, after, opens_after):
    moment = timedelta(microseconds=1)
    for day, opens in ((before, opens_before), (after, opens_after)):
        start, end = utc(day, opens), utc(day, opens + 6.5)
        states = [sessions.state(xnys, at) for at in (start - moment, start, end - moment, end)]
        assert states == ["PRE_OPEN", "INTRADAY", "INTRADAY", "AFTER_CLOSE"]
        assert sessions.last_complete(xnys, end) == date.fromisoformat(day)
        assert sessions.last_complete(xnys, end - moment) < date.fromisoformat(day)
    assert sessions.session_after(xnys, date.fromisoformat(before)) == date.fromisoformat(after)


@pytest.mark.parametrize("day", ["2024-03-10", "2024-11-03", "2025-03-09", "2025-11-02", "2026-03-08", "2026-11-01"])
def test_every_hour_of_the_day_of_the_change(xnys, day):
    monday = date.fromisoformat(day) + timedelta(1)
    # From Sunday 00:00 in New York, each real hour of a day of 23 or 25.
    start = datetime.combine(date.fromisoformat(day), time(), tzinfo=xnys.zone).astimezone(UTC)
    length = datetime.combine(monday, time(), tzinfo=xnys.zone).astimezone(UTC) - start
    assert length in (timedelta(hours=23), timedelta(hours=25))
    for minutes in range(0, int(length.total_seconds()) // 60, 30):
        at = start + timedelta(minutes=minutes)
        for asked in (at, at.astimezone(xnys.zone), at.astimezone(ZoneInfo("Asia/Seoul"))):
            assert sessions.state(xnys, asked) == "CLOSED"
            assert sessions.next_to_open(xnys, asked) == monday
            assert sessions.local_day(xnys, asked) == date.fromisoformat(day)
    assert sessions.state(xnys, start + length) == "PRE_OPEN"


@pytest.mark.parametrize(
    ("market", "at", "state"),
    [
        # The day after Thanksgiving ends at 13:00.
        ("xnys", "2026-11-27T12:59:59-05:00", "INTRADAY"),
        ("xnys", "2026-11-27T13:00:00-05:00", "AFTER_CLOSE"),
        ("xnys", "2026-11-30T13:00:00-05:00", "INTRADAY"),
        ("xnys", "2026-11-26T12:00:00-05:00", "CLOSED"),
        # Christmas Eve in New York is Christmas in Seoul and Shanghai.
        ("xnys", "2026-12-25T02:59:59+09:00", "INTRADAY"),
        ("xnys", "2026-12-25T03:00:00+09:00", "AFTER_CLOSE"),
        ("xnys", "2025-01-09T12:00:00-05:00", "CLOSED"),
        ("xshg", "2026-11-18T09:29:59+08:00", "PRE_OPEN"),
        ("xshg", "2026-11-18T09:30:00+08:00", "INTRADAY"),
        ("xshg", "2026-11-18T12:00:00+08:00", "INTRADAY"),
        ("xshg", "2026-11-18T15:00:00+08:00", "AFTER_CLOSE"),
        ("xshg", "2026-10-07T12:00:00+08:00", "CLOSED"),
        ("xkrx", "2026-11-19T09:30:00+09:00", "PRE_OPEN"),
        ("xkrx", "2027-01-04T09:30:00+09:00", "PRE_OPEN"),
    ],
)
def test_states_of_the_three_markets(request, market, at, state):
    assert sessions.state(request.getfixturevalue(market), datetime.fromisoformat(at)) == state


@pytest.mark.parametrize(
    ("at", "rests"),
    [("11:29:59", False), ("11:30:00", True), ("12:59:59", True), ("13:00:00", False), ("15:00:00", False)],
)
def test_the_lunch_break_is_inside_the_session(xshg, at, rests):
    moment = datetime.fromisoformat(f"2026-11-18T{at}+08:00")
    assert sessions.in_break(xshg, moment) is rests
    assert sessions.in_break(xshg, moment.astimezone(UTC)) is rests
    if at < "15:00":
        assert (sessions.state(xshg, moment), sessions.segment(xshg, moment)) == ("INTRADAY", "regular")
        assert sessions.last_complete(xshg, moment) == date(2026, 11, 17), "nothing is complete at lunch"


def test_there_is_no_break_on_a_closed_day_nor_in_the_other_markets(xshg, xkrx, xnys):
    assert not sessions.in_break(xshg, datetime.fromisoformat("2026-10-07T12:00:00+08:00"))
    for calendar in (xkrx, xnys):
        for hour in range(24):
            assert not sessions.in_break(calendar, datetime(2026, 11, 18, hour, tzinfo=UTC))


@pytest.mark.parametrize(
    ("at", "segment"),
    [
        ("2026-11-18T08:59:59", None),
        ("2026-11-18T09:00:00", "regular"),
        ("2026-11-18T15:30:00", None),
        ("2026-11-18T15:59:59", None),
        ("2026-11-18T16:00:00", "after_market"),
        ("2026-11-18T19:59:59", "after_market"),
        ("2026-11-18T20:00:00", None),
        # Before the reform, on a closed day, and where an exam day's session runs into it.
        ("2026-09-11T16:00:00", None),
        ("2026-09-14T16:00:00", "after_market"),
        ("2026-12-25T16:00:00", None),
        ("2026-11-19T16:15:00", "regular"),
        ("2026-11-19T16:30:00", "after_market"),
        # A pre-market was announced and is not confirmed.
        ("2026-11-18T07:30:00", None),
    ],
)
def test_segments_beside_the_regular_session(xkrx, at, segment):
    moment = datetime.fromisoformat(f"{at}+09:00")
    assert sessions.segment(xkrx, moment) == segment
    assert sessions.segment(xkrx, moment.astimezone(ZoneInfo("America/New_York"))) == segment


def test_the_day_s_close_stays_the_regular_session_s(xkrx):
    during = datetime.fromisoformat("2026-11-18T17:00:00+09:00")
    assert sessions.segment(xkrx, during) == "after_market"
    assert sessions.state(xkrx, during) == "AFTER_CLOSE"
    assert sessions.last_complete(xkrx, during) == date(2026, 11, 18)
    assert f"{sessions.hours(xkrx, date(2026, 11, 18)).close:%H:%M}" == "15:30"


def test_what_cannot_be_answered_is_an_error_in_every_market(xnys, xshg):
    naive = datetime(2026, 11, 18, 12)  # noqa: DTZ001
    for calendar in (xnys, xshg):
        for question in (sessions.state, sessions.segment, sessions.in_break, sessions.next_to_open):
            with pytest.raises(sessions.NaiveInstant):
                question(calendar, naive)
    with pytest.raises(sessions.OutsideCalendar, match="from 2000-01-03 to 2027-12-31, not to 1999-12-31"):
        sessions.state(xnys, datetime(1999, 12, 31, 15, tzinfo=UTC))
    with pytest.raises(sessions.OutsideCalendar, match="from 2001-01-01 to 2027-12-31, not to 2028-01-03"):
        sessions.segment(xshg, datetime(2028, 1, 3, 3, tzinfo=UTC))
