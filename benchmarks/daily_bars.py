"""The daily rules over a whole market: evaluation bars, all indicators, both buy rules, for every bar of every name.

    python benchmarks/daily_bars.py              measure, and print the tables
    python benchmarks/daily_bars.py --write      and put them into benchmarks/results.md

The market is that of `whole_market.py`, a quarter and a half of its names, and four times itself under new names. Each
run is a process of its own. Importing and loading are not timed. Right after it the same process does the same work
for every 40th name in plain Python, loop by loop (`plain_daily.py`), scaled up by bars; both must give the same table.
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import plain_daily
import plain_hybrid
import plain_quick
import polars as pl
import whole_market
import yaml
from exchange_days import XKRX, around
from plain_daily import Row

from quantassay.domain.market import evaluation
from quantassay.domain.signals import ema_cross, hybrid, shared
from quantassay.domain.signals import indicators as ind
from quantassay.domain.signals.daily import Daily, daily, parts
from quantassay.domain.signals.indicators import Floats

HERE = Path(__file__).resolve().parent
SPECS = HERE.parent / "spec"
SCALES = (0.25, 0.5, 1.0, 4.0)
SAMPLED, ANEW_NAMES, ANEW_BARS = 40, 10, 20
LIMIT_S, LIMIT_MB, LEAST_RATIO, MOST_GROWTH = 4.0, 1024, 50.0, 1.25
# The last day of these bars was taken in mid-session.
AS_OF = "2025-06-17T11:00:00+09:00"
HEADING = "## Daily bars"
PARTS = ("evaluation bars", "daily bars", "indicators", "ema_cross", "hybrid")
ALL = "all"


class Rules(NamedTuple):
    """The two buy rules."""

    ema_cross: ema_cross.Rule
    hybrid: hybrid.Rule


class Told(NamedTuple):
    """What the vectorised code says: the deciding bars, the usable ones, their indicators, the table of each rule."""

    deciding: pl.DataFrame
    seen: Daily
    figures: list[Floats]
    tables: tuple[pl.DataFrame, pl.DataFrame]


def spec(name: str) -> dict[str, Any]:
    """The value of a spec of this checkout."""
    value: dict[str, Any] = yaml.safe_load((SPECS / name).read_text(encoding="utf-8"))
    return value


def indicators(bars: Daily) -> list[Floats]:
    """The indicators that the rules know, in the order of `plain_daily.indicators`."""
    place = bars.layout
    return [
        *(shared.ema(bars, period) for period in (10, 20, 21, 50)),
        *(shared.sma(bars, period) for period in (20, 60, 200)),
        shared.std(bars, 20),
        shared.rsi(bars, 14),
        shared.atr(bars, 14),
        ind.rolling_max(place, bars.high, 15),
        ind.rolling_min(place, bars.low, 15),
    ]


def scaled(bars: pl.DataFrame, scale: float) -> pl.DataFrame:
    """The first names of the market, or the market several times under new names."""
    names = bars["ticker"].unique(maintain_order=True)
    if scale < 1:
        return bars.filter(pl.col("ticker").is_in(names[: int(len(names) * scale)].to_list()))
    copies = [bars.with_columns(pl.format("{}_{}", "ticker", pl.lit(copy))) for copy in range(1, int(scale))]
    return pl.concat([bars, *copies]).sort("ticker", "session")


def once(market: Path, scale: float) -> dict[str, float]:
    """Seconds of each part and in all, rows, names, peaks of memory; at the market's own size plain Python's too."""
    bars = scaled(pl.read_parquet(market), scale)
    rules = Rules(
        ema_cross.parameters(spec("22_buy_ema_cross.yaml"), "KRW"),
        hybrid.parameters(spec("23_buy_hybrid.yaml"), "KRW"),
    )
    span = bars.select(first=pl.col("session").min(), last=pl.col("session").max()).row(0, named=True)
    cal, at = around(XKRX, span["first"], span["last"]), datetime.fromisoformat(AS_OF)
    chosen = evaluation.rule(spec("12_evaluation_bar.yaml"))
    loaded, processor, marks = whole_market.peak_mb(), time.process_time(), [time.perf_counter()]

    deciding = evaluation.evaluate(bars, cal, at, chosen)
    marks.append(time.perf_counter())
    seen = daily(bars.filter(pl.col("session") <= deciding["session"].max()))
    marks.append(time.perf_counter())
    # The rules ask for indicators that are worked out already, so each part of the market is done with before the next.
    figures, crosses, hybrids = [], [], []
    spent = np.zeros(3)
    for part in parts(seen):
        clock = [time.perf_counter()]
        figures.append(indicators(part))
        clock.append(time.perf_counter())
        crosses.append(ema_cross.evaluate(part, rules.ema_cross))
        clock.append(time.perf_counter())
        hybrids.append(hybrid.evaluate(part, rules.hybrid))
        spent += np.diff([*clock, time.perf_counter()])
    tables = pl.concat(crosses), pl.concat(hybrids)
    marks += [*(marks[-1] + np.cumsum(spent[:2])).tolist(), time.perf_counter()]

    found = {
        **dict(zip(PARTS, np.diff(marks).tolist(), strict=True)),
        ALL: marks[-1] - marks[0],
        "processor": time.process_time() - processor,
        "bars": bars.height,
        "names": deciding.height,
        "loaded": loaded,
        "peak": whole_market.peak_mb(),
    }
    if scale != 1:
        return found
    whole = [np.concatenate(figure) for figure in zip(*figures, strict=True)]
    told = Told(deciding, seen, whole, tables)
    return found | plain(bars, lambda name: plain_daily.evaluation_bar(name, cal, at, chosen), rules, told)


def plain(
    bars: pl.DataFrame, decide: Callable[[plain_daily.Name], tuple[int, bool]], rules: Rules, told: Told
) -> dict[str, float]:
    """Seconds for the whole market in plain Python, from a sample of names: by definition, and verdicts only."""
    names = bars["ticker"].unique(maintain_order=True)[::SAMPLED].to_list()
    rows, by_definition, quick, processor = 0, 0.0, 0.0, 0.0
    for name in names:
        one = _name(bars.filter(pl.col("ticker") == name))
        start, processor_start = time.perf_counter(), time.process_time()
        decided = decide(one)
        kept = plain_daily.usable(_until(one, decided[0]))
        figures = plain_daily.indicators(kept)
        tables = (plain_daily.cross_rows(kept, rules.ema_cross), plain_hybrid.hybrid_rows(kept, rules.hybrid))
        by_definition += time.perf_counter() - start
        processor += time.process_time() - processor_start
        start = time.perf_counter()
        kept = plain_daily.usable(_until(one, decide(one)[0]))
        plain_quick.indicators(kept)
        crosses = plain_quick.cross_outcomes(kept, rules.ema_cross)
        hybrids = plain_quick.hybrid_outcomes(kept, rules.hybrid)
        quick += time.perf_counter() - start
        rows += len(one.sessions)
        deciding = told.deciding.row(by_predicate=pl.col("ticker") == name, named=True)
        if (deciding["bars"], deciding["thin"]) != decided:
            raise SystemExit(f"{name}: the plain code decides on another bar")
        _agree(name, told, figures, tables)
        verdicts = [row["outcome"] for row in tables[0]], [row["outcome"] for row in tables[1]]
        if verdicts != (crosses, [row[0] for row in hybrids]):
            raise SystemExit(f"{name}: the quick plain code gives other verdicts")
    share = bars.height / rows
    seconds = {"plain": by_definition, "plain processor": processor, "quick": quick}
    anew = asked_anew(bars, names[::ANEW_NAMES], rules)
    return {**{name: spent * share for name, spent in seconds.items()}, "plain bars": rows, "anew": anew}


def asked_anew(bars: pl.DataFrame, names: Sequence[str], rules: Rules) -> float:
    """Seconds if each bar is asked anew from the bars up to it, as the older program did; from some bars of a few."""
    asked, spent = 0, 0.0
    for name in names:
        one = _name(bars.filter(pl.col("ticker") == name))
        for count in range(1, len(one.sessions) + 1, ANEW_BARS):
            start = time.perf_counter()
            kept = plain_daily.usable(_until(one, count))
            plain_daily.indicators(kept)
            plain_daily.cross_rows(kept, rules.ema_cross)
            plain_hybrid.hybrid_rows(kept, rules.hybrid)
            spent += time.perf_counter() - start
            asked += 1
    return spent * bars.height / asked


def _until(bars: plain_daily.Name, count: int) -> plain_daily.Name:
    opened, high, low, close, volume = (column[:count] for column in bars[1:])
    return plain_daily.Name(bars.sessions[:count], opened, high, low, close, volume)


def _name(bars: pl.DataFrame) -> plain_daily.Name:
    columns = bars.select("session", "open", "high", "low", "close", pl.col("volume").cast(pl.Float64))
    return plain_daily.Name(*(column.to_list() for column in columns))


def _agree(name: str, told: Told, figures: Sequence[Sequence[float]], tables: Sequence[Sequence[Row]]) -> None:
    """Stop where the plain code gives another number or word than the vectorised code."""
    here = (told.seen.frame["ticker"] == name).to_numpy()
    for number, (own, expected) in enumerate(zip(told.figures, figures, strict=True)):
        if not np.array_equal(own[here], np.array(expected), equal_nan=True):
            raise SystemExit(f"{name}: indicator {number} differs from the plain code's")
    for table, expected_rows in zip(told.tables, tables, strict=True):
        for row, expected_row in zip(table.filter(pl.Series(here)).to_dicts(), expected_rows, strict=True):
            other = [key for key, value in expected_row.items() if not _same(row[key], value)]
            if other:
                raise SystemExit(f"{name} {row['session']}: {other} differ from the plain code's")


def _same(one: object, other: object) -> bool:
    unknown = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    return unknown or one == other


def measured(market: Path, rounds: int) -> dict[float, dict[str, float]]:
    """Medians by scale, the scales taking turns in each round."""
    runs: dict[float, list[dict[str, float]]] = {scale: [] for scale in SCALES}
    for number in range(rounds):
        print(f"daily bars: round {number + 1} of {rounds}", file=sys.stderr)
        for scale, found in runs.items():
            command = (sys.executable, __file__, "--once", market, str(scale))
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found.append(json.loads(done.stdout))
    return {
        scale: {key: statistics.median(run[key] for run in found) for key in found[0]} for scale, found in runs.items()
    }


def report(folder: Path, rounds: int = 5) -> list[str]:
    """The tables as Markdown lines, or the reason why there are none."""
    archives = sorted(folder.glob("*.tar.gz"))
    if not archives:
        return [HEADING, "", "Skipped: the market's bars are not beside this checkout (`--market FOLDER`)."]
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as place:
        market = Path(place) / "market.parquet"
        pl.concat([whole_market.load(archive) for archive in archives]).write_parquet(market)
        found = measured(market, rounds)
    return [HEADING, "", *_tables(found, rounds)]


def _tables(found: Mapping[float, Mapping[str, float]], rounds: int) -> list[str]:
    whole = found[1.0]
    columns = (*PARTS, ALL)
    per_bar = {scale: run[ALL] / run["bars"] for scale, run in found.items()}
    # A small market pays the same fixed costs; what must not happen is that a bar costs more in a larger one.
    growth = max(per_bar[large] / per_bar[small] for small in per_bar for large in per_bar if large > small)
    ratio, quick = whole["plain"] / whole[ALL], whole["quick"] / whole[ALL]
    anew = whole["anew"] / whole[ALL]
    busy = whole["plain processor"] / whole["processor"]
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    lines = [
        f"Evaluation bars, 12 indicators, both buy rules for every bar of {whole['names']:,.0f} names, in one process.",
        f"Seconds, medians of {rounds}, {time.strftime('%Y-%m-%d')}, {machine}; importing and loading are not timed.",
        "",
        f"| market | bars | {' | '.join(columns)} | microseconds a bar | peak MB (after loading) |",
        f"|---|--:|{'--:|' * len(columns)}--:|--:|",
    ]
    for scale, run in found.items():
        times = " | ".join(f"{run[part]:.2f}" for part in columns)
        memory = f"{run['peak']:,.0f} ({run['loaded']:,.0f})"
        lines.append(f"| {scale:g} x | {run['bars']:,.0f} | {times} | {per_bar[scale] * 1e6:.2f} | {memory} |")
    rows = (
        ("whole market", f"{whole[ALL]:.2f} s", f"{LIMIT_S:g} s", whole[ALL] <= LIMIT_S),
        ("peak memory", f"{whole['peak']:,.0f} MB", f"{LIMIT_MB:,} MB", whole["peak"] <= LIMIT_MB),
        ("a bar of a larger market / of a smaller", f"{growth:.2f}", f"{MOST_GROWTH:g}", growth <= MOST_GROWTH),
        ("plain Python, one pass a name / ours", f"{ratio:.0f}", f"at least {LEAST_RATIO:g}", ratio >= LEAST_RATIO),
        ("plain Python, each bar anew / ours", f"{anew:,.0f}", f"at least {LEAST_RATIO:g}", anew >= LEAST_RATIO),
    )
    lines += ["", "| what | median | target | |", "|---|--:|--:|---|"]
    lines += [
        f"| {what} | {value} | {target} | {'met' if met else '**not met**'} |" for what, value, target, met in rows
    ]
    return [
        *lines,
        "",
        f"One pass a name in plain Python, loop by loop from the definitions, takes {whole['plain']:.0f} s for the",
        "same table, every figure equal to the last bit: measured in the same process on every",
        f"{SAMPLED}th name ({whole['plain bars']:,.0f} bars), scaled up. In processor time of all cores that is",
        f"{busy:.0f} times ours. The older program asked each bar anew from the bars up to it; the same plain code",
        f"takes {whole['anew']:,.0f} s that way (from a few bars of a few names). Plain Python that only judges, with",
        "running sums in place of windows and nothing worked out for bars that history rules out, takes",
        f"{whole['quick']:.0f} s ({quick:.0f} times ours).",
    ]


def main() -> None:
    """Measure and print; in the process of one run, its figures as JSON."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=5, help="runs of each scale (default: 5)")
    asked.add_argument("--market", type=Path, default=whole_market.DATA, help="the folder of the whole market's bars")
    asked.add_argument("--write", action="store_true", help="replace this section of benchmarks/results.md too")
    asked.add_argument("--once", nargs=2, metavar=("PARQUET", "SCALE"), help=argparse.SUPPRESS)
    options = asked.parse_args()
    if options.once:
        print(json.dumps(once(Path(options.once[0]), float(options.once[1]))))
        return
    section = "\n".join(report(options.market, options.rounds)) + "\n"
    print(section)
    if options.write:
        results = HERE / "results.md"
        before = results.read_text(encoding="utf-8").partition(HEADING)[0].rstrip()
        results.write_text(f"{before}\n\n{section}", encoding="utf-8")


if __name__ == "__main__":
    main()
