"""A simulated market that behaves like KRX where it matters, the same to the byte on every machine.

Chance comes from SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014), seeded by
SHA-256 of the spec's seed and the ticker; all arithmetic is on integers. So neither a Python version nor a numeric
library can change a bar, and a name added to the spec leaves the others as they are.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from typing import Any, NamedTuple

from quantassay.errors import AssayError

_KST = timezone(timedelta(hours=9))
_PPM = 1_000_000
_MASK = 2**64 - 1
# Four 16-bit parts add up to nearly a normal deviate; this is their standard deviation.
_DEVIATION = 37_837
_MOST_DEVIATION = 2 * 65_535
# A name keeps its own drift for so many sessions.
_OWN_MOOD = 40


class TooFewSessions(AssayError):
    """The calendar does not reach back far enough for the simulation."""

    def __init__(self, given: int, wanted: int) -> None:
        super().__init__(
            f"the sample market needs {wanted} sessions and was given {given}; lower `sessions` in its spec"
        )


class BadSampleNames(AssayError):
    """The names of the sample market do not fit its events, or each other."""

    def __init__(self, ticker: str, why: str) -> None:
        super().__init__(f"spec/40_sample_market.yaml: {ticker} {why}; correct the ticker")


class SampleBar(NamedTuple):
    """One simulated bar: prices in whole won, volume and foreign net buying in shares (None = unknown)."""

    ticker: str
    session: date
    open: int
    high: int
    low: int
    close: int
    volume: int
    foreign_net_buy: int | None
    taken_at: datetime | None


@dataclass(slots=True)
class _Chance:
    """SplitMix64."""

    state: int

    def bits(self) -> int:
        """The next 64 bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & _MASK
        mixed = (self.state ^ (self.state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, limit: int) -> int:
        """0..limit-1."""
        return self.bits() % limit

    def swing(self, size: int) -> int:
        """Around 0 with the standard deviation `size`, at most 3.46 times it."""
        bits = self.bits()
        parts = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        return (parts - _MOST_DEVIATION) * size // _DEVIATION


@dataclass(frozen=True, slots=True)
class _Fate:
    """What happens to one name: session numbers of its halts, first session, split (session number, parts)."""

    halted: frozenset[int]
    first: int
    split: tuple[int, int] | None


def simulate(spec: Mapping[str, Any], sessions: Sequence[date]) -> list[SampleBar]:
    """The bars of the names and the index fund on the last `spec["sessions"]` of these sessions, by ticker and session.

    `spec` is the value of spec/40_sample_market.yaml. Raises TooFewSessions, BadSampleNames.
    """
    count = spec["sessions"]
    if len(sessions) < count:
        raise TooFewSessions(len(sessions), count)
    days = sorted(sessions)[-count:]
    names = sorted([*spec["names"], spec["index_fund"]], key=lambda name: name["ticker"])
    for name, following in pairwise(names):
        if name["ticker"] == following["ticker"]:
            raise BadSampleNames(name["ticker"], "stands twice among the names")
    fates = _fates(spec["events"], {name["ticker"] for name in names}, count)
    tide = _tide(spec, count)
    bars: list[SampleBar] = []
    for name in names:
        found = _name_bars(spec, name, fates[name["ticker"]], days, tide)
        # Nobody reports who buys a fund: what foreigners do with it is unknown.
        bars += (bar._replace(foreign_net_buy=None) for bar in found) if name is spec["index_fund"] else found
    return bars


def following(spec: Mapping[str, Any], sessions: Sequence[date], later: Sequence[date]) -> list[SampleBar]:
    """How the simulation goes on in these sessions after its last one, so that a plan can be tried: bars of `later`.

    `sessions` are those that `simulate` is given, and no bar of theirs is touched by it. Raises as `simulate` does.
    """
    count = spec["sessions"]
    if len(sessions) < count:
        raise TooFewSessions(len(sessions), count)
    days = [*sorted(sessions)[-count:], *sorted(later)]
    names = sorted([*spec["names"], spec["index_fund"]], key=lambda name: name["ticker"])
    fates = _fates(spec["events"], {name["ticker"] for name in names}, count)
    tide = _tide(spec, len(days))
    # Only the last bar of the sample itself is partial, and none that comes after it.
    whole = {**spec, "events": {**spec["events"], "partial_bar": {"ticker": ""}}}
    bars = (bar for name in names for bar in _name_bars(whole, name, fates[name["ticker"]], days, tide))
    wanted = set(later)
    return [bar._replace(taken_at=None) for bar in bars if bar.session in wanted]


def universe(spec: Mapping[str, Any], bars: Sequence[SampleBar]) -> list[dict[str, Any]]:
    """The names of the last session by turnover, largest first, as a universe list of shares holds them."""
    last = max(bar.session for bar in bars)
    called = {name["ticker"]: name["name"] for name in spec["names"]}
    listed = [bar for bar in bars if bar.session == last and bar.ticker in called]
    listed.sort(key=lambda bar: (-bar.close * bar.volume, bar.ticker))
    return [
        {
            "ticker": bar.ticker,
            "name": called[bar.ticker],
            "close": bar.close,
            "volume": bar.volume,
            "turnover": bar.close * bar.volume,
            "row": row,
        }
        for row, bar in enumerate(listed, start=2)
    ]


def _chance(seed: int, label: str) -> _Chance:
    return _Chance(int.from_bytes(hashlib.sha256(f"{seed}/{label}".encode()).digest()[:8], "big"))


def _fates(events: Mapping[str, Any], tickers: set[str], count: int) -> dict[str, _Fate]:
    """Session numbers count from 0; the spec counts back from the last session, which is 0 there."""
    halted: dict[str, set[int]] = {ticker: set() for ticker in tickers}
    first = dict.fromkeys(tickers, 0)
    split: dict[str, tuple[int, int]] = {}
    for event in (*events["halts"], *events["splits"], *events["listings"], events["partial_bar"]):
        if event["ticker"] not in tickers:
            raise BadSampleNames(event["ticker"], "has an event and is not among the names")
    for event in events["halts"]:
        end = count - event["ended_sessions_ago"]
        halted[event["ticker"]] |= set(range(end - event["sessions"], end))
    for event in events["splits"]:
        day = count - 1 - event["sessions_ago"]
        halted[event["ticker"]] |= set(range(day - event["halted_sessions"], day))
        split[event["ticker"]] = (day, event["parts"])
    for event in events["listings"]:
        first[event["ticker"]] = count - event["sessions"]
    return {ticker: _Fate(frozenset(halted[ticker]), first[ticker], split.get(ticker)) for ticker in tickers}


def _tide(spec: Mapping[str, Any], count: int) -> list[int]:
    """What the whole market does each session, in ppm; the last regime lasts to the end."""
    chance = _chance(spec["seed"], "market")
    regimes = [regime for regime in spec["regimes"] for _ in range(regime["sessions"])][:count]
    regimes += [spec["regimes"][-1]] * (count - len(regimes))
    return [regime["drift_ppm"] + chance.swing(regime["swing_ppm"]) for regime in regimes]


def _name_bars(
    spec: Mapping[str, Any], name: Mapping[str, Any], fate: _Fate, days: Sequence[date], tide: Sequence[int]
) -> Iterator[SampleBar]:
    """The bars of one name; each session takes the same number of draws, whatever happens in it."""
    chance = _chance(spec["seed"], name["ticker"])
    share, mood = 60 + chance.below(80), 0
    base, volume = name["price"], name["volume"]
    partial = spec["events"]["partial_bar"]
    for number, day in enumerate(days):
        if number % _OWN_MOOD == 0:
            mood = chance.swing(name["swing_ppm"] // 8)
        draws = _Draws(
            chance.swing(100),
            chance.swing(100),
            chance.swing(100),
            chance.swing(100),
            chance.below(100),
            chance.swing(100),
        )
        if number < fate.first:
            continue
        if fate.split is not None and fate.split[0] == number:
            base, volume = max(_floor(base // fate.split[1], spec["ticks"]), 1), volume * fate.split[1]
        known = number >= len(days) - spec["foreign_known_sessions"]
        if number in fate.halted:
            yield SampleBar(name["ticker"], day, base, base, base, base, 0, 0 if known else None, None)
            continue
        move = mood + tide[number] * share // 100 + draws.close * name["swing_ppm"] // 100
        opened, high, low, close = _prices(base, move, name["swing_ppm"], draws, spec)
        traded = volume * (50 + draws.volume) * (100 + 60 * abs(move) // name["swing_ppm"]) // 10_000
        foreign = traded * (4 * draws.foreign + 300 * move // name["swing_ppm"]) // 10_000
        taken_at = None
        if number == len(days) - 1:
            taken_at = _instant(day, spec["taken_at"])
            if name["ticker"] == partial["ticker"]:
                taken_at = _instant(day, partial["taken_at"])
                traded, known = traded * partial["volume_percent"] // 100, False
        yield SampleBar(name["ticker"], day, opened, high, low, close, traded, foreign if known else None, taken_at)
        base = close


def _instant(day: date, clock: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(clock), _KST).astimezone(UTC)


class _Draws(NamedTuple):
    """One session's chances, in hundredths of a standard deviation (`volume`: 0..99)."""

    close: int
    open: int
    high: int
    low: int
    volume: int
    foreign: int


def _prices(
    base: int, move_ppm: int, swing_ppm: int, draws: _Draws, spec: Mapping[str, Any]
) -> tuple[int, int, int, int]:
    """Open, high, low, close on ticks and inside the daily limit around `base`."""
    ticks = spec["ticks"]
    top = _floor(base * (100 + spec["limit_percent"]) // 100, ticks)
    bottom = _ceiling(-(-base * (100 - spec["limit_percent"]) // 100), ticks)

    def price(ppm: int) -> int:
        return min(max(_floor(base * (_PPM + ppm) // _PPM, ticks), bottom), top)

    opened = price(draws.open * swing_ppm // 400)
    close = price(move_ppm)
    upper, lower = max(opened, close), min(opened, close)
    high = upper + upper * abs(draws.high) * swing_ppm // (300 * _PPM)
    low = lower - lower * abs(draws.low) * swing_ppm // (300 * _PPM)
    return opened, min(_ceiling(high, ticks), top), max(_floor(low, ticks), bottom), close


def _tick(price: int, ticks: Sequence[Mapping[str, int]]) -> int:
    return next((step["tick"] for step in reversed(ticks) if price >= step["from"]), 1)


def _floor(price: int, ticks: Sequence[Mapping[str, int]]) -> int:
    tick = _tick(price, ticks)
    return price // tick * tick


def _ceiling(price: int, ticks: Sequence[Mapping[str, int]]) -> int:
    tick = _tick(price, ticks)
    return -(-price // tick) * tick
