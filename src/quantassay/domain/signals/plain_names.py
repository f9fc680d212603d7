"""What the gates of the buy rules know of each name: its bars, which series counts, what speaks against its data.

All of it is worked out bar by bar from the bars themselves and from the artifacts about them, by no code that a builder
uses; formats alone are shared.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from math import isfinite, nan
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from quantassay.domain.figures import exact, text
from quantassay.domain.signals.plain import mean

Row = Mapping[str, Any]
# Reasons that speak of bars behind the deciding one.
LATER = ("dropped", "future")
_WORD = re.compile(r"[^\W_]+(?:[.][0-9][^\W_]*)*")


class Bar(NamedTuple):
    """One bar; a price or a volume that is not known is NaN."""

    session: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    taken_at: datetime | None


@dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A name of the universe: the usable bars of the series that counts, and the close as it was traded.

    `dropped` bars after the deciding one were not complete; `ages` are those of its corporate actions.
    """

    ticker: str
    name: str
    session: str | None
    prices: str
    bars: Sequence[Bar]
    raw_close: float
    dropped: int
    doubts: Sequence[str]
    reasons: Sequence[str]
    blocked: bool
    ages: Sequence[int]

    def against(self, reach: int) -> list[str]:
        """What speaks against its data, for a rule that reads the last `reach` bars."""
        found = list(self.doubts)
        if any(0 <= age < reach - 1 for age in self.ages):
            found.append("unadjusted_action")
        has_price = isfinite(self.raw_close) and self.raw_close > 0
        if not found and (not self.bars or self.bars[-1].session != self.session or not has_price):
            found.append("no_usable_bar")
        return found


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """All names by ticker, the benchmark among them, and what holds for all: spec, signal session, currency."""

    names: Mapping[str, Name]
    listed: Row | None
    spec: Row
    session: str
    currency: str
    market: str

    def issue(self, reach: int) -> str | None:
        """Why nothing may be compared with the benchmark, None where it may."""
        if self.listed is None:
            return "missing"
        found = self.names[self.listed["ticker"]].against(reach)
        words = {"no_bar": "stale", "stale": "stale", "unadjusted_action": "unadjusted_action"}
        return words.get(found[0], "blocked") if found and found != ["no_usable_bar"] else None

    def closes(self, reach: int) -> list[Bar]:
        """The bars of the benchmark, none where it has an issue."""
        return [] if self.issue(reach) or self.listed is None else list(self.names[self.listed["ticker"]].bars)

    def benchmark(self, reach: int) -> dict[str, Any]:
        """The benchmark as the artifact shows it; `reach` is the most bars that anything reads of it."""
        policy, bars, row = self.spec["market"], self.closes(reach), self.listed
        own = self.names[row["ticker"]] if row else None
        close = next((bar.close for bar in bars if bar.session == self.session), nan)
        count = policy["bars"]
        average = mean([bar.close for bar in bars[-count:]]) if len(bars) >= count else nan
        above = close > average if isfinite(close) and isfinite(average) else None
        return {
            "ticker": row["ticker"] if row else None,
            "name": row["name"] if row else None,
            "issue": self.issue(reach),
            "session": own.session if own else None,
            "prices": own.prices if own else None,
            "close": exact(close) if isfinite(close) else None,
            "bars": count,
            "mean": text(average),
            "above": above,
            "effect": policy["unknown"] if above is None else "none" if above else policy["below"],
        }

    def held_back(self, reach: int) -> str | None:
        """Why the state of the market leaves no candidate, None where it leaves them."""
        told = self.benchmark(reach)
        if told["effect"] != "block":
            return None
        return "market_unknown" if told["above"] is None else "market_below_mean"

    def strength(self, name: Name, look_back: int, reach: int) -> tuple[float, float, float]:
        """The name's return over the look-back, the benchmark's between the same closes, and their difference."""
        if len(name.bars) <= look_back:
            return nan, nan, nan
        begin, end = name.bars[-1 - look_back], name.bars[-1]
        own = end.close / begin.close - 1.0
        theirs = {bar.session: bar.close for bar in self.closes(reach)}
        if begin.session not in theirs or self.session not in theirs:
            return own, nan, nan
        other = theirs[self.session] / theirs[begin.session] - 1.0
        return own, other, own - other


