"""No artifact shows a field that is a data gap without its gap or its file, and no report prints one without the gap.

Such a number would look like any other, and somebody would sell on it.
"""

from collections.abc import Iterator
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R10.7"]
ROADMAP = "data_gaps_roadmap"
PARTS = ("value", "state", "gap")


def check(
    data_gaps_roadmap: dict[str, Any], artifact_data: dict[str, Any], report_places: dict[str, list[str]]
) -> Iterator[Judged]:
    """Judges each place of every artifact, and of every report, at which a gap's field stands."""
    owners = {
        tuple(shown.split("/")): gap
        for gap in data_gaps_roadmap["gaps"]
        for field in gap["fields"]
        for shown in field["shown_as"]
    }
    shown: dict[tuple[str, ...], dict[str, Any]] = {}
    for artifact in sorted(set(artifact_data) - {ROADMAP}):
        for path, value in _members(artifact_data[artifact], ()):
            names = tuple(step for step in path if isinstance(step, str))
            gap = _owner(names, owners)
            if gap is not None:
                shown[artifact, *names] = gap
                wrong = _wrong(value, gap)
                place = "".join(f"/{step}" for step in path)
                yield judged(place, ok=not wrong, says=f"{names[-1]} {wrong}", artifact=artifact, actual=value)
    for report, printed in sorted(report_places.items()):
        places = {tuple(step for step in place.split("/") if step != "*") for place in printed}
        for steps in sorted(places):
            yield from _printed(report, steps, places, owners, shown)


def _members(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in members:
        if isinstance(step, str):
            yield (*path, step), member
        yield from _members(member, (*path, step))


def _owner(names: tuple[str, ...], owners: dict[tuple[str, ...], dict[str, Any]]) -> dict[str, Any] | None:
    """The gap whose field stands at the end of these names."""
    return next((owners[names[-length:]] for length in range(1, len(names) + 1) if names[-length:] in owners), None)


def _wrong(value: Any, gap: dict[str, Any]) -> str:
    """What is wrong with the way in which a field is shown; nothing where it says what it is."""
    name = f"{gap['id']} {gap['title']}"
    if not isinstance(value, dict) or not set(PARTS) <= set(value):
        return f"is a field of the gap {name}, and stands here without {', '.join(PARTS)}"
    if value["gap"] not in (None, gap["id"]):
        return f"is a field of the gap {name} and not of {value['gap']}"
    if value["value"] is None:
        told = value["gap"] is not None or value["state"] not in (None, "", "known")
        return "" if told else f"is not known, and does not say that it is the gap {name}"
    if gap["feed"]["state"] == "red":
        return f"is shown as known, and the files that feed the gap {name} are too old for that"
    came = (gap["feed"]["files"] or 0) + (gap["feed"]["later"] or 0)
    return "" if came else f"is shown as known, and nothing ever came that could fill the gap {name}"


def _printed(
    report: str,
    place: tuple[str, ...],
    places: set[tuple[str, ...]],
    owners: dict[tuple[str, ...], dict[str, Any]],
    shown: dict[tuple[str, ...], dict[str, Any]],
) -> Iterator[Judged]:
    """Where a report prints a field, or its value, it prints the gap of that field as well."""
    field = place[:-1] if place[-1] == "value" else place
    gap = _owner(field, owners) if "?" not in field else _any(field, shown)
    if gap is not None and field[0] != ROADMAP:
        says = f"the report prints {'/'.join(place)} and not its gap; {gap['id']} may stand behind it"
        yield judged(f"/reports/{report}", ok=(*field, "gap") in places, says=says, artifact="reports")


def _any(field: tuple[str, ...], shown: dict[tuple[str, ...], dict[str, Any]]) -> dict[str, Any] | None:
    """The gap of a field whose name only the data tell: the template goes over all members of an object."""
    for known, gap in shown.items():
        if len(known) == len(field) and all(one in ("?", other) for one, other in zip(field, known, strict=True)):
            return gap
    return None
