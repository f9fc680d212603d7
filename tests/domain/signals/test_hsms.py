"""The HSMS rules: exact on their edges, blind to later bars and other names, silent where something is unknown."""

import json
from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantassay.domain.signals import hsms as rules
from quantassay.feeds.csv_bars import read_bars
from quantassay.feeds.markets import market_of
from quantassay.feeds.raw_files import list_source, read_files

SPEC = {
    "strategy": "hsms2",
    "average_window": 3,
    "sell_band": "0.99",
    "momentum_window": 2,
    "volume_window": 3,
    "volume_multiple": "1.1",
    "foreign_window": 2,
    "foreign_level": 0,
}
SMALL = rules.parameters(SPEC)
PUBLISHED = rules.Hsms(20, Fraction("0.99"), 5, 20, Fraction("1.1"), 5, 0)
SCHEMA = {
    "ticker": pl.String,
    "session": pl.Date,
    "close": pl.Float64,
    "volume": pl.Int64,
    "foreign_net_buy": pl.Int64,
}


def bars(*rows, ticker="900010"):
    """Bars of (close, volume, foreign), one a day."""
    days = [date(2026, 1, 1) + timedelta(i) for i in range(len(rows))]
    return pl.DataFrame([(ticker, day, *row) for day, row in zip(days, rows, strict=True)], SCHEMA, orient="row")


def last(*rows, strategy="hsms2", parameters=SMALL):
    return rules.verdicts(bars(*rows), parameters)[strategy][-1]


UP = [(1000, 100, 5), (1000, 100, 5), (1001, 121, 5)]


def test_a_buy_needs_all_its_conditions():
    assert last(*UP) == "buy"
    assert last(*UP[:2], (1000, 121, 5)) == "none"  # neither above its mean nor rising
    assert last(*UP[:2], (1001, 100, 5)) == "none"  # not busy
    assert last(*UP[:2], (1001, 121, -5)) == "none"  # foreigners even
    assert last(*UP[:2], (1001, 121, -5), strategy="hsms1") == "buy"


def test_one_condition_is_enough_to_sell():
    flat = [(1000, 100, 5)] * 3
    assert last(*flat) == "none"
    assert last(*flat[:2], (999, 100, 5)) == "sell"  # falling
    assert last(*flat[:2], (1000, 100, -6)) == "sell"  # foreigners sold
    assert last(*flat[:2], (1000, 100, -6), strategy="hsms1") == "none"
    assert last((900, 100, 5), (1200, 100, 5), (1000, 100, 5)) == "sell"  # below the band, though rising


def test_edges_are_exact():
    # The mean of 9,900, 10,200 and 9,900 is 10,000: its band is 9,900 to the won.
    assert last((9900, 100, 5), (10200, 100, 5), (9900, 100, 5)) == "none"
    assert last((9899, 100, 5), (10200, 100, 5), (9899, 100, 5)) == "sell"
    # 110 is 1.1 times the mean of 95, 95 and 110, not above it; in floating point 1.1 * 100 is more than 110.
    quiet = [(1000, 95, 5), (1000, 95, 5), (1001, 110, 5)]
    assert last(*quiet) == "none"
    assert last(*quiet[:2], (1001, 111, 5)) == "buy"


def test_a_short_history_sells_by_momentum_and_buys_nothing():
    told = rules.verdicts(bars(*[(1000 - i, 100, 5) for i in range(3)]), PUBLISHED)
    assert told["hsms1"].to_list() == ["no_data"] * 3
    told = rules.verdicts(bars(*[(1000 - i, 100, 5) for i in range(6)]), PUBLISHED)
    assert told["hsms1"].to_list() == ["no_data"] * 5 + ["sell"]
    told = rules.verdicts(bars(*[(1000 + i, 100 + i, 5) for i in range(19)]), PUBLISHED)
    assert set(told["hsms2"]) == {"no_data"}


def test_unknown_foreign_buying_decides_nothing():
    unknown = [(close, volume, None) for close, volume, _ in UP]
    assert last(*unknown) == "no_data"
    assert last(*unknown, strategy="hsms1") == "buy"
    assert last(*unknown[:2], (999, 100, None)) == "sell"  # falling, whatever the foreigners did


@pytest.mark.parametrize("price", [float("nan"), float("inf"), None, 1000.5])
def test_a_price_that_is_no_whole_number_is_unknown(price):
    assert last(*UP[:2], (price, 121, 5)) == "no_data"
    # It stays in the windows of the bars behind it, but not longer.
    assert last((1000, 100, 5), (price, 100, 5), *UP[:2], (1001, 121, 5)) == "buy"
    assert last((1000, 100, 5), (price, 100, 5), (1000, 100, 5), (1001, 121, 5)) == "no_data"


