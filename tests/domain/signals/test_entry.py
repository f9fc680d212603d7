"""The entry check: the price that counts at each instant, the ladder rung by rung, the caps."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.market.sessions import calendar
from quantassay.domain.signals import entry as rules
from quantassay.domain.signals.entry import Candidate, Price, Quote

SPEC = {
    "quotes": {"before_open_minutes": 30, "in_session_minutes": 10},
    "beyond_guard": "SKIP",
    "accepted_qualities": ["A"],
    "caps": {"max_active_holdings": 4, "max_new_entries": 2},
}
RULE = rules.rule(SPEC)
SEOUL = ZoneInfo("Asia/Seoul")
# Monday the 16th to Friday the 20th and the Monday after; the 19th opens an hour late.
CALENDAR = {
    "market": "XKRX",
    "currency": "KRW",
    "zone": "Asia/Seoul",
    "first": "2026-11-02",
    "last": "2026-11-30",
    "regular_hours": [{"from": "2016-08-01", "open": "09:00", "close": "15:30"}],
    "sessions": [f"2026-11-{day}" for day in (16, 17, 18, 19, 20, 23, 24)],
    "special_sessions": [{"session": "2026-11-19", "open": "10:00", "close": "16:30", "kind": "exam_day"}],
    "disputed": [],
    "breaks": [],
    "segments": [],
}
SIGNAL = date(2026, 11, 18)
GOOD = Candidate(
    ticker="900010",
    strategy="hybrid",
    raw_close=10_000,
    close=10_000,
    is_adjusted=False,
    state="READY",
    quality="A",
    alignment="aligned",
    guard="0.040000",
    trigger="9900.000000",
    doubt=None,
)
SEEN = datetime(2026, 11, 19, 9, 50, tzinfo=SEOUL)


def at(text):
    return datetime.fromisoformat(f"2026-11-{text}:00+09:00")


def moment(text, signal=SIGNAL, **changes):
    return rules.moment(calendar(CALENDAR | changes), signal, at(text))


def priced(text, quote=None, last_close=10_000):
    return rules.price(moment(text), quote, last_close, "KRW", RULE)


def quoted(text, value=10_100, currency="KRW"):
    return Quote(value, at(text), currency)


def decided(value=10_000, rule=RULE, **changes):
    one = rules.entry(replace(GOOD, **changes), Price(value, "last_close", SEEN), None, rule)
    return one.decision, one.code


@pytest.mark.parametrize(
    ("instant", "mode", "session"),
    [
        ("18T15:30", "AFTER_CLOSE", "2026-11-19"),
        ("18T23:59", "AFTER_CLOSE", "2026-11-19"),
        ("19T00:00", "PRE_OPEN", "2026-11-19"),
        ("19T09:59", "PRE_OPEN", "2026-11-19"),
        ("19T10:00", "INTRADAY", "2026-11-19"),
        ("19T16:29", "INTRADAY", "2026-11-19"),
        ("19T16:30", "AFTER_CLOSE", "2026-11-20"),
    ],
)
def test_the_session_to_enter_in_is_the_first_after_the_signal_that_is_not_over(instant, mode, session):
    now = moment(instant)
    assert (now.mode, now.session.isoformat()) == (mode, session)
    assert now.doubt == ("signal_old" if session == "2026-11-20" else None)


def test_a_weekend_is_closed_and_the_next_session_is_still_the_right_one():
    now = moment("21T12:00", signal=date(2026, 11, 20))
    assert (now.mode, now.session, now.doubt) == ("CLOSED", date(2026, 11, 23), None)


@pytest.mark.parametrize("day", ["2026-11-18", "2026-11-19"])
def test_a_disputed_session_on_the_way_is_a_doubt_for_all(day):
    disputed = [{"date": day, "closed_by": ["a"], "open_by": ["b"]}]
    assert moment("18T16:00", disputed=disputed).doubt == "disputed_session"
    assert moment("18T16:00", disputed=[disputed[0] | {"date": "2026-11-20"}]).doubt is None


def test_without_a_quote_the_last_close_counts_until_the_open():
    assert priced("18T16:00") == Price(10_000, "last_close", at("18T15:30"))
    assert priced("19T09:59").basis == "last_close"
    assert priced("19T10:00") == Price(None, None, None, "no_quote")
    assert priced("19T09:59", last_close=None).fault == "no_close"


@pytest.mark.parametrize(
    ("instant", "taken", "basis", "fault"),
    [
        ("19T09:50", "19T09:20", "quote_before_open", None),
        ("19T09:50", "19T09:19", "quote_before_open", "quote_old"),
        ("19T09:50", "19T09:51", "quote_before_open", "quote_ahead"),
        ("19T10:05", "19T10:00", "quote_in_session", None),
        ("19T10:05", "19T10:05", "quote_in_session", None),
        ("19T10:05", "19T09:59", "quote_in_session", "quote_before_open"),
        ("19T10:20", "19T10:10", "quote_in_session", None),
        ("19T10:21", "19T10:10", "quote_in_session", "quote_old"),
        ("19T10:21", "19T10:22", "quote_in_session", "quote_ahead"),
        # Of an earlier open: none at all.
        ("19T09:50", "18T15:30", "last_close", None),
        ("19T10:05", "18T15:30", None, "no_quote"),
    ],
)
def test_a_quote_counts_only_for_its_own_open_and_while_it_is_fresh(instant, taken, basis, fault):
    seen = priced(instant, quoted(taken))
    assert (seen.basis, seen.fault) == (basis, fault)


def test_a_quote_in_other_money_is_not_used():
    assert priced("19T09:50", quoted("19T09:45", currency="USD")).fault == "quote_currency"


def test_a_doubt_about_the_price_is_a_review_and_never_a_skip():
    for fault in ("quote_old", "quote_ahead", "quote_before_open", "quote_currency", "no_quote"):
        one = rules.entry(GOOD, Price(99_999, "quote_in_session", SEEN, fault), None, RULE)
        assert (one.decision, one.code, one.gap) == ("REVIEW", fault, None)


@pytest.mark.parametrize(
    ("changes", "decision", "code"),
    [
        ({}, "ENTER", "clear"),
        ({"doubt": "stale", "guard": None}, "REVIEW", "stale"),
        ({"guard": None, "value": 99_999}, "REVIEW", "no_guard"),
        ({"guard": "-0.01"}, "REVIEW", "no_guard"),
        ({"raw_close": None}, "REVIEW", "no_close"),
        ({"raw_close": 0}, "REVIEW", "no_close"),
        ({"value": 10_400}, "ENTER", "clear"),
        ({"value": 10_401}, "SKIP", "gap_beyond_guard"),
        ({"value": 9_599, "trigger": None}, "SKIP", "gap_beyond_guard"),
        ({"trigger": "0", "state": "WATCH"}, "REVIEW", "bad_trigger"),
        ({"trigger": None}, "REVIEW", "bad_trigger"),
        ({"trigger": None, "state": "WATCH"}, "REVIEW", "not_ready"),
        ({"state": "WATCH", "value": 9_700}, "REVIEW", "not_ready"),
        ({"value": 9_900}, "ENTER", "clear"),
        ({"value": "9899.9", "alignment": "unknown"}, "SKIP", "below_trigger"),
        ({"alignment": "tight_stop", "quality": "B"}, "REVIEW", "risk_not_aligned"),
        ({"alignment": "unknown"}, "REVIEW", "risk_not_aligned"),
        ({"quality": "B"}, "REVIEW", "quality"),
        ({"quality": None}, "REVIEW", "quality"),
        # The older rule knows neither states nor qualities, but its guard.
        ({"strategy": "ema_cross", "trigger": None, "quality": None, "alignment": "unknown"}, "ENTER", "clear"),
        ({"strategy": "ema_cross", "trigger": None, "value": 10_401}, "SKIP", "gap_beyond_guard"),
    ],
)
def test_the_first_rung_of_the_ladder_that_holds_decides(changes, decision, code):
    assert decided(**changes) == (decision, code)


def test_the_spec_may_ask_for_a_review_of_a_wide_gap_and_take_other_qualities():
    assert decided(10_401, rules.rule(SPEC | {"beyond_guard": "REVIEW"})) == ("REVIEW", "gap_beyond_guard")
    assert decided(rule=rules.rule(SPEC | {"accepted_qualities": ["A", "B"]}), quality="B") == ("ENTER", "clear")


def test_an_adjusted_trigger_is_brought_to_prices_as_traded():
    halved = {"is_adjusted": True, "close": 5_000, "trigger": "4950"}
    assert decided(**halved) == ("ENTER", "clear")
    assert decided(9_899, **halved) == ("SKIP", "below_trigger")
    one = rules.entry(replace(GOOD, **halved), Price(10_000, "last_close", SEEN), None, RULE)
    assert (one.trigger, one.low, one.high) == (9_900, 9_900, 10_400)
    assert decided(**(halved | {"close": 0})) == ("REVIEW", "bad_trigger")


def test_a_bound_is_rounded_to_the_inside():
    third = Fraction(1, 3)
    assert [rules.text(third, way) for way in ("", rules.UP, rules.DOWN)] == ["0.333333", "0.333334", "0.333333"]
    assert (rules.text(-third), rules.text(Fraction(5, 10**7)), rules.text(None)) == ("-0.333333", "0.000000", None)


@given(
    st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 10**6), st.integers(1, 10**6), st.sampled_from("ABC")
)
def test_whatever_is_entered_lies_inside_its_band(close, value, guard, trigger, quality):
    one = replace(GOOD, raw_close=close, guard=f"{guard / 10**6:.6f}", trigger=trigger, quality=quality)
    made = rules.entry(one, Price(value, "last_close", SEEN), None, RULE)
    if made.decision == "ENTER":
        assert Fraction(rules.text(made.low, rules.UP)) <= value <= Fraction(rules.text(made.high, rules.DOWN))
        assert quality == "A"


def test_the_caps_take_the_first_and_leave_out_the_rest():
    def entered(*names, held=(), **changes):
        found = [
            rules.entry(replace(GOOD, ticker=name), Price(10_000, "last_close", SEEN), None, RULE) for name in names
        ]
        return [(one.ticker, one.code) for one in rules.capped(found, set(held), replace(RULE, **changes))]

    assert entered("A", "B", "C") == [("A", "clear"), ("B", "clear"), ("C", "max_new_entries")]
    assert entered("A", "B", held="WXY") == [("A", "clear"), ("B", "max_active_holdings")]
    # A name that is held already is no new entry, whatever is held beside it.
    assert entered("W", "A", held="WXYZ") == [("W", "clear"), ("A", "max_active_holdings")]
    assert entered("A", max_entries=0) == [("A", "max_new_entries")]


def test_each_strategy_is_capped_as_if_it_alone_were_followed():
    both = [
        rules.entry(
            replace(GOOD, ticker=name, strategy=strategy, trigger=trigger), Price(10_000, "x", SEEN), None, RULE
        )
        for strategy, trigger in (("hybrid", 9_900), ("ema_cross", None))
        for name in "ABC"
    ]
    assert [one.decision for one in rules.capped(both, set(), RULE)] == ["ENTER", "ENTER", "SKIP"] * 2


def test_what_is_not_entered_takes_no_place():
    seen = Price(10_000, "last_close", SEEN)
    rows = [rules.entry(replace(GOOD, quality=quality), seen, None, RULE) for quality in "BBBAAA"]
    assert [one.code for one in rules.capped(rows, set(), RULE)] == ["quality"] * 3 + ["clear"] * 2 + [
        "max_new_entries"
    ]
    assert timedelta(minutes=30) == RULE.before_open
