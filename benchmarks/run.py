"""Measure assay against its peers: interleaved rounds, medians, ratios, each target met or not.

    make bench                                    all series, and benchmarks/results.md
    .venv/bin/python benchmarks/run.py --help     fewer rounds, some groups, the real market

Wall time of the whole process, output thrown away. Each round runs every series once, so that drift hits all alike.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import daily_bars
import documents
import pipelines
import whole_market

HERE = Path(__file__).resolve().parent
PEERS = HERE / ".peers" / "bin"
ASSAY = Path(sys.executable).parent / "assay"
# Settings of Python in this shell (such as to write no .pyc files) are not those that people run with.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
ENVIRONMENT |= {"DVC_NO_ANALYTICS": "1", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True, slots=True)
class Series:
    """One command that is timed; `before` prepares each round, `after` makes sure of its work, and neither is timed."""

    group: str
    name: str
    command: tuple[str | Path, ...]
    folder: Path
    before: Callable[[], None] | None = None
    after: Callable[[], None] | None = None
    wall_ms: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Time it once."""
        if self.before:
            self.before()
        start = time.perf_counter()
        done = subprocess.run(
            self.command,
            cwd=self.folder,
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        self.wall_ms.append((time.perf_counter() - start) * 1000)
        if done.returncode:
            raise SystemExit(f"{self.name} failed with {done.returncode}:\n{done.stderr.decode(errors='replace')}")
        if self.after:
            self.after()


@dataclass(frozen=True, slots=True)
class Target:
    """`ours` takes at most `limit` times what `peer` takes."""

    group: str
    ours: str
    peer: str
    limit: float
    says: str


TARGETS = (
    Target("start", "assay --help", "doit help", 1.0, "1"),
    Target("no-op", "assay build", "doit", 1.0, "1"),
    Target("no-op", "assay build", "dvc repro", 1 / 8, "1/8"),
    Target("5 of 40", "assay build", "doit", 1 / 2, "1/2"),
    Target("table", "assay gate", "pandera", 1 / 3, "1/3"),
    Target("specs", "assay specs check", "check-jsonschema", 1 / 3, "1/3"),
)
GROUPS = {
    "start": "`--help`",
    "no-op": "40 steps, nothing to do",
    "5 of 40": "40 steps, one spec changed, 5 rebuilt",
    "table": "20 checks on 20,000 rows of CSV",
    "specs": "100 YAML specs of 50 lines against one schema",
}


def rebuilt(folder: Path, pattern: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """Change one spec to what it never was; then make sure that exactly five results are new."""
    seen: dict[Path, bytes] = {}
    shifts = iter(range(1000, 100_000))

    def before() -> None:
        seen.update({p: p.read_bytes() for p in folder.glob(pattern)})
        pipelines.change(folder, next(shifts))

    def after() -> None:
        changed = sum(p.read_bytes() != old for p, old in seen.items())
        if (len(seen), changed) != (40, 5):
            raise SystemExit(f"{folder.name}: {changed} of {len(seen)} results are new, not 5 of 40")

    return before, after


def all_series(place: Path, groups: Sequence[str]) -> list[Series]:
    """The series of these groups, their inputs made and built once under `place`."""
    python, doit, dvc, check = (PEERS / name for name in ("python", "doit", "dvc", "check-jsonschema"))
    series = [
        Series("start", "assay --help", (ASSAY, "--help"), place),
        Series("start", "doit help", (doit, "help"), place),
    ]
    tools: tuple[tuple[str, tuple[str | Path, ...], Callable[[Path], Path], str], ...] = (
        ("assay build", (ASSAY, "build"), pipelines.for_assay, "Temp/step_*_v1.json"),
        ("doit", (doit, "-v0"), lambda p: pipelines.for_doit(p, python), "out/*"),
        ("doit, steps in process", (doit, "-v0"), lambda p: pipelines.for_doit(p, python, in_process=True), "out/*"),
        ("dvc repro", (dvc, "repro"), lambda p: pipelines.for_dvc(p, python, dvc), "out/*"),
    )
    for group in ("no-op", "5 of 40"):
        for number, (name, command, make, results) in enumerate(tools if group in groups else ()):
            folder = make(place / f"{group.replace(' ', '')}_{number}")
            Series(group, name, command, folder).run()  # the first build
            before, after = rebuilt(folder, results) if group == "5 of 40" else (None, None)
            series.append(Series(group, name, command, folder, before, after))
    table, specs = documents.table(place / "table"), documents.specs(place / "specs")
    Series("table", "assay build", (ASSAY, "build"), table).run()  # sets the time that the gate judges for
    files = sorted((specs / "specs").glob("*.yaml"))
    series += [
        Series("table", "assay gate", (ASSAY, "gate"), table),
        Series("table", "pandera", (python, "check_pandera.py", "trades.csv"), table),
        Series("specs", "assay specs check", (ASSAY, "specs", "check", "specs", "--schema", "schema.json"), specs),
        Series("specs", "check-jsonschema", (check, "--schemafile", "schema.json", *files), specs),
    ]
    return [s for s in series if s.group in groups]


def report(series: list[Series]) -> list[str]:
    """The tables as Markdown lines."""
    median = {(s.group, s.name): statistics.median(s.wall_ms) for s in series}
    lines = ["| what | series | median ms | min-max |", "|---|---|--:|--:|"]
    for s in series:
        spread = f"{min(s.wall_ms):,.0f}-{max(s.wall_ms):,.0f}"
        lines.append(f"| {GROUPS[s.group]} | {s.name} | {median[s.group, s.name]:,.0f} | {spread} |")
    lines += ["", "| what | ours / peer | ratio | target | |", "|---|---|--:|--:|---|"]
    for t in TARGETS:
        if (t.group, t.ours) in median:
            ratio = median[t.group, t.ours] / median[t.group, t.peer]
            met = whole_market.verdict(ratio, t.limit)
            lines.append(f"| {GROUPS[t.group]} | {t.ours} / {t.peer} | {ratio:.2f} | {t.says} | {met} |")
    return lines


def main() -> None:
    """Measure, print, and write when asked."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=9, help="timed rounds after one to warm up (default: 9)")
    asked.add_argument("--only", choices=GROUPS, action="append", help="this group only; may be repeated")
    asked.add_argument("--market", type=Path, default=whole_market.DATA, help="the folder of the whole market's bars")
    asked.add_argument("--write", action="store_true", help="write benchmarks/results.md too")
    options = asked.parse_args()
    groups = options.only or list(GROUPS)
    with tempfile.TemporaryDirectory(prefix="assay-bench-") as place:
        series = all_series(Path(place), groups)
        for number in range(options.rounds + 1):
            print(f"round {number} of {options.rounds}" + ("" if number else " (to warm up)"), file=sys.stderr)
            for one in series:
                one.run()
            if number == 0:
                for one in series:
                    one.wall_ms.clear()
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()}"
    head = ["# Benchmarks", "", f"{options.rounds} interleaved rounds, {time.strftime('%Y-%m-%d')}, {machine}."]
    versions = [line for line in (HERE / "peers.txt").read_text().splitlines() if not line.startswith("#")]
    page = [*head, f"Peers: {', '.join(versions)}.", "", *report(series), "", *whole_market.report(options.market)]
    page += ["", *daily_bars.report(options.market)]
    print("\n".join(page))
    if options.write:
        (HERE / "results.md").write_text("\n".join(page) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
