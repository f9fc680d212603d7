"""Moves that the daily limit makes impossible."""

import json
from datetime import date

import pytest

from quantassay.domain.market import price_rules
from quantassay.domain.market.corporate_actions import is_beyond, suspected


@pytest.fixture(scope="module")
def rules(spec):
    return price_rules.price_rules(spec("spec/19_price_rules.yaml"))


@pytest.mark.parametrize(
    ("previous", "close", "rounding", "beyond"),
    [
        (1_000, 1_300, 0, False),
        (1_000, 1_301, 0, True),
        (1_000, 1_301, 1, False),
        (1_000, 1_302, 1, True),
        (1_000, 700, 0, False),
        (1_000, 699, 0, True),
        (1_000, 699, 1, False),
        (1_000, 698, 1, True),
        (3, 4, 1, False),
        (1_000.5, 1_300.65, 0, False),
        (1_000.5, 1_300.7, 0, True),
    ],
)
def test_the_limit_is_compared_exactly(previous, close, rounding, beyond):
    assert is_beyond(previous, close, 30, rounding) is beyond


def test_suspects_name_both_bars_and_their_place(frame, rules):
    bars = frame(
        ("900010", "2026-11-16", 10_000, 100),
        ("900010", "2026-11-17", 13_000, 100),
        ("900010", "2026-11-18", 2_600, 100),
        ("900020", "2026-11-18", 500, 100),
    )
    assert suspected(bars, rules, "kosdaq", 1).to_dicts() == [
        {
            "ticker": "900010",
            "session": date(2026, 11, 18),
            "close": 2_600.0,
            "previous_session": date(2026, 11, 17),
            "previous_close": 13_000.0,
            "position": 2,
        }
    ]


def test_the_first_bar_of_a_name_is_never_suspected(frame, rules):
    bars = frame(("900010", "2026-11-18", 10, 100), ("900020", "2026-11-18", 90_000, 100))
    assert suspected(bars, rules, "kosdaq", 0).is_empty()


def test_the_limit_of_the_bar_s_own_date_counts(frame, rules):
    def found(first, second):
        return suspected(frame(("900010", first, 1_000, 1), ("900010", second, 1_200, 1)), rules, "kosdaq", 1).height

    assert found("2015-06-11", "2015-06-12") == 1
    assert found("2015-06-12", "2015-06-15") == 0


def test_a_leveraged_fund_may_move_twice_as_far(frame, rules):
    bars = frame(("900010", "2026-11-17", 1_000, 1), ("900010", "2026-11-18", 1_550, 1))
    assert suspected(bars, rules, "leveraged_etf", 1).is_empty()
    assert suspected(bars, rules, "etf", 1).height == 1


def test_exactly_the_known_actions_of_78_real_names(shared, kosdaq, rules):
    path = shared / "data/corporate_actions/corporate_actions.json"
    events = json.loads(path.read_text(encoding="utf-8"))["events"]
    known = {(one["symbol"], one["date"], one["prev_close"], one["close"]) for one in events}
    assert len(known) == 4
    rows = suspected(kosdaq, rules, "kosdaq", 1).iter_rows(named=True)
    assert {(r["ticker"], r["session"].isoformat(), r["previous_close"], r["close"]) for r in rows} == known
