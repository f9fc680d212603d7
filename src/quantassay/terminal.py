"""The terminal that a command runs in: where, how loud, and a progress line for what takes long."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a command runs and how much it says: -1 quiet, 0 plain, 1 verbose."""

    folder: Path
    loudness: int


@contextlib.contextmanager
def progress(terminal: Terminal) -> Iterator[Callable[[int, int, str], None] | None]:
    """A function to call with (done, total, name), None where nobody looks; a line shows after a second."""
    if terminal.loudness < 0 or not sys.stderr.isatty():
        yield None
        return
    started, drawn = time.monotonic(), [0]

    def report(done: int, total: int, name: str) -> None:
        if time.monotonic() - started >= AFTER_S:
            line = f"[{done + 1}/{total}] {name}"[:100]
            sys.stderr.write("\r" + line.ljust(drawn[0]))
            sys.stderr.flush()
            drawn[0] = len(line)

    try:
        yield report
    finally:
        if drawn[0]:
            sys.stderr.write("\r" + " " * drawn[0] + "\r")
