"""Runs an assay command in a process of its own, ended by the clock with everything that it started."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# The program itself, whatever `assay` on the path may be.
PROGRAM = (sys.executable, "-c", "from quantassay.cli import main; main()")
_LAST_BYTES = 4_000
# What a process that was told to end may still take for it.
_GRACE_S = 10
LATE = -1


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code (LATE where the clock ended it), and the last of what it said."""

    code: int
    said: str


class Start(Protocol):
    """Runs one command to its end."""

    def __call__(self, arguments: Sequence[str], longest_s: float, kept: Sequence[int] = ()) -> Ended:
        """Run `assay ARGUMENTS`, at most so long; it keeps these open files, and with them their locks."""
        ...


def starter(folder: Path) -> Start:
    """What runs commands in this workspace."""

    def start(arguments: Sequence[str], longest_s: float, kept: Sequence[int] = ()) -> Ended:
        with tempfile.TemporaryFile() as said:
            # A file and no pipe: one that a process further down holds open would be waited for.
            child = begin(folder, arguments, said.fileno(), kept)
            try:
                code = child.wait(longest_s)
            except subprocess.TimeoutExpired:
                end(child)
                code = LATE
            except BaseException:
                end(child)
                raise
            size = said.seek(0, os.SEEK_END)
            said.seek(max(0, size - _LAST_BYTES))
            return Ended(code, said.read().decode(errors="replace").strip())

    return start


def begin(folder: Path, arguments: Sequence[str], output: int, kept: Sequence[int] = ()) -> subprocess.Popen[bytes]:
    """Start `assay ARGUMENTS` in a session of its own, so that whatever ends us does not end it half-way."""
    return subprocess.Popen(  # noqa: S603 - this very program, with words of our own
        [*PROGRAM, "-C", str(folder.resolve()), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=tuple(kept),
        start_new_session=True,
    )


def end(child: "subprocess.Popen[bytes]") -> None:
    """End a command and all that it started: first by asking, then by force."""
    for sign, wait_s in ((signal.SIGTERM, _GRACE_S), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(wait_s)
