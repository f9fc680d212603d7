"""What is said of a holding's short balance and of a fund's premium: exact values, or the reason why there is none."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.gaps import due
from quantassay.domain.manual import known
from quantassay.domain.manual.known import Fact
from quantassay.domain.manual.sell_inputs import (
    FUND,
    SHORT,
    Gap,
    NoGap,
    State,
    gap_of,
    is_fund,
    kind,
    premium,
    reading,
    readings,
    short_change,
)
from quantassay.domain.market.sessions import Calendar

SESSIONS = tuple(date(2026, 11, day) for day in (2, 3, 4, 5, 6, 9, 10, 12, 13, 16, 17, 18, 19, 20))
CAL = Calendar(
    ZoneInfo("Asia/Seoul"), date(2026, 11, 1), date(2026, 11, 30), SESSIONS,
    ((date(2026, 11, 1), time(9), time(15, 30)),), {}, frozenset(),
)  # fmt: skip
S4, S5 = Gap("S4", "fed"), Gap("S5", "amber")
ALL_DAYS = known.decision(CAL, datetime(2026, 11, 20, 12, tzinfo=UTC))


def fact(day, value, field="balance_ratio", feed=SHORT, note=""):
    session = date(2026, 11, day)
    imported = datetime(2026, 11, day, 12, tzinfo=UTC)
    return Fact(feed, "990040", session, field, value, note, "a.csv", "sha256:" + "0" * 64, 7, session, imported, 1)


def fund(**values):
    """Facts of a fund: premium_percent={18: "0.1"} and so on."""
    rows = [fact(day, value, field, FUND) for field, by_day in values.items() for day, value in by_day.items()]
    return known.seen(rows, ALL_DAYS)


@pytest.mark.parametrize(
    ("listed", "is_a_fund", "name", "because"),
    [
        (True, False, "stock", "listing"),
        (False, True, "etf", "etf_nav"),
        (True, True, "unknown", "contradiction"),
        (False, False, "unknown", "nothing"),
    ],
)
def test_the_kind_is_told_by_list_and_facts_and_not_guessed(listed, is_a_fund, name, because):
    found = kind(listed=listed, is_fund=is_a_fund)
    assert (found.name, found.because) == (name, because)


@pytest.mark.parametrize(
    ("newest", "gap", "state", "value"),
    [
        (("0.07", ""), S5, State.KNOWN, "0.07"),
        (("0.00", ""), S5, State.KNOWN, "0.00"),
        ((None, "blank"), S5, State.BLANK, None),
        ((None, "banned"), S5, State.BANNED, None),
        (("0.07", ""), Gap("S5", "red"), State.STALE, None),
        ((None, "banned"), Gap("S5", "red"), State.STALE, None),
    ],
)
def test_the_newest_row_decides_and_an_older_value_never_stands_in(newest, gap, state, value):
    facts = [fact(16, newest[0], note=newest[1]), fact(9, "0.05")]
    found = reading(facts, gap)
    assert (found.state, found.value, found.fact) == (state, value, facts[0])
    assert found.gap == (None if state is State.KNOWN else "S5")


def test_without_a_row_nothing_is_known():
    for gap in (S5, Gap("S5", "red")):
        found = reading([], gap)
        assert (found.state, found.value, found.fact, found.gap) == (State.UNKNOWN, None, None, "S5")


@pytest.mark.parametrize(
    ("ratios", "value", "previous", "between"),
    [
        ([(16, "0.12"), (9, "0.07")], "0.05", 9, 4),  # the 11th was closed
        ([(16, "0.07"), (13, "0.12")], "-0.05", 13, 1),
        ([(16, "0.30"), (13, "0.30")], "0.00", 13, 1),
        ([(16, "0.3"), (13, "0.1")], "0.2", 13, 1),  # 0.3 - 0.1 is not 0.19999999999999998
        ([(16, "1234567890123456789012345678901.01"), (13, "0.1")], "1234567890123456789012345678900.91", 13, 1),
        ([(16, "0.12"), (13, None), (9, "0.07"), (2, "0.01")], "0.05", 9, 4),
    ],
)
def test_the_change_is_exact_and_against_the_last_number_before(ratios, value, previous, between):
    facts = [fact(day, ratio, note="" if ratio else "banned") for day, ratio in ratios]
    change = short_change(facts, reading(facts, S5), CAL, S5)
    assert (change.state, change.value, change.sessions, change.gap) == (State.KNOWN, value, between, None)
    assert change.previous.session == date(2026, 11, previous)


def test_a_first_balance_has_no_change():
    for facts in ([fact(16, "0.12")], [fact(16, "0.12"), fact(13, None, note="blank")]):
        change = short_change(facts, reading(facts, S5), CAL, S5)
        assert (change.state, change.value, change.previous, change.gap) == (State.UNKNOWN, None, None, "S5")


@pytest.mark.parametrize(
    ("newest", "gap", "state"),
    [
        ((None, "banned"), S5, State.BANNED),
        ((None, "blank"), S5, State.BLANK),
        (("0.1", ""), Gap("S5", "red"), State.STALE),
    ],
)
def test_what_has_no_ratio_has_no_change(newest, gap, state):
    facts = [fact(16, newest[0], note=newest[1]), fact(13, "0.2")]
    change = short_change(facts, reading(facts, gap), CAL, gap)
    assert (change.state, change.value, change.previous, change.gap) == (state, None, None, "S5")


@pytest.mark.parametrize(
    ("facts", "value", "day", "worked_out"),
    [
        ({"premium_percent": {18: "-0.15"}, "nav": {18: "100"}, "close": {18: "200"}}, "-0.15", 18, False),
        ({"nav": {18: "33784.67"}, "close": {18: "33735"}}, "-0.15", 18, True),
        ({"nav": {18: "10000"}, "close": {18: "10000"}}, "0.00", 18, True),
        ({"nav": {18: "1000000"}, "close": {18: "999999"}}, "0.00", 18, True),  # not -0.00
        ({"nav": {18: "100000"}, "close": {18: "100005"}}, "0.00", 18, True),  # half to even
        ({"nav": {18: "100000"}, "close": {18: "100015"}}, "0.02", 18, True),
        ({"premium_percent": {17: "0.40"}, "nav": {18: "100"}, "close": {18: "101"}}, "1.00", 18, True),
        ({"premium_percent": {18: "0.40"}, "nav": {17: "100"}, "close": {17: "101"}}, "0.40", 18, False),
        ({"premium_percent": {17: "0.40"}, "nav": {18: "100"}, "close": {16: "101"}}, "0.40", 17, False),
        ({"premium_percent": {18: None}, "nav": {18: "100"}, "close": {18: "101"}}, "1.00", 18, True),
        ({"premium_percent": {17: "0.40"}, "nav": {18: "0"}, "close": {18: "101"}}, "0.40", 17, False),
        ({"premium_percent": {17: "0.40"}, "nav": {18: None}, "close": {18: "101"}}, "0.40", 17, False),
    ],
)
def test_the_premium_is_the_file_s_or_that_of_close_and_nav_of_one_day(facts, value, day, worked_out):
    found = premium(fund(**facts), "990040", S4)
    assert (found.state, found.value, found.fact.session.day) == (State.KNOWN, value, day)
    assert (found.pair is not None) == worked_out
    assert found.fact.field == ("nav" if worked_out else "premium_percent")


def test_a_premium_that_nothing_tells_is_said():
    assert premium(fund(nav={18: "100"}), "990040", S4).state is State.UNKNOWN
    assert premium(fund(nav={18: "100"}, close={17: "100"}), "990040", S4).gap == "S4"
    blank = premium(fund(premium_percent={18: None}, nav={17: "100"}, close={17: "101"}), "990040", S4)
    assert (blank.state, blank.value, blank.fact.session.day) == (State.BLANK, None, 18)
    stale = premium(fund(nav={18: "100"}, close={18: "101"}), "990040", replace(S4, standing="red"))
    assert (stale.state, stale.value, stale.gap) == (State.STALE, None, "S4")


def test_only_a_fund_has_the_fields_of_a_fund():
    seen = fund(premium_percent={18: "0.4"}, tracking_error_percent={17: "0.65"}, aum={16: "5260021146651"})
    etf = dict(readings(seen, "990040", kind(listed=False, is_fund=True), S4))
    assert {name: (r.state, r.value) for name, r in etf.items()} == {
        "premium": (State.KNOWN, "0.4"),
        "tracking_error": (State.KNOWN, "0.65"),
        "aum": (State.KNOWN, "5260021146651"),
    }
    stock = dict(readings(seen, "990040", kind(listed=True, is_fund=False), S4))
    assert {(r.state, r.value, r.gap) for r in stock.values()} == {(State.NOT_APPLICABLE, None, None)}
    for listed in (True, False):
        neither = dict(readings(seen, "990040", kind(listed=listed, is_fund=listed), S4))
        assert {(r.state, r.value, r.gap) for r in neither.values()} == {(State.UNKNOWN, None, "S4")}
    assert list(etf) == list(stock) == list(neither)


def test_facts_of_a_fund_make_a_fund():
    seen = fund(aum={16: "1"})
    assert (is_fund(seen, "990040"), is_fund(seen, "990190")) == (True, False)
    assert not is_fund(known.seen([fact(16, "1")], ALL_DAYS), "990040")


MONEY = st.integers(1, 10**9).map(lambda cents: f"{cents // 100}.{cents % 100:02}")


@given(MONEY, MONEY)
def test_a_premium_is_within_half_a_hundredth_of_the_quotient(close, nav):
    found = premium(fund(nav={18: nav}, close={18: close}), "990040", S4)
    if float(nav) == 0:
        assert found.state is State.UNKNOWN
        return
    cents, base = (int(text.replace(".", "")) for text in (close, nav))
    hundredths = int(found.value.replace(".", "").replace("-", "")) * (-1 if found.value[0] == "-" else 1)
    # |hundredths/100 - (close-nav)/nav*100| <= 1/200, in whole numbers
    assert abs(hundredths * base - (cents - base) * 10_000) * 2 <= base


# How old is too old.

WEEKLY = {"every": "week", "weekday": "Monday", "data_lag_sessions": 3, "amber_after": 1, "red_after": 2}
DAILY = {"every": "session", "weekday": None, "data_lag_sessions": 1, "amber_after": 1, "red_after": 3}


def roadmap(cadence=WEEKLY, standing="fed", feed=SHORT, artifact="sell"):
    row = {"artifact": artifact, "standing": standing}
    other = {"id": "S1", "manual": {"feed": "none", "cadence": None}, "consumers": [{**row, "standing": "without"}]}
    return {"gaps": [other, {"id": "S5", "manual": {"feed": feed, "cadence": cadence}, "consumers": [row]}]}


@pytest.mark.parametrize(
    ("cadence", "day", "hour", "oldest"),
    [
        # Mondays the 9th and 16th have passed: the file of the 9th had to reach the 4th, three sessions before.
        (WEEKLY, 18, 12, 4),
        (WEEKLY, 16, 0, 4),  # 09:00 in Seoul: the open of the second Monday is the end of its due date
        (WEEKLY, 13, 12, 2),  # Mondays the 2nd and 9th; the calendar has nothing before the 2nd
        (DAILY, 18, 12, 13),  # due on the 16th, 17th, 18th; the first of them had to reach the 13th
        (DAILY, 17, 23, 12),
    ],
)
def test_a_value_is_too_old_where_a_feed_with_nothing_newer_is_red(cadence, day, hour, oldest):
    made = known.decision(CAL, datetime(2026, 11, day, hour, tzinfo=UTC))
    gap = gap_of(roadmap(cadence), SHORT, "sell", CAL, made)
    assert gap == Gap("S5", "fed", date(2026, 11, oldest))
    for session in SESSIONS[: SESSIONS.index(made.session) + 1]:
        files = [due.Import("a.csv", made.at, session)]
        red = due.standing(CAL, due.cadence(cadence), files, made.at).state == "red"
        assert gap.is_too_old(fact(session.day, "0.07")) == red, session


def test_a_value_that_is_too_old_is_stale_although_the_feed_is_not():
    gap = Gap("S5", "fed", date(2026, 11, 9))
    assert reading([fact(9, "0.07")], gap).state is State.KNOWN
    old = reading([fact(6, "0.07")], gap)
    assert (old.state, old.value, old.gap, old.fact.session.day) == (State.STALE, None, "S5", 6)


def test_before_so_many_due_dates_nothing_is_too_old():
    made = known.decision(CAL, datetime(2026, 11, 3, 12, tzinfo=UTC))
    assert gap_of(roadmap(), SHORT, "sell", CAL, made).oldest is None
    assert gap_of(roadmap(None), SHORT, "sell", CAL, ALL_DAYS).oldest is None


@pytest.mark.parametrize("wrong", [roadmap(feed=FUND), roadmap(artifact="buy")])
def test_a_roadmap_that_does_not_know_the_feed_or_us_is_said(wrong):
    with pytest.raises(NoGap, match=r"the feed short_balance and the consumer sell.*add one"):
        gap_of(wrong, SHORT, "sell", CAL, ALL_DAYS)
