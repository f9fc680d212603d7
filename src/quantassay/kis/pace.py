"""The rate that KIS allows one app key, kept by all processes that use it: one file with the time of the last request.

Whoever wants to send holds the file, waits until enough time has gone by since the last request, sends, notes the time
and lets the file go. The kernel frees it when its holder dies. The spacing is counted from the moment of sending, so
that what a connection takes to come about neither uses up the allowance nor lets two requests arrive together.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from quantassay.domain.trading.clock import Clock
from quantassay.errors import AssayError

_MICRO = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CannotShare(AssayError):
    """The folder in which processes with one key meet cannot be used."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"{path} cannot be written: {error.strerror or error}; make it this user's own")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[int]:
    """The file (0600, made with its folder where missing), held alone; its descriptor. Raises CannotShare."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise CannotShare(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


class Pace:
    """Turns to send, at least `pace_s` apart, for all who share the file."""

    def __init__(self, path: Path, pace_s: float, clock: Clock) -> None:
        self._path, self._pace_s, self._clock = path, pace_s, clock

    @contextlib.contextmanager
    def turn(self) -> Iterator[Callable[[], None]]:
        """Wait for a turn and hold it; what is given notes the time, right before and right after sending.

        Raises CannotShare.
        """
        if self._pace_s <= 0:
            yield _nothing
            return
        with locked(self._path) as descriptor:
            self._clock.sleep(self._wait(_read(descriptor)))
            yield lambda: self._note(descriptor)

    def _wait(self, last: tuple[int, int] | None) -> float:
        """Seconds until the next turn, by the machine's own time and by the clock, whichever is longer.

        The machine's time is one for all processes, and a rehearsal's clock is not; neither may hold a turn back for
        longer than the pace, as after a restart or when a clock was set back.
        """
        if last is None:
            return 0
        passed = [now - then for now, then in zip(self._times(), last, strict=True)]
        machine, clock = (micros / 1e6 for micros in passed)
        waits = [self._pace_s - max(machine, 0)]
        if clock >= 0:
            waits.append(self._pace_s - clock)
        return max(0.0, *waits)

    def _note(self, descriptor: int) -> None:
        os.pwrite(descriptor, b"%020d %020d\n" % self._times(), 0)

    def _times(self) -> tuple[int, int]:
        return time.monotonic_ns() // 1000, (self._clock.now() - _EPOCH) // _MICRO


def _read(descriptor: int) -> tuple[int, int] | None:
    try:
        machine, clock = os.pread(descriptor, 64, 0).split()
        return int(machine), int(clock)
    except ValueError:
        return None


def _nothing() -> None:
    """No pace is kept, so no time is noted."""
