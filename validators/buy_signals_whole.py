"""Every name of the universe stands once for each buy rule, as a candidate or with the reason why it is none.

A name that is passed over looks like a name without a signal. The counts, the benchmark and the exchange rate, which
the page shows beside the names, are worked out a second time.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl

from quantassay.domain.agreement import agree
from quantassay.domain.remembered import remembered
from quantassay.domain.signals.plain_names import world
from quantassay.findings import Judged, judged

RULES = ["R12.3"]
STRATEGIES = ("ema_cross", "hybrid")
SAYS = "is not what the names, the bars of the benchmark and the specs give"


def check(  # noqa: PLR0913, PLR0917 - what it names is what it reads
    buy_signals: dict[str, Any],
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
) -> Iterator[Judged]:
    """Judges each name's place in the lists, the order of the rules in them, and everything beside the lists."""
    lists = {name: buy_signals.get(name, []) for name in ("candidates", "appendix")}
    yield from _each_once(lists, [row["ticker"] for row in universe["names"]])
    for name, rows in lists.items():
        owners = [row.get("strategy") for row in rows]
        in_order = [one for strategy in STRATEGIES for one in owners if one == strategy]
        says = "the rules are not in their order, or there is one that is none"
        yield judged(f"/{name}", ok=in_order == owners, says=says)
    about = (universe, evaluation_bars, data_quality, trading_calendar)
    reach = max(rule["relative_strength"]["look_back"] for rule in (buy_ema_cross, buy_hybrid))
    told = _beside(bars, adjusted_bars, *about, evaluation_bar["grace_minutes"], reach, daily_bars)
    right = {**told, "totals": {"names": len(universe["names"]), **{one: _totals(lists, one) for one in STRATEGIES}}}
    yield from agree({name: value for name, value in buy_signals.items() if name not in lists}, right, SAYS)


def _each_once(lists: dict[str, list[dict[str, Any]]], tickers: list[str]) -> Iterator[Judged]:
    for strategy in STRATEGIES:
        rows = [row for of in lists.values() for row in of if row.get("strategy") == strategy]
        counts = Counter(row.get("ticker") for row in rows)
        for ticker in sorted({*tickers, *filter(None, counts)}):
            wanted = int(ticker in tickers)
            says = f"{ticker} stands {counts[ticker]} times in the lists of {strategy}"
            yield judged("/appendix", ok=counts[ticker] == wanted, says=says, expected=wanted, actual=counts[ticker])


@remembered
def _beside(*inputs: Any) -> dict[str, Any]:
    """Everything but the lists and their counts."""
    bars, adjusted, universe, decided, quality, calendar, grace, reach, spec = inputs
    known = world((bars, adjusted), universe, decided, quality, calendar, (spec, grace))
    rate = spec["fx"].get(calendar["currency"])
    return {
        "session": decided["session"],
        "market": calendar["market"],
        "currency": calendar["currency"],
        "followed": spec["followed"],
        "benchmark": known.benchmark(max(reach, spec["market"]["bars"])),
        "fx": None if rate is None else {"currency": calendar["currency"], **rate},
    }


def _totals(lists: dict[str, list[dict[str, Any]]], strategy: str) -> dict[str, Any]:
    """The counts of a rule, taken from the rows themselves."""
    own = {name: [row for row in rows if row.get("strategy") == strategy] for name, rows in lists.items()}
    states = [row.get("state") for row in own["candidates"]]
    totals: dict[str, Any] = {"candidates": len(states), "ready": states.count("READY"), "watch": states.count("WATCH")}
    for kind in ("system", "signal"):
        codes = [row.get("code") for row in own["appendix"] if row.get("kind") == kind]
        totals[kind] = len(codes)
        totals[f"{kind}_codes"] = [{"code": code, "names": codes.count(code)} for code in dict.fromkeys(codes)]
    return totals
