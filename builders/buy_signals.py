"""Says which names the daily rules would buy, with the numbers that decided, and why each of the others is left out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import partial
from math import inf, isfinite
from typing import Any

import polars as pl

from quantassay.domain.figures import exact, text
from quantassay.domain.market.funds import fund_names, is_fund
from quantassay.domain.market.sessions import Calendar, calendar
from quantassay.domain.signals import benchmark as compared
from quantassay.domain.signals import buy_entries, buy_reasons, ema_cross, hybrid, series
from quantassay.domain.signals.daily import Daily, daily

EMA_CROSS, HYBRID = "ema_cross", "hybrid"
_BAR = ["bars:/{ticker}/{session}/close", "adjusted_bars:/{ticker}/{session}/close"]
_RULES = ["buy_ema_cross:", "buy_hybrid:", *_BAR]
ORIGINS = {
    "/session": ["evaluation_bars:/session"],
    "/benchmark/**": ["daily_bars:/benchmarks", "daily_bars:/market", "evaluation_bars:/session"],
    "/fx/**": ["daily_bars:/fx"],
    "/totals/**": ["universe:/names", "buy_ema_cross:", "buy_hybrid:", "data_quality:/names"],
    "/candidates/*/ticker": ["universe:/names/{ticker}/ticker"],
    "/candidates/*/name": ["universe:/names/{ticker}/name"],
    "/candidates/*/session": ["evaluation_bars:/names/{ticker}/session"],
    "/candidates/*/raw_close": ["bars:/{ticker}/{session}/close"],
    "/candidates/*/raw_close_won": ["bars:/{ticker}/{session}/close", "daily_bars:/fx"],
    "/candidates/*/close": _BAR,
    "/candidates/*/high": ["bars:/{ticker}/{session}/high", "adjusted_bars:/{ticker}/{session}/high"],
    "/candidates/*/low": ["bars:/{ticker}/{session}/low", "adjusted_bars:/{ticker}/{session}/low"],
    "/candidates/*/chart/*/*": ["bars:/{ticker}/{session}/close", "daily_bars:/chart_sessions"],
    "/candidates/*/relative_strength/**": [*_BAR, "daily_bars:/benchmarks"],
    "/candidates/*/**": _RULES,
    "/appendix/*/ticker": ["universe:/names/{ticker}/ticker"],
    "/appendix/*/name": ["universe:/names/{ticker}/name"],
    "/appendix/*/session": ["evaluation_bars:/names/{ticker}/session"],
    "/appendix/*/close": _BAR,
    "/appendix/*/**": _RULES,
}
_FIGURES = (
    *("ema_short", "ema_mid", "ema_long", "sma_trend", "sma_long", "rsi", "rsi_before", "atr", "gap"),
    *("swing_high", "volume_mean"),
)
# What is odd about bars behind the deciding one says nothing of it, and would not be known on its evening.
_LATER = ("dropped", "future")
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Names:
    """What is known of the names' data: the signal session, the deciding session of each, the verdict on its bars."""

    session: str
    disputed: bool
    sessions: Mapping[str, str | None]
    quality: Mapping[str, _Row]


@dataclass(frozen=True, slots=True, eq=False)
class _Prices:
    """The bars that the rules read, up to the deciding one of each name; raw closes of the deciding bars."""

    bars: pl.DataFrame
    adjusted: frozenset[str]
    raw_closes: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Market:
    """Names and prices, what they are compared with, the spec of the daily bars, and won for a unit of the currency."""

    names: _Names
    prices: _Prices
    benchmark: compared.Benchmark
    spec: Mapping[str, Any]
    won: Decimal | None

    @property
    def day(self) -> date:
        return date.fromisoformat(self.names.session)

    @property
    def effect(self) -> str:
        return compared.effect(self.spec["market"], is_above=self.benchmark.is_above(self.day))


@dataclass(frozen=True, slots=True, eq=False)
class _Strategy:
    """One rule: the bars that it reads, its outcomes that are about data, its row a name, what it makes of a row.

    `constant` is a return to compare with in the benchmark's place.
    """

    name: str
    history: int
    constant: float | None
    system: frozenset[str]
    rows: Mapping[str, _Row]
    miss: Callable[[_Row], buy_reasons.Numbers]
    reasons: Callable[[_Row], Iterator[tuple[str, buy_reasons.Numbers]]]
    entry: Callable[[_Row, float | None], buy_entries.Entry]


