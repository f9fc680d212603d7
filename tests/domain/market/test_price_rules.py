"""Ticks and daily limits: the laws, the dated tables, and real prices."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.market import price_rules
from quantassay.domain.market.price_rules import BadPriceRules, Band, NoPrice, NoPriceRule, UnknownKind

NOW, BEFORE_2023 = date(2026, 11, 19), date(2022, 6, 1)
KINDS = st.sampled_from(["kospi", "kosdaq", "etf", "leveraged_etf"])
DAYS = st.dates(date(2010, 10, 4), date(2027, 12, 31))
PRICES = st.integers(5, 3_000_000)
FILE = "spec/19_price_rules.yaml"


@pytest.fixture(scope="module")
def rules(spec):
    return price_rules.price_rules(spec(FILE))


@given(price=PRICES, day=DAYS, kind=KINDS)
def test_rounding_lands_on_a_tick_and_stays_there(rules, price, day, kind):
    down = price_rules.round_down(rules, price, day, kind)
    up = price_rules.round_up(rules, price, day, kind)
    assert down <= price <= up
    assert price_rules.is_on_tick(rules, down, day, kind)
    assert price_rules.is_on_tick(rules, up, day, kind)
    assert price_rules.round_down(rules, down, day, kind) == down
    assert price_rules.round_up(rules, up, day, kind) == up
    assert (down == up) == price_rules.is_on_tick(rules, price, day, kind)


@given(price=PRICES, day=DAYS, kind=KINDS)
def test_no_tick_lies_between_the_two_roundings(rules, price, day, kind):
    down = price_rules.round_down(rules, price, day, kind)
    up = price_rules.round_up(rules, price, day, kind)
    assert not any(price_rules.is_on_tick(rules, p, day, kind) for p in range(down + 1, up))


@given(base=PRICES, day=DAYS, kind=KINDS)
def test_the_band_is_on_tick_and_inside_the_limit(rules, base, day, kind):
    band = price_rules.limit_band(rules, base, day, kind)
    percent = price_rules.limit_percent(rules, day, kind)
    for price in (band.lower, band.upper):
        assert price_rules.is_on_tick(rules, price, day, kind)
    assert band.upper * 100 <= base * (100 + percent)
    if price_rules.is_on_tick(rules, base, day, kind):
        assert band.lower * 100 >= base * (100 - percent)
        assert band.lower <= base <= band.upper


@pytest.mark.parametrize(
    ("price", "tick"),
    [
        *[(1, 1), (1_999, 1), (2_000, 5), (4_999, 5), (5_000, 10), (19_999, 10), (20_000, 50), (49_999, 50)],
        *[(50_000, 100), (199_999, 100), (200_000, 500), (499_999, 500), (500_000, 1_000), (2_000_000, 1_000)],
    ],
)
def test_a_band_begins_at_its_bound(rules, price, tick):
    assert price_rules.tick(rules, price, NOW, "kosdaq") == tick
    assert price_rules.tick(rules, price, NOW, "kospi") == tick


@pytest.mark.parametrize(
    ("price", "day", "kind", "tick"),
    [
        (1_000, date(2023, 1, 24), "kosdaq", 5),
        (1_000, date(2023, 1, 25), "kosdaq", 1),
        (999, BEFORE_2023, "kosdaq", 1),
        (10_000, BEFORE_2023, "kosdaq", 50),
        (600_000, BEFORE_2023, "kosdaq", 100),
        (600_000, BEFORE_2023, "kospi", 1_000),
        (100_000, BEFORE_2023, "kospi", 500),
        (1_000, date(2023, 12, 15), "etf", 5),
        (1_000, date(2023, 12, 18), "etf", 1),
        (600_000, NOW, "etf", 5),
    ],
)
def test_tables_hold_from_their_date(rules, price, day, kind, tick):
    assert price_rules.tick(rules, price, day, kind) == tick


@pytest.mark.parametrize(
    ("base", "lower", "upper"),
    [(10_000, 7_000, 13_000), (5_290, 3_710, 6_870), (5_050, 3_540, 6_560), (22_350, 15_650, 29_050), (3, 3, 3)],
)
def test_the_width_is_cut_to_the_base_price_s_tick_first(rules, base, lower, upper):
    # Rounding 70 % of 5,290 up to its tick of 5 would give 3,705, where the exchange stops at 3,710.
    assert price_rules.limit_band(rules, base, NOW, "kosdaq") == Band(lower, upper)


@pytest.mark.parametrize(
    ("day", "kind", "percent"),
    [
        (date(2015, 6, 12), "kosdaq", 15),
        (date(2015, 6, 15), "kosdaq", 30),
        (date(2004, 6, 1), "kosdaq", 12),
        (NOW, "leveraged_etf", 60),
    ],
)
def test_the_limit_of_a_date(rules, day, kind, percent):
    assert price_rules.limit_percent(rules, day, kind) == percent


def test_what_has_no_rule_is_an_error(rules):
    with pytest.raises(UnknownKind, match="knows no kind 'elw'; it knows etf, kosdaq, kospi, leveraged_etf"):
        price_rules.tick(rules, 1_000, NOW, "elw")
    with pytest.raises(NoPriceRule, match="kosdaq from 2010-10-04 on and none for 2005-01-03"):
        price_rules.tick(rules, 1_000, date(2005, 1, 3), "kosdaq")
    with pytest.raises(NoPrice, match="0 is no price"):
        price_rules.tick(rules, 0, NOW, "kosdaq")
    with pytest.raises(NoPrice, match="3 is no price"):
        price_rules.round_down(rules, 3, BEFORE_2023, "etf")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda s: s["kinds"]["etf"].update(ticks="none"), "etf has no such table"),
        (lambda s: s["limits"]["kospi"].reverse(), "kospi has dates that do not ascend"),
        (lambda s: s["ticks"]["etf"][1]["rows"].pop(), "must end with one row"),
        (lambda s: s["ticks"]["kospi"][0]["rows"][0].update(below=6000), "has bounds that do not ascend"),
        (lambda s: s["ticks"]["kospi"][0]["rows"][0].update(below=1001), "has the bound 1001"),
    ],
)
def test_tables_that_contradict_themselves_are_refused(spec, change, says):
    broken = spec(FILE)
    change(broken)
    with pytest.raises(BadPriceRules, match=says):
        price_rules.price_rules(broken)


# Bars whose base price was changed, and one that came back from a halt far below its old price.
REBASED = {("058470", "2025-04-25"), ("347850", "2025-11-13"), ("456160", "2025-11-05"), ("476060", "2025-10-10")}
RELISTED = {("448900", "2025-04-04")}
PARTIAL = date(2025, 12, 17)


def test_real_bars_lie_on_ticks_and_inside_the_limits(rules, kosdaq):
    outside, judged = set(), 0
    for _, series in kosdaq.group_by("ticker", maintain_order=True):
        rows = series.rows(named=True)
        for before, bar in pairwise(rows):
            if bar["session"] < date(2023, 1, 25):
                continue
            judged += 1
            kind = "etf" if bar["ticker"] == "229200" else "kosdaq"
            # Trades at the middle of two quotes on the second venue may set a high, a low or the last price of a bar
            # taken during the session, but never the open or the close of a day.
            for name in ("open", "close") if bar["session"] != PARTIAL else ("open",):
                assert price_rules.is_on_tick(rules, int(bar[name]), bar["session"], kind)
            band = price_rules.limit_band(rules, int(before["close"]), bar["session"], kind)
            if not band.lower <= bar["low"] <= bar["high"] <= band.upper:
                outside.add((bar["ticker"], bar["session"].isoformat()))
    assert judged > 13_000
    assert outside == REBASED | RELISTED
