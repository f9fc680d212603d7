"""Which bar decides, under each policy."""

from collections import Counter
from datetime import date, datetime, timedelta
from fractions import Fraction

import polars as pl
import pytest

from quantassay.domain.market import evaluation
from quantassay.domain.market.evaluation import Rule, Thin

THIN = Thin(5, 1_000, Fraction(1, 5))
SESSION, PREDECESSOR, LAST_BAR = (
    Rule(policy, timedelta(minutes=10), THIN) for policy in ("session", "predecessor", "last_bar")
)
BEFORE_CLOSE, IN_GRACE, AFTER = "2026-11-18T10:13:00", "2026-11-18T15:39:59", "2026-11-18T15:40:00"


def seoul(text):
    return datetime.fromisoformat(f"{text}+09:00")


def decided(bars, cal, at, rule=SESSION):
    """{ticker: (deciding day of the month or None, bars, dropped, reason)}."""
    rows = evaluation.evaluate(bars, cal, seoul(at), rule).iter_rows(named=True)
    return {
        row["ticker"]: (row["session"] and row["session"].day, row["bars"], row["dropped"], row["reason"])
        for row in rows
    }


@pytest.mark.parametrize(
    ("at", "row"),
    [
        (BEFORE_CLOSE, (17, 1, 1, "session_open")),
        (IN_GRACE, (17, 1, 1, "session_open")),
        (AFTER, (18, 2, 0, "complete")),
        ("2026-11-18T08:00:00", (17, 1, 1, "session_open")),
        ("2026-11-19T00:00:00", (18, 2, 0, "complete")),
    ],
)
def test_the_session_decides_whatever_the_volume(frame, xkrx, at, row):
    bars = frame(("900010", "2026-11-17", 100, 9_000), ("900010", "2026-11-18", 101, 90_000))
    assert decided(bars, xkrx, at) == {"900010": row}


def test_on_an_exam_day_the_late_close_counts(frame, xkrx):
    bars = frame(("900010", "2026-11-18", 100, 9_000), ("900010", "2026-11-19", 101, 9_000))
    assert decided(bars, xkrx, "2026-11-19T15:45:00") == {"900010": (18, 1, 1, "session_open")}
    assert decided(bars, xkrx, "2026-11-19T16:40:00") == {"900010": (19, 2, 0, "complete")}


def test_a_bar_taken_during_its_session_stays_unfinished_for_ever(frame, xkrx):
    early, late = "2026-11-18T10:13:00+09:00", "2026-11-18T15:40:00+09:00"
    bars = frame(
        ("900010", "2026-11-17", 100, 9_000),
        ("900010", "2026-11-18", 101, 9_000, early),
        ("900020", "2026-11-17", 100, 9_000),
        ("900020", "2026-11-18", 101, 9_000, late),
    )
    expected = {"900010": (17, 1, 1, "taken_early"), "900020": (18, 2, 0, "complete")}
    assert decided(bars, xkrx, AFTER) == expected
    assert decided(bars, xkrx, "2026-11-23T12:00:00") == expected


def test_an_unfinished_bar_inside_the_history_is_counted(frame, xkrx):
    bars = frame(
        ("900010", "2026-11-16", 100, 9_000, "2026-11-16T10:13:00+09:00"),
        ("900010", "2026-11-17", 101, 9_000),
        ("900010", "2026-11-18", 101, 9_000),
    )
    rows = evaluation.evaluate(bars, xkrx, seoul(AFTER), SESSION)
    assert rows["unfinished"].to_list() == [1]


def test_bars_from_nowhere_never_decide(frame, xkrx):
    bars = frame(
        ("900010", "2026-11-13", 100, 9_000),
        ("900010", "2026-11-15", 101, 9_000),
        ("900020", "2026-11-13", 100, 9_000),
        ("900020", "2026-11-20", 101, 9_000),
        ("900030", "2026-12-25", 101, 9_000),
    )
    assert decided(bars, xkrx, AFTER) == {
        "900010": (13, 1, 1, "no_session"),
        "900020": (13, 1, 1, "future"),
        "900030": (None, 0, 1, "future"),
    }


