"""A few of the combinations of `make crash-matrix`, in a process of their own: children are forked from it."""

import re
import subprocess
import sys
from pathlib import Path

MATRIX = Path(__file__).with_name("matrix.py")
LAST = re.compile(r"(\d+) combinations, (\d+) killed with SIGKILL, \d+ s: 0 duplicates, 0 lost, 0 wrong; .*")


def test_killed_anywhere_with_any_fault_the_book_holds_the_plan_once():
    done = subprocess.run(
        [sys.executable, str(MATRIX), "--every", "83"], capture_output=True, text=True, timeout=280, check=False
    )
    last = done.stdout.splitlines()[-1] if done.stdout else ""
    told = LAST.fullmatch(last)
    assert done.returncode == 0, done.stdout + done.stderr
    assert told, last
    assert int(told[1]) > int(told[2]) > 40
