"""Tell how the thresholds stand, from the backlog that was built last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quantassay.harness import build, graph
from quantassay.harness.inputs import Inputs
from quantassay.harness.tampering import check_recorded
from quantassay.jobs import desk
from quantassay.jobs.calibration_note import UnknownThreshold

BACKLOG = "calibration_backlog"


@dataclass(frozen=True, slots=True)
class Told:
    """The backlog, the rows that were asked for, its instant, and why it is no longer of what lies there (if so)."""

    backlog: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    as_of: str
    stale: tuple[str, ...]


def tell(folder: Path, threshold: str | None) -> Told:
    """The rows of all thresholds, or of one. Raises NotBuilt, Tampered, UnknownThreshold."""
    inputs = desk.built(folder)
    check_recorded(inputs)
    backlog = inputs.value(BACKLOG)
    rows = [row for row in backlog["thresholds"] if threshold in (None, row["id"])]
    if not rows:
        raise UnknownThreshold(str(threshold), [row["id"] for row in backlog["thresholds"]])
    return Told(backlog, rows, str(inputs.envelope(BACKLOG)["as_of"]), _stale(inputs))


def _stale(inputs: Inputs) -> tuple[str, ...]:
    """What has changed since the backlog was built, in it and in what it stands on."""
    why: list[str] = []
    for name in graph.order(inputs, [BACKLOG]):
        unit = inputs.rooms.builders[name]
        why += build.why_stale(inputs, name, build.step_key(inputs, unit, inputs.state.as_of or ""))
    return tuple(dict.fromkeys(why))
