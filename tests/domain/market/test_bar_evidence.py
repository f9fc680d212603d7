"""What is shown of a name's last bar, and of names whose bars come from several sources."""

from datetime import datetime

import polars as pl
import pytest

from quantassay.domain.market import bar_evidence, evaluation
from quantassay.domain.market.sessions import instant

AT = instant("2026-11-18T15:45:00+09:00")
TAKEN = "2026-11-18T10:13:00+09:00"


@pytest.fixture
def shown(frame, xkrx, spec):
    def look(*bars, at=AT):
        rule = evaluation.rule(spec("spec/12_evaluation_bar.yaml"))
        return bar_evidence.of_last_bars(frame(*(("900010", *bar) for bar in bars)), xkrx, at, rule)["900010"]

    return look


def test_a_bar_taken_in_mid_session_is_shown_with_both_times_and_volumes(shown):
    before = [(f"2026-11-{day}", 100, 1_000 + day) for day in (10, 11, 12, 13, 16, 17)]
    assert shown(*before, ("2026-11-18", 100, 90, TAKEN)) == {
        "session": "2026-11-18",
        "state": "taken_early",
        "taken_at": "2026-11-18T01:13:00+00:00",
        "over_at": "2026-11-18T15:40:00+09:00",
        "volume": 90,
        # of 11 to 17 November: the sixth bar before is too old
        "volume_mean": "1013.800000",
        "volume_bars": 5,
    }


@pytest.mark.parametrize(
    ("day", "state", "over_at"),
    [
        ("2026-11-18", "complete", "2026-11-18T15:40:00+09:00"),
        ("2026-11-15", "no_session", None),
        ("2026-11-20", "future", None),
        ("2099-01-02", "future", None),
        ("1998-12-28", "complete", None),
        # The exam day's own close, and the grace on top of it.
        ("2025-11-13", "complete", "2025-11-13T16:40:00+09:00"),
    ],
)
def test_hours_are_those_of_the_bar_s_own_session(shown, day, state, over_at):
    told = shown((day, 100, 5))
    assert (told["state"], told["over_at"], told["volume_mean"], told["volume_bars"]) == (state, over_at, None, 0)


def test_during_the_session_its_end_is_still_to_come(shown):
    told = shown(("2026-11-18", 100, 5), at=datetime.fromisoformat(TAKEN))
    assert (told["state"], told["over_at"]) == ("session_open", "2026-11-18T15:40:00+09:00")


def test_sources_are_told_only_where_they_mix(frame):
    bars = frame(*(("900010", f"2026-11-{day}", 100, 5) for day in (12, 13, 16)), ("900020", "2026-11-16", 100, 5))
    assert bar_evidence.mixed_sources(bars) == {}
    pages = pl.when(pl.col("session").dt.day() == 16).then(pl.lit("pykrx/one")).otherwise(pl.lit("pykrx/two"))
    assert bar_evidence.mixed_sources(bars.with_columns(source=pages)) == {}
    mixed = bars.with_columns(source=pl.when(pl.col("session").dt.day() == 16).then(pages).otherwise("source"))
    assert bar_evidence.mixed_sources(mixed) == {
        "900010": [
            {"source": "900010.csv", "bars": 2, "first": "2026-11-12", "last": "2026-11-13"},
            {"source": "pykrx", "bars": 1, "first": "2026-11-16", "last": "2026-11-16"},
        ]
    }
