"""Which signals become events, what each of the others is counted as, and what an event returns."""

from datetime import date, timedelta
from fractions import Fraction

import polars as pl
import pytest

from quantassay.domain.calibration.events import REASONS, frame, market, run, tallies, tally, together
from quantassay.domain.calibration.studies import Trial
from quantassay.domain.signals.hsms import Hsms

BUSY = 1000


def weekdays(count, first=date(2026, 1, 5)):
    days, day = [], first
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(1)
    return days


DAYS = weekdays(12)


def bars_of(closes, ticker="900010", days=DAYS, **changes):
    """Bars whose open is the close less one; `changes` gives other values of a column by place."""
    rows = [
        {
            "ticker": ticker,
            "session": day,
            "open": close - 1.0,
            "close": float(close),
            "volume": BUSY,
            "foreign_net_buy": None,
        }
        for day, close in zip(days, closes, strict=False)
        if close is not None
    ]
    for column, values in changes.items():
        for place, value in values.items():
            rows[place][column] = value
    kinds = {"ticker": pl.String, "session": pl.Date, "open": pl.Float64, "close": pl.Float64}
    return pl.DataFrame(rows, schema={**kinds, "volume": pl.Int64, "foreign_net_buy": pl.Int64})


def trial(horizon=1, first=DAYS[0], last=DAYS[-1], until=DAYS[-1], verdict="buy"):
    """A buy needs a rising close and a volume above half its own: both windows are one bar."""
    rules = Hsms(2, Fraction(1, 10), 1, 1, Fraction(1, 2), 1, 0)
    return Trial(verdict, "hsms1", rules, horizon, first, last, until)


def found(bars, asked=None, days=DAYS, decided=None):
    decided = decided or dict.fromkeys(bars["ticker"].unique().to_list(), days[-1].isoformat())
    ready = market(bars, decided, [day.isoformat() for day in days])
    [(_, one)] = run(ready, [asked or trial()])
    return one, frame(ready, one)


def counts(one):
    return {reason: one.left_out[reason] for reason in REASONS if one.left_out[reason]}


# Signals to buy on the days 1, 4 and 7; every other close falls or stays.
CLOSES = [100, 110, 105, 100, 120, 110, 100, 130, 120, 110, 100, 90]


def test_an_event_is_bought_at_the_next_open_and_measured_at_the_close_a_horizon_later():
    one, events = found(bars_of(CLOSES))
    assert one.found == 3
    assert counts(one) == {}
    assert events.rows() == [
        ("900010", DAYS[1], DAYS[2], DAYS[3], 104, 100, -38462),
        ("900010", DAYS[4], DAYS[5], DAYS[6], 109, 100, -82569),
        ("900010", DAYS[7], DAYS[8], DAYS[9], 119, 110, -75630),
    ]


def test_returns_are_rounded_half_up():
    # 64 to 65 is exactly 15625 ppm; 3 to 4 is 333333.33; 1 to 3 over 128: 23437.5 up.
    for opened, closed, ppm in ((64, 65, 15625), (3, 4, 333333), (128, 131, 23438), (128, 125, -23437)):
        bars = bars_of([100, 110, 105, 100], open={2: float(opened)}, close={3: float(closed)})
        assert found(bars)[1]["return_ppm"].to_list() == [ppm]


def test_signals_outside_the_window_and_those_that_end_too_late():
    one, events = found(bars_of(CLOSES), trial(first=DAYS[2], last=DAYS[6], until=DAYS[9]))
    assert counts(one) == {"outside": 2}
    assert events["session"].to_list() == [DAYS[4]]
    one, events = found(bars_of(CLOSES), trial(until=DAYS[8]))
    assert one.found == 3
    assert counts(one) == {"late": 1}
    assert found(bars_of(CLOSES), trial(until=DAYS[9]))[1].height == 3
    # A signal after `until` is not even looked at.
    assert found(bars_of(CLOSES), trial(until=DAYS[6]))[0].found == 2


def test_an_event_beyond_the_calendar_is_late():
    assert counts(found(bars_of(CLOSES), trial(horizon=5))[0]) == {"late": 1, "overlapping": 1}


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (2, {"volume": 0}),
        (2, {"volume": None}),
        (2, {"open": None}),
        (2, {"open": float("nan")}),
        (2, {"open": float("inf")}),
        (2, {"open": 104.5}),
        (2, {"open": 0.0}),
        (2, {"open": -3.0}),
        (2, {"open": 2e9}),
        (3, {"volume": 0}),
        (3, {"close": None}),
        (3, {"close": 99.5}),
    ],
)
def test_nobody_could_trade_it(place, change):
    closes = [*CLOSES[:4], 90, 80]
    [(column, value)] = change.items()
    one, events = found(bars_of(closes, **{column: {place: value}}))
    assert counts(one) == {"unfillable": 1}
    assert events.height == 0


@pytest.mark.parametrize("gone", [2, 3])
def test_a_missing_bar_at_the_start_or_the_end_cannot_be_traded(gone):
    closes = [*CLOSES[:4], 90, 80]
    closes[gone] = None
    assert counts(found(bars_of(closes))[0]) == {"unfillable": 1}


def test_what_lies_between_start_and_end_does_not_matter():
    closes = [100, 110, 105, 100, 90, 80]
    whole = found(bars_of(closes), trial(horizon=3))[1]
    closes[3] = None
    assert found(bars_of(closes), trial(horizon=3))[1].equals(whole)


