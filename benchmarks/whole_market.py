"""HSMS over a whole market: how long the bars take to load, how long the signals take, and the peak of memory.

    python benchmarks/whole_market.py [FOLDER]

FOLDER holds tar.gz files with one CSV a ticker, as pykrx writes them (Korean column names).
"""

import io
import resource
import statistics
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import polars as pl
import yaml

from quantassay.domain.signals import hsms

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "krx_market"
LIMIT_S, LIMIT_MB = 1.5, 700
NAMES = {"날짜": "session", "시가": "open", "고가": "high", "저가": "low", "종가": "close", "거래량": "volume"}
TYPES = {"날짜": pl.Date, **dict.fromkeys(("시가", "고가", "저가", "종가"), pl.Float64), "거래량": pl.Int64}


def load(archive: Path) -> pl.DataFrame:
    """All bars of the archive in the columns of the bars frame, sorted by ticker and session."""
    frames = []
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member) if member.name.endswith(".csv") else None
            if file is None:
                continue
            frame = pl.read_csv(io.BytesIO(file.read()), columns=list(TYPES), schema_overrides=TYPES).rename(NAMES)
            name = Path(member.name).name
            frames.append(
                frame.select(
                    pl.lit(name.removesuffix(".csv")).alias("ticker"),
                    *NAMES.values(),
                    pl.lit(None, pl.Int64).alias("foreign_net_buy"),
                    pl.lit(None, pl.Datetime("us", "UTC")).alias("taken_at"),
                    pl.lit(name).alias("source"),
                    pl.int_range(2, pl.len() + 2, dtype=pl.UInt32).alias("row"),
                )
            )
    return pl.concat(frames).sort("ticker", "session")


def once(folder: Path) -> None:
    """Print rows, tickers, seconds to load, seconds for the signals, peak MB after loading and in the end."""
    parameters = hsms.parameters(yaml.safe_load((ROOT / "spec" / "15_hsms.yaml").read_text(encoding="utf-8")))
    start = time.perf_counter()
    bars = pl.concat([load(archive) for archive in sorted(folder.glob("*.tar.gz"))])
    loaded, before = time.perf_counter(), peak_mb()
    signals = hsms.verdicts(bars, parameters)
    done = time.perf_counter()
    print(bars.height, bars["ticker"].n_unique(), loaded - start, done - loaded, before, peak_mb())
    if signals.height != bars.height:
        raise SystemExit(f"{signals.height} verdicts for {bars.height} bars")


def peak_mb() -> float:
    """The peak resident memory of this process until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(folder: Path, rounds: int = 5) -> list[str]:
    """The table as Markdown lines, or the reason why there is none."""
    if not any(folder.glob("*.tar.gz")):
        return [
            "HSMS over the whole market: skipped, the market's bars are not beside this checkout (`--market FOLDER`)."
        ]
    runs = [
        subprocess.run([sys.executable, __file__, folder], check=True, capture_output=True, text=True).stdout.split()
        for _ in range(rounds)
    ]
    rows, tickers, load_s, signals_s, before, peak = (
        statistics.median(map(float, values)) for values in zip(*runs, strict=True)
    )
    return [
        f"HSMS 1 and 2 over the whole market: {rows:,.0f} bars of {tickers:,.0f} tickers, medians of {rounds}.",
        "",
        "| | median | target | |",
        "|---|--:|--:|---|",
        f"| load from tar.gz | {load_s:.2f} s (peak {before:,.0f} MB) | | |",
        f"| signals after load | {signals_s:.2f} s | {LIMIT_S} s | {verdict(signals_s, LIMIT_S)} |",
        f"| peak memory, all | {peak:,.0f} MB | {LIMIT_MB} MB | {verdict(peak, LIMIT_MB)} |",
    ]


def verdict(value: float, limit: float) -> str:
    """Whether a figure keeps to its target."""
    return "met" if value <= limit else "**not met**"


if __name__ == "__main__":
    once(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
