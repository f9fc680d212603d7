"""The real time, and for rehearsals a time that begins at an instant of one's choice and runs on from there."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """This instant, in UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds; none for zero or less."""
        if seconds > 0:
            time.sleep(seconds)


class ShiftedClock:
    """A clock that showed `start` when it was made and has run at the speed of time since.

    It cannot be set back by a change of this machine's clock.
    """

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._made = time.monotonic()

    def now(self) -> datetime:
        """The start and what has gone by since, in the zone of the start."""
        return self._start + timedelta(seconds=time.monotonic() - self._made)

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds; none for zero or less."""
        if seconds > 0:
            time.sleep(seconds)


class RehearsedClock(ShiftedClock):
    """The same, but nobody waits: a wait is over at once, and the clock shows the time at its end.

    For the paper broker, which has nothing to wait for.
    """

    def sleep(self, seconds: float) -> None:
        """Let so many seconds have gone by; none for zero or less."""
        if seconds > 0:
            self._start += timedelta(seconds=seconds)
