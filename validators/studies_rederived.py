"""Every study asks what its spec says, at every value that anybody has looked at, and knows the claim that it backs.

A value that was tried and is not counted makes luck look like evidence.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from quantassay.domain.agreement import agree
from quantassay.findings import Judged, judged

RULES = ["R08.3"]
SAYS = "is not what the specs and the values tried give"
KEPT = ("id", "threshold", "event", "strategy", "direction", "horizon_sessions", "from", "to")


def check(
    calibration_studies: dict[str, Any],
    event_studies: dict[str, Any],
    hsms: dict[str, Any],
    calibration: dict[str, Any],
    values_tried: list[dict[str, Any]],
) -> Iterator[Judged]:
    """Judges every field of every study, and that each studies the place in the spec that its threshold stands for."""
    asked = event_studies["studies"]
    ours = [one for one in values_tried if any(one["study"] == study["id"] and _suits(study, one) for study in asked)]
    expected = [_study(study, hsms, calibration, ours) for study in asked]
    elsewhere = [{"study": one["study"], "value": one["value"]} for one in values_tried if one not in ours]
    whole = {
        "bootstrap": event_studies["bootstrap"],
        "correction": event_studies["correction"],
        "rules": {name: hsms[name] for name in hsms if name != "strategy"},
        "trials_total": len(elsewhere) + sum(len(study["values"]) for study in expected),
        "elsewhere": elsewhere,
        "studies": expected,
    }
    yield from agree(calibration_studies, whole, SAYS)
    yield from _registered(asked, calibration)


def _suits(study: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    """Whether a value tried is one of the kind that the study's threshold has today."""
    if study["threshold"] in ("hsms.sell_band", "hsms.volume_multiple"):
        return type(one["value"]) is str
    return type(one["value"]) is int and (one["value"] >= 1 or study["threshold"] == "hsms.foreign_level")


def _study(
    study: Mapping[str, Any],
    hsms: Mapping[str, Any],
    calibration: Mapping[str, Any],
    values_tried: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    current = hsms[study["threshold"].split(".")[1]]
    looked_at = [one["value"] for one in values_tried if one["study"] == study["id"]]
    sources = [("in_force", [current]), ("declared", study["tried"]), ("looked_at", looked_at)]
    values: list[dict[str, Any]] = []
    for source, given in sources:
        for value in given:
            if Decimal(value) not in [Decimal(one["value"]) for one in values]:
                values.append({"value": value, "source": source})
    claims = [row["claim"]["made_on"] for row in calibration["thresholds"] if "claim" in row and "study" in row
              and row["study"] == study["id"]]  # fmt: skip
    return {
        **{name: study[name] for name in KEPT},
        "made_on": min(claims) if claims else None,
        "values": sorted(values, key=lambda one: Decimal(one["value"])),
    }


def _registered(asked: Sequence[Mapping[str, Any]], calibration: Mapping[str, Any]) -> Iterator[Judged]:
    """Judges each study's threshold, and each threshold's study: they must mean each other."""
    places = {row["id"]: row["pointer"] for row in calibration["thresholds"]}
    for at, study in enumerate(asked):
        pointer = "hsms:/" + study["threshold"].split(".")[1]
        found = places.get(study["threshold"])
        says = f"{study['id']} studies {study['threshold']}, which spec/30_calibration.yaml "
        says += "does not register" if found is None else "says to be another number"
        where = f"/studies/{at}/threshold"
        yield judged(where, ok=found == pointer, says=says, expected=pointer, actual=found, artifact="event_studies")
    studied = {study["id"]: study["threshold"] for study in asked}
    for at, row in enumerate(calibration["thresholds"]):
        if row.get("study") in studied:
            says = f"{row['id']} rests on {row['study']}, which studies another threshold"
            where, right = f"/thresholds/{at}/study", studied[row["study"]]
            yield judged(
                where, ok=right == row["id"], says=says, expected=row["id"], actual=right, artifact="calibration"
            )
