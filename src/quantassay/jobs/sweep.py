"""The values of thresholds that somebody has looked at: kept, so that each of them counts in the correction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from quantassay.errors import AssayError
from quantassay.harness import canonical, files
from quantassay.harness.inputs import Handed, Inputs
from quantassay.harness.lazy import Lazy

NAME = "values_tried"


class TriedDamaged(AssayError):
    """A line that no sweep wrote."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__(
            f"{path}:{line} is no value that a sweep has kept; put the file back as it was, or delete the line and "
            "sweep again what was looked at"
        )


def handed(inputs: Inputs) -> Iterator[Handed]:
    """`values_tried`: [{"study", "value"}] of every value that a sweep has looked at. Raises TriedDamaged."""
    data = inputs.workspace.data
    tried = read(data)
    yield Handed(
        NAME,
        canonical.digest(tried),
        Lazy("copy:deepcopy", (tried,)),
        explain=Lazy("quantassay.jobs.sweep:told", (tried,)),
        recheck=Lazy("quantassay.jobs.sweep:digest_now", (data,)),
    )


def digest_now(data: Path) -> str:
    """The digest of the values as they lie there now."""
    return canonical.digest(read(data))


def told(tried: Sequence[Mapping[str, Any]], _pointer: str) -> list[str]:
    """The values, one a line."""
    values = [f"{one['study']} at {one['value']}" for one in tried]
    return [f"{len(tried)} values looked at with `assay calibration sweep`", *values]


def place(data: Path) -> Path:
    """Where the values are kept."""
    return data / "sweeps" / "tried.jsonl"


def read(data: Path) -> list[dict[str, Any]]:
    """The values in order of study and value; none where nobody has looked. Raises TriedDamaged."""
    path = place(data)
    if not path.exists():
        return []
    found = []
    for number, line in enumerate(files.read(path).splitlines(), 1):
        try:
            one = canonical.loads(line)
        except ValueError:
            raise TriedDamaged(path, number) from None
        if not _is_value(one):
            raise TriedDamaged(path, number)
        found.append(one)
    return sorted(found, key=_order)


def _is_value(one: Any) -> bool:
    if not isinstance(one, dict) or set(one) != {"study", "value"} or not isinstance(one["study"], str):
        return False
    value = one["value"]
    if isinstance(value, str):
        whole, _, part = value.partition(".")
        return value.isascii() and whole.removeprefix("-").isdigit() and (part.isdigit() or whole == value)
    return isinstance(value, int) and not isinstance(value, bool)


def _order(one: Mapping[str, Any]) -> tuple[str, Decimal]:
    return one["study"], Decimal(one["value"])


def keep(data: Path, study: str, values: Iterable[str | int]) -> list[str | int]:
    """Keep the values of a study and give those that were not kept before. The caller holds the workspace's lock.

    Raises TriedDamaged, Unwritable.
    """
    tried = read(data)
    known = {Decimal(one["value"]) for one in tried if one["study"] == study}
    new = [value for value in values if Decimal(value) not in known]
    if new:
        lines = sorted([*tried, *({"study": study, "value": value} for value in new)], key=_order)
        files.write(place(data), b"".join(canonical.dumps(one) for one in lines))
    return new
