"""The buy rule `ema_cross` beside the answers of the older daily-bar report: its reasons, its candidates, its score."""

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import yaml
from oracle_kinds import Bars, Comparison, cause

from quantassay.domain.market import predecessor
from quantassay.domain.signals import ema_cross
from quantassay.domain.signals.daily import Daily, daily

SUBJECT = "ema_cross"
SPEC = Path(__file__).resolve().parents[1] / "spec" / "22_buy_ema_cross.yaml"
SESSION_BAR = "session_bar"
SENTENCES = {
    **ema_cross.CORRECTIONS,
    SESSION_BAR: "A bar of a session that is still running does not decide (see eval_index).",
}
# What the older program said for each outcome; it had one reason for all that the RSI can fail at.
REASONS = (
    (r"Not enough|No completed", "history"),
    (r"Price (?P<close>\S+) <", "price"),
    (r".*[Ss]lope", "slope"),
    (r"EMA\(", "cross"),
    (r"RSI", "rsi"),
    (r".*SMA200", "long average"),
    (r"Gap (?P<gap>\S+) exceeds", "gap"),
    (r"Avg dollar volume (?P<turnover>\S+) <", "turnover"),
    (r"ETF", "fund"),
    (r"CANDIDATE", "candidate"),
)
OUTCOMES = {
    ema_cross.SHORT_HISTORY: "history",
    ema_cross.PRICE_FLOOR: "price",
    ema_cross.NO_CROSS: "cross",
    ema_cross.NO_REBOUND: "rsi",
    ema_cross.OVERBOUGHT: "rsi",
    ema_cross.BELOW_LONG_AVERAGE: "long average",
    ema_cross.NOT_RISING: "slope",
    ema_cross.GAP: "gap",
    ema_cross.ILLIQUID: "turnover",
    ema_cross.FUND: "fund",
    ema_cross.CANDIDATE: "candidate",
}
NOTES = {
    "cross": "ema_cross",
    "rsi": "rsi",
    "long_average": "sma200",
    "slope": "slope",
    "gap": "gap",
    "turnover": "liquidity",
    "relative_strength": "rs",
}
BELOW_BENCHMARK = "rs_below"  # the note in place of the last one
CLOSES = time(15, 30)


class Asked(NamedTuple):
    """One answer: which row of which market at which settings, what the older program said, and where it says so."""

    market: str
    settings: str
    currency: str
    row: int
    reason: str
    candidate: Mapping[str, Any] | None
    told: str
    corrected_row: int | None = None  # where the bar that decides by sessions is another one
    unfinished: bool = False  # the older program counted one bar more as history


@dataclass(slots=True)
class Markets:
    """The bars of each market, its settings, and what the rule says of them, worked out once for each set of ids."""

    bars: dict[str, Daily]
    settings: Mapping[str, Mapping[str, Any]]
    funds: dict[str, list[str]]
    known: dict[tuple[Any, ...], pl.DataFrame] = field(default_factory=dict)

    def rule(self, settings: str, currency: str, ids: frozenset[str]) -> ema_cross.Rule:
        """The rule at the older program's settings with these corrections."""
        spec = yaml.safe_load(SPEC.read_text(encoding="utf-8"))
        ours = ema_cross.parameters({**spec, "corrections": sorted(ids)}, currency)
        old, us = self.settings[settings], currency == "USD"
        return dataclasses.replace(
            ours,
            min_history=old["min_history_bars"],
            long_required=old["use_sma200_filter"],
            slope_required=old["require_slope_up"],
            gap_multiple=float(old["gap_atr_multiplier"]),
            min_price=float((us and old["us_min_price"]) or old["min_price"]),
            min_turnover=float((us and old["us_min_dollar_volume"]) or old["min_dollar_volume"]),
            exclude_funds=old["exclude_etf_etn"],
            look_back=old["rs_lookback_days"],
            benchmark_return=float(old["rs_benchmark_return"]),
        )

    def told(self, asked: Asked, ids: Iterable[str]) -> dict[str, Any]:
        """The row of the rule's answer with these corrections."""
        on = frozenset(ids)
        row = asked.corrected_row if SESSION_BAR in on and asked.corrected_row is not None else asked.row
        extra = asked.unfinished and SESSION_BAR not in on
        market = self.bars[asked.market]
        own = on - {SESSION_BAR}
        key = (asked.market, asked.settings, asked.currency, own, extra)
        if key not in self.known:
            names = market.frame["ticker"].unique()
            rule = self.rule(asked.settings, asked.currency, own)
            more = dict.fromkeys(names, 1) if extra else None
            self.known[key] = ema_cross.evaluate(market, rule, funds=self.funds[asked.market], unfinished=more)
        answer = self.known[key].row(row, named=True)
        return {**answer, "row": row, "kind": OUTCOMES.get(answer["outcome"], answer["outcome"])}


