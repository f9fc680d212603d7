"""The change notes are one unbroken chain, and the ledger is what they say, note by note.

A note that can be edited afterwards proves nothing about what was known when the threshold was changed.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import rfc8785

from quantassay.domain.agreement import agree
from quantassay.findings import Judged, judged

RULES = ["R08.2"]
NOTES = "calibration_changes"
TOLD = ("sample_note", "backtest_note", "sample_n", "mean_return", "evidence")


def check(
    calibration_change_ledger: dict[str, Any],
    calibration_changes: list[dict[str, Any]],
    calibration: dict[str, Any],
    as_of: str,
) -> Iterator[Judged]:
    """Judges id, date, author and chain of each note, each status that it goes from, and every field of the ledger."""
    notes, day = calibration_changes, datetime.fromisoformat(as_of).date().isoformat()
    digests = [f"sha256:{hashlib.sha256(rfc8785.dumps(note) + bytes([10])).hexdigest()}" for note in notes]
    yield judged("", ok=bool(notes), says="there is no change note; the first one registers the values", artifact=NOTES)
    for number, note in enumerate(notes, 1):
        place, wanted = f"/{note['id']}", f"C{number:04}"
        says = f"is the note at place {number}, so its id is {wanted}; a note is missing, doubled, or in another file"
        yield judged(f"{place}/id", ok=note["id"] == wanted, says=says, artifact=NOTES)
        yield judged(f"{place}/author", ok=bool(note["author"].strip()), says="has no author", artifact=NOTES)
        before = digests[number - 2] if number > 1 else None
        ok, known = note["previous"] == before, notes[number - 2]["id"] if number > 1 else "no note"
        says = f"was written after {known} as it then was; {known} was edited since, or is not the note before it"
        yield judged(f"{place}/previous", ok=ok, says=says, expected=before, actual=note["previous"], artifact=NOTES)
    for one, two in pairwise(notes):
        says = f"is dated {two['date']}, before {one['id']} of {one['date']}"
        yield judged(f"/{two['id']}/date", ok=one["date"] <= two["date"], says=says, artifact=NOTES)
    yield from _steps(notes)
    registered = [row["id"] for row in calibration["thresholds"]]
    told = {change["threshold"] for note in notes if note["date"] <= day for change in note["changes"]}
    expected = {
        "head": digests[-1] if notes else None,
        "counted": len([note for note in notes if note["date"] <= day]),
        "later": len([note for note in notes if note["date"] > day]),
        "notes": [_note(note, digest, registered, day) for note, digest in zip(notes, digests, strict=True)],
        "never_noted": [name for name in registered if name not in told],
    }
    yield from agree(calibration_change_ledger, expected, "is not what the change notes say")


def _steps(notes: list[dict[str, Any]]) -> Iterator[Judged]:
    """Each change starts from the status that the last note on the threshold gave."""
    last: dict[str, str] = {}
    for note in notes:
        seen: set[str] = set()
        for index, change in enumerate(note["changes"]):
            name, place = change["threshold"], f"/{note['id']}/changes/{index}"
            before = last.get(name)
            says = f"{name} goes from {change['from']}, and the notes before it left it at {before}"
            yield judged(f"{place}/from", ok=change["from"] == before, says=says, artifact=NOTES)
            says = f"{name} stands twice in one note"
            yield judged(f"{place}/threshold", ok=name not in seen, says=says, artifact=NOTES)
            seen.add(name)
            last[name] = change["to"]


def _note(note: dict[str, Any], digest: str, registered: list[str], day: str) -> dict[str, Any]:
    return {
        **{name: note[name] for name in ("id", "date", "author", "reason", "previous")},
        "digest": digest,
        "counts": note["date"] <= day,
        "changes": [
            {
                **{name: change[name] for name in ("threshold", "from", "to")},
                "registered": change["threshold"] in registered,
                "value": format(Decimal(str(change["value"])), "f"),
                **{name: change.get(name) for name in TOLD},
            }
            for change in note["changes"]
        ],
    }