def build(  # noqa: PLR0913, PLR0917 - what it names is what it reads
    bars: pl.DataFrame,
    adjusted_bars: pl.DataFrame,
    universe: dict[str, Any],
    evaluation_bars: dict[str, Any],
    data_quality: dict[str, Any],
    trading_calendar: dict[str, Any],
    evaluation_bar: dict[str, Any],
    buy_ema_cross: dict[str, Any],
    buy_hybrid: dict[str, Any],
    daily_bars: dict[str, Any],
) -> dict[str, Any]:
    """Candidates of both rules, best first, and the appendix: every other name of the universe with its reason."""
    place, currency = trading_calendar["market"], trading_calendar["currency"]
    listed = compared.choose(daily_bars["benchmarks"][place], set(bars["ticker"].unique()))
    names = _Names(
        evaluation_bars["session"],
        any(row["date"] == evaluation_bars["session"] for row in trading_calendar["disputed"]),
        {row["ticker"]: row["session"] for row in evaluation_bars["names"]},
        {row["ticker"]: row for row in data_quality["names"]},
    )
    wanted = [row["ticker"] for row in [*universe["names"], *([listed] if listed else [])]]
    grace = timedelta(minutes=evaluation_bar["grace_minutes"])
    prices = _prices(bars, adjusted_bars, names, wanted, calendar(trading_calendar), grace)
    fx = daily_bars["fx"].get(currency)
    first, second = ema_cross.parameters(buy_ema_cross, currency), hybrid.parameters(buy_hybrid, currency)
    reach = max(first.look_back, second.look_back, daily_bars["market"]["bars"])
    benchmark = _benchmark(listed, names, prices, reach, daily_bars)
    market = _Market(names, prices, benchmark, daily_bars, Decimal(fx["rate"]) if fx else None)
    known = daily(prices.bars.filter(pl.col("ticker").is_in([row["ticker"] for row in universe["names"]])))
    words = fund_names(daily_bars["funds"], place)
    funds = [row["ticker"] for row in universe["names"] if is_fund(row["name"], words)]
    dropped = {row["ticker"]: row["dropped"] for row in evaluation_bars["names"]}
    crossed = ema_cross.evaluate(known, first, funds=funds, unfinished=dropped)
    turned = hybrid.evaluate(known, second, funds=funds, unfinished=dropped)
    strategies = (
        _ema_cross(first, _last_rows(known, crossed, first.look_back), daily_bars),
        _hybrid(second, _last_rows(known, turned, second.look_back)),
    )
    lists = [_lists(strategy, universe["names"], market) for strategy in strategies]
    return {
        "session": names.session,
        "market": place,
        "currency": currency,
        "followed": daily_bars["followed"],
        "benchmark": _shown(market),
        "fx": {"currency": currency, **fx} if fx else None,
        "totals": {
            "names": len(universe["names"]),
            **{one.name: _totals(*rows) for one, rows in zip(strategies, lists, strict=True)},
        },
        "candidates": [row for rows, _ in lists for row in rows],
        "appendix": [row for _, rows in lists for row in rows],
    }


def _prices(
    bars: pl.DataFrame, adjusted: pl.DataFrame, names: _Names, wanted: Sequence[str], cal: Calendar, grace: timedelta
) -> _Prices:
    """The series that the rules read of each name that has a deciding bar."""
    decided = {one: date.fromisoformat(day) for one in sorted(set(wanted)) if (day := names.sessions.get(one))}
    raw, other = series.up_to(bars, decided), series.up_to(adjusted, decided)
    usable = series.adjusted_names(raw, other, cal, grace)
    chosen = series.chosen(raw, other, usable)
    closes = dict(raw.group_by("ticker", maintain_order=True).agg(pl.col("close").last()).iter_rows())
    closes = {ticker: close for ticker, close in closes.items() if close is not None and 0 < close < inf}
    return _Prices(chosen, usable, closes)


def _benchmark(
    listed: _Row | None, names: _Names, prices: _Prices, reach: int, spec: Mapping[str, Any]
) -> compared.Benchmark:
    """The market's benchmark, with what is wrong with it: its bars must be as good as those of any candidate."""
    ticker = listed["ticker"] if listed else ""
    doubts = _doubts(ticker, names, prices, reach)
    words = {"no_bar": compared.STALE, "stale": compared.STALE, "unadjusted_action": compared.UNADJUSTED}
    issue = words.get(doubts[0], compared.BLOCKED) if doubts else None
    own = prices.bars.filter(pl.col("ticker") == ticker)
    return compared.benchmark(listed, issue, own, spec["market"]["bars"])


