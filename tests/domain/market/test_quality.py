"""Counts of what is missing or wrong, and the verdict."""

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from quantassay.domain.market import quality
from quantassay.domain.market.bar_faults import ordered

TODAY = date(2026, 11, 18)


def counted(bars, cal, today=TODAY):
    return {row.pop("ticker"): row for row in quality.counts(ordered(bars), cal, today).to_dicts()}


def test_a_sound_name_has_nothing_against_it(frame, xkrx):
    bars = frame(*(("900010", f"2026-11-{day}", 100, 5) for day in (13, 16, 17, 18)))
    assert counted(bars, xkrx) == {
        "900010": {
            "bars": 4,
            "first": date(2026, 11, 13),
            "last": TODAY,
            "missing": 0,
            "halted": 0,
            "off_calendar": 0,
            "future": 0,
        }
    }


def test_missing_sessions_are_counted_between_first_and_last(frame, xkrx):
    bars = frame(("900010", "2026-11-12", 100, 5), ("900010", "2026-11-17", 100, 5))
    assert counted(bars, xkrx)["900010"]["missing"] == 2


def test_a_disputed_date_cannot_be_missed(frame, xkrx):
    bars = frame(("900010", "2026-11-12", 100, 5), ("900010", "2026-11-17", 100, 5))
    disputed = replace(xkrx, disputed=frozenset({date(2026, 11, 13)}))
    assert counted(bars, disputed)["900010"]["missing"] == 1


def test_bars_off_the_calendar_and_of_days_to_come(frame, xkrx):
    bars = frame(
        ("900010", "1998-12-26", 100, 5),
        ("900010", "2026-11-15", 100, 5),
        ("900010", "2026-11-20", 100, 5),
        ("900020", "2026-11-20", 100, 5),
    )
    rows = counted(bars, xkrx)
    assert (rows["900010"]["off_calendar"], rows["900010"]["future"], rows["900010"]["bars"]) == (1, 1, 2)
    assert rows["900010"]["last"] == date(2026, 11, 15)
    assert rows["900020"] == {
        "bars": 0,
        "first": None,
        "last": None,
        "missing": 0,
        "halted": 0,
        "off_calendar": 0,
        "future": 1,
    }


def halts(**prices):
    bar = {"open": 100.0, "high": 100.0, "low": 100.0, "close": 100.0, "volume": 0} | prices
    return pl.DataFrame([bar]).select(quality.is_halted().alias("halted"))["halted"].item()


def test_halts_are_flat_or_zero_and_have_no_volume():
    assert halts()
    assert halts(open=0.0, high=0.0, low=0.0)
    assert not halts(volume=1)
    assert not halts(high=101.0)
    assert not halts(open=0.0)
    nan = float("nan")
    assert not halts(open=nan, high=nan, low=nan, close=nan)
    assert not halts(open=None)


def test_a_bar_that_stands_twice_hides_no_missing_session(frame, xkrx):
    days = ("2026-11-12", "2026-11-12", "2026-11-16", "2026-11-17")
    rows = counted(frame(*(("900010", day, 100, 5) for day in days)), xkrx)
    assert (rows["900010"]["bars"], rows["900010"]["missing"]) == (4, 1)


@pytest.mark.parametrize(
    ("decided", "latest", "sessions"),
    [
        (date(2026, 11, 18), date(2026, 11, 18), 0),
        (date(2026, 11, 13), date(2026, 11, 18), 3),
        (date(2026, 11, 19), date(2026, 11, 18), 0),
        (None, date(2026, 11, 18), None),
    ],
)
def test_staleness_is_counted_in_sessions(xkrx, decided, latest, sessions):
    assert quality.stale(quality.undisputed(xkrx), decided, latest) == sessions


@pytest.mark.parametrize(
    ("reasons", "verdict"), [([], "ok"), (["thin"], "warning"), (["thin", "stale"], "blocked"), (["stale"], "blocked")]
)
def test_the_worst_reason_is_the_verdict(reasons, verdict):
    assert quality.verdict(reasons, {"thin": "warning", "stale": "blocked"}) == verdict


def test_the_import_is_summed_up():
    log = {
        "files": [
            {"file": "b.csv", "loaded": False},
            {"file": "a.csv", "loaded": True},
            {"file": "c.csv", "loaded": False},
        ],
        "issues": [
            {"file": "b.csv", "code": "negative_price"},
            {"file": "a.csv", "code": "gap"},
            {"file": "b.csv", "code": "gap"},
        ],
    }
    assert quality.import_summary(log) == {
        "loaded": 1,
        "refused": [{"file": "b.csv", "codes": ["gap", "negative_price"]}, {"file": "c.csv", "codes": []}],
        "issues": [{"code": "gap", "count": 2}, {"code": "negative_price", "count": 1}],
    }


def test_without_an_import_there_is_nothing_to_sum_up():
    assert quality.import_summary(None) == {"loaded": 0, "refused": [], "issues": []}