def world(
    frames: tuple[pl.DataFrame, pl.DataFrame],
    universe: Row,
    evaluation_bars: Row,
    data_quality: Row,
    calendar: Row,
    settings: tuple[Row, int],
) -> World:
    """What is known, from the raw and the adjusted bars; `settings` are the spec of the daily bars and the grace."""
    spec, grace = settings
    tickers = set(frames[0]["ticker"].unique())
    listed = next((row for row in spec["benchmarks"][calendar["market"]] if row["ticker"] in tickers), None)
    called = {row["ticker"]: row["name"] for row in universe["names"]}
    wanted = [*called, *([listed["ticker"]] if listed and listed["ticker"] not in called else [])]
    raw, adjusted = (_by_name(frame, wanted) for frame in frames)
    decided = {row["ticker"]: row for row in evaluation_bars["names"]}
    verdicts = {row["ticker"]: row for row in data_quality["names"]}
    disputed = evaluation_bars["session"] in {row["date"] for row in calendar["disputed"]}
    names = {}
    for ticker in wanted:
        row, quality = decided.get(ticker, {}), verdicts.get(ticker)
        session = row.get("session")
        traded = [bar for bar in raw.get(ticker, []) if session is not None and bar.session <= session]
        other = [bar for bar in adjusted.get(ticker, []) if session is not None and bar.session <= session]
        is_adjusted = bool(other) and _may_stand_for(traded, other, session, calendar, grace)
        actions = quality["actions"] if quality and not is_adjusted else []
        blocked = quality is None or quality["verdict"] == "blocked"
        doubts = ["no_bar"] if session is None else []
        if session is not None:
            doubts += ["stale"] * (session != evaluation_bars["session"])
            doubts += ["disputed_session"] * disputed + ["blocked"] * blocked
        names[ticker] = Name(
            ticker,
            called.get(ticker, ""),
            session,
            "adjusted" if is_adjusted else "raw",
            usable(other if is_adjusted else traded),
            traded[-1].close if traded else nan,
            row.get("dropped", 0),
            doubts,
            [reason for reason in quality["reasons"] if reason not in LATER] if quality else ["no_complete_bar"],
            blocked,
            [one["age"] for one in actions if one["allowed"] is None and one["age"] is not None],
        )
    return World(names, listed, spec, evaluation_bars["session"], calendar["currency"], calendar["market"])


def usable(bars: Iterable[Bar]) -> list[Bar]:
    """The bars with four prices above 0; a halt told by zeros repeats its close."""
    kept: list[Bar] = []
    for bar in bars:
        empty = all(not price or price != price for price in (bar.open, bar.high, bar.low))  # noqa: PLR0124 - NaN
        one = bar._replace(open=bar.close, high=bar.close, low=bar.close) if empty and bar.volume == 0 else bar
        if all(isfinite(price) and price > 0 for price in (one.open, one.high, one.low, one.close)):
            kept.append(one)
    return kept


def _by_name(frame: pl.DataFrame, wanted: Iterable[str]) -> dict[str, list[Bar]]:
    """The bars of these names, in the order of their sessions."""
    found: dict[str, list[Bar]] = {ticker: [] for ticker in wanted}
    columns = ("ticker", "session", "open", "high", "low", "close", "volume", "taken_at")
    for ticker, session, *told, taken_at in frame.filter(pl.col("ticker").is_in(list(found))).select(columns).rows():
        opened, high, low, close, volume = (nan if one is None else float(one) for one in told)
        found[ticker].append(Bar(session.isoformat(), opened, high, low, close, volume, taken_at))
    return {ticker: _once(sorted(bars, key=lambda bar: bar.session)) for ticker, bars in found.items()}


def _once(bars: Sequence[Bar]) -> list[Bar]:
    """The first bar of each session."""
    return [bar for at, bar in enumerate(bars) if not at or bar.session != bars[at - 1].session]


