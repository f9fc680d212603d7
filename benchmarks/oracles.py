"""Compare our rules with what the older programs answered on the same bars: each answer the same, or explained.

    python benchmarks/oracles.py                              the answers and bars that lie beside this checkout
    python benchmarks/oracles.py --oracles DIR --data DIR     others of the same form
    python benchmarks/oracles.py --write docs/deviations.md   and the table of the differences

With `corrections: none` each rule must give the older program's answer; with `corrections: all` each answer that
differs must come from a correction that has a name. The exit code is 1 where that is not so.
"""

import argparse
import functools
import importlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from oracle_kinds import Comparison

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[1] / "shared"
SHOWN = 10
HEAD = """# Where we differ from the older programs

Written by `benchmarks/oracles.py --write`; do not edit. It puts our rules beside answers that the older programs gave
on real bars and on invented ones. With `corrections: none` a rule is the older program; with `corrections: all`, the
default, it leaves the older program's weak points behind. An answer that then differs is put down to the correction
that changes it alone (`a / b`: each of them would), or to the fewest that do so together (`a + b`).
"""


class Compared(NamedTuple):
    """One subject, its oracle file, the comparison and how long it took."""

    subject: str
    file: Path
    comparison: Comparison
    seconds: float


def bars_of(folder: Path) -> Callable[[str], pl.DataFrame]:
    """A reader of the symbols' CSV files in the folder, or in its kosdaq_daily, in the columns of the bars frame."""
    folder = folder / "kosdaq_daily" if (folder / "kosdaq_daily").is_dir() else folder

    @functools.cache
    def read(symbol: str) -> pl.DataFrame:
        raw = pl.read_csv(folder / f"{symbol}.csv")
        return raw.select(
            pl.lit(symbol).alias("ticker"),
            pl.col("date").str.to_date().alias("session"),
            pl.col("open", "high", "low", "close").cast(pl.Float64),
            pl.col("volume").cast(pl.Int64),
            pl.lit(None, pl.Datetime("us", "UTC")).alias("taken_at"),
            pl.lit(f"{symbol}.csv").alias("source"),
        ).sort("session")

    return read


def modules(only: Sequence[str] = ()) -> dict[str, Any]:
    """The comparison modules beside this file, by the subject that each names."""
    names = sorted(path.stem for path in HERE.glob("oracle_*.py") if path.stem != "oracle_kinds")
    asked = [name for name in names if not only or name.removeprefix("oracle_") in only]
    found = [importlib.import_module(name) for name in asked]
    return {module.SUBJECT: module for module in found}


def compared(oracles: Path, data: Path, only: Sequence[str] = ()) -> list[Compared]:
    """Each subject that has an answer file: one whose name holds the subject."""
    results = []
    for subject, module in modules(only).items():
        for file in sorted(oracles.glob(f"*{subject}*.json")):
            start = time.perf_counter()
            comparison = module.compare(json.loads(file.read_text(encoding="utf-8")), bars_of(data))
            results.append(Compared(subject, file, comparison, time.perf_counter() - start))
    return results


def failed(comparison: Comparison) -> bool:
    """Whether a row is neither the same nor explained."""
    return comparison.same_as_older != comparison.rows or bool(comparison.unexplained)


def table(results: list[Compared]) -> list[str]:
    """The figures of each subject as Markdown lines."""
    lines = [
        "| Subject | Answers | same with `none` | same with `all` | explained | unexplained |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for subject, _, found, _ in results:
        differing = (sum(found.explained.values()), len(found.unexplained))
        counts = (found.rows, found.same_as_older, found.corrected_same, *differing)
        lines.append(f"| {subject} | {' | '.join(f'{count:,}' for count in counts)} |")
    return lines


def page(results: list[Compared]) -> str:
    """The whole of docs/deviations.md."""
    parts = [HEAD, "\n".join(table(results)) + "\n"]
    for subject, _, found, _ in results:
        parts.append(f"## {subject}\n")
        if found.explained:
            rows = "\n".join(f"| `{name}` | {count:,} |" for name, count in sorted(found.explained.items()))
            parts.append(f"| Answers differ by | Count |\n|---|--:|\n{rows}\n")
        else:
            parts.append("No answer differs.\n")
        if found.sentences:
            parts.append("\n".join(f"- `{name}`: {says}" for name, says in found.sentences.items()) + "\n")
    return "\n".join(parts)


def main() -> int:
    """Compare, print, write when asked; 1 where a row is neither the same nor explained."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--oracles", type=Path, default=SHARED / "oracles", help="the folder of the older answers")
    asked.add_argument("--data", type=Path, default=SHARED / "data" / "kosdaq_daily", help="the folder of the bars")
    asked.add_argument("--only", action="append", help="this subject only; may be repeated")
    asked.add_argument("--write", type=Path, help="write the page of differences here")
    options = asked.parse_args()
    results = compared(options.oracles, options.data, options.only or ())
    if not results:
        raise SystemExit(f"{options.oracles} holds no answers that we can compare; give their folder with --oracles")
    if options.write:
        options.write.write_text(page(results), encoding="utf-8")
    print("\n".join(table(results)))
    for subject, file, found, seconds in results:
        print(f"\n{subject}: {file.name}, {seconds:.1f} s", *dict(found.explained).items(), sep="\n    ")
        for kind, rows in (("differs with none", found.differing), ("unexplained", found.unexplained)):
            print(*(f"    {kind}: {row}\n" for row in rows[:SHOWN]), sep="", end="")
    return 1 if any(failed(found) for _, _, found, _ in results) else 0


if __name__ == "__main__":
    sys.exit(main())
