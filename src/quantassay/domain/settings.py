"""What a desk calls its settings: the specs that a reviewer signs, and each value in them as one line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Which market, bars and account: a choice of names, on which no threshold stands.
DESK = "desk"


@dataclass(frozen=True, slots=True)
class Line:
    """One value of a spec: its name, its JSON pointer, and the value as text."""

    name: str
    pointer: str
    value: str


def settings(spec_values: Mapping[str, Any], calibration: Mapping[str, Any]) -> dict[str, Any]:
    """The desk's choices, then every spec that some plan stands on, by name of the spec.

    Which specs those are stands in the register of thresholds (`calibration`), where a gate compares it with what the
    plans read: a strategy or a limit cannot stay out of what is signed.
    """
    plans = calibration["plans"]
    names = dict.fromkeys([DESK, *(name for plan in plans for name in plan["specs"])])
    return {name: spec_values[name] for name in names if name in spec_values}


def lines(value: Any, steps: tuple[str, ...] = ()) -> Iterator[Line]:
    """Every value inside, members by name and items in their order; what is empty is a line of its own."""
    members: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        members = sorted(value.items())
    elif isinstance(value, list):
        members = [(str(index), item) for index, item in enumerate(value)]
    if members:
        for step, member in members:
            yield from lines(member, (*steps, step))
    else:
        pointer = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
        yield Line(".".join(steps), pointer, _text(value))


def _text(value: Any) -> str:
    if isinstance(value, list | dict):
        return "(empty)"
    if value is None:
        return "(none)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
