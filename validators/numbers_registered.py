"""Every number in a covered spec is registered once, as a threshold or as a fact, and every registered number is there.

A number that nobody registered decides all the same, and nobody can say who chose it or when it is looked at again.
"""

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from quantassay.findings import Judged, judged

RULES = ["R08.1"]
FILE = "spec/30_calibration.yaml"


def check(calibration: dict[str, Any], spec_values: dict[str, Any]) -> Iterator[Judged]:
    """Judges each spec, each number of each covered spec, each threshold, each fact, and each reference to a study."""
    covers, excused = calibration["covers"], [row["spec"] for row in calibration["not_covered"]]
    for spec in sorted({*spec_values, *covers, *excused}):
        wrong = _wrong_with_spec(spec, spec_values, covers, excused)
        yield judged("/covers", ok=not wrong, says=f"{spec}: {wrong}", expected=spec, artifact="calibration")
    there = [(spec, place) for spec in covers for place in _numbers(spec_values.get(spec), "")]
    pointers = [row["pointer"] for row in calibration["thresholds"]]
    facts = [row["pointer"] for row in calibration["facts"]]
    for spec, place in there:
        pointer = f"{spec}:{place}"
        named, fitting = pointers.count(pointer), [fact for fact in facts if _fits(fact, pointer)]
        wrong = "" if named + bool(fitting) == 1 else _how_registered(pointer, named, fitting)
        yield judged(place, ok=not wrong, says=wrong, artifact=spec)
    known = {f"{spec}:{place}" for spec, place in there}
    for index, fact in enumerate(facts):
        ok = any(_fits(fact, pointer) for pointer in known)
        says = f"{fact} fits no number of a covered spec; correct it or take it out"
        yield judged(f"/facts/{index}/pointer", ok=ok, says=says, artifact="calibration")
    yield from _thresholds(calibration, known)
    yield from _studies(calibration, spec_values)


def _wrong_with_spec(spec: str, spec_values: dict[str, Any], covers: list[str], excused: list[str]) -> str:
    if spec not in spec_values:
        return f"there is no such spec; correct its name in {FILE}"
    named = covers.count(spec) + excused.count(spec)
    if named == 0:
        return (
            f"it is neither covered nor excused; name it in {FILE}, under covers or, with a reason, under not_covered"
        )
    return "" if named == 1 else f"it is named {named} times under covers and not_covered in {FILE}; once is enough"


def _numbers(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key in value:
            yield from _numbers(value[key], f"{place}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from _numbers(value[index], f"{place}/{index}")
    elif not isinstance(value, bool) and value is not None:
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            return
        if number.is_finite():
            yield place


def _fits(pattern: str, pointer: str) -> bool:
    wanted, steps = pattern.replace(":", "", 1).split("/"), pointer.replace(":", "", 1).split("/")
    if wanted[-1] == "**":
        wanted, steps = wanted[:-1], steps[: len(wanted) - 1]
    return len(wanted) == len(steps) and all(one in ("*", step) for one, step in zip(wanted, steps, strict=True))


def _how_registered(pointer: str, named: int, fitting: list[str]) -> str:
    if not named:
        return f"{pointer} is a number that nobody answers for; register it in {FILE}, as a threshold or as a fact"
    if fitting:
        return f"{pointer} is a threshold and a fact ({fitting[0]}) in {FILE}; it can be one of them"
    return f"{pointer} is registered as {named} thresholds in {FILE}; leave one"


def _thresholds(calibration: dict[str, Any], known: set[str]) -> Iterator[Judged]:
    ids = [row["id"] for row in calibration["thresholds"]]
    for index, row in enumerate(calibration["thresholds"]):
        says = f"{row['id']}: {row['pointer']} leads to no number of a covered spec; correct the pointer"
        ok = row["pointer"] in known
        yield judged(f"/thresholds/{index}/pointer", ok=ok, says=says, artifact="calibration")
        says = f"the id {row['id']} stands {ids.count(row['id'])} times; give each threshold its own"
        yield judged(f"/thresholds/{index}/id", ok=ids.count(row["id"]) == 1, says=says, artifact="calibration")
    priors = {row["id"] for row in calibration["thresholds"] if row["status"] == "EXPERT_PRIOR"}
    for index, one in enumerate(calibration["provisional_review"]):
        says = f"{one} is no EXPERT_PRIOR threshold, so no provisional review can be asked for it"
        yield judged(f"/provisional_review/{index}", ok=one in priors, says=says, artifact="calibration")


def _studies(calibration: dict[str, Any], spec_values: dict[str, Any]) -> Iterator[Judged]:
    studies = spec_values.get("event_studies", {"studies": []})["studies"]
    about = {study["id"]: study["threshold"] for study in studies}
    for index, row in enumerate(calibration["thresholds"]):
        if "study" in row:
            found = about.get(row["study"], "no threshold, for there is no such study")
            says = f"{row['id']} names the study {row['study']}, which is about {found}"
            yield judged(f"/thresholds/{index}/study", ok=found == row["id"], says=says, artifact="calibration")
    registered = {row["id"] for row in calibration["thresholds"]}
    for index, study in enumerate(studies):
        says = f"{study['id']} studies {study['threshold']}, which is not registered in {FILE}"
        ok = study["threshold"] in registered
        yield judged(f"/studies/{index}/threshold", ok=ok, says=says, artifact="event_studies")
