"""Every registered threshold has the value and the status of its last change note.

A value that moves without a note is how a desk drifts: each step is small, and nobody took it.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R08.6"]


def check(
    calibration: dict[str, Any], calibration_changes: list[dict[str, Any]], spec_values: dict[str, Any]
) -> Iterator[Judged]:
    """Judges the value and the status of each threshold, at the place of its number."""
    last = {change["threshold"]: (note["id"], change) for note in calibration_changes for change in note["changes"]}
    for row in calibration["thresholds"]:
        spec, _, place = row["pointer"].partition(":")
        value = _at(spec_values.get(spec), place)
        if value is None:
            continue
        says = _wrong(row, value, *last.get(row["id"], ("", {})))
        yield judged(place, ok=not says, says=f"{says}; record it with `assay calibration note`", artifact=spec)


def _wrong(row: dict[str, Any], value: Any, note: str, change: dict[str, Any]) -> str:
    if not note:
        return f"{row['id']} is {value}, and no change note speaks of it"
    if Decimal(str(change["value"])) != Decimal(str(value).strip()):
        return f"{row['id']} is {value}, and {note} gives it {change['value']}"
    return "" if change["to"] == row["status"] else f"{row['id']} is {row['status']}, and {note} made it {change['to']}"


def _at(value: Any, place: str) -> Any:
    for step in place.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901 - the step as it is meant
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value if isinstance(value, int | float | str) else None
