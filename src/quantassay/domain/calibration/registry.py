"""Which numbers of the specs somebody answers for: the registered thresholds, and every number that there is."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

EXPERT_PRIOR, PROVISIONAL, CALIBRATED = STATUSES = ("EXPERT_PRIOR", "PROVISIONAL", "CALIBRATED")
RANK = {status: rank for rank, status in enumerate(STATUSES)}
# Six digits are not spared, though a ticker may look like that: a ticker in a covered spec is entered as a fact.
_DECIMAL = re.compile(r"\s*[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?\s*")


@dataclass(frozen=True, slots=True)
class Claim:
    """What somebody says that the bars have shown: on which day, from how many events, with which mean return."""

    made_on: str
    sample_n: int
    mean_return: str


@dataclass(frozen=True, slots=True)
class Threshold:
    """One registered number: where it stands, what it is, who answers for it, and what is claimed of it."""

    id: str
    spec: str
    place: str
    unit: str
    kind: str
    owner: str
    status: str
    study: str | None
    review_on: str
    claim: Claim | None

    @property
    def pointer(self) -> str:
        """SPEC:/POINTER, as the registry writes it."""
        return f"{self.spec}:{self.place}"


def thresholds(calibration: Mapping[str, Any]) -> list[Threshold]:
    """The registered thresholds of spec/30_calibration.yaml, in its order."""
    return [_threshold(row) for row in calibration["thresholds"]]


def _threshold(row: Mapping[str, Any]) -> Threshold:
    spec, _, place = row["pointer"].partition(":")
    claim = row.get("claim")
    return Threshold(
        id=row["id"],
        spec=spec,
        place=place,
        unit=row["unit"],
        kind=row["kind"],
        owner=row["owner"],
        status=row["status"],
        study=row.get("study"),
        review_on=row["review_on"],
        claim=None if claim is None else Claim(claim["made_on"], claim["sample_n"], claim["mean_return"]),
    )


def is_number(value: object) -> bool:
    """Whether a value of a spec is a number: whole, with decimals, or written as text. Dates and times are none."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float) or (isinstance(value, str) and _DECIMAL.fullmatch(value) is not None)


def numbers(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every number in a spec, with its JSON pointer."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in members:
        yield from numbers(member, f"{pointer}/{str(step).replace('~', '~0').replace('/', '~1')}")
    if is_number(value):
        yield pointer, value


def value_of(threshold: Threshold, spec_values: Mapping[str, Any]) -> str | None:
    """The threshold's number as decimal text; None where its pointer leads to no number."""
    found = dict(numbers(spec_values.get(threshold.spec)))
    return text(found[threshold.place]) if threshold.place in found else None


def text(number: float | str) -> str:
    """A number of a spec as plain decimal text, with the digits that it is written with."""
    return f"{Decimal(str(number).strip()):f}"