def _may_stand_for(traded: Sequence[Bar], other: Sequence[Bar], session: str, calendar: Row, grace: int) -> bool:
    """Whether the adjusted bars reach the deciding one, hold the same days, and were taken when these were over."""
    if not traded or other[-1].session != session:
        return False
    begin = max(traded[0].session, other[0].session)
    days = [[bar.session for bar in bars if bar.session >= begin] for bars in (traded, other)]
    early = any(bar.taken_at is not None and bar.taken_at < over(bar.session, calendar, grace) for bar in other)
    return days[0] == days[1] and not early


def over(session: str, calendar: Row, grace: int) -> datetime:
    """When a session is over, the grace in minutes after its close included; a day that is none is over at once."""
    zone = ZoneInfo(calendar["zone"])
    if session not in calendar["sessions"]:
        return datetime.min.replace(tzinfo=ZoneInfo("UTC"))
    closes = [row["close"] for row in calendar["regular_hours"] if row["from"] <= session]
    closes += [row["close"] for row in calendar["special_sessions"] if row["session"] == session]
    return datetime.fromisoformat(f"{session}T{closes[-1]}").replace(tzinfo=zone) + timedelta(minutes=grace)


def is_fund(name: str, world_: World) -> bool:
    """Whether a fund or a note is called so, by the words of the spec."""
    words, market = world_.spec["funds"], world_.market
    told = _spaced(name)
    if any(part.upper() in told.replace(" ", "  ") for part in words["parts"]):
        return True
    if any(_spaced(word) in told for word in words["words"]):
        return True
    if any(told.startswith(_spaced(brand)) for brand in words["brands"].get(market, [])):
        return True
    issued = [told.removeprefix(_spaced(one)[:-1]) for one in words["issuers"] if told.startswith(_spaced(one))]
    return any(_spaced(kind) in rest for rest in issued for kind in words["kinds"])


def _spaced(text_: str) -> str:
    """The words of a text in capitals, each between spaces."""
    return f" {' '.join(_WORD.findall(text_)).upper()} "


def written(name: Name, strategy: str, world_: World) -> dict[str, Any]:
    """What stands of every candidate, whatever its rule."""
    bar, before = name.bars[-1], name.bars[-2].close
    rate = world_.spec["fx"].get(world_.currency)
    won = Decimal(repr(name.raw_close)) * Decimal(rate["rate"]) if rate else None
    mark = "".join(letter if letter.isalnum() else "_" for letter in name.ticker.lower())
    return {
        "ticker": name.ticker,
        "name": name.name,
        "strategy": strategy,
        "chart_id": f"{strategy}_{mark}",
        "session": world_.session,
        "prices": name.prices,
        "close": exact(bar.close),
        "raw_close": exact(name.raw_close),
        "raw_close_won": None if won is None else int(won.quantize(Decimal(1), ROUND_HALF_EVEN)),
        "change": text((bar.close - before) / before),
        "high": exact(bar.high),
        "low": exact(bar.low),
        "warnings": list(name.reasons),
        "chart": [
            {"session": one.session, "close": exact(one.close), "evaluated": one.session == world_.session}
            for one in name.bars[-world_.spec["chart_sessions"] :]
        ],
    }


def missed(name: Name, strategy: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """What stands of every name of the appendix; `found` has its kind, codes, numbers and blockers."""
    return {
        "ticker": name.ticker,
        "name": name.name,
        "strategy": strategy,
        "code": found["codes"][0],
        "reasons": list(name.reasons) if name.blocked else [],
        "session": name.session,
        "prices": name.prices if name.bars else None,
        "close": exact(name.bars[-1].close) if name.bars else None,
        **found,
    }


def numbers(value: float | None, threshold: float | None) -> dict[str, str | None]:
    """The number that a test looked at and what it was compared with, counts whole and others with six places."""
    told = {"value": value, "threshold": threshold}
    return {
        name: None if one is None else str(one) if isinstance(one, int) else text(one) for name, one in told.items()
    }