def _doubts(ticker: str, names: _Names, prices: _Prices, reach: int) -> list[str]:
    """What speaks against using the name's bars at all; `reach` is how many of the last bars are read."""
    session, found = names.sessions.get(ticker), names.quality.get(ticker)
    if session is None:
        return ["no_bar"]
    doubts = ["stale"] if session != names.session else []
    doubts += ["disputed_session"] if names.disputed else []
    doubts += ["blocked"] if found is None or found["verdict"] == "blocked" else []
    actions = found["actions"] if found is not None and ticker not in prices.adjusted else []
    ages = [row["age"] for row in actions if row["allowed"] is None and row["age"] is not None]
    doubts += ["unadjusted_action"] if any(0 <= age < reach - 1 for age in ages) else []
    return doubts


def _ema_cross(rule: ema_cross.Rule, rows: Mapping[str, _Row], spec: Mapping[str, Any]) -> _Strategy:
    return _Strategy(
        EMA_CROSS,
        rule.min_history,
        rule.benchmark_return,
        ema_cross.SYSTEM,
        rows,
        partial(buy_reasons.ema_cross_miss, rule=rule),
        partial(buy_reasons.ema_cross_reasons, rule=rule),
        partial(buy_entries.ema_cross_entry, rule=rule, own=buy_entries.risk(spec["ema_cross_risk"])),
    )


def _hybrid(rule: hybrid.Rule, rows: Mapping[str, _Row]) -> _Strategy:
    return _Strategy(
        HYBRID,
        rule.min_history,
        None,
        hybrid.SYSTEM,
        rows,
        partial(buy_reasons.hybrid_miss, rule=rule),
        partial(buy_reasons.hybrid_reasons, rule=rule),
        partial(buy_entries.hybrid_entry, rule=rule),
    )


def _last_rows(known: Daily, evaluated: pl.DataFrame, look_back: int) -> dict[str, _Row]:
    """What a rule says of the last bar of each name, with the bar itself; `started` is where its return begins."""
    close = pl.col("close")
    values = {name: getattr(known, name) for name in ("open", "high", "low", "close", "volume")}
    rows = (
        evaluated.with_columns(pl.Series(name, column) for name, column in values.items())
        .with_columns(
            bars=pl.Series(known.layout.position + 1),
            change=((close - close.shift()) / close.shift()).over("ticker"),
            started=pl.col("session").shift(look_back).over("ticker"),
        )
        .filter((pl.col("ticker") != pl.col("ticker").shift(-1)).fill_null(value=True))
    )
    return {row["ticker"]: row for row in rows.iter_rows(named=True)}


