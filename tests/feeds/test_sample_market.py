"""The sample market: the same to the byte everywhere, on ticks, inside its limits, with every event promised."""

import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from quantassay.feeds.sample_market import BadSampleNames, TooFewSessions, following, simulate, universe
from quantassay.harness import schemas

SPEC_FOLDER = Path(__file__).parents[2] / "spec"
LAST = date(2026, 11, 18)


# Names that came after the first sixty: for a candidate of the hybrid on the last session.
ADDED = {"9900N1"}


def weekdays(count):
    days, day = [], LAST
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day -= timedelta(days=1)
    return days[::-1]


@pytest.fixture(scope="module")
def spec():
    return yaml.safe_load((SPEC_FOLDER / "40_sample_market.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def everything(spec):
    return simulate(spec, weekdays(520))


@pytest.fixture(scope="module")
def simulated(spec, everything):
    """The bars of the names, without those of the index fund."""
    return [bar for bar in everything if bar.ticker != spec["index_fund"]["ticker"]]


@pytest.fixture(scope="module")
def by_ticker(simulated):
    names = defaultdict(list)
    for bar in simulated:
        names[bar.ticker].append(bar)
    return names


def test_the_spec_fits_its_schema(spec):
    schema = json.loads((SPEC_FOLDER / "schemas" / "sample_market.schema.json").read_text())
    assert list(schemas.validate(schema, spec)) == []
    assert list(schemas.validate(schema, {**spec, "seed": -1})) != []


def digest(bars):
    return sha256("\n".join(",".join(map(str, bar)) for bar in bars).encode()).hexdigest()


def test_the_bars_are_the_same_everywhere(everything, simulated):
    first = [bar for bar in simulated if bar.ticker not in ADDED]
    assert digest(first) == "b1e3bc4dfd64496dc28dee2c98d312e8d85c95c83156d8832a3e4498275bd640"
    assert digest(everything) == "e7a7480e17be621b4f66ef041a150d2d179543b2cd7f1e8d949d39fabf420b66"


def test_the_index_fund_follows_the_market_and_is_no_name(spec, everything, simulated):
    ticker = spec["index_fund"]["ticker"]
    fund = [bar.close for bar in everything if bar.ticker == ticker]
    assert len(fund) == 500
    assert {bar.foreign_net_buy for bar in everything if bar.ticker == ticker} == {None}
    assert ticker not in {name["ticker"] for name in universe(spec, everything)}
    assert universe(spec, everything) == universe(spec, simulated)
    first = {name["ticker"]: name["price"] for name in spec["names"]}
    market = dict.fromkeys(weekdays(500), 0)
    for bar in simulated:
        market[bar.session] += 1000 * bar.close // first[bar.ticker]
    same_way = [a == b for a, b in zip(rises(fund), rises(market.values()), strict=True)]
    assert sum(same_way) > 400  # of 499 moves


def rises(values):
    return [later > earlier for earlier, later in pairwise(values)]


def test_another_seed_is_another_market(spec, everything):
    other = simulate({**spec, "seed": spec["seed"] + 1}, weekdays(500))
    assert [bar.close for bar in other] != [bar.close for bar in everything]


def test_only_the_number_of_sessions_counts(spec, everything):
    later = simulate(spec, [day + timedelta(days=7) for day in weekdays(500)])
    assert [bar[2:8] for bar in later] == [bar[2:8] for bar in everything]


def test_a_name_added_leaves_the_others_as_they_are(spec, simulated):
    more = {**spec, "names": [*spec["names"], {**spec["names"][0], "ticker": "99ZZZ0"}]}
    added = {"99ZZZ0", spec["index_fund"]["ticker"]}
    assert [bar for bar in simulate(more, weekdays(500)) if bar.ticker not in added] == simulated


def test_sixty_one_names_and_five_hundred_sessions(spec, by_ticker):
    days = weekdays(500)
    assert len(by_ticker) == 61
    assert any(not ticker.isdigit() for ticker in by_ticker)
    late = {event["ticker"]: event["sessions"] for event in spec["events"]["listings"]}
    assert late
    for ticker, bars in by_ticker.items():
        assert [bar.session for bar in bars] == days[-late.get(ticker, 500) :]


def tick(price):
    steps = ((2000, 1), (5000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500))
    return next((size for below, size in steps if price < below), 1000)


def test_every_price_is_on_a_tick_and_every_bar_is_sound(simulated):
    for bar in simulated:
        assert 0 < bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
        assert all(price % tick(price) == 0 for price in bar[2:6])
        assert bar.volume >= 0


def test_no_move_leaves_the_daily_limit_but_the_split(spec, by_ticker):
    beyond = [
        (ticker, bar.session)
        for ticker, bars in by_ticker.items()
        for before, bar in pairwise(bars)
        if not before.close * 70 <= bar.low * 100 <= bar.high * 100 <= before.close * 130
    ]
    assert beyond == [
        (event["ticker"], weekdays(500)[-1 - event["sessions_ago"]]) for event in spec["events"]["splits"]
    ]


def test_the_split_divides_the_price_and_multiplies_the_volume(spec, by_ticker):
    (event,) = spec["events"]["splits"]
    bars = by_ticker[event["ticker"]]
    place = len(bars) - 1 - event["sessions_ago"]
    before, after = bars[place - event["halted_sessions"] - 1], bars[place]
    assert 0.7 / event["parts"] <= after.close / before.close <= 1.3 / event["parts"]
    assert all(bar.volume == 0 for bar in bars[place - event["halted_sessions"] : place])


def test_halts_are_flat_bars_without_volume(spec, by_ticker):
    for event in spec["events"]["halts"]:
        bars = by_ticker[event["ticker"]]
        end = len(bars) - event["ended_sessions_ago"]
        for bar in bars[end - event["sessions"] : end]:
            assert (bar.open, bar.high, bar.low, bar.volume) == (bar.close, bar.close, bar.close, 0)
            assert bar.close == bars[end - event["sessions"] - 1].close
    halted = sum(bar.volume == 0 for bars in by_ticker.values() for bar in bars)
    events = spec["events"]
    expected = sum(e["sessions"] for e in events["halts"]) + sum(e["halted_sessions"] for e in events["splits"])
    assert halted == expected


def test_foreign_buying_is_known_for_the_last_month_only(spec, by_ticker):
    known = spec["foreign_known_sessions"]
    for ticker, bars in by_ticker.items():
        figures = [bar.foreign_net_buy for bar in bars]
        assert all(figure is None for figure in figures[:-known])
        if ticker != spec["events"]["partial_bar"]["ticker"]:
            assert all(figure is not None for figure in figures[-known:])


def test_one_bar_was_taken_in_mid_session(spec, by_ticker):
    partial = spec["events"]["partial_bar"]
    taken = {ticker: bars[-1].taken_at for ticker, bars in by_ticker.items() if bars[-1].volume}
    assert taken.pop(partial["ticker"]) == datetime(2026, 11, 18, 1, 13, tzinfo=UTC)
    assert set(taken.values()) == {datetime(2026, 11, 18, 6, 42, tzinfo=UTC)}
    bars = by_ticker[partial["ticker"]]
    assert bars[-1].foreign_net_buy is None
    assert bars[-1].volume * 4 < sum(bar.volume for bar in bars[-6:-1]) / 5
    assert all(bar.taken_at is None for bars in by_ticker.values() for bar in bars[:-1])


def test_some_names_are_thin(by_ticker):
    thin = [ticker for ticker, bars in by_ticker.items() if bars[-2].close * bars[-2].volume < 200_000_000]
    assert 4 <= len(thin) <= 12


def test_the_universe_lists_the_last_session_by_turnover(spec, simulated):
    names = universe(spec, simulated)
    assert len(names) == 61
    turnovers = [name["turnover"] for name in names]
    assert turnovers == sorted(turnovers, reverse=True)
    assert [name["row"] for name in names] == list(range(2, 63))
    assert all(name["name"].startswith("Sample ") for name in names)
    assert all(name["turnover"] == name["close"] * name["volume"] for name in names)


BUYS = ["990070", "990080", "9900M0", "990180", "990210", "990310", "990330", "990420", "990440", "990470"]


def hsms2(bars):
    """Buy, sell or neither by the second HSMS rule on the last of these bars."""
    closes, volumes = [bar.close for bar in bars[-20:]], [bar.volume for bar in bars[-20:]]
    momentum, foreign = closes[-1] - closes[-6], sum(bar.foreign_net_buy for bar in bars[-5:])
    if momentum < 0 or foreign < 0 or 2000 * closes[-1] < 99 * sum(closes):
        return "sell"
    above = 20 * closes[-1] > sum(closes) and 200 * volumes[-1] > 11 * sum(volumes)
    return "buy" if above and momentum > 0 and foreign > 0 else "neither"


def test_the_last_session_has_a_few_buys_and_several_sells(spec, by_ticker):
    """What the seed was chosen for; the partial bar would turn a buy into none."""
    partial = spec["events"]["partial_bar"]["ticker"]
    complete = {ticker: bars[:-1] if ticker == partial else bars for ticker, bars in by_ticker.items()}
    signals = {ticker: hsms2(bars) for ticker, bars in complete.items() if len(bars) >= 20}
    by_signal = defaultdict(list)
    for ticker, signal in signals.items():
        by_signal[signal].append(ticker)
    assert by_signal["buy"] == BUYS
    assert len(by_signal["sell"]) == 25
    assert signals[partial] == "buy"
    known = by_ticker[partial][-1]._replace(foreign_net_buy=0)
    assert hsms2([*by_ticker[partial][:-1], known]) != "buy"


def test_too_few_sessions_is_one_sentence(spec):
    with pytest.raises(TooFewSessions, match="needs 500 sessions and was given 499"):
        simulate(spec, weekdays(499))


def test_an_event_of_no_name_is_one_sentence(spec):
    events = {**spec["events"], "listings": [{"ticker": "123456", "sessions": 5}]}
    with pytest.raises(BadSampleNames, match="123456 has an event"):
        simulate({**spec, "events": events}, weekdays(500))


def test_a_name_twice_is_one_sentence(spec):
    with pytest.raises(BadSampleNames, match="stands twice"):
        simulate({**spec, "names": [*spec["names"], spec["names"][0]]}, weekdays(500))


def test_the_sample_goes_on_after_its_last_bar_and_leaves_the_bars_as_they_are(spec, everything):
    later = [LAST + timedelta(days=1), LAST + timedelta(days=2)]
    bars = following(spec, weekdays(520), later)
    last = {bar.ticker: bar for bar in everything if bar.session == LAST}
    assert [bar.session for bar in bars] == later * len(last)
    first = {bar.ticker: bar for bar in following(spec, weekdays(520), later[:1])}
    assert all(first[bar.ticker] == bar for bar in bars if bar.session == later[0])
    for ticker, bar in first.items():
        assert bar.volume > 0
        assert last[ticker].close * 7 // 10 <= bar.low <= bar.open <= bar.high <= last[ticker].close * 13 // 10


def test_the_sample_cannot_go_on_from_too_few_sessions(spec):
    with pytest.raises(TooFewSessions):
        following(spec, weekdays(20), [LAST + timedelta(days=1)])
