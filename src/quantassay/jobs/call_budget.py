"""How often a key was used today: counted before each call, so that a crash can lose a call but never a count."""

import hashlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.feeds.day_answers import OVER_BUDGET, NoAnswer
from quantassay.harness import canonical, files, lock

WAIT_S = 10.0
_KEPT_DAYS = 40


class CountUnreadable(AssayError):
    """A count that cannot be read: nobody knows how many calls are left."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} cannot be read, so nobody knows how many calls are left today; put a copy of it back, or write "
            "{} into it if the key was not used today"
        )


def place(data: Path) -> Path:
    """Where the counts lie: by source, by the fingerprint of the key, by the exchange's day."""
    return data / "fetches" / "calls.json"


def fingerprint(key: str) -> str:
    """What stands for a key in the counts: twelve letters of a digest, from which the key cannot be told."""
    return hashlib.sha256(b"calls with the key " + key.encode()).hexdigest()[:12]


def used(data: Path, source: str, key: str, day: date) -> int:
    """How many calls were made with this key on this day. Raises CountUnreadable."""
    return int(_read(place(data)).get(source, {}).get(fingerprint(key), {}).get(day.isoformat(), 0))


def take(data: Path, source: str, key: str, day: date, most: int) -> int:
    """Count one call that is about to be made; its number on this day. Raises NoAnswer, CountUnreadable, lock.Busy."""
    path = place(data)
    with lock.held(data / "locks" / "calls.lock", WAIT_S):
        counts = _read(path)
        days = counts.setdefault(source, {}).setdefault(fingerprint(key), {})
        number = int(days.get(day.isoformat(), 0)) + 1
        if number > most:
            says = f"all {most} calls of {day} were made with this key; the count begins anew at midnight there"
            raise NoAnswer(OVER_BUDGET, f"{source} is not asked: {says}")
        days[day.isoformat()] = number
        for old in [one for one in days if one < (day - timedelta(days=_KEPT_DAYS)).isoformat()]:
            del days[old]
        files.write(path, canonical.dumps(counts))
    return number


def _read(path: Path) -> dict[str, Any]:
    try:
        counts = canonical.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, canonical.UnreadableJson) as error:
        raise CountUnreadable(path) from error
    if not _is_count(counts):
        raise CountUnreadable(path)
    sources: dict[str, Any] = counts
    return sources


def _is_count(value: Any, depth: int = 3) -> bool:
    if depth == 0:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, dict) and all(_is_count(member, depth - 1) for member in value.values())
