"""Which programs have fallen silent: one that gave signs of life, and for too long gives none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Silence:
    """A program that should be heard of, and when it last was; None for never."""

    name: str
    last: datetime | None

    def says(self, now: datetime) -> str:
        """The silence in words."""
        if self.last is None:
            return f"{self.name} has never given a sign of life"
        minutes = int((now - self.last).total_seconds() // 60)
        return (
            f"{self.name} has been silent for {minutes} minutes, since {self.last.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        )


def silent(
    names: Sequence[str], beats: Mapping[str, datetime], longest: timedelta, now: datetime
) -> tuple[Silence, ...]:
    """The programs of which nothing was heard for longer than this. A sign of life from the future is none."""
    found = []
    for name in names:
        last = beats.get(name)
        if last is None or now - last > longest or last - now > longest:
            found.append(Silence(name, last))
    return tuple(found)
