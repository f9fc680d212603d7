"""The time as it is handed to whoever must wait or look at it again: a job has the real one, a test its own."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time and waits."""

    def now(self) -> datetime:
        """This instant, aware."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds; none for zero or less."""
        ...