def test_bars_older_than_the_calendar_are_complete(frame, xkrx):
    assert decided(frame(("900010", "1998-12-26", 100, 9_000)), xkrx, AFTER) == {"900010": (26, 1, 0, "complete")}


@pytest.mark.parametrize("rule", [SESSION, PREDECESSOR, LAST_BAR])
def test_no_bars_give_no_rows(frame, xkrx, rule):
    assert decided(frame(), xkrx, AFTER, rule) == {}


@pytest.mark.parametrize(
    ("volumes", "thin"),
    [
        ([10_000] * 5 + [1_999], True),
        ([10_000] * 5 + [2_000], False),
        ([1_000] * 5 + [0], False),
        ([1_001, 1_001, 1], True),
        ([5_000], False),
        ([90_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1], False),
    ],
)
def test_thin_volume_is_exact_and_only_a_warning(frame, xkrx, volumes, thin):
    days = xkrx.sessions[-300:][: len(volumes)]
    bars = frame(*(("900010", day.isoformat(), 100, volume) for day, volume in zip(days, volumes, strict=True)))
    row = evaluation.evaluate(bars, xkrx, seoul("2027-11-30T10:00:00"), SESSION).row(0, named=True)
    assert (row["thin"], row["dropped"]) == (thin, 0)


def test_a_thin_bar_after_the_close_still_decides(frame, xkrx):
    bars = frame(("900010", "2026-11-17", 100, 9_000), ("900010", "2026-11-18", 101, 10))
    assert decided(bars, xkrx, AFTER) == {"900010": (18, 2, 0, "complete")}


def test_the_policies_for_comparison(frame, xkrx):
    bars = frame(
        ("900010", "2026-11-17", 100, 9_000),
        ("900010", "2026-11-18", 101, 10),
        ("900020", "2026-11-17", 100, 9_000),
        ("900020", "2026-11-18", 101, 9_000),
    )
    assert decided(bars, xkrx, BEFORE_CLOSE, PREDECESSOR) == {
        "900010": (17, 1, 1, "thin_intraday"),
        "900020": (18, 2, 0, "last_bar"),
    }
    assert set(decided(bars, xkrx, BEFORE_CLOSE, LAST_BAR).values()) == {(18, 2, 0, "last_bar")}


def test_the_rule_is_read_from_its_spec(spec):
    rule = evaluation.rule(spec("spec/12_evaluation_bar.yaml"))
    assert (rule.policy, rule.grace, rule.thin) == ("session", timedelta(minutes=10), THIN)


@pytest.mark.parametrize(
    ("rule", "at", "counts"),
    [
        (SESSION, "10:13", {(date(2025, 12, 16), 1): 49, (None, 1): 1}),
        (SESSION, "15:40", {(date(2025, 12, 17), 0): 50}),
        (PREDECESSOR, "10:13", {(date(2025, 12, 17), 0): 35, (date(2025, 12, 16), 1): 15}),
        (PREDECESSOR, "15:40", {(date(2025, 12, 17), 0): 50}),
        (LAST_BAR, "10:13", {(date(2025, 12, 17), 0): 50}),
    ],
)
def test_fifty_real_partial_bars(kosdaq, xkrx, rule, at, counts):
    ends = kosdaq.group_by("ticker").agg(last=pl.col("session").max())
    partial = ends.filter(pl.col("last") == date(2025, 12, 17)).select("ticker")
    bars = kosdaq.join(partial, on="ticker", how="semi", maintain_order="left")
    rows = evaluation.evaluate(bars, xkrx, seoul(f"2025-12-17T{at}:00"), rule)
    assert Counter(rows.select("session", "dropped").iter_rows()) == counts
