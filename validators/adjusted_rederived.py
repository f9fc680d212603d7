"""What is said of each name's adjusted bars is found again, bar by bar: every action, every factor, every error.

A split that the adjusted series leaves out, or takes twice, makes a buy of a name that stood still.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import polars as pl

from quantassay.domain.agreement import agree
from quantassay.domain.figures import text
from quantassay.domain.market import bar_by_bar
from quantassay.domain.market.bar_by_bar import Bar, Rules
from quantassay.domain.remembered import remembered
from quantassay.findings import Judged, judged

RULES = ["R01.12"]
SPOILING = ("scale", "spike", "bad_price", "bad_volume", "inconsistent", "duplicate")
MOST_DECIMALS = 6

Row = dict[str, Any]


def check(  # noqa: PLR0913, PLR0917 - what it names is what it reads
    data_quality: dict[str, Any],
    bars: pl.DataFrame,
    adjusted_bars: pl.DataFrame,
    trading_calendar: dict[str, Any],
    evaluation_bars: dict[str, Any],
    quality_limits: dict[str, Any],
    price_rules: dict[str, Any],
    price_limit_exceptions: dict[str, Any],
) -> Iterator[Judged]:
    """Judges each name's `adjusted` leaf by leaf, and what the totals say of the adjusted series."""
    rules = _rules(quality_limits, trading_calendar, price_rules, price_limit_exceptions)
    expected, alone = _expected(bars, adjusted_bars, evaluation_bars, rules)
    says = "does not follow from the adjusted and the raw bars"
    for index, row in enumerate(data_quality.get("names", [])):
        right = expected.get(str(row.get("ticker")))
        yield from agree(row.get("adjusted", "(absent)"), right, says, f"/names/{index}/adjusted")
    totals = {
        "adjusted": len(expected),
        "adjusted_changes": sum(row["changes"] for row in expected.values()),
        "adjusted_unchanged": sum(row["changes"] == 0 for row in expected.values()),
        "adjusted_only": alone,
    }
    for name, right in totals.items():
        actual = data_quality.get("totals", {}).get(name)
        same = type(actual) is int and actual == right
        yield judged(f"/totals/{name}", ok=same, says=f"{name} {says}", expected=right, actual=actual)


@remembered
def _rules(
    quality_limits: dict[str, Any],
    trading_calendar: dict[str, Any],
    price_rules: dict[str, Any],
    price_limit_exceptions: dict[str, Any],
) -> Rules:
    return bar_by_bar.rules(quality_limits, trading_calendar["market"], price_rules, price_limit_exceptions)


@remembered
def _expected(
    bars: pl.DataFrame, adjusted_bars: pl.DataFrame, evaluation_bars: dict[str, Any], rules: Rules
) -> tuple[dict[str, Row], int]:
    """What each name's adjusted bars ought to say, and how many names have adjusted bars alone."""
    decided = {row["ticker"]: row for row in evaluation_bars["names"]}
    today = evaluation_bars["day"]
    own = {
        ticker: [bar for bar in rows if bar.day <= today] for ticker, rows in bar_by_bar.series(adjusted_bars).items()
    }
    wanted = pl.Series("ticker", list(own), dtype=pl.String).implode()
    raw = bar_by_bar.series(bars.filter(pl.col("ticker").is_in(wanted)))
    expected = {
        ticker: _row(ticker, [bar for bar in raw[ticker] if bar.day <= today], rows, decided[ticker], rules)
        for ticker, rows in own.items()
        if ticker in raw and rows
    }
    return expected, sum(ticker not in decided for ticker in own)


