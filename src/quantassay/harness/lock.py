"""One build at a time in a workspace; the lock names its owner and goes with the process that held it."""

import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from quantassay.errors import AssayError
from quantassay.harness.files import Unwritable


class Busy(AssayError):
    """Another run holds the workspace."""

    def __init__(self, path: Path, owner: str, waited_s: float) -> None:
        waited = f"; waited {waited_s:g} s" if waited_s else ""
        super().__init__(f"{owner} is at work in this workspace (lock {path}){waited}; try again when it has ended")


_ours: set[Path] = set()


def place(data: Path) -> Path:
    """The lock of the workspace with this data folder."""
    return data / "locks" / "build.lock"


def is_ours(path: Path) -> bool:
    """Whether this process holds the lock, so that a part of its work need not ask for it again."""
    return path in _ours


@contextlib.contextmanager
def held(path: Path, wait_s: float = 0) -> Iterator[None]:
    """Hold the lock while the block runs; wait up to `wait_s` seconds for it. Raises Busy.

    The kernel drops an flock when its process ends, so a crash or kill -9 leaves nothing to clear away.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise Unwritable(path, error) from error
    with opened as file:
        _take(file.fileno(), path, wait_s)
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "command": " ".join(["assay", *sys.argv[1:]])}))
        file.flush()
        _ours.add(path)
        try:
            yield
        finally:
            _ours.discard(path)
            file.truncate(0)


def _take(descriptor: int, path: Path, wait_s: float) -> None:
    give_up = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= give_up:
                raise Busy(path, _owner(path), wait_s) from None
            time.sleep(0.05)
        else:
            return


def _owner(path: Path) -> str:
    # Between taking the lock and writing its name, the owner is not known.
    try:
        owner = json.loads(path.read_bytes())
        return f"process {owner['pid']} (`{owner['command']}`)"
    except (ValueError, TypeError, KeyError):
        return "another run"
