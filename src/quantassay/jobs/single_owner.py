"""One owner at a time for a piece of work, told by process, machine start and hour; the lock goes with its process.

The kernel holds an flock as long as any process has the file open, and drops it when the last of them ends, however it
ends: nothing is left behind by a crash, and a child that outlives its parent goes on holding it.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from quantassay.errors import AssayError
from quantassay.harness.files import Unwritable

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Owned(AssayError):
    """A piece of work that another process is at."""

    def __init__(self, path: Path, what: str, owner: str) -> None:
        super().__init__(f"{what} is kept by {owner} (lock {path}); leave it at its work, or end that process first")


def boot() -> str:
    """Which start of the machine this is, in a few letters; `?` where the system does not tell."""
    try:
        return _BOOT.read_text(encoding="ascii")[:8]
    except (OSError, ValueError):
        return "?"


def me() -> str:
    """This process in words."""
    return f"process {os.getpid()} of boot {boot()}"


@contextlib.contextmanager
def taken(path: Path, what: str, now: datetime) -> Iterator[int]:
    """Hold the lock while the block runs; gives its open file, for a child to hold it too. Raises Owned, Unwritable."""
    descriptor = _opened(path)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Owned(path, what, owner(path)) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"owner": me(), "since": now.isoformat(timespec="seconds")}).encode(), 0)
        yield descriptor
    finally:
        # Not unlocked by name: a child that holds the file goes on holding the lock.
        os.close(descriptor)


def is_taken(path: Path) -> bool:
    """Whether somebody holds the lock now. Raises Unwritable."""
    if not path.exists():
        return False
    descriptor = _opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def owner(path: Path) -> str:
    """Who took the lock last, in words."""
    try:
        said = json.loads(path.read_bytes())
        return f"{said['owner']}, since {said['since']}"
    except (OSError, ValueError, TypeError, KeyError):
        return "another process"


def _opened(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unwritable(path, error) from error