def _row(ticker: str, raw: Sequence[Bar], own: Sequence[Bar], decided: Row, rules: Rules) -> Row:
    end, index = decided["session"], None
    if decided["session"] is not None:
        index = sum(bar.day <= end for bar in own) - 1
    usable = bar_by_bar.comparable(own)
    decimals = max((_decimals(bar.close or 0.0) for bar in usable), default=None)
    changes = _changes(bar_by_bar.comparable(raw), usable, decimals or 0, rules, decided["index"])
    dates = {row["session"] for row, material in changes if material}
    found = list(bar_by_bar.jumps(ticker, usable, rules, index))
    jumps = [
        {
            "kind": "bad_adjustment" if row["session"] in dates else "missing_adjustment",
            **{name: row[name] for name in ("session", "previous_session", "previous_close", "close", "age")},
        }
        for kind, row in found
        if kind in ("limit", "ratio") and row["allowed"] is None
    ]
    faults = [*bar_by_bar.faults(own, rules.rounding, index), *((k, r) for k, r in found if k in bar_by_bar.JUMPS)]
    there = {bar.day for bar in own}
    lacks = 0 if end is None else len({bar.day for bar in raw if own[0].day <= bar.day <= end} - there)
    recent = rules.limits["faults"]["recent_bars"]
    return {
        "bars": len(own),
        "first": own[0].day,
        "last": own[-1].day,
        "lacks": lacks,
        "decimals": decimals,
        "changes": len(changes),
        "actions": [row for row, material in changes if material or bar_by_bar.is_near(row, recent)],
        "jumps": jumps,
        "faults": bar_by_bar.grouped(faults, rules.limits["faults"]["evidence_rows"]),
        "reasons": sorted(_reasons([row for row, _ in changes], jumps, faults, lacks, rules.limits)),
    }


def _decimals(close: float) -> int:
    exponent = Decimal(str(close)).normalize().as_tuple().exponent
    return min(max(-int(exponent), 0), MOST_DECIMALS)


def _changes(
    raw: Sequence[Bar], own: Sequence[Bar], decimals: int, rules: Rules, index: int | None
) -> list[tuple[Row, bool]]:
    """Each session on which adjusted over raw is another number than before, but for rounding; whether it is large."""
    sizes, unit = rules.limits["adjusted"], Fraction(1, 10**decimals)
    least, large = Fraction(sizes["least_change"]), Fraction(sizes["material"])
    adjusted = {bar.day: bar for bar in own}
    both = [(bar, adjusted[bar.day]) for bar in raw if bar.day in adjusted]
    found = []
    for (before, was), (bar, now) in pairwise(both):
        quick = ((now.close or 0) * (before.close or 0)) / ((was.close or 1) * (bar.close or 1))
        if abs(quick - 1) * 2 < least:
            continue
        old, new, was_close, close = (Fraction(str(one.close)) for one in (before, bar, was, now))
        highest, lowest = (
            max((close + unit) / new, (close - unit) / new),
            min((close + unit) / new, (close - unit) / new),
        )
        factor = (was_close / old) / (close / new)
        if lowest <= (was_close + unit) / old and highest >= (was_close - unit) / old:
            continue
        if abs(1 / factor - 1) < least:
            continue
        moved, kept = new / old, close / was_close
        material = abs(factor - 1) >= large
        row = {
            "session": bar.day,
            "previous_session": before.day,
            "age": bar_by_bar.age(index, bar),
            "factor": text(float(factor)),
            "raw_ratio": text(float(moved)),
            "adjusted_ratio": text(float(kept)),
            "worse": material and max(kept, 1 / kept) > max(moved, 1 / moved),
        }
        found.append((row, material))
    return found


def _reasons(
    changes: Sequence[Row],
    jumps: Sequence[Row],
    faults: Sequence[tuple[str, Row]],
    lacks: int,
    limits: Mapping[str, Any],
) -> set[str]:
    recent = limits["faults"]["recent_bars"]
    told = [(row["kind"], row) for row in jumps]
    told += [("bad_adjustment", row) for row in changes if row["worse"]]
    told += [("adjusted_fault", row) for kind, row in faults if kind in SPOILING]
    reasons = {kind if bar_by_bar.is_near(row, recent) else "old_adjusted_fault" for kind, row in told}
    if any(bar_by_bar.is_near(row, limits["corporate_action"]["recent_bars"]) for row in changes):
        reasons.add("adjusted_action")
    return reasons | {"adjusted_behind"} if lacks else reasons
