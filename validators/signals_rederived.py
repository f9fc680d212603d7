"""Every signal is worked out a second time, name by name and bar by bar, and must come out the same.

A verdict that the strategy does not give is an order that nobody decided.
"""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import polars as pl

from quantassay.domain.agreement import agree
from quantassay.domain.remembered import remembered
from quantassay.findings import Judged

RULES = ["R02.1"]
SAYS = "is not what the bars and the rules of the strategy give"


class _Bar(NamedTuple):
    session: str
    close: int | None
    volume: int | None
    foreign: int | None


def check(
    signals: dict[str, Any],
    bars: pl.DataFrame,
    universe: dict[str, Any],
    evaluation_bars: dict[str, Any],
    data_quality: dict[str, Any],
    hsms: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each field of each name, the order of the names, and what the signals are based on."""
    decided = {row["ticker"]: row["session"] for row in evaluation_bars["names"]}
    quality = {row["ticker"]: row for row in data_quality["names"]}
    rows = _rows(bars, universe)
    latest = evaluation_bars["session"]
    expected = []
    for name in universe["names"]:
        ticker, last = name["ticker"], decided.get(name["ticker"])
        seen = [row for row in rows.get(ticker, ()) if last is not None and row.session <= last]
        blocked = quality.get(ticker, {"verdict": "blocked", "doubts": ["no_complete_bar"]})
        doubt = "blocked" if blocked["verdict"] == "blocked" else None
        if doubt is None and last != latest:
            doubt = "other_session"
        expected.append(
            {
                "ticker": ticker,
                "name": name["name"],
                "session": last,
                **_evaluated(seen, hsms),
                "doubt": "no_bar" if last is None else doubt,
                "doubts": blocked["doubts"],
            }
        )
    size = len(universe["names"])
    whole = {
        "signal_session": latest,
        "strategy": hsms,
        "universe": {"source": universe["source"], "session": universe["session"], "size": size},
        "names": expected,
    }
    yield from agree(signals, whole, SAYS)


@remembered
def _rows(bars: pl.DataFrame, universe: dict[str, Any]) -> dict[str, list[_Bar]]:
    """The bars of the universe's names by ticker; a close that is no whole won is unknown."""
    found: dict[str, list[_Bar]] = {}
    wanted = bars.filter(pl.col("ticker").is_in([row["ticker"] for row in universe["names"]]))
    for ticker, session, close, volume, foreign in wanted.select(
        "ticker", "session", "close", "volume", "foreign_net_buy"
    ).iter_rows():
        whole = int(close) if close is not None and float(close).is_integer() else None
        found.setdefault(ticker, []).append(_Bar(session.isoformat(), whole, volume, foreign))
    return found


def _evaluated(rows: Sequence[_Bar], hsms: dict[str, Any]) -> dict[str, Any]:
    last = rows[-1] if rows else _Bar("", None, None, None)
    close, volume = last.close, last.volume
    back = hsms["momentum_window"] + 1
    earlier = rows[-back].close if len(rows) >= back else None
    momentum = None if close is None or earlier is None else close - earlier
    mean_close = _mean([row.close for row in rows], hsms["average_window"])
    mean_volume = _mean([row.volume for row in rows], hsms["volume_window"])
    net = _mean([row.foreign for row in rows], hsms["foreign_window"])
    foreign_sum = None if net is None else int(net * hsms["foreign_window"])
    band, multiple, level = Fraction(hsms["sell_band"]), Fraction(hsms["volume_multiple"]), hsms["foreign_level"]
    buys = {
        "above_average": None if close is None or mean_close is None else close > mean_close,
        "rising": None if momentum is None else momentum > 0,
        "busy": None if volume is None or mean_volume is None else volume > multiple * mean_volume,
    }
    sells = {
        "below_band": None if close is None or mean_close is None else close < band * mean_close,
        "falling": None if momentum is None else momentum < 0,
    }
    if hsms["strategy"] == "hsms2":
        buys["foreign_buying"] = None if foreign_sum is None else foreign_sum > level
        sells["foreign_selling"] = None if foreign_sum is None else foreign_sum < level
    verdict, because = _verdict(buys, sells)
    return {
        "close": close,
        "close_average": _hundredths(mean_close),
        "momentum": momentum,
        "volume": volume,
        "volume_average": _hundredths(mean_volume),
        "foreign_sum": foreign_sum,
        "verdict": verdict,
        "because": because,
    }


def _verdict(buys: dict[str, bool | None], sells: dict[str, bool | None]) -> tuple[str, list[str]]:
    """One condition sells, all together buy; what is unknown matters only where nothing known has settled it."""
    selling = [name for name, holds in sells.items() if holds]
    if selling:
        return "sell", selling
    refused = any(holds is False for holds in buys.values())
    if None in sells.values() or (None in buys.values() and not refused):
        return "no_data", []
    return ("none", []) if refused else ("buy", list(buys))


def _mean(values: Sequence[int | None], count: int) -> Fraction | None:
    known = [value for value in values[-count:] if value is not None]
    return Fraction(sum(known), count) if len(known) == count else None


def _hundredths(value: Fraction | None) -> str | None:
    if value is None:
        return None
    exact = Decimal(value.numerator) / Decimal(value.denominator)
    return f"{exact.quantize(Decimal('0.01'), ROUND_HALF_EVEN)}"
