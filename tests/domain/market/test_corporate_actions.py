"""Moves that no trade can have made: what each is taken for, and what is left alone."""

import json
from datetime import date, timedelta
from fractions import Fraction

import pytest

from quantassay.domain.market import price_rules
from quantassay.domain.market.bar_faults import ordered, usable
from quantassay.domain.market.corporate_actions import bounds, is_beyond, jumps, split_of

FIRST = date(2026, 11, 2)


@pytest.fixture(scope="module")
def rules(spec):
    return price_rules.price_rules(spec("spec/19_price_rules.yaml"))


@pytest.fixture
def found(spec, rules, frame):
    """The jumps of one name with these closes, on days in a row."""

    def look(*closes, market="XKRX", first=FIRST, ticker="900010", exceptions=(), **changed):
        limits = spec("spec/13_quality_limits.yaml") | changed
        days = [(first + timedelta(at)).isoformat() for at in range(len(closes))]
        bars = frame(*((ticker, day, close, 100) for day, close in zip(days, closes, strict=True)))
        return jumps(usable(ordered(bars)), bounds(limits, market, rules, exceptions))

    return look


def exception(why, limits="none", first="2026-11-01", until=None, ticker="900010"):
    more = {"source": "a notice", "noted_on": first}
    return {"ticker": ticker, "why": why, "limits": limits, "from": first, "until": until, **more}


def kinds(found):
    return [jump.detector for jump in found]


