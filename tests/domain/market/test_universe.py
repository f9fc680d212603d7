"""The universe: floors included, the order kept, the largest turnover first."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import yaml

from quantassay.domain.market.universe import Floors, Listed, NoFloor, by_turnover, floors, from_import, select

FLOORS = Floors(close=1_000, turnover=1_000_000, limit=2)


def listed(ticker, close=1_000, turnover=1_000_000):
    return Listed(ticker, ticker.lower(), close, turnover)


def test_floors_are_included_and_the_order_is_kept():
    chosen = select([listed("C"), listed("A", close=999), listed("B"), listed("D", turnover=999_999)], FLOORS)
    assert [one.ticker for one in chosen.taken] == ["C", "B"]
    assert (chosen.considered, chosen.below_floors, chosen.beyond_limit) == (4, 2, 0)


def test_the_limit_cuts_what_is_left():
    chosen = select([listed(ticker) for ticker in "DCBA"], FLOORS)
    assert [one.ticker for one in chosen.taken] == ["D", "C"]
    assert chosen.beyond_limit == 2
    assert select([], FLOORS).taken == ()


def test_turnover_orders_names_and_the_ticker_breaks_ties():
    rows = [
        ("900010", 1000.0, 50),
        ("900020", 2000.0, 25),
        ("900030", 1000.0, 51),
        ("900040", -1.0, 10**6),
        ("900050", float("nan"), 10**6),
        ("900060", 1000.0, None),
    ]
    schema = {"ticker": pl.String, "close": pl.Float64, "volume": pl.Int64}
    bars = pl.DataFrame(rows, schema, orient="row").with_columns(session=pl.lit(date(2026, 11, 18)))
    assert by_turnover(bars, {"900030": "Cedar"}) == [
        Listed("900030", "Cedar", 1000, 51_000),
        Listed("900010", "900010", 1000, 50_000),
        Listed("900020", "900020", 2000, 50_000),
    ]


def test_an_import_keeps_its_own_order():
    rows = [{"ticker": "9000B0", "name": "Birch", "close": 10, "volume": 3, "turnover": 31, "row": 2}]
    assert from_import(rows) == [Listed("9000B0", "Birch", 10, 31)]


def test_turnover_of_decimal_closes_is_exact():
    rows = [("AAPL", 0.1, 3), ("BRK.B", 0.3, 1), ("QQQ", 258.1, 7)]
    schema = {"ticker": pl.String, "close": pl.Float64, "volume": pl.Int64}
    # In floating point 0.1 * 3 is more than 0.3, and AAPL would stand before BRK.B for the wrong reason.
    assert by_turnover(pl.DataFrame(rows, schema, orient="row"), {}) == [
        Listed("QQQ", "QQQ", Decimal("258.1"), Decimal("1806.7")),
        Listed("AAPL", "AAPL", Decimal("0.1"), Decimal("0.3")),
        Listed("BRK.B", "BRK.B", Decimal("0.3"), Decimal("0.3")),
    ]


def test_each_currency_has_its_own_floors():
    rules = yaml.safe_load((Path(__file__).parents[3] / "spec/14_universe_rules.yaml").read_text(encoding="utf-8"))
    assert floors(rules, "KRW").close == 1_000
    assert floors(rules, "USD") == Floors(Decimal(5), Decimal(5_000_000), rules["limit"])
    with pytest.raises(NoFloor, match="no floors in EUR; it has CNY, KRW, USD"):
        floors(rules, "EUR")