def compare(oracle: dict[str, Any], bars: Bars) -> Comparison:
    """Every answer on real bars, at the two clock times, and on the invented series."""
    markets, asked = _asked(oracle, bars)
    explained: Counter[str] = Counter()
    differing, unexplained = [], []
    same = corrected_same = 0
    for one in asked:
        older, corrected = markets.told(one, ()), markets.told(one, SENTENCES)
        faults = list(_faults(one, older, markets))
        if faults:
            differing.append(f"{one.told}: {'; '.join(faults)}")
        else:
            same += 1
        if _answer(older) == _answer(corrected):
            corrected_same += 1
            continue

        def changes(ids: frozenset[str], one: Asked = one, older: dict[str, Any] = older) -> bool:
            return _answer(markets.told(one, ids)) != _answer(older)

        found = cause(changes, SENTENCES)
        if found and not faults:
            explained[found] += 1
        else:
            unexplained.append(f"{one.told}: {_answer(older)}, ours {_answer(corrected)}")
    return Comparison(len(asked), same, corrected_same, explained, unexplained, SENTENCES, differing)


def _answer(told: Mapping[str, Any]) -> tuple[str, int]:
    """What two answers are compared by: the reason, and a candidate's score."""
    return told["kind"], sum(map(bool, told["points"].values())) if told["kind"] == "candidate" else 0


def _asked(oracle: dict[str, Any], bars: Bars) -> tuple[Markets, list[Asked]]:
    real = [row["symbol"] for row in oracle["rows"]]
    intraday = oracle.get("intraday_kis", {"cases": []})
    symbols = dict.fromkeys([*real, *(case["symbol"] for case in intraday["cases"])])
    invented = oracle.get("synthetic", {"candles": {}, "cases": []})
    markets = Markets({}, oracle["settings"], {"real": [], "invented": [], "funds": list(invented["candles"])})
    markets.bars["real"] = daily(pl.concat([bars(symbol) for symbol in symbols]))
    asked = [*_real(oracle, markets.bars["real"]), *_intraday(intraday, markets.bars["real"])]
    if invented["candles"]:
        markets.bars["invented"] = markets.bars["funds"] = daily(_series(invented["candles"]))
        asked += _invented(invented["cases"], markets.bars["invented"])
    return markets, asked


def _places(market: Daily) -> dict[str, tuple[int, int]]:
    """The first row of each name and how many it has."""
    sizes = market.frame.group_by("ticker", maintain_order=True).len()
    firsts = sizes["len"].cum_sum() - sizes["len"]
    return {name: (first, size) for name, first, size in zip(sizes["ticker"], firsts, sizes["len"], strict=True)}


def _real(oracle: dict[str, Any], market: Daily) -> Iterator[Asked]:
    """The first `bars` bars of a symbol are a row of the whole: no rule looks ahead."""
    places, currency = _places(market), oracle["meta_used"]["currency"]
    bought = {(row["symbol"], row["settings"], row["bars"]): row["candidate"] for row in oracle["candidates"]}
    for answers in oracle["rows"]:
        symbol, settings = answers["symbol"], answers["settings"]
        for count, reason in answers["results"]:
            row, candidate = places[symbol][0] + count - 1, bought.get((symbol, settings, count))
            told = f"{symbol} {settings} {count} bars"
            yield Asked("real", settings, currency, row, oracle["reason_index"][reason], candidate, told)


def _intraday(part: dict[str, Any], market: Daily) -> Iterator[Asked]:
    places = _places(market)
    for case in part["cases"]:
        first, size = places[case["symbol"]]
        now = datetime.fromisoformat(case["now"])
        days = market.frame["session"][first : first + size].to_list()
        volumes = market.frame["volume"][first : first + size].to_list()
        texts = [f"{day:%Y%m%d}" for day in days]
        index, dropped = predecessor.choose(texts, volumes, currency="KRW", provider="kis", now=now)
        running = days[-1] == now.date() and now.time() < CLOSES and size > 1
        told = f"{case['symbol']} at {case['now']}"
        found = (case["reason"], case["candidate"], told, first + size - 1 - running, dropped)
        yield Asked("real", part["settings"], "KRW", first + index, *found)