def test_a_name_is_in_one_event_at_a_time():
    closes = [100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 210]
    one, events = found(bars_of(closes), trial(horizon=2))
    # The first from day 2 to day 4; the next may start on day 5, so its signal is that of day 4.
    assert events["session"].to_list() == [DAYS[1], DAYS[4], DAYS[7]]
    assert counts(one) == {"late": 3, "overlapping": 5}
    assert one.found == 11


def test_what_could_not_be_traded_blocks_nothing():
    closes = [100, 110, 120, 130, 120, 110, 100]
    one, events = found(bars_of(closes, volume={2: 0}))
    # The signal of day 1 needs the open of day 2; without volume day 2 is no signal either.
    assert counts(one) == {"unfillable": 1}
    assert events["session"].to_list() == [DAYS[3]]


def test_names_do_not_block_each_other():
    closes = [100, 110, 120, 130, 140, 150, 160, 170, 180, 190, 200, 210]
    alone = found(bars_of(closes), trial(horizon=2))[1]
    both = pl.concat([bars_of(closes), bars_of(closes, ticker="900020")])
    one, events = found(both, trial(horizon=2))
    assert events.height == 2 * alone.height
    assert one.found == 22


def test_a_bar_that_stands_twice_makes_no_second_event():
    bars = bars_of(CLOSES)
    doubled = pl.concat([bars, bars.slice(4, 1), bars.slice(4, 1), bars.slice(2, 1)])
    one, events = found(doubled)
    assert events.equals(found(bars)[1])
    assert one.found == 5
    assert counts(one) == {"duplicates": 2}


def test_of_two_bars_of_one_session_the_order_of_rows_chooses_none():
    other = bars_of(CLOSES).slice(4, 1).with_columns(close=pl.lit(119.0))
    one = found(pl.concat([bars_of(CLOSES), other]))[1]
    assert one.equals(found(pl.concat([other, bars_of(CLOSES)]))[1])


def test_bars_after_the_deciding_one_and_names_without_one_are_not_known():
    two = pl.concat([bars_of(CLOSES), bars_of(CLOSES, ticker="900020")])
    decided = {"900010": DAYS[6].isoformat(), "900020": None}
    one, events = found(two, decided=decided)
    assert one.found == 2
    assert events["ticker"].unique().to_list() == ["900010"]


def test_a_signal_on_a_day_that_is_no_session_is_traded_on_the_next_session():
    saturday = date(2026, 1, 10)
    days = [*DAYS[:5], saturday, *DAYS[5:]]
    bars = bars_of([100, 99, 98, 97, 96, 110, 109, 108, 107], days=days)
    events = found(bars)[1]
    assert events.select("session", "entry", "exit").rows() == [(saturday, DAYS[5], DAYS[6])]


def test_signals_from_before_the_calendar_start_on_its_first_session():
    early = [DAYS[0] - timedelta(n) for n in (3, 2, 1)]
    bars = bars_of([100, 110, 105, 100, 99, 98], days=[*early, *DAYS])
    one, events = found(bars, trial(first=early[0]))
    assert events.select("session", "entry").rows() == [(early[1], DAYS[0])]
    assert counts(found(bars, trial())[0]) == {"outside": 1}
    assert one.found == 1


def test_no_bars_no_events():
    one, events = found(bars_of([]), decided={"900010": DAYS[-1].isoformat()})
    assert one.found == 0
    assert events.height == 0
    assert tallies(bars_of([]), {}, [], [trial()])[0].n == 0


def test_foreign_buying_that_is_not_known_makes_no_event():
    asked = Trial("buy", "hsms2", trial().rules, 1, DAYS[0], DAYS[-1], DAYS[-1])
    assert found(bars_of(CLOSES), asked)[0].found == 0
    known = bars_of(CLOSES, foreign_net_buy=dict.fromkeys(range(12), 5))
    assert found(known, asked)[0].found == 3
    assert found(bars_of(CLOSES, foreign_net_buy={4: 5}), asked)[0].found == 1


def test_days_are_tallied_with_all_their_events():
    both = pl.concat([bars_of(CLOSES), bars_of(CLOSES, ticker="900020")])
    ready = market(both, dict.fromkeys(("900010", "900020"), DAYS[-1].isoformat()), [d.isoformat() for d in DAYS])
    [(_, one)] = run(ready, [trial()])
    counted = tally(ready, one)
    assert counted.sizes.tolist() == [2, 2, 2]
    assert counted.sums.tolist() == [2 * ppm for ppm in (-38462, -82569, -75630)]
    assert counted.n == 6


def test_parts_of_a_market_add_up_to_the_whole():
    tickers = ["900010", "900020", "900030"]
    parts = [bars_of(CLOSES[n:], ticker=ticker) for n, ticker in enumerate(tickers)]
    asked = [trial(), trial(horizon=2), trial(verdict="sell"), trial(until=DAYS[8])]
    terms = dict.fromkeys(tickers, DAYS[-1].isoformat()), [day.isoformat() for day in DAYS], asked
    whole = tallies(pl.concat(parts), *terms)
    pieces = [together(of) for of in zip(*(tallies(part, *terms) for part in parts), strict=True)]
    for one, other in zip(whole, pieces, strict=True):
        assert (one.found, one.left_out, one.days.tolist()) == (other.found, other.left_out, other.days.tolist())
        assert (one.sums.tolist(), one.sizes.tolist()) == (other.sums.tolist(), other.sizes.tolist())
