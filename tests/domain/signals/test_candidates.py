"""What a candidate is worth: each figure on its edge, exact sums, and the order."""

import math
from decimal import Decimal
from random import Random

import pytest

from quantassay.domain.signals import candidates as worth
from quantassay.domain.signals.candidates import Guard, Rank, RiskGuide

NAN = math.nan
WEIGHTS = worth.weights(
    {
        "ready": "2",
        "watch": "1",
        "pattern": {"pullback": "0.30", "breakout": "0.25", "reversal": "0.20"},
        "volume_confirmed": "0.10",
        "extended": "0.20",
    }
)


def test_the_guard_is_so_many_ranges_around_the_close():
    assert worth.guard(1000.0, 25.0, 2.0) == Guard(0.05, 950.0, 1050.0)
    assert worth.guard(0.5, 0.25, 0.5) == Guard(0.25, 0.375, 0.625)
    assert worth.guard(0.0, 25.0, 2.0) is None
    assert worth.guard(1000.0, 25.0, 0.0) is None
    assert worth.guard(1000.0, 0.0, 2.0) is None
    assert worth.guard(1000.0, NAN, 2.0) is None
    assert worth.guard(1000.0, math.inf, 2.0) is None


def test_the_stop_is_never_below_zero():
    assert worth.risk_guide(100.0, 10.0, 1.0, 2.0) == RiskGuide(90.0, 120.0)
    assert worth.risk_guide(100.0, 60.0, 2.0, 1.0) == RiskGuide(0.0, 160.0)
    assert worth.risk_guide(100.0, NAN, 1.0, 2.0) is None


def test_a_usual_day_is_the_guards_or_else_the_range():
    assert worth.volatility(Guard(0.07, 93.0, 107.0), 100.0, 3.0) == 0.07
    assert worth.volatility(None, 100.0, 3.0) == 0.03
    assert worth.volatility(None, 0.5, 0.25) == 0.5
    assert worth.volatility(None, 0.0, 3.0) is None
    assert worth.volatility(None, 100.0, NAN) is None


@pytest.mark.parametrize(
    ("reference", "expected"),
    [(0.04, "aligned"), (0.05, "aligned"), (0.0501, "tight_stop"), (None, "unknown"), (NAN, "unknown")],
)
def test_the_stop_is_aligned_up_to_its_widest(reference, expected):
    assert worth.alignment(reference, 0.05) == expected


def test_relative_strength_is_known_only_with_both_returns():
    assert worth.rs_difference(0.5, 0.25) == 0.25
    assert worth.rs_difference(0.5, None) is None
    assert worth.rs_difference(NAN, 0.25) is None
    assert worth.rs_difference(0.5, NAN) is None


@pytest.mark.parametrize(
    ("state", "difference", "aligned", "expected"),
    [
        ("READY", 0.0, "aligned", "A"),
        ("READY", -0.001, "aligned", "B"),
        ("READY", 0.1, "tight_stop", "B"),
        ("READY", -0.1, "tight_stop", "B"),
        ("READY", None, "aligned", "C"),
        ("READY", 0.1, "unknown", "C"),
        ("WATCH", 0.1, "aligned", "C"),
    ],
)
def test_quality(state, difference, aligned, expected):
    assert worth.quality(state, difference, aligned) == expected


@pytest.mark.parametrize(
    ("pattern", "state", "volume", "extended", "expected"),
    [
        ("pullback", "READY", True, False, "2.40"),
        ("pullback", "WATCH", False, False, "1.30"),
        ("breakout", "READY", True, False, "2.35"),
        ("breakout", "WATCH", True, True, "1.15"),
        ("reversal", "READY", False, False, "2.20"),
    ],
)
def test_a_score_is_the_exact_sum_of_its_parts(pattern, state, volume, extended, expected):
    parts = worth.hybrid_parts(WEIGHTS, pattern, state, volume_confirmed=volume, extended=extended)
    codes = ["state", "pattern", *["volume_confirmed"] * volume, *["extended"] * extended]
    assert [part.code for part in parts] == codes
    assert worth.score(parts) == Decimal(expected)
    assert worth.score([]) == 0


def test_the_older_program_gave_every_candidate_one_point():
    parts = worth.hybrid_parts(None, "breakout", "WATCH", volume_confirmed=True, extended=True)
    assert [(part.code, part.points) for part in parts] == [("constant", 1)]


def rank(ticker, **changes):
    base = {"score": Decimal("2.4"), "quality": "B", "rs_difference": 0.0, "turnover": 5.0, "day_change": 0.01}
    return Rank(ticker, **(base | changes))


def test_candidates_stand_by_quality_score_strength_turnover_change_and_ticker():
    listed = [
        rank("1", quality="A", score=Decimal(1), rs_difference=None),
        rank("2", score=Decimal("2.5"), rs_difference=-0.5),
        rank("3", rs_difference=0.2),
        rank("4", turnover=6.0, day_change=-0.01),
        rank("6", day_change=0.02),
        rank("5"),
        rank("7"),
        # An unknown strength stands behind a bad one; 0 would stand before it.
        rank("8", rs_difference=-0.9),
        rank("9", rs_difference=None, turnover=99.0),
        rank("A", quality="C", score=Decimal(9)),
    ]
    mixed = listed.copy()
    Random(7).shuffle(mixed)
    assert [one.ticker for one in sorted(mixed, key=worth.place)] == [one.ticker for one in listed]


def test_without_one_currency_turnover_decides_nothing():
    assert worth.place(rank("1", turnover=None, day_change=0.02)) < worth.place(rank("2", turnover=None))
    assert worth.place(rank("1", turnover=None, day_change=None))[4:6] == (0, 0)


def test_a_strategy_without_qualities_stands_by_its_scores():
    assert worth.place(rank("2", quality=None, score=Decimal(7))) < worth.place(rank("1", quality=None))