@pytest.mark.parametrize(
    ("previous", "close", "rounding", "beyond"),
    [
        (1_000, 1_300, 0, False),
        (1_000, 1_301, 0, True),
        (1_000, 1_302, 1, False),
        (1_000, 1_303, 1, True),
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


def test_a_jump_names_both_bars_its_place_and_its_factors(found):
    (jump,) = found(10_000, 13_000, 2_600, 2_600)
    assert (jump.detector, jump.session, jump.close) == ("limit", FIRST + timedelta(2), 2_600.0)
    assert (jump.previous_session, jump.previous_close, jump.position) == (FIRST + timedelta(1), 13_000.0, 2)
    # high 2,601 over 1.3, low 2,599 over 0.7, each over the close before
    assert jump.factor == ("0.153905", "0.285604")


def test_the_first_bar_of_a_name_is_never_suspected(frame, rules, spec):
    bars = frame(("900010", "2026-11-18", 10, 100), ("900020", "2026-11-18", 90_000, 100))
    limits = spec("spec/13_quality_limits.yaml")
    assert jumps(usable(ordered(bars)), bounds(limits, "XKRX", rules, ())) == []
    assert jumps(usable(ordered(bars.clear())), bounds(limits, "XKRX", rules, ())) == []


def test_the_limit_of_the_bar_s_own_date_counts(found):
    assert kinds(found(1_000, 1_200, 1_200, first=date(2015, 6, 11))) == ["limit"]
    assert found(1_000, 1_200, 1_200, first=date(2015, 6, 14)) == []
    # Older than any table of limits: judged by ratio instead, and nothing raises.
    assert kinds(found(1_000, 1_200, 500, first=date(1990, 1, 1))) == ["large_move"]
    assert kinds(found(1_000, 1_000, 500, first=date(1990, 1, 1))) == ["ratio"]


def test_halts_right_before_a_jump_are_counted(frame, rules, spec):
    limits = spec("spec/13_quality_limits.yaml")
    bars = frame(
        *(("900010", f"2026-11-{day:02}", 1_000 if day < 6 else 200, 0 if 2 < day < 6 else 5) for day in range(2, 8))
    )
    flat = bars.with_columns(open="close", high="close", low="close")
    (jump,) = jumps(usable(ordered(flat)), bounds(limits, "XKRX", rules, ()))
    assert jump.halted == 3
    (jump,) = jumps(usable(ordered(bars)), bounds(limits, "XKRX", rules, ()))
    assert jump.halted == 0


def test_what_the_exchange_allows_is_shown_with_its_reason(found):
    closes = (1_000, 300, 90, 88)
    assert [jump.allowed for jump in found(*closes)] == [None, None]
    allowed = found(*closes, exceptions=[exception("liquidation", until="2026-11-03")])
    assert [(jump.detector, jump.allowed) for jump in allowed] == [("limit", "liquidation"), ("limit", None)]
    assert [jump.allowed for jump in found(*closes, exceptions=[exception("relisting", ticker="900020")])] == [
        None,
        None,
    ]


def test_a_leveraged_fund_may_move_twice_as_far(found):
    fund = [exception("leveraged", "leveraged_etf")]
    assert kinds(found(1_000, 1_550, 1_550)) == ["limit"]
    assert found(1_000, 1_550, 1_550, exceptions=fund) == []
    assert kinds(found(1_000, 1_650, 1_650, exceptions=fund)) == ["limit"]


@pytest.mark.parametrize("market", ["XNYS", "XSHG"])
@pytest.mark.parametrize(
    ("closes", "kind"),
    [
        ((100, 50), "ratio"),
        ((100, 54), "ratio"),
        ((700, 101), "ratio"),
        ((10, 51), "ratio"),
        ((100, 55), "large_move"),
        ((100, 145), "large_move"),
        ((100, 42), "large_move"),
        ((100, 56), None),
        ((100, 144), None),
    ],
)
def test_without_a_limit_the_ratio_of_a_split_is_suspected(found, market, closes, kind):
    assert kinds(found(*closes, closes[1], market=market)) == ([kind] if kind else [])


def test_the_nearest_split_is_named():
    parts, tolerance = [2, 3, 4, 5, 7], Fraction("0.08")
    named = [split_of(Fraction(ratio), parts, tolerance) for ratio in ("0.5", "0.143", "5.1", "0.42", "1")]
    assert named == ["1/2", "1/7", "5", None, None]


def test_a_jump_that_is_gone_again_is_a_spike_and_its_way_back_a_part_of_it(found):
    (spike,) = found(100, 100, 300, 104, 104, market="XNYS")
    assert (spike.detector, spike.close, spike.until) == ("spike", 300.0, FIRST + timedelta(3))
    assert kinds(found(100, 300, 300, 300, 101, market="XNYS")) == ["spike"]
    # One bar later it is a split and its reverse: nobody can tell.
    assert kinds(found(100, 300, 300, 300, 300, 101, market="XNYS")) == ["ratio", "ratio"]
    assert kinds(found(1_000, 1_400, 1_000)) == ["spike"]
    assert kinds(found(100, 300, 100, 50, 50, market="XNYS")) == ["spike", "ratio"]


def test_prices_in_cents_are_a_change_of_the_unit(found):
    edges = found(1.5, 150, 152, 1.52, market="XNYS")
    assert [(jump.detector, jump.position) for jump in edges] == [("scale", 1), ("scale", 3)]
    assert kinds(found(50_000, 500, 505)) == ["scale"]
    assert kinds(found(100, 5, 5, market="XNYS")) == ["ratio"]


def test_ordinary_days_are_left_alone(found):
    assert found(1_000, 1_300, 910, 1_183, 829) == []
    assert found(100, 140, 80, 110, 70, market="XNYS") == []


def test_exactly_the_known_actions_of_78_real_names(shared, kosdaq, rules, spec):
    path = shared / "data/corporate_actions/corporate_actions.json"
    events = json.loads(path.read_text(encoding="utf-8"))["events"]
    known = {(one["symbol"], one["date"], one["prev_close"], one["close"]) for one in events}
    halted = {one["symbol"]: one["halt_zero_volume_bars_before"] for one in events}
    limits = spec("spec/13_quality_limits.yaml")
    rows = jumps(usable(ordered(kosdaq)), bounds(limits, "XKRX", rules, ()))
    assert {(r.ticker, r.session.isoformat(), r.previous_close, r.close) for r in rows} == known
    assert {r.ticker: r.halted for r in rows} == halted
    assert all(
        Fraction(low) <= 1 / Fraction(split) <= Fraction(high)
        for (low, high), split in zip([r.factor for r in rows], (5, 4, 3, 3), strict=True)
    )