def test_conditions_that_made_a_verdict_are_named():
    def because(*rows):
        told = rules.figures(bars(*rows), SMALL).with_columns(rules.verdict("hsms2", SMALL))
        return told.select(rules.because("hsms2", SMALL)).to_series().to_list()[-1]

    assert because(*UP) == ["above_average", "rising", "busy", "foreign_buying"]
    assert because(*UP[:2], (980, 100, -9)) == ["below_band", "falling", "foreign_selling"]
    assert because(*UP[:2], (999, 100, 5)) == ["falling"]
    assert because(*UP[:2], (1000, 100, 5)) == []
    assert because((1000, 100, None), *UP[1:]) == ["above_average", "rising", "busy", "foreign_buying"]


def test_names_do_not_mix():
    one, other = bars(*UP), bars(*UP, ticker="900020")
    both = rules.verdicts(pl.concat([one, other]), SMALL)
    assert both["hsms2"].to_list() == ["no_data", "no_data", "buy"] * 2


row = st.tuples(
    st.integers(1, 40).map(lambda step: float(step * 50)) | st.just(None),
    st.integers(0, 30),
    st.integers(-5, 5) | st.just(None),
)


@given(st.lists(row, min_size=1, max_size=12))
def test_a_verdict_knows_no_later_bar_and_follows_the_definition(rows):
    told = rules.verdicts(bars(*rows), SMALL)
    for count in range(1, len(rows) + 1):
        for strategy in rules.STRATEGIES:
            assert told[strategy][count - 1] == last(*rows[:count], strategy=strategy)
            assert told[strategy][count - 1] == defined(rows[:count], strategy)


def defined(rows, strategy):
    """The definition, told on the last bar with three-valued conditions spelled out."""
    closes, volumes, foreign = zip(*rows, strict=True)

    def mean(values, size):
        part = values[-size:]
        return Fraction(int(sum(part)), size) if len(part) == size and None not in part else None

    def asked(question, *values):
        return None if None in values else question(*values)

    close, average, usual = closes[-1], mean(closes, 3), mean(volumes, 3)
    earlier = closes[-3] if len(closes) >= 3 else None
    net = mean(foreign, 2)
    buys = [
        asked(lambda a, b: a > b, close, average),
        asked(lambda a, b: a > b, close, earlier),
        asked(lambda a, b: a > Fraction(11, 10) * b, volumes[-1], usual),
    ]
    sells = [
        asked(lambda a, b: a < Fraction(99, 100) * b, close, average),
        asked(lambda a, b: a < b, close, earlier),
    ]
    if strategy == "hsms2":
        buys.append(asked(lambda a: a > 0, net))
        sells.append(asked(lambda a: a < 0, net))
    if True in sells:
        return "sell"
    if None in sells:
        return "no_data"
    if False in buys:
        return "none"
    return "no_data" if None in buys else "buy"


@pytest.fixture(scope="module")
def real(shared):
    paths, _ = list_source(shared / "data/kosdaq_daily")
    return read_bars(read_files(paths), market_of("XKRX")).frame


@pytest.fixture(scope="module")
def published(shared):
    return json.loads((shared / "oracles/hsms_signals.json").read_text(encoding="utf-8"))["symbols"]


@pytest.mark.parametrize("strategy", rules.STRATEGIES)
def test_signal_dates_are_those_of_the_published_program_on_every_name(strategy, real, published):
    told = rules.verdicts(real, PUBLISHED).with_columns(pl.col("session").dt.to_string("iso"))
    dated = {
        key: frame["session"].to_list() for key, frame in told.partition_by("ticker", strategy, as_dict=True).items()
    }
    sides = ("buy", "sell")
    found = {ticker: {side: dated.get((ticker, side), []) for side in sides} for ticker in published}
    assert found == {ticker: {side: row[strategy][side] for side in sides} for ticker, row in published.items()}


def test_figures_are_those_of_the_published_program_on_every_name(real, published):
    last_bars = rules.figures(real, PUBLISHED).group_by("ticker", maintain_order=True).last()
    found = {row["ticker"]: row for row in last_bars.to_dicts()}
    for ticker, row in published.items():
        expected, own = row["hsms2"]["last"], found[ticker]
        assert [own[name] for name in ("close", "volume", "momentum", "foreign_sum")] == [
            expected[name] for name in ("close", "volume", "momentum", "foreign_sum")
        ]
        for total, mean in (("close_sum", "ma"), ("volume_sum", "vol_avg")):
            assert (None if own[total] is None else own[total] / 20) == (
                None if expected[mean] is None else pytest.approx(expected[mean], rel=1e-12)
            )
