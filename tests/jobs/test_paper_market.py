"""The market that paper trades on: the desk's own bars, then quotes of the session, and nothing that is not known."""

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
import yaml

from quantassay.domain.trading.paper_fills import Opening
from quantassay.jobs import imported_quotes
from quantassay.jobs.paper_market import NoPaperMarket, NotWholeWon, PaperMarket
from quantassay.store import bars

SPEC = Path(__file__).parents[2] / "spec"
SPECS = {
    "costs": "18_costs",
    "price_rules": "19_price_rules",
    "quality_limits": "13_quality_limits",
    "brokers": "28_brokers",
    "sample_market": "40_sample_market",
}
SESSIONS = ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20", "2026-11-23"]
CALENDAR = {
    "zone": "Asia/Seoul",
    "first": SESSIONS[0],
    "last": "2026-11-25",
    "sessions": SESSIONS,
    "regular_hours": [{"from": SESSIONS[0], "open": "09:00", "close": "15:30"}],
    "special_sessions": [{"session": "2026-11-19", "open": "10:00", "close": "16:30"}],
    "disputed": [{"date": "2026-11-23"}],
    "currency": "KRW",
    "breaks": [],
    "segments": [],
}
DAY, NEXT = date(2026, 11, 18), date(2026, 11, 19)


def bar(ticker, session, *prices, volume=1_000):
    opened, high, low, close = (float(price) for price in prices)
    taken = {"foreign_net_buy": None, "taken_at": None, "source": "a.csv", "row": 2}
    day = date.fromisoformat(session)
    known = {"open": opened, "high": high, "low": low, "close": close, "volume": volume}
    return {"ticker": ticker, "session": day, **known, **taken}


ROWS = [
    bar("990010", "2026-11-17", 1000, 1020, 990, 1010),
    bar("990010", "2026-11-18", 1015, 1040, 1000, 1030),
    bar("990020", "2026-11-17", 500, 500, 500, 500),
    bar("990020", "2026-11-18", 0, 0, 0, 500, volume=0),
    bar("990030", "2026-11-17", 70.5, 71, 70, 70.5),
]


@pytest.fixture
def market(tmp_path):
    bars.replace(tmp_path, "XKRX", pl.DataFrame(ROWS, schema=bars.SCHEMA), b"{}")
    values = {name: yaml.safe_load((SPEC / f"{file}.yaml").read_text()) for name, file in SPECS.items()}
    values |= {"desk": {"market": "XKRX", "bars": "imported", "account": "auto"}, "trading_calendar": CALENDAR}
    inputs = SimpleNamespace(value=values.__getitem__, workspace=SimpleNamespace(data=tmp_path))

    def made():
        return PaperMarket(inputs, values["brokers"]["paper"])

    made.values, made.data = values, tmp_path
    return made


def quoted(market, taken_at, price="1022"):
    kept = {
        "file": "quotes.csv",
        "digest": "sha256:0",
        "market": "XKRX",
        "currency": "KRW",
        "last": taken_at,
        "quotes": [{"ticker": "990010", "price": price, "taken_at": taken_at, "source": "", "row": 2}],
    }
    imported_quotes.keep_quotes(market.data, "XKRX", kept)


def test_a_session_is_its_bar_and_stands_on_the_close_before(market):
    assert market().opening("990010", DAY) == Opening("990010", DAY, 1015, 1000, 1040, 1_000, 1010)
    assert market().base("990010", NEXT) == 1030
    assert market().base("990010", date(2026, 11, 17)) is None
    assert market().opening("990010", NEXT) is None
    assert market().opening("999999", DAY) is None


def test_a_halted_session_has_no_price_but_the_close_and_no_volume(market):
    found = market().opening("990020", DAY)
    assert (found.open, found.low, found.high, found.halted) == (500, 500, 500, True)


def test_a_price_that_is_no_whole_won_is_an_error_and_not_rounded(market):
    with pytest.raises(NotWholeWon, match=r"990030 on 2026-11-17 is 70.5"):
        market().base("990030", DAY)


@pytest.mark.parametrize(
    ("taken_at", "price"),
    [
        ("2026-11-19T10:00:00+09:00", 1022),
        ("2026-11-19T01:30:00+00:00", 1022),
        ("2026-11-19T09:59:59+09:00", None),  # before the open of that day
        ("2026-11-19T16:30:00+09:00", None),
        ("2026-11-18T10:30:00+09:00", None),
    ],
)
def test_a_quote_of_the_session_stands_for_its_open_until_its_bar_is_there(market, taken_at, price):
    quoted(market, taken_at)
    found = market().opening("990010", NEXT)
    assert (found and (found.open, found.volume)) == (price and (price, None))
    assert market().opening("990010", DAY).open == 1015


def test_hours_are_the_sessions_own_and_there_are_none_on_a_disputed_day(market):
    hours = market().hours(NEXT)
    assert (f"{hours.open:%H:%M}", f"{hours.close:%H:%M}") == ("10:00", "16:30")
    for day in (date(2026, 11, 21), date(2026, 11, 23), date(2030, 1, 2)):
        assert market().hours(day) is None
    assert market().today(datetime(2026, 11, 18, 16, tzinfo=UTC)) == NEXT


def test_a_trade_is_settled_after_so_many_sessions(market):
    settled = [market().is_settled(date(2026, 11, 17), date(2026, 11, day)) for day in (17, 18, 19, 20)]
    assert settled == [False, False, True, True]


def test_the_terms_are_those_of_the_specs(market):
    terms = market().terms(DAY)
    assert (terms.kind, terms.costs.sell_tax_bps, terms.largest_volume_share) == ("kosdaq", "20", Fraction(1, 20))
    assert market().name("990010") == "990010"


def test_a_market_without_price_rules_cannot_be_traded_on_paper(market):
    market.values["quality_limits"] = {"price_kind": {}}
    with pytest.raises(NoPaperMarket, match="XKRX"):
        market()
