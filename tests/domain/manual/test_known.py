"""A decision sees what was public on its day in the version that the desk had, and nothing that came later."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.manual import known
from quantassay.domain.manual.known import Decision, Fact
from quantassay.domain.market.sessions import Calendar

ZONE = ZoneInfo("Asia/Seoul")
# Two weeks without Wednesday 11 November.
SESSIONS = tuple(date(2026, 11, day) for day in (2, 3, 4, 5, 6, 9, 10, 12, 13, 16, 17, 18, 19, 20))
CAL = Calendar(
    ZONE, date(2026, 11, 1), date(2026, 11, 30), SESSIONS,
    ((date(2026, 11, 1), time(9), time(15, 30)),), {}, frozenset(),
)  # fmt: skip
KEYS = [
    (feed, ticker, field) for feed in ("short_balance", "etf_nav") for ticker in ("990040", "9900M0") for field in "ab"
]


def at(day, hour=16):
    return datetime(2026, 11, day, hour, tzinfo=ZONE)


def fact(session, value="1", *, available=None, imported=None, version=1, **changes):
    day = date(2026, 11, session)
    row = {
        "feed": "short_balance", "ticker": "990040", "session": day, "field": "balance_ratio", "value": value,
        "note": "", "file": "a.csv", "digest": "sha256:" + "0" * 64, "row": 2, "version": version,
        "available_from": day if available is None else date(2026, 11, available),
        "imported_at": (imported or at(session)).astimezone(UTC),
    }  # fmt: skip
    return Fact(**row | changes)


def one(facts, when):
    """The values that the decision sees, the latest session first."""
    seen = known.seen(facts, known.decision(CAL, when))
    return [fact.value for facts_of_key in seen.values() for fact in facts_of_key]


def test_a_fact_counts_from_its_day_of_use():
    facts = [fact(12, available=16, imported=at(13))]
    assert one(facts, at(13)) == []
    assert one(facts, at(15)) == []
    assert one(facts, at(16, 8)) == ["1"]


def test_a_value_of_the_day_counts_when_the_session_is_over():
    facts = [fact(18, imported=at(18, 20))]
    assert one(facts, at(18, 15)) == []
    assert one(facts, at(18, 16)) == ["1"]


def test_a_history_that_is_imported_later_was_public_on_its_day():
    assert one([fact(2, imported=at(20))], at(4)) == ["1"]


def test_a_correction_counts_from_its_import():
    facts = [fact(2, "2", imported=at(10), version=2), fact(2, "1", imported=at(3))]
    assert one(facts, at(9)) == ["1"]
    assert one(facts, at(10, 15)) == ["1"]
    assert one(facts, at(10)) == ["2"]


def test_a_correction_of_a_history_is_not_known_before_either_was_imported():
    facts = [fact(2, "1", imported=at(10)), fact(2, "2", imported=at(12), version=2)]
    assert [one(facts, at(day)) for day in (4, 10, 12)] == [["1"], ["1"], ["2"]]


def test_a_value_that_was_taken_back_is_gone_from_then_on():
    """The file was first read for the 4th, and then again for the 3rd: version 2 of the 4th is blank."""
    wrong = [fact(4, "1", imported=at(5)), fact(4, None, imported=at(6), version=2, note="blank")]
    right = fact(3, "1", imported=at(6))
    assert one([*wrong, right], at(5)) == ["1", "1"]
    assert one([*wrong, right], at(6)) == ["1"]
    assert known.seen(wrong, known.decision(CAL, at(6))) == {}
    assert one([fact(4, None, note="blank")], at(5)) == [None]  # a row that was blank from the first


def test_sessions_come_newest_first_and_keys_do_not_mix():
    facts = [fact(2, "1"), fact(4, "3"), fact(3, "2"), fact(4, "7", ticker="990190"), fact(4, "8", feed="etf_nav")]
    seen = known.seen(facts, known.decision(CAL, at(6)))
    assert [f.value for f in seen["short_balance", "990040", "balance_ratio"]] == ["3", "2", "1"]
    assert [f.value for f in seen["short_balance", "990190", "balance_ratio"]] == ["7"]
    assert [f.value for f in seen["etf_nav", "990040", "balance_ratio"]] == ["8"]


@pytest.mark.parametrize(
    ("session", "when", "sessions"),
    [
        (18, at(18), 0),
        (17, at(18), 1),
        (17, at(18, 12), 0),  # the session of the 18th is not over
        (10, at(13), 2),  # the 11th was closed
        (13, at(15), 0),  # a weekend makes nothing older
        (13, at(16), 1),
        (14, at(16), 1),  # of a Saturday: a fact that no file should hold, and no crash
    ],
)
def test_age_counts_the_sessions_that_have_ended_since(session, when, sessions):
    assert known.age(CAL, date(2026, 11, session), known.decision(CAL, when)) == sessions


def test_the_rows_of_the_frame_become_facts():
    expected = fact(4, "0.07")
    row = {name: getattr(expected, name) for name in Fact.__slots__}
    assert known.facts([row]) == (expected,)


# The law: whatever is put behind the decision, it sees the same.

DAYS = st.sampled_from(SESSIONS)
START = datetime(2026, 11, 3, tzinfo=ZONE)
MOMENTS = st.integers(0, 25 * 24 * 60).map(lambda minutes: (START + timedelta(minutes=minutes)).astimezone(UTC))
VALUES = st.none() | st.integers(0, 999).map(str)


@st.composite
def histories(draw):
    """Facts as a store keeps them: versions of a key come in one after the other."""
    found = []
    for feed, ticker, field in draw(st.lists(st.sampled_from(KEYS), max_size=4, unique=True)):
        for session in draw(st.lists(DAYS, max_size=4, unique=True)):
            lag = draw(st.integers(0, 4))
            moments = sorted(draw(st.lists(MOMENTS, min_size=1, max_size=3, unique=True)))
            for version, moment in enumerate(moments, start=1):
                base = fact(session.day, draw(VALUES), imported=moment, version=version)
                days = {"session": session, "available_from": session + timedelta(lag)}
                found.append(replace(base, feed=feed, ticker=ticker, field=field, **days))
    return found


DECISIONS = MOMENTS.map(lambda moment: known.decision(CAL, moment))


def is_later(one_fact: Fact, made: Decision, first_version: bool) -> bool:
    """Whether nobody could have known it: not public yet, or a correction that had not been imported."""
    not_public = one_fact.available_from > made.day or one_fact.session > made.session
    return not_public or (one_fact.imported_at > made.at and not first_version)


def identity(of: Fact):
    return (of.feed, of.ticker, of.field, of.session)


@given(histories(), DECISIONS, VALUES)
def test_nothing_later_changes_what_is_seen(facts, made, poison):
    before = known.seen(facts, made)
    poisoned = [
        replace(f, value=poison, note="poison", row=666) if is_later(f, made, f.version == 1) else f for f in facts
    ]
    assert known.seen(poisoned, made) == before
    assert known.seen([f for f in facts if not is_later(f, made, f.version == 1)], made) == before


@given(histories(), DECISIONS)
def test_everything_earlier_is_seen_once(facts, made):
    seen = known.seen(reversed(facts), made)
    assert seen == known.seen(facts, made)
    public = {identity(f) for f in facts if known.is_public(f, made)}
    assert public == {(*key, f.session) for key, of_key in seen.items() for f in of_key}  # notes are never blank here
    for of_key in seen.values():
        assert all(newer.session > older.session for newer, older in pairwise(of_key))
        for f in of_key:
            same = [
                g for g in facts if (g.feed, g.ticker, g.field, g.session) == (f.feed, f.ticker, f.field, f.session)
            ]
            had = [g.version for g in same if g.imported_at <= made.at]
            assert f.version == max(had, default=1)