def _lists(
    strategy: _Strategy, universe: Sequence[_Row], market: _Market
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The candidates, best first, and the rest: what the data do not tell first, then what the rule refused."""
    found: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    rest = []
    for name in universe:
        ticker = name["ticker"]
        row, doubts = strategy.rows.get(ticker), _doubts(ticker, market.names, market.prices, strategy.history)
        lacking = row is None or row["session"] != market.day or ticker not in market.prices.raw_closes
        if not doubts and lacking:
            doubts = ["no_usable_bar"]
        code = doubts[0] if doubts or row is None else _verdict(row, market)
        if code == ema_cross.CANDIDATE and row is not None:
            found.append(_candidate(strategy, name, row, market))
        else:
            rest.append(_missed(strategy, name, row, [code, *doubts[1:]], market))
    found.sort(key=lambda one: one[0])
    return [row for _, row in found], sorted(rest, key=lambda row: row["kind"] != "system")


def _verdict(row: _Row, market: _Market) -> str:
    """The outcome of the rule; a candidate may still be held back by the state of the market."""
    if row["outcome"] != ema_cross.CANDIDATE or market.effect != compared.BLOCK:
        return str(row["outcome"])
    return "market_unknown" if market.benchmark.is_above(market.day) is None else "market_below_mean"


def _candidate(strategy: _Strategy, name: _Row, row: _Row, market: _Market) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Where a candidate stands among the others of its rule, and its row."""
    ticker, own = name["ticker"], row["rs_return"]
    other, more = market.benchmark.difference(own, row["started"], market.day)
    if strategy.constant is not None:
        other, more = strategy.constant, own - strategy.constant
    difference = more if isfinite(more) else None
    entry = strategy.entry(row, difference)
    raw = market.prices.raw_closes[ticker]
    written = {
        "ticker": ticker,
        "name": name["name"],
        "strategy": strategy.name,
        "chart_id": f"{strategy.name}_{''.join(c if c.isalnum() else '_' for c in ticker.lower())}",
        "session": market.names.session,
        "prices": _basis(ticker, market),
        "close": exact(row["close"]),
        "raw_close": exact(raw),
        "raw_close_won": None if market.won is None else _won(raw, market.won),
        "change": text(row["change"]),
        "high": exact(row["high"]),
        "low": exact(row["low"]),
        "turnover": text(row["turnover"]),
        "figures": {one: None if row.get(one) is None else text(row[one]) for one in _FIGURES},
        "relative_strength": {"own": text(own), "benchmark": text(other), "difference": text(more)},
        "warnings": _told(market.names.quality[ticker]),
        "reasons": [{"code": code, **_numbers(numbers)} for code, numbers in strategy.reasons(row)],
        **buy_entries.written(entry),
        "chart": _chart(ticker, market),
    }
    return buy_entries.place(ticker, row, entry, difference), written


def _missed(strategy: _Strategy, name: _Row, row: _Row | None, codes: list[str], market: _Market) -> dict[str, Any]:
    ticker, code = name["ticker"], codes[0]
    quality = market.names.quality.get(ticker)
    is_outcome = row is not None and code == row["outcome"]
    is_rule = is_outcome or code == "market_below_mean"
    blockers = ("pullback", "breakout", "reversal")
    return {
        "ticker": ticker,
        "name": name["name"],
        "strategy": strategy.name,
        "kind": "signal" if is_rule and code not in strategy.system else "system",
        "code": code,
        "codes": codes,
        "reasons": _blocking(quality),
        "session": market.names.sessions.get(ticker),
        "prices": _basis(ticker, market) if row else None,
        "close": exact(row["close"]) if row else None,
        **_numbers(strategy.miss(row) if row and is_outcome else (None, None)),
        "blockers": {one: row[f"blocker_{one}"] for one in blockers} if row and code == hybrid.NO_PATTERN else None,
    }


def _blocking(quality: _Row | None) -> list[str]:
    if quality is None:
        return ["no_complete_bar"]
    return _told(quality) if quality["verdict"] == "blocked" else []


def _told(quality: _Row) -> list[str]:
    return [reason for reason in quality["reasons"] if reason not in _LATER]


def _numbers(numbers: buy_reasons.Numbers) -> dict[str, str | None]:
    return {"value": numbers[0], "threshold": numbers[1]}


def _basis(ticker: str, market: _Market) -> str:
    return series.ADJUSTED if ticker in market.prices.adjusted else series.RAW


def _won(price: float, rate: Decimal) -> int:
    return int((Decimal(repr(price)) * rate).quantize(Decimal(1), ROUND_HALF_EVEN))


def _chart(ticker: str, market: _Market) -> list[dict[str, Any]]:
    """The last usable closes of the series that decided, the evaluated one marked."""
    own = daily(market.prices.bars.filter(pl.col("ticker") == ticker))
    points = list(zip(own.frame["session"], own.close.tolist(), strict=True))[-market.spec["chart_sessions"] :]
    return [
        {"session": day.isoformat(), "close": exact(close), "evaluated": day == market.day} for day, close in points
    ]


def _shown(market: _Market) -> dict[str, Any]:
    """The benchmark, and what the state of the market does to candidates."""
    benchmark, day, policy = market.benchmark, market.day, market.spec["market"]
    close, ticker = benchmark.close(day), benchmark.ticker
    return {
        "ticker": ticker,
        "name": benchmark.name,
        "issue": benchmark.issue,
        "session": market.names.sessions.get(ticker) if ticker else None,
        "prices": _basis(ticker, market) if ticker else None,
        "close": exact(close) if isfinite(close) else None,
        "bars": policy["bars"],
        "mean": None if benchmark.issue else text(benchmark.mean),
        "above": benchmark.is_above(day),
        "effect": market.effect,
    }


def _totals(found: Sequence[_Row], rest: Sequence[_Row]) -> dict[str, Any]:
    """How many names came to which end; codes in the order in which they first stand in the appendix."""
    kinds = {kind: [row for row in rest if row["kind"] == kind] for kind in ("system", "signal")}
    states = Counter(row["state"] for row in found)
    return {
        "candidates": len(found),
        "ready": states["READY"],
        "watch": states["WATCH"],
        **{kind: len(rows) for kind, rows in kinds.items()},
        **{
            f"{kind}_codes": [{"code": code, "names": n} for code, n in Counter(row["code"] for row in rows).items()]
            for kind, rows in kinds.items()
        },
    }