def _invented(cases: Sequence[dict[str, Any]], market: Daily) -> Iterator[Asked]:
    places = _places(market)
    for case in cases:
        first, size = places[str(case["seed"])]
        meta = case["meta"]
        kind = "funds" if "ETF" in meta["name"] else "invented"
        told = f"series {case['seed']} {case['settings']} {meta['name']}"
        row, currency = first + size - 1, meta["currency"]
        yield Asked(kind, case["settings"], currency, row, case["reason"] or "CANDIDATE", case["candidate"], told)


def _series(candles: Mapping[str, Sequence[Mapping[str, Any]]]) -> pl.DataFrame:
    rows = [{"ticker": seed, **bar} for seed, bars in candles.items() for bar in bars]
    return pl.DataFrame(rows, infer_schema_length=None).select(
        "ticker",
        pl.col("date").str.to_date("%Y%m%d").alias("session"),
        pl.col("open", "high", "low", "close", "volume").cast(pl.Float64),
    )


def _faults(one: Asked, told: Mapping[str, Any], markets: Markets) -> Iterator[str]:
    """Where the older program's words and ours do not say the same."""
    market, row = markets.bars[one.market], told["row"]
    close = market.close[row]
    seen = {**told, "close": close}
    for pattern, kind in REASONS:
        match = re.match(pattern, one.reason)
        if match:
            if kind != told["kind"]:
                yield f"{one.reason}, here {told['outcome']}"
            for name, text in match.groupdict().items():
                if not _agrees(text, seen[name]):
                    yield f"{name} {text}, here {seen[name]}"
            break
    else:
        yield f"{one.reason}: a reason that this comparison does not know"
    if one.candidate and told["kind"] == "candidate":
        constant = float(markets.settings[one.settings]["rs_benchmark_return"])
        yield from _candidate_faults(one.candidate, told, _own(market, told, constant))


def _own(market: Daily, told: Mapping[str, Any], constant: float) -> dict[str, float]:
    """Our figures by the older program's names of them."""
    row = told["row"]
    close = float(market.close[row])
    score = _answer(told)[1]
    return {
        "price": close,
        "price_value": close,
        "high": market.high[row],
        "low": market.low[row],
        "pct_change": close / market.close[row - 1] - 1,
        "ema20": told["ema_short"],
        "ema50": told["ema_long"],
        "rsi14": told["rsi"],
        "atr14": told["atr"],
        "sma200": told["sma_long"],
        "gap": told["gap"],
        "gap_threshold": told["gap_limit"],
        "avg_dollar_volume": told["turnover"],
        "rs_return": told["rs_return"],
        "rs_diff": told["rs_return"] - constant,
        "rs_benchmark": constant,
        "score": score,
        "score_value": score,
        "stop": max(close - told["atr"], 0.0),
        "target": close + 2 * told["atr"],
    }


def _candidate_faults(candidate: Mapping[str, Any], told: Mapping[str, Any], own: Mapping[str, float]) -> Iterator[str]:
    guide = re.match(r"Stop (?P<stop>\S+) / Target (?P<target>\S+) ", candidate["risk_guide"])
    texts = {**candidate, **(guide.groupdict() if guide else {})}
    for name, value in own.items():
        if not _agrees(str(texts[name]), value):
            yield f"{name} {texts[name]}, here {value}"
    points = told["points"]
    notes = [note for part, note in NOTES.items() if points[part]]
    notes += [] if points["relative_strength"] else [BELOW_BENCHMARK]
    if notes != candidate["score_notes"].split(", "):
        yield f"points {candidate['score_notes']}, here {notes}"
    for name, part in (("trend_pass", "long_average"), ("slope_pass", "slope")):
        if (candidate[name] == "Yes") != points[part]:
            yield f"{name} {candidate[name]}, here {points[part]}"


def _agrees(text: str, value: float) -> bool:
    """Whether the text is the value, rounded to the places that the text has; "-" is unknown."""
    if text == "-":
        return math.isnan(value)
    plain = text.replace(",", "").removeprefix("$").removesuffix("%")
    unit = 10.0 ** -len(plain.partition(".")[2])
    scaled = value * 100 if text.endswith("%") else value
    return abs(float(plain) - scaled) <= unit / 2 + 1e-9 * max(1.0, abs(scaled))
