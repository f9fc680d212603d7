"""The older rule for the deciding bar: each case of its document, its weak points, and its own recorded answers."""

import json
from datetime import UTC, datetime

import polars as pl
import pytest

from quantassay.domain.market import predecessor

DAYS = ["20251110", "20251111", "20251112", "20251113", "20251114", "20251117", "20251118"]
NORMAL, THIN = [10_000] * 7, [*[10_000] * 6, 1_999]


def chosen(now, volumes, *, days=DAYS, currency="KRW", provider="kis"):
    at = datetime.fromisoformat(now)
    return predecessor.choose(days, volumes, currency=currency, provider=provider, now=at)


@pytest.mark.parametrize(
    ("now", "volumes", "currency", "dropped"),
    [
        ("2025-11-18T11:00:00-05:00", NORMAL, "USD", True),
        ("2025-11-18T17:00:00-05:00", NORMAL, "USD", False),
        ("2025-11-18T08:00:00-05:00", THIN, "USD", True),
        ("2025-11-18T19:00:00-05:00", THIN, "USD", True),
        ("2025-11-18T09:30:00-05:00", NORMAL, "USD", True),
        ("2025-11-18T16:00:00-05:00", NORMAL, "USD", False),
        ("2025-11-18T10:00:00+09:00", NORMAL, "KRW", False),
        ("2025-11-18T10:00:00+09:00", THIN, "KRW", True),
        ("2025-11-18T08:59:59+09:00", THIN, "KRW", False),
        ("2025-11-18T15:29:59+09:00", THIN, "KRW", True),
        ("2025-11-18T15:30:00+09:00", THIN, "KRW", False),
        ("2025-11-19T10:00:00+09:00", THIN, "KRW", False),
        ("2025-11-17T10:00:00+09:00", THIN, "KRW", False),
    ],
)
def test_sessions_and_volume(now, volumes, currency, dropped):
    assert chosen(now, volumes, currency=currency) == (6 - dropped, dropped)


def test_a_terminal_feed_is_always_taken_as_it_is():
    assert chosen("2025-11-18T10:00:00+09:00", THIN, provider="pykrx") == (6, False)


@pytest.mark.parametrize(("days", "index"), [([], -1), (["20251118"], 0)])
def test_no_bar_and_one_bar(days, index):
    assert chosen("2025-11-18T11:00:00-05:00", [1] * len(days), days=days, currency="USD") == (index, False)


@pytest.mark.parametrize("day", ["2025-11-18", None, ""])
def test_a_date_it_cannot_read_is_not_today(day):
    assert chosen("2025-11-18T11:00:00-05:00", THIN, days=[*DAYS[:-1], day], currency="USD") == (6, False)


@pytest.mark.parametrize("day", ["20250101", "20250418", "20251127", "20260703"])
def test_american_holidays_it_knew(day):
    noon = f"{day[:4]}-{day[4:6]}-{day[6:]}T12:00:00-05:00"
    assert chosen(noon, THIN, days=[*DAYS[:-1], day], currency="USD") == (6, False)


def test_the_day_of_mourning_it_did_not_know():
    assert chosen("2025-01-09T12:00:00-05:00", NORMAL, days=[*DAYS[:-1], "20250109"], currency="USD") == (5, True)


def test_weekends_are_closed():
    assert chosen("2025-11-15T12:00:00+09:00", THIN, days=[*DAYS[:-1], "20251115"]) == (6, False)


def test_an_instant_without_a_zone_is_utc():
    naive = datetime(2025, 11, 18, 1, 0)  # noqa: DTZ001
    aware = naive.replace(tzinfo=UTC)
    answers = {predecessor.choose(DAYS, THIN, currency="KRW", provider="kis", now=now) for now in (naive, aware)}
    assert answers == {(5, True)}


@pytest.mark.parametrize(
    ("volumes", "thin"),
    [
        ([10_000] * 5 + [1_999], True),
        ([10_000] * 5 + [2_000], False),
        ([1_000] * 5 + [1], False),
        ([1_001] * 5 + [1], True),
        ([None, 10_000, None], True),
        ([500], False),
        ([90_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1], False),
    ],
)
def test_thin_is_strict_on_both_sides_and_looks_five_bars_back(volumes, thin):
    assert predecessor.is_thin(volumes) is thin


def test_every_recorded_answer(shared, kosdaq):
    cases = json.loads((shared / "oracles/eval_index.json").read_text(encoding="utf-8"))["cases"]
    assert len(cases) == 299
    for case in cases:
        bars = kosdaq.filter(pl.col("ticker") == case["symbol"], pl.col("session").dt.strftime("%Y%m%d") <= case["end"])
        meta = case["meta"]
        index, dropped = predecessor.choose(
            bars["session"].dt.strftime("%Y%m%d").to_list(),
            bars["volume"].to_list(),
            currency=meta.get("currency"),
            provider=meta.get("data_source") or meta.get("provider") or case["provider"],
            now=datetime.fromisoformat(case["now"]),
        )
        assert (index - bars.height + 1, dropped) == (case["idx_from_end"], case["dropped"]), case
