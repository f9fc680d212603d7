"""Writes down who gave which threshold which value and status, note by note, each with the digest that chains it."""

from dataclasses import asdict
from typing import Any

from quantassay.domain.calibration import notes as change_notes
from quantassay.domain.calibration import registry

_CHANGES = ["calibration_changes:"]
ORIGINS = {
    "/head": _CHANGES,
    "/counted": [*_CHANGES, "as_of:"],
    "/later": [*_CHANGES, "as_of:"],
    "/notes/**": _CHANGES,
}
_HEAD = ("id", "date", "author", "reason", "previous", "digest", "counts")


def build(calibration_changes: list[dict[str, Any]], calibration: dict[str, Any], as_of: str) -> dict[str, Any]:
    """Every note in its order; one of a day after `as_of` is listed and does not count."""
    notes = change_notes.chain(calibration_changes, as_of[:10])
    registered = [threshold.id for threshold in registry.thresholds(calibration)]
    told = {change.threshold for note in notes if note.counts for change in note.changes}
    return {
        "head": change_notes.head(notes),
        "counted": sum(note.counts for note in notes),
        "later": sum(not note.counts for note in notes),
        "notes": [
            {
                **{name: getattr(note, name) for name in _HEAD},
                "changes": [_change(change, registered) for change in note.changes],
            }
            for note in notes
        ],
        "never_noted": [threshold for threshold in registered if threshold not in told],
    }


def _change(change: change_notes.Change, registered: list[str]) -> dict[str, Any]:
    told = asdict(change)
    return {
        "threshold": change.threshold,
        "registered": change.threshold in registered,
        "from": change.before,
        "to": change.status,
        "value": change.value,
        **{name: told[name] for name in change_notes.OPTIONAL},
    }
