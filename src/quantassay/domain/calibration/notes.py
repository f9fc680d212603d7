"""Change notes: who gave a threshold which value and status, when and why, each note chained to the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantassay.domain.calibration.digest import digest
from quantassay.domain.calibration.registry import text

OPTIONAL = ("sample_note", "backtest_note", "sample_n", "mean_return", "evidence")


@dataclass(frozen=True, slots=True)
class Change:
    """What one note says of one threshold; `before` and `status` are the statuses it goes from and to.

    `sample_n`, `mean_return` and `evidence` (digest of the events) are what the study gave when the note was written.
    """

    note: str
    date: str
    threshold: str
    before: str | None
    status: str
    value: str
    sample_note: str | None = None
    backtest_note: str | None = None
    sample_n: int | None = None
    mean_return: str | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """One change note and its digest; `counts` is False for a note of a day after the run."""

    id: str
    date: str
    author: str
    reason: str
    previous: str | None
    digest: str
    counts: bool
    changes: tuple[Change, ...]


def chain(changes: Sequence[Mapping[str, Any]], day: str) -> list[Note]:
    """The notes in their order, as a run of that day (YYYY-MM-DD) sees them."""
    return [_note(note, day) for note in changes]


def _note(note: Mapping[str, Any], day: str) -> Note:
    return Note(
        note["id"],
        note["date"],
        note["author"],
        note["reason"],
        note["previous"],
        digest(note),
        note["date"] <= day,
        tuple(_change(note, change) for change in note["changes"]),
    )


def _change(note: Mapping[str, Any], change: Mapping[str, Any]) -> Change:
    told = {name: change.get(name) for name in OPTIONAL}
    return Change(
        note["id"], note["date"], change["threshold"], change["from"], change["to"], text(change["value"]), **told
    )


def told_of(threshold: str, notes: Sequence[Note]) -> list[Change]:
    """Every change of one threshold, the last one last; some may be of a day after the run."""
    return [change for note in notes for change in note.changes if change.threshold == threshold]


def head(notes: Sequence[Note]) -> str | None:
    """The digest that the next note must name as the one before it."""
    return notes[-1].digest if notes else None


def next_id(notes: Sequence[Note]) -> str:
    """The id of the note after these: C and four digits."""
    return f"C{len(notes) + 1:04d}"
