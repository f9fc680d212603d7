"""The indicators beside those of the older daily-bar report, to 1e-9 of each value."""

import math
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from oracle_kinds import Bars, Comparison

from quantassay.domain.signals import indicators as ind
from quantassay.domain.signals.daily import Daily, daily
from quantassay.domain.signals.indicators import Floats

SUBJECT = "indicators"
CLOSE_ENOUGH = 1e-9
SENTENCES = {"flat_rsi": "Where no close ever moved the RSI is unknown; the older program took it for 100."}
KINDS: dict[str, Callable[[Daily, int], Floats]] = {
    "ema": lambda d, period: ind.ema(d.layout, d.close, period),
    "sma": lambda d, period: ind.sma(d.layout, d.close, period),
    "rsi": lambda d, period: ind.rsi(d.layout, d.close, period, flat=100.0),
    "atr": lambda d, period: ind.atr(d.layout, d.high, d.low, d.close, period),
}


def compare(oracle: dict[str, Any], bars: Bars) -> Comparison:
    """Every value of every symbol at the bars that the oracle lists."""
    market = daily(pl.concat([bars(symbol) for symbol in oracle["symbols"]]))
    fields = sorted({key for row in _rows(oracle) for key in row} - {"i", "date"})
    older = {field: _figure(market, field) for field in fields}
    corrected = {**older, **{f: _figure(market, f, flat=np.nan) for f in fields if f.startswith("rsi")}}
    names = market.frame["ticker"]
    starts = dict(zip(names.unique(maintain_order=True), (market.layout.position == 0).nonzero()[0], strict=True))
    dates = market.frame["session"].dt.strftime("%Y%m%d").to_list()
    total = same = corrected_same = 0
    explained: Counter[str] = Counter()
    differing, unexplained = [], []
    for symbol, answers in oracle["symbols"].items():
        for row in answers["rows"]:
            at = starts[symbol] + row["i"]
            if dates[at] != row["date"]:
                differing.append(f"{symbol} bar {row['i']} is of {dates[at]}, not of {row['date']}")
            for field in row.keys() - {"i", "date"}:
                said = f"{symbol} {row['date']} {field}: {row[field]}, ours {older[field][at]}"
                total += 1
                agrees, agrees_corrected = (_close(row[field], kept[field][at]) for kept in (older, corrected))
                same += agrees
                corrected_same += agrees_corrected
                if not agrees:
                    differing.append(said)
                if not agrees_corrected and agrees:
                    explained["flat_rsi"] += 1
                elif not agrees_corrected:
                    unexplained.append(said)
    return Comparison(total, same, corrected_same, explained, unexplained, SENTENCES, differing)


def _rows(oracle: dict[str, Any]) -> list[dict[str, Any]]:
    return [row for answers in oracle["symbols"].values() for row in answers["rows"]]


def _figure(market: Daily, field: str, flat: float = 100.0) -> Floats:
    found = re.fullmatch(r"([a-z]+)(\d+)", field)
    if found is None or found[1] not in KINDS:
        raise SystemExit(f"{field}: no such indicator; known are {', '.join(KINDS)} with a period, such as ema20")
    if found[1] == "rsi":
        return ind.rsi(market.layout, market.close, int(found[2]), flat=flat)
    return KINDS[found[1]](market, int(found[2]))


def _close(expected: float | None, ours: float) -> bool:
    if expected is None or math.isnan(ours):
        return expected is None and math.isnan(ours)
    return math.isclose(expected, ours, rel_tol=CLOSE_ENOUGH, abs_tol=CLOSE_ENOUGH)
